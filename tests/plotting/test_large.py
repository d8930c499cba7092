"""A page of a large experiment stays readable and light: 100 methods, 200 speakers, 100,000 utterances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import plotting
from serlab.plotting import marks
from serlab.plotting.display import display_table
from serlab.plotting.style import png
from tests.plotting import made

N_METHODS, N_SPEAKERS = 100, 200


@pytest.fixture(scope="module")
def utterances() -> pd.DataFrame:
    """250 utterances of each class and speaker of a corpus of 100 speakers, and a smaller one."""
    table = made.utterances({"here": 100, "there": 100}, per_cell=1)
    return pd.concat([table] * 125, ignore_index=True).rename_axis("utterance")


def results() -> pd.DataFrame:
    """A row a method and tested speaker."""
    rng = np.random.default_rng(0)
    access = list(plotting.ACCESS)
    return pd.DataFrame(
        {
            "method": np.repeat([f"m{i}" for i in range(N_METHODS)], N_SPEAKERS),
            "access": np.repeat([access[i % 4] for i in range(N_METHODS)], N_SPEAKERS),
            "uar": rng.uniform(0.2, 0.9, N_METHODS * N_SPEAKERS),
        }
    )


def comparison() -> pd.DataFrame:
    table = pd.concat([made.comparison()] * 25, ignore_index=True)
    return table.assign(method=[f"m{i}" for i in range(len(table))])


def history() -> pd.DataFrame:
    parts = [
        pd.DataFrame({"method": f"m{i}", "fold": "a", "seed": 0, "stage": "source", "epoch": range(1, 11)})
        for i in range(N_METHODS)
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(loss=1.0 / table["epoch"], uar=table["epoch"] / 10)


@pytest.fixture(scope="module")
def figures(utterances) -> dict[str, plotting.Figure]:
    return {
        "counts": plotting.plot_counts(utterances),
        "uar": plotting.plot_uar(made.summary(N_METHODS)),
        "folds": plotting.plot_folds(results()),
        "gain": plotting.plot_gain(comparison()),
        "training": plotting.plot_training(history()),
    }


def test_a_page_of_figures_and_tables_is_below_three_megabytes(figures):
    assert max(figure.get_figheight() for figure in figures.values()) < 36
    tables = [made.summary(N_METHODS), comparison(), results(), results()]
    size = sum(4 / 3 * len(png(figure)) for figure in figures.values())
    size += sum(len(display_table(table).to_html()) for table in tables)
    assert size < 3e6


def test_what_has_no_room_is_said(figures):
    for name in ("uar", "folds", "gain"):
        assert "60 further rows, with lower values, are in the table" in made.texts(figures[name])
    finding = figures["uar"].finding
    assert "0.80" in finding and "60 further rows" in finding
    first = f"The first {marks.MOST_PANELS} of {N_METHODS} are shown"
    assert first in made.texts(figures["training"])


def test_the_highest_of_each_group_are_shown_in_their_order():
    table = pd.DataFrame({"value": np.arange(60.0), "group": ["a"] * 55 + ["b"] * 5})
    kept, note = marks.thinned(table, "value", groups=table["group"])
    assert kept["group"].value_counts().to_dict() == {"a": 35, "b": 5}
    assert kept["value"].tolist() == [*range(20, 55), *range(55, 60)]
    assert note.startswith("20 further rows")
    assert marks.thinned(table[:40], "value")[1] == ""


def test_a_long_table_scrolls_and_a_very_long_one_is_cut():
    short, long, longest = (
        display_table(pd.DataFrame({"a": range(n)}), "Rows").to_html() for n in (60, 300, 1000)
    )
    assert "overflow: auto" not in short and "overflow: auto" in long
    assert "Rows (the first 300 of 1000 rows)" in longest and longest.count("<tr>") == 301
    assert "of 300 rows" not in long


def test_points_of_a_projection_are_drawn_from_many():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(5000, 3)), columns=["e_1", "e_2", "e_3"])
    table = table.assign(method="a", fold="x", seed=0, utterance=[f"u{i}" for i in range(5000)])
    points = plotting.embedding_coordinates(table)
    assert len(points) == 4000 and points.index.is_unique
