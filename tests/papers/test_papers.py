"""The papers' numbers, copied out once more by hand, and what is set beside them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from serlab import labels, methods, papers, plotting
from serlab.corpora import iemocap
from serlab.methods import speech_rivals
from serlab.papers import andova_lustrek, baklouti, durrani_arshad, emobox, neumann_vu, zhou_beigi


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


# --- Baklouti et al. ---


def cell(table: int, task: int, method: str, metric: str = "UAR") -> float:
    """In points of percent."""
    found = baklouti.published().set_index(["table", "task", "method", "metric"])["value"]
    return 100 * found.loc[(table, str(task), method, metric)].item()


def test_baklouti_tables_are_whole():
    cells = baklouti.published()
    assert cells.groupby("table").size().to_dict() == {1: 24, 2: 7, 3: 63, 4: 40, 5: 84, 6: 8}
    keys = ["table", "task", "source", "target", "method", "metric", "emotion"]
    assert not cells.duplicated(keys).any()
    shares = cells[cells["table"] > 1]["value"].dropna()
    assert shares.between(0, 1).all()
    assert (cells["value"].isna() == (cells["note"] == "printed as NA")).all()
    tasks = cells[cells["task"] != ""][["task", "source", "target"]].drop_duplicates()
    assert {int(t): (s, g) for t, s, g in tasks.to_numpy()} == baklouti.TASKS


def test_baklouti_table_4():
    table = baklouti.published_table(4).set_index(["task", "method"])
    assert list(table) == ["UAR", "UAR deviation", "accuracy", "accuracy deviation"]
    own = table.xs(baklouti.ROWS["da-tl"], level="method").to_numpy()
    nan = np.nan
    expected = [
        [0.501, 0.008, 0.5074, 0.003],
        [0.5, 0.005, 0.5002, 0.004],
        [0.58, nan, 0.57, nan],
        [0.5, nan, 0.5, nan],
    ]
    np.testing.assert_array_equal(own, expected)
    first = table.loc["1: iemocap to emodb"]
    assert first["UAR"].tolist() == [0.421, 0.425, 0.432, 0.443, 0.461, 0.483, 0.501]
    assert first["UAR deviation"].tolist() == [0.018, 0.021, 0.023, 0.017, 0.016, 0.015, 0.008]
    assert first["accuracy"].dropna().tolist() == [0.4199, 0.5074]
    second = table.loc["2: emodb to iemocap"]
    assert second["UAR"].tolist() == [0.389, 0.395, 0.401, 0.403, 0.412, 0.448, 0.5]
    for task, uar, accuracy in (
        (3, [0.42, 0.48, 0.58], [0.45, 0.48, 0.57]),
        (4, [0.44, 0.46, 0.5], [0.41, 0.44, 0.5]),
    ):
        part = table.loc[f"{task}: {' to '.join(baklouti.TASKS[task])}"]
        assert (part["UAR"].tolist(), part["accuracy"].tolist()) == (uar, accuracy)


def test_baklouti_tables_2_3_5_and_6():
    second = baklouti.published_table(2)
    assert second["accuracy"].tolist() == [0.77, 0.8194, 0.8224, 0.63, 0.785, 0.75, 0.8317]
    third = baklouti.published_table(3).set_index(["corpus", "metric"])
    recall = third.loc[("iemocap", "recall"), ["anger", "joy", "excitement", "sadness", "frustration"]]
    assert recall.tolist() == [0.85, 0.83, 0.5, 0.73, 0.58]
    assert third.loc[("emodb", "precision"), "disgust"] == third.loc[("ravdess", "precision"), "fear"] == 1
    sixth = baklouti.published_table(6)[["accuracy", "UAR"]].to_numpy()
    np.testing.assert_array_equal(
        sixth, [[0.458, 0.4473], [0.5074, 0.501], [0.5047, 0.5065], [0.5347, 0.5801]]
    )
    fifth = baklouti.published_table(5).set_index(["task", "method", "metric"])
    last = fifth.loc[("3: ravdess to emodb", baklouti.ROWS["tl"])]
    assert last.loc["recall"].tolist() == [0.57, 0.42, 0.5, 0.44, 0.27, 0.83, 0.42]
    assert fifth.loc[("1: iemocap to emodb", baklouti.ROWS["da-tl"], "recall"), "boredom"] == 0.55


def test_baklouti_f1_follows_from_precision_and_recall_but_for_the_cell_that_is_noted():
    cells = baklouti.published().query("table in [3, 5]")
    wide = cells.pivot(
        index=["table", "task", "target", "method", "emotion"], columns="metric", values="value"
    )
    f1 = 2 * wide["precision"] * wide["recall"] / (wide["precision"] + wide["recall"])
    wrong = wide.index[(f1 - wide["F1"]).abs() > 0.011]  # three roundings
    assert list(wrong) == [(5, "3", "emodb", "tl", "neutral")]
    assert f1[wrong[0]] == pytest.approx(0.329, abs=5e-4)
    noted = cells[cells["note"].str.contains("by the printed precision")]
    assert noted[["task", "method", "metric", "emotion"]].to_numpy().tolist() == [
        ["3", "tl", "F1", "neutral"]
    ]


def test_baklouti_contradictions_hold_in_the_tables():
    table = baklouti.contradictions().set_index("subject")
    text = table["says"] + " / " + table["against"]

    def said(subject: str, *numbers: float) -> bool:
        return all(
            f"{number:.{2 if number < 10 else 1}f}".rstrip("0").rstrip(".") in text[subject]
            for number in numbers
        )

    rows = [
        ("lead over sADDi (UAR)", "saddi"),
        ("lead over GAN (UAR)", "gan"),
        ("lead over CNN-LSTM (UAR)", "cnn-lstm"),
    ]
    for subject, method in rows:
        leads = [cell(4, task, "da-tl") - cell(4, task, method) for task in (1, 2)]
        assert said(subject, *np.round(leads, 1)), (subject, leads)
    lead = cell(4, 1, "da-tl", "accuracy") - cell(4, 1, "cnn-lstm", "accuracy")
    assert said("lead over CNN-LSTM (accuracy, task 1)", round(lead, 2))
    for task in (1, 3):
        gains = [
            cell(6, task, "da-tl", metric) - cell(6, task, "tl", metric) for metric in ("accuracy", "UAR")
        ]
        assert said(f"gain of adaptation, task {task}", *np.round(gains, 2)), gains
    cells = baklouti.published().query("table == 5 and metric == 'recall'")
    means = cells.groupby(["task", "method"])["value"].mean().round(3)
    assert means.to_dict() == {
        ("1", "da-tl"): 0.456, ("1", "tl"): 0.421, ("3", "da-tl"): 0.623, ("3", "tl"): 0.493
    }  # fmt: skip
    assert all(str(mean) in " ".join(table["against"]) for mean in means)


def test_baklouti_counts_against_the_releases():
    counts = baklouti.published().query("metric == 'count'").set_index("target")["value"]
    emotions = baklouti.published().query("metric == 'number of class'").groupby("target")["emotion"].agg(set)
    native = iemocap.EXPECTED
    named = sum(n for label, n in native.items() if iemocap.LABELS[label] in emotions["iemocap"])
    assert named == 7420 and sum(native.values()) == 10039
    left_out = (itertools.combinations(native.values(), n) for n in range(len(native)))
    assert 10039 - counts["iemocap"] not in {sum(some) for of_size in left_out for some in of_size}
    assert counts["ravdess"] == 1440 - 192 and counts["emodb"] == 535
    assert not [n for n in range(108) if round(n / 107, 4) == 0.5347] and round(54 / 101, 4) == 0.5347
    assert not [n for n in range(1071) if round(n / 1070, 4) == 0.5347]


def test_baklouti_beside_ours_names_the_difference():
    ours = summary(("vgg", "light")).assign(title=["VGG16", "light"])
    rows = {"vgg": "da-tl", "light": "da-tl", "vgg-source": "tl"}
    chosen = {"rows": rows, "classes": ["a", "b", "c", "d"], "protocol": "speaker-groups"}
    same = baklouti.beside_published(ours, target="emodb", sources=["ravdess"], **chosen).set_index("method")
    assert same["published"].tolist() == [0.58, 0.58, 0.5065], "nobody else stands beside transfer learning"
    assert same["measured"].isna().tolist() == [False, False, True]
    difference = same.loc["vgg", "difference"]
    for part in (
        "7 classes there (chance 0.14), 4 here (chance 0.25)",
        "speaker-groups here",
        "table 6 prints 0.58",
    ):
        assert part in difference
    accuracy = baklouti.beside_published(
        ours, target="emodb", sources=["ravdess"], metric="accuracy", **chosen
    )
    assert accuracy["published"].tolist() == [0.57, 0.57, 0.5047]
    assert "table 6 prints 0.5347" in accuracy["difference"][0]
    other = baklouti.beside_published(ours, target="urdu", sources=["emodb"], **chosen)
    assert other["difference"].str.startswith("other corpora: ours is emodb to urdu").all()
    assert baklouti.protocol_difference(range(7), "random").count(";") == 1
    assert isinstance(plotting.plot_published(same.reset_index(), metric="UAR"), plotting.Figure)


def test_baklouti_methods_that_stand_beside_the_tables():
    assert set(baklouti.NEAREST) <= set(methods.METHODS) and set(baklouti.NEAREST.values()) <= set(
        baklouti.ROWS
    )
    ours = summary(("light-mmd", "light-source")).assign(title=["MMD", "source only"])
    given = {"target": "emodb", "sources": ["ravdess"], "classes": "abcd", "protocol": "random"}
    found = baklouti.beside_published(ours, **given).set_index("method")
    assert "light-source" not in found.index and "light-mmd-supervised" not in found.index
    assert found.loc["light-gan", "title"] == baklouti.ROWS["gan"] and np.isnan(
        found.loc["light-gan", "measured"]
    )
    assert found.loc["light-mmd", ["title", "published", "measured"]].tolist() == ["MMD", 0.58, 0.6]


def test_baklouti_tasks_without_iemocap():
    found = baklouti.not_run(["emodb", "ravdess"]).set_index("task")["status"]
    assert found.tolist() == ["not run: iemocap not installed"] * 2 + ["can be run"] * 2
    open_points = baklouti.choices()
    assert list(open_points) == ["open", "printed", "where", "serlab", "why"]
    assert open_points["open"].is_unique and (open_points[["printed", "serlab"]] != "").all(axis=None)


# --- Zhou & Beigi ---


def test_zhou_beigi_table_1_adds_up_and_is_the_releases():
    table = zhou_beigi.published_table(1).set_index("session")
    expected = [
        [229, 143, 384, 194, 950],
        [137, 210, 362, 197, 906],
        [240, 151, 320, 305, 1016],
        [327, 238, 258, 143, 966],
        [170, 299, 384, 245, 1098],
        [1103, 1041, 1708, 1084, 4936],
    ]
    columns = ["anger", "joy", "neutral", "sadness"]
    np.testing.assert_array_equal(table[[*columns, "all"]].to_numpy(), expected)
    assert (table[columns].sum(axis=1) == table["all"]).all()
    assert (table.iloc[:5].sum() == table.loc["total"]).all()
    recipe = iemocap.RECIPES["iemocap-4936"]
    assert recipe.scheme == zhou_beigi.SCHEME and len(labels.scheme(recipe.scheme).classes) == 4
    of_class = {iemocap.LABELS[native]: n for native, n in recipe.native.items()}
    assert of_class == {
        "anger": 1103, "excitement": 1041, "neutral": 1708, "sadness": 1084
    }  # fmt: skip
    assert list(recipe.sessions.values()) == table["all"].tolist()[:5]
    assert iemocap.EXPECTED["hap"] == 595, "happy, as the text says, would be other counts"


def test_zhou_beigi_tables_2_and_3():
    layers = zhou_beigi.published_table(2)
    assert layers["accuracy"].tolist() == [0.634, 0.693, 0.667]
    assert layers["layer"].tolist() == ["prefinal", "13th TDNN layer", "12th TDNN layer"]
    third = zhou_beigi.published_table(3).set_index("system")
    own = third.loc[zhou_beigi.ROWS["asr-transfer"]]
    assert own.tolist() == [0.717, 0.653, 0.789, 0.711, 0.739, 0.693]
    assert third["mean"].tolist() == [0.717, 0.639, 0.688, 0.54]
    assert third.drop(index=own.name).filter(like="session").isna().all(axis=None)


def test_zhou_beigi_contradictions_hold_in_the_tables():
    said = zhou_beigi.contradictions().set_index("subject")
    layers = zhou_beigi.published().query("table == '2'").set_index("model")["value"]
    sessions = zhou_beigi.published_table(3).filter(like="session").iloc[0]
    assert layers.idxmax() == "tdnn13" and "12th has the best" in said.loc["best layer", "says"]
    assert layers.idxmin() == "prefinal", "so far the text is right"
    assert sessions.iloc[4] == layers["tdnn13"] and round(100 * sessions.mean(), 1) == 71.7
    with_12th = round(100 * (sessions.sum() - sessions.iloc[4] + layers["tdnn12"]) / 5, 1)
    assert f"it is {with_12th}" in said.loc["mean of table 3", "against"]
    assert with_12th == 71.2


def test_zhou_beigi_beside_ours():
    ours = summary(("rnnelm-target", "frozen")).assign(title=["RNN-ELM", "frozen TDNN"])
    chosen = {"target": "iemocap", "classes": range(4), "protocol": "speaker-groups"}
    rows = {"frozen": "asr-transfer", **zhou_beigi.NEAREST}
    found = zhou_beigi.beside_published(ours, rows=rows, **chosen).set_index("method")
    assert found["published"].tolist() == [0.717, 0.639, 0.688, 0.54]
    assert found["measured"].isna().tolist() == [False, False, True, True]
    assert found.loc["frozen", ["title", "difference"]].tolist() == ["frozen TDNN", "same corpus"]
    assert "whose UAR is .594" in found.loc["convlstm-target", "difference"]
    other = {"target": "ravdess", "classes": range(8), "protocol": "loso"}
    assert zhou_beigi.beside_published(ours, **other)["difference"].str.startswith("other corpora").all()
    difference = zhou_beigi.protocol_difference(range(8), "loso")
    assert "8 here (chance 0.12)" in difference and "leave one session out there, loso here" in difference
    assert set(zhou_beigi.NEAREST) <= {spec.name for spec in speech_rivals.SPECS}
    assert set(zhou_beigi.NEAREST.values()) <= set(zhou_beigi.ROWS)
    assert isinstance(plotting.plot_published(found.reset_index(), metric="UAR"), plotting.Figure)


def test_zhou_beigi_needs_iemocap():
    assert zhou_beigi.not_run(["ravdess"])["status"].tolist() == ["not run: iemocap not installed"]
    open_points = zhou_beigi.choices()
    assert list(open_points) == ["open", "printed", "where", "serlab", "why"]
    assert open_points["open"].is_unique and (open_points[["printed", "serlab"]] != "").all(axis=None)


# --- EmoBox ---


def test_emobox_figures_of_frozen_encoders_on_ravdess():
    cells = emobox.published()
    assert cells[["target", "method", "value"]].to_numpy().tolist() == [
        ["ravdess", "whisper-large-v3", 0.753],
        ["ravdess", "wavlm-large", 0.72],
    ]
    assert set(cells["method"]) == set(emobox.ENCODERS)


# --- all ---


@pytest.mark.parametrize("paper", [neumann_vu, durrani_arshad, baklouti, zhou_beigi])
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


def test_no_method_of_the_paper_gives_an_empty_table():
    summary = pd.DataFrame({"method": ["probe-target"], "title": ["probe"], "uar": [0.5]})
    table = zhou_beigi.beside_published(
        summary, target="ravdess", classes=["anger", "joy"], protocol="speaker-groups", rows={}
    )
    assert table.empty and "difference" in table
