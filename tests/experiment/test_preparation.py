"""From corpora to utterances with classes and features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import experiment, methods
from serlab.errors import AudioError, ProtocolError
from serlab.experiment import Session
from serlab.methods import MethodSpec
from serlab.methods.learners.scenarios import Majority
from serlab.plotting import tables


def test_a_bad_file_is_skipped_and_counted_or_stops(parameters, small_corpora, tmp_path):
    table = pd.read_csv(small_corpora / "far" / "corpus.csv")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "broken.wav").write_bytes(b"")
    (tmp_path / "far" / "audio").symlink_to(small_corpora / "far" / "audio")
    table.loc[0, "path"] = "broken.wav"
    sound, rate = soundfile.read(small_corpora / "far" / table.loc[1, "path"])
    soundfile.write(tmp_path / "far" / "stereo.wav", np.column_stack([sound, sound / 2]), rate)
    table.loc[1, "path"] = "stereo.wav"
    table.to_csv(tmp_path / "far" / "corpus.csv", index=False)
    (tmp_path / "near").symlink_to(small_corpora / "near")
    here = replace(parameters, data=str(tmp_path), methods=("majority",), seeds=(0,))
    outcome = Session(here).run()
    assert outcome.skipped_files["utterance"].tolist() == ["far/broken"]
    assert len(outcome.utterances) == 63
    prepared = experiment.prepare(here)
    assert tables.data_table(prepared)["skipped"].sum() == 1
    assert "channels" in tables.notes_table(prepared)["note"].item(), "and what was done to a file is said"
    with pytest.raises(AudioError, match=r"broken\.wav"):
        Session(replace(here, on_bad_file="stop")).run()


def installed(small_corpora, root, keep: dict[str, tuple[str, ...]]) -> str:
    """The small corpora with some of their emotions: a data root."""
    for name, emotions in keep.items():
        table = pd.read_csv(small_corpora / name / "corpus.csv")
        (root / name).mkdir()
        (root / name / "audio").symlink_to(small_corpora / name / "audio")
        table[table["label"].isin(emotions)].to_csv(root / name / "corpus.csv", index=False)
    return str(root)


def test_shared_classes_are_those_of_every_corpus(parameters, small_corpora, tmp_path):
    keep = {"near": ("anger", "neutral", "sadness"), "far": ("anger", "joy", "neutral", "sadness")}
    here = replace(parameters, data=installed(small_corpora, tmp_path, keep))
    prepared = experiment.prepare(replace(here, label_sets="shared"))
    assert list(prepared.utterances["emotion"].cat.categories) == ["neutral", "anger", "sadness"]
    assert prepared.utterances["corpus"].value_counts().to_dict() == {"near": 24, "far": 24}
    assert prepared.utterances["emotion"].notna().all() and len(prepared.X) == 48
    assert prepared.left_out.to_dict() == {("far", "joy"): 8}, "what is left out is counted"
    assert tables.data_table(prepared)["used"].sum() == 48
    of_scheme = experiment.prepare(here)
    assert len(of_scheme.utterances) == 56 and len(of_scheme.utterances["emotion"].cat.categories) == 4
    outcome = Session(replace(here, label_sets="shared", methods=("rf-source",), seeds=(0,))).run()
    assert outcome.chance == pytest.approx(1 / 3)
    assert [column for column in outcome.predictions if column.startswith("p_")] == [
        "p_neutral", "p_anger", "p_sadness",
    ]  # fmt: skip


def test_impossible_folds_are_refused_before_features(parameters, monkeypatch):
    monkeypatch.setattr("serlab.features.extract", lambda *args, **given: pytest.fail("too late"))
    with pytest.raises(ProtocolError, match="99 folds need as many speakers"):
        experiment.prepare(replace(parameters, protocol="speaker-groups", folds=99))


def test_fewer_than_two_shared_classes_are_refused(parameters, small_corpora, tmp_path):
    keep = {"near": ("anger", "sadness"), "far": ("anger", "joy")}
    here = replace(parameters, data=installed(small_corpora, tmp_path, keep), label_sets="shared")
    with pytest.raises(ProtocolError, match=r"far, near share 1 class, two are needed; choose another"):
        experiment.prepare(here)


def test_a_method_with_features_of_its_own_gets_them(parameters, monkeypatch):
    seen = []

    class Spy(Majority):
        def fit(self, *, source):
            seen.append(source.X.shape)
            self.winner = 0
            return self

    def build(*, n_classes, **_):
        return Spy(n_classes)

    spy = MethodSpec(
        name="spy", title="Spy", access="none", normalization="none", input="frames", features="logmel26",
        build=build, stochastic=False,
    )  # fmt: skip
    monkeypatch.setitem(methods.METHODS, "spy", spy)
    here = replace(parameters, methods=("spy", "rf-source"), seeds=(0,), seconds=0.5, augment=("noise-20",))
    outcome = Session(here).run()
    (shape,) = seen
    assert shape[0] == 2 * 32 and shape[2] == 26, "with the augmented copies"
    assert shape[1] <= 51, "and no longer than was asked for"
    used = outcome.results.set_index("method")["features"].to_dict()
    assert used == {"spy": "logmel26", "rf-source": "librosa"}
    plain = Session(replace(here, methods=("rf-source",))).run()
    own = outcome.predictions[outcome.predictions["method"] == "rf-source"].reset_index(drop=True)
    columns = own.columns.drop("run")
    # Names of methods are one of those that were run: other ones beside it.
    own, alone = (table[columns].astype({"method": str}) for table in (own, plain.predictions))
    pd.testing.assert_frame_equal(own, alone)
