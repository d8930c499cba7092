"""Command that leaves each corpus out in turn."""

from __future__ import annotations

import argparse
import sys

from serlab.cli.command import Command, words
from serlab.cli.running import given, many_runs_options, page_of_runs


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "notebook",
        metavar="NOTEBOOK",
        nargs="?",
        default="06",
        help='default: "06", which asks about sets of sources',
    )
    parser.add_argument(
        "--corpora",
        metavar="NAMES",
        default="",
        help="as in emodb,nemo,urdu; default: all that are installed",
    )
    many_runs_options(parser, "a parameter of all runs: -p methods=ridge-target,many-ridge")


def _run(options: argparse.Namespace) -> int:
    from serlab.reporting import leave_one_out

    left_out: dict[str, str] = {}
    corpora = words(options.corpora)
    if not corpora:
        scheme = leave_one_out.scheme_of(options.notebook, given(options))
        corpora, left_out = leave_one_out.installed(options.data, scheme=scheme)
        for name, why in left_out.items():
            print(f"{name} does not take part: {why}", file=sys.stderr)
    return page_of_runs(
        options, leave_one_out.cells(corpora), leave_one_out.run, corpora=corpora, left_out=left_out
    )


COMMANDS = (
    Command(
        name="leave-one-out",
        help="run a notebook with each corpus as target and all others as sources, into one page",
        declare=_declare,
        run=_run,
    ),
)
