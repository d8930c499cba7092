"""What to do with a target, by what one has of it."""

from __future__ import annotations

import pandas as pd

from serlab.evaluation import QUESTIONS
from serlab.experiment import Parameters, Session
from serlab.studies import advice


def test_for_each_thing_one_may_have_the_highest_and_its_verdict(small_corpora):
    parameters = Parameters(
        target="far", sources=("near",), features="librosa", baseline="ridge-target",
        protocol="speaker-groups",
        methods=("ridge-source", "ridge-source-z", "ridge-source-voices", "ridge-target", "majority"),
        folds=2, preset="demo", jobs=1, data=str(small_corpora), primary=("ridge-source-z",),
    )  # fmt: skip
    outcome = Session(parameters).run(with_details=False)
    table = advice.table(outcome).set_index("have")
    summary = outcome.summary.set_index("title")
    assert list(table.index) == [
        "nothing of it, until it is used", "recordings without labels", "labels for some"
    ]  # fmt: skip
    assert table["among"].tolist() == [1, 2, 1], "what guesses is no advice"
    unlabelled = table.loc["recordings without labels"]
    both = summary.loc[
        ["Ridge, source only, per-corpus z", "Ridge, source only, per-speaker z where voices allow"], "uar"
    ]
    assert unlabelled["uar"] == both.max() and unlabelled["method"] == both.idxmax()
    assert table.loc["labels for some", "labelled"] == summary.loc["Ridge, target only", "n_target"]
    assert (
        advice._own(
            pd.DataFrame(
                {
                    "question": ["unlabelled target", "alignment"],
                    "control": ["light-source", "light-unaligned"],
                    "primary": [False, False],
                }
            ),
            "light-mmd",
        )["question"]
        == "alignment"
    ), "the gain over its own control, not over one that lacks more"
    rows = outcome.comparison[outcome.comparison["title"] == unlabelled["method"]]
    row = rows[rows["question"].map(QUESTIONS) == unlabelled["question"]].iloc[0]
    assert unlabelled["gain"] == row["gain"] and unlabelled["verdict"] == row["verdict"]
