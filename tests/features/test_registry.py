"""What holds for every feature set, and what is said of them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from serlab import audio, features
from serlab.features import FEATURE_SETS
from tests.features.made import RATE, corpus, voice


@pytest.mark.parametrize("name", FEATURE_SETS)
class TestEveryFeatureSet:
    @pytest.fixture(autouse=True)
    def library(self, name):
        for library in features.get(name).libraries:
            pytest.importorskip(library)

    def test_stated_number_of_features_is_the_librarys(self, name):
        assert features.get(name).n_features == len(features.get(name).names)

    def test_says_what_it_is(self, name):
        chosen = features.get(name)
        assert chosen.name == name
        assert chosen.title and chosen.version and chosen.license and chosen.reference
        assert (chosen.frame_shift is None) == (chosen.kind == "vectors")

    def test_names_are_unique(self, name):
        names = features.get(name).names
        assert len(set(names)) == len(names)

    @pytest.mark.parametrize(
        "samples",
        [
            voice(),
            voice(seconds=audio.SHORTEST),
            np.random.default_rng(1).uniform(-0.9, 0.9, RATE // 2).astype(np.float32),
            np.concatenate([np.zeros(3000), voice(), np.zeros(3000)]).astype(np.float32),
            np.eye(1, RATE // 2, 4000, dtype=np.float32)[0] * 0.9,  # a click in digital silence
        ],
        ids=["voice", "shortest", "noise", "between silence", "click"],
    )
    def test_finite_deterministic_and_of_known_length(self, name, samples):
        chosen = features.get(name)
        before = samples.copy()
        with warnings.catch_warnings(action="error"):
            first = chosen.extract(samples)
        n_names = len(chosen.names)
        if chosen.kind == "frames":
            n_frames = 1 + len(samples) // round(chosen.frame_shift * RATE)
            # Some sets keep only the frames that hold speech.
            known = range(1, n_frames + 1) if name.startswith("speech") else (n_frames,)
            assert len(first) in known and first.shape[1] == n_names
        else:
            assert first.shape == (n_names,)
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        assert np.array_equal(first, chosen.extract(samples))
        assert np.array_equal(samples, before)

    def test_result_does_not_depend_on_threads(self, name, tmp_path):
        utterances = corpus(tmp_path / "corpus", n=6)
        one = features.extract(utterances, features=name, cache=tmp_path / "one", jobs=1)
        four = features.extract(utterances, features=name, cache=tmp_path / "four", jobs=4)
        assert list(one.X.index) == list(four.X.index) == list(utterances.index)
        assert tuple(one.X.columns) == tuple(four.X.columns) == features.get(name).names
        assert np.array_equal(one.X.to_numpy(), four.X.to_numpy(), equal_nan=True)


def test_table_of_feature_sets_states_the_licences():
    table = features.describe()
    assert list(table.index[table["license"].str.contains("research")]) == ["is10", "egemaps"]
    assert list(table.index[table["kind"] == "vectors"]) == ["is10", "egemaps", "librosa"]
