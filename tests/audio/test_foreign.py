"""What cannot be read is named, with the command that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import audio
from serlab.errors import AudioError

FOREIGN = {
    "a.m4a": (b"\0\0\0\x20ftypM4A ", "MPEG-4.*ffmpeg -i .*a.m4a.? -vn -c:a pcm_s16le .*a.wav"),
    "a.webm": (b"\x1a\x45\xdf\xa3" + bytes(20), "WebM.*ffmpeg"),
    "a.wma": (bytes.fromhex("3026b2758e66cf11"), "Windows Media.*ffmpeg"),
    "it's.wav": (b"\0\0\0\x18ftypmp42", r"ffmpeg -i .*it.*converted\.wav"),
    "a.avi": (b"RIFF\0\0\0\0AVI LIST", "AVI video.*ffmpeg"),
    "b.wav": (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS.*git lfs pull"),
    "c.wav": (b"<!DOCTYPE html><html>", "a web page"),
    "d.wav": (b"PK\x03\x04", "a ZIP archive.*unpack"),
    "e.raw": (bytes(range(256)) * 9, "samples without a header.*-ar 16000"),
    "f.caf": (b"caff\0\1\0\0", "Apple Core Audio.*ffmpeg"),
    "g.wav": (b"Lorem ipsum " * 99, "unknown format"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_the_sentence(tmp_path: Path, name: str):
    content, sentence = FOREIGN[name]
    (tmp_path / name).write_bytes(content + bytes(50))
    with pytest.raises(AudioError, match=sentence) as raised:
        audio.load(tmp_path / name)
    assert raised.value.problem == "unreadable" and name.split(".")[0] in str(raised.value)
