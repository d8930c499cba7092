"""Progress goes from a file to a callback, once for each change."""

from __future__ import annotations

import time

from serlab import progress


def test_what_is_written_arrives_once(tmp_path):
    arrived = []
    write = progress.to_file(tmp_path, every=0)
    with progress.forwarded(tmp_path, lambda *step: arrived.append(step), every=0.02):
        for step in ((1, 3, "one"), (2, 3, "zwei ü 2")):
            write(*step)
            time.sleep(0.2)
    assert arrived == [(1, 3, "one"), (2, 3, "zwei ü 2")]


def test_a_folder_that_is_renamed_meanwhile_ends_nothing(tmp_path):
    arrived, folder = [], tmp_path / "unfinished"
    folder.mkdir()
    write = progress.to_file(folder, every=0)
    with progress.forwarded(folder, lambda *step: arrived.append(step), every=0.02):
        write(1, 3, "one")
        time.sleep(0.2)
        (folder / progress.FILE_NAME).unlink()
        time.sleep(0.1)
        write(3, 3, "end")
        time.sleep(0.2)
    assert arrived == [(1, 3, "one"), (3, 3, "end")]


def test_writing_is_throttled_but_the_end_is_written(tmp_path):
    write = progress.to_file(tmp_path, every=60)
    write(0, 3, "start")
    write(1, 3, "too soon")
    assert "start" in (tmp_path / progress.FILE_NAME).read_text()
    write(3, 3, "end")
    assert "end" in (tmp_path / progress.FILE_NAME).read_text()


def test_pace_and_time_left(monkeypatch):
    clock = iter([0.0, 0.0, 10.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    said = []
    pace = progress.Pace(lambda *told: said.append(told), 100)
    pace.start(40, "from the cache")
    pace.tell(50, "a.wav")
    pace.tell(100, "b.wav")
    assert said == [
        (40, 100, "from the cache"),
        (50, 100, "a.wav, 1 a second, 50 s left"),
        (100, 100, "b.wav"),
    ]
