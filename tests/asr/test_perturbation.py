"""Other speeds and volumes: rows beside the table, and MFCC as if the audio had been changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from serlab import features
from serlab.asr import perturbation


def test_other_speeds_are_rows_beside_the_table_but_not_of_those_held_out():
    table = pd.DataFrame(
        {"speaker": ["a", "b", "a"], "text": ["x", "y", "z"]},
        index=pd.Index(["1", "2", "3"], name="utterance"),
    )
    table.attrs["left_out"] = {"no transcript": 4}
    made = perturbation.with_speeds(table, (0.9, 1.1), held_out=["b"])
    assert made.index.tolist() == ["1", "2", "3", "1 speed-0.9", "3 speed-0.9", "1 speed-1.1", "3 speed-1.1"]
    assert made["augment"].tolist() == [""] * 3 + ["speed-0.9"] * 2 + ["speed-1.1"] * 2
    assert made.index.name == "utterance" and made.attrs == table.attrs and "augment" not in table
    pd.testing.assert_frame_equal(
        perturbation.with_speeds(table, (), held_out=[]).drop(columns="augment"), table
    )


def test_louder_mfcc_are_those_of_louder_audio():
    rng = np.random.default_rng(0)
    samples = (0.05 * rng.standard_normal(16_000)).astype(np.float32)
    compute = features.get("mfcc40").extract
    mfcc = compute(samples)[None]
    X = np.concatenate([mfcc, mfcc])
    X[1, 50:] = np.nan
    before = X.copy()
    louder = perturbation.louder(X, (0.5, 2.0), torch.Generator().manual_seed(3))
    factors = 0.5 + 1.5 * torch.rand(2, generator=torch.Generator().manual_seed(3)).numpy()
    expected = compute((samples * factors[0]).astype(np.float32))
    np.testing.assert_allclose(louder[0], expected, atol=2e-3)
    assert np.isnan(louder[1, 50:]).all() and louder.dtype == X.dtype
    np.testing.assert_array_equal(X, before)
    assert features.get("mfcc40").n_features == X.shape[2]


@pytest.mark.parametrize("volume", [(1.0, 1.0)])
def test_a_volume_of_one_changes_nothing(volume):
    X = np.ones((2, 3, 40), dtype=np.float32)
    np.testing.assert_array_equal(perturbation.louder(X, volume, torch.Generator()), X)
