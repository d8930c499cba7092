"""Can one know how well a model will do on recordings without labels? Estimates beside the truth.

Each corpus is the target in turn, with every set of two or more others as sources. The model of the sources
answers; estimates (:mod:`serlab.evaluation.estimates`) are made from its answers for the target, and from
those of models that lack one source for that source; only then the target's labels are looked at.
Nothing of them is in an estimate.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from serlab.deployment import evidence, families, learning
from serlab.errors import ParameterError
from serlab.experiment import Session

#: Fewest corpora: a target, and two sources of which one can be left out.
LEAST_CORPORA = 3


def table(session: Session, *, family: str = "ridge") -> pd.DataFrame:
    """Estimates for every target and set of sources.

    Parameters
    ----------
    session : Session
        Whose target and sources are the corpora; which of them is the target does not matter.
    family : str
        Of :data:`serlab.deployment.families.FAMILIES`.

    Returns
    -------
    DataFrame
        target, sources ("emodb + nemo"), n_sources, form, estimate, uar, accuracy, true_uar, true_accuracy.

    Raises
    ------
    ParameterError
        If there are fewer than three corpora.
    """
    parameters = session.parameters
    corpora = [name for name in (parameters.target, *parameters.sources)]
    if len(corpora) < LEAST_CORPORA:
        raise ParameterError(f"{len(corpora)} corpora are too few; {LEAST_CORPORA} or more are needed")
    return session.keep(
        f"unlabelled-accuracy-{family}", lambda: _estimated(session, sorted(corpora), family), also=[]
    )


def _estimated(session: Session, corpora: Sequence[str], family: str) -> pd.DataFrame:
    answers, _ = learning.ask_left_out(
        session.material, families.get(family), learning.all_sets(corpora), setting=session.setting(()),
        watch=session.watch,
    )  # fmt: skip
    tables = []
    for target in corpora:
        others = [name for name in corpora if name != target]
        sizes = range(2, len(others) + 1)
        for sources in (chosen for size in sizes for chosen in itertools.combinations(others, size)):
            found = evidence.estimates_of(answers, sources, target, seed=session.parameters.seeds[0])
            tables.append(found.assign(sources=families.AND.join(sources), n_sources=len(sources)))
    joined = pd.concat(tables, ignore_index=True).rename(columns={"corpus": "target"})
    first = ["target", "sources", "n_sources", "form", "estimate"]
    return joined[[*first, "uar", "accuracy", "true_uar", "true_accuracy"]]


def error_table(found: pd.DataFrame, *, measure: str = "uar") -> pd.DataFrame:
    """How far each estimate is off, and whether it ranks targets rightly.

    Parameters
    ----------
    found : DataFrame
        From :func:`table`, or :attr:`serlab.deployment.Model.estimates`.
    measure : {"uar", "accuracy"}

    Returns
    -------
    DataFrame
        form, estimate, n (estimates), error (mean distance to the truth), worst, bias (mean of estimate minus
        truth), rho (Spearman's, of estimate and truth; NaN where either is constant), better (share of cases
        in which it is nearer to the truth than "held out").
    """
    rows = []
    keys = [name for name in ("target", "corpus", "sources") if name in found]
    for (form, name), own in found.groupby(["form", "estimate"], sort=False):
        control = found[(found["form"] == form) & (found["estimate"] == "held out")]
        off = own[measure] - own[f"true_{measure}"]
        beside = own.merge(control, on=keys, suffixes=("", "_control"))
        nearer = (beside[measure] - beside[f"true_{measure}"]).abs() < (
            beside[f"{measure}_control"] - beside[f"true_{measure}"]
        ).abs()
        better = float(nearer.mean()) if name != "held out" else np.nan
        rho = _rho(own[measure], own[f"true_{measure}"])
        rows.append((form, name, len(own), off.abs().mean(), off.abs().max(), off.mean(), rho, better))
    return pd.DataFrame(rows, columns=["form", "estimate", "n", "error", "worst", "bias", "rho", "better"])


def _rho(x: pd.Series, y: pd.Series) -> float:
    if len(x) < 3 or x.nunique() < 2 or y.nunique() < 2:
        return float("nan")
    return float(spearmanr(x, y).statistic)
