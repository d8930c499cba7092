"""A corpus recorded again: the same utterances with one thing changed, to see what the change alone does.

:func:`recorded` turns the dials of a recording: channel, level, how many utterances of each emotion.
It is for learning: **what is measured on a variant is never evidence about emotion.** Variants of
licensed recordings are licensed recordings: they stay where they are made.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import audio, data
from serlab.corpora import synthesis
from serlab.corpora.synthesis import Shift
from serlab.errors import AudioError, CorpusError, ParameterError

#: Raise it with every change of the samples, or of which utterances there are.
VERSION = 1

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
        Utterances, without ``emotion``: see :meth:`serlab.labels.LabelScheme.apply`. Files that cannot be
        used are left out, with a warning.

    Raises
    ------
    ParameterError
        If the prosody of a recording should be turned, or an emotion has no share in a skewed prior.
    AudioError
        If no file can be used.
    """
    if shift.style:
        raise ParameterError(
            "nobody can turn the prosody of a recording: style is a dial of synthetic corpora alone"
        )
    rng = np.random.default_rng([seed, 0])
    kept = utterances if shift.prior == 0 else _thinned(utterances, shift.prior, rng)
    rows = kept.assign(label=kept["emotion"].astype(str))
    recorders = dict.fromkeys(rows["label"].unique(), partial(through, shift=shift))
    return again(rows, recorders, name=name, folder=folder, made=["recorded", asdict(shift)], seed=seed)


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


def through(samples: np.ndarray, rng: np.random.Generator, *, shift: Shift) -> np.ndarray:
    """Samples through the channel and at the level of a shift."""
    return synthesis.record(samples, shift, rng)


def again(
    rows: pd.DataFrame,
    recorders: Mapping[str, Recorder],
    *,
    name: str,
    folder: Path,
    made: list,
    seed: int,
) -> pd.DataFrame:
    """Record the utterances of a corpus again, each as its label says.

    Parameters
    ----------
    rows : DataFrame
        With ``emotion``, and what it is to be called: ``label``.
    recorders : mapping of str to callable(samples, generator) -> samples
        For each label.
    name, folder, seed
        See :func:`recorded`.
    made : list
        What else the samples depend on, as JSON.

    Returns
    -------
    DataFrame
        Utterances; the files appear together or not at all.
    """
    corpora = rows["corpus"].unique()
    if len(corpora) != 1:
        raise ParameterError(f"one corpus is recorded again at a time, not {len(corpora)}")
    content = rows.drop(columns="emotion")
    key = json.dumps([VERSION, name, made, seed, data.fingerprint(content)])
    home = Path(folder).absolute() / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    stems = [f"{number:05d}.wav" for number in range(len(rows))]
    if not home.is_dir():
        _write(rows, recorders, stems, home, seed)
    there = np.array([(home / stem).is_file() for stem in stems])
    rows, content, stems = rows[there], content[there], [stem for stem in stems if (home / stem).is_file()]
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
    unusable: list[AudioError] = []
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
            try:
                heard = audio.load(row.path, start=row.start, end=row.end, channel=channels.iloc[number])
            except AudioError as error:
                unusable.append(error)
                continue
            samples = recorders[row.label](heard.samples, np.random.default_rng([seed, 2, number]))
            soundfile.write(unfinished / stem, samples, audio.SAMPLE_RATE, subtype="PCM_16")
        if len(unusable) == len(rows):
            raise unusable[0]
        if unusable:
            lost = f"{len(unusable)} of {len(rows)} files cannot be used and are left out"
            warnings.warn(f"{lost}; the first: {unusable[0]}", stacklevel=5)
        unfinished.chmod(0o755)  # mkdtemp makes it private
        try:
            unfinished.rename(home)
        except OSError:
            if not home.is_dir():  # else another process was faster, and has written the same
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
