"""Which layers of an encoder a network listens to, when it may choose."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import evaluation, methods
from serlab.experiment import Session
from serlab.protocols import Split
from serlab.training import PLAIN

#: Networks with learned weights of layers: with a hidden layer, or without.
_WEIGHED = ("encoder-target", "encoder-source", "encoder-linear-target", "encoder-linear-source")


def learned(session: Session) -> pd.DataFrame:
    """Weights that the layers of an encoder get, learned on each corpus by itself.

    For the figure alone: trained on all utterances of a corpus, tested on none.

    Returns
    -------
    DataFrame
        method (what was trained, and on which corpus), fold, seed, layer, weight; empty without an encoder.
    """
    return session.keep("layer-weights", lambda: _learned(session), also=[])


def _learned(session: Session) -> pd.DataFrame:
    columns = ["method", "fold", "seed", "layer", "weight"]
    names = [name for name in _WEIGHED if name in session.parameters.methods]
    if not names:
        return pd.DataFrame(columns=columns)
    # With or without a hidden layer; on which part does not matter here.
    spec, utterances = methods.get(names[0]), session.prepare().utterances
    corpora = utterances.groupby("corpus", observed=True).indices
    jobs = [(corpus, at, seed) for corpus, at in corpora.items() for seed in session.parameters.seeds]
    rows = []
    for number, (corpus, at, seed) in enumerate(jobs):
        session.watch.report(number, len(jobs), f"weights of layers, {corpus}, seed {seed}")
        fitted = evaluation.fit(
            spec,
            _everything(at, as_target=not spec.uses_source),
            material=session.material,
            setting=session.setting([spec.name]),
            seed=seed,
            fitting=PLAIN,
        )
        weights = fitted.method.classifier.module.weights().tolist()
        rows += [(corpus, "all", seed, f"layer{layer}", value) for layer, value in enumerate(weights)]
    session.watch.report(len(jobs), len(jobs), "weights of layers")
    return pd.DataFrame(rows, columns=columns)


def _everything(rows: np.ndarray, *, as_target: bool) -> Split:
    nothing = np.array([], dtype=int)
    train, target_train = (nothing, rows) if as_target else (rows, nothing)
    return Split(
        fold="all", train=train, target_train=target_train, adapt=nothing, validation=nothing, test=rows
    )
