"""nEMO as its repository has it."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import nemo
from tests.corpora.trees.sounds import write

#: How many of the ninety sentences, where a speaker has not said all.
FEWER: dict[tuple[str, str], int] = {
    ("EB0", "surprised"): 89, ("MK0", "surprised"): 0, ("MP0", "anger"): 29, ("MP0", "fear"): 17,
    ("MP0", "happiness"): 30, ("MP0", "sadness"): 49, ("MP0", "surprised"): 41, ("SM0", "fear"): 89,
    ("SM0", "happiness"): 89, ("TP0", "surprised"): 89, ("WR0", "neutral"): 89,
}  # fmt: skip


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """samples/EB0_anger_1.wav, and data.tsv with blanks before the speaker"""
    names = [
        f"{speaker}_{emotion}_{sentence}"
        for speaker in nemo.SPEAKERS
        for emotion in nemo.EXPECTED
        for sentence in range(1, FEWER.get((speaker, emotion), nemo.N_SENTENCES) + 1)
    ]
    write((folder / "samples" / name for name in names), suffix, every, distinct=distinct)
    lines = ["file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"]
    for name in names:
        speaker, emotion, _ = name.split("_")
        sex, age = nemo.SPEAKERS[speaker]
        lines.append(f"{name}.wav\t{emotion}\tTak.\ttak\t        {speaker}\t{sex}\t{age}")
    (folder / "data.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
