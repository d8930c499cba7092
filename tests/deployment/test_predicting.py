"""Asking a kept model: answers, warnings, bad files, long files, adaptation."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import deployment
from serlab.deployment import predicting
from serlab.deployment.model import Model
from serlab.errors import ParameterError, SerlabError
from serlab.samples import Unlabelled


@pytest.fixture(scope="module")
def model(kept: Path) -> Model:
    return deployment.load_model(kept)


@pytest.fixture(scope="module")
def adapted(model: Model, recordings: Path):
    return model.predict(recordings, adapt=recordings, language="de")


def test_each_recording_has_an_answer(model: Model, adapted, recordings: Path):
    table = adapted.table
    assert len(table) == len(list(recordings.iterdir())) == 20
    np.testing.assert_allclose(adapted.proba.sum(axis=1), 1)
    assert list(table["answer"]) == [model.classes[i] for i in adapted.proba.argmax(axis=1)]
    assert adapted.form == "adapted" and table["answered"].all() and not len(adapted.skipped)
    assert not [note for note in adapted.notes if "language" in note]


def test_answers_are_those_of_the_form(model: Model, adapted):
    part = Unlabelled(X=adapted.vectors, corpus=np.full(20, "x"), speaker=np.full(20, ""))
    np.testing.assert_allclose(model.forms["adapted"].proba(part, part), adapted.proba, atol=1e-6)


def test_order_and_company_of_recordings_do_not_matter(model: Model, recordings: Path):
    files = sorted(recordings.iterdir())[:4]
    together, alone = model.predict(files[::-1], jobs=2), model.predict(files[0])
    np.testing.assert_allclose(together.proba[-1], alone.proba[0], rtol=1e-12)
    assert alone.form == "as-is"


def test_bad_files_are_skipped_and_named(model: Model, recordings: Path, tmp_path: Path):
    shutil.copy(next(recordings.iterdir()), tmp_path / "good.wav")
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is no sound")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    found = model.predict(tmp_path)
    assert [Path(name).name for name in found.table["file"]] == ["good.wav"]
    assert {Path(name).name for name in found.skipped["file"]} == {"empty.wav", "text.wav", "silent.wav"}
    (tmp_path / "good.wav").unlink()
    with pytest.raises(SerlabError, match="none of 3 recordings can be used; the first: "):
        model.predict(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(ParameterError, match="holds no recording"):
        model.predict(tmp_path / "none")
    with pytest.raises(ParameterError, match="there is no file or folder"):
        model.predict(tmp_path / "gone")


def test_a_long_recording_is_answered_over_time(model: Model, recordings: Path, tmp_path: Path):
    parts = [soundfile.read(path)[0] for path in sorted(recordings.iterdir())[:8]]
    pause = np.zeros(5 * 16_000)
    samples = np.concatenate([*parts[:4], pause, *parts[4:]])
    soundfile.write(tmp_path / "long.wav", samples, 16_000)
    found = model.predict(tmp_path / "long.wav", window=2.0)
    windows = found.over_time
    assert (windows["end"] - windows["start"]).round(3).eq(2.0).all()
    assert windows["end"].max() == pytest.approx(len(samples) / 16_000, abs=0.01)
    begin = len(np.concatenate(parts[:4])) / 16_000
    silent = windows[(windows["start"] > begin + 0.3) & (windows["end"] < begin + 4.7)]
    assert silent.empty, "pauses have no answer"
    np.testing.assert_allclose(found.proba[0], windows.filter(like="p_").mean().to_numpy())
    with pytest.raises(ParameterError, match="windows of"):
        model.predict(tmp_path / "long.wav", window=0.01)


def test_what_is_strange_is_warned_of(model: Model, recordings: Path, tmp_path: Path):
    samples, rate = soundfile.read(next(recordings.iterdir()))
    soundfile.write(tmp_path / "soft.wav", samples / 300, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "phone.wav", samples[::4], rate // 4)
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "noise.wav", rng.uniform(-0.9, 0.9, 3 * rate), rate)
    told = {Path(r.file).stem: r.warnings for r in model.predict(tmp_path).table.itertuples()}
    assert "softer than heard in training" in told["soft"]
    assert "narrower than heard in training (up to 2000 Hz" in told["phone"]
    assert "farther from what was learned than" in told["noise"]


def test_language_is_told(model: Model, recordings: Path):
    one = sorted(recordings.iterdir())[0]
    assert any("not known which language" in note for note in model.predict(one).notes)
    polish = tuple(dataclasses.replace(source, languages=("pl",)) for source in model.sources)
    told = dataclasses.replace(model, sources=polish).predict(one, language="de").notes
    assert any("de is a language that it has not learned from (pl)" in note for note in told)


def test_abstention_is_by_risk(model: Model, recordings: Path):
    few = sorted(recordings.iterdir())[:8]
    shares = [model.predict(few, risk=risk).table["answered"].mean() for risk in (0.05, 0.3, 0.7)]
    assert shares == sorted(shares)
    with pytest.raises(ParameterError, match="risk is 2"):
        model.predict(few, risk=2.0)


def test_speakers_are_folders_or_named(model: Model, recordings: Path, tmp_path: Path):
    files = sorted(recordings.iterdir())[:8]
    for number, path in enumerate(files):
        (tmp_path / f"s{number % 4}").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / f"s{number % 4}" / path.name)
    by_folder = model.predict(tmp_path, adapt=tmp_path, speakers="folders")
    assert by_folder.form == "voices" and set(by_folder.table["speaker"]) == {"s0", "s1", "s2", "s3"}
    named = {path.name: f"s{number % 4}" for number, path in enumerate(files)}
    np.testing.assert_array_equal(
        model.predict(tmp_path, adapt=tmp_path, speakers=named).proba, by_folder.proba
    )
    with pytest.raises(ParameterError, match="not among the files whose speakers are named"):
        model.predict(tmp_path, adapt=tmp_path, speakers={"x": "y"})
    with pytest.raises(ParameterError, match="with adapt only"):
        model.predict(tmp_path, speakers="folders")
    with pytest.raises(ParameterError, match="choose 'folders'"):
        model.predict(tmp_path, adapt=tmp_path, speakers="folder")


def test_few_recordings_to_adapt_to_are_said_to_be_few(model: Model, recordings: Path):
    files = sorted(recordings.iterdir())[:3]
    assert any("3 recordings are few" in note for note in model.predict(files, adapt=files).notes)


def test_samples_in_memory_are_answered_as_their_file(model: Model, recordings: Path):
    path = sorted(recordings.iterdir())[0]
    samples, _ = soundfile.read(path, dtype="float32")
    found = predicting.predict_samples(model, samples)
    np.testing.assert_allclose(found.proba, model.predict(path).proba, atol=1e-4)


def test_an_estimate_is_between_nothing_and_all(model: Model, adapted):
    table = model.estimate(adapted)
    assert {"held out", "confidence", "thresholded"} <= set(table["estimate"])
    assert table["uar"].between(0, 1).all()
    assert table["uar_error"].isna().all(), "of two sources no error is known"


def test_other_features_are_refused(model: Model, recordings: Path, monkeypatch: pytest.MonkeyPatch):
    other = dataclasses.replace(model, features="librosa")
    with pytest.raises(ParameterError, match="librosa has 216 features"):
        other.predict(recordings)
