"""RECOLA: turns from three origins, labels by hand, and every way a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import audio, corpora, labels
from serlab.corpora import recola
from serlab.corpora.validation import validate
from serlab.errors import CorpusError
from tests.corpora import trees

HEADER = "time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3"
TIMES = np.arange(0, 3.001, 0.04)


def write_ratings(
    folder: Path, values: np.ndarray, *, dimension: str = "arousal", speaker: str = "P16"
) -> Path:
    path = folder / "RECOLA-Annotation/emotional_behaviour" / dimension / f"{speaker}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [";".join([f"{t:.2f}", *map(str, row)]) for t, row in zip(TIMES, values, strict=True)]
    path.write_text("\n".join([HEADER, *rows]) + "\n\n")
    return path


def write_sound(folder: Path, bursts: list[tuple[float, float]], *, speaker: str = "P16", rate: int = 16_000):
    """Three seconds of faint noise with loud stretches."""
    samples = 1e-4 * np.random.default_rng(0).standard_normal(3 * rate)
    for start, end in bursts:
        samples[round(start * rate) : round(end * rate)] *= 1000
    path = folder / "RECOLA-Audio-recordings" / f"{speaker}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One speaker, three seconds; arousal rises by 0.01 a frame, and annotators differ."""
    folder = tmp_path / "recola"
    offsets = np.array([-0.5, -0.1, 0.0, 0.0, 0.1, 0.2])
    write_ratings(folder, np.round(0.01 * np.arange(len(TIMES))[:, None] + offsets - 0.2, 4))
    write_ratings(folder, np.tile(offsets + 0.05, (len(TIMES), 1)), dimension="valence")
    write_sound(folder, [(0.2, 1.0), (1.2, 1.5), (2.3, 2.9)])
    return folder


def write_turns(folder: Path, text: str) -> None:
    (folder / "turns.csv").write_text(text)


def read(folder: Path) -> pd.DataFrame:
    return corpora.get("recola").read(folder.parent)


def test_label_is_the_mean_over_the_turn_then_over_annotators(folder: Path):
    write_turns(folder, "speaker,start,end,sex\nP16,0.12,0.24,female\nP16,1,2,female\n")
    table = read(folder)
    first = table.loc["recola/P16_000120-000240"]
    # Frames 3, 4 and 5 lie in [0.12, 0.24); the annotators' offsets have a mean of -0.05.
    assert first["arousal"] == pytest.approx(0.04 - 0.05 - 0.2)
    assert first[["speaker", "sex", "language", "start", "end", "turns"]].to_list() == [
        "recola/P16", "female", "fr", 0.12, 0.24, "turns.csv",
    ]  # fmt: skip
    assert first["duration"] == pytest.approx(0.12) and first["native_label"] is None
    assert table.iloc[1]["arousal"] == pytest.approx(0.01 * np.arange(25, 50).mean() - 0.25)


def test_a_mean_of_zero_is_not_lifted_by_rounding(folder: Path):
    write_turns(folder, "speaker,start,end\nP16,0,3\n")
    assert 0.1 + 0.2 - 0.3 > 0  # which would be the high class
    write_ratings(folder, np.tile([0.1, 0.2, -0.3, 0.1, 0.2, -0.3], (len(TIMES), 1)))
    assert labels.scheme("arousal").apply(read(folder))["emotion"].to_list() == ["low"]


def test_a_cut_is_what_is_heard(folder: Path):
    write_turns(folder, "speaker,start,end\nP16,1.2,1.5\n")
    row = read(folder).iloc[0]
    heard = audio.load(row["path"], start=row["start"], end=row["end"])
    assert heard.duration == pytest.approx(0.3) and np.abs(heard.samples).max() > 0.1


def test_a_turn_without_a_rating_has_no_label_and_is_counted(folder: Path):
    write_turns(folder, "speaker,start,end\nP16,0.5,1\nP16,3.1,3.5\n")
    table = read(folder)
    assert table["arousal"].isna().to_list() == [False, True]
    assert labels.scheme("arousal").left_out_counts(table).to_dict() == {("recola", labels.UNLABELLED): 1}
    assert any("1 turns hold no rating" in remark for remark in corpora.remarks(table))


def test_sex_is_not_invented(folder: Path):
    write_turns(folder, "speaker,start,end\nP16,0.5,1\n")
    assert read(folder)["sex"].to_list() == [None]


def test_own_turns_win_over_the_publishers_and_these_over_voice_activity(folder: Path):
    assert set(read(folder)["turns"]) == {"voice activity"}
    timings = folder / "RECOLA-Audio_timings/P16.csv"
    timings.parent.mkdir()
    timings.write_text("start;stop\n0.2;1.0\n0.9;2.0\n")
    table = read(folder)
    assert table["turns"].to_list() == ["RECOLA-Audio_timings"] * 2 and table["end"].to_list() == [1.0, 2.0]
    assert any("1 turns begin before the one above has ended" in r for r in corpora.remarks(table))
    write_turns(folder, "speaker;start;end\nP16;0.5;1\n")
    assert read(folder)["turns"].to_list() == ["turns.csv"]


def test_published_counts_come_out_and_are_checked(tmp_path: Path):
    trees.recola.tree(tmp_path / "recola")
    report = validate(corpora.get("recola"), tmp_path)
    papers = report.findings[report.findings["check"] == "counts in papers"]
    assert papers["finding"].to_list() == ["all 5 agree (Neumann & Vu, section 3 and footnote 1)"]
    lines = (tmp_path / "recola/turns.csv").read_text().splitlines()
    write_turns(tmp_path / "recola", "\n".join(lines[:-1]))
    text = validate(corpora.get("recola"), tmp_path).text()
    assert "utterances: 1307 instead of 1308" in text and "valence above 0: 1066 instead of 1067" in text
    assert "arousal classes: 520 low, 787 high, 0 left out" in text


def test_with_voice_activity_counts_are_not_compared_and_the_report_says_so(folder: Path):
    report = validate(corpora.get("recola"), folder.parent)
    assert "counts in papers" not in set(report.findings["check"])
    copy = report.findings.query("check == 'this copy'")["finding"].to_list()
    assert "come from voice activity (30 dB" in copy[0] and "counts are not compared" in copy[0]
    assert copy[1].startswith("22 speakers have no turns: P17, P19")
    assert report.ok and corpora.remarks(read(folder))[0] == f"RECOLA: {copy[0]}"


def test_a_turn_behind_the_end_of_the_recording_is_found(folder: Path):
    write_turns(folder, "speaker,start,end\nP16,0.5,1\nP16,2,3.01\nP16,3.02,9\n")
    finding = validate(corpora.get("recola"), folder.parent).findings.query("check == 'cuts'").iloc[0]
    assert finding["files"] == ("recola/P16_003020-009000",)


def test_a_recording_that_is_missing_keeps_its_turns(folder: Path):
    for dimension in recola.DIMENSIONS:
        write_ratings(folder, np.zeros((len(TIMES), 6)), dimension=dimension, speaker="P17")
    write_turns(folder, "speaker,start,end\nP16,0.5,1\nP17,0.5,1\n")
    table = read(folder)
    assert Path(table["path"].iloc[1]).name == "P17.wav" and table["duration"].iloc[1] == 0.5
    found = validate(corpora.get("recola"), folder.parent).findings.query("check == 'missing files'")
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speaker,start\nP16,1\n", r"turns.csv, line 1: no column 'end'.*found are speaker, start"),
        ("", r"turns.csv, line 1: no column 'speaker'.*found are none"),
        ("speaker,start,end\n", r"no turns \(turns.csv\)"),
        ("speaker,start,end\nP16,1,2\nP99,1,2\n", r"line 3: speaker 'P99' has no ratings; rated are P16"),
        ("speaker,start,end\nP16,2,1\n", r"line 2: 2 to 1 s is not a turn"),
        ("speaker,start,end\nP16,-1,1\n", r"line 2: -1 to 1 s is not a turn"),
        ("speaker,start,end\nP16,nan,1\n", r"line 2: nan to 1 s is not a turn"),
        ("speaker;start;end\nP16;0,5;1\n", r"line 2, column 'start': '0,5' is not a number.*decimal point"),
        ("speaker,start,end\nP16,0,5,1\n", r"line 2: more cells than the 3 columns"),
        ("speaker,start,end\nP16,,1\n", r"line 2, column 'start': '' is not a number"),
        (
            "speaker,start,end\nP16,1,2\nP16,0,1.5\n",
            r"lines 3 and 2: turns of P16 overlap \(0 to 1.5 s and 1 to 2",
        ),
        ("speaker,start,end\nP16,1,2\nP16,1,2\n", r"lines 2 and 3: turns of P16 overlap"),
        ("speaker,start,end,sex\nP16,1,2,f\n", r"line 2: sex 'f' is not one of female, male"),
        (
            "speaker,start,end,sex\nP16,1,2,male\nP16,2,3,\n",
            r"line 3: speaker P16 has sex \(empty\) here, and male",
        ),
    ],
)
def test_a_wrong_turn_names_its_line(folder: Path, text: str, message: str):
    write_turns(folder, text)
    with pytest.raises(CorpusError, match=message):
        read(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (HEADER, "time;FM1;FM2;FM3;FF1;FF2", r"line 1: expected time;FM1.*FF3, found time;.*;FF2; restore"),
        (";", ",", r"line 1: expected time;FM1"),
        ("-0.7;", "-0,7;", r"line 2, column 'FM1': '-0,7' is not a number from -1 to 1 \(with a dec"),
        ("-0.7;", "-70;", r"line 2, column 'FM1': '-70' is not a number from -1 to 1"),
        ("-0.7;", ";", r"line 2, column 'FM1': .*is not a number"),
        ("\n0.08;", "\n0.02;", r"P16.csv, line 4: time does not go on"),
        ("\n0.08;", "\n0.08;0;", r"P16.csv, line 4: more cells"),
    ],
)  # fmt: skip
def test_a_wrong_rating_file_names_its_line(folder: Path, old: str, new: str, message: str):
    path = folder / "RECOLA-Annotation/emotional_behaviour/arousal/P16.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(CorpusError, match=message):
        read(folder)


def test_what_is_missing_is_named(folder: Path):
    annotation = folder / "RECOLA-Annotation"
    (annotation / "emotional_behaviour/valence/P16.csv").unlink()
    with pytest.raises(CorpusError, match=r"emotional_behaviour/valence has no P16\.csv"):
        read(folder)
    annotation.rename(folder.parent / "away")
    with pytest.raises(CorpusError, match="recordings of RECOLA but no ratings"):
        read(folder)


def test_publishers_timings_without_one_speaker(folder: Path):
    timings = folder / "RECOLA-Audio_timings/P17.csv"
    timings.parent.mkdir()
    timings.write_text("start;stop\n0;1\n")
    with pytest.raises(CorpusError, match=r"RECOLA-Audio_timings has no P16.csv"):
        read(folder)


class TestVoiceActivity:
    def test_pauses_are_bridged_and_short_noises_dropped(self, folder: Path):
        # 0.2 to 1.0 and 1.2 to 1.5 belong together; the pause up to 2.3 is too long.
        found = recola.voice_activity(*soundfile.read(folder / "RECOLA-Audio-recordings/P16.wav"))
        assert np.array(found) == pytest.approx(np.array([(0.2, 1.5), (2.3, 2.9)]), abs=0.04)

    def test_neither_level_nor_rate_nor_offset_matter(self):
        rng = np.random.default_rng(1)
        for rate, gain, offset in ((16_000, 1.0, 0.0), (44_100, 0.1, 0.3), (8_000, 0.5, -0.1)):
            samples = 1e-4 * rng.standard_normal(4 * rate)
            samples[rate : 2 * rate] *= 3000
            found = recola.voice_activity(gain * samples + offset, rate)
            assert np.array(found) == pytest.approx(np.array([(1.0, 2.0)]), abs=0.04)

    def test_silence_and_a_click_hold_no_turn(self):
        silence = np.zeros(16_000)
        assert recola.voice_activity(silence, 16_000) == []
        assert recola.voice_activity(silence[:10], 16_000) == []
        silence[8000:8100] = 0.9
        assert recola.voice_activity(silence, 16_000) == []
