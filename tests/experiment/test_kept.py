"""What a run folder keeps is enough, and nothing else is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab.evaluation import FIT_COLUMNS, Run
from serlab.experiment.kept import Kept, NotKept


def run_of(method: str, *, folds: tuple[str, ...] = ("one", "two"), p: float = 0.25) -> Run:
    """Answers of one method, two utterances a fold."""
    rows = [(method, fold, 0, f"{fold}/{number}") for fold in folds for number in range(2)]
    predictions = pd.DataFrame(rows, columns=["method", "fold", "seed", "utterance"])
    fits = pd.DataFrame({"method": method, "fold": folds, "seed": 0, "skipped": ""})
    nothing = {name: pd.DataFrame() for name in ("history", "attention", "embeddings", "shift")}
    return Run(
        predictions=predictions.assign(y_true=0, y_pred=1, p_a=p, p_b=1 - p),
        fits=fits.reindex(columns=list(FIT_COLUMNS)).assign(skipped=""),
        **nothing,
    )


def test_answers_of_methods_come_back_in_the_order_that_is_asked(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    for name in ("x", "y"):
        kept.write_run("", run_of(name))
    found = kept.run("", ["y", "x"], ["two"], [0])
    assert found.predictions["method"].tolist() == ["y", "y", "x", "x"]
    assert found.predictions["fold"].unique().tolist() == ["two"]
    assert found.predictions["p_a"].dtype == np.float32
    assert found.fits["method"].tolist() == ["y", "x"]
    assert found.history.empty


def test_what_is_repeated_replaces_what_was_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.write_run("few-shot", run_of("x"))
    kept.write_run("few-shot", run_of("x", folds=("two",), p=0.5))
    found = kept.run("few-shot", ["x"], ["one", "two"], [0]).predictions
    assert found.groupby("fold")["p_a"].first().to_dict() == {"one": 0.25, "two": 0.5}
    assert len(found) == 4


def test_what_was_not_kept_is_refused(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with pytest.raises(NotKept, match="keeps no fits"):
        kept.run("", ["x"], ["one"], [0])
    kept.write_run("", run_of("x"))
    with pytest.raises(NotKept, match="no predictions of method y"):
        kept.run("", ["x", "y"], ["one"], [0])
    with pytest.raises(NotKept, match="no predictions of fold three"):
        kept.run("", ["x"], ["one", "three"], [0])


def test_utterances_lose_their_paths_and_keep_their_classes(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "path": ["/home/me/a.wav", "/home/me/b.wav"],
            "speaker": ["s1", None],
            "emotion": pd.Categorical(["joy", "anger"], ["neutral", "joy", "anger"], ordered=True),
        },
        index=pd.Index(["c/a", "c/b"], name="utterance"),
    )
    kept = Kept(tmp_path)
    kept.write_utterances(table, pd.Series({"c/b": "22", "c/a": "11"}))
    found, audio_hash = kept.utterances()
    assert b"/home/me" not in (tmp_path / "utterances.parquet").read_bytes()
    assert found["emotion"].equals(table["emotion"])
    assert found.index.equals(table.index)
    assert audio_hash.to_dict() == {"c/a": "11", "c/b": "22"}


def test_a_question_is_computed_until_the_run_is_complete(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    table = pd.DataFrame({"uar": [0.123456789]}, index=["layer 1"])
    first = kept.answers("probes", lambda: {"A network": table, "another/one": table * 2})
    pd.testing.assert_frame_equal(first["A network"], table)
    kept.note(state="complete")
    again = kept.answers("probes", pytest.fail)
    assert list(again) == ["A network", "another/one"]
    pd.testing.assert_frame_equal(again["another/one"], table * 2)
    with pytest.raises(NotKept, match="no answer to 'sweep'"):
        kept.answers("sweep", pytest.fail)


def test_a_folder_of_other_parameters_is_refused(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    assert not kept.is_complete
    kept.note(state="complete", parameters={"target": "b", "seeds": [0], "jobs": 2})
    kept.require({"target": "b", "seeds": [0], "jobs": 1, "newer": 3})
    with pytest.raises(NotKept, match=r"has seeds \[0\], not \[1\]"):
        kept.require({"target": "b", "seeds": [1]})
