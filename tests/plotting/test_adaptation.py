"""Figures of adaptation are checked through their tables, texts and lines."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from serlab.plotting import adaptation
from tests.plotting.test_plotting import FOUR, is_within_page, predictions, texts, utterances, width


def embeddings(table: pd.DataFrame, method: str, *, apart: float, fold: str = "f0") -> pd.DataFrame:
    """Classes lie apart by 1 on the first axis, corpora by ``apart`` on the second."""
    rng = np.random.default_rng(0)
    E = rng.normal(scale=0.1, size=(len(table), 3))
    E[:, 0] += table["emotion"].cat.codes
    E[:, 1] += apart * (table["corpus"] == table["corpus"].iloc[0])
    key = {"method": method, "fold": fold, "seed": 0, "utterance": table.index}
    return pd.DataFrame(E, columns=["e_1", "e_2", "e_3"]).assign(**key)


def history(**terms: tuple[str, ...]) -> pd.DataFrame:
    """Method -> terms; term number i of fold f is i + f + 1/epoch."""
    rows = [
        {"method": method, "fold": fold, "seed": 0, "stage": "adaptation", "epoch": epoch, "loss": 1.0,
         **{f"loss_{name}": number + fold + 1 / epoch for number, name in enumerate(names)}}
        for method, names in terms.items()
        for fold, epoch in itertools.product(range(3), range(1, 6))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def shift(**methods: dict[str, float]) -> pd.DataFrame:
    """Method -> layer -> A-distance; two fits that differ by .2, the first one told apart."""
    rows = [
        {"method": method, "fold": fold, "seed": 0, "layer": layer, "mmd2": distance / 10,
         "p": 0.01 + fold * 0.5, "a_distance": distance + 0.2 * fold, "n_source": 40, "n_target": 40}
        for method, layers in methods.items()
        for layer, distance in layers.items()
        for fold in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def summary(*methods: str) -> pd.DataFrame:
    uar = np.linspace(0.4, 0.6, len(methods))
    return pd.DataFrame({"method": methods, "uar": uar, "uar_low": uar - 0.05, "uar_high": uar + 0.05})


def sweep(uar: dict[float, float], score: dict[float, float], *, method: str = "m") -> pd.DataFrame:
    """Two fits with the same curve and the same score of one selector."""
    rows = [
        {"method": method, "title": f"Method {method}", "trade_off": value, "fold": fold, "seed": 0,
         "uar": uar[value], "source_validation": score[value], "entropy": np.nan}
        for value, fold in itertools.product(uar, ("f0", "f1"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def runs(n_methods: int, *, n_corpora: int = 3) -> pd.DataFrame:
    """All ordered pairs; the first method is the worst everywhere."""
    rows = [
        {"run": f"{a} to {b}", "source": a, "target": b, "method": f"m{i}", "title": f"Method {i}",
         "uar": 0.3 + 0.02 * i, "uar_low": 0.2, "uar_high": 0.8, "gain": 0.01 * i if i else np.nan,
         "gain_low": -0.1, "gain_high": 0.2, "verdict": "helps" if i == n_methods - 1 else np.nan}
        for a, b in itertools.permutations("abcde"[:n_corpora], 2)
        for i in range(n_methods)
    ]  # fmt: skip
    return pd.DataFrame(rows)


# --- representations ---


def test_before_and_after_stand_in_rows_with_the_share_of_each_grouping():
    table = utterances({"x": 2, "y": 2})
    both = pd.concat([embeddings(table, "source", apart=5), embeddings(table, "mmd", apart=0)])
    given = {"before": "source", "after": "mmd", "titles": {"mmd": "With MMD"}}
    found = adaptation.before_after_table(both, table, **given).set_index(["method", "by"])["variance"]
    assert found["source", "corpus"] > 0.8 and found["mmd", "corpus"] < 0.01
    assert found["mmd", "emotion"] > 0.9 > found["source", "emotion"]
    figure = adaptation.plot_before_after(both, table, kind="pca", **given)
    written = texts(figure)
    assert len(figure.axes) == 4 and is_within_page(figure)
    for text in ("With MMD", "before", "after", f"by corpus: {found['source', 'corpus']:.0%} of variance"):
        assert text in written
    assert written.count("anger (") == 1, "one legend a column"


def test_before_and_after_are_of_the_same_fit():
    table = utterances({"x": 2, "y": 2})
    first, second = embeddings(table, "a", apart=1), embeddings(table, "a", apart=1, fold="f1")
    after = embeddings(table, "b", apart=1, fold="f1")
    figure = adaptation.plot_before_after(
        pd.concat([first, second, after]), table, before="a", after="b", kind="pca"
    )
    assert "fold f1, seed 0" in texts(figure)
    for kept, given, message in (
        ([first, after], ("a", "b"), "no fold and seed in common"),
        ([first], ("a", "b"), "no embeddings of 'b' were kept; there are those of: a"),
        ([first], ("a", "a"), "choose two methods"),
    ):
        with pytest.raises(ParameterError, match=message):
            adaptation.plot_before_after(pd.concat(kept), table, before=given[0], after=given[1])
    with pytest.raises(ParameterError, match="there are those of: none"):
        adaptation.plot_before_after(pd.DataFrame(), table, before="a", after="b")


def test_before_and_after_by_tsne():
    table = utterances({"x": 1, "y": 1}, per_cell=2)
    both = pd.concat([embeddings(table, "a", apart=5), embeddings(table, "b", apart=0)])
    figure = adaptation.plot_before_after(both, table, before="a", after="b", colour_by=["corpus"])
    assert "t-SNE" in texts(figure) and len(figure.axes) == 2


# --- losses ---


def test_every_term_of_the_loss_has_a_panel_with_fits_and_mean():
    table = history(a=("classification", "alignment"), b=("classification",))
    source = table.assign(stage="source", loss_classification=np.nan, loss_alignment=np.nan)
    figure = adaptation.plot_loss_terms(pd.concat([source, table]), titles={"a": "With MMD"})
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_ylabel() for axes in shown] == ["classification", "alignment", "classification"]
    thick = [line for line in shown[1].lines if line.get_linewidth() > 2]
    np.testing.assert_allclose(thick[0].get_ydata(), 1 + 1 + 1 / np.arange(1, 6))
    assert len(shown[1].lines) == 4 and "With MMD (3 fits)" in texts(figure) and width(figure) == 900


def test_without_terms_or_layers_figures_say_so():
    assert "No method" in texts(adaptation.plot_loss_terms(pd.DataFrame()))
    plain = history(a=()).assign(loss_alignment=np.nan)
    assert "No method" in texts(adaptation.plot_loss_terms(plain))
    assert "No method" in texts(adaptation.plot_shift_change(pd.DataFrame(), summary("a")))


# --- shift ---


def test_shift_stands_beside_uar():
    table = shift(source={"hidden": 1.8, "output": 1.6}, mmd={"hidden": 0.2, "pool5": 1.0})
    found = adaptation.shift_change_table(
        table, summary("source", "mmd", "forest"), titles={"mmd": "With MMD"}
    )
    assert found[["method", "layer"]].to_numpy().tolist() == [
        ["source", "hidden"], ["source", "output"], ["mmd", "hidden"], ["mmd", "pool5"]
    ]  # fmt: skip
    row = found.iloc[2]
    assert (row["title"], row["n_fits"], row["differs"]) == ("With MMD", 2, 0.5)
    assert row[["a_distance", "a_distance_low", "a_distance_high", "mmd2", "uar"]].tolist() == pytest.approx(
        [0.3, 0.2, 0.4, 0.02, 0.5]
    )
    figure = adaptation.plot_shift_change(table, summary("source", "mmd"), titles={"mmd": "With MMD"})
    written = texts(figure)
    assert "0.020*" in written and "1.90" in written and plotting.MISSING in written
    assert "With MMD" in written and is_within_page(figure)


def test_a_test_that_could_not_be_made_is_not_counted():
    table = shift(m={"hidden": 1.0})
    table.loc[0, "p"] = np.nan
    assert adaptation.shift_change_table(table, summary("m"))["differs"].tolist() == [0]
    table["p"] = np.nan
    assert adaptation.shift_change_table(table, summary("m"))["differs"].isna().all()
    assert "*\n" not in texts(adaptation.plot_shift_change(table, summary("m")))


# --- choice of the trade-off ---


def test_what_is_chosen_and_how_far_it_is_from_the_oracle():
    table = sweep({0: 0.5, 0.1: 0.7, 1: 0.6}, {0: 0.1, 0.1: 0.2, 1: 0.9})
    assert adaptation.selectors(table) == ["source_validation"], "a score that is never known is none"
    chosen = adaptation.chosen_table(table)
    assert chosen.groupby("selector")["trade_off"].agg(list).to_dict() == {
        "source_validation": [1, 1],
        "oracle": [0.1, 0.1],
    }
    found = adaptation.selector_table(table).set_index("selector")
    row = found.loc["source_validation", ["most_chosen", "uar", "uar_oracle", "gap", "gap_random", "n_fits"]]
    assert row.tolist() == pytest.approx([1, 0.6, 0.7, 0.1, 0.1, 2])
    assert found.loc["oracle", "gap"] == 0


def test_choices_are_made_fit_by_fit_and_ties_go_to_the_smaller_trade_off():
    table = sweep({0: 0.5, 1: 0.6}, {1: 0.3, 0: 0.3})
    table.loc[(table["fold"] == "f1") & (table["trade_off"] == 0), "source_validation"] = 0.1
    chosen = adaptation.chosen_table(table.iloc[::-1]).query("selector == 'source_validation'")
    assert chosen.set_index("fold")["trade_off"].to_dict() == {"f0": 0, "f1": 1}
    table.loc[table["fold"] == "f0", "source_validation"] = np.nan
    assert adaptation.selector_table(table).set_index("selector")["n_fits"].to_dict() == {
        "source_validation": 1,
        "oracle": 2,
    }


def test_sweep_has_a_panel_a_method_and_a_place_for_zero():
    parts = [
        sweep({0: 0.5, 0.1: 0.7, 1: 0.6}, {0: 0.1, 0.1: 0.2, 1: 0.9}, method=name) for name in ("a", "b", "c")
    ]
    figure = adaptation.plot_sweep(pd.concat(parts), chance=0.25)
    written = texts(figure)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 6 and is_within_page(figure)
    for text in ("Method c", "source validation", "oracle", "lambda 0: no alignment", "chance, 0.25"):
        assert text in written
    line = shown[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [-2, -1, 0])
    np.testing.assert_allclose(line.get_ydata(), [0.5, 0.7, 0.6])
    only_zero = sweep({0: 0.5}, {0: 0.1})
    assert isinstance(adaptation.plot_sweep(only_zero), plotting.Figure)


# --- answers ---


def test_per_class_measures_by_hand():
    rows = [
        ("m", "f0", 0, 0, 0), ("m", "f0", 0, 0, 1), ("m", "f1", 0, 1, 1), ("m", "f1", 0, 1, 1),
        ("m", "f0", 1, 0, 0), ("m", "f0", 1, 0, 0), ("m", "f1", 1, 1, 0), ("m", "f1", 1, 1, 0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "fold", "seed", "y_true", "y_pred"])
    found = adaptation.per_class_table(table, ["a", "b", "c"], titles={"m": "M"}).set_index("measure")
    assert found["title"].tolist() == ["M"] * 3
    # Seed 0: a is right in 1 of 2, b in 2 of 2; seed 1 always answers a.
    assert found.loc["recall", ["a", "b"]].tolist() == [0.75, 0.5]
    assert found.loc["precision", ["a", "b"]].tolist() == pytest.approx([0.75, 2 / 3])
    assert found.loc["F1", ["a", "b"]].tolist() == pytest.approx([2 / 3, (0.8 + 0) / 2])
    assert found["c"].isna().all() and found.loc["recall", "mean"] == 0.625


def test_mean_recall_is_the_uar():
    from serlab import metrics

    table = predictions(("a", "b")).assign(fold="f", seed=0)
    found = adaptation.per_class_table(table, FOUR).query("measure == 'recall'").set_index("method")["mean"]
    own = table[table["method"] == "b"]
    assert found["b"] == pytest.approx(float(metrics.uar(metrics.confusion(own["y_true"], own["y_pred"], 4))))


# --- many runs ---


def test_ranks_show_every_method_and_what_is_not_told_apart():
    figure = adaptation.plot_ranks(runs(5), title="arousal")
    written = texts(figure)
    assert "rank by UAR in each of 6 runs" in written and ": arousal" in written
    assert "not told apart (Holm)" in written and is_within_page(figure)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"Method {i}" for i in (4, 3, 2, 1, 0)], "best first"
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() > 3]
    assert [tuple(bar.get_ydata()) for bar in bars] == [(-0.25, 2.25), (0.75, 3.25), (1.75, 4.25)]


@pytest.mark.parametrize("value", ["uar", "gain"])
def test_twenty_methods_on_six_pairs_are_one_readable_picture(value):
    figure = adaptation.plot_methods_by_run(runs(20), value)
    written = texts(figure)
    cells = figure.axes[0].texts
    assert len(cells) == (120 if value == "uar" else 114), "the baseline has no gain"
    assert min(text.get_fontsize() for text in cells) >= 8 and is_within_page(figure)
    boxes = [text.get_window_extent() for text in cells[: 6 * 2]]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert "▲ helps" in written and "a\nto b" in written


def test_without_gains_there_is_no_picture_of_them():
    assert adaptation.plot_methods_by_run(runs(3).assign(gain=np.nan), "gain") is None
    assert adaptation.plot_methods_by_run(runs(3).drop(columns="gain"), "gain") is None
