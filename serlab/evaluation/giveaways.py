"""What gives a label away without any emotion: the recording, and the words.

If the happy utterances of a corpus went through another codec, or most sentences
belong to one emotion, a high UAR on unseen speakers is read off that. One number
each: the UAR on unseen speakers of a classifier that knows nothing else.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import audio, data, features
from serlab.divisions import whole_groups
from serlab.errors import AudioError
from serlab.evaluation import intervals
from serlab.evaluation.scoring import measures
from serlab.evaluation.units import units_of
from serlab.features.technical import TECHNICAL
from serlab.files import write_text
from serlab.progress import Progress

#: Columns of :func:`findings`.
COLUMNS = ("check", "severity", "finding", "remedy", "n")
#: Raise it whenever the same facts give another number.
VERSION = 1
#: Folds of whole speakers, and trees of the classifier.
_FOLDS, _TREES = 5, 100
#: Utterances that the classifier is asked about at most, drawn at random: more say the same, later.
MOST = 20_000
#: Of the way from chance to 1; a smaller part is told, but is no warning.
NOTABLE = 0.1
#: Facts that may be acted: a shout is loud, and sadness pauses.
ACTED: tuple[str, ...] = ("level", "peak", "silence before", "silence after", "silent frames")
#: Dates of files that lie closer together are those of copying or unpacking (seconds).
_A_DAY = 86_400.0
#: Facts named in a finding.
_NAMED = 3


@dataclass(frozen=True)
class Giveaway:
    """How well something that is not emotion tells the emotion of unseen speakers.

    Attributes
    ----------
    uar, low, high : float
        With its interval over speakers; NaN ends with one speaker tested.
    chance : float
        One divided by the classes that occur.
    n : int
        Utterances.
    by : tuple of str
        The facts that differ most between emotions.
    """

    uar: float
    low: float
    high: float
    chance: float
    n: int
    by: tuple[str, ...] = ()

    @property
    def is_above_chance(self) -> bool:
        """Whether its interval lies above chance."""
        return self.low > self.chance

    @property
    def is_notable(self) -> bool:
        """Whether it is above chance by enough to be a warning."""
        return self.is_above_chance and self.uar - self.chance >= NOTABLE * (1 - self.chance)

    def __str__(self) -> str:
        return f"UAR {intervals.text(self.uar, self.low, self.high)}, chance {intervals.number(self.chance)}"


def findings(
    utterances: pd.DataFrame,
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """What gives labels away in each corpus, as findings of an audit.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``.
    cache : path, optional
        Folder where features and answers are kept; default :func:`serlab.data.cache_root`.
    jobs, progress, cancel
        See :func:`serlab.features.extract`.

    Returns
    -------
    DataFrame
        check, severity, finding, remedy, n: nothing of a corpus with one speaker or one emotion.
    """
    folder = data.cache_root() if cache is None else cache
    rows = []
    for name, corpus in utterances.groupby("corpus", observed=True):
        if corpus["speaker"].isna().any() or corpus["speaker"].nunique() < 2 or _classes(corpus) < 2:
            continue
        facts = technical_facts(corpus, cache=folder, jobs=jobs, progress=progress, cancel=cancel)
        if len(facts):
            rows += _of_recordings(str(name), corpus.loc[facts.index], facts, folder)
        said = corpus[corpus["text_id"].notna()]
        if said["text_id"].nunique() > 1 and said["speaker"].nunique() > 1 and _classes(said) > 1:
            rows.append(_of_words(str(name), of_sentences(said)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def technical_facts(
    utterances: pd.DataFrame,
    *,
    cache: Path | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> pd.DataFrame:
    """What is known of recordings without listening to what is said.

    Returns
    -------
    DataFrame of float
        Of the utterances whose audio can be used: :data:`serlab.features.technical.NAMES`, one column
        for each container, coding, sampling rate and number of channels where there are several, and
        the order of the files' dates where these lie apart by more than a day. Constant columns are left out.
    """
    try:
        found = features.extract(
            utterances, features=TECHNICAL, cache=cache, jobs=jobs, progress=progress, cancel=cancel
        )
    except AudioError:  # none can be used
        return pd.DataFrame()
    heard = pd.DataFrame(found.X).astype(float)
    paths = utterances.loc[heard.index, "path"]
    files = {path: _of_file(path) for path in paths.unique()}
    told = pd.DataFrame([files[path] for path in paths], index=heard.index)
    dates = told.pop("date")
    coded = pd.get_dummies(told.astype(str)).astype(float)
    if dates.max() - dates.min() > _A_DAY:
        coded["order of dates"] = dates.rank()
    facts = heard.join(coded)
    return facts.loc[:, facts.nunique() > 1]


def of_facts(facts: pd.DataFrame, emotion: pd.Series, speaker: pd.Series, *, seed: int = 0) -> Giveaway:
    """How well facts (numbers) tell the emotion of unseen speakers.

    Parameters
    ----------
    facts : DataFrame, shape (n, d)
    emotion, speaker : Series
        Same index; at least two of each.
    seed : int
        Of the folds, of the trees, and of which :data:`MOST` utterances are asked about.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    if len(facts) > MOST:
        some = np.sort(np.random.default_rng(seed).choice(len(facts), MOST, replace=False))
        facts, emotion, speaker = facts.iloc[some], emotion.iloc[some], speaker.iloc[some]
    y, speakers = _coded(emotion), speaker.astype(str).to_numpy()
    X, answers = facts.to_numpy(dtype=np.float32), np.zeros(len(y), dtype=int)
    for train, test in _folds(y, speakers, seed):
        trees = ExtraTreesClassifier(
            _TREES, class_weight="balanced", min_samples_leaf=2, random_state=seed
        ).fit(X[train], y[train])
        answers[test] = trees.predict(X[test])
    return _scored(answers, y, speaker, by=_differing(facts, y))


def of_sentences(utterances: pd.DataFrame, *, seed: int = 0) -> Giveaway:
    """How well the sentence alone tells the emotion of unseen speakers.

    The answer to a sentence is the emotion in which other speakers say it most,
    each emotion counted as a share of itself.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``; each sentence (``text_id``) is known.
    seed : int
        Of the folds.
    """
    y, text = _coded(utterances["emotion"]), pd.factorize(utterances["text_id"])[0]
    answers = np.zeros(len(y), dtype=int)
    for train, test in _folds(y, utterances["speaker"].astype(str).to_numpy(), seed):
        counts = np.zeros((text.max() + 1, y.max() + 1))
        np.add.at(counts, (text[train], y[train]), 1)
        answers[test] = (counts / np.maximum(counts.sum(axis=0), 1)).argmax(axis=1)[text[test]]
    return _scored(answers, y, utterances["speaker"])


def _of_recordings(name: str, corpus: pd.DataFrame, facts: pd.DataFrame, folder: Path) -> list[dict]:
    """Findings about recordings: all facts, and apart those that nobody can act."""
    every = _remembered(facts, corpus, folder)
    bare = facts.drop(columns=[fact for fact in facts if fact in ACTED])
    alone = _remembered(bare, corpus, folder) if len(bare.columns) else None
    text = f"{name}: facts of the recording alone tell the emotion of unseen speakers with {every}"
    if every.by:
        text += f" (most apart: {', '.join(every.by)})"
    if alone is not None:
        text += f"; without level and silence, which may be acted, {alone}"
    notable = alone is not None and alone.is_notable
    remedy = (
        "a high UAR may be read off the recording: see serlab validate for formats and levels by class, and "
        "compare with all audio through the same codec, bandwidth and level"
    )
    return [
        {
            "check": "recording conditions",
            "severity": "warning" if notable else "info",
            "finding": text,
            "remedy": remedy if notable or every.is_above_chance else "",
            "n": every.n,
        }
    ]


def _of_words(name: str, said: Giveaway) -> dict:
    return {
        "check": "sentence and emotion",
        "severity": "warning" if said.is_notable else "info",
        "finding": f"{name}: the sentence alone tells the emotion of unseen speakers with {said}",
        "remedy": "a high UAR may be read off the words: test on unseen sentences, too (protocol "
        "speaker-text-groups)" if said.is_above_chance else "",
        "n": said.n,
    }  # fmt: skip


def _remembered(facts: pd.DataFrame, corpus: pd.DataFrame, folder: Path) -> Giveaway:
    """The answer of :func:`of_facts`; kept, for the same corpora are audited again and again."""
    identity = hashlib.sha256(
        json.dumps([VERSION, list(facts), list(corpus["emotion"].astype(str))]).encode()
    )
    identity.update(json.dumps(list(corpus["speaker"].astype(str))).encode())
    identity.update(np.ascontiguousarray(facts.to_numpy(dtype=np.float32)).tobytes())
    path = folder / "giveaways" / f"{identity.hexdigest()[:20]}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Giveaway(**{**kept, "by": tuple(kept["by"])})
    except (OSError, ValueError, TypeError, KeyError):  # there is none, or it is damaged
        found = of_facts(facts, corpus["emotion"], corpus["speaker"])
    with suppress(OSError):  # a cache that may only be read
        write_text(path, json.dumps(asdict(found)))
    return found


def _of_file(path: str) -> Mapping[str, object]:
    header = audio.header(path)
    return {
        "container": header.format,
        "coding": header.subtype,
        "sampling rate": header.sample_rate,
        "channels": header.channels,
        "date": Path(path).stat().st_mtime,
    }


def _classes(corpus: pd.DataFrame) -> int:
    return int(corpus["emotion"].nunique())


def _coded(emotion: pd.Series) -> np.ndarray:
    """Emotions that occur as 0, 1 ..."""
    return np.unique(emotion.astype(str).to_numpy(), return_inverse=True)[1]


def _folds(y: np.ndarray, speakers: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(whole_groups(y, speakers, min(_FOLDS, len(np.unique(speakers))), seed))


def _scored(answers: np.ndarray, y: np.ndarray, speaker: pd.Series, *, by: tuple[str, ...] = ()) -> Giveaway:
    """UAR of all folds together, with its interval over speakers."""
    cells = pd.DataFrame({"utterance": speaker.index, "fold": "", "seed": 0, "y_true": y, "y_pred": answers})
    classes = [str(code) for code in range(y.max() + 1)]
    _, uar, low, high = next(measures(cells, units_of(cells, speaker), classes, intervals.LEVEL))
    return Giveaway(uar, low, high, 1 / len(classes), len(y), by)


def _differing(facts: pd.DataFrame, y: np.ndarray) -> tuple[str, ...]:
    """The facts of whose variance the emotion explains most."""
    X = facts.to_numpy(dtype=float)
    means = np.stack([X[y == code].mean(axis=0) for code in range(y.max() + 1)])
    between = (np.bincount(y)[:, None] * (means - X.mean(axis=0)) ** 2).sum(axis=0) / len(y)
    explained = between / np.maximum(X.var(axis=0), 1e-12)
    order = np.argsort(-explained, kind="stable")[:_NAMED]
    return tuple(f"{facts.columns[number]} {explained[number]:.0%}" for number in order)
