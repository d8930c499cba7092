"""A plan from its rows to its page: what becomes of it when units fail and workers are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from serlab import files
from serlab.errors import ParameterError
from serlab.experiment import work
from serlab.experiment.work import Store
from serlab.reporting import backends, carrying, dispatch, plans
from serlab.reporting.backends import Place
from tests.reporting import crews

ROWS = [
    {
        "sources": ["near"], "target": "far", "preset": "demo", "features": "librosa", "seeds": [0, 1],
        "methods": ["majority", "ridge-source", "ridge-target"],
    }
]  # fmt: skip


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Without processes, which take seconds to start, but where these are the question."""
    monkeypatch.setitem(backends.BACKENDS, "here", crews.HERE)


def run(plan: plans.Plan, **more) -> carrying.Carried:
    return carrying.run(plan, **{"backend": "here", **more})


@pytest.fixture
def plan() -> plans.Plan:
    return plans.of_rows(ROWS, name="small")


@pytest.fixture
def place(tmp_path, small_corpora) -> Place:
    return Place(units=tmp_path / "units", data=str(small_corpora), workers=1)


def predictions(place: Place, plan: plans.Plan) -> pd.DataFrame:
    """All that lies on the shelves, in the order of the plan."""
    store, found = Store(place.units), []
    for unit in plan.units(data=place.data):
        done = store.finished(unit)
        assert done is not None, unit.title
        found += [files.read_tables(store.shelf(unit).folder / piece)["predictions"] for piece in done.pieces]
    return pd.concat(found, ignore_index=True)


def test_a_plan_is_carried_out_and_the_same_call_has_nothing_to_do(plan, place, tmp_path):
    said = []
    done = run(plan, place=place, out=tmp_path / "reports", say=lambda line, text: said.append(text))
    n = len(plan.units(data=place.data))
    assert len(done.state.done) == n and done.page == tmp_path / "reports/plans/small/index.html"
    page = done.page.read_text()
    assert f"{n} done, 0 running, 0 waiting" in page and "complete" in page and "refresh" not in page
    assert sum("done in" in text for text in said) == n
    first, stamps = predictions(place, plan), [path.stat().st_mtime_ns for path in place.units.rglob("*.zip")]
    run(plan, place=place, out=tmp_path / "reports")
    assert [path.stat().st_mtime_ns for path in place.units.rglob("*.zip")] == stamps
    pd.testing.assert_frame_equal(predictions(place, plan), first)


def test_a_failed_unit_is_told_kept_and_tried_again_when_asked(plan, place, tmp_path, monkeypatch):
    units = plan.units(data=place.data)
    for unit in units[1:]:
        Store(place.units).note_failure(unit, "no <luck>")
    with pytest.raises(
        carrying.PlanIncomplete, match=r"units failed, as near-to-far.*no <luck>; --retry"
    ) as info:
        run(plan, place=place, out=tmp_path)
    page = info.value.page.read_text()
    assert "no &lt;luck&gt;" in page and f"1 done, 0 running, {len(units) - 1} failed" in page
    done = run(plan, place=place, out=tmp_path, retry_failed=True)
    assert len(done.state.done) == len(units)


def test_what_cannot_be_begun_is_refused(plan, place, tmp_path):
    with pytest.raises(ParameterError, match="at least one worker"):
        run(plan, place=replace(place, workers=0), out=tmp_path, backend="local")
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match="cannot keep results in"):
        run(plan, place=replace(place, units=tmp_path / "file"), out=tmp_path)
    with pytest.raises(ParameterError, match="cannot write reports"):
        run(plan, place=place, out=tmp_path / "file")
    with pytest.raises(ParameterError, match="unknown backend 'dusk'"):
        run(plan, place=place, out=tmp_path, backend="dusk")


def test_a_worker_with_other_code_does_nothing(plan, place, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "fitting_digest", lambda: "a later version")
    with pytest.raises(dispatch.Stopped, match="no worker may do these units: other code here"):
        run(plan, place=place, out=tmp_path)
    assert not list(place.units.rglob("*.zip"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")
def test_killed_at_any_time_a_plan_ends_as_if_undisturbed(plan, place, small_corpora, tmp_path):
    """Workers, then the command itself, are killed; benchmarks/kill_plans.py does it hundreds of times."""
    plans.write(tmp_path / "small.csv", ROWS)
    command = [
        sys.executable, "-m", "serlab.cli", "run-plan", str(tmp_path / "small.csv"),
        "--data", str(small_corpora), "--units", str(place.units), "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def wait_for(condition) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.02)

    running = start()
    wait_for(lambda: children(running.pid))
    os.kill(children(running.pid)[-1], signal.SIGKILL)
    wait_for(lambda: list(place.units.rglob("*.zip")))
    left = children(running.pid)
    running.kill()
    running.communicate()
    running = start()
    wait_for(lambda: children(running.pid))
    running.terminate()
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.strip().splitlines()[-1] == "serlab: interrupted; the same command goes on"
    assert "Traceback" not in said
    wait_for(lambda: not any(alive(pid) for pid in left))
    run(plan, place=place, out=tmp_path / "out")
    undisturbed = Place(units=tmp_path / "elsewhere", data=place.data)
    run(plan, place=undisturbed, out=tmp_path / "out")
    pd.testing.assert_frame_equal(predictions(place, plan), predictions(undisturbed, plan))
    assert not list(place.units.rglob("*.tmp")) and not list(place.units.rglob("*.damaged"))


def children(pid: int) -> list[int]:
    """Processes begun by another one, in order, but not those that only look after shared memory."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
            line = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == pid and state != "Z" and b"spawn_main" in line:
            found.append(int(stat.parent.name))
    return sorted(found)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
