"""What is measured by 44 bytes is what opening the file says."""

from __future__ import annotations

import math
import os
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab.corpora import files
from serlab.corpora.durations import durations, plain
from tests.fuzz import damaged


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT", "ULAW"])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_same_as_opening_it(tmp_path: Path, subtype: str, channels: int):
    paths = [str(tmp_path / f"a{n}.wav") for n in (1, 7, 1601)]
    for n, path in zip((1, 7, 1601), paths, strict=True):
        soundfile.write(path, np.full((n, channels), 0.1), 22_050, subtype=subtype)
    assert durations(paths) == {path: files.duration(Path(path)) for path in paths}
    if subtype == "PCM_16":
        assert [plain(path) for path in paths] == [n / 22_050 for n in (1, 7, 1601)]


def test_damaged_files_are_left_to_who_opens_them(tmp_path: Path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(800, 0.1), 16_000)
    content, draw = path.read_bytes(), random.Random(0)
    for _ in range(300):
        path.write_bytes(damaged(content, draw)[0])
        if not math.isnan(seconds := plain(str(path))):
            assert seconds == files.duration(path)


def test_what_is_no_file_has_no_duration(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    names = [str(tmp_path / name) for name in ("pipe.wav", "folder.wav", "none.wav", "x" * 300, "a\0b")]
    assert all(math.isnan(seconds) for seconds in durations(names).values())
