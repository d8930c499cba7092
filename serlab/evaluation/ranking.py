"""Which method is best over many runs: mean ranks, Friedman's test, Holm-corrected pairs.

After Demsar (2006), Statistical comparisons of classifiers over multiple data
sets, Journal of Machine Learning Research 7. A run, such as one source and
one target, is a block in which methods are ranked by UAR; 1 is the best, ties
share the mean of their ranks.

The tests take runs for independent. Ordered pairs of a few corpora are not:
every corpus is in several of them, so what is found holds for these corpora,
and p values are too small as statements about new ones.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from serlab.errors import ParameterError
from serlab.evaluation.verdicts import ALPHA, holm

#: Share of a run's fits from which on a method has collapsed.
COLLAPSED = 0.5


@dataclass(frozen=True)
class Blocks:
    """Runs that have every method.

    Attributes
    ----------
    uar : DataFrame, shape (runs, methods)
    left_out : tuple of str
        What was not used, in words.
    """

    uar: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def ranks(self) -> pd.DataFrame:
        """Rank of each method in each run, 1 for the highest UAR."""
        return self.uar.rank(axis=1, ascending=False)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all methods are equally good.

    Attributes
    ----------
    chi2 : float
        Friedman's statistic, corrected for ties.
    f : float
        Iman & Davenport's: infinite where all runs rank alike.
    p_f : float
        Of ``f``, with (k - 1) and (k - 1)(n - 1) degrees of freedom.
    p : float
        Of ``chi2`` by permuting ranks within runs, which holds for few runs too.
    n_runs, n_methods : int
    """

    chi2: float
    f: float
    p_f: float
    p: float
    n_runs: int
    n_methods: int


def complete_blocks(table: pd.DataFrame) -> Blocks:
    """Arrange results as runs by methods, without holes.

    A method that has collapsed in a run, to one class for everything, is left
    out: its UAR is that of chance, and says nothing of what it could do. So is
    one that fewer than half of the runs have; then runs that lack one of the
    other methods are.

    Parameters
    ----------
    table : DataFrame
        run, method, uar; one row a run and method. With ``one_class``, the share of collapsed fits (see
        :func:`serlab.evaluation.scoring.one_class_share`): from half of them on a run is collapsed.

    Raises
    ------
    ParameterError
        If a run has a method twice, or fewer than two runs or two methods are left.
    """
    twice = table[table.duplicated(["run", "method"])]
    if len(twice):
        run, method = twice[["run", "method"]].iloc[0]
        raise ParameterError(f"run {run!r} has method {method!r} more than once; rank one setting at a time")
    order = {name: list(dict.fromkeys(table[name])) for name in ("run", "method")}
    wide = table.pivot(index="run", columns="method", values="uar").loc[order["run"], order["method"]]
    n_runs = len(wide)
    collapsed = _collapsed(table)
    left_out = [f"{name}: one class for everything in {n} of {n_runs} runs" for name, n in collapsed.items()]
    wide = wide.drop(columns=list(collapsed))
    found = wide.notna().sum()
    left_out += [f"{name}: in {found[name]} of {n_runs} runs" for name in wide if 2 * found[name] < n_runs]
    wide = wide.loc[:, 2 * found >= n_runs]
    for run, row in wide[wide.isna().any(axis=1)].iterrows():
        left_out.append(f"run {run}: without {', '.join(row.index[row.isna()])}")
    wide = wide.dropna()
    if len(wide) < 2 or wide.shape[1] < 2:
        why = f"; left out: {'; '.join(left_out)}" if left_out else ""
        raise ParameterError(
            f"ranks need two methods in two runs, or more; there are {wide.shape[1]} in {len(wide)}{why}"
        )
    return Blocks(uar=wide.rename_axis(index="run", columns=None), left_out=tuple(left_out))


def _collapsed(table: pd.DataFrame) -> dict[str, int]:
    """Methods that answer one class for everything -> in how many runs."""
    if "one_class" not in table:
        return {}
    counts = table.loc[table["one_class"] >= COLLAPSED, "method"].value_counts(sort=False)
    return {str(name): int(n) for name, n in counts.items()}


def friedman(table: pd.DataFrame, *, n_permutations: int = 9999, seed: int = 0) -> Friedman:
    """Test whether all methods are equally good.

    With ranks ``r_ij`` of ``k`` methods in ``n`` runs and their sums ``R_j``,

        chi2 = (k - 1) sum_j (R_j - n (k+1) / 2)^2 / sum_ij (r_ij - (k+1) / 2)^2
        F    = (n - 1) chi2 / (n (k - 1) - chi2)

    Friedman (1937), Iman & Davenport (1980); see Demsar (2006), section 3.2.2.

    Parameters
    ----------
    table : DataFrame
        As for :func:`complete_blocks`.
    n_permutations, seed : int
        Of the permutation p value, (1 + hits) / (1 + n_permutations).
    """
    ranks = complete_blocks(table).ranks.to_numpy()
    n, k = ranks.shape
    centred = ranks - (k + 1) / 2
    spread = (centred**2).sum()
    if spread == 0:  # every run a tie of all
        return Friedman(chi2=0.0, f=0.0, p_f=1.0, p=1.0, n_runs=n, n_methods=k)

    def between(sums: np.ndarray) -> np.ndarray:
        return (sums**2).sum(axis=-1)

    observed = between(centred.sum(axis=0))
    chi2 = (k - 1) * observed / spread
    rest = n * (k - 1) - chi2
    f = (n - 1) * chi2 / rest if rest > 1e-9 else np.inf
    rng = np.random.default_rng(seed)
    permuted = sum(rng.permuted(np.tile(row, (n_permutations, 1)), axis=1) for row in centred)
    hits = int((between(permuted) >= observed - 1e-9).sum())
    return Friedman(
        chi2=float(chi2),
        f=float(f),
        p_f=float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
        p=(1 + hits) / (1 + n_permutations),
        n_runs=n,
        n_methods=k,
    )


def rank_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of each method, best first.

    Returns
    -------
    DataFrame
        method, title (where the table has it), mean_rank, least_rank,
        greatest_rank, n_first (runs in which no method is better), uar (mean), n_runs.
    """
    blocks = complete_blocks(table)
    ranks = blocks.ranks
    best = blocks.uar.eq(blocks.uar.max(axis=1), axis=0)
    rows = pd.DataFrame(
        {
            "mean_rank": ranks.mean(),
            "least_rank": ranks.min(),
            "greatest_rank": ranks.max(),
            "n_first": best.sum(),
            "uar": blocks.uar.mean(),
            "n_runs": len(ranks),
        }
    )
    rows = rows.rename_axis("method").reset_index()
    if "title" in table:
        rows.insert(1, "title", rows["method"].map(_titles(table)))
    return rows.sort_values("mean_rank", kind="stable", ignore_index=True)


def pairwise_table(table: pd.DataFrame, *, control: str | None = None, alpha: float = ALPHA) -> pd.DataFrame:
    """Compare methods two by two by their mean ranks.

    ``z = (difference of mean ranks) / sqrt(k (k + 1) / (6 n))``, p of the
    normal distribution, Holm's correction over all pairs of the call (Demsar
    2006, section 3.2.2). A mean rank depends on which other methods are
    there, and so does this test.

    Parameters
    ----------
    table : DataFrame
        As for :func:`complete_blocks`.
    control : str, optional
        Compare with this method only: fewer pairs, so more is told apart.
    alpha : float
        Level of ``told_apart``.

    Returns
    -------
    DataFrame
        better, worse, difference (of mean ranks, 0 or more), z, p, p_holm,
        told_apart; with titles instead of names where the table has them.

    Raises
    ------
    ParameterError
        If the control is not among the ranked methods.
    """
    blocks = complete_blocks(table)
    mean = blocks.ranks.mean().sort_values(kind="stable")
    if control is not None and control not in mean:
        raise ParameterError(f"{control!r} is not among the ranked methods: {', '.join(blocks.uar)}")
    pairs = [pair for pair in itertools.combinations(mean.index, 2) if control is None or control in pair]
    better, worse = (list(names) for names in zip(*pairs, strict=True))
    n, k = blocks.uar.shape
    difference = mean[worse].to_numpy() - mean[better].to_numpy()
    z = difference / np.sqrt(k * (k + 1) / (6 * n))
    p = 2 * stats.norm.sf(z)
    p_holm = holm(p)
    titles = _titles(table) if "title" in table else {}
    return pd.DataFrame(
        {
            "better": [titles.get(name, name) for name in better],
            "worse": [titles.get(name, name) for name in worse],
            "difference": difference,
            "z": z,
            "p": p,
            "p_holm": p_holm,
            "told_apart": p_holm < alpha,
        }
    )


def not_told_apart(table: pd.DataFrame, *, alpha: float = ALPHA) -> list[list[str]]:
    """Largest groups of methods of which no two are told apart.

    Methods in the order of mean ranks, so that a group is a stretch of it.
    """
    plain = table.drop(columns="title", errors="ignore")
    order = rank_table(plain)["method"].tolist()
    pairs = pairwise_table(plain, alpha=alpha)
    apart = set(pairs.loc[pairs["told_apart"], ["better", "worse"]].itertuples(index=False, name=None))
    groups: list[list[str]] = []
    for start, first in enumerate(order):
        group = [name for name in order[start:] if (first, name) not in apart]
        if len(group) > 1 and not (groups and group[-1] == groups[-1][-1]):
            groups.append(group)
    return groups


def _titles(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["method"], table["title"], strict=True))
