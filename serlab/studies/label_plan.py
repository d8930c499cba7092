"""Twenty labels: which utterances should get them? Simulated on a corpus whose labels are known.

Half of the target's speakers can be asked for labels, the other half is tested. A model of the sources
answers; a strategy (:mod:`serlab.evaluation.acquisition`) chooses; the labels of what it chose, and no
others, are given to the method that learns from sources and labelled target together. Then the halves change
places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from serlab import evaluation, methods
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import acquisition
from serlab.experiment import Session
from serlab.protocols import Split

#: What answers before there is a label, and what learns from them.
BEFORE, AFTER = "ridge-source-z", "ridge-pooled-z"
#: Labels that are given.
LABELS: tuple[int, ...] = (10, 20, 40)
#: Draws of the strategies that have a seed.
DRAWS = 5
_NOTHING = np.array([], dtype=int)


def simulate(session: Session, *, labels: Sequence[int] = LABELS, draws: int = DRAWS) -> pd.DataFrame:
    """What each strategy would have brought.

    Parameters
    ----------
    session : Session
        A target whose labels are known, and its sources.
    labels : sequence of int
        Numbers of labels.
    draws : int

    Returns
    -------
    DataFrame
        As :attr:`serlab.evaluation.Run.predictions`, with strategy, labels and draw; strategy "none" with 0
        labels is the model of the sources.

    Raises
    ------
    ParameterError
        If there is no source.
    ProtocolError
        If the target has fewer than two speakers.
    """
    parameters = session.parameters
    if not parameters.sources:
        raise ParameterError("a plan for labels begins with a model of other corpora: name sources")
    name = f"label-plan-{'-'.join(map(str, labels))}-{draws}"
    return session.keep(name, lambda: _simulated(session, labels, draws), also=[])


def _simulated(session: Session, labels: Sequence[int], draws: int) -> pd.DataFrame:
    material = session.material
    table = material.utterances
    target = (table["corpus"] == session.parameters.target).to_numpy()
    source = np.flatnonzero(~target)
    X = np.asarray(material.of(methods.get(BEFORE), session.parameters.options).X)
    found = []
    halves = _halves(table, target)
    for number, (pool, test) in enumerate(halves):
        session.watch.report(number, len(halves), "labels given one plan after the other")
        everybody = np.union1d(pool, test)
        before = Split(f"half {number + 1}", source, _NOTHING, everybody, _NOTHING, everybody)
        known = _fit(session, BEFORE, [before])
        answers = known.set_index("utterance").loc[table.index[pool]]
        proba = answers[[f"p_{label}" for label in material.classes]].to_numpy()
        tested = known[known["utterance"].isin(table.index[test])]
        found.append(tested.assign(strategy="none", labels=0, draw=0))
        for strategy in acquisition.STRATEGIES:
            for draw in range(1 if strategy in acquisition.FIXED else draws):
                for n in labels:
                    chosen = pool[acquisition.choose(strategy, X[pool], proba, n, seed=draw)]
                    rest = np.setdiff1d(everybody, chosen)
                    split = Split(f"half {number + 1}", source, np.sort(chosen), rest, _NOTHING, test)
                    found.append(_fit(session, AFTER, [split]).assign(strategy=strategy, labels=n, draw=draw))
    session.watch.report(len(halves), len(halves), "labels given")
    return pd.concat(found, ignore_index=True)


def _halves(table: pd.DataFrame, target: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows that may be labelled and rows that are tested, by halves of the speakers in turn."""
    speakers = table["speaker"].where(target).dropna().unique()
    if len(speakers) < 2:
        raise ProtocolError("the target has one speaker: nobody is left to be tested; choose another one")
    first = table["speaker"].isin(sorted(speakers)[::2]).to_numpy()
    halves = np.flatnonzero(target & first), np.flatnonzero(target & ~first)
    return [halves, halves[::-1]]


def _fit(session: Session, method: str, splits: Sequence[Split]) -> pd.DataFrame:
    return evaluation.run(
        [methods.get(method)], splits, material=session.material, setting=session.setting([method]),
        with_details=False, rounded=False,
    ).predictions  # fmt: skip


def uar_table(session: Session, predictions: pd.DataFrame) -> pd.DataFrame:
    """UAR by strategy and number of labels, and what each brought over labels at random.

    Parameters
    ----------
    session : Session
    predictions : DataFrame
        From :func:`simulate`.

    Returns
    -------
    DataFrame
        strategy, labels, draws, uar, uar_low, uar_high (over test speakers and draws), over_random,
        over_random_low, over_random_high (paired by test speaker; NaN for "random" and "none").
    """
    speakers = session.prepare().utterances["speaker"]
    rows = []
    for (strategy, labels), own in predictions.groupby(["strategy", "labels"], sort=False):
        uar = evaluation.uar(own.assign(seed=own["draw"]), speakers)
        gain: tuple[float, ...] = (np.nan,) * 3
        if strategy not in ("random", "none"):
            random = predictions[(predictions["strategy"] == "random") & (predictions["labels"] == labels)]
            gain = _over(own, random, speakers)
        rows.append((strategy, labels, own["draw"].nunique(), *uar, *gain))
    columns = ["strategy", "labels", "draws", "uar", "uar_low", "uar_high"]
    columns += ["over_random", "over_random_low", "over_random_high"]
    return pd.DataFrame(rows, columns=columns)


def _over(own: pd.DataFrame, random: pd.DataFrame, speakers: pd.Series) -> tuple[float, float, float]:
    """Gain over labels at random; a plan without draws stands beside each of them."""
    draws = random["draw"].unique()
    if own["draw"].nunique() == 1:
        own = pd.concat([own.assign(draw=draw) for draw in draws], ignore_index=True)
    both = pd.concat(
        [own.assign(method="plan", seed=own["draw"]), random.assign(method="random", seed=random["draw"])],
        ignore_index=True,
    )
    found = evaluation.paired(both, speakers, method="plan", control="random")
    return found.gain, found.low, found.high
