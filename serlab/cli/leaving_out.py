"""Command that leaves each corpus out in turn."""

from __future__ import annotations

import argparse
import sys

from serlab.cli.command import (
    Command,
    data_option,
    out_option,
    progress_lines,
    words,
)
from serlab.cli.running import given, parameter_options, refuse_wrong_values


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
    parameter_options(parser, "a parameter of all runs: -p methods=ridge-target,many-ridge")
    parser.add_argument(
        "--at-once", metavar="N", type=int, default=1, help="runs beside each other; default: 1"
    )
    data_option(parser)
    out_option(parser)


def _run(options: argparse.Namespace) -> int:
    from serlab.reporting import leave_one_out, matrix

    parameters = given(options)
    left_out: dict[str, str] = {}
    corpora = words(options.corpora)
    if not corpora:
        scheme = leave_one_out.scheme_of(options.notebook, parameters)
        corpora, left_out = leave_one_out.installed(options.data, scheme=scheme)
        for name, why in left_out.items():
            print(f"{name} does not take part: {why}", file=sys.stderr)
    for cell in leave_one_out.cells(corpora):
        refuse_wrong_values(options.notebook, {**parameters, **cell.parameters})
    try:
        page = leave_one_out.run(
            options.notebook,
            corpora=corpora,
            parameters=parameters,
            out=options.out,
            data=options.data,
            at_once=options.at_once,
            progress=progress_lines,
            left_out=left_out,
        )
    except matrix.MatrixIncomplete as error:
        print(error.page)
        raise
    print(page)
    return 0


COMMANDS = (
    Command(
        name="leave-one-out",
        help="run a notebook with each corpus as target and all others as sources, into one page",
        declare=_declare,
        run=_run,
    ),
)
