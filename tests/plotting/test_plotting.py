"""Figures are checked through their tables, texts and marks, not pixel by pixel."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from serlab import plotting
from serlab.errors import ParameterError

FOUR = ("neutral", "anger", "joy", "sadness")
SEVEN = ("neutral", "anger", "disgust", "fear", "joy", "sadness", "surprise")


def utterances(corpora: dict[str, int], classes=FOUR, per_cell: int = 4) -> pd.DataFrame:
    """Corpus -> number of speakers; each has ``per_cell`` utterances of every class."""
    rows = [
        (f"{corpus}/{speaker}-{emotion}-{number}", corpus, f"{corpus}/S{speaker}", emotion)
        for corpus, n_speakers in corpora.items()
        for speaker, emotion, number in itertools.product(range(1, n_speakers + 1), classes, range(per_cell))
    ]
    table = pd.DataFrame(rows, columns=["utterance", "corpus", "speaker", "emotion"]).set_index("utterance")
    return table.assign(emotion=pd.Categorical(table["emotion"], categories=classes))


def features(table: pd.DataFrame, d: int = 6) -> pd.DataFrame:
    X = np.random.default_rng(0).normal(size=(len(table), d))
    return pd.DataFrame(X, index=table.index, columns=[f"f{i}" for i in range(d)])


def summary(n: int = 5, classes=FOUR) -> pd.DataFrame:
    access = list(plotting.ACCESS)
    table = pd.DataFrame(
        {
            "method": [f"m{i}" for i in range(n)],
            "title": [f"Method number {i}, with a title of some length" for i in range(n)],
            "access": [access[i % 4] for i in range(n)],
            "transductive": [i % 4 == 1 for i in range(n)],
            "badge": ["random split" if i == 0 else "" for i in range(n)],
            "uar": np.linspace(0.2, 0.8, n),
        }
    )
    table["uar_low"], table["uar_high"] = table["uar"] - 0.05, table["uar"] + 0.05
    return table.assign(**{f"recall_{name}": 0.5 for name in classes})


def comparison() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "method": ["a", "b", "c"],
            "baseline": "rf-target",
            "gain": [0.1, -0.2, 0.001],
            "gain_low": [0.05, -0.3, -0.1],
            "gain_high": [0.15, -0.1, 0.1],
            "p_holm": [0.0002, 0.01, 0.8],
            "verdict": ["helps", "hurts", "no difference shown"],
        }
    )


def predictions(methods=("m0",), classes=FOUR, n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "method": np.repeat(methods, n),
            "y_true": rng.integers(0, len(classes), n * len(methods)),
            "y_pred": rng.integers(0, len(classes), n * len(methods)),
        }
    )
    return table.assign(**{f"p_{name}": 1 / len(classes) for name in classes})


def texts(figure) -> str:
    """Everything written on a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text())


def width(figure) -> int:
    """Pixels."""
    return round(figure.get_figwidth() * figure.dpi)


def is_within_page(figure) -> bool:
    """Whether nothing that is drawn reaches over the edge (by 0.02 inch or more)."""
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return min(drawn.x0, drawn.y0) > -0.02 and drawn.x1 < width + 0.02 and drawn.y1 < height + 0.02


def test_figures_leave_no_trace_in_pyplot_and_show_themselves():
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    figure = plotting.plot_uar(summary())
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []
    bundle = figure._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["text/plain"] == "UAR per method"
    assert plotting.png(figure) == plotting.png(figure)


# --- corpora ---


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


# --- features ---


def test_feature_distribution_table_and_figure():
    table = utterances({"emodb": 2, "urdu": 2, "ravdess": 1})
    table = table[(table["corpus"] != "ravdess") | (table["emotion"] != "joy")]
    X = features(table)
    chosen = {"sources": ["emodb", "ravdess"], "target": "urdu"}
    described = plotting.feature_distribution_table(X, table, "f0", **chosen).set_index(["corpus", "emotion"])
    own = X.loc[(table["corpus"] == "emodb") & (table["emotion"] == "joy"), "f0"]
    assert described.loc[("emodb", "joy"), "n"] == len(own)
    assert described.loc[("emodb", "joy"), "median"] == pytest.approx(own.median())
    assert described.loc[("emodb", "joy"), "sd"] == pytest.approx(own.std())
    assert described.loc[("ravdess", "joy"), "n"] == 0
    assert np.isnan(described.loc[("ravdess", "joy"), "mean"])
    figure = plotting.plot_feature_distribution(X, table, "f0", **chosen)
    assert "joy  (n: urdu 8, emodb 8, ravdess 0)" in texts(figure)
    assert is_within_page(figure)


def test_a_constant_feature_and_seven_emotions_can_be_drawn():
    table = utterances({"a": 1, "b": 1}, SEVEN)
    figure = plotting.plot_feature_distribution(
        features(table).assign(f0=1.0), table, "f0", sources=["a"], target="b"
    )
    assert width(figure) <= 1000


def test_feature_figures_name_what_is_missing():
    table = utterances({"emodb": 1, "urdu": 1})
    X = features(table)
    with pytest.raises(ParameterError, match="'savee' has no utterances here; there are: emodb, urdu"):
        plotting.plot_feature_distribution(X, table, "f0", sources=["savee"], target="urdu")
    with pytest.raises(ParameterError, match="unknown feature 'F'; did you mean f0, f1, f2"):
        plotting.plot_feature_distribution(X, table, "F", sources=["emodb"], target="urdu")
    with pytest.raises(ParameterError, match="no utterance in common"):
        plotting.shift_table(X.rename(index=lambda name: f"x{name}"), table)


def test_most_shifted_features_agrees_with_scipy_and_ignores_label_prior():
    table = utterances({"a": 3, "b": 3})
    # Other shares of the emotions: without conditioning on emotion f5 would look shifted.
    table = table.drop(table.index[(table["corpus"] == "a") & (table["emotion"] == "anger")][4:])
    X = features(table)
    X["f5"] = table["emotion"].cat.codes.to_numpy() * 10.0
    X["f1"] = X["f1"].round()  # ties
    X.loc[table["corpus"] == "a", "f2"] += 3
    shifted = plotting.most_shifted_features(X, table, sources=["a"], target="b", n=6)
    assert shifted["feature"].iloc[0] == "f2"
    by_name = shifted.set_index("feature")
    assert by_name.loc["f5", "ks"] == 0
    assert np.isnan(by_name.loc["f5", "smd"])
    for name in ("f0", "f1", "f2"):
        ks, smd = [], []
        for emotion in FOUR:
            a, b = (X.loc[(table["corpus"] == c) & (table["emotion"] == emotion), name] for c in "ab")
            ks.append(stats.ks_2samp(a, b).statistic)
            pooled = ((len(a) - 1) * a.var() + (len(b) - 1) * b.var()) / (len(a) + len(b) - 2)
            smd.append((a.mean() - b.mean()) / np.sqrt(pooled))
        assert by_name.loc[name, "ks"] == pytest.approx(np.mean(ks))
        assert by_name.loc[name, "smd"] == pytest.approx(np.mean(smd))
    assert len(plotting.most_shifted_features(X, table, sources=["a"], target="b", n=2)) == 2


def test_shift_table_splits_variance_as_an_analysis_of_variance_does():
    table = utterances({"a": 2, "b": 2})
    X = pd.DataFrame(
        {
            "corpus": (table["corpus"] == "a") * 1.0,
            "noise": np.random.default_rng(0).normal(size=len(table)),
            "constant": 1.0,
        }
    )
    shares = plotting.shift_table(X, table)
    assert shares.loc[["PC1", "PC2"], "variance"].sum() == pytest.approx(1)  # two features vary
    noise = X["noise"]
    between = noise.groupby(table["corpus"]).transform("mean").var(ddof=0) / noise.var(ddof=0)
    assert shares.loc["all features", "corpus"] == pytest.approx((1 + between) / 2)
    points = plotting.shift_coordinates(X, table)
    assert list(points.index) == list(table.index)
    assert points["pc1"].var(ddof=0) == pytest.approx(2 * shares.loc["PC1", "variance"])
    assert is_within_page(plotting.plot_shift(X, table))


def test_shift_refuses_features_that_are_not_finite():
    table = utterances({"a": 1})
    X = features(table)
    X.iloc[3, 2] = np.nan
    with pytest.raises(ParameterError, match="'f2' is not finite"):
        plotting.plot_shift(X, table)


# --- results ---


def test_plot_uar_says_chance_badge_transductive_and_values():
    written = texts(plotting.plot_uar(summary(), title="emodb to urdu"))
    assert "UAR per method: emodb to urdu" in written
    assert "chance, 1/4 = 0.25" in written
    assert "[random split]" in written
    assert "transductive: saw the test utterances" in written
    assert "0.35 [0.30, 0.40]" in written


@pytest.mark.parametrize("n", [1, 20])
def test_plot_uar_of_one_and_of_twenty_methods(n):
    figure = plotting.plot_uar(summary(n))
    assert width(figure) == 900
    assert len(plotting.png(figure)) < 100_000
    assert is_within_page(figure)


def test_missing_intervals_and_values_are_said_not_drawn():
    table = summary(3, classes=("low", "high")).assign(uar_low=np.nan, uar_high=np.nan)
    table.loc[2, "uar"] = np.nan
    written = texts(plotting.plot_uar(table))
    assert "not run" in written and "0.50" in written and "[0" not in written
    assert "chance, 1/2 = 0.50" in written
    plotting.plot_uar(table[["method", "access", "uar"]], n_classes=2)  # the rest may be absent


def test_plot_gain_shows_sign_p_and_verdict_by_marker():
    figure = plotting.plot_gain(comparison(), titles={"rf-target": "Forest, target only"})
    written = texts(figure)
    for text in (
        "+0.10",
        "\N{MINUS SIGN}0.20",
        "0.00",
        "< .001",
        ".010",
        "hurts",
        "that of Forest, target only",
    ):
        assert text in written
    drawn = {line.get_marker(): line.get_color() for line in figure.axes[0].lines}
    assert drawn["v"] == plotting.VERDICTS["hurts"][0]
    assert drawn["^"] == plotting.VERDICTS["helps"][0]
    low, high = figure.axes[0].get_xlim()
    assert low == -high  # neither direction looks larger
    assert is_within_page(figure)


def test_plot_folds_counts_what_was_skipped():
    results = pd.DataFrame({"method": ["a"] * 3 + ["b"], "access": "none", "uar": [0.1, 0.5, np.nan, 0.4]})
    figure = plotting.plot_folds(results, titles={"a": "Method A"})
    assert "2 (1 skipped)" in texts(figure)
    assert "Method A" in texts(figure)
    assert "accuracy fold by fold" in texts(
        plotting.plot_folds(results.rename(columns={"uar": "accuracy"}), metric="accuracy")
    )


def test_confusion_table_counts_and_shares():
    table = pd.DataFrame(
        {"method": "m", "y_true": [0, 0, 1], "y_pred": [0, 1, 1], "p_low": 0.5, "p_high": 0.5}
    )
    table["p_none"] = 0.0  # a class that never occurs
    counted = plotting.confusion_table(table).set_index(["true", "predicted"])
    assert counted.loc[("low", "high"), "n"] == 1
    assert counted.loc[("low", "high"), "share"] == 0.5
    assert counted.loc[("high", "high"), "share"] == 1
    assert counted.loc["none", "share"].isna().all()
    assert counted["n"].sum() == 3
    assert "UAR 0.75" in texts(plotting.plot_confusions(table))


@pytest.mark.parametrize(("n", "classes"), [(1, ("low", "high")), (5, FOUR), (3, SEVEN)])
def test_plot_confusions_of_two_to_seven_classes(n, classes):
    figure = plotting.plot_confusions(predictions([f"m{i}" for i in range(n)], classes))
    assert sum(axes.get_visible() for axes in figure.axes) == n
    assert is_within_page(figure)


def test_plot_published_names_differences_and_what_was_not_run():
    table = pd.DataFrame(
        {
            "title": ["forest", "network", "other"],
            "published": [0.5, 0.4, 0.3],
            "measured": [0.6, 0.2, np.nan],
            "low": [0.5, 0.1, np.nan],
            "high": [0.7, 0.3, np.nan],
            "difference": ["other speakers", None, "other speakers"],
        }
    )
    figure = plotting.plot_published(table, chance=0.25, title="table 2")
    written = texts(figure)
    assert "forest (a)" in written and "other (a)" in written and "network (" not in written
    assert written.count("(a) other speakers") == 1
    assert "not run" in written and "chance, 0.25" in written
    assert is_within_page(figure)


def test_empty_tables():
    for plot in (plotting.plot_uar, plotting.plot_folds):
        with pytest.raises(ParameterError, match="no rows"):
            plot(pd.DataFrame())
    # These two are empty in good runs, so they say so instead.
    assert "Nothing to compare" in texts(plotting.plot_gain(pd.DataFrame()))
    assert "Nothing published" in texts(plotting.plot_published(pd.DataFrame()))
    assert "Skipped: none" in plotting.display_table(pd.DataFrame(columns=["fold"]), "Skipped").to_html()


def test_plot_utterance_of_any_length():
    for n in (100, 16000):
        figure = plotting.plot_utterance(np.zeros(n, dtype=np.float32), sample_rate=16000, title="silence")
        assert "frequency (Hz)" in texts(figure)


# --- tables ---


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
