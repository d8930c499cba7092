"""The papers' numbers, copied out once more by hand, and what is set beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import papers, plotting
from serlab.papers import andova_lustrek, durrani_arshad, neumann_vu


def summary(methods: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame({"method": methods, "uar": 0.6, "accuracy": 0.7})
    for name in ("uar", "accuracy"):
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.05, table[name] + 0.05
    return table


# --- Neumann & Vu ---


def test_neumann_vu_table_2_is_whole():
    table = neumann_vu.published_table().set_index("method")
    expected = [
        [0.6809, 0.6233, 0.6077, 0.5230],
        [0.7006, 0.6173, 0.6251, 0.4933],
        [0.5932, 0.4908, 0.6127, 0.4752],
        [0.6703, 0.5042, 0.6307, 0.4981],
    ]
    columns = ["iemocap arousal", "iemocap valence", "recola arousal", "recola valence"]
    np.testing.assert_array_equal(table[columns].to_numpy(), expected)
    assert list(table.index) == ["acnn-target", "acnn-pooled", "acnn-source", "acnn-finetuned"]


def test_neumann_vu_counts_add_up_to_the_corpora():
    counts = neumann_vu.published().query("metric == 'count'")
    totals = counts.groupby(["target", "dimension"])["value"].sum()
    assert totals["iemocap"].tolist() == [10039, 10039]
    assert totals["recola"].tolist() == [1308, 1308]


def test_neumann_vu_below_chance_is_noted_exactly_where_it_is():
    cells = neumann_vu.published().query("table == '2'")
    assert (cells["note"].eq("below chance") == (cells["value"] < 0.5)).all()


def test_neumann_vu_numbers_of_the_text():
    text = neumann_vu.published().query("table in ['section 5', 'section 6']")
    assert text["value"].tolist() == [0.6820, 0.5877, 0.731, 0.05, 0.312]


def test_neumann_vu_beside_ours():
    ours = summary(("acnn-target", "acnn-source"))
    chosen = {"target": "recola", "sources": ("iemocap",), "dimension": "arousal"}
    same = neumann_vu.beside_published(ours, **chosen).set_index("method")
    assert same["published"].tolist() == [0.6077, 0.6251, 0.6127, 0.6307]
    assert same["difference"].str.startswith("same corpora").all()
    assert same.loc["acnn-target", ["measured", "low", "high"]].tolist() == pytest.approx([0.6, 0.55, 0.65])
    assert same["measured"].isna().tolist() == [False, True, False, True]
    other = neumann_vu.beside_published(ours, target="urdu", sources=("emodb",), dimension="valence")
    row = other.set_index("method").loc["acnn-source"]
    assert row["published"] == pytest.approx((0.4908 + 0.4752) / 2)
    assert row["published_range"] == "0.48 to 0.49"
    assert "other corpora: ours is emodb to urdu" in row["difference"]
    assert isinstance(plotting.plot_published(other, metric="UAR", chance=0.5), plotting.Figure)


def test_without_source_the_mono_lingual_cell_is_the_same_corpora():
    table = neumann_vu.beside_published(summary(()), target="iemocap", sources=(), dimension="arousal")
    assert table.loc[0, "published"] == 0.6809
    assert table.loc[0, "published_range"] == ""


# --- Durrani & Arshad ---


def test_durrani_arshad_numbers_with_where_each_stands():
    cells = durrani_arshad.published()
    found = {(c["where"], c["target"], c["metric"]): c["value"] for c in cells.to_dict("records")}
    assert found == {
        ("table 1", "savee", "count"): 480,
        ("table 1", "emovo", "count"): 588,
        ("table 1", "urdu", "count"): 400,
        ("table 1", "iemocap", "count"): 5531,
        ("abstract", "savee", "accuracy"): 0.6045,
        ("abstract", "emovo", "accuracy"): 0.6805,
        ("abstract", "urdu", "accuracy"): 0.8034,
        ("abstract", "iemocap", "accuracy"): 0.5658,
        ("abstract", "urdu", "UAR"): 0.6932,
        ("abstract", "emovo", "UAR"): 0.682,
        ("table 2", "savee", "UAR"): 0.6852,
        ("table 2", "emovo", "UAR"): 0.7041,
        ("table 2", "urdu", "UAR"): 0.6932,
        ("section 4.4", "urdu", "UAR"): 0.6932,
        ("section 4.4", "savee", "UAR"): 0.6852,
        ("section 4.4", "emovo", "UAR"): 0.6852,
    }
    wide = durrani_arshad.published_table().set_index("target")
    emovo = wide.loc["emovo"].dropna().tolist()
    assert sorted(emovo) == [0.6805, 0.682, 0.6852, 0.7041]


def test_durrani_arshad_beside_ours():
    ours = summary(("encdec-target", "encdec-transfer", "dbn-target"))
    uar = durrani_arshad.beside_published(ours, target="urdu", sources=("iemocap",)).set_index("method")
    assert uar.loc["encdec-transfer", ["published", "measured"]].tolist() == [0.6932, 0.6]
    assert np.isnan(uar.loc["dbn-target", "published"]), "figures without numbers are not guessed"
    assert uar.loc["dbn-target", "difference"] == "no number was published"
    other = durrani_arshad.beside_published(ours, target="urdu", sources=("emodb",)).set_index("method")
    assert other.loc["encdec-transfer", "published"] == 0.6932
    assert (
        "another source: ours is emodb to urdu, the paper's source is iemocap"
        in other.loc["encdec-transfer", "difference"]
    )
    within = durrani_arshad.beside_published(ours, target="urdu", sources=(), metric="accuracy")
    assert within.set_index("method").loc["encdec-target", ["published", "measured"]].tolist() == [
        0.8034,
        0.7,
    ]
    assert isinstance(plotting.plot_published(within), plotting.Figure)


def test_choices_are_one_row_a_network_tried():
    tried = durrani_arshad.choices()
    assert list(tried.columns[:4]) == ["corpus", "units", "learning rate", "10 epochs"]
    assert set(tried["corpus"]) == {"emodb", "ravdess"} and not tried.isna().any(axis=None)
    assert "urdu" not in set(tried["corpus"]), "the target of the paper's transfer is never looked at"


# --- all ---


@pytest.mark.parametrize("paper", [neumann_vu, durrani_arshad])
def test_contradictions_say_where_both_sides_stand(paper):
    table = paper.contradictions()
    assert list(table) == ["subject", "says", "where", "against", "where_against", "our_reading"]
    assert (table[["subject", "says", "where", "our_reading"]] != "").all(axis=None)
    assert table["subject"].is_unique


def test_what_can_be_run_follows_from_the_corpora():
    pairs = neumann_vu.not_run(["iemocap"])
    assert pairs["status"].tolist() == ["not run: recola not installed"] * 2
    mine = durrani_arshad.not_run(["urdu", "emovo"]).set_index(["setting", "source", "target"])["status"]
    assert mine["same corpus", "", "urdu"] == "can be run"
    assert mine["cross corpus", "emovo", "urdu"] == "can be run"
    assert mine["transfer", "iemocap", "urdu"] == "not run: iemocap not installed"
    assert len(andova_lustrek.not_run([])) == 6
    assert mine.index.is_unique


def test_run_status_does_not_change_its_input():
    pairs = pd.DataFrame({"source": ["a", "a"], "target": ["b", "b"]})
    assert len(papers.run_status(pairs, ["a", "b"])) == 1
    assert len(pairs) == 2 and "status" not in pairs
