"""The command that finds utterances in long recordings: cut."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serlab.cli.command import Command, progress_line
from serlab.errors import CorpusError, ParameterError

#: How a speaker is named by where a file is.
SPEAKERS = ("file", "folder")


def _declare(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", metavar="FILE", nargs="+", help="recordings, or folders with recordings")
    add("--out", metavar="CSV", required=True, help="table to write, such as data/mycorpus/corpus.csv")
    add(
        "--speaker-from",
        choices=SPEAKERS,
        help="one speaker a file, or a folder (default: left empty)",
    )
    add("--pause", metavar="S", type=float, default=0.5, help="bridge pauses up to so many seconds (0.5)")
    add("--shortest", metavar="S", type=float, default=0.5, help="drop what is shorter (0.5)")
    add("--longest", metavar="S", type=float, default=20.0, help="part what is longer (20)")
    add("--force", action="store_true", help="replace a table that is there")


def _cut(options: argparse.Namespace) -> int:
    from serlab.corpora import cutting
    from serlab.corpora.exchange import base

    out = Path(options.out).expanduser().absolute()
    if out.exists() and not options.force:
        raise ParameterError(f"{out} is there already; --force replaces it")
    how = cutting.Cutting(pause=options.pause, shortest=options.shortest, longest=options.longest)
    named = {"file": cutting.by_file, "folder": cutting.by_folder, None: cutting.by_nobody}
    rows, left_out = cutting.table(
        [Path(source).expanduser().absolute() for source in options.sources],
        folder=out.parent,
        how=how,
        speaker=named[options.speaker_from],
        progress=progress_line(),
    )
    for path, why in left_out:
        print(f"left out: {why if str(path) in why else f'{path}: {why}'}", file=sys.stderr)
    if not rows:
        raise CorpusError("no speech was found, so no table is written")
    base.write_rows(out, rows, columns=tuple(rows[0]))
    seconds = sum(row["end"] - row["start"] for row in rows)
    files = len({row["path"] for row in rows})
    print(f"{out}: {len(rows)} utterances, {seconds / 60:.1f} minutes, of {files} recordings")
    for name in _shared(rows, out.parent) if options.speaker_from == "folder" else ():
        print(
            f"- folders named {name!r} are taken for one speaker; name them in the table if they are several"
        )
    empty = "label" if options.speaker_from else "speaker and label"
    print(f"Next: listen, and fill in {empty}.")
    return 0


def _shared(rows: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Names of several folders."""
    places = {(row["speaker"], (folder / row["path"]).parent) for row in rows}
    count = Counter(name for name, _ in places)
    return sorted(name for name, n in count.items() if n > 1)


COMMANDS = (
    Command(
        name="cut",
        help="find utterances in long recordings by level, and write the table of a corpus",
        declare=_declare,
        run=_cut,
    ),
)
