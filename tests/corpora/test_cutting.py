"""Utterances in long recordings: found where they were put, whatever level, rate and length."""

from __future__ import annotations

import csv
import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import cli, corpora
from serlab.corpora import cutting
from serlab.corpora.cutting import Cutting
from serlab.errors import AudioError, CorpusError


def recording(
    path: Path, turns, *, seconds: float, rate: int = 16_000, gain: float = 0.2, offset: float = 0.0
) -> Path:
    rng = np.random.default_rng(0)
    samples = 1e-5 * rng.standard_normal(round(seconds * rate))
    for start, end in turns:
        n = round(end * rate) - round(start * rate)
        samples[round(start * rate) : round(start * rate) + n] = gain * rng.standard_normal(n).clip(-3, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples + offset, rate)
    return path


@pytest.mark.parametrize(
    ("rate", "gain", "offset"), [(16_000, 0.2, 0.0), (44_100, 0.02, 0.1), (8_000, 0.1, -0.2)]
)
def test_turns_are_found_with_a_margin(tmp_path: Path, rate: int, gain: float, offset: float):
    turns = [(1.0, 2.0), (2.2, 3.0), (4.0, 4.2), (5.0, 6.0)]
    path = recording(tmp_path / "a.wav", turns, seconds=7, rate=rate, gain=gain, offset=offset)
    found = cutting.utterances(path)
    # The pause of 0.2 s is bridged, the noise of 0.2 s dropped.
    assert np.array(found) == pytest.approx(np.array([(0.9, 3.1), (4.9, 6.1)]), abs=0.04)


def test_parts_are_short_enough_do_not_overlap_and_part_where_it_is_quiet(tmp_path: Path):
    turns = [(0.0, 9.0), (9.3, 22.0), (22.2, 60.0)]
    path = recording(tmp_path / "a.flac", turns, seconds=60)
    found = cutting.utterances(path, Cutting(longest=12))
    lengths = [end - start for start, end in found]
    assert max(lengths) <= 12 + 2 * 0.1 and min(lengths) >= 0.5
    assert all(first[1] <= second[0] + 1e-9 for first, second in itertools.pairwise(found))
    assert found[0][0] == 0.0 and found[-1][1] <= 60.0
    assert sum(lengths) == pytest.approx(60, abs=1)
    assert any(abs(end - 9.15) < 0.2 for _, end in found)


def test_silence_clicks_and_broken_files_hold_nothing(tmp_path: Path):
    assert cutting.utterances(recording(tmp_path / "s.wav", [], seconds=3)) == []
    assert cutting.utterances(recording(tmp_path / "c.wav", [(1.0, 1.01)], seconds=3)) == []
    assert cutting.utterances(recording(tmp_path / "t.wav", [], seconds=0.01)) == []
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError):
        cutting.utterances(tmp_path / "b.wav")


def test_memory_does_not_grow_with_the_recording(tmp_path: Path):
    path = recording(tmp_path / "a.wav", [(1.0, 100.0)], seconds=120)
    tracemalloc.start()
    try:
        cutting.levels(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * 1024**2  # 120 s in float64 are 15 MB, an hour 460


def test_settings_that_do_not_go_together_are_refused():
    with pytest.raises(CorpusError, match="do not go together"):
        Cutting(shortest=5, longest=8)


def test_the_command_writes_a_table_that_is_a_corpus_once_filled_in(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    for name in ("anna", "bo"):
        recording(tmp_path / f"mine/long/{name}.wav", [(0.5, 1.5), (3.0, 4.0)], seconds=5)
    (tmp_path / "mine/long/bad.wav").write_bytes(b"x")
    out = tmp_path / "mine/corpus.csv"
    command = ["cut", str(tmp_path / "mine"), "--out", str(out), "--speaker-from", "file"]
    assert cli.main(command) == 0
    told = capsys.readouterr()
    assert "4 utterances, 0.1 minutes, of 2 recordings" in told.out and "fill in label." in told.out
    assert "left out: " in told.err and "bad.wav" in told.err
    assert cli.main(command) == 2
    with pytest.raises(corpora.csv_corpus.LabelError, match=r"line 2 \(and 3 more\), column 'label': empty"):
        corpora.from_csv(out)
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    out.write_text(
        "\n".join([",".join(rows[0]), *(",".join({**row, "label": "joy"}.values()) for row in rows)])
    )
    table = corpora.get("mine", tmp_path).read(tmp_path)
    assert table["speaker"].to_list() == ["mine/anna"] * 2 + ["mine/bo"] * 2
    assert table["duration"].to_list() == pytest.approx([1.2] * 4, abs=0.05)
    assert cli.main(["cut", str(tmp_path / "none"), "--out", str(tmp_path / "x.csv")]) == 1


def test_files_of_one_name_are_several_speakers_and_folders_of_one_name_are_one_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    """01.wav of Monday and of Tuesday were one speaker."""
    for name in ("mon/call/01.wav", "tue/call/01.wav", "tue/call/02.wav"):
        recording(tmp_path / name, [(0.5, 1.5)], seconds=2)
    said = {}
    for by in ("file", "folder"):
        out = tmp_path / f"{by}.csv"
        assert cli.main(["cut", str(tmp_path), "--out", str(out), "--speaker-from", by]) == 0
        said[by] = capsys.readouterr().out
        rows = list(csv.DictReader(out.open(encoding="utf-8")))
        assert [row["speaker"] for row in rows] == (
            ["mon/call/01", "tue/call/01", "02"] if by == "file" else ["call"] * 3
        )
    assert "folders named 'call' are taken for one speaker" in said["folder"]
    assert "one speaker" not in said["file"]
    formats = [Path("/a/01.wav"), Path("/a/01.flac"), Path("/a/02.wav")]
    assert list(cutting.by_file(formats).values()) == ["01.wav", "01.flac", "02"]
