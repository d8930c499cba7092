"""What a plan costs besides its fits: scheduling, overhead of a unit, and what two workers gain.

    python -m benchmarks.bench_plans               # sleeping units: on a busy machine, too
    python -m benchmarks.bench_plans --computing   # bare one-thread units and real ones: on a quiet machine

- *on paper*: 10,000 units on 100 workers by the dispatcher itself and a clock that is not that of the wall;
- *sleeping*: 10,000 units of some milliseconds on two processes;
- *bare*: units that multiply matrices in one thread, on one worker and on two;
- *real*: what a unit takes besides its fits, in time of a processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from serlab.experiment.work import Done, Unit
from serlab.experiment.workplace import Workplace
from serlab.reporting import dispatch, plans, workers
from serlab.reporting.backends import Answer, Place
from serlab.reporting.backends.local import Processes
from serlab.reporting.dispatch import State
from tests.reporting.crews import Simulated, lengths, sleeping


def on_paper(n: int, k: int) -> None:
    seconds = lengths(n)
    units = sleeping(seconds, data=[f"pair {number}" for number in range(30)])
    crew = Simulated([f"w{number}" for number in range(k)], loading=5.0, latency=0.05)
    begun = time.perf_counter()
    dispatch.carry_out(units, crew, state=State(n), clock=crew.clock, seconds=dict(enumerate(seconds)))
    wall = time.perf_counter() - begun
    least = max(max(seconds), sum(seconds) / k)
    print(
        f"on paper: {n:,} units (mean {sum(seconds) / n:.1f} s, 30 states of data) on {k} workers end after\n"
        f"  {crew.now:,.0f} s; no schedule can need less than {least:,.0f} s; {crew.loads} preparations of\n"
        f"  data; deciding took {1000 * wall / n:.2f} ms a unit"
    )


def work(pipe: Connection, place: Place, parent: int) -> None:
    """A worker that sleeps or multiplies as long as a unit says."""
    workers.end_with(parent)
    import numpy as np

    a = np.random.default_rng(0).standard_normal((200, 200))
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            unit = Unit(**pipe.recv())
            begun = time.perf_counter()
            if "sleep" in unit.parameters:
                time.sleep(unit.parameters["sleep"])
            for _ in range(unit.parameters.get("products", 0)):
                a @ a
            took = time.perf_counter() - begun
            pipe.send(Answer(kind="done", done=Done(seconds=took, preparing=0, fitting=took, folds=1)))


class Bare(Unit):
    """A unit of no experiment."""

    data, name, title, wants_gpu = "", "", "", False


def timed(n: int, k: int, **parameters: float) -> float:
    """Seconds for n units on k processes that are there."""
    units = [Bare(parameters=parameters, method="", seed=0, fingerprint="", code="") for _ in range(n)]
    crew = Processes(Place(units=Path()), work=work)
    try:
        for _ in range(k):
            crew.hire()
        dispatch.carry_out(units[: 4 * k], crew, state=State(4 * k))  # until they have started
        begun = time.perf_counter()
        dispatch.carry_out(units, crew, state=State(n))
        return time.perf_counter() - begun
    finally:
        crew.dismiss()


def real(folder: Path) -> None:
    common = {"preset": "demo", "features": "librosa", "methods": ["majority"], "groups": 4}
    rows = plans.pairs(["synthetic-a", "synthetic-b"], common=common)
    own = Workplace(folder / "prepared")
    over = []
    for unit in plans.of_rows(rows).units():
        own.folder = folder / "prepared"
        own.carry_out(replace(unit, groups=1))  # its data
        own.folder = folder / "units"
        cpu = time.process_time()
        own.carry_out(unit)
        over.append(1000 * (time.process_time() - cpu))
    took = statistics.median(over)
    print(f"real: a unit takes {took:.0f} ms of a processor with its data at hand and next to no fit")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--computing", action="store_true", help="what needs a quiet machine, too")
    options = parser.parse_args()
    on_paper(10_000, 100)
    for seconds in (0.002, 0.02):
        n = 10_000 if seconds < 0.01 else 1_000
        took = timed(n, 2, sleep=seconds)
        print(
            f"sleeping: {n:,} units of {1000 * seconds:.0f} ms on 2 processes: {took:.1f} s, "
            f"{1000 * (took - n * seconds / 2) / n:.2f} ms a unit more than sleep"
        )
    if options.computing:
        one, two = (min(timed(40, k, products=400) for _ in range(3)) for k in (1, 2))
        print(f"bare: 40 units on 1 process {one:.2f} s, on 2 {two:.2f} s: {one / two:.2f} times as fast")
    with tempfile.TemporaryDirectory() as folder:
        real(Path(folder))
    print(json.dumps({"cpus": os.cpu_count(), "load": [round(load, 1) for load in os.getloadavg()]}))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
