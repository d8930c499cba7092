"""Finished fits are found by whoever needs the same, and by nobody else."""

from __future__ import annotations

import errno
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from serlab import files
from serlab.evaluation import Material, Setting, running
from serlab.evaluation.finished import Places
from serlab.evaluation.shelf import Shelf, digest
from serlab.protocols import SplitProtocol
from tests.evaluation.test_running import spec
from tests.toys import separable_features, utterance_table


def tables(*folds: str) -> dict[str, pd.DataFrame]:
    rows = pd.DataFrame([{"fold": fold, "p_a": np.float32(0.1), "text": None} for fold in folds])
    return {"fits": rows, "history": pd.DataFrame()}


def test_what_was_put_there_is_found_fold_by_fold(tmp_path):
    shelf = Shelf(tmp_path / "shelf")
    assert shelf.find({"a": "1"}) == {} and shelf.holding({"a": "1"}) == []
    shelf.add(tables("a", "b"), {"a": "1", "b": "2"})
    shelf.add(tables("c"), {"c": "3"})
    found = shelf.find({"a": "1", "c": "3", "d": "4"})
    assert list(found) == ["fits"] and found["fits"]["fold"].tolist() in (["a", "c"], ["c", "a"])
    assert found["fits"]["p_a"].dtype == np.float32
    assert len(shelf.holding({"a": "1", "c": "3"})) == 2
    assert shelf.find({"a": "another split"}) == {}


def test_two_who_put_the_same_there_leave_it_once(tmp_path):
    for _ in range(2):
        Shelf(tmp_path).add(tables("a"), {"a": "1"})
    assert len(list(tmp_path.iterdir())) == 1
    assert len(Shelf(tmp_path).find({"a": "1"})["fits"]) == 1


@pytest.mark.parametrize("damage", ["empty", "cut", "one byte", "no archive"])
def test_what_is_damaged_is_set_aside_and_not_there(tmp_path, damage):
    shelf = Shelf(tmp_path)
    shelf.add(tables("a"), {"a": "1"})
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    middle = content.index(b"PAR1") + 10
    changed = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    path.write_bytes(
        {"empty": b"", "cut": content[:-9], "one byte": changed, "no archive": b"x" * 99}[damage]
    )
    with pytest.warns(UserWarning, match="made again"):
        assert shelf.find({"a": "1"}) == {}
    assert [one.suffix for one in tmp_path.iterdir()] == [".damaged"]


def test_what_cannot_be_written_is_an_error_only_for_who_says_so(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_tables", full)
    with pytest.warns(UserWarning, match="No space left"):
        Shelf(tmp_path).add(tables("a"), {"a": "1"})
    with pytest.raises(OSError, match="No space left"):
        Shelf(tmp_path, strict=True).add(tables("a"), {"a": "1"})


def test_a_split_is_told_by_every_row_of_every_part():
    table = utterance_table({"here": 4, "there": 3})
    (first, second, *_), _ = SplitProtocol(name="one-subject", target="here", sources=("there",)).plan(table)
    assert digest(first) == digest(first) != digest(second) and digest(first, mark="x") != digest(first)
    for part in ("train", "target_train", "adapt", "test"):
        rows = getattr(first, part)
        assert digest(replace(first, **{part: rows[:-1]})) != digest(first)
        assert digest(replace(first, **{part: rows[::-1]})) != digest(first), (
            "order matters to whoever trains"
        )


@pytest.fixture(scope="module")
def given():
    table = utterance_table({"here": 4, "there": 3})
    splits = SplitProtocol(name="one-subject", target="here", sources=("there",)).plan(table)[0]
    material = Material(utterances=table, features={"": (separable_features(table),)})
    return {"splits": splits, "material": material, "setting": Setting(seeds=(0, 1), preset="demo")}


def test_a_run_of_groups_of_folds_is_the_run_of_all(given, tmp_path):
    made: list = []
    method, splits = spec(made=made), given["splits"]
    undisturbed = running.run([method], **given)
    made.clear()
    for seed in (0, 1):
        for group in (1, 0):
            running.run_folds(
                method, seed, splits, [split.fold for split in splits[group::2]],
                material=given["material"], setting=given["setting"], shelf=Shelf(tmp_path / str(seed)),
            )  # fmt: skip
    assert len(made) == 2 * len(splits)
    again = running.run([method], **given, shelves=lambda spec, seed: Shelf(tmp_path / str(seed)))
    assert len(made) == 2 * len(splits), "nothing is fitted twice"
    pd.testing.assert_frame_equal(again.predictions, undisturbed.predictions)
    pd.testing.assert_frame_equal(
        again.fits.drop(columns="seconds"), undisturbed.fits.drop(columns="seconds")
    )


def test_who_needs_no_details_takes_what_was_made_with_them_and_not_the_other_way(given, tmp_path):
    splits = given["splits"]
    with_details = Places(stem=None, shelf=Shelf(tmp_path), with_details=True, looked_into=splits[0].fold)
    without = Places(stem=None, shelf=Shelf(tmp_path), with_details=False, looked_into=splits[0].fold)
    method = spec()
    run = running.run_folds(
        method, 0, splits, [split.fold for split in splits], material=given["material"],
        setting=given["setting"],
    )  # fmt: skip
    without.share([run], splits)
    assert with_details.find(splits).fits.empty and len(without.find(splits).fits) == len(splits)
    other = Shelf(tmp_path / "other")
    Places(stem=None, shelf=other, with_details=True, looked_into=splits[0].fold).share([run], splits)
    found = Places(stem=None, shelf=other, with_details=False, looked_into=splits[1].fold).find(splits)
    assert found.fits["fold"].tolist() == [split.fold for split in splits]
