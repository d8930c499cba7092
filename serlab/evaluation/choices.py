"""What methods have chosen on sources that were left out: each way beside what it reached there."""

from __future__ import annotations

import pandas as pd

#: Of :attr:`serlab.evaluation.Run.choices`: what names a candidate.
_CANDIDATE = ["penalty", "way"]


def by_way(choices: pd.DataFrame) -> pd.DataFrame:
    """Each way to use an unlabelled target with its best penalty, and the UAR on each source left out.

    Parameters
    ----------
    choices : DataFrame
        :attr:`serlab.evaluation.Run.choices`.

    Returns
    -------
    DataFrame
        method, way, penalty, uar (mean over the sources left out), chosen (share of the fits, 0 to 1), and
        "UAR on <source>" for each; means over folds and seeds, the method's ways in the order of their UAR.
    """
    columns = ["method", "way", "penalty", "uar", "chosen"]
    if choices.empty:
        return pd.DataFrame(columns=columns)
    uar = choices.pivot_table(
        index=["method", *_CANDIDATE], columns="left_out", values="uar", aggfunc="mean", sort=False
    )
    uar.columns = [f"UAR on {name}" for name in uar.columns]
    chosen = choices.groupby(["method", *_CANDIDATE], sort=False)["chosen"].mean()
    table = uar.assign(uar=uar.mean(axis=1), chosen=chosen).reset_index()
    # The penalty that fits have taken; of ways that none has, the best. Ties as the choice has them.
    table = table.sort_values(["chosen", "uar", "penalty"], ascending=False, kind="stable")
    table = table.drop_duplicates(["method", "way"]).sort_values("uar", ascending=False, kind="stable")
    order = {name: number for number, name in enumerate(dict.fromkeys(choices["method"]))}
    table = table.sort_values("method", key=lambda names: names.map(order), kind="stable", ignore_index=True)
    return table[[*columns, *uar.columns]]


def told(choices: pd.DataFrame) -> dict[str, str]:
    """Method -> what it has chosen, in a few words.

    Examples
    --------
    >>> rows = [("m", "1", 0, left_out, 3.0, way, uar, way == "cautious")
    ...         for left_out in "ab" for way, uar in (("as it is", 0.5), ("cautious", 0.6))]
    >>> columns = ["method", "fold", "seed", "left_out", "penalty", "way", "uar", "chosen"]
    >>> told(pd.DataFrame(rows, columns=columns))
    {'m': 'chosen on sources left out: cautious (UAR there 0.60, as it is 0.50)'}
    """
    found = {}
    for method, own in by_way(choices).groupby("method", sort=False):
        taken = own[own["chosen"] > 0].sort_values("chosen", ascending=False, kind="stable")
        share = {
            row.way: f" in {row.chosen:.0%} of its fits" if len(taken) > 1 else ""
            for row in taken.itertuples()
        }
        first, plain = taken.iloc[0], own[own["way"] == "as it is"]
        beside = f", as it is {plain['uar'].iloc[0]:.2f}" if len(plain) and first["way"] != "as it is" else ""
        ways = ", ".join(f"{way}{often}" for way, often in share.items())
        found[str(method)] = f"chosen on sources left out: {ways} (UAR there {first['uar']:.2f}{beside})"
    return found
