"""What is known of a model before it meets its target: how it did on corpora that were left out.

Of each source corpus the answers of the model that was learned from all the others. Calibration and
abstention are judged nested: set on the other corpora that were left out, tried on this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from serlab import evaluation, metrics
from serlab.deployment.families import AND
from serlab.evaluation import calibration, estimates
from serlab.evaluation.calibration import Calibration
from serlab.evaluation.estimates import Reference

#: Of a table of estimates.
ESTIMATE_COLUMNS = ("form", "corpus", "estimate", "uar", "accuracy", "true_uar", "true_accuracy")
#: Risks that a card states.
RISKS: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4)


def classes_of(answers: pd.DataFrame) -> list[str]:
    """Classes of a table of answers, in order."""
    return [column[2:] for column in answers.columns if column.startswith("p_")]


def proba_of(answers: pd.DataFrame) -> np.ndarray:
    """Probabilities of a table of answers, shape (n, classes)."""
    return answers[[f"p_{name}" for name in classes_of(answers)]].to_numpy(dtype=float)


def left_out(answers: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """What is known of a model of some sources: of each, the answers of the model of all the others.

    Parameters
    ----------
    answers : DataFrame
        From :func:`serlab.deployment.learning.ask_left_out`, of those sets and of sets that lack one more.
    sources : sequence of str
        Of the model.

    Returns
    -------
    DataFrame
        form, corpus, utterance, y_true, p_<class>, agree, see :func:`with_agreement`. Empty for one source.
    """
    parts = [
        with_agreement(answers, [name for name in sources if name != corpus], corpus) for corpus in sources
    ]
    return pd.concat(parts, ignore_index=True)


def with_agreement(answers: pd.DataFrame, sources: Sequence[str], corpus: str) -> pd.DataFrame:
    """Answers of one model for one corpus, and how many of the models that lack one of its sources agree.

    Returns
    -------
    DataFrame
        form, corpus, utterance, y_true, p_<class>, agree (0 to 1; NaN where there are no such models).
    """
    names = classes_of(answers)
    here = answers[answers["corpus"] == corpus]
    own = here[here["sources"] == AND.join(sources)].reset_index(drop=True)
    lacking = [AND.join(name for name in sources if name != without) for without in sources]
    members = here[here["sources"].isin([name for name in lacking if name])]
    own["agree"] = np.nan
    if len(members):
        keys = ["form", "utterance"]
        both = members[keys].assign(other=proba_of(members).argmax(axis=1)).merge(
            own[keys].assign(answer=proba_of(own).argmax(axis=1)), on=keys
        )  # fmt: skip
        share = (both["other"] == both["answer"]).groupby([both[key] for key in keys]).mean()
        own["agree"] = share.reindex(pd.MultiIndex.from_frame(own[keys])).to_numpy()
    return own[["form", "corpus", "utterance", "y_true", *(f"p_{name}" for name in names), "agree"]]


def calibration_of(answers: pd.DataFrame, how: str) -> Calibration:
    """Calibration of one form by its answers for corpora that were left out.

    Parameters
    ----------
    answers : DataFrame
        From :func:`left_out`, of one form.
    how : str
        Of :data:`serlab.evaluation.calibration.HOW`.
    """
    return calibration.learn(how, proba_of(answers), answers["y_true"].to_numpy(), _weights(answers))


def best_calibration(answers: pd.DataFrame) -> str:
    """The way of calibrating one form that was best on corpora which had no part in it."""
    return calibration.best(
        proba_of(answers), answers["y_true"].to_numpy(), answers["corpus"].to_numpy(dtype=str)
    )


def _weights(answers: pd.DataFrame) -> np.ndarray:
    return calibration.cell_weights(answers["corpus"].to_numpy(dtype=str), answers["y_true"].to_numpy())


def reference(answers: pd.DataFrame, calibrated: Calibration) -> Reference:
    """One form's answers for corpora that were left out, as estimates without labels want them."""
    return Reference(
        proba=calibrated.applied(proba_of(answers)),
        y=answers["y_true"].to_numpy(),
        corpus=answers["corpus"].to_numpy(dtype=str),
        agree=answers["agree"].to_numpy(dtype=float),
    )


def uar_table(answers: pd.DataFrame, utterances: pd.DataFrame, *, by: str = "") -> pd.DataFrame:
    """UAR of each form on each corpus that was left out, with intervals over its speakers.

    Parameters
    ----------
    answers : DataFrame
        From :func:`left_out`.
    utterances : DataFrame
    by : str
        A further column of ``utterances`` that divides them: "sex".

    Returns
    -------
    DataFrame
        form, corpus, (by), utterances, speakers, uar, uar_low, uar_high, accuracy.
    """
    predictions = answers.assign(
        y_pred=proba_of(answers).argmax(axis=1), fold=answers["corpus"], seed=0, method=answers["form"]
    )
    keys = ["form", "corpus"]
    if by:
        predictions[by] = utterances[by].reindex(predictions["utterance"]).to_numpy()
        keys.append(by)
    speakers = utterances["speaker"]
    rows = []
    for key, own in predictions.groupby(keys, sort=False):
        uar, low, high = evaluation.uar(own, speakers)
        rows.append(
            (*key, len(own), speakers.reindex(own["utterance"]).nunique(), uar, low, high,
             (own["y_true"] == own["y_pred"]).mean())
        )  # fmt: skip
    columns = [*keys, "utterances", "speakers", "uar", "uar_low", "uar_high", "accuracy"]
    return pd.DataFrame(rows, columns=columns)


def calibration_table(answers: pd.DataFrame) -> pd.DataFrame:
    """Each way to calibrate on each corpus that was left out, learned on the other ones.

    Returns
    -------
    DataFrame
        form, corpus, how, ece, log_loss; without a second corpus nothing.
    """
    rows = []
    for form, own in answers.groupby("form", sort=False):
        for corpus, asked, others in _each(own):
            y, weight = asked["y_true"].to_numpy(), _weights(asked)
            for how in calibration.HOW:
                proba = calibration_of(others, how).applied(proba_of(asked))
                error = calibration.calibration_error(proba, y, weight)
                rows.append((form, corpus, how, error, calibration.log_loss(proba, y, weight)))
    return pd.DataFrame(rows, columns=["form", "corpus", "how", "ece", "log_loss"])


def abstention_table(
    answers: pd.DataFrame, hows: Mapping[str, str], risks: Sequence[float] = RISKS
) -> pd.DataFrame:
    """What a risk that is asked for turns out to be on a corpus that did not set the threshold.

    Parameters
    ----------
    answers : DataFrame
        From :func:`left_out`.
    hows : mapping of str to str
        Form -> way to calibrate.
    risks : sequence of float

    Returns
    -------
    DataFrame
        form, risk, corpus, wrong (share of the answers given, classes of equal weight; NaN without an
        answer), answered.
    """
    rows = []
    for form, own in answers.groupby("form", sort=False):
        for corpus, asked, others in _each(own):
            calibrated = calibration_of(others, hows[str(form)])
            parts = [_judged(part, calibrated) for part in (others, asked)]
            for risk in risks:
                threshold = calibration.abstain_at(risk, *parts[0]).threshold
                rows.append((form, risk, corpus, *calibration.risk_of(threshold, *parts[1])))
    return pd.DataFrame(rows, columns=["form", "risk", "corpus", "wrong", "answered"])


def abstention(answers: pd.DataFrame, calibrated: Calibration, risk: float) -> calibration.Abstention:
    """Threshold of one form for a risk, from all corpora that were left out."""
    return calibration.abstain_at(risk, *_judged(answers, calibrated))


def _judged(answers: pd.DataFrame, calibrated: Calibration) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, whether it is right, and weight."""
    proba = calibrated.applied(proba_of(answers))
    right = proba.argmax(axis=1) == answers["y_true"].to_numpy()
    return proba.max(axis=1), right, _weights(answers)


def _each(own: pd.DataFrame) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    names = list(dict.fromkeys(own["corpus"]))
    if len(names) < 2:
        return []
    return [(name, own[own["corpus"] == name], own[own["corpus"] != name]) for name in names]


def estimate_table(
    answers: pd.DataFrame, sources: Sequence[str], *, hows: Mapping[str, str], seed: int = 0
) -> pd.DataFrame:
    """Each source estimated without its labels by the model of all the others, beside the truth.

    Nothing of that source is in what is estimated from: neither in the model, nor in the answers that are
    its reference, nor in their calibration.

    Parameters
    ----------
    answers : DataFrame
        From :func:`serlab.deployment.learning.ask_left_out`.
    sources : sequence of str
    hows : mapping of str to str
        Form -> way to calibrate.
    seed : int

    Returns
    -------
    DataFrame
        form, corpus, estimate, uar, accuracy, true_uar, true_accuracy; empty for fewer than three sources.
    """
    tables = [
        estimates_of(answers, [name for name in sources if name != corpus], corpus, hows=hows, seed=seed)
        for corpus in sources
        if len(sources) > 2
    ]
    return pd.concat(tables, ignore_index=True) if tables else _estimates([])


def estimates_of(
    answers: pd.DataFrame,
    sources: Sequence[str],
    corpus: str,
    *,
    hows: Mapping[str, str] = MappingProxyType({}),
    seed: int = 0,
) -> pd.DataFrame:
    """One corpus estimated without its labels by the model of some sources (two or more), beside the truth.

    Forms that ``hows`` does not name have a temperature.

    Returns
    -------
    DataFrame
        As :func:`estimate_table`.
    """
    known, asked = left_out(answers, sources), with_agreement(answers, sources, corpus)
    rows = []
    for form, own in asked.groupby("form", sort=False):
        before = known[known["form"] == form]
        calibrated = calibration_of(before, hows.get(str(form), "temperature"))
        y, proba = own["y_true"].to_numpy(), calibrated.applied(proba_of(own))
        counts = metrics.confusion(y, proba.argmax(axis=1), proba.shape[1])
        truth = float(metrics.uar(counts)), float(metrics.accuracy(counts))
        if len(own) < estimates.LEAST:
            continue
        found = estimates.estimate_all(
            reference(before, calibrated), proba, own["agree"].to_numpy(dtype=float), seed=seed
        )
        rows += [(form, corpus, name, each.uar, each.accuracy, *truth) for name, each in found.items()]
    return _estimates(rows)


def _estimates(rows: Sequence[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[*ESTIMATE_COLUMNS])
    return table.astype(dict.fromkeys(ESTIMATE_COLUMNS[3:], float))
