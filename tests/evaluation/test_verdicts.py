"""What may be claimed, and how it is worded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation
from serlab.evaluation import verdicts


def rows(*p: float, gain: float = 0.1, n_speakers: int = 10, least_p: float = 0.002) -> pd.DataFrame:
    """Declared comparisons of one question."""
    return pd.DataFrame(
        {
            "question": "source", "method": [f"m{i}" for i in range(len(p))], "control": "c",
            "title": [f"M{i}" for i in range(len(p))], "control_title": "C", "primary": True,
            "gain": [np.nan if np.isnan(one) else gain for one in p], "gain_low": gain - 0.05,
            "gain_high": gain + 0.05, "p": p, "least_p": least_p, "n_speakers": n_speakers,
        }
    )  # fmt: skip


def test_holm_by_hand():
    assert evaluation.holm(np.array([0.01, 0.04, 0.03, 0.5])) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert evaluation.holm(np.array([])).size == 0


def test_verdicts_by_hand():
    table = verdicts.decided(rows(0.01, 0.04, np.nan))
    assert table["p_holm"].tolist()[:2] == pytest.approx([0.03, 0.08])
    assert np.isnan(table["p_holm"].iloc[2])
    assert table["verdict"].tolist() == ["helps", "no difference shown", "not run"]
    assert verdicts.decided(rows(0.01, gain=-0.1))["verdict"].tolist() == ["hurts"]
    doubtful = verdicts.decided(rows(0.01, gain=0.04))
    assert doubtful["verdict"].tolist() == ["no difference shown"], "its interval holds 0"


@pytest.mark.parametrize(("n_speakers", "declared", "said"), [
    (6, 1, "helps"), (6, 2, "cannot be decided with 6 speakers"), (5, 1, "cannot be decided with 5 speakers"),
    (1, 1, "cannot be decided with 1 speaker"),
])  # fmt: skip
def test_what_no_answers_could_have_shown_is_not_called_no_difference(n_speakers, declared, said):
    """Six speakers: 2 / 2^6 = .031, and .0625 where two comparisons were declared."""
    least = evaluation.least_p(n_speakers)
    table = verdicts.decided(rows(*[least] * declared, n_speakers=n_speakers, least_p=least))
    assert set(table["verdict"]) == {said}
    assert verdicts.kind(said) in verdicts.KINDS


def test_what_can_be_decided_is_asked_as_it_is_corrected():
    """Ten speakers beside six, as where one method skips folds: Holm's least are .004 and .031."""
    table = rows(0.002, 2 / 2**6).assign(least_p=[2 / 2**10, 2 / 2**6], n_speakers=[10, 6])
    table = verdicts.decided(table)
    assert table["p_holm"].tolist() == pytest.approx([0.004, 2 / 2**6])
    assert table["verdict"].tolist() == ["helps", "helps"], "twice .031 is not what it is corrected to"
    beside_none = rows(np.nan, 2 / 2**6).assign(least_p=[np.nan, 2 / 2**6], n_speakers=6)
    said = verdicts.decided(beside_none)["verdict"].tolist()
    assert said == ["not run", "cannot be decided with 6 speakers"], "what was not run counts"


@pytest.mark.parametrize("seed", range(20))
def test_no_verdict_is_withheld_beside_a_corrected_p_below_the_level(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(3, 12, size=4)
    least = np.array([evaluation.least_p(one) for one in n])
    p = np.minimum(least * rng.integers(1, 4, size=4), 1.0)
    table = verdicts.decided(rows(*p).assign(least_p=least, n_speakers=n))
    undecided = table["verdict"].map(verdicts.kind) == "cannot be decided"
    assert (table.loc[undecided, "p_holm"] >= 0.05).all()
    assert (verdicts.decided(table.assign(p=least)).loc[~undecided, "p_holm"] < 0.05).all()


def test_the_answer_in_words():
    table = verdicts.decided(rows(0.01, 0.6))
    other = table.iloc[[0]].assign(primary=False, verdict="exploratory", p_holm=np.nan)
    both = pd.concat([table, other])
    assert verdicts.answer(both) == "Source: M0 helps; M1: no difference shown."
    assert verdicts.told(both, seen={"m0": "8 labelled"}) == (
        "What does the source add to the same labels? M0 (saw 8 labelled) +0.10 [+0.05, +0.15] over C: "
        "helps, corrected p .020; M1 +0.10 [+0.05, +0.15] over C: no difference shown, corrected p .600. "
        "1 further comparison: exploratory, no claim."
    )
    assert verdicts.answer(other) == "No comparison was declared beforehand: all 1 are exploratory."
    assert verdicts.answer(pd.DataFrame()) == ""
    undecided = verdicts.decided(rows(0.25, n_speakers=3, least_p=0.25))
    assert verdicts.told(undecided, seen={}).endswith("over C: cannot be decided with 3 speakers.")
    missing = verdicts.decided(rows(np.nan))
    assert verdicts.told(missing, seen={}).endswith("M0 over C: declared, one of the two was not run.")
    apart = verdicts.decided(rows(np.nan).assign(n_folds=0))
    assert verdicts.answer(apart) == "Source: M0: no fold in common."
    assert verdicts.told(apart, seen={}).endswith("declared, no fold in which both have answers.")


@pytest.mark.parametrize(("p", "said"), [(0.0004, "< .001"), (0.04, ".040"), (1.0, "1.000"), (np.nan, "")])
def test_p_values_as_they_are_written(p, said):
    assert verdicts.p_text(p) == said
