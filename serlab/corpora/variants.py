"""A corpus recorded again: the same utterances with one thing changed, to see what the change alone does.

:func:`recorded` turns the dials of a recording (channel, level, how many utterances of each
emotion). :func:`cheating` makes a corpus whose labels say nothing about how it was spoken, and
something about how it was recorded: whoever recognises "emotion" in it recognises that.

Both are for learning. **What is measured on a variant is never evidence about emotion.** Variants of
licensed recordings are licensed recordings: they stay where they are made.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from serlab import audio, data
from serlab.corpora import synthesis
from serlab.corpora.synthesis import Shift
from serlab.errors import CorpusError, ParameterError

#: Raise it with every change of the samples or of who gets which label.
VERSION = 1

#: What a cheating corpus gives its labels away by.
CHEATS: Mapping[str, str] = MappingProxyType(
    {
        "nothing": "labels are shuffled among the utterances of each speaker, and nothing else is done",
        "telephone": "so, and then all utterances of one label are sent through a telephone",
        "rooms": "so, and then each label is recorded in a room of its own",
        "sentences": "most utterances of a sentence have the same label",
        "voices": "most utterances of a speaker have the same label",
    }
)
#: Share of the utterances of a sentence, or of a speaker, that have its label; the others have any.
SHARE = 0.8
#: Ways of shuffling that are tried; what is kept goes least with the true emotion and the sentence.
_SHUFFLES = 200
#: Channels of the rooms in turn, see :class:`serlab.corpora.synthesis.Shift`.
ROOMS: tuple[float, ...] = (0.0, 0.4, -0.4, 0.8)
#: Pass band of a telephone, Hz.
TELEPHONE = (300.0, 3400.0)

#: One utterance's samples and a generator -> its samples as they are recorded again.
Recorder = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def recorded(
    utterances: pd.DataFrame, shift: Shift, *, name: str, folder: Path, seed: int = 0
) -> pd.DataFrame:
    """Record a corpus again through another channel, at another level, with other numbers of each emotion.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``. Of one corpus.
    shift : Shift
        Its ``prior`` leaves utterances out, so that emotions get the shares of a skewed prior; its
        ``style`` is none of a recording.
    name : str
        Of the variant.
    folder : Path
        The WAV files go into a folder of their own below it; if they are there, they stay.
    seed : int
        Of the channel's noise, and of what is left out.

    Returns
    -------
    DataFrame
        Utterances, without ``emotion``: see :meth:`serlab.labels.LabelScheme.apply`.

    Raises
    ------
    ParameterError
        If the prosody of a recording should be turned, or an emotion has no share in a skewed prior.
    AudioError
        If a file cannot be used.
    """
    if shift.style:
        raise ParameterError(
            "nobody can turn the prosody of a recording: style is a dial of synthetic corpora alone"
        )
    rng = np.random.default_rng([seed, 0])
    kept = utterances if shift.prior == 0 else _thinned(utterances, shift.prior, rng)
    rows = kept.assign(label=kept["emotion"].astype(str))
    recorders = dict.fromkeys(rows["label"].unique(), partial(_through, shift=shift))
    return _written(rows, recorders, name=name, folder=folder, made=["recorded", asdict(shift)], seed=seed)


def cheating(
    utterances: pd.DataFrame, cheat: str, *, name: str, folder: Path, seed: int = 0, label: str = ""
) -> pd.DataFrame:
    """Make a corpus in which nobody expresses what its labels say; see :data:`CHEATS`.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``. Of one corpus; for "sentences" with ``text_id``.
    cheat : str
        Key of :data:`CHEATS`.
    name, folder, seed
        As for :func:`recorded`.
    label : str
        The one that is sent through the telephone; the last one if empty.

    Returns
    -------
    DataFrame
        Utterances; their names say nothing about the true emotion.

    Raises
    ------
    ParameterError
        If there is no such cheat or label, or too few sentences are known.
    """
    if cheat not in CHEATS:
        raise ParameterError(f"{cheat!r} is no way to cheat; there are {', '.join(CHEATS)}")
    classes = list(utterances["emotion"].cat.remove_unused_categories().cat.categories)
    if label and label not in classes:
        raise ParameterError(f"no utterance is {label!r}; there are {', '.join(classes)}")
    rng = np.random.default_rng([seed, 1])
    deal = {"sentences": _by_sentence, "voices": _by_speaker}.get(cheat, _shuffled)
    labels = deal(utterances, classes, rng)
    recorders: dict[str, Recorder] = dict.fromkeys(classes, partial(_through, shift=Shift()))
    if cheat == "telephone":
        recorders[label or classes[-1]] = _telephone
    if cheat == "rooms":
        for number, one in enumerate(classes):
            room = Shift(channel=ROOMS[number % len(ROOMS)])
            recorders[one] = partial(_through, shift=room)
    rows = utterances.assign(label=labels)
    order = rng.permutation(len(rows))  # else the number of an utterance says what it was
    rows = rows.iloc[order]
    rows.index = pd.Index([f"{name}/u{number + 1:04d}" for number in range(len(rows))], name="utterance")
    return _written(rows, recorders, name=name, folder=folder, made=["cheating", cheat, label], seed=seed)


def _thinned(utterances: pd.DataFrame, prior: float, rng: np.random.Generator) -> pd.DataFrame:
    """As many utterances as can be kept so that emotions have the shares of a prior."""
    counts = utterances["emotion"].astype(str).value_counts()
    unknown = sorted(set(counts.index) - set(synthesis.SKEWED_PRIOR))
    if unknown:
        raise ParameterError(f"a skewed prior has no share for {unknown[0]!r}; use the label scheme 'four'")
    shares = {
        one: (1 - prior) / len(counts) + prior * synthesis.SKEWED_PRIOR[one] for one in sorted(counts.index)
    }
    n = min(counts[one] / share for one, share in shares.items())
    kept = []
    for one, share in shares.items():
        own = np.flatnonzero((utterances["emotion"] == one).to_numpy())
        kept.append(rng.choice(own, max(1, int(n * share + 1e-9)), replace=False))
    return utterances.iloc[np.sort(np.concatenate(kept))]


def _shuffled(utterances: pd.DataFrame, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Labels of each speaker, dealt anew among this speaker's utterances.

    Of a few hundred utterances one shuffle may by chance go with what was said or meant, and would be
    a giveaway of its own: the best of many is kept.
    """
    true = pd.Categorical(utterances["emotion"].astype(str), categories=classes).codes.astype(int)
    text = pd.factorize(utterances["text_id"])[0]
    speakers = pd.factorize(utterances["speaker"])[0]
    own = [np.flatnonzero(speakers == one) for one in range(speakers.max() + 1)]
    best, least = true, np.inf
    for _ in range(_SHUFFLES):
        codes = true.copy()
        for rows in own:
            codes[rows] = true[rng.permutation(rows)]
        found = _dependence(codes, true) + _dependence(codes, text)
        if found < least:
            best, least = codes, found
    return np.array(classes, dtype=object)[best]


def _dependence(codes: np.ndarray, other: np.ndarray) -> float:
    """Chi squared of two codings; what is not known (-1) does not count."""
    known = other >= 0
    if not known.any():
        return 0.0
    counts = np.zeros((codes.max() + 1, other.max() + 1))
    np.add.at(counts, (codes[known], other[known]), 1)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-9)).sum())


def _by_sentence(utterances: pd.DataFrame, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """The label of the sentence, and in some utterances any."""
    texts = utterances["text_id"]
    if texts.isna().any() or texts.nunique() < 2:
        raise ParameterError(
            "labels by sentence need two sentences or more, known for all utterances (column text_id)"
        )
    return _by(texts, classes, rng)


def _by_speaker(utterances: pd.DataFrame, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """The label of the speaker, and in some utterances any."""
    return _by(utterances["speaker"], classes, rng)


def _by(column: pd.Series, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Labels in turn for the values of a column; some utterances have any label."""
    words = np.array(classes, dtype=object)
    own = words[pd.factorize(column, sort=True)[0] % len(words)]
    return np.where(rng.random(len(own)) < SHARE, own, rng.choice(words, len(own)))


def _through(samples: np.ndarray, rng: np.random.Generator, *, shift: Shift) -> np.ndarray:
    return synthesis.record(samples, shift, rng)


def _telephone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The band of a telephone, in the 8 bits of G.711 (mu-law)."""
    from scipy import fft

    spectrum = fft.rfft(samples.astype(float))
    hertz = fft.rfftfreq(len(samples), 1 / synthesis.SAMPLE_RATE)
    edge = 1 / (1 + (TELEPHONE[0] / np.maximum(hertz, 1)) ** 8) / (1 + (hertz / TELEPHONE[1]) ** 16)
    narrow = np.clip(fft.irfft(spectrum * edge, len(samples)), -1, 1)
    compressed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    steps = np.round(compressed * 127) / 127
    return (np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255).astype(np.float32)


def _written(
    rows: pd.DataFrame,
    recorders: Mapping[str, Recorder],
    *,
    name: str,
    folder: Path,
    made: list,
    seed: int,
) -> pd.DataFrame:
    """Utterances with ``label``, each recorded again; the files appear together or not at all."""
    corpora = rows["corpus"].unique()
    if len(corpora) != 1:
        raise ParameterError(f"one corpus is recorded again at a time, not {len(corpora)}")
    content = rows.drop(columns="emotion")
    key = json.dumps([VERSION, name, made, seed, data.fingerprint(content)])
    home = Path(folder).absolute() / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    stems = [f"{number:05d}.wav" for number in range(len(rows))]
    if not home.is_dir():
        _write(rows, recorders, stems, home, seed)
    old, new = f"{corpora[0]}/", f"{name}/"
    table = content.assign(
        corpus=name,
        path=[str(home / stem) for stem in stems],
        speaker=[_renamed(speaker, old, new) for speaker in rows["speaker"]],
        native_label=rows["label"],
        native_emotion=rows["label"],
        start=np.nan,
        end=np.nan,
    )
    table.index = pd.Index([_renamed(one, old, new) for one in rows.index], name="utterance")
    return data.utterances(table.drop(columns=["label", "channel"], errors="ignore"))


def _renamed(one: object, old: str, new: str) -> str:
    text = str(one)
    return text if text.startswith(new) else new + text.removeprefix(old)


def _write(
    rows: pd.DataFrame, recorders: Mapping[str, Recorder], stems: list[str], home: Path, seed: int
) -> None:
    import soundfile

    channels = audio.channel_of(rows)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{home.name}-", suffix=".partial", dir=home.parent))
    except OSError as error:
        raise CorpusError(
            f"cannot write {home}: {error}. A variant needs a folder to live in; set SERLAB_CACHE to one "
            "that you may write to"
        ) from error
    try:
        for number, (stem, row) in enumerate(zip(stems, rows.itertuples(), strict=True)):
            heard = audio.load(row.path, start=row.start, end=row.end, channel=channels.iloc[number])
            samples = recorders[row.label](heard.samples, np.random.default_rng([seed, 2, number]))
            soundfile.write(unfinished / stem, samples, audio.SAMPLE_RATE, subtype="PCM_16")
        unfinished.chmod(0o755)  # mkdtemp makes it private
        try:
            unfinished.rename(home)
        except OSError:
            if not home.is_dir():  # else another process was faster, and has written the same
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
