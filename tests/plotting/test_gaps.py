"""UAR by group: what is shown, what of many is left out, and what is said."""

from __future__ import annotations

from serlab import plotting
from tests.plotting.made import groups, is_within_page, texts


def test_groups_that_differ_have_a_star_and_are_told():
    table = groups("a", "b")
    figure = plotting.plot_groups(table, chance=0.25, title="x to y")
    written = texts(figure)
    assert "Which speakers and sentences are recognised worse? x to y" in written and "sex: female" in written
    assert written.split("\n").count("*") == (table["verdict"] == "lower than the others").sum()
    assert "a, sex female: gap +0.04 [\N{MINUS SIGN}0.10, +0.20], corrected p = .400" in figure.finding
    assert is_within_page(figure)


def test_of_many_sentences_the_lowest_and_the_highest_are_shown():
    figure = plotting.plot_groups(groups("a"))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [
        "sex: female", "sex: male", *(f"sentence: t{number}" for number in [*range(6), *range(8, 14)]),
    ]  # fmt: skip
    assert "6 lowest and highest of 14, by the first method" in texts(figure)
    assert len(plotting.groups_table(groups("a"))) == 16


def test_where_nothing_divides_it_says_so():
    assert "not known, or the same" in texts(plotting.plot_groups(groups("a").iloc[:0]))
    assert plotting.groups_table(groups("a").iloc[:0]).empty


def test_nothing_shown_and_nothing_decided_are_told_apart():
    table = groups("a").query("attribute == 'sex'").assign(verdict="cannot be decided with 4 speakers")
    finding = plotting.plot_groups(table).finding
    assert finding == "Of 2 groups none is shown to differ from the others. 2 cannot be decided."
