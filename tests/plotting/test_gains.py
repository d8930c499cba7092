"""What each method adds to its control, question by question."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import comparison, is_within_page, texts


def test_sign_p_verdict_and_control_are_shown():
    figure = plotting.plot_gain(comparison())
    written = texts(figure)
    for text in (
        "+0.10 [+0.05, +0.15]", "\N{MINUS SIGN}0.20 [", "0.00 [", "< .001", ".010", "declared: hurts",
        "a\nover Forest", "exploratory: no claim", "What does the source add to the same labels?",
    ):  # fmt: skip
        assert text in written, text
    drawn = {line.get_marker(): line.get_color() for line in figure.axes[0].lines}
    assert drawn["v"] == plotting.VERDICTS["hurts"][0]
    assert drawn["^"] == plotting.VERDICTS["helps"][0]
    low, high = figure.axes[0].get_xlim()
    assert low == -high  # neither direction looks larger
    assert is_within_page(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [label[0] for label in labels] == ["a", "c", "b", "d"], "what was declared first, then the others"


def test_a_figure_answers_one_question():
    two = pd.concat([comparison(), comparison().assign(question="alignment")])
    with pytest.raises(ParameterError, match=r"answers 2 questions.*question='source' or 'alignment'"):
        plotting.plot_gain(two)
    with pytest.raises(ParameterError, match="unknown question 'colour'"):
        plotting.plot_gain(two, question="colour")
    figure = plotting.plot_gain(two, question="alignment", title="a to b")
    assert "What does alignment, or self-training, add to normalisation? a to b" in texts(figure)
    assert "Nothing to compare" in texts(plotting.plot_gain(two, question="labels"))
    assert "Nothing to compare" in texts(plotting.plot_gain(comparison().iloc[:0]))


def test_it_says_what_was_declared_then_the_others():
    own = comparison().assign(title=["A", "B", "C", "D"])
    assert plotting.plot_gain(own).finding == (
        "Over Forest. Helps: A +0.10 [+0.05, +0.15]. Hurts: B "
        "\N{MINUS SIGN}0.20 [\N{MINUS SIGN}0.30, \N{MINUS SIGN}0.10]. No difference shown: C "
        "0.00 [\N{MINUS SIGN}0.10, +0.10]. Exploratory: D +0.30 [+0.20, +0.40]."
    )


def test_controls_that_differ_are_named_with_each():
    own = comparison().iloc[[0, 1]].assign(control_title=["Forest", "Tree"])
    assert plotting.plot_gain(own).finding.startswith("Helps: a +0.10 [+0.05, +0.15] over Forest. Hurts: b")


def test_what_cannot_be_decided_or_was_not_run_is_said():
    own = comparison().iloc[:2].assign(verdict=["cannot be decided with 3 speakers", "not run"])
    own.loc[1, ["gain", "gain_low", "gain_high", "p_holm"]] = np.nan
    figure = plotting.plot_gain(own)
    written = texts(figure)
    assert "declared: cannot be decided with 3 speakers" in written and "declared: not run" in written
    assert "Not run: b." in figure.finding
