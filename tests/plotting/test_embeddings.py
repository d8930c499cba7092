from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.errors import ParameterError
from tests.plotting.made import apart, embeddings, is_within_page, texts, utterances, width


def test_principal_components_of_a_plane_keep_distances():
    table = utterances({"x": 2})
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((len(table), 2))
    turned = plane @ np.linalg.qr(rng.standard_normal((5, 5)))[0][:2]
    points = plotting.embedding_coordinates(embeddings(table, turned)).to_numpy()
    expected = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points[None], axis=2), expected, atol=1e-10)


def test_tsne_parts_clusters_and_repeats():
    table = utterances({"x": 2})
    first = np.arange(len(table)) < len(table) / 2
    E = np.random.default_rng(0).standard_normal((len(table), 6)) + 20 * first[:, None]
    points = plotting.embedding_coordinates(embeddings(table, E), kind="tsne", seed=1)
    again = plotting.embedding_coordinates(embeddings(table, E), kind="tsne", seed=1)
    pd.testing.assert_frame_equal(points, again)
    distance = np.linalg.norm(points.to_numpy()[:, None] - points.to_numpy()[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (first[distance.argmin(axis=1)] == first).all()


def test_embedding_table_says_what_groups_account_for():
    table = utterances({"x": 2, "y": 2})
    E = np.column_stack([(table["corpus"] == "x") * 1.0, np.tile([1.0, -1.0], len(table) // 2)])
    found = plotting.embedding_table(embeddings(table, E), table, by=["corpus", "emotion"]).set_index("by")
    assert found.loc["corpus", "variance"] == pytest.approx(0.25 / (0.25 + 1))
    assert found.loc["emotion", "variance"] == pytest.approx(0)
    assert found.loc["corpus", "expected"] == pytest.approx(1 / (len(table) - 1))


def test_plot_embedding_takes_one_fit_and_the_units_of_its_method():
    table = utterances({"x": 2, "y": 20}, per_cell=1)
    rng = np.random.default_rng(0)
    wide = embeddings(table, rng.standard_normal((len(table), 6)), method="wide")
    narrow = embeddings(table, rng.standard_normal((len(table), 3)), method="narrow")
    both = pd.concat([wide, narrow, narrow.assign(fold="f1")], ignore_index=True)
    figure = plotting.plot_embedding(both, table, method="narrow", titles={"narrow": "Network N"})
    written = texts(figure)
    assert "Embeddings of Network N, fold f0, seed 0 (principal components)" in written
    assert "22 speakers" in written and "x (8)" in written
    assert width(figure) <= 1000 and is_within_page(figure)
    with pytest.raises(ParameterError, match="2 fits do not share a space"):
        plotting.embedding_coordinates(both[both["method"] == "narrow"])
    with pytest.raises(ParameterError, match="unknown projection 'umap'"):
        plotting.embedding_coordinates(narrow, kind="umap")
    with pytest.raises(ParameterError, match="3 embeddings are too few"):
        plotting.embedding_coordinates(narrow.iloc[:3])


def test_before_and_after_stand_in_rows_with_the_share_of_each_grouping():
    table = utterances({"x": 2, "y": 2})
    both = pd.concat([apart(table, "source", apart=5), apart(table, "mmd", apart=0)])
    given = {"before": "source", "after": "mmd", "titles": {"mmd": "With MMD"}}
    found = plotting.before_after_table(both, table, **given).set_index(["method", "by"])["variance"]
    assert found["source", "corpus"] > 0.8 and found["mmd", "corpus"] < 0.01
    assert found["mmd", "emotion"] > 0.9 > found["source", "emotion"]
    figure = plotting.plot_before_after(both, table, kind="pca", **given)
    written = texts(figure)
    assert len(figure.axes) == 4 and is_within_page(figure)
    for text in ("With MMD", "before", "after", f"by corpus: {found['source', 'corpus']:.0%} of variance"):
        assert text in written
    assert written.count("anger (") == 1, "one legend a column"


def test_before_and_after_are_of_the_same_fit():
    table = utterances({"x": 2, "y": 2})
    first, second = apart(table, "a", apart=1), apart(table, "a", apart=1, fold="f1")
    after = apart(table, "b", apart=1, fold="f1")
    figure = plotting.plot_before_after(
        pd.concat([first, second, after]), table, before="a", after="b", kind="pca"
    )
    assert "fold f1, seed 0" in texts(figure)
    for kept, given, message in (
        ([first, after], ("a", "b"), "no fold and seed in common"),
        ([first], ("a", "b"), "no embeddings of 'b' were kept; there are those of: a"),
        ([first], ("a", "a"), "choose two methods"),
    ):
        with pytest.raises(ParameterError, match=message):
            plotting.plot_before_after(pd.concat(kept), table, before=given[0], after=given[1])
    with pytest.raises(ParameterError, match="there are those of: none"):
        plotting.plot_before_after(pd.DataFrame(), table, before="a", after="b")


def test_before_and_after_by_tsne():
    table = utterances({"x": 1, "y": 1}, per_cell=2)
    both = pd.concat([apart(table, "a", apart=5), apart(table, "b", apart=0)])
    figure = plotting.plot_before_after(both, table, before="a", after="b", colour_by=["corpus"])
    assert "t-SNE" in texts(figure) and len(figure.axes) == 2
