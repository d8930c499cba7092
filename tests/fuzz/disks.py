"""Disks that fill up on the way: a command says so in a line, and goes on to the same with more space.

A case makes a small disk in memory, has a command keep everything there, and runs it again when the disk has
grown. Wants the right to mount (root, or a namespace of one's own); without it nothing can be tried.
"""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift
from tests.fuzz import Target

#: What is asked of notebook 01, whatever carries it out.
_ASKED = {
    "features": "logmel26",
    "methods": "majority,ridge-source,ridge-target",
    "baseline": "ridge-target",
}
#: Bytes of a disk on which everything finds room.
_ROOM = 200_000_000


def mount(folder: Path, size: int) -> bool:
    """Have a disk of so many bytes at a folder, or give that size to the one there; False if not allowed."""
    folder.mkdir(exist_ok=True)
    options = f"{'remount,' if os.path.ismount(folder) else ''}size={size}"
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def unmount(folder: Path) -> None:
    """Let a disk go, with all that is on it."""
    if os.path.ismount(folder):
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


@functools.cache
def corpora() -> Path:
    """Data root of two small corpora, for all cases."""
    root = Path(tempfile.mkdtemp(prefix="serlab-disks-"))
    for name, channel in (("near", 0.0), ("far", 0.3)):
        table = synthetic.make_corpus(
            name=name, language="x-a", n_speakers=4, n_utterances=32, seed=7, shift=Shift(channel=channel),
            folder=root / name / "audio",
        )  # fmt: skip
        rows = table.assign(
            label=table["native_label"], path=[f"audio/{Path(p).name}" for p in table["path"]]
        )
        rows[["path", "speaker", "label", "sex"]].to_csv(root / name / "corpus.csv", index=False)
    return root


def command(kind: str, disk: Path, plan: Path) -> list[str]:
    """Arguments of serlab."""
    asked = [text for name, value in _ASKED.items() for text in ("-p", f"{name}={value}")]
    kept = ["--data", str(corpora()), "--out", str(disk / "reports")]
    if kind == "run":
        return ["run", "01", "-p", "target=far", "-p", "sources=near", *asked, "--preset", "demo", *kept]
    if kind == "matrix":
        return ["matrix", "01", "--corpora", "near,far", *asked, "--preset", "demo", *kept]
    return ["run-plan", str(plan), "--no-reports", *kept]


def call(arguments: list[str], disk: Path) -> subprocess.CompletedProcess[str]:
    """A command whose cache and reports are on a disk."""
    own = {"SERLAB_CACHE": str(disk / "cache"), "SERLAB_UNITS": str(disk / "units")}
    return subprocess.run(
        [sys.executable, "-m", "serlab.cli", *arguments], env={**os.environ, **own}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def answers(kind: str, disk: Path) -> dict[str, pd.DataFrame]:
    """What a finished command has left: predictions by run, or pieces of units."""
    if kind == "run-plan":
        from serlab import files

        pieces = sorted((disk / "units").glob("*/*/*.zip"))
        return {path.name: files.read_tables(path)["predictions"] for path in pieces}
    found = sorted((disk / "reports").rglob("predictions.parquet"))
    return {str(path.relative_to(disk)): pd.read_parquet(path).drop(columns="run") for path in found}


@functools.cache
def undisturbed(kind: str) -> dict[str, pd.DataFrame]:
    """What a command leaves on a disk with room."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        done = call(command(kind, place, _plan(place)), place)
        assert done.returncode == 0, done.stderr
        return answers(kind, place)


def _plan(folder: Path) -> Path:
    rows = ["target,sources,methods,features,baseline,preset"]
    values = f'"{_ASKED["methods"]}",{_ASKED["features"]},{_ASKED["baseline"]},demo'
    rows += [f"far,near,{values}", f"near,far,{values}"]
    path = folder / "plan.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def _write(folder: Path) -> None:
    _plan(folder)


def _damage(folder: Path, draw: random.Random) -> str:
    kind = draw.choice(("run", "matrix", "run-plan"))
    size = round(10 ** draw.uniform(4.2, 6.6 if kind != "run-plan" else 5.8)) // 4096 * 4096
    (folder / "case.txt").write_text(f"{kind} {size}", encoding="utf-8")
    return f"{kind} on a disk of {size / 1e3:.0f} kB"


def _read(folder: Path) -> Any:
    kind, size = (folder / "case.txt").read_text(encoding="utf-8").split()
    undisturbed(kind)
    disk = folder / "disk"
    assert mount(disk, int(size)), "a disk cannot be mounted here"
    try:
        arguments = command(kind, disk, folder / "plan.csv")
        first = call(arguments, disk)
        said = first.stdout + first.stderr
        assert first.returncode in (0, 1), f"exit code {first.returncode}: {said[-2000:]}"
        assert "Traceback" not in said, said[-3000:]
        assert first.returncode == 0 or "serlab: " in first.stderr, said[-2000:]
        assert first.returncode == 0 or "No space left" in said, said[-2000:]
        assert mount(disk, _ROOM)
        again = call(arguments, disk)
        assert again.returncode == 0, f"not resumed: {(again.stdout + again.stderr)[-3000:]}"
        left = [str(path.relative_to(disk)) for path in disk.rglob("*.tmp")]
        assert not left, f"half-written: {left}"
        return kind, answers(kind, disk)
    finally:
        unmount(disk)


def _check(result: tuple[str, dict[str, pd.DataFrame]]) -> None:
    kind, found = result
    expected = undisturbed(kind)
    if kind == "run-plan":  # pieces may be cut at other folds
        found, expected = ({"": _together(tables)} for tables in (found, expected))
    assert found.keys() == expected.keys(), (sorted(found), sorted(expected))
    for name, table in found.items():
        pd.testing.assert_frame_equal(table, expected[name])


def _together(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows = pd.concat(
        [table.astype({"method": str, "fold": str, "utterance": str}) for table in tables.values()]
    )
    order = ["method", "fold", "seed", "utterance"]
    return rows.sort_values([*order, *sorted(set(rows) - {*order})], ignore_index=True)


TARGETS = (
    Target(name="disk", write=_write, damage=_damage, read=_read, check=_check, seconds=600.0, costly=True),
)
