"""A kept model is whole or refused, with the file at fault and the remedy."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from serlab import deployment
from serlab.deployment import UnusableModel, storing
from serlab.deployment.classifiers import Learner
from serlab.errors import ParameterError, SerlabError


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "copy"))


def change(folder: Path, **values: object) -> None:
    """Write other values into the manifest; None takes one out."""
    path = folder / "model.json"
    manifest = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: value for name, value in manifest.items() if value is not None}))


def sign(folder: Path, name: str) -> None:
    """Note the hash of a changed file, as somebody would who knows."""
    manifest = json.loads((folder / "model.json").read_text())
    manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps(manifest))


def test_what_is_read_is_what_was_kept(kept: Path, tmp_path: Path):
    model = deployment.load_model(kept)
    storing.write(tmp_path / "again", model, card="", card_values={})
    again = deployment.load_model(tmp_path / "again")
    assert again.sources == model.sources and again.windows == model.windows
    for name, form in model.forms.items():
        np.testing.assert_array_equal(again.forms[name].classifier.weights, form.classifier.weights)
        assert again.forms[name].calibration == form.calibration
    assert {path.suffix for path in kept.iterdir()} == {".json", ".md", ".parquet", ".safetensors"}
    assert not [path for path in kept.parent.iterdir() if path.name.startswith(".")], "nothing half-written"


def test_estimators_are_kept_without_pickle(small_corpora: Path, tmp_path: Path):
    model = deployment.train(["near", "far"], out=tmp_path / "svm", method="svm", data=small_corpora)
    assert sorted(path.name for path in (tmp_path / "svm").glob("*.skops")) == [
        "estimator-adapted.skops", "estimator-as-is.skops", "estimator-voices.skops",
    ]  # fmt: skip
    assert not model.members
    content = (tmp_path / "svm/estimator-as-is.skops").read_bytes()
    (tmp_path / "svm/estimator-as-is.skops").write_bytes(content[: len(content) // 2])
    with pytest.raises(UnusableModel, match="another hash"):
        deployment.load_model(tmp_path / "svm")
    sign(tmp_path / "svm", "estimator-as-is.skops")
    with pytest.raises(UnusableModel, match=r"estimator-as-is.skops cannot be read"):
        deployment.load_model(tmp_path / "svm")


def test_what_learns_beside_recordings_is_kept_with_its_sources(
    small_corpora: Path, recordings: Path, tmp_path: Path
):
    """Read again it answers the same; what makes no sense in it is named."""
    folder = tmp_path / "nested"
    model = deployment.train(
        ["near", "far"], out=folder, method="nested", calibration="isotonic", data=small_corpora
    )
    storing.write(tmp_path / "again", model, card="", card_values={})
    again = deployment.load_model(tmp_path / "again")
    files = sorted(recordings.iterdir())
    own, other = (one.predict(files, adapt=files, speakers="folders") for one in (model, again))
    assert own.form == "voices" and isinstance(again.forms["voices"].classifier, Learner)
    np.testing.assert_array_equal(own.proba, other.proba)
    assert again.forms["voices"].calibration == model.forms["voices"].calibration
    card = (folder / "README.md").read_text()
    assert "(chosen)" in card and "UAR on near" in card and "(no audio)" in card

    def wrong(message: str, **values: object) -> None:
        forms = json.loads((folder / "model.json").read_text())["forms"]
        change(tmp_path / "again", forms=forms | {"voices": forms["voices"] | values})
        with pytest.raises(UnusableModel, match=message):
            deployment.load_model(tmp_path / "again")

    choice = json.loads((folder / "model.json").read_text())["forms"]["voices"]["choice"]
    wrong("way is 'by magic'", choice=choice | {"way": "by magic"})
    wrong("penalty is 0", choice=choice | {"penalty": 0})
    wrong("one that learns beside", method="ridge-target")
    wrong("name nothing", corpora=["near"])
    wrong(
        "rising numbers", calibration={"how": "isotonic", "at": [[0.5, 0.1]] * 4, "value": [[0.1, 0.2]] * 4}
    )
    wrong("how is 'cold'", calibration={"how": "cold"})


def test_an_estimator_of_another_type_is_refused(small_corpora: Path, tmp_path: Path):
    from skops import io

    deployment.train(["near", "far"], out=tmp_path / "svm", method="svm", data=small_corpora)
    io.dump(Path("/etc"), tmp_path / "svm/estimator-as-is.skops")
    sign(tmp_path / "svm", "estimator-as-is.skops")
    with pytest.raises(UnusableModel, match=r"do not use it|cannot be read"):
        deployment.load_model(tmp_path / "svm")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": None}, "version is missing"),
        ({"version": 99}, "is of version 99"),
        ({"version": "1"}, "version is '1'"),
        ({"classes": ["one"]}, "2 to 100 different names"),
        ({"classes": "joy"}, "classes is 'joy'"),
        ({"n_features": 10**9}, "n_features is 1000000000"),
        ({"n_features": 7}, "has the shape"),
        ({"family": "magic"}, "one of ridge"),
        ({"forms": {}}, "as-is among them"),
        ({"forms": {"as-is": {"method": "ridge-source"}}}, "form as-is: classifier is missing"),
        ({"sources": ["x"]}, "describes no corpus"),
        ({"windows": {"longest": 3}}, "length is missing"),
        ({"files": {"../model.json": "0"}}, "is missing: copy the whole folder"),
        ({"files": {}}, "among them"),
    ],
)
def test_a_manifest_that_is_wrong_says_what_is(copy: Path, values: dict, message: str):
    change(copy, **values)
    with pytest.raises(UnusableModel, match=message) as raised:
        deployment.load_model(copy)
    assert "train it again" in str(raised.value) and str(copy) in str(raised.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"version": 1'])
def test_a_manifest_that_is_no_json_is_refused(copy: Path, content: str):
    (copy / "model.json").write_text(content)
    with pytest.raises(UnusableModel, match=r"model.json"):
        deployment.load_model(copy)


@pytest.mark.parametrize("name", ["weights.safetensors", "left-out.parquet", "README.md"])
def test_files_that_are_missing_or_changed_are_named(copy: Path, name: str):
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-20] + b"x" * 20)
    with pytest.raises(UnusableModel, match=f"{name} is not what was kept"):
        deployment.load_model(copy)
    (copy / name).unlink()
    with pytest.raises(UnusableModel, match=f"{name} is missing"):
        deployment.load_model(copy)


@pytest.mark.parametrize("name", ["weights.safetensors", "left-out.parquet"])
def test_damaged_files_are_refused_with_their_hash_too(copy: Path, name: str):
    content = (copy / name).read_bytes()
    for damaged in (b"", content[:100], b"\xff" * 200, (2**62).to_bytes(8, "little") + content):
        (copy / name).write_bytes(damaged)
        sign(copy, name)
        with pytest.raises(UnusableModel, match=name):
            deployment.load_model(copy)


@pytest.mark.parametrize(
    ("key", "made", "message"),
    [
        ("form/as-is/weights", lambda a: a * np.nan, "not finite"),
        ("form/as-is/weights", lambda a: a[:, :3], "has the shape"),
        ("form/adapted/classes", lambda a: a + 90, "classes that are not there"),
        ("form/adapted/classes", lambda a: a * 0, "classes that are not there"),
        ("space/components", lambda a: a.astype(complex).real[:0], "has the shape"),
        ("distances", lambda a: a.astype("bool"), "has the shape"),
    ],
)
def test_weights_that_make_no_sense_are_named(copy: Path, key: str, made, message: str):
    arrays = load_file(copy / "weights.safetensors")
    arrays[key] = np.ascontiguousarray(made(arrays[key]))
    save_file(arrays, copy / "weights.safetensors")
    sign(copy, "weights.safetensors")
    with pytest.raises(UnusableModel, match=message):
        deployment.load_model(copy)


def test_a_folder_without_a_model_says_who_makes_one(tmp_path: Path):
    with pytest.raises(UnusableModel, match="serlab train keeps one"):
        deployment.load_model(tmp_path)


def test_nothing_is_written_over(kept: Path, tmp_path: Path):
    with pytest.raises(ParameterError, match="--force to replace it"):
        storing.require_free(kept, force=False)
    storing.require_free(kept, force=True)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ParameterError, match="is no model of serlab"):
        storing.require_free(tmp_path, force=True)
    storing.require_free(tmp_path / "new", force=False)


def test_replacing_leaves_one_model(kept: Path, copy: Path):
    storing.write(copy, deployment.load_model(kept), card="new", card_values={})
    assert (copy / "README.md").read_text() == "new"
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_failure_leaves_what_was_there(kept: Path, copy: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing.files, "write_table", full)
    with pytest.raises(SerlabError, match="No space left on device"):
        storing.write(copy, deployment.load_model(kept), card="new", card_values={})
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    deployment.load_model(copy)
