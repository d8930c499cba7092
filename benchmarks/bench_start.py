"""How long commands that compute nothing take to answer.

    python benchmarks/bench_start.py [--repeats 5] [--imports]

Goal: ``import serlab`` in 0.2 s; lists, help and wrong usage in 1 s, on two
cores with a warm disk. Each is a process of its own, started in an empty
folder: best and median of the repeats, and the least processor time, which a
busy machine changes less. With --imports the slowest modules of each command
are named.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import serlab

#: Goal in seconds, what Python is told.
STARTS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.2, ("-c", "import serlab")),
    *(
        (1.0, ("-m", "serlab.cli", *command.split()))
        for command in (
            "--help",
            "methods",
            "features",
            "schemes",
            "corpora",
            "notebooks",
            "runn",
            "run 99",
            "run 01 -p shot=3",
            "run 01 -p target=atlantis",
        )
    ),
)


def start(*arguments: str, folder: str) -> tuple[float, float, str]:
    """Seconds that a Python takes, of them by processors, and what it wrote to standard error."""
    # This checkout, whatever is installed.
    environment = os.environ | {"PYTHONPATH": str(Path(serlab.__file__).parents[1])}
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds, after = time.perf_counter() - began, os.times()
    computed = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, computed, done.stderr


def slowest(*arguments: str, folder: str, n: int = 5) -> list[tuple[int, str]]:
    """Modules by the milliseconds of their own code."""
    *_, written = start("-X", "importtime", *arguments, folder=folder)
    rows = []
    for line in written.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if len(parts) == 3 and parts[0].strip().isdigit():
            rows.append((int(parts[0]) // 1000, parts[2].strip()))
    return sorted(rows, reverse=True)[:n]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    print(f"{'':30} {'best':>7} {'median':>7} {'processor':>10} {'goal':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for goal, arguments in STARTS:
            taken = [start(*arguments, folder=folder)[:2] for _ in range(options.repeats + 1)][1:]
            seconds, computed = zip(*taken, strict=True)
            text = " ".join(arguments).replace("-m serlab.cli", "serlab")
            print(
                f"{text:30} {min(seconds):6.2f}s {statistics.median(seconds):6.2f}s {min(computed):9.2f}s "
                f"{goal:5.1f}s{'' if min(seconds) <= goal else '  too slow'}"
            )
            if options.imports:
                for milliseconds, module in slowest(*arguments, folder=folder):
                    print(f"    {milliseconds:5} ms  {module}")


if __name__ == "__main__":
    main()
