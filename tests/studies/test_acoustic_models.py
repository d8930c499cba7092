"""What stands for the speaker beside an acoustic model."""

from __future__ import annotations

import numpy as np

from serlab.studies import acoustic_models
from tests import toys


def test_voices_of_one_corpus_each_and_nobody_who_speaks_once():
    given = toys.on_encoder()
    rng = np.random.default_rng(1)
    voice = rng.normal(size=(4, 16))
    which = given.utterances["speaker"].astype("category").cat.codes.to_numpy()
    apart = voice[which] + 0.01 * rng.normal(size=(80, 16))
    table = acoustic_models.verification_table(
        given.utterances, {"good": apart, "noise": rng.normal(size=(80, 16))}
    )
    rates = table.set_index(["corpus", "representation"])["equal error rate"]
    assert (rates.xs("good", level=1) < 0.05).all() and (rates.xs("noise", level=1) > 0.4).all()
    assert table["of the same sex"].isna().all(), "no two speakers of one sex in a corpus"
