"""IEMOCAP as its archives unpack, with all kinds of lines in its label files."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import iemocap
from tests.corpora.trees.sounds import write

#: Session -> turns of the four classes (Zhou & Beigi, table 1).
SESSIONS: dict[int, dict[str, int]] = {
    1: {"ang": 229, "exc": 143, "neu": 384, "sad": 194},
    2: {"ang": 137, "exc": 210, "neu": 362, "sad": 197},
    3: {"ang": 240, "exc": 151, "neu": 320, "sad": 305},
    4: {"ang": 327, "exc": 238, "neu": 258, "sad": 143},
    5: {"ang": 170, "exc": 299, "neu": 384, "sad": 245},
}


def _labels() -> dict[int, list[str]]:
    """Labels of each session: the four classes as published, the others shared out."""
    labels = {s: [label for label, n in c.items() for _ in range(n)] for s, c in SESSIONS.items()}
    others = [label for label, n in iemocap.EXPECTED.items() if label not in SESSIONS[1] for _ in range(n)]
    for number, label in enumerate(others):
        labels[1 + number % 5].append(label)
    return labels


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, with all kinds of lines."""
    # The first turns get the low ratings, so that the published counts come out.
    low = {rating: counts[0] for rating, counts in iemocap.EXPECTED_RATINGS.items()}
    turn_number = 0
    sounds: list[Path] = []
    for session, labels in _labels().items():
        root = folder / "IEMOCAP_full_release" / f"Session{session}"
        dialogues = [f"Ses0{session}{who}_{scene}" for who in "FM" for scene in ("impro01", "script01_1")]
        evaluation = root / "dialog" / "EmoEvaluation"
        (evaluation / "Attribute").mkdir(parents=True, exist_ok=True)
        (evaluation / "Attribute" / f"{dialogues[0]}_atr.txt").write_text("val 2; act 2; dom 3;\n")
        (evaluation / f"._{dialogues[0]}.txt").write_bytes(b"\x00\x05\x16\x07")
        quarter = -(-len(labels) // len(dialogues))
        for part, dialogue in enumerate(dialogues):
            lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
            for position, label in enumerate(labels[part * quarter : (part + 1) * quarter]):
                arousal, valence = (2.5 if turn_number < low[r] else 2.6667 for r in ("arousal", "valence"))
                turn_number += 1
                turn = f"{dialogue}_{'FM'[position % 2]}{position:03d}"
                start = 2.5 * position
                if turn_number % every:
                    continue
                lines += [
                    f"[{start:.4f} - {start + 1.9456:.4f}]\t{turn}\t{label}\t"
                    f"[{valence:.4f}, {arousal:.4f}, 3.0000]",
                    "C-E2:\tNeutral;\t()",
                    "C-E3:\tNeutral; Other;\t(curious)",
                    "C-F1:\tNeutral;\t()",
                    "A-E3:\tval 3; act 2; dom  2;\t()",
                    "A-E4:\tval 2; act 3; dom  3;\t(mixture of [1] and [2])",
                    "A-M1:\tval 3; act 3; dom  ;\t()",
                    "",
                ]
                sounds.append(root / "sentences" / "wav" / dialogue / turn)
            (evaluation / f"{dialogue}.txt").write_text("\n".join(lines) + "\n")
    write(sounds, suffix, 1, distinct=distinct)
