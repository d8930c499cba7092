"""EmoDB to URDU, notebook 01 as it stands, small models: the numbers of before the package was rebuilt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import experiment
from serlab.reporting import notebooks
from tests import remembered

REMEMBERED = remembered.DATA / "emodb_to_urdu_predictions.parquet"


@pytest.mark.shared
@pytest.mark.slow
def test_emodb_to_urdu_answers_as_before(shared):
    chosen = notebooks.complete(
        notebooks.find("01"), {"target": "urdu", "sources": ["emodb"], "data": str(shared / "corpora")}
    )
    outcome = experiment.Session(experiment.Parameters.from_names(chosen)).run(with_details=False)
    keys = ["method", "fold", "seed", "utterance"]
    before = pd.read_parquet(REMEMBERED).set_index(keys).sort_index()
    now = outcome.predictions.set_index(keys).sort_index()[before.columns]
    assert before.index.isin(now.index).all(), "controls that a run adds by itself come on top"
    now = now.loc[before.index]
    assert np.array_equal(now["y_true"], before["y_true"])
    assert (now["y_pred"] == before["y_pred"]).mean() > 0.95
    if not remembered.made_here():
        return
    probabilities = [name for name in before if name.startswith("p_")]
    np.testing.assert_allclose(now[probabilities], before[probabilities].astype(float), atol=2e-3)
