"""Feature sets of openSMILE against openSMILE itself, and without it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile

from serlab import data, features
from serlab.errors import ParameterError
from serlab.features.opensmile_sets import EGEMAPS, IS10
from tests.features.made import RATE, voice

needs_opensmile = pytest.mark.skipif(find_spec("opensmile") is None, reason="openSMILE is an extra")


@needs_opensmile
@pytest.mark.parametrize(("name", "config", "n"), [("is10", "IS10", 1582), ("egemaps", "eGeMAPSv02", 88)])
def test_opensmile_sets_are_opensmiles_own_numbers(name, config, n):
    import opensmile

    direct = opensmile.Smile(opensmile.FeatureSet[config]).process_signal(voice(), RATE)
    chosen = features.get(name)
    assert chosen.names == tuple(direct.columns)
    assert len(chosen.names) == n
    assert np.array_equal(chosen.extract(voice()), direct.to_numpy()[0])


@needs_opensmile
def test_is10_has_the_feature_of_the_papers_figure_1():
    assert "pcm_loudness_sma_amean" in features.get("is10").names


@pytest.mark.parametrize("chosen", [IS10, EGEMAPS], ids=lambda chosen: chosen.name)
def test_without_opensmile_the_remedy_the_licence_and_the_free_set_are_named(chosen, monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    fresh = features.FeatureSet(**{name: getattr(chosen, name) for name in chosen.__dataclass_fields__})
    for use in (lambda: fresh.digest, lambda: fresh.names, lambda: fresh.extract(np.zeros(16_000))):
        with pytest.raises(
            ParameterError,
            match=rf"the feature set {chosen.name} needs opensmile: pip install 'serlab\[opensmile\]'\. "
            r"Its licence is for research only.*-p features=librosa",
        ):
            use()
    assert fresh.n_features in (88, 1582)
    assert {"is10", "egemaps"} <= {*features.describe().index}


def test_without_opensmile_other_sets_are_as_before(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    assert features.get("librosa").digest and len(features.get("logmel26").names) == 26


@needs_opensmile
@pytest.mark.shared
def test_is10_on_real_speech_equals_opensmile_on_the_file(shared, tmp_path):
    import opensmile

    paths = sorted((shared / "corpora/emodb/wav").glob("*.wav"))[:3]
    utterances = data.utterances([{"utterance": p.stem, "corpus": "emodb", "path": str(p)} for p in paths])
    found = features.extract(utterances, features="is10", cache=tmp_path)
    smile = opensmile.Smile(opensmile.FeatureSet.IS10)
    direct = np.vstack([smile.process_signal(*soundfile.read(p, dtype="float32")) for p in paths])
    assert np.array_equal(found.X.to_numpy(), direct)
    assert found.notes.empty and found.skipped.empty
