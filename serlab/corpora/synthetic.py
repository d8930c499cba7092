"""Synthetic corpora: embedded, made on demand, never evidence.

``synthetic-a``, ``-b`` and ``-c`` let every part of serlab run with nothing
downloaded: tests, a first lesson, a method under a shift of known size. They
are not speech and not emotion, see :mod:`serlab.corpora.synthesis`: **a result on them
says nothing about emotional speech.**

Intended difficulty: with openSMILE functionals and a standard classifier, new
speakers of the same corpus are recognised well but not perfectly (anger and joy
are confused most); a classifier from another corpus loses much of that, and
normalisation per corpus brings a good part back.

===========  ========  ===================================================
corpus       language  shift
===========  ========  ===================================================
synthetic-a  x-a       none: the reference
synthetic-b  x-b       dull channel, lower level, half its own style
synthetic-c  x-c       bright channel, higher level, half its own style,
                       more neutral utterances than others
===========  ========  ===================================================

Other shifts, for example a pure channel shift, are one call away: two calls of
:func:`make_corpus` that differ in ``shift=Shift(channel=1)`` alone are two
recordings of the same utterances; with another ``seed`` other people speak.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from serlab import data
from serlab.corpora import synthesis
from serlab.corpora.base import Corpus
from serlab.corpora.synthesis import EMOTIONS, LANGUAGES, Shift, Spec
from serlab.corpora.terms import PUBLIC_DOMAIN
from serlab.errors import CorpusError, ParameterError

#: Sentences of each language, said by all speakers.
N_SENTENCES = 5

#: Sounds of the synthetic languages whose names are no lower-case letters, in phonetic letters.
_SPELLING = str.maketrans({"@": "ə", "2": "ø", "M": "\N{LATIN SMALL LETTER TURNED M}", "S": "ʃ"})

#: Settings of the embedded corpora, arguments of :func:`make_corpus`.
SETTINGS: Mapping[str, Mapping] = MappingProxyType(
    {
        "synthetic-a": {"language": "x-a", "seed": 1, "shift": Shift()},
        "synthetic-b": {"language": "x-b", "seed": 2, "shift": Shift(channel=0.3, level=-3, style=0.5)},
        "synthetic-c": {
            "language": "x-c",
            "seed": 3,
            "shift": Shift(channel=-0.6, level=3, prior=0.4, style=0.5),
        },
    }
)

_MANIFEST = "manifest.json"


def label_counts(n_utterances: int, prior: float) -> dict[str, int]:
    """Utterances of each emotion that one speaker says.

    Shares go from equal (``prior`` 0) to :data:`serlab.corpora.synthesis.SKEWED_PRIOR`
    (1); what rounding leaves goes to the largest remainders.
    """
    shares = {
        emotion: n_utterances * ((1 - prior) / len(EMOTIONS) + prior * synthesis.SKEWED_PRIOR[emotion])
        for emotion in EMOTIONS
    }
    counts = {emotion: int(share + 1e-9) for emotion, share in shares.items()}
    by_remainder = sorted(EMOTIONS, key=lambda emotion: counts[emotion] - shares[emotion])
    for emotion in by_remainder[: n_utterances - sum(counts.values())]:
        counts[emotion] += 1
    return counts


def spoken(language: str) -> dict[str, str]:
    """What is said in a synthetic language, by ``text_id``; each syllable is a word."""
    return {
        f"{language}/t{number}": " ".join(
            f"{syllable.onset}{syllable.vowel}{syllable.coda}".translate(_SPELLING)
            for syllable in synthesis.sentence(LANGUAGES[language], number)
        )
        for number in range(1, N_SENTENCES + 1)
    }


def make_corpus(
    *,
    name: str,
    language: str,
    n_speakers: int = 8,
    n_utterances: int = 160,
    seed: int,
    shift: Shift | None = None,
    folder: Path,
) -> pd.DataFrame:
    """Make a synthetic corpus, or find it made.

    Speakers, sentences and takes depend on ``seed`` and ``language`` alone:
    neither the name nor the channel and the level of the shift change what is
    said. Speakers are female and male in turn, and say equally many utterances.

    Parameters
    ----------
    name : str
        Of the corpus, first part of the names of utterances and speakers.
    language : str
        Key of :data:`serlab.corpora.synthesis.LANGUAGES`.
    n_speakers, n_utterances : int
        ``n_utterances`` is a multiple of ``n_speakers``.
    seed : int
        Not negative.
    shift : Shift, optional
        None is no shift.
    folder : Path
        Where the 16-bit WAV files and ``manifest.json`` go. A folder that was
        made with other settings, or is incomplete, is made anew; it appears
        only when it is finished, and two processes may make it at once.

    Returns
    -------
    DataFrame
        Utterances, see :mod:`serlab.data`.

    Raises
    ------
    ParameterError
        For an unknown language or impossible numbers.
    CorpusError
        If the folder holds other files, or cannot be written.
    """
    shift = shift or Shift()
    if language not in LANGUAGES:
        raise ParameterError(f"unknown synthetic language {language!r}; known: {', '.join(LANGUAGES)}")
    if n_speakers < 1 or n_utterances < 1 or n_utterances % n_speakers:
        raise ParameterError(
            f"n_utterances must be a multiple of n_speakers, both at least 1; they are {n_utterances} "
            f"and {n_speakers}"
        )
    settings = {
        "name": name, "language": language, "n_speakers": n_speakers, "n_utterances": n_utterances,
        "seed": seed, "shift": asdict(shift), "version": synthesis.VERSION,
    }  # fmt: skip
    folder = Path(folder).absolute()
    rows = _finished(folder, settings)
    if rows is None:
        _refuse_foreign(folder)
        rows = _build(folder, settings, shift)
    return data.utterances([{**row, "path": str(folder / row["path"])} for row in rows])


def variant(
    of: str, *, name: str, shift: Shift, folder: Path, n_speakers: int = 8, n_utterances: int = 160
) -> pd.DataFrame:
    """Make an embedded corpus again with the dials elsewhere: same speakers, sentences and takes.

    Parameters
    ----------
    of : str
        Key of :data:`SETTINGS`.
    name : str
        Of the variant. Begins with "synthetic-", so that all who read of it know what it is.
    shift : Shift
        In place of the corpus' own.
    folder, n_speakers, n_utterances
        See :func:`make_corpus`.

    Raises
    ------
    ParameterError
        If there is no such corpus, or the name hides that this is synthetic.
    """
    if of not in SETTINGS:
        raise ParameterError(f"{of!r} is no synthetic corpus; there are {', '.join(SETTINGS)}")
    if not name.startswith("synthetic-"):
        raise ParameterError(f'the name of a synthetic corpus begins with "synthetic-"; {name!r} does not')
    settings = {**SETTINGS[of], "shift": shift}
    return make_corpus(name=name, folder=folder, n_speakers=n_speakers, n_utterances=n_utterances, **settings)


def _build(folder: Path, settings: dict, shift: Shift) -> list[dict]:
    """Write a corpus beside ``folder`` and move it there in one step."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        partial_folder = Path(
            tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".partial", dir=folder.parent)
        )
    except OSError as error:
        raise CorpusError(
            f"cannot write {folder}: {error}. Synthetic corpora need a folder to live in; "
            "set SERLAB_CACHE to one that you may write to"
        ) from error
    try:
        rows = _write(partial_folder, settings, shift)
        manifest = {"settings": settings, "utterances": rows}
        (partial_folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        partial_folder.chmod(0o755)  # mkdtemp makes it private
        _publish(partial_folder, folder, settings)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)
    return rows


def _write(folder: Path, settings: dict, shift: Shift) -> list[dict]:
    """Synthesise all utterances into ``folder``; their rows, paths relative."""
    import soundfile

    name, language, seed = settings["name"], LANGUAGES[settings["language"]], settings["seed"]
    counts = label_counts(settings["n_utterances"] // settings["n_speakers"], shift.prior)
    sentences = [synthesis.sentence(language, number + 1) for number in range(N_SENTENCES)]
    rows = []
    for s in range(settings["n_speakers"]):
        speaker = synthesis.draw_speaker("male" if s % 2 else "female", [seed, 0, s])
        for e, emotion in enumerate(EMOTIONS):
            for i in range(counts[emotion]):
                # Starting elsewhere for each speaker and emotion, so that with
                # unequal counts no sentence belongs to an emotion.
                t, take = (s + e + i) % N_SENTENCES, i // N_SENTENCES
                spec = Spec(
                    language=language, speaker=speaker, emotion=emotion, sentence=sentences[t], shift=shift
                )
                audio = synthesis.synthesise(spec, [seed, 1, s, e, t, take])
                stem = f"s{s + 1}-{emotion}-t{t + 1}-{take + 1}"
                path = folder / f"{stem}.wav"
                soundfile.write(path, audio, synthesis.SAMPLE_RATE, subtype="PCM_16")
                rows.append(
                    {
                        "utterance": f"{name}/{stem}",
                        "corpus": name,
                        "path": path.name,
                        "speaker": f"{name}/s{s + 1}",
                        "sex": speaker.sex,
                        "language": language.name,
                        "native_label": emotion,
                        "text_id": f"{language.name}/t{t + 1}",
                        "duration": len(audio) / synthesis.SAMPLE_RATE,
                    }
                )
    return rows


def _finished(folder: Path, settings: dict) -> list[dict] | None:
    """Rows of the corpus in ``folder`` if it is complete and has these settings."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        rows = manifest["utterances"]
        if manifest["settings"] != settings:
            return None
        n_bytes = [(folder / row["path"]).stat().st_size for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    samples = np.array([row["duration"] for row in rows]) * synthesis.SAMPLE_RATE
    return rows if np.all(np.array(n_bytes) > 2 * samples) else None


def _refuse_foreign(folder: Path) -> None:
    """Never replace a folder that is not ours."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    foreign = [name for name in names if name != _MANIFEST and not name.endswith(".wav")]
    if names and (foreign or _MANIFEST not in names):
        raise CorpusError(
            f"{folder} holds files that are not a synthetic corpus ({(foreign or names)[0]}); "
            "choose an empty or a new folder"
        )


def _publish(partial_folder: Path, folder: Path, settings: dict) -> None:
    """Move a finished corpus into place, unless another process was faster."""
    while _finished(folder, settings) is None:
        try:
            partial_folder.rename(folder)
        except OSError:
            if not folder.exists():
                raise  # nothing was in the way
            # An incomplete or older corpus is: another process may be moving it just now.
            with (
                tempfile.TemporaryDirectory(
                    prefix=f".{folder.name}-", suffix=".partial", dir=folder.parent
                ) as old,
                suppress(FileNotFoundError),
            ):
                folder.rename(Path(old) / folder.name)


def _sweep(folder: Path) -> None:
    """Remove what a killed process left beside ``folder`` more than an hour ago."""
    for left in folder.parent.glob(f".{folder.name}-*.partial"):
        with suppress(FileNotFoundError):  # another process swept it
            if time.time() - left.stat().st_mtime > 3600:
                shutil.rmtree(left, ignore_errors=True)


def _read(folder: Path, *, name: str) -> pd.DataFrame:
    """Reader of an embedded corpus: one folder for each version of its settings."""
    settings = SETTINGS[name]
    key = repr((synthesis.VERSION, name, *sorted(settings.items())))
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return make_corpus(name=name, folder=folder / digest, **settings)


def _corpus(name: str) -> Corpus:
    language, shift = SETTINGS[name]["language"], SETTINGS[name]["shift"]
    expected = Counter({emotion: 8 * n for emotion, n in label_counts(20, shift.prior).items()})
    return Corpus(
        name=name,
        title=f"Synthetic corpus {name[-1].upper()}",
        language=language,
        citation="Made by serlab (serlab.corpora.synthesis); not speech, not emotion, never evidence",
        license="BSD-3-Clause, as serlab",
        terms=PUBLIC_DOMAIN,
        speech="synthetic",
        scripted=True,
        how_to_get="Nothing to get: serlab makes it when it is first read, in its cache folder.",
        layout="s1-anger-t3-1.wav",
        labels={emotion: emotion for emotion in EMOTIONS},
        sentences=spoken(language),
        expected=dict(expected),
        expected_speakers=8,
        reader=partial(_read, name=name),
        embedded=True,
    )


CORPORA: tuple[Corpus, ...] = tuple(_corpus(name) for name in SETTINGS)
