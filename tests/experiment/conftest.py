"""A small experiment, run once for all that ask about it."""

from __future__ import annotations

import pytest

from serlab import experiment
from serlab.experiment import Session

METHODS = ("majority", "rf-source", "rf-target", "rf-source-z")


@pytest.fixture(scope="session")
def parameters(small_corpora):
    return experiment.Parameters(
        target="far", sources=("near",), features="librosa", methods=METHODS, preset="demo",
        seeds=(0, 1), data=str(small_corpora), jobs=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def finished(parameters, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return Session(parameters, folder=folder).run(), folder
