"""Lesson 2, what is computed: where a phrase lies among a corpus, and what models say of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import audio, data, features, methods
from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift
from serlab.files import whole
from serlab.lessons.rooms import FEATURES, MOST, Room, answers, balanced

#: Models that learn from corpora alone, of four kinds: trees, margins, a linear one, a network.
MODELS = ("rf-source", "svm-source", "ridge-softmax-source", "dbn-source")

#: Features that can be said in words -> the words.
SHOWN = {
    "f0_semitones_p50": "pitch (semitones)",
    "f0_semitones_sd": "movement of pitch",
    "level_db_mean": "level (dB)",
    "level_db_sd": "movement of level",
    "alpha_ratio_db_mean": "low against high frequencies (dB)",
    "hnr_db_mean": "harmonics against noise (dB)",
    "level_peaks_per_s": "peaks of level per second",
}

#: Corpus of the voice that stands in where nobody has recorded.
STAND_IN = "stand-in"

#: What a phrase has in place of an emotion.
YOURS = "your voice"


def corpus(room: Room) -> pd.DataFrame:
    """All that models may learn from: both corpora of the room."""
    return pd.concat([room.known, balanced(room.foreign, MOST)])


def phrases(recorded: pd.DataFrame) -> pd.DataFrame:
    """Own recordings; without one, phrases of a synthetic voice that is in no corpus.

    Parameters
    ----------
    recorded : DataFrame
        See :meth:`serlab.widgets.recordings.Recordings.utterances`.

    Returns
    -------
    DataFrame
        Utterances without an emotion; the corpus is :data:`STAND_IN` where nobody has recorded.
    """
    if len(recorded):
        return recorded
    table = synthetic.make_corpus(
        name=STAND_IN, language="x-c", n_speakers=1, n_utterances=4, seed=2026, shift=Shift(channel=-0.5),
        folder=data.cache_root() / "lessons" / STAND_IN,
    )  # fmt: skip
    # How an own phrase is meant knows who says it alone: here too, neither column nor name tells.
    chosen = table.assign(native_label=None).iloc[:2]
    return chosen.set_axis(pd.Index([f"{STAND_IN}/{n + 1}" for n in range(2)], name="utterance"))


def quieter(spoken: pd.DataFrame, folder: Path, *, db: float = -12.0) -> pd.DataFrame:
    """The same recordings as if spoken further away: lower by ``db``, nothing else.

    Parameters
    ----------
    spoken : DataFrame
        Utterances.
    folder : Path
        Where the copies go.
    """
    import soundfile

    rows = []
    for name, row in spoken.iterrows():
        loaded = audio.load(row["path"], start=row["start"], end=row["end"])
        path = folder / f"{Path(str(name)).stem}-quieter.wav"
        with whole(path) as unfinished:
            samples = loaded.samples * 10 ** (db / 20)
            soundfile.write(unfinished, samples, loaded.sample_rate, subtype="FLOAT", format="WAV")
        copied = {"utterance": f"{name} ({db:+.0f} dB)", "path": str(path), "start": np.nan, "end": np.nan}
        rows.append(row.to_dict() | copied)
    return data.utterances(rows)


def measured(utterances: pd.DataFrame) -> pd.DataFrame:
    """Features of utterances, one row each; what cannot be used is left out."""
    return features.extract(utterances, features=FEATURES, jobs=None).X


def among_table(own: pd.DataFrame, corpus_features: pd.DataFrame) -> pd.DataFrame:
    """Where phrases lie among a corpus, feature by feature.

    Returns
    -------
    DataFrame
        feature (in words), who (the phrase), measured, and value: percent of the corpus that is lower.
    """
    rows = []
    for column, words in SHOWN.items():
        everybody = corpus_features[column].to_numpy()
        for name, value in own[column].items():
            rows.append((words, str(name), float(value), 100 * float(np.mean(everybody < value))))
    return pd.DataFrame(rows, columns=["feature", "who", "measured", "value"])


def with_phrases(known: pd.DataFrame, spoken: pd.DataFrame) -> pd.DataFrame:
    """Corpora and phrases in one table, for figures: the emotion of a phrase is :data:`YOURS`."""
    classes = [*known["emotion"].cat.categories, YOURS]
    table = pd.concat([known.astype({"emotion": object}), spoken.assign(emotion=YOURS)])
    return table.assign(emotion=pd.Categorical(table["emotion"], categories=classes))


def said(known: pd.DataFrame, spoken: pd.DataFrame, models: Sequence[str] = MODELS) -> pd.DataFrame:
    """What models answer to phrases, and with which doubts.

    Parameters
    ----------
    known : DataFrame
        Learned from.
    spoken : DataFrame
        Phrases, without an emotion.
    models : sequence of str
        Methods that see no target.

    Returns
    -------
    DataFrame
        model (its title), phrase, answer, probability, entropy (bits) and one ``p_<class>`` a class.
    """
    classes = [str(name) for name in known["emotion"].cat.categories]
    unknown = pd.Categorical([None] * len(spoken), categories=classes)
    predictions = answers(known, spoken.assign(emotion=unknown), names=models)
    shares = predictions[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    table = pd.DataFrame(
        {
            "model": [methods.METHODS[name].title.split(",")[0] for name in predictions["method"]],
            "phrase": predictions["utterance"].to_numpy(),
            "answer": [classes[number] for number in shares.argmax(axis=1)],
            "probability": shares.max(axis=1),
            "entropy": -(shares * logs).sum(axis=1),
        }
    )
    return pd.concat([table, predictions[[f"p_{name}" for name in classes]].reset_index(drop=True)], axis=1)


def nearest(
    known: pd.DataFrame, corpus_features: pd.DataFrame, own: pd.DataFrame
) -> tuple[pd.Series, pd.Series]:
    """How far it is to the nearest utterance that models have learned from.

    Features are brought to the mean and spread of the corpus. For an utterance of the corpus the nearest
    is looked for among *other* speakers: a phrase of yours has no other recording of your voice either.

    Returns
    -------
    Series, Series
        Distances of the corpus's own utterances, and of the phrases.
    """
    from scipy.spatial.distance import cdist

    columns = corpus_features.std() > 0
    mean, spread = corpus_features.loc[:, columns].mean(), corpus_features.loc[:, columns].std()
    X = ((corpus_features.loc[:, columns] - mean) / spread).to_numpy(dtype=float)
    Z = ((own.loc[:, columns] - mean) / spread).to_numpy(dtype=float)
    speaker = known.loc[corpus_features.index, "speaker"].to_numpy(dtype=str)
    within = cdist(X, X)
    within[speaker[:, None] == speaker[None]] = np.inf
    found = pd.Series(within.min(axis=1), index=corpus_features.index)
    return found[np.isfinite(found)], pd.Series(cdist(Z, X).min(axis=1), index=own.index)
