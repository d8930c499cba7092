"""Figures are checked through their tables, texts and lines, not pixel by pixel."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from serlab.plotting import networks
from tests.plotting.test_plotting import is_within_page, texts, utterances, width


def history(epochs: dict[tuple[str, str], int], *, folds: int = 3, validation: bool = False) -> pd.DataFrame:
    """(method, stage) -> epochs; the loss of fold f in epoch e is f + 1/e."""
    rows = [
        {"method": method, "fold": fold, "seed": 0, "stage": stage, "epoch": epoch, "loss": fold + 1 / epoch,
         "uar": 1 - 0.5 / epoch}
        for (method, stage), n in epochs.items()
        for fold, epoch in itertools.product(range(folds), range(1, n + 1))
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(validation_loss=table["loss"] + 1, validation_uar=0.5) if validation else table


def attention(
    *weights: list[float], names: list[str], method: str = "m", part: str = "train"
) -> pd.DataFrame:
    table = pd.DataFrame(weights, columns=[f"a_{i + 1}" for i in range(len(weights[0]))])
    return table.assign(method=method, fold="f0", seed=0, utterance=names, part=part)


def embeddings(table: pd.DataFrame, E: np.ndarray, method: str = "m") -> pd.DataFrame:
    columns = [f"e_{i + 1}" for i in range(E.shape[1])]
    key = {"method": method, "fold": "f0", "seed": 0, "utterance": table.index}
    return pd.DataFrame(E, columns=columns).assign(**key)


def few_shot(**curves: dict[int, float]) -> pd.DataFrame:
    """Method -> shots -> UAR; bands of .02 to either side."""
    rows = [
        {"method": name, "title": f"Method {name}", "shots": shots, "uar": uar, "uar_low": uar - 0.02,
         "uar_high": uar + 0.02, "n_draws": 3}
        for name, curve in curves.items()
        for shots, uar in curve.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


# --- training ---


def test_training_shows_every_fit_and_their_mean():
    figure = networks.plot_training(history({("a", "target"): 4}, validation=True), titles={"a": "Network A"})
    loss, uar = figure.axes
    assert len(loss.lines) == len(uar.lines) == 2 * (3 + 1)
    thick = [line for line in loss.lines if line.get_linewidth() > 2]
    np.testing.assert_allclose(thick[0].get_ydata(), 1 + 1 / np.arange(1, 5))
    np.testing.assert_allclose(thick[1].get_ydata(), 2 + 1 / np.arange(1, 5))
    assert "Network A (3 fits)" in texts(figure) and "validation" in texts(figure)


def test_training_mean_ends_where_most_fits_have_stopped():
    table = history({("a", "target"): 6})
    table = table[(table["fold"] == 0) | (table["epoch"] <= 2)]
    mean = networks.plot_training(table).axes[0].lines[-1]
    assert list(mean.get_xdata()) == [1, 2]


def test_training_has_a_row_a_stage():
    figure = networks.plot_training(history({("a", "source"): 5, ("a", "target"): 1, ("b", "target"): 5}))
    written = texts(figure)
    assert "a, source (3 fits)" in written and "a, target (3 fits)" in written and "b (3 fits)" in written
    assert "validation" not in written
    assert len(figure.axes) == 6 and width(figure) == 900 and is_within_page(figure)


def test_without_networks_figures_say_so():
    nothing = pd.DataFrame()
    table = utterances({"a": 1})
    assert "No method" in texts(networks.plot_training(nothing))
    assert "No method" in texts(networks.plot_attention_positions(nothing, table))
    assert "No embeddings of m" in texts(networks.plot_embedding(nothing, table, method="m"))
    assert networks.attention_table(nothing, table).empty


# --- attention ---


def test_largest_weight_by_position_and_what_durations_alone_give():
    table = utterances({"x": 1}).iloc[:4].assign(duration=[1.0, 2.0, 3.0, 4.0])
    weights = attention(
        [1, np.nan, np.nan], [0.2, 0.8, np.nan], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4], names=list(table.index)
    )
    found = networks.attention_positions(weights, table).set_index("position")
    assert found["share"].tolist() == [0.5, 0.25, 0.25]
    np.testing.assert_allclose(found["by_chance"], [(1 + 1 / 2 + 2 / 3) / 4, (1 / 2 + 2 / 3) / 4, 2 / 3 / 4])
    assert found["n_utterances"].tolist() == [4, 4, 4]
    row = networks.attention_table(weights, table, titles={"m": "Network"}).iloc[0]
    assert row["peaked"] == pytest.approx(2 / 3), "of three with two weights or more, .6 and .85 lead by .5"
    assert row["n_single"] == 1 and row["first"] == 0.5 and row["median_duration"] == 2.5
    assert row["first_by_chance"] == pytest.approx(found["by_chance"].iloc[0])
    assert row["title"] == "Network"


def test_attention_is_apart_for_each_corpus_method_and_part():
    table = utterances({"x": 1, "y": 1}).assign(duration=1.0)
    names = list(table.index)
    both = pd.concat(
        [
            attention(*[[0.9, 0.1]] * len(names), names=names, method="a"),
            attention(*[[0.1, 0.9]] * len(names), names=names, method="b"),
            attention(*[[0.5, 0.5]] * len(names), names=names, method="b", part="test"),
        ]
    )
    found = networks.attention_table(both, table).set_index(["method", "corpus"])
    assert found.loc[("a", "x"), "first"] == 1 and found.loc[("b", "y"), "first"] == 0
    assert found["peaked"].eq(1).all()
    assert networks.attention_table(both, table, part="test")["peaked"].eq(0).all()
    figure = networks.plot_attention_positions(both, table, titles={"a": "Network A"})
    assert "Network A\nx: 16 utterances, 1 fit" in texts(figure)
    assert sum(axes.get_visible() for axes in figure.axes) == 4 and is_within_page(figure)
    with pytest.raises(ParameterError, match="'test'; there is: train"):
        networks.plot_attention_positions(both[both["part"] == "train"], table, part="test")


def test_weights_are_taken_in_the_order_of_their_numbers():
    table = pd.DataFrame(columns=["a_10", "a_2", "a_1", "a_x", "b_1"])
    assert networks.numbered(table, "a") == ["a_1", "a_2", "a_10"]


# --- embeddings ---


def test_principal_components_of_a_plane_keep_distances():
    table = utterances({"x": 2})
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((len(table), 2))
    turned = plane @ np.linalg.qr(rng.standard_normal((5, 5)))[0][:2]
    points = networks.embedding_coordinates(embeddings(table, turned)).to_numpy()
    expected = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points[None], axis=2), expected, atol=1e-10)


def test_tsne_parts_clusters_and_repeats():
    table = utterances({"x": 2})
    first = np.arange(len(table)) < len(table) / 2
    E = np.random.default_rng(0).standard_normal((len(table), 6)) + 20 * first[:, None]
    points = networks.embedding_coordinates(embeddings(table, E), kind="tsne", seed=1)
    again = networks.embedding_coordinates(embeddings(table, E), kind="tsne", seed=1)
    pd.testing.assert_frame_equal(points, again)
    distance = np.linalg.norm(points.to_numpy()[:, None] - points.to_numpy()[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (first[distance.argmin(axis=1)] == first).all()


def test_embedding_table_says_what_groups_account_for():
    table = utterances({"x": 2, "y": 2})
    E = np.column_stack([(table["corpus"] == "x") * 1.0, np.tile([1.0, -1.0], len(table) // 2)])
    found = networks.embedding_table(embeddings(table, E), table, by=["corpus", "emotion"]).set_index("by")
    assert found.loc["corpus", "variance"] == pytest.approx(0.25 / (0.25 + 1))
    assert found.loc["emotion", "variance"] == pytest.approx(0)
    assert found.loc["corpus", "expected"] == pytest.approx(1 / (len(table) - 1))


def test_plot_embedding_takes_one_fit_and_the_units_of_its_method():
    table = utterances({"x": 2, "y": 20}, per_cell=1)
    rng = np.random.default_rng(0)
    wide = embeddings(table, rng.standard_normal((len(table), 6)), method="wide")
    narrow = embeddings(table, rng.standard_normal((len(table), 3)), method="narrow")
    both = pd.concat([wide, narrow, narrow.assign(fold="f1")], ignore_index=True)
    figure = networks.plot_embedding(both, table, method="narrow", titles={"narrow": "Network N"})
    written = texts(figure)
    assert "Embeddings of Network N, fold f0, seed 0 (principal components)" in written
    assert "22 speakers" in written and "x (8)" in written
    assert width(figure) <= 1000 and is_within_page(figure)
    with pytest.raises(ParameterError, match="2 fits do not share a space"):
        networks.embedding_coordinates(both[both["method"] == "narrow"])
    with pytest.raises(ParameterError, match="unknown projection 'umap'"):
        networks.embedding_coordinates(narrow, kind="umap")
    with pytest.raises(ParameterError, match="3 embeddings are too few"):
        networks.embedding_coordinates(narrow.iloc[:3])


# --- few-shot curves ---


def test_few_shot_numbers_stand_at_equal_distances():
    table = few_shot(target={1: 0.5, 50: 0.8}, pooled={0: 0.6, 1: 0.62, 50: 0.75})
    figure = networks.plot_few_shot(table, chance=0.5, title="x to y")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "50"]
    by_title = {line.get_label(): line for line in axes.lines}
    assert list(by_title["Method target"].get_xdata()) == [1, 2]
    assert list(by_title["Method pooled"].get_ydata()) == [0.6, 0.62, 0.75]
    assert "chance, 0.50" in texts(figure) and is_within_page(figure)


def test_break_even_is_where_the_target_alone_catches_up():
    table = few_shot(
        target={1: 0.50, 5: 0.60, 10: 0.70, 50: 0.80},
        early={0: 0.62, 1: 0.63, 5: 0.60, 10: 0.65, 50: 0.65},
        late={0: 0.61, 1: 0.62, 5: 0.66, 10: 0.70, 50: 0.79},
        never={1: 0.40, 5: 0.50, 10: 0.60, 50: 0.70},
        beyond={1: 0.55, 5: 0.65, 10: 0.75, 50: 0.85},
    )
    found = networks.break_even(table, baseline="target").set_index("method")
    assert found["says"].to_dict() == {
        "": "beyond 50 per class",
        "early": "5 per class",
        "late": "10 per class",
        "never": "source never helps",
        "beyond": "beyond 50 per class",
    }
    assert found.loc["late", "break_even"] == 10 and np.isnan(found.loc["beyond", "break_even"])
    assert found.loc["late", "clear_up_to"] == 5 and found.loc["early", "clear_up_to"] == 1
    assert np.isnan(found.loc["never", "clear_up_to"])
    assert found.loc["early", ["largest_gain", "at_shots"]].tolist() == pytest.approx([0.13, 1])
    without = networks.break_even(table[table["method"] != "beyond"], baseline="target").set_index("method")
    assert without.loc["", "break_even"] == 10, "early is best first, then late"


def test_break_even_needs_its_baseline_but_no_source():
    table = few_shot(target={1: 0.5})
    assert networks.break_even(table, baseline="target").empty
    with pytest.raises(ParameterError, match="'svm' has no few-shot curve; there are: target"):
        networks.break_even(table, baseline="svm")


# --- confounds ---


def test_confounds_stand_side_by_side():
    row = {"metric": "UAR", "value": 0.8, "low": 0.7, "high": 0.9, "chance": 0.25}
    table = pd.DataFrame(
        [
            {**row, "measure": "random split", "title": "Network"},
            {**row, "measure": "speaker-disjoint split", "title": "Network", "value": 0.4},
            {**row, "measure": "speaker recognised", "metric": "accuracy", "low": np.nan},
        ]
    )
    figure = networks.plot_confounds(table, title="urdu")
    written = texts(figure)
    assert "random split\nNetwork" in written and "0.80 [0.70, 0.90]" in written
    assert "accuracy" in written and "What the score rests on: urdu" in written
    bars = [patch for patch in figure.axes[0].patches if patch.get_fill()]
    assert [bar.get_width() for bar in bars] == [0.8, 0.4, 0.8]
    assert len({bar.get_hatch() for bar in bars}) == 3
    assert is_within_page(figure)


def test_empty_tables_are_refused():
    for plot in (networks.plot_few_shot, networks.plot_confounds):
        with pytest.raises(ParameterError, match="no rows"):
            plot(pd.DataFrame())


def test_figures_leave_no_trace_in_pyplot():
    from matplotlib import pyplot

    figure = networks.plot_few_shot(few_shot(target={1: 0.5}))
    assert isinstance(figure, plotting.Figure) and pyplot.get_fignums() == []
