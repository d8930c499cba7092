"""Every fault that validation promises to find, planted into a small tree."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from serlab import audio, corpora, features
from serlab.corpora import overlaps
from serlab.corpora.validation import ValidationReport, validate
from serlab.errors import AudioError, Cancelled, CorpusError
from tests.corpora import trees

RATE = trees.RATE

#: A feature set that costs nothing.
LOUDNESS = dataclasses.replace(
    features.get("librosa"),
    name="loudness",
    settings={},
    load=lambda: (("db",), lambda samples: np.array([20 * np.log10(samples.std())], dtype=np.float32)),
)


def speech(seed: int = 0, seconds: float = 0.5) -> np.ndarray:
    samples = 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE)).clip(-3, 3)
    return samples - samples.mean()


def finding(report: ValidationReport, check: str):
    """The only finding of a check, or None."""
    rows = report.findings[report.findings["check"] == check]
    assert len(rows) <= 1, rows
    return rows.iloc[0] if len(rows) else None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """EMOVO with one sentence by each speaker in each emotion, no two files alike."""
    trees.emovo.tree(tmp_path / "emovo", every=14, distinct=True)
    return tmp_path


@pytest.fixture
def first(root: Path) -> Path:
    return min((root / "emovo/EMOVO/f1").glob("*.wav"))


def check(root: Path, name: str = "emovo") -> ValidationReport:
    return validate(corpora.get(name), root, jobs=2)


def test_a_whole_copy_has_nothing_to_complain_about(tmp_path: Path):
    trees.emovo.tree(tmp_path / "emovo", distinct=True)
    report = check(tmp_path)
    assert report.ok
    warned = report.findings.loc[report.findings["severity"] != "info", "check"]
    assert set(warned) == {"same length"}  # all files of such a tree are a tenth of a second long
    assert (report.counts["found"] == report.counts["published"]).all()
    assert (report.files["problem"] == "").all()
    assert "all 588 published utterances are here" in report.text()


def test_missing_files_are_a_warning_that_names_them(root: Path):
    report = check(root)
    missing = finding(report, "missing utterances")
    assert missing.severity == "warning" and report.ok
    assert "42 of the 588" in missing.finding and "anger (rab) 6 of 84" in missing.finding
    assert len(missing.files) == 588 - 42 and corpora.get("emovo").how_to_get in missing.remedy
    assert "and 541 more" in report.text()


def test_report_as_json(root: Path):
    report = json.loads(json.dumps(check(root).as_dict(), allow_nan=False))
    assert report["ok"] and report["utterances"] == 42
    assert report["counts"][0] | {"level_db": None} == {
        "native_label": "neu", "emotion": "neutral", "found": 6, "published": 84, "level_db": None,
    }  # fmt: skip
    assert report["findings"][0]["severity"] == "warning"


def test_more_than_published_and_missing_speakers(tmp_path: Path):
    trees.urdu.tree(tmp_path / "urdu", every=2)
    for number in range(60):
        (tmp_path / f"urdu/Angry/SM9_F{number}_A0{number}.wav").write_bytes(trees.noise(".wav"))
    report = check(tmp_path, "urdu")
    assert finding(report, "more than published").finding == "anger (Angry) 110 instead of 100"
    assert "speakers, 29 were published" in finding(report, "speakers").finding


def test_extra_files_are_counted(root: Path):
    (root / "emovo/notes.mp4").write_bytes(b"x")
    (root / "emovo/EMOVO/f1/other.wav").write_bytes(trees.noise(".wav"))
    (root / "emovo/EMOVO/f1/._other.wav").write_bytes(b"x")
    assert finding(check(root), "extra files").files == ("EMOVO/f1/other.wav", "notes.mp4")


def broken_zero_bytes(path: Path) -> None:
    path.write_bytes(b"")


def broken_text(path: Path) -> None:
    path.write_bytes(b"<html>not found</html>" * 100)


def broken_wav_cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def broken_flac_cut_short(path: Path) -> None:
    whole = path.with_suffix(".flac")
    soundfile.write(whole, speech(seconds=3), RATE)
    whole.write_bytes(whole.read_bytes()[:20_000])
    path.unlink()


def broken_silent(path: Path) -> None:
    soundfile.write(path, np.full(RATE, 0.25), RATE)  # silence, with an offset


def broken_nan(path: Path) -> None:
    soundfile.write(
        path, np.where(np.arange(RATE) == 7, np.nan, 0.1 * speech(seconds=1)), RATE, subtype="FLOAT"
    )


def broken_no_samples(path: Path) -> None:
    soundfile.write(path, np.zeros(0), RATE)


@pytest.mark.parametrize(
    ("problem", "fault"),
    [
        ("empty", broken_zero_bytes),
        ("empty", broken_no_samples),
        ("unreadable", broken_text),
        ("truncated", broken_wav_cut_short),
        ("damaged", broken_flac_cut_short),
        ("silent", broken_silent),
        ("not a number", broken_nan),
    ],
)
def test_files_that_cannot_be_used(root: Path, first: Path, problem: str, fault):
    fault(first)
    report = check(root)
    assert not report.ok
    row = finding(report, f"{problem} files")
    assert row.severity == "error" and row.remedy
    assert [Path(name).stem for name in row.files] == [first.stem]
    assert report.files["problem"].value_counts()[problem] == 1


def test_clipped_from_four_samples_on(root: Path, first: Path):
    samples = speech()
    samples[100:103] = 1.0
    soundfile.write(first, samples, RATE)
    assert finding(check(root), "clipped") is None
    samples[200:204] = -1.0
    soundfile.write(first, samples, RATE)
    assert finding(check(root), "clipped").files == (f"EMOVO/f1/{first.name}",)


def test_clipped_in_one_channel(root: Path, first: Path):
    samples = np.stack([speech(1), speech(2)], axis=1)
    samples[200:204, 1] = 1.0
    soundfile.write(first, samples, RATE)
    report = check(root)
    assert finding(report, "clipped") is not None
    assert finding(report, "channels differ").files == (f"EMOVO/f1/{first.name}",)


def test_dc_offset_and_the_level_without_it(root: Path, first: Path):
    soundfile.write(first, speech() + 0.2, RATE, subtype="FLOAT")
    report = check(root)
    assert finding(report, "DC offset").files == (f"EMOVO/f1/{first.name}",)
    level = report.files.loc[f"emovo/{first.stem}", "level_db"]
    assert level == pytest.approx(20 * np.log10(speech().std()), abs=0.01)


def test_duplicates_by_decoded_samples(root: Path, first: Path):
    second = min((root / "emovo/EMOVO/m3").glob("*.wav"))
    samples, rate = soundfile.read(first, dtype="int16")
    second.unlink()
    soundfile.write(second.with_suffix(".flac"), samples, rate)  # other bytes, same sound
    assert finding(check(root), "duplicates").files == (
        f"EMOVO/f1/{first.name}", f"EMOVO/m3/{second.stem}.flac",
    )  # fmt: skip


def test_same_samples_at_another_rate_are_no_duplicate(root: Path, first: Path):
    second = min((root / "emovo/EMOVO/m3").glob("*.wav"))
    soundfile.write(first, speech(), RATE)
    soundfile.write(second, soundfile.read(first, dtype="int16")[0], 2 * RATE)
    report = check(root)
    assert finding(report, "duplicates") is None
    assert finding(report, "formats").severity == "warning"
    assert "41 x 16000 Hz, 1 ch, PCM_16" in finding(report, "formats").finding


def test_8_bit_and_identical_channels(root: Path, first: Path):
    soundfile.write(first, np.stack([speech()] * 2, axis=1), RATE, subtype="PCM_U8")
    report = check(root)
    assert finding(report, "8 bit").files == (f"EMOVO/f1/{first.name}",)
    assert finding(report, "channels differ") is None


def test_level_by_class(root: Path):
    for seed, path in enumerate((root / "emovo").rglob("rab-*.wav")):
        soundfile.write(path, 0.1 * speech(seed), RATE)
    row = finding(check(root), "level by class")
    assert row.severity == "warning" and "anger -40" in row.finding


def test_one_emotion_per_speaker(tmp_path: Path):
    trees.urdu.tree(tmp_path / "urdu", distinct=True)
    row = finding(check(tmp_path, "urdu"), "speakers x emotions")
    assert row.severity == "warning" and "26 of 29 speakers have one emotion only" in row.finding


def test_labelled_turns_without_audio(tmp_path: Path):
    trees.iemocap.tree(tmp_path / "iemocap", every=100, distinct=True)
    gone = Path(corpora.get("iemocap").read(tmp_path)["path"].iloc[0])
    gone.unlink()
    report = check(tmp_path, "iemocap")
    row = finding(report, "missing files")
    assert row.severity == "warning" and [Path(name).name for name in row.files] == [gone.name]
    papers = report.findings[report.findings["check"] == "counts in papers"]
    assert papers["finding"].str.contains("iemocap-5531, all: .* instead of 5531").any()


def test_corpus_that_is_not_there(tmp_path: Path):
    with pytest.raises(CorpusError, match="not installed"):
        check(tmp_path)


def test_own_corpus_has_no_published_counts(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.wav").write_bytes(trees.noise(".wav"))
    (tmp_path / "mine/corpus.csv").write_text("path,speaker,label\na.wav,1,anger\n")
    report = validate(corpora.get("mine", tmp_path), tmp_path)
    assert report.ok and report.counts["found"].to_dict() == {"anger": 1}
    assert not report.findings["check"].isin(["missing utterances", "speakers", "counts"]).any()


def test_progress_and_cancel(root: Path):
    seen = []
    validate(corpora.get("emovo"), root, progress=lambda done, total, text: seen.append((done, total)))
    assert seen == [(n, 42) for n in range(1, 43)]
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        validate(corpora.get("emovo"), root, cancel=cancel)


def test_validation_writes_nothing(root: Path):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    check(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


class TestAsPublished:
    """A copy is compared with what is published of its audio."""

    def copy(self, root: Path, change) -> ValidationReport:
        """EmoDB with 30 recordings of 1.23 to 8.98 s, each changed."""
        folder = root / "emodb/wav"
        folder.mkdir(parents=True)
        for number, seconds in enumerate(np.linspace(1.23, 8.98, 30)):
            samples, rate = change(speech(number, seconds))
            soundfile.write(folder / f"03a01{'WLEAFT'[number % 6]}{chr(97 + number // 6)}.wav", samples, rate)
        corpus = dataclasses.replace(
            corpora.get("emodb"), expected=dict.fromkeys("WLEAFT", 5), expected_speakers=1, expected_texts=0
        )
        return validate(corpus, root)

    def warned(self, report: ValidationReport) -> set[str]:
        return set(report.findings.loc[report.findings["severity"] == "warning", "check"])

    def test_the_publisher_s_copy(self, tmp_path: Path):
        report = self.copy(tmp_path, lambda samples: (samples, RATE))
        assert not self.warned(report) & {"durations", "resampled", "same length", "bandwidth", "channels"}

    def test_cut_to_two_seconds_at_another_rate(self, tmp_path: Path):
        """Known from a public copy, which passed as whole."""

        def change(samples: np.ndarray):
            padded = np.concatenate([samples, np.zeros(2 * RATE)])[: 2 * RATE]
            return soxr.resample(padded, RATE, 22_050), 22_050

        report = self.copy(tmp_path, change)
        assert self.warned(report) >= {"durations", "resampled", "same length", "bandwidth"}
        assert "published at 16000 Hz" in finding(report, "resampled").finding
        assert "30 of 30 files are exactly 2.000 s" in finding(report, "same length").finding
        assert "the published ones 1.23 to 8.98 s" in finding(report, "durations").finding

    def test_a_lower_rate_is_told_but_no_warning(self, tmp_path: Path):
        report = self.copy(tmp_path, lambda samples: (soxr.resample(samples, RATE, 8_000), 8_000))
        assert finding(report, "resampled").severity == "info"
        assert finding(report, "durations") is None

    def test_more_channels_than_published(self, tmp_path: Path):
        report = self.copy(tmp_path, lambda samples: (np.stack([samples, -samples], axis=1), RATE))
        assert {"channels", "channels cancel"} <= self.warned(report)

    def test_longer_than_published(self, tmp_path: Path):
        report = self.copy(tmp_path, lambda samples: (np.concatenate([samples, samples]), RATE))
        assert "2.46 to 17.96 s" in finding(report, "durations").finding


class TestParts:
    """Utterances that are parts of a file."""

    def test_each_is_measured_and_judged_as_it_is_read(self, tmp_path: Path):
        (tmp_path / "mine").mkdir()
        samples = np.concatenate([speech(seconds=1), np.zeros(RATE), 0.01 * speech(seconds=1)])
        soundfile.write(tmp_path / "mine/a.wav", samples, RATE)
        (tmp_path / "mine/corpus.csv").write_text(
            "path,speaker,label,start,end\na.wav,1,anger,0,1\na.wav,1,anger,1.1,1.9\na.wav,1,joy,2,3\n"
            "a.wav,1,joy,2.5,4\na.wav,1,joy,5,6\na.wav,1,joy,0.5,0.52\n"
        )
        report = validate(corpora.get("mine", tmp_path), tmp_path)
        problems = report.files["cut_problem"].to_list()
        assert sorted(problems) == ["", "", "cut", "cut", "silent", "too short"]
        levels = report.files["level_db"][report.files["cut_problem"] == ""]
        assert levels.max() - levels.min() == pytest.approx(40, abs=0.5)
        for name, row in report.files.iterrows():
            at = corpora.get("mine", tmp_path).read(tmp_path).loc[name]
            if row["cut_problem"]:
                with pytest.raises(AudioError) as raised:
                    audio.load(at["path"], start=at["start"], end=at["end"])
                assert raised.value.problem == row["cut_problem"]
            else:
                audio.load(at["path"], start=at["start"], end=at["end"])
        assert (
            finding(report, "cuts").severity == "warning"
            and "2 utterances" in finding(report, "cuts").finding
        )

    def test_channel_of_a_corpus(self, tmp_path: Path):
        (tmp_path / "mine").mkdir()
        soundfile.write(tmp_path / "mine/a.wav", np.stack([speech(1), 0.01 * speech(2)], axis=1), RATE)
        (tmp_path / "mine/corpus.csv").write_text("path,speaker,label\na.wav,1,anger\n")
        found = {}
        for channel in audio.CHANNELS:
            (tmp_path / "mine/corpus.toml").write_text(f'channel = "{channel}"\n')
            corpus = corpora.get("mine", tmp_path)
            found[channel] = validate(corpus, tmp_path).files["level_db"].iloc[0]
            sound = features.extract(corpus.read(tmp_path), features=LOUDNESS, cache=tmp_path / "cache")
            assert sound.X["db"].iloc[0] == pytest.approx(found[channel], abs=0.05)
        assert found["left"] - found["right"] == pytest.approx(40, abs=0.5)
        assert found["left"] - found["mix"] == pytest.approx(6, abs=0.2)


def test_links_that_lead_nowhere_and_names_that_are_none(root: Path):
    (root / "emovo/EMOVO/f2/gone.txt").symlink_to(root / "nothing")
    (root / "emovo/EMOVO" / os.fsdecode(b"\xff.wav")).write_bytes(trees.noise(".wav"))
    report = check(root)
    assert finding(report, "broken links").files == ("EMOVO/f2/gone.txt",)
    assert finding(report, "file names").files == ("EMOVO/\\xff.wav",)
    json.dumps(report.as_dict())


def test_a_linked_folder_counts(root: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("disk") / "f1"
    (root / "emovo/EMOVO/f1").rename(elsewhere)
    (root / "emovo/EMOVO/f1").symlink_to(elsewhere)
    assert len(check(root).files) == 42


def test_a_folder_with_an_archive_only(tmp_path: Path):
    (tmp_path / "emovo").mkdir()
    (tmp_path / "emovo/emovo.zip").write_bytes(b"PK")
    assert not corpora.get("emovo").is_installed(tmp_path)
    with pytest.raises(CorpusError, match=r"holds emovo\.zip, which is not unpacked"):
        check(tmp_path)


def test_a_folder_of_another_format(tmp_path: Path):
    (tmp_path / "emovo").mkdir()
    (tmp_path / "emovo/neu-f1-b1.m4a").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"1 files such as neu-f1-b1\.m4a, which serlab does not.*ffmpeg"):
        check(tmp_path)


def test_capitals_in_names_are_hinted_at(root: Path, first: Path):
    first.rename(first.with_name(first.name.upper()))
    with pytest.raises(CorpusError, match="capitals and small letters differ"):
        check(root)


class TestOverlaps:
    def cuts(self, *, gain: float = 1.0, shared: float = 1.0, rate: int = RATE) -> dict[str, np.ndarray]:
        """Two cuts of two seconds that share a stretch, and one of other speech."""
        recording = np.random.default_rng(5).standard_normal(4 * rate).cumsum()
        recording -= np.convolve(recording, np.ones(400) / 400, "same")
        start = round((2 - shared) * rate)
        return {
            "one": recording[: 2 * rate],
            "two": gain * recording[start : start + 2 * rate],
            "other": np.random.default_rng(6).standard_normal(2 * rate).cumsum() % 1,
        }

    def find(self, cuts: dict[str, np.ndarray], speakers: str = "aaa", rate: int = RATE):
        low = pd.Series({name: overlaps.reduce(np.float32(x), rate) for name, x in cuts.items()})
        return overlaps.find(low, pd.Series(list(speakers), index=low.index))

    @pytest.mark.parametrize("gain", [1.0, -0.01])
    @pytest.mark.parametrize("rate", [16_000, 44_100])
    def test_found_whatever_the_level_and_rate(self, gain: float, rate: int):
        found = self.find(self.cuts(gain=gain, rate=rate), rate=rate)
        assert found[["first", "second"]].to_numpy().tolist() == [["one", "two"]]
        assert found["correlation"][0] > 0.9
        assert found["seconds"][0] == pytest.approx(1.0, abs=0.02)

    def test_too_short_a_stretch(self):
        assert self.find(self.cuts(shared=0.5)).empty

    def test_only_within_a_speaker(self):
        assert self.find(self.cuts(), speakers="aba").empty

    def test_short_and_silent_signals(self):
        assert self.find({"a": np.zeros(RATE), "b": np.zeros(RATE), "c": np.zeros(10)}).empty


@pytest.mark.shared
class TestReal:
    def test_urdu_is_as_described(self, shared: Path):
        report = check(shared / "corpora", "urdu")
        assert report.ok
        assert finding(report, "speakers x emotions").finding.startswith("26 of 29 speakers")
        levels = report.counts.set_index("emotion")["level_db"]
        assert levels.round(1).to_dict() == {
            "neutral": -14.8, "anger": -18.0, "joy": -23.8, "sadness": -31.3,
        }  # fmt: skip
        assert len(finding(report, "DC offset").files) == 156
        assert len(finding(report, "clipped").files) == 43
        assert len(finding(report, "overlapping cuts").files) >= 10
        assert report.speakers.loc["urdu/M5", "neutral"] == 72
        assert report.speakers.loc[["urdu/M24", "urdu/M25"], "sadness"].sum() == 78

    def test_ravdess_has_one_recording_twice(self, shared: Path):
        report = check(shared / "corpora", "ravdess")
        assert finding(report, "duplicates").files == (
            "Actor_07/03-01-03-01-02-01-07.flac", "Actor_07/03-01-03-01-02-02-07.flac",
        )  # fmt: skip
        assert finding(report, "counts").finding == "all 1440 published utterances are here"

    def test_emodb_without_three_emotions_is_no_failure(self, shared: Path):
        report = check(shared / "corpora", "emodb")
        row = finding(report, "missing utterances")
        assert report.ok and row.severity == "warning"
        assert "339 of the 535" in row.finding and "boredom (L) 0 of 81" in row.finding

    def test_ravdess_originals_are_stereo_with_identical_channels(self, shared: Path, tmp_path: Path):
        (tmp_path / "ravdess").symlink_to(shared / "corpora/ravdess-original-sample")
        report = check(tmp_path, "ravdess")
        assert (report.files["sample_rate"] == 48_000).all()
        assert (report.files["channels"] == 2).sum() == 4 and not report.files["channels_differ"].any()


def test_what_is_no_audio_is_told_by_kind(root: Path):
    files = sorted((root / "emovo").rglob("*.wav"))[:3]
    for path, content in zip(files, (b"<html>404", b"<html>500", b"\0\0\0\x18ftypM4A "), strict=True):
        path.write_bytes(content + b" " * 200)
    found = check(root).findings.query("check == 'unreadable files'")
    assert sorted(map(len, found["files"])) == [1, 2]
    told = dict(zip(found["finding"], found["remedy"], strict=True))
    assert any("web page" in what for what in told) and any("ffmpeg" in remedy for remedy in told.values())


def test_what_an_own_corpus_is_too_small_for(tmp_path: Path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.wav").write_bytes(trees.noise(".wav", seconds=1.0))
    (folder / "corpus.csv").write_text("path,speaker,label\n0.wav,me,joy\n1.wav,me,joy\n2.wav,me,joy\n")
    report = validate(corpora.get("mine", tmp_path), tmp_path)
    assert finding(report, "few speakers").severity == "warning"
    assert finding(report, "one emotion").finding == "all utterances are joy"
    assert "take their lines out" in finding(report, "missing files").remedy
    # Twice the same is told once: as duplicates.
    assert finding(report, "duplicates") is not None and finding(report, "overlapping cuts") is None
