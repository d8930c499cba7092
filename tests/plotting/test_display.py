from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import plotting
from tests.plotting.made import summary


def test_display_table_formats_and_merges():
    table = summary(2).assign(n_test=[100, 200], p=[0.0001, 0.2], note=["<b>", None])
    page = plotting.display_table(table, "Scores & more", percent=["recall_joy"]).to_html()
    for text in (
        "0.200 [0.150,\N{NO-BREAK SPACE}0.250]",
        "&lt; .001",
        ".200",
        "&lt;b&gt;",
        "Scores &amp; more",
        "50.0%",
        ">100<",
    ):
        assert text in page
    assert "uar_low" not in page
    assert "blank" not in page  # no running index
    assert page == plotting.display_table(table, "Scores & more", percent=["recall_joy"]).to_html()


def test_every_heading_has_a_scope():
    page = plotting.display_table(summary(2).set_index("method")[["uar", "title"]]).to_html()
    assert page.count('<th scope="col"') == 3, "two columns, and the name of the index"
    assert page.count('<th scope="row"') == page.count("row_heading level0") == 2


def test_display_table_renames_selects_and_marks_missing():
    table = summary(2).assign(uar_low=np.nan)
    table.loc[0, "uar"] = np.nan
    style = plotting.display_table(table, columns={"title": "method", "uar": "UAR", "absent": "x"})
    assert list(style.data.columns) == ["method", "UAR"]
    assert list(style.data["UAR"]) == [plotting.MISSING, "0.800"]
    named = plotting.display_table(table.set_index("method")[["uar"]]).to_html()
    assert ">m1<" in named  # an index that says something stays
    counts = pd.DataFrame({"n": [3.0, np.nan], "share": [1.0, 0.0]})
    assert list(plotting.display_table(counts).data["n"]) == ["3", plotting.MISSING]
    assert list(plotting.display_table(counts).data["share"]) == ["1.000", "0.000"]


def test_columns_are_headed_by_words_and_never_two_alike():
    table = pd.DataFrame({"method": ["a"], "uar": [0.5], "n_speakers": [3], "my_corpus": [1]})
    shown = plotting.display_table(table).to_html()
    assert ">UAR<" in shown and ">speakers<" in shown and ">my_corpus<" in shown and "n_speakers" not in shown
    both = plotting.display_table(pd.DataFrame({"n_folds": [1], "folds": [2]})).to_html()
    assert ">n_folds<" in both and ">folds<" in both
    assert ">n_speakers<" in plotting.display_table(table, columns={"n_speakers": "n_speakers"}).to_html()


def test_the_same_table_as_latex():
    table = pd.DataFrame(
        {"method": ["RF_1 & co", "50%"], "uar": [0.5, 0.25], "uar_low": 0.2, "uar_high": 0.6}
    )
    text = plotting.latex_table(table, columns={"method": "method", "uar": "UAR"})
    assert text.startswith("\\begin{tabular}{lr}\n\\toprule\nmethod & UAR \\\\\n\\midrule\n")
    assert r"RF\_1 \& co & 0.500 [0.200,~0.600] \\" in text
    assert r"50\%" in text


def test_no_name_in_latex_ends_a_row_or_is_taken_for_an_option():
    table = pd.DataFrame({"[x]": ["[2pt] ann", "*", "a\nb\x1b"], "y": ["$", "\\input{x}", "="]})
    _, _, head, _, *rows, _, _, end = plotting.latex_table(table).split("\n")
    assert head == r"{}[x] & y \\" and end == ""
    assert rows == [r"{}[2pt] ann & \$ \\", r"{}* & \textbackslash{}input\{x\} \\", r"a b  & = \\"]
