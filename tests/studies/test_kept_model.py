"""A model of an experiment's sources is kept with the run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from serlab.errors import ParameterError
from serlab.experiment import NotKept, Parameters, Session
from serlab.experiment.kept import Kept
from serlab.studies import kept_model


def test_a_model_is_of_the_sources_and_stays_with_the_run(small_corpora: Path, tmp_path: Path):
    chosen = Parameters(
        target="near", sources=("far",), features="librosa", methods=("ridge-target",),
        baseline="ridge-target", folds=2, preset="demo", data=str(small_corpora),
    )  # fmt: skip
    session = Session(chosen, folder=tmp_path / "run")
    model = kept_model.of(session)
    assert [source.name for source in model.sources] == ["far"] and model.features == "librosa"
    written = (tmp_path / "run/model/model.json").stat().st_mtime_ns
    assert kept_model.of(session).created == model.created
    assert (tmp_path / "run/model/model.json").stat().st_mtime_ns == written, "read, not learned again"
    session.run(with_details=False, with_giveaways=False)
    Kept(tmp_path / "run").note(state="complete")
    shutil.rmtree(tmp_path / "run/model")
    with pytest.raises(NotKept, match="keeps no model"):
        kept_model.of(Session(chosen, folder=tmp_path / "run"))
    with pytest.raises(ParameterError, match="none is chosen"):
        kept_model.of(
            Session(chosen.with_values(sources=(), methods=("ridge-target",)), folder=tmp_path / "x")
        )
