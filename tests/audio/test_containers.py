"""Headers that lie about the length, in every container, and files that were cut."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.audio import containers
from serlab.errors import AudioError
from tests.fuzz.audio import FORMATS, RATE, N, sound, whole


def content(name: str = "wav") -> bytes:
    return whole(name)[0]


def loaded(path: Path, content: bytes) -> audio.Audio:
    path.write_bytes(content)
    return audio.load(path)


def with_length(length: int, tail: bytes = b"", whole_length: int | None = None) -> bytes:
    """A WAV file whose header says this about its samples."""
    changed = bytearray(content() + tail)
    changed[40:44] = struct.pack("<I", length)
    if whole_length is not None:
        changed[4:8] = struct.pack("<I", whole_length)
    return bytes(changed)


@pytest.mark.parametrize("name", FORMATS)
def test_intact_files_are_read_whole_and_without_a_note(tmp_path: Path, name: str):
    sound = loaded(tmp_path / f"a{FORMATS[name].suffix}", content(name))
    frames = whole(name)[1]
    assert abs(len(sound.samples) - frames) <= 1 and frames >= N
    assert not {audio.LENGTH_CORRECTED, audio.END_UNMARKED} & {*sound.notes}


@pytest.mark.parametrize("name", [name for name, made in FORMATS.items() if made.promises])
def test_a_tenth_cut_off_is_an_error(tmp_path: Path, name: str):
    whole = content(name)
    with pytest.raises(AudioError, match=r"truncated|damaged or cut") as raised:
        loaded(tmp_path / f"a{FORMATS[name].suffix}", whole[: len(whole) * 9 // 10])
    assert raised.value.problem in ("truncated", "damaged")


@pytest.mark.parametrize("name", ["vorbis", "opus"])
def test_ogg_cut_within_a_page_and_between_pages(tmp_path: Path, name: str):
    whole = content(name)
    with pytest.raises(AudioError, match="truncated: the last page"):
        loaded(tmp_path / "a.ogg", whole[: len(whole) * 9 // 10])
    buffer = io.BytesIO()
    long = np.concatenate([sound()] * 20)
    soundfile.write(buffer, long, RATE, format="OGG", subtype=FORMATS[name].subtype)
    pages = buffer.getvalue().split(b"OggS")
    shortened = loaded(tmp_path / "b.ogg", b"OggS".join(pages[:-1]))
    assert audio.END_UNMARKED in shortened.notes and len(shortened.samples) < len(long)


@pytest.mark.parametrize("excess", [1, 8, 44])
def test_a_header_that_counts_itself_is_no_truncation(tmp_path: Path, excess: int):
    sound = loaded(tmp_path / "a.wav", with_length(2 * N + excess))
    assert len(sound.samples) == N and sound.notes == (audio.LENGTH_CORRECTED,)


def test_a_recorder_that_crashed_before_it_wrote_the_length(tmp_path: Path):
    for number, header in enumerate(
        (with_length(0), with_length(0, whole_length=36), with_length(0, whole_length=0))
    ):
        sound = loaded(tmp_path / f"{number}.wav", header)
        assert len(sound.samples) == N and sound.notes == (audio.LENGTH_CORRECTED,)


def test_a_header_that_was_not_brought_up_to_date(tmp_path: Path):
    """It says that half of what is there are samples, and no chunk follows them."""
    sound = loaded(tmp_path / "a.wav", with_length(N, whole_length=36 + N))
    assert len(sound.samples) == N and sound.notes == (audio.LENGTH_CORRECTED,)


@pytest.mark.parametrize(
    "tail", [b"LIST\x04\0\0\0INFO", b"TAG" + bytes(125), b"LIST\x05\0\0\0INFOx\0id3 \0\0\0\0", b"\0"]
)
def test_chunks_and_tags_behind_the_samples_are_no_samples(tmp_path: Path, tail: bytes):
    sound = loaded(tmp_path / "a.wav", content() + tail)
    assert len(sound.samples) == N and not sound.notes


def test_no_end_of_chunks_before_the_samples(tmp_path: Path):
    endless = b"RIFF\xff\xff\xff\x7fWAVE" + b"junk\0\0\0\0" * 200_000
    with pytest.raises(AudioError, match="no samples"):
        loaded(tmp_path / "a.wav", endless)


def flac(total: int) -> bytes:
    changed = bytearray(content("flac"))
    changed[21] = changed[21] & 0xF0 | total >> 32
    changed[22:26] = struct.pack(">I", total & 0xFFFFFFFF)
    return bytes(changed)


def test_flac_that_does_not_know_its_length(tmp_path: Path):
    sound = loaded(tmp_path / "a.flac", flac(0))
    assert len(sound.samples) == N and audio.header(tmp_path / "a.flac").seconds == N / RATE
    with pytest.raises(AudioError, match="not a part"):
        audio.load(tmp_path / "a.flac", start=5.0)


@pytest.mark.parametrize("total", [2**36 - 1, 2**32, 2 * N])
def test_flac_that_promises_what_is_not_there(tmp_path: Path, total: int):
    """Neither allocated nor waited for."""
    with pytest.raises(AudioError, match="truncated"):
        loaded(tmp_path / "a.flac", flac(total))


def test_tag_before_the_first_byte(tmp_path: Path):
    tag = b"ID3\x04\0\0\0\0\x01\x00" + bytes(128)
    for name in ("flac", "mp3"):
        assert len(loaded(tmp_path / f"a.{name}", tag + content(name)).samples) == N


def test_what_is_no_audio_is_none():
    for junk in (b"", b"x" * 100, b"\xff" * 5000):
        with io.BytesIO(junk) as file:
            if len(junk) != 5000:  # frames of MP3 are counted in a file on disk
                assert containers.mp3.tag_length(file.read(40)) == 0
