"""Wrong parameters are told of before anything is started."""

from __future__ import annotations

import pytest

from serlab import data
from serlab.errors import ParameterError, ProtocolError
from serlab.experiment import checks

ASKED = {"target": "b", "sources": ["a"], "features": "librosa", "methods": ["rf-source"], "seeds": [0]}


def test_a_notebook_without_methods_is_no_experiment() -> None:
    assert checks.is_experiment(ASKED)
    assert not checks.is_experiment({"target": "b"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["vgg16-source"], "weights": "no/such.pt"}, "'weights': there is no file of weights"),
        ({"methods": ["tdnn-frozen-source"], "acoustic_model": "nowhere"}, "'acoustic_model': there is no"),
        ({"methods": ["probe-source"], "encoder": "nowhere"}, "there is no encoder 'nowhere'"),
        ({"features": "librsa"}, "did you mean 'librosa'"),
    ],
)
def test_what_a_look_at_the_disk_tells_is_told(change: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        checks.require_sense({**ASKED, **change})


def test_files_of_methods_that_are_not_chosen_are_not_asked_for() -> None:
    assert checks.require_sense({**ASKED, "weights": "no/such.pt"}).target == "b"


def test_folds_are_counted_or_refused() -> None:
    rows = [
        {"utterance": f"{c}/{s}-{word}", "corpus": c, "speaker": f"{c}{s}", "native_label": word, "path": "x"}
        for c in "ab"
        for s in range(4)
        for word in ("anger", "sadness")
    ]
    table = data.utterances(rows)
    chosen = checks.require_sense({**ASKED, "protocol": "loso"})
    assert checks.require_folds(chosen, table) == 4
    with pytest.raises(ProtocolError, match="folds need as many speakers"):
        checks.require_folds(chosen.with_values(protocol="speaker-groups", folds=9), table)
