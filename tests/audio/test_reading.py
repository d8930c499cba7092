"""Reading in blocks: names of any kind, things that are no files, rates and floating point that cannot be."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.audio import reading
from serlab.corpora import measuring
from serlab.errors import AudioError

RATE = 16_000


def voice(seconds: float = 0.5, rate: int = RATE, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(1).standard_normal(round(seconds * rate)).clip(-3, 3)


def saved(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.mark.parametrize("rate", [RATE, 44_100, 8_000])
def test_blocks_give_the_samples_of_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int):
    """Resampled as they come, bit by bit as resampled at once."""
    path = saved(tmp_path / "a.flac", np.stack([voice(2, rate), voice(2, rate)[::-1]], axis=1), rate)
    once = audio.load(path)
    measured = measuring.measure(path)
    for block in (1_000, 7_777):
        monkeypatch.setattr(reading, "BLOCK", block)
        again = audio.load(path)
        assert np.array_equal(again.samples, once.samples) and again.notes == once.notes
        in_blocks = measuring.measure(path)
        assert in_blocks.digest == measured.digest
        assert in_blocks.level_db == pytest.approx(measured.level_db, abs=1e-3)
        assert in_blocks.bandwidth == pytest.approx(measured.bandwidth)


def test_clipping_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    samples = voice()
    samples[998:1002] = 1.0
    path = saved(tmp_path / "a.wav", samples)
    for block in (100, 1_000, 10**6):
        monkeypatch.setattr(reading, "BLOCK", block)
        assert measuring.measure(path).clipped
    samples[1001] = 0.5
    monkeypatch.setattr(reading, "BLOCK", 1_000)
    assert not measuring.measure(saved(path, samples)).clipped


@pytest.mark.parametrize("name", [b"\xff\xfe.wav", b"a.raw", b"no ending", b"\xc3\xa4 b.flac", b"a.mp3"])
def test_the_content_tells_the_format_not_the_name(tmp_path: Path, name: bytes):
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(saved(tmp_path / "made.wav", voice()).read_bytes())
    assert audio.load(path).duration == 0.5
    assert audio.file_hash(path) == audio.file_hash(tmp_path / "made.wav")


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "loop"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str):
    path = tmp_path / "a.wav"
    make = {"pipe": os.mkfifo, "folder": os.mkdir}
    links = {"device": "/dev/zero", "loop": path}
    make[kind](path) if kind in make else path.symlink_to(links[kind])
    began = time.perf_counter()
    for read in (audio.load, audio.header, audio.file_hash):
        with pytest.raises(AudioError):
            read(path)
    assert measuring.measure(path).problem in ("missing", "unreadable")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("rate", [1, 100, 3_999, 384_001, 2**31 - 1])
def test_rates_that_no_recorder_has(tmp_path: Path, rate: int):
    content = bytearray(saved(tmp_path / "a.wav", voice()).read_bytes())
    content[24:28] = struct.pack("<I", rate)
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match="no rate of speech"):
        audio.load(tmp_path / "a.wav")


def test_five_samples(tmp_path: Path):
    with pytest.raises(AudioError, match="too short") as raised:
        audio.load(saved(tmp_path / "a.wav", voice()[:5]))
    assert raised.value.problem == "too short" == measuring.measure(tmp_path / "a.wav").problem


@pytest.mark.parametrize(("bits", "subtype"), [(16, "FLOAT"), (24, "FLOAT"), (32, "DOUBLE")])
def test_whole_numbers_left_in_floating_point(tmp_path: Path, bits: int, subtype: str):
    """Level is kept: a quiet file beside a loud one, and a quiet part of a loud file."""
    full = 2.0 ** (bits - 1)
    loud, quiet = voice(level=0.3), voice(level=0.3)
    quiet[:7_000] *= 0.001
    right = audio.load(saved(tmp_path / "right.wav", quiet, subtype="DOUBLE")).samples
    path = saved(tmp_path / "a.wav", quiet * full, subtype=subtype)
    sound = audio.load(path)
    assert sound.notes == (audio.UNSCALED,) and np.allclose(sound.samples, right, atol=1e-7)
    part = audio.load(path, start=0.1, end=0.4)
    assert part.notes == (audio.UNSCALED,) and np.array_equal(part.samples, sound.samples[1600:6400])
    measured = measuring.measure(path)
    assert not measured.clipped and measured.notes == sound.notes
    assert measured.level_db == pytest.approx(20 * np.log10(right.std()), abs=0.01)
    assert not audio.load(saved(tmp_path / "b.wav", loud, subtype="FLOAT")).notes


def test_a_little_beyond_full_scale_is_floating_point(tmp_path: Path):
    sound = audio.load(saved(tmp_path / "a.wav", 8 * voice(), subtype="FLOAT"))
    assert sound.notes == (audio.ATTENUATED,)
    assert not measuring.measure(tmp_path / "a.wav").clipped


def test_samples_beyond_any_scale(tmp_path: Path):
    with pytest.raises(AudioError, match="beyond any full scale"):
        audio.load(saved(tmp_path / "a.wav", 1e30 * voice(), subtype="FLOAT"))


def test_no_descriptor_is_left_open(tmp_path: Path):
    good, bad = saved(tmp_path / "a.wav", voice()), tmp_path / "b.wav"
    bad.write_bytes(good.read_bytes()[:44] + b"")
    (tmp_path / "c.flac").write_bytes(b"fLaC" + bytes(100))
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("no /proc here")
    before = len([*descriptors.iterdir()])
    for _ in range(5):
        for path in (good, bad, tmp_path / "c.flac"):
            measuring.measure(path)
    assert len([*descriptors.iterdir()]) == before
