"""Feature sets by name: what is said of them without computing, and without what computes them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from serlab import features
from serlab.errors import ParameterError
from serlab.features import FEATURE_SETS
from serlab.features.opensmile_sets import EGEMAPS, IS10


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_stated_number_of_features_is_the_librarys(name):
    if name in ("is10", "egemaps"):
        pytest.importorskip("opensmile")
    assert features.get(name).n_features == len(features.get(name).names)


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
