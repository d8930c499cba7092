"""Confounds of known size."""

from __future__ import annotations

import pytest

from serlab.corpora.design import speaker_emotion_confound
from tests.toys import utterance_table


def test_confound_of_independent_and_of_identical():
    independent = speaker_emotion_confound(utterance_table({"here": 4}))
    assert independent["explained"] == pytest.approx(0, abs=1e-12)
    assert independent["single"] == 0
    assert independent["lookup"] == independent["majority"] == pytest.approx(0.25)
    table = utterance_table({"here": 4})
    own = dict(zip([f"here/s{i}" for i in range(4)], ("neutral", "anger", "joy", "sadness"), strict=True))
    decided = speaker_emotion_confound(table[table["speaker"].map(own) == table["emotion"].astype(str)])
    assert decided == pytest.approx(
        {"speakers": 4, "single": 4, "explained": 1.0, "lookup": 1.0, "majority": 0.25}
    )
