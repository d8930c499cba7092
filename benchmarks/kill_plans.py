"""Kill what carries out a plan, again and again, and look whether anything is lost.

    python benchmarks/kill_plans.py --kills 200

A plan of some 60 short units on two small corpora is carried out by a backend drawn at random: processes, a
cluster of Dask on this machine, or a scheduler and workers of Dask that run by themselves. At a random
moment one process is killed (SIGKILL): the command, a worker, a nanny, the scheduler. The same command
follows, until the plan is complete; then a new plan begins. Told are the kills by what was killed, and:

- *lost*: units that were finished and no longer are;
- *changed*: files of finished units that are not what they were;
- *different*: plans whose predictions are not those of an undisturbed one, bit for bit;
- *left*: unfinished files on shelves, and processes that outlive what began them;
- *hung*: commands that neither went on nor ended by themselves.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from serlab import files
from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift
from serlab.experiment.work import Store
from serlab.reporting import plans

PYTHON = sys.executable


@dataclass
class Count:
    kills: Counter = field(default_factory=Counter)
    plans: int = 0
    commands: int = 0
    lost: int = 0
    changed: int = 0
    different: int = 0
    left: int = 0
    hung: int = 0


def corpora(root: Path) -> None:
    for name, language, shift in (("near", "x-a", Shift()), ("far", "x-b", Shift(channel=0.3))):
        table = synthetic.make_corpus(
            name=name, language=language, n_speakers=4, n_utterances=32, seed=7, shift=shift,
            folder=root / name / "audio",
        )  # fmt: skip
        table = table.assign(
            label=table["native_label"], path=[f"audio/{Path(path).name}" for path in table["path"]]
        )
        table[["path", "speaker", "label", "sex", "text_id"]].to_csv(root / name / "corpus.csv", index=False)


def rows() -> list[dict]:
    return plans.pairs(
        ["near", "far"],
        each={"scheme": ["four", "arousal", "valence"]},
        common={
            "preset": "demo", "features": "librosa", "seeds": [0, 1], "jobs": 1,
            "methods": ["majority", "ridge-source", "ridge-target", "rf-source", "rf-target", "rf-pooled"],
        },
    )  # fmt: skip


class Trial:
    """One plan in a folder of its own."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        self.units_folder = folder / "units"
        plans.write(folder / "plan.csv", rows())
        self.units = plans.read(folder / "plan.csv").units(data=str(data))

    def command(self, *more: str) -> subprocess.Popen:
        named = {"--data": self.data, "--units": self.units_folder, "--out": self.folder / "out"}
        words = [str(word) for option in named.items() for word in option]
        return subprocess.Popen(
            [PYTHON, "-m", "serlab.cli", "run-plan", str(self.folder / "plan.csv"), "--retry-failed",
             *words, *more],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "said.txt").open("a"), start_new_session=True,
        )  # fmt: skip

    def finished(self) -> dict[str, dict[str, str]]:
        """Unit -> its files and what they hold."""
        store, found = Store(self.units_folder), {}
        for unit in self.units:
            done = store.finished(unit)
            if done is not None:
                folder = store.shelf(unit).folder
                found[unit.name] = {
                    name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in done.pieces
                }
        return found

    def predictions(self) -> pd.DataFrame:
        store, parts = Store(self.units_folder), []
        for unit in self.units:
            folder, done = store.shelf(unit).folder, store.finished(unit)
            parts += [files.read_tables(folder / name)["predictions"] for name in done.pieces]
        return pd.concat(parts, ignore_index=True)


def tree(pid: int) -> list[tuple[int, bytes]]:
    """A process and all below it, with their command lines."""
    parents: dict[int, list[tuple[int, bytes]]] = {}
    own = b""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
            line = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        number = int(stat.parent.name)
        if state != "Z":
            parents.setdefault(int(parent), []).append((number, line))
            own = line if number == pid else own
    found, todo = [(pid, own)] if own else [], [pid]
    while todo:
        below = parents.get(todo.pop(), [])
        found += below
        todo += [number for number, _ in below]
    return found


def kill_one(rng: random.Random, running: dict[str, subprocess.Popen]) -> str:
    """Kill a process at random among all that carry the plan; what it was is returned."""
    candidates: list[tuple[str, int]] = []
    for role, process in running.items():
        if process.poll() is not None:
            continue
        below = [pid for pid, line in tree(process.pid) if pid != process.pid and b"spawn_main" in line]
        candidates.append((role, process.pid))
        candidates += [("worker", pid) for pid in below if role != "scheduler"]
    if not candidates:
        return ""
    roles = sorted({role for role, _ in candidates})
    role = rng.choice(roles)
    pid = rng.choice([pid for own, pid in candidates if own == role])
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return ""
    return role


def dask(folder: Path) -> tuple[dict[str, subprocess.Popen], str]:
    """A scheduler and two workers with their nannies, as one starts them by hand."""
    address = folder / f"scheduler-{time.monotonic_ns()}.json"
    log = (folder / "dask.txt").open("a")
    begun = {"stdout": log, "stderr": log, "start_new_session": True}
    own = [PYTHON, "-m"]
    scheduler = subprocess.Popen(
        [*own, "distributed.cli.dask_scheduler", "--scheduler-file", str(address), "--host", "127.0.0.1",
         "--port", "0", "--no-dashboard"], **begun,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not address.exists() and time.monotonic() < until:
        time.sleep(0.1)
    where = json.loads(address.read_text())["address"]
    found = {"scheduler": scheduler}
    for number in (1, 2):
        found[f"nanny {number}"] = subprocess.Popen(
            [*own, "distributed.cli.dask_worker", where, "--nthreads", "1", "--host", "127.0.0.1",
             "--no-dashboard", "--death-timeout", "10", "--local-directory", str(folder / "dask")], **begun,
        )  # fmt: skip
    return found, where


def end(process: subprocess.Popen) -> None:
    for pid, _ in tree(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def disturbed(trial: Trial, rng: random.Random, count: Count, *, kills: int, backend: str) -> None:
    """Carry out a plan under kills, until it is complete."""
    helpers: dict[str, subprocess.Popen] = {}
    where = ""
    try:
        while True:
            left = kills - count.kills.total()
            if (backend == "scheduler" and any(one.poll() is not None for one in helpers.values())) or (
                backend == "scheduler" and not helpers
            ):
                for one in helpers.values():
                    end(one)
                helpers, where = dask(trial.folder)
            more = {"local": ["--workers", "2"], "dask": ["--backend", "dask", "--workers", "2"],
                    "scheduler": ["--scheduler", where]}[backend]  # fmt: skip
            before = trial.finished()
            command = trial.command(*more)
            count.commands += 1
            killed = ""
            if left > 0:
                # Some while starting, most while units are done.
                until = time.monotonic() + 120
                if rng.random() > 0.2:
                    while len(trial.finished()) <= len(before) and command.poll() is None:
                        if time.monotonic() > until:
                            break
                        time.sleep(0.1)
                time.sleep(rng.uniform(0, 2.0))
                killed = kill_one(rng, {"command": command, **helpers})
                if killed:
                    count.kills[f"{backend}: {killed.split()[0]}"] += 1
            try:
                command.wait(120 if killed == "scheduler" else 300)  # Dask looks for it for half a minute
            except subprocess.TimeoutExpired:
                count.hung += 1
                command.terminate()
                command.wait(60)
            now = trial.finished()
            count.lost += sum(name not in now for name in before)
            count.changed += sum(name in now and now[name] != held for name, held in before.items())
            if len(now) == len(trial.units) and command.returncode == 0:
                return
    finally:
        for one in helpers.values():
            end(one)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no further plan after so many")
    options = parser.parse_args()
    rng, count = random.Random(options.seed), Count()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpora(folder / "data")
        (folder / "undisturbed").mkdir()
        calm = Trial(folder / "undisturbed", folder / "data")
        calm.command("--workers", "2").wait()
        expected = calm.predictions()
        print(f"a plan of {len(calm.units)} units", flush=True)
        while count.kills.total() < options.kills and time.monotonic() - begun < 60 * options.minutes:
            backend = rng.choice(["local", "dask", "scheduler"])
            own = folder / f"plan-{count.plans}"
            own.mkdir()
            trial = Trial(own, folder / "data")
            disturbed(trial, rng, count, kills=options.kills, backend=backend)
            count.plans += 1
            count.different += not trial.predictions().equals(expected)
            count.left += len(list(trial.units_folder.rglob("*.tmp"))) + len(
                list(trial.units_folder.rglob("*.damaged"))
            )
            print(f"{time.monotonic() - begun:6.0f} s: on {backend}: {count}", flush=True)
            shutil.rmtree(own)
    print(count)
    sys.exit(bool(count.lost or count.changed or count.different or count.hung))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
