"""What answers hang on, and what each kind adds to a variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.evaluation import units
from serlab.evaluation.intervals import Spread


def table() -> tuple[pd.DataFrame, pd.Series]:
    cells = pd.DataFrame(
        {"fold": ["x", "x", "y", "z"], "seed": [0, 1, 0, 0], "utterance": ["u0", "u0", "u1", "u0"]}
    )
    return cells, pd.Series({"u0": "y", "u1": "x"})


def test_a_subject_is_unit_of_what_was_learned_from_it_and_of_what_it_says():
    cells, speakers = table()
    found = units.units_of(cells, speakers, fold_is="subject")
    assert [(kind.kind, kind.n) for kind in found] == [("speaker", 3), ("seed", 2)]
    weights = np.array([1.0, 2.0, 4.0, 8.0])
    sums = found[0].sums(np.zeros(4, dtype=int), 1, weights)
    assert sums.ravel().tolist() == [1 + 2 + 4, 1 + 2 + 4 + 8, 8], "x, y, z"


def test_parts_are_no_units_and_draws_are():
    cells, speakers = table()
    assert [u.kind for u in units.units_of(cells, speakers)] == ["speaker", "seed"]
    assert [u.kind for u in units.units_of(cells, speakers, fold_is="draw")] == ["speaker", "fold", "seed"]
    one_seed = cells[cells["seed"] == 0]
    assert [u.kind for u in units.units_of(one_seed, speakers)] == ["speaker"]


def test_what_varies_with_both_is_counted_once():
    """Noise of each speaker in each draw, and no more: the variance is that of the mean of all cells."""
    rng = np.random.default_rng(0)
    n, draws = 40, 30
    cells = pd.DataFrame(
        {"fold": np.repeat(np.arange(draws), n), "seed": 0, "utterance": np.tile(np.arange(n), draws)}
    )
    kinds = units.units_of(cells, pd.Series(np.arange(n)), fold_is="draw")
    noise = rng.standard_normal(n * draws)
    found = units.spreads(kinds, np.zeros(n * draws, dtype=int), noise, chance=0.0)
    assert sum(part.variance for part in found) == pytest.approx(1 / (n * draws), rel=0.5)
    by_draw = np.repeat(rng.standard_normal(draws), n)
    found = units.spreads(kinds, np.zeros(n * draws, dtype=int), by_draw, chance=0.0)
    assert found[0].variance == pytest.approx(0, abs=1e-12)
    assert found[1] == Spread(pytest.approx(by_draw.var() / (draws - 1)), pytest.approx(draws - 1))
