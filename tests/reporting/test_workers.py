"""Processes beside each other, and what becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serlab.errors import SerlabError
from serlab.reporting import workers


def task(name: str, folder: str) -> str:
    """What the tests below have done: by its name."""
    Path(folder, f"{name}-{os.getpid()}").touch()
    if name == "refuses":
        raise SerlabError("not today")
    if name == "breaks":
        raise ValueError("a bug")
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "sleeps":
        time.sleep(60)
    if name == "unsendable":
        return lambda: None
    if name == "unreadable":
        return Foreign("how", "ever")
    return name.upper()


class Foreign(Exception):
    """Of another library: it cannot be made again from what it says."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one}{other}")


def test_each_task_is_answered_whatever_becomes_of_the_others(tmp_path: Path) -> None:
    names, ended = ["a", "killed", "refuses", "breaks", "b", "unsendable", "unreadable"], {}
    workers.run_all(task, [(name, str(tmp_path)) for name in names], at_once=2, on_end=ended.__setitem__)
    assert ended[0] == "A" and ended[4] == "B" and len(ended) == 7
    assert (
        "SIGKILL" in str(ended[1]) and str(ended[2]) == "not today" and str(ended[3]) == "ValueError: a bug"
    )
    assert all(isinstance(ended[number], SerlabError) for number in (1, 2, 3, 5, 6))
    assert "cannot be sent" in str(ended[5]) and "cannot be read" in str(ended[6])


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    script = (
        "import signal; from tests.reporting.test_workers import task, workers\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        f"    tasks = [('sleeps', {str(tmp_path)!r})] * 2\n"
        "    workers.run_all(task, tasks, at_once=2, on_end=print)\n"
    )
    (tmp_path / "main.py").write_text(script)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while len(started := list(tmp_path.glob("sleeps-*"))) < 2:
        assert time.monotonic() < until, "the processes have not begun"
        time.sleep(0.1)
    parent.send_signal(how)
    parent.wait(30)
    pids = [int(path.name.split("-")[1]) for path in started]
    until = time.monotonic() + 15
    while not all(map(gone, pids)):
        assert time.monotonic() < until, "a process has outlived its parent"
        time.sleep(0.1)
