"""Changed recordings: what is asked again, what is fitted once, and by what it is scaled."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation
from serlab.errors import ProtocolError
from serlab.evaluation import fitting
from serlab.studies import robustness
from serlab.studies.robustness import Condition
from serlab.training import PLAIN
from tests.studies.made import prepared_session

METHODS = ("svm-source", "svm-source-z")
SHIFTED, LOST = Condition("gain", "-20", "gain--20"), Condition("babble", "5", "babble-5")


@pytest.fixture
def session(monkeypatch):
    session = prepared_session(methods=METHODS)
    X = session.prepare().X

    def extract(target, *, augment, **_):
        own = X.loc[target.index]
        # Everything is shifted alike; or one recording cannot be used.
        return SimpleNamespace(X=own + 5 if augment == SHIFTED.augment else own.iloc[1:])

    monkeypatch.setattr(robustness, "extract", extract)
    return session


def test_a_shift_of_all_recordings_is_undone_by_their_own_scale_and_by_no_other(session):
    table = robustness.run(session, methods=METHODS, conditions=[SHIFTED])
    changed = table[table["severity"] == "-20"].set_index(["method", "scale"])
    assert set(changed.index) == {
        ("svm-source", robustness.AS_RECORDED), ("svm-source-z", robustness.AS_RECORDED),
        ("svm-source-z", robustness.CHANGED),
    }  # fmt: skip
    same = changed.loc[("svm-source-z", robustness.CHANGED)]
    assert same["change"] == pytest.approx(0) and same["p"] == 1
    for key in (("svm-source", robustness.AS_RECORDED), ("svm-source-z", robustness.AS_RECORDED)):
        assert changed.loc[key, "change"] < -0.2
    clean = table[table["severity"] == robustness.CLEAN]
    outcome = session.run(with_details=False, with_controls=False, with_giveaways=False)
    for name in METHODS:
        uar = outcome.summary.set_index("method").loc[name, "uar"]
        assert clean.loc[clean["method"] == name, "uar"].to_numpy() == pytest.approx(uar), "the same fits"


def test_a_recording_that_is_lost_on_the_way_is_missing_there_alone(session):
    found = robustness.answered(session, methods=["svm-source"], conditions=[LOST])
    n = found.groupby("condition")["utterance"].nunique()
    assert n[LOST.augment] == n[robustness.CLEAN] - 1
    table = robustness.scored(found, session.prepare().utterances["speaker"])
    row = table[table["severity"] == "5"].iloc[0]
    assert row["change"] == pytest.approx(0), "compared over the same utterances"


def test_each_method_is_fitted_once_a_fold(session, monkeypatch):
    fits = []
    fit = evaluation.fitting.fit
    monkeypatch.setattr(robustness.evaluation, "fit", lambda *a, **k: fits.append(1) or fit(*a, **k))
    found = robustness.answered(session, methods=METHODS, conditions=[SHIFTED, LOST])
    assert len(fits) == len(METHODS) * found["fold"].nunique()


def test_only_tested_utterances_may_be_asked(session):
    split = session.parameters.split_protocol().plan(session.prepare().utterances)[0][0]
    from serlab import methods

    fitted = fitting.fit(
        methods.get("svm-source"), split, material=session.material, setting=session.setting(METHODS),
        seed=0, fitting=PLAIN,
    )  # fmt: skip
    place = np.arange(len(session.prepare().utterances))
    asked = fitted.proba_of(fitted.samples, place, split.test, rescaled=False)
    assert asked == pytest.approx(fitted.proba())
    with pytest.raises(ProtocolError, match="tested in this fold"):
        fitted.proba_of(fitted.samples, place, split.train[:1], rescaled=False)


def test_conditions_are_changes_that_there_are_and_go_from_mild_to_severe():
    from serlab.features import augmentation

    assert all(augmentation.parse(condition.augment).on_audio for condition in robustness.CONDITIONS)
    assert set(robustness.KINDS) == {condition.kind for condition in robustness.CONDITIONS}


def test_the_worst_is_told():
    rows = [
        {"method": "a", "title": "A", "kind": kind, "severity": severity, "scale": robustness.AS_RECORDED,
         "change": change, "change_low": change - 0.1, "change_high": change + 0.1}
        for kind, severity, change in (
            ("gain", robustness.CLEAN, 0), ("gain", "-20", -0.1), ("babble", "5", -0.3),
        )
    ]  # fmt: skip
    said = robustness.says(pd.DataFrame(rows))["says"].iloc[0]
    assert said == (
        "most by babble (SNR in dB 5): \N{MINUS SIGN}0.30 [\N{MINUS SIGN}0.40, \N{MINUS SIGN}0.20]"
    )
