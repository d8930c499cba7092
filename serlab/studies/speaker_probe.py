"""How much of a score could come from knowing the speaker.

Where a speaker has mostly one emotion (URDU: 26 of 29 speakers have one), a
random split can be answered by recognising the voice. The two probes put
numbers to it: how well the same features tell the speakers apart, and how far
one gets with the speaker alone, without hearing any emotion.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import metrics
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import intervals, speaker_counts
from serlab.experiment import Outcome, Session, as_vectors
from serlab.wording import count


def speaker_probe(
    X: np.ndarray, utterances: pd.DataFrame, *, folds: int = 5, seed: int = 0
) -> tuple[pd.DataFrame, dict]:
    """Recognise the speaker of each utterance of a corpus with a linear classifier.

    Random folds in which each speaker, and where there is a column
    ``emotion`` each of the speaker's emotions, is spread evenly. Features are
    z-scored by the training rows; the classifier is a logistic regression.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        One vector an utterance.
    utterances : DataFrame, n rows
        Of one corpus. Speakers with a single utterance are left out: they
        cannot be in training and test both.
    folds : int
    seed : int
        Of the folds.

    Returns
    -------
    predictions : DataFrame
        fold, utterance, speaker, predicted.
    summary : dict
        measure, metric ("accuracy"), value, low, high (interval over
        speakers), chance (always answering the speaker with most
        utterances), n, n_speakers, n_left_out. A row for
        :func:`serlab.plotting.plot_confounds`.

    Raises
    ------
    ParameterError
        If the shapes differ, a feature is not finite, or there are several corpora.
    ProtocolError
        If fewer than two speakers have two utterances.
    """
    _require_usable(X, utterances, folds)
    speaker = utterances["speaker"].to_numpy(dtype=str)
    _, code, times = np.unique(speaker, return_inverse=True, return_counts=True)
    kept = np.flatnonzero(times[code] > 1)
    found = (times > 1).sum()
    if found < 2:
        raise ProtocolError(
            f"{count(found, 'speaker')} with two utterances or more: a speaker probe needs two speakers"
        )
    fold = _folds(utterances.iloc[kept], folds, seed)
    predicted = np.empty(len(kept), dtype=object)
    for number in np.unique(fold):
        test = fold == number
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        model.fit(X[kept[~test]], speaker[kept[~test]])
        predicted[test] = model.predict(X[kept[test]])
    predictions = pd.DataFrame(
        {
            "fold": [f"random-{number + 1}" for number in fold],
            "utterance": utterances.index[kept],
            "speaker": speaker[kept],
            "predicted": predicted.astype(str),
        }
    )
    hits = (predictions["speaker"] == predictions["predicted"]).groupby(predictions["speaker"])
    hits, n = hits.sum().to_numpy(), hits.size().to_numpy()
    low, high = intervals.of_ratios(hits[:, None], n[:, None])
    summary = {
        "measure": "speaker recognised", "metric": "accuracy", "value": float(hits.sum() / n.sum()),
        "low": low, "high": high, "chance": float(n.max() / n.sum()), "n": int(n.sum()),
        "n_speakers": len(n), "n_left_out": len(utterances) - len(kept),
    }  # fmt: skip
    return predictions, summary


def emotion_through_speaker(
    predictions: pd.DataFrame, utterances: pd.DataFrame, *, seed: int = 0
) -> tuple[pd.DataFrame, dict]:
    """Answer the emotion by the recognised speaker alone.

    The answer is the emotion that the *predicted* speaker has most often in
    the training folds. No emotion is listened for, so what UAR it reaches is
    what a random split gives away.

    Leaving an utterance out makes its own emotion rarer in training; for a
    speaker with equally many of each that pulls the answer away from the
    truth. So the value errs on the low side, if at all.

    Parameters
    ----------
    predictions : DataFrame
        From :func:`speaker_probe`.
    utterances : DataFrame
        The same, with ``emotion``.
    seed : int
        Decides between emotions that are equally frequent.

    Returns
    -------
    predictions : DataFrame
        fold, seed, utterance, y_true, y_pred.
    summary : dict
        As that of :func:`speaker_probe`, with metric "UAR" and chance one
        over the number of emotions that occur.
    """
    emotion = utterances["emotion"].loc[predictions["utterance"]]
    classes = list(emotion.cat.categories)
    y_true = emotion.cat.codes.to_numpy()
    rng = np.random.default_rng(seed)
    fold, predicted = predictions["fold"].to_numpy(), predictions["predicted"].to_numpy()
    names, speaker = np.unique(predictions["speaker"].to_numpy(dtype=str), return_inverse=True)
    y_pred = np.empty(len(predictions), dtype=int)
    for name in np.unique(fold):
        test = fold == name
        counts = np.zeros((len(names), len(classes)))
        np.add.at(counts, (speaker[~test], y_true[~test]), 1)
        own = counts[np.searchsorted(names, predicted[test].astype(str))]
        # Less than one utterance is added at random: it decides between equals alone.
        y_pred[test] = (own + 0.5 * rng.random(own.shape)).argmax(axis=1)
    answers = pd.DataFrame(
        {
            "fold": fold,
            "seed": seed,
            "utterance": predictions["utterance"].to_numpy(),
            "y_true": y_true,
            "y_pred": y_pred,
        }
    )
    counts = speaker_counts(answers, utterances["speaker"], len(classes))[0]
    low, high = intervals.of_ratios(np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=2))
    summary = {
        "measure": "emotion through the speaker alone", "metric": "UAR",
        "value": float(metrics.uar(counts.sum(axis=0))), "low": low, "high": high,
        "chance": 1 / len(np.unique(y_true)), "n": len(answers), "n_speakers": len(counts),
        "n_left_out": len(utterances) - len(answers),
    }  # fmt: skip
    return answers, summary


def confounds_in(session: Session, independent: Outcome, random: Outcome) -> pd.DataFrame:
    """:func:`confounds` of the baseline of a session, kept in its folder."""
    method = session.parameters.baseline
    return session.keep("confounds", lambda: confounds(independent, random, method=method))


def confounds(independent: Outcome, random: Outcome, *, method: str, seed: int = 0) -> pd.DataFrame:
    """Put a method on unseen speakers, on a random split, and the two probes side by side.

    Parameters
    ----------
    independent, random : Outcome
        Experiments on the same target; in the second, speakers are shared
        between training and test.
    method : str
        Of both.
    seed : int
        Of the probes.

    Returns
    -------
    DataFrame
        measure, title, metric, value, low, high, chance, for
        :func:`serlab.plotting.plot_confounds`. The probes take the
        target's features, of frames the mean and deviation over each
        utterance; without two speakers of two utterances they are left out.

    Raises
    ------
    ParameterError
        If one of the experiments has no result of the method.
    """
    rows = []
    for measure, outcome in (("random split", random), ("unseen speakers", independent)):
        own = outcome.summary[outcome.summary["method"] == method]
        if own.empty:
            raise ParameterError(f"{method} has no result with {outcome.parameters.protocol!r}; run it there")
        uar = dict(zip(("value", "low", "high"), own[["uar", "uar_low", "uar_high"]].iloc[0], strict=True))
        title, chance = own["title"].iloc[0], outcome.chance
        rows.append({"measure": measure, "title": title, "metric": "UAR", **uar, "chance": chance})
    table = independent.utterances[independent.utterances["corpus"] == independent.parameters.target]
    X = as_vectors(independent.X)
    with suppress(ProtocolError):
        speakers, row = speaker_probe(X.loc[table.index].to_numpy(), table, seed=seed)
        rows += [emotion_through_speaker(speakers, table, seed=seed)[1], row]
    columns = ["measure", "title", "metric", "value", "low", "high", "chance"]
    return pd.DataFrame(rows)[columns].fillna({"title": ""})


def _require_usable(X: np.ndarray, utterances: pd.DataFrame, folds: int) -> None:
    if np.ndim(X) != 2 or len(X) != len(utterances):
        raise ParameterError(
            f"features of shape {np.shape(X)} do not fit {len(utterances)} utterances; a probe takes one "
            "vector an utterance (of frames: serlab.samples.statistics)"
        )
    bad = np.flatnonzero(~np.isfinite(X).all(axis=1))
    if len(bad):
        raise ParameterError(f"a feature of {utterances.index[bad[0]]!r} is not finite ({len(bad)} such)")
    corpora = sorted(set(utterances["corpus"]))
    if len(corpora) != 1:
        raise ParameterError(f"a speaker probe is of one corpus, not {len(corpora)} ({', '.join(corpora)})")
    if folds < 2:
        raise ParameterError(f"folds ({folds}) start at 2")


def _folds(utterances: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """Fold of each row, shape (n,): speakers and their emotions are dealt out like cards."""
    columns = [name for name in ("speaker", "emotion") if name in utterances]
    rng = np.random.default_rng(seed)
    order = utterances[columns].reset_index(drop=True).assign(random=rng.random(len(utterances)))
    order = order.sort_values([*columns, "random"]).index.to_numpy()
    fold = np.empty(len(order), dtype=int)
    fold[order] = np.arange(len(order)) % folds
    return fold
