"""MP3 without a table of contents: all frames are decoded, whatever the decoder guesses."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.audio import mp3

RATE = 16_000


def encoded(seconds: float = 4.0, *, channels: int = 1, rate: int = RATE) -> bytes:
    """Quiet at first, so that the first frames are the smallest."""
    noise = np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    buffer = io.BytesIO()
    soundfile.write(
        buffer, 0.1 * noise * (np.arange(len(noise)) > len(noise) / 2)[:, None], rate, format="MP3"
    )
    return buffer.getvalue()


def without_table(content: bytes) -> bytes:
    first = mp3.parse(content[:4])
    assert first is not None
    return content[first.length :]


@pytest.mark.parametrize(
    ("channels", "rate"), [(1, 16_000), (2, 16_000), (1, 44_100), (2, 48_000), (1, 8_000)]
)
def test_the_decoder_alone_loses_what_is_read_here(tmp_path: Path, channels: int, rate: int):
    path = tmp_path / "a.mp3"
    path.write_bytes(without_table(encoded(channels=channels, rate=rate)))
    seconds = audio.load(path).duration
    assert 4.0 <= seconds < 4.2
    assert audio.header(path).seconds == pytest.approx(seconds, abs=1e-3)


def test_its_estimate_is_far_off(tmp_path: Path):
    path = tmp_path / "a.mp3"
    path.write_bytes(without_table(encoded()))
    assert abs(soundfile.info(path).duration - 4.0) > 0.3  # else all this is not needed


def test_parts_are_where_they_are_in_the_whole(tmp_path: Path):
    path = tmp_path / "a.mp3"
    path.write_bytes(without_table(encoded()))
    whole = audio.load(path).samples
    part = audio.load(path, start=2.5, end=3.0).samples
    found = np.correlate(whole, part[2000:6000], "valid").argmax() - 2000
    assert abs(found - 2.5 * RATE) <= 1


def test_frames_of_another_file_and_headers_that_are_none():
    assert mp3.parse(b"\xff\xfb\x90\x00") == mp3.Frame(length=417, table=36)
    for header in (b"", b"\xff\xff\xff\xff", b"\xff\xfb\x00\x00", b"\xff\xe8\x90\x00", b"RIFF"):
        assert mp3.parse(header) is None


def test_a_file_that_ends_within_a_frame_says_so(tmp_path: Path):
    path = tmp_path / "a.mp3"
    path.write_bytes(without_table(encoded())[:-50])
    assert audio.END_UNMARKED in audio.load(path).notes
