"""Small corpora in the exact layout of their publishers, for corpora that cannot be had here.

Every audio file is a tenth of a second of noise; only names, folders and
label files are true to the original. ``every=k`` keeps each k-th file.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from serlab.corpora import emodb as emodb_reader
from serlab.corpora import emovo as emovo_reader
from serlab.corpora import iemocap as iemocap_reader
from serlab.corpora import ravdess as ravdess_reader
from serlab.corpora import recola as recola_reader
from serlab.corpora import savee as savee_reader

RATE = 16_000


@cache
def noise(suffix: str, *, seed: int = 0, seconds: float = 0.1) -> bytes:
    """Bytes of an audio file with quiet noise."""
    samples = 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE)).clip(-3, 3)
    file = io.BytesIO()
    soundfile.write(file, samples - samples.mean(), RATE, format=suffix.lstrip(".").upper(), subtype="PCM_16")
    return file.getvalue()


def _write(paths: Iterator[Path], suffix: str, every: int, *, distinct: bool = False) -> None:
    for number, path in enumerate(itertools.islice(paths, 0, None, every)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(path.name + suffix).write_bytes(noise(suffix, seed=number if distinct else 0))


def emodb(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """wav/03a01Fa.wav, and erkennung.txt in Latin-1 with no-break spaces."""
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    names = [
        f"{speaker}{text}{emotion}{version}"
        for emotion, n in emodb_reader.EXPECTED.items()
        for version, text, speaker in itertools.islice(
            itertools.product("abc", texts, sorted(emodb_reader.SEX)), n
        )
    ]
    _write((folder / "wav" / name for name in names), suffix, every, distinct=distinct)
    lines = ["Nr.\tSatz\terkannt\tnatuerlich"]
    for number, name in enumerate(names, start=1):
        lines.append(f"{number}\xa0\xa0\t{name}.wav\t{80 + number % 21},00\xa0\xa0\t90,48\xa0\xa0")
    (folder / "erkennung.txt").write_text("\n".join(lines) + "\n", encoding="latin-1")


def emovo(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """EMOVO/f1/dis-f1-b1.wav"""
    names = sorted(name.split("/")[1] for name in emovo_reader.expected_names(folder))
    _write((folder / "EMOVO" / name.split("-")[1] / name for name in names), suffix, every, distinct=distinct)


def savee(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """AudioData/DC/a01.wav"""
    names = sorted(name.split("/")[1] for name in savee_reader.expected_names(folder))
    paths = (folder / "AudioData" / Path(*name.split("_")) for name in names)
    _write(paths, suffix, every, distinct=distinct)


def savee_older_release(folder: Path, *, suffix: str = ".wav", every: int = 1) -> None:
    """ALL/DC_a01.wav"""
    names = sorted(name.split("/")[1] for name in savee_reader.expected_names(folder))
    _write((folder / "ALL" / name for name in names), suffix, every)


def ravdess(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Actor_01/03-01-01-01-01-01-01.wav"""
    names = sorted(name.split("/")[1] for name in ravdess_reader.expected_names(folder))
    _write((folder / f"Actor_{name[-2:]}" / name for name in names), suffix, every, distinct=distinct)


#: Emotion -> speakers and how many clips of each, as in the published archive.
URDU: dict[str, dict[str, int]] = {
    "Angry": {"M1": 22, "M2": 28, "M3": 2, "M4": 48},
    "Happy": {
        "F1": 12, "F2": 2, "F3": 2, "F4": 4, "F5": 4, "F6": 14, "F7": 6, "F8": 2, "M17": 2, "M18": 2,
        "M19": 2, "M3": 2, "M5": 8, "M6": 10, "M7": 28,
    },
    "Neutral": {"F9": 4, "M20": 10, "M21": 4, "M22": 2, "M3": 8, "M5": 72},
    "Sad": {"F10": 2, "F11": 4, "M23": 6, "M24": 38, "M25": 40, "M26": 2, "M27": 4, "M6": 4},
}  # fmt: skip


def urdu(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """Angry/SM1_F10_A010.wav"""

    def paths() -> Iterator[Path]:
        for emotion, speakers in URDU.items():
            clips = ((s, clip) for s, n in speakers.items() for clip in range(1, n + 1))
            for number, (speaker, clip) in enumerate(clips, start=1):
                yield folder / emotion / f"S{speaker}_F{clip}_{emotion[0]}0{number}"

    _write(paths(), suffix, every, distinct=distinct)


#: Session -> turns of the four classes (Zhou & Beigi, table 1).
IEMOCAP_SESSIONS: dict[int, dict[str, int]] = {
    1: {"ang": 229, "exc": 143, "neu": 384, "sad": 194},
    2: {"ang": 137, "exc": 210, "neu": 362, "sad": 197},
    3: {"ang": 240, "exc": 151, "neu": 320, "sad": 305},
    4: {"ang": 327, "exc": 238, "neu": 258, "sad": 143},
    5: {"ang": 170, "exc": 299, "neu": 384, "sad": 245},
}


def _iemocap_labels() -> dict[int, list[str]]:
    """Labels of each session: the four classes as published, the others shared out."""
    labels = {s: [label for label, n in c.items() for _ in range(n)] for s, c in IEMOCAP_SESSIONS.items()}
    others = [
        label
        for label, n in iemocap_reader.EXPECTED.items()
        if label not in IEMOCAP_SESSIONS[1]
        for _ in range(n)
    ]
    for number, label in enumerate(others):
        labels[1 + number % 5].append(label)
    return labels


def iemocap(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, with all kinds of lines."""
    # The first turns get the low ratings, so that the published counts come out.
    low = {rating: counts[0] for rating, counts in iemocap_reader.EXPECTED_RATINGS.items()}
    turn_number = 0
    for session, labels in _iemocap_labels().items():
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
                wav = root / "sentences" / "wav" / dialogue / (turn + suffix)
                wav.parent.mkdir(parents=True, exist_ok=True)
                wav.write_bytes(noise(suffix, seed=turn_number if distinct else 0))
            (evaluation / f"{dialogue}.txt").write_text("\n".join(lines) + "\n")


def recola(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """RECOLA-Annotation/emotional_behaviour/arousal/P16.csv, and the user's own turns.csv."""
    # Turns last three ratings of 40 ms; the annotators differ, but not in the mean.
    speakers = recola_reader.SPEAKERS
    offsets = (-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)
    each, more = divmod(recola_reader.N_UTTERANCES, len(speakers))
    turns = [(s, n) for number, s in enumerate(speakers) for n in range(each + (number < more))]
    for dimension, (low, _) in recola_reader.EXPECTED_RATINGS.items():
        # The first turns get the low ratings; a mean of zero is low.
        for speaker in speakers:
            lines = ["time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3"]
            for number, (_, n) in ((k, turn) for k, turn in enumerate(turns) if turn[0] == speaker):
                mean = (0.0, -0.4)[number % 2] if number < low else (0.02, 0.5)[number % 2]
                ratings = ";".join(f"{mean + offset:.2f}" for offset in offsets)
                lines += [f"{0.12 * n + 0.04 * k:.2f};{ratings}" for k in range(3)]
            path = folder / "RECOLA-Annotation/emotional_behaviour" / dimension / f"{speaker}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n\n")
    recordings = folder / "RECOLA-Audio-recordings"
    recordings.mkdir(exist_ok=True)
    for number, speaker in enumerate(speakers):
        seed = number if distinct else 0
        (recordings / f"{speaker}{suffix}").write_bytes(noise(suffix, seed=seed, seconds=0.12 * (each + 1)))
    lines = [
        f"{speaker},{0.12 * n:.2f},{0.12 * n + 0.1:.2f},{('female', 'male')[speakers.index(speaker) % 2]}"
        for speaker, n in turns[::every]
    ]
    (folder / "turns.csv").write_text("\n".join(["speaker,start,end,sex", *lines]) + "\n")


#: Corpus -> function that writes its tree into a folder. A corpus that is
#: missing here fails the contract test.
TREES: dict[str, Callable[..., None]] = {
    "emodb": emodb,
    "emovo": emovo,
    "savee": savee,
    "ravdess": ravdess,
    "urdu": urdu,
    "iemocap": iemocap,
    "recola": recola,
}
