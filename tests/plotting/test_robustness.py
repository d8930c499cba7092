"""UAR against severity: panels, lines, and what is said."""

from __future__ import annotations

from serlab import plotting
from serlab.studies import robustness as study
from tests.plotting.made import is_within_page, robustness, texts


def test_a_panel_a_change_and_a_line_a_method_and_scale():
    figure = plotting.plot_robustness(robustness("one", "two"), chance=0.25)
    titles = [text for axes in figure.axes if (text := axes.get_title("left") or axes.get_title())]
    assert [title.replace("\n", " ") for title in titles] == list(study.KINDS.values())
    assert len(figure.axes[0].lines) == 4, "two methods, one of them scaled in two ways, and chance"
    assert figure.axes[0].get_xticklabels()[0].get_text().split() == study.CLEAN.split()
    assert "two, scaled by the changed target" in texts(figure).replace("\n", " ")
    assert "one, target as recorded: most by" in figure.finding
    assert is_within_page(figure)


def test_the_table_has_what_was_changed_alone():
    table = plotting.robustness_table(robustness("one"))
    assert len(table) == len(study.CONDITIONS) and study.CLEAN not in set(table["severity"])
    assert "No method was run" in texts(plotting.plot_robustness(robustness("one").iloc[:0]))
