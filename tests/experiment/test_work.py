"""Units of work: what they are, who may do them, and what is left of them."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace

import pandas as pd
import pytest

from serlab import files
from serlab.errors import ParameterError
from serlab.evaluation import compact, comparison
from serlab.experiment import Session, work, workplace
from serlab.experiment.work import Elsewhere, Refused, Store, Unit, Unkept
from serlab.experiment.workplace import Workplace


@pytest.fixture(scope="module")
def cheap(parameters):
    return parameters.with_values(methods=("majority", "ridge-source", "rf-target"), seeds=(0, 1))


@pytest.fixture(scope="module")
def print_of(cheap) -> str:
    return work.fingerprint(cheap, data=cheap.data)


@pytest.fixture
def units(cheap, print_of) -> list[Unit]:
    return list(work.units(cheap, fingerprint=print_of, with_controls=False))


@pytest.fixture
def place(tmp_path, cheap) -> Workplace:
    return Workplace(tmp_path / "units", data=cheap.data)


def test_units_are_methods_by_seeds_by_groups_of_folds(cheap, print_of):
    alone = list(work.units(cheap, fingerprint=print_of, with_controls=False))
    assert [(unit.method, unit.seed) for unit in alone] == [
        ("majority", 0), ("ridge-source", 0), ("rf-target", 0), ("rf-target", 1),
    ]  # fmt: skip
    parts = list(work.units(cheap, fingerprint=print_of, groups=3))
    assert {unit.method for unit in parts} == set(comparison.with_controls(cheap.methods))
    assert len({unit.name for unit in parts}) == len(parts)
    with pytest.raises(ParameterError, match="not 0"):
        list(work.units(cheap, fingerprint=print_of, groups=0))


def test_a_unit_survives_the_way_as_json_and_is_known_by_name(units):
    for unit in units:
        again = Unit(**json.loads(json.dumps(unit.as_dict())))
        assert again == unit and again.name == unit.name and again.data == unit.data
    assert len({unit.data for unit in units}) == 1


def test_experiments_share_units(cheap, print_of):
    one = {unit.name for unit in work.units(cheap, fingerprint=print_of)}
    more = cheap.with_values(
        methods=("rf-target", "rf-pooled"), seeds=(0, 1, 2), jobs=1, baseline="svm-target"
    )
    two = {unit.name: unit for unit in work.units(more, fingerprint=print_of)}
    assert {two[name].method for name in one & two.keys()} >= {"rf-target"}
    other = cheap.with_values(protocol="k-shot")
    assert not one & {unit.name for unit in work.units(other, fingerprint=print_of)}


def test_what_units_leave_is_what_a_session_of_the_same_finds(finished, parameters, print_of, place):
    asked = parameters.with_values(methods=("majority", "rf-target"))
    for unit in work.units(asked, fingerprint=print_of, groups=2, with_controls=False):
        done = place.carry_out(unit)
        assert done.folds == 2 and done.pieces and done.size > 0
        assert Store(place.folder).finished(unit) == done
    texts: list[str] = []
    session = Session(asked, units=place.folder, progress=lambda done, total, text: texts.append(text))
    splits, _ = asked.split_protocol().plan(session.prepare().utterances)
    again = session.evaluate(asked.methods, splits, with_details=True)
    assert not any("fold 1 of" in text for text in texts), "nothing was fitted"
    undisturbed = finished[0].predictions
    chosen = undisturbed["method"].isin(asked.methods)
    undisturbed = compact.trimmed(undisturbed[chosen].reset_index(drop=True))
    pd.testing.assert_frame_equal(again.predictions.drop(columns="run"), undisturbed.drop(columns="run"))


def test_what_was_fitted_before_is_not_fitted_again(units, place):
    first = place.carry_out(units[1])
    note = next(place.folder.rglob(f"{units[1].name}.json"))
    note.unlink()
    again = Workplace(place.folder, data=place.data).carry_out(units[1])
    assert again.fitting == first.fitting and again.pieces == first.pieces
    (place.folder / note.parent / again.pieces[0]).unlink()
    assert Store(place.folder).finished(units[1]) is None, "what it names is gone"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"seconds": 1}', '{"pieces": 3}'])
def test_a_note_that_cannot_be_read_is_none(units, place, text):
    place.carry_out(units[0])
    next(place.folder.rglob(f"{units[0].name}.json")).write_text(text)
    assert Store(place.folder).finished(units[0]) is None
    assert place.carry_out(units[0]).folds == 4


def test_other_code_and_other_data_are_refused(units, place, tmp_path):
    with pytest.raises(Refused, match="other code here"):
        place.carry_out(replace(units[0], code="another state"))
    with pytest.raises(Refused, match=r"other data here: far, near have .*, asked for elsewhere"):
        place.carry_out(replace(units[0], fingerprint="elsewhere"))
    assert not list(place.folder.rglob("*.zip"))


def test_two_do_not_do_the_same_at_once(units, place):
    store = Store(place.folder)
    with store.claimed(units[0]), pytest.raises(Elsewhere, match="another process is at work"):
        place.carry_out(units[0])
    assert place.carry_out(units[0]).folds == 4, "a lock that was let go keeps nobody off"
    assert not list(place.folder.rglob("*.lock"))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_full_or_read_only_disk_is_named_and_what_is_there_is_kept(units, place, monkeypatch, code):
    place.carry_out(units[0])

    def refuse(*args, **kwargs):
        raise OSError(code, "the disk says no")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_tables", refuse)
        with pytest.raises(Unkept, match=r"cannot keep results in .*: the disk says no"):
            place.carry_out(units[1])
        patch.setattr(files, "write_text", refuse)
        with pytest.raises(ParameterError, match="choose another folder"):
            Store(place.folder).require_writable()
    assert Store(place.folder).finished(units[0]) and place.carry_out(units[1]).folds == 4


def test_a_folder_that_is_a_file_is_named(units, tmp_path, cheap):
    (tmp_path / "units").touch()
    with pytest.raises(Unkept, match="cannot keep results"):
        Workplace(tmp_path / "units", data=cheap.data).carry_out(units[0])


def test_without_a_shared_folder_answers_travel(units, place, tmp_path):
    far = Workplace(tmp_path / "far away", data=place.data, sends=True)
    done = far.carry_out(units[1])
    assert done.files and not list((tmp_path / "far away").rglob("*.zip"))
    here = Store(tmp_path / "here")
    here.take(units[1], done)
    assert here.finished(units[1]).pieces == done.pieces
    near = place.carry_out(units[1])
    read = [
        files.read_tables(folder / name)["predictions"]
        for folder, name in ((here.shelf(units[1]).folder, done.pieces[0]),
                             (Store(place.folder).shelf(units[1]).folder, near.pieces[0]))
    ]  # fmt: skip
    pd.testing.assert_frame_equal(*read)


def test_files_that_are_sent_stay_in_their_folder(units, tmp_path):
    here = Store(tmp_path / "here")
    done = work.Done(
        seconds=1, preparing=0, fitting=1, folds=1, pieces=("evil.zip",), files={"../../evil.zip": b"x"}
    )
    here.take(units[0], done)
    assert {path.name for path in tmp_path.iterdir()} == {"here"}
    assert [path.parent for path in tmp_path.rglob("evil.zip")] == [here.shelf(units[0]).folder]


def test_data_are_prepared_once_and_the_oldest_are_forgotten(units, place, monkeypatch):
    prepared = []
    prepare = workplace.prepare
    monkeypatch.setattr(
        workplace, "prepare", lambda p, **more: prepared.append(p.scheme) or prepare(p, **more)
    )
    other = [replace(unit, parameters={**unit.parameters, "scheme": "arousal"}) for unit in units[:2]]
    third = replace(units[0], parameters={**units[0].parameters, "scheme": "valence"})
    for unit in [units[0], units[1], *other, units[2], third, units[3], other[1]]:
        place.carry_out(unit)
    assert prepared == ["four", "arousal", "valence"]
    place.carry_out(other[0])
    assert prepared == ["four", "arousal", "valence"], "it is finished"


def test_failures_are_noted_until_they_are_forgotten(units, place):
    store = Store(place.folder)
    assert store.failure(units[0]) == ""
    store.note_failure(units[0], 'no "luck"')
    assert store.failure(units[0]) == 'no "luck"'
    store.forget_failure(units[0])
    assert store.failure(units[0]) == ""
    store.note_failure(units[0], "again")
    place.carry_out(units[0])
    assert store.failure(units[0]) == "" and [note["unit"]["method"] for note in store.notes()] == [
        "majority"
    ]


def test_when_all_is_done_what_nobody_needs_is_removed(units, place):
    store = Store(place.folder)
    (store.training(units[0]) / "seed0").mkdir(parents=True)
    place.carry_out(units[0])
    new, old = (store.shelf(units[0]).folder / f"{name}.zip.0123.tmp" for name in ("new", "old"))
    for path in (new, old):
        path.touch()
    os.utime(old, (1.0, 1.0))
    store.tidy(units)
    assert not store.training(units[0]).exists() and store.finished(units[0])
    assert new.exists() and not old.exists()
