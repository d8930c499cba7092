"""The same recording is found again by what is heard; another take of the same sentence is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from serlab import corpora, data, sequences
from serlab.corpora import overlaps
from serlab.evaluation import recordings
from serlab.sequences import Sequences, Writer

RATE = 16_000


def table_of(paths: dict[str, Path]) -> pd.DataFrame:
    return data.utterances([{"utterance": name, "path": str(path)} for name, path in paths.items()])


def pairs(table: pd.DataFrame) -> set[frozenset[str]]:
    found = recordings.copies(table, jobs=1)
    assert list(found.columns) == list(recordings.COLUMNS)
    return {frozenset(pair) for pair in zip(found["first"], found["second"], strict=True)}


@pytest.fixture(scope="module")
def spoken(small_corpora: Path) -> pd.DataFrame:
    """Twelve synthetic utterances, some by one speaker with one sentence."""
    return corpora.get("near", small_corpora).read(small_corpora).head(12)


def test_different_utterances_are_different(spoken: pd.DataFrame) -> None:
    assert pairs(spoken) == set()


CHANGES = {
    "copied": lambda x: ({}, "wav", x, RATE),
    "mp3": lambda x: ({"format": "MP3"}, "mp3", x, RATE),
    "vorbis": lambda x: ({"format": "OGG", "subtype": "VORBIS"}, "ogg", x, RATE),
    "telephone": lambda x: ({"subtype": "ULAW"}, "wav", soxr.resample(x, RATE, 8_000), 8_000),
    "44.1 kHz, 1 dB softer": lambda x: ({}, "wav", soxr.resample(x, RATE, 44_100) * 10 ** (-1 / 20), 44_100),
    "cut out": lambda x: ({}, "wav", x[2_345 : int(len(x) * 0.8)], RATE),
    "later and louder": lambda x: ({}, "wav", np.r_[np.zeros(3_001), 1.1 * x], RATE),
    "upside down": lambda x: ({}, "flac", -x, RATE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(spoken: pd.DataFrame, tmp_path: Path, change: str) -> None:
    name = spoken.index[3]
    samples, _ = soundfile.read(spoken.at[name, "path"])
    how, ending, changed, rate = CHANGES[change](samples * 0.8)
    path = tmp_path / f"copy.{ending}"
    soundfile.write(path, changed, rate, **how)
    assert pairs(pd.concat([spoken, table_of({"other/copy": path})])) == {frozenset([name, "other/copy"])}


def test_the_same_bytes_are_the_same_and_what_cannot_be_read_is_passed_over(
    spoken: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copy(spoken["path"].iloc[0], tmp_path / "copy.wav")
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    further = table_of({"b/copy": tmp_path / "copy.wav", "b/torn": tmp_path / "torn.wav"})
    found = recordings.copies(pd.concat([spoken, further]), jobs=1)
    assert found[["first", "second"]].to_numpy().tolist() == [["b/copy", spoken.index[0]]] or found[
        ["first", "second"]
    ].to_numpy().tolist() == [[spoken.index[0], "b/copy"]]
    assert found["correlation"].tolist() == [1.0]
    assert recordings.copies(further.loc[["b/torn"]], jobs=1).empty


def test_groups_join_what_is_linked(spoken: pd.DataFrame) -> None:
    index = pd.Index(["a", "b", "c", "d"], name="utterance")
    links = pd.DataFrame({"first": ["d", "b", "gone"], "second": ["b", "c", "a"]})
    assert recordings.groups(index, links).to_dict() == {"a": "a", "b": "b", "c": "b", "d": "b"}
    assert recordings.groups(index, links.iloc[:0]).tolist() == list(index)


def test_the_best_lag_is_that_of_all_lags() -> None:
    """Against every lag tried one by one."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=9_000).astype(np.float32)
    y = np.r_[x[4_000:], rng.normal(size=2_000)].astype(np.float32)
    correlation, seconds = overlaps.best_lag(x, y)
    best = (0.0, 0.0)
    for lag in range(3_000 - len(y), len(x) - 3_000 + 1):
        first, last = max(lag, 0), min(lag + len(y), len(x))
        a, b = x[first:last].astype(float), y[first - lag : last - lag].astype(float)
        best = max(best, (abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b), (last - first) / overlaps.RATE))
    assert (correlation, seconds) == pytest.approx(best, abs=1e-4)
    assert seconds == pytest.approx(5_000 / overlaps.RATE)


@pytest.mark.shared
def test_fixed_sentences_are_no_copies_and_known_copies_are(shared: Path) -> None:
    """RAVDESS has two sentences, EmoDB ten; one pair of RAVDESS is byte-identical."""
    emodb = corpora.get("emodb").read(shared / "corpora")
    ravdess = corpora.get("ravdess").read(shared / "corpora")
    some = pd.concat(
        [emodb[emodb["speaker"].isin(["emodb/03", "emodb/16"])], ravdess[ravdess["speaker"] == "ravdess/07"]]
    )
    assert pairs(some) == {frozenset(["ravdess/03-01-03-01-02-01-07", "ravdess/03-01-03-01-02-02-07"])}


def test_candidates_of_a_large_corpus_are_found_in_parts(monkeypatch):
    """As all at once, whatever the parts and the blocks are."""
    rng = np.random.default_rng(0)
    tracks = []
    for _ in range(30):
        frame = np.sort(rng.choice(200, 40, replace=False))
        tracks.append(np.column_stack([frame, rng.integers(8, 250, 40)]).astype(np.float32))
    tracks += [tracks[3][10:], tracks[7] + np.float32([5, 0])]
    writer = Writer(2)
    for track in tracks:
        writer.append(track)
    peaks = Sequences.of_store(writer.store())
    expected = list(recordings._candidates(peaks))
    assert {(3, 30), (7, 31)} <= {(a, b) for a, b, _ in expected}
    monkeypatch.setattr(recordings, "_AT_ONCE", 500)
    monkeypatch.setattr(sequences, "BLOCK", 300)
    assert list(recordings._candidates(peaks)) == expected
