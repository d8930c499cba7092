"""Everything that somebody waits for, beside what others take for it.

    python -m benchmarks [--data ROOT] [--models ROOT] [--only WORD ...] [--commands] [--write FILE]

One line a comparison (see :mod:`side_by_side`), printed as it is made. With ``--commands`` the
commands of the Makefile and the notebooks' demonstrations are timed, too; that takes a quarter of an
hour on two idle cores. ``--write docs/explanation/speed.md`` puts the tables into that page.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # its files are programs of their own, too

from side_by_side import COMPARISONS, Absent, Setting, by_turns  # noqa: E402

#: What is timed -> seconds it may take, and its arguments.
COMMANDS: dict[str, tuple[float, list[str]]] = {
    "make demo, cold cache": (30, ["demo"]),
    **{
        f"notebook {number}, demo": (60, ["run", number, "-p", "preset=demo"])
        for number in ("00", "01", "02", "03", "04", "05", "06")
    },
}


def compared(setting: Setting, only: list[str]) -> list[list[str]]:
    """Rows of the table of comparisons; printed one by one."""
    rows = []
    for chosen in COMPARISONS:
        if only and not any(word in f"{chosen.work} {chosen.theirs}" for word in only):
            continue
        head = [chosen.work, chosen.ours, chosen.theirs]
        try:
            outcome = by_turns(*chosen.measure(setting), setting.turns)
        except Absent as error:
            rows.append([*head, "", "", "", f"{chosen.goal:g}", str(error)])
        else:
            ratio = f"{outcome.ratio:.3g} ({outcome.low:.3g} to {outcome.high:.3g})"
            said = "yes" if outcome.ratio <= chosen.goal else "no"
            rows.append([*head, _time(outcome.ours), _time(outcome.theirs), ratio, f"{chosen.goal:g}", said])
        print(" | ".join(rows[-1]), flush=True)
    return rows


def commands() -> list[list[str]]:
    """Rows of the table of commands, in wall seconds, each with a cache of its own."""
    rows = []
    for name, (most, arguments) in COMMANDS.items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "serlab.cli", *arguments, "--out", f"{folder}/reports"],
                env=os.environ | {"SERLAB_CACHE": f"{folder}/cache"}, capture_output=True, check=False,
            )  # fmt: skip
            took = time.perf_counter() - began
        said = "yes" if took <= most else "no"
        rows.append([name, _time(took), f"{most:g} s", said if done.returncode == 0 else "failed"])
        print(" | ".join(rows[-1]), flush=True)
    return rows


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{1e3 * seconds:.3g} ms"


def table(head: list[str], rows: list[list[str]]) -> str:
    """In Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", default=os.environ.get("SERLAB_DATA", "data"), help="root with EmoDB")
    parser.add_argument("--models", default=os.environ.get("SERLAB_MODELS", "models"))
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD")
    parser.add_argument("--commands", action="store_true")
    parser.add_argument("--write", type=Path, help="a page with lines <!-- table --> and <!-- end -->")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = compared(Setting(data=options.data, models=options.models, turns=options.turns), options.only)
    text = table(
        ["work", "serlab", "beside", "serlab, time", "theirs", "ratio (quartiles)", "goal", "reached"], rows
    )
    if options.commands:
        text += "\n\n" + table(["command", "time", "goal", "reached"], commands())
    if options.write:
        made = f"Measured with Python {platform.python_version()} and torch {torch.__version__}, one thread."
        page = options.write.read_text(encoding="utf-8")
        inside = f"<!-- table -->\n\n{made}\n\n{text}\n\n<!-- end -->"
        page, n = re.subn(r"<!-- table -->.*?<!-- end -->", lambda _: inside, page, flags=re.DOTALL)
        if not n:
            sys.exit(f"{options.write} has no lines <!-- table --> and <!-- end --> to write between")
        options.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
