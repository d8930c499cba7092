"""What to do with the target at hand, as far as a run can say: by what one has of it."""

from __future__ import annotations

import pandas as pd

from serlab import methods
from serlab.evaluation import QUESTIONS
from serlab.experiment import Outcome
from serlab.methods import FIT_ARGUMENTS

#: What one has of the target -> in words.
HAVE: dict[tuple[bool, bool], str] = {
    (False, False): "nothing of it, until it is used",
    (False, True): "recordings without labels",
    (True, False): "labels for some",
    (True, True): "labels for some, and recordings without",
}


def table(outcome: Outcome) -> pd.DataFrame:
    """For each thing one may have of the target: the method with the highest UAR, and what is known of it.

    The highest of many is too high by chance, the more the more methods there are: ``among`` says how
    many were compared. Whether it is better than its control is what its verdict says, if it has one.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    DataFrame
        have, labelled (mean number of labelled target utterances), method (title), among, uar, uar_low,
        uar_high, question, over (title of its control), gain, gain_low, gain_high, verdict, seconds (of
        all its fits).
    """
    rows = []
    summary = outcome.summary[outcome.summary["method"] != "majority"]
    arguments = summary["access"].map(FIT_ARGUMENTS)
    reads = summary["target_seen"].astype(str).str.contains("unlabelled")
    kinds = list(zip(arguments.map(lambda names: "target_train" in names), reads, strict=True))
    titles = dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))
    for kind, said in HAVE.items():
        own = summary[[found == kind for found in kinds]]
        if own.empty or own["uar"].isna().all():
            continue
        best = own.loc[own["uar"].idxmax()]
        row = {
            "have": said,
            "labelled": best["n_target"] if kind[0] else float("nan"),
            "method": best["title"],
            "among": len(own),
            **{name: best[name] for name in ("uar", "uar_low", "uar_high")},
        }
        gained = outcome.comparison
        gained = gained[gained["method"] == best["method"]] if len(gained) else gained
        if len(gained):
            first = _own(gained, best["method"])
            row["question"] = QUESTIONS[first["question"]]
            row["over"] = titles.get(first["control"], first["control"])
            row |= {name: first[name] for name in ("gain", "gain_low", "gain_high", "verdict")}
        rows.append(row | {"seconds": best["seconds"]})
    columns = [
        "have", "labelled", "method", "among", "uar", "uar_low", "uar_high", "question", "over",
        "gain", "gain_low", "gain_high", "verdict", "seconds",
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


def _own(gained: pd.DataFrame, method: str) -> pd.Series:
    """Of several comparisons of a method: the declared one, else that with its own control."""
    declared = gained[gained["primary"].astype(bool)]
    own = gained[gained["control"] == methods.get(method).control]
    return next(found for found in (declared, own, gained) if len(found)).iloc[0]
