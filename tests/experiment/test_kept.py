"""What a run folder keeps is enough, and nothing else is made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab.evaluation import FIT_COLUMNS, Run
from serlab.experiment import NotKept, Prepared
from serlab.experiment.kept import MOST_FEATURES, Kept


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


def test_what_other_parameters_have_left_is_no_part_of_a_run(tmp_path: Path) -> None:
    """Two seeds were given up for one, or a method without chance has one only: the second is not its own."""
    kept = Kept(tmp_path)

    def by(digest: str, run: Run, seed: int) -> Run:
        tables = {name: getattr(run, name).assign(seed=seed) for name in ("predictions", "fits")}
        history = tables["fits"][["method", "fold", "seed"]].assign(epoch=1)
        return replace(run, fits=tables.pop("fits").assign(run=digest), history=history, **tables)

    kept.write_run("", by("before", run_of("x"), 0))
    kept.write_run("", by("before", run_of("x"), 1))
    assert len(kept.run("", ["x"], ["one", "two"], [0, 1]).history) == 4, "seeds of one run add up"
    now = by("now", run_of("x", p=0.5), 0)
    kept.write_run("", replace(now, history=pd.DataFrame()))
    found = kept.run("", ["x"], ["one", "two"], [0, 1])
    assert found.predictions["seed"].unique().tolist() == [0]
    assert found.predictions["p_a"].unique().tolist() == [0.5]
    assert found.history.empty


def test_what_was_not_kept_is_refused(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with pytest.raises(NotKept, match="keeps no fits"):
        kept.run("", ["x"], ["one"], [0])
    kept.write_run("", run_of("x"))
    with pytest.raises(NotKept, match="no predictions of method y"):
        kept.run("", ["x", "y"], ["one"], [0])
    with pytest.raises(NotKept, match="no predictions of fold three"):
        kept.run("", ["x"], ["one", "three"], [0])


def prepared_of(utterances: pd.DataFrame, X: pd.DataFrame, left_out: pd.Series) -> Prepared:
    return Prepared(
        utterances=utterances,
        X=X,
        copies=(),
        further={},
        left_out=left_out,
        audio_hash=pd.Series({"c/b": "22", "c/a": "11"}),
        skipped_files=pd.DataFrame({"utterance": ["c/c"], "path": ["/home/me/c.wav"], "reason": ["torn"]}),
        notes=("a note",),
        fingerprint="f00d",
    )


def test_utterances_lose_their_paths_and_keep_their_classes(tmp_path: Path) -> None:
    index = pd.Index(["c/a", "c/b"], name="utterance")
    table = pd.DataFrame(
        {
            "path": ["/home/me/a.wav", "/home/me/b.wav"],
            "start": 0.0,
            "end": 1.0,
            "speaker": ["s1", None],
            "emotion": pd.Categorical(["joy", "anger"], ["neutral", "joy", "anger"], ordered=True),
        },
        index=index,
    )
    X = pd.DataFrame({"x": np.float32([1.1, 2.2])}, index=index)
    left_out = pd.Series({("c", "fear"): 3})
    kept = Kept(tmp_path)
    kept.write_prepared(prepared_of(table, X, left_out), {"target": "c"})
    assert not any(b"/home/me" in path.read_bytes() for path in tmp_path.iterdir())
    found = kept.prepared()
    assert found.utterances["emotion"].equals(table["emotion"])
    assert found.utterances.index.equals(index)
    assert found.audio_hash.to_dict() == {"c/a": "11", "c/b": "22"}
    assert found.left_out.to_dict() == left_out.to_dict()
    assert found.notes == ("a note",)
    assert found.fingerprint == "f00d"
    assert found.skipped_files["reason"].tolist() == ["torn"]
    pd.testing.assert_frame_equal(found.vectors, X)


def test_many_features_are_not_kept(tmp_path: Path) -> None:
    index = pd.Index(["c/a", "c/b"], name="utterance")
    table = pd.DataFrame({"speaker": ["s1", "s2"]}, index=index)
    X = pd.DataFrame(np.ones((2, MOST_FEATURES + 1), np.float32), index=index)
    kept = Kept(tmp_path)
    kept.write_prepared(prepared_of(table, X, pd.Series(dtype=int)), {})
    found = kept.prepared()
    assert found.left_out.empty
    with pytest.raises(NotKept, match="needs the features"):
        _ = found.vectors


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


def test_what_an_older_run_does_not_name_had_its_default(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.note(state="complete", parameters={"target": "b", "seeds": [0], "baseline": "svm-target"})
    kept.require({"target": "b", "seeds": [0], "trade_off": 1.0, "padding": "", "jobs": 4})
    kept.require({"target": "b", "seeds": [0], "primary": ["svm-pooled", "svm-source-z"]})
    with pytest.raises(NotKept, match=r"has trade_off 1.0, not 0.3"):
        kept.require({"target": "b", "seeds": [0], "trade_off": 0.3})
    with pytest.raises(NotKept, match="has primary"):
        kept.require({"target": "b", "seeds": [0], "primary": ["rf-pooled"]})


def test_nothing_of_another_basis_is_kept(tmp_path: Path) -> None:
    """Yesterday's audio and today's do not meet in one table; other runs below keep what is theirs."""
    kept, beside = Kept(tmp_path), Kept(tmp_path / "beside")
    for one in (kept, beside):
        one.begin("yesterday")
        one.write_run("", run_of("x"))
    kept.write_run("few-shot", run_of("x"))
    kept.answers("shift", lambda: {"shift": pd.DataFrame({"a": [1.0]})})
    kept.note(heard=["1"])
    kept.begin("yesterday")
    assert len(kept.run("few-shot", ["x"], ["one"], [0]).predictions) == 2, "the same goes on"
    kept.begin("today")
    for name in ("", "few-shot"):
        with pytest.raises(NotKept):
            kept.run(name, ["x"], ["one"], [0])
    assert not (tmp_path / "answers/shift/names.json").exists()
    assert "heard" not in kept.facts
    assert len(beside.run("", ["x"], ["one"], [0]).predictions) == 2
