from __future__ import annotations

import pytest

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import FOUR, is_within_page, texts, utterances, width


def test_counts_table_counts_and_names_confounded_speakers():
    table = utterances({"emodb": 12, "urdu": 1}, per_cell=2)
    table = table.drop(table.index[(table["corpus"] == "urdu") & (table["emotion"] != "joy")])
    counts = plotting.counts_table(table)
    speakers = counts.loc["emodb"].index
    assert list(speakers[:3]) == ["emodb/S1", "emodb/S2", "emodb/S3"]  # not S1, S10, S11
    assert (counts.loc["emodb", "all"] == 8).all()
    assert (counts.loc["emodb", "only"] == "").all()
    urdu = counts.loc[("urdu", "urdu/S1")]
    assert (urdu["joy"], urdu["anger"], urdu["all"], urdu["only"]) == (2, 0, 2, "joy")
    assert counts["all"].sum() == len(table)


def test_plot_counts_marks_confounds_only_where_there_are_some():
    table = utterances({"emodb": 2})
    assert "one emotion only" not in texts(plotting.plot_counts(table))
    alone = table[(table["speaker"] != "emodb/S2") | (table["emotion"] == "anger")]
    written = texts(plotting.plot_counts(alone))
    assert "1 of them with one emotion only" in written
    assert "S2*" in written and "S1*" not in written


@pytest.mark.parametrize(
    ("corpora", "classes", "panels"),
    [
        ({"one": 1}, ("low", "high"), 1),
        ({"emodb": 10, "urdu": 29}, FOUR, 2),
        ({"many": 41}, ("low", "high"), 2),
    ],
)
def test_plot_counts_of_few_and_many_speakers(corpora, classes, panels):
    figure = plotting.plot_counts(utterances(corpora, classes, per_cell=1))
    assert len(figure.axes) == panels
    assert width(figure) <= 1000
    assert is_within_page(figure)


def test_counts_need_labels():
    with pytest.raises(ParameterError, match="apply a label scheme first"):
        plotting.plot_counts(utterances({"emodb": 1}).drop(columns="emotion"))


def test_counts_say_how_many_voices_give_the_label_away():
    table = utterances({"emodb": 2, "urdu": 1})
    alone = table[(table["speaker"] != "emodb/S2") | (table["emotion"] == "anger")]
    assert plotting.plot_counts(alone).finding == (
        "emodb: 20 utterances, 2 speakers, 1 of them with one emotion only. urdu: 16 utterances, 1 speaker."
    )
