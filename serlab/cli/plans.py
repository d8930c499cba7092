"""Commands for many runs: plan, run-plan."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serlab.cli.command import (
    Command,
    assignment,
    data_option,
    out_option,
    words,
)
from serlab.errors import ParameterError

_UNITS = "folder of finished units (default: SERLAB_UNITS, or in the cache); one that all workers can write"


# --- plan -----------------------------------------------------------------


def _declare_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="a table: .csv, .yaml or .py")
    parser.add_argument(
        "--corpora", metavar="NAMES", help="write the plan: all ordered pairs of these, as in emodb,ravdess"
    )
    parser.add_argument(
        "--leave-one-out", action="store_true", help="with --corpora: each as target, all others as sources"
    )
    parser.add_argument(
        "--each", metavar="NAME=VALUES", action="append", default=[], type=assignment,
        help="with --corpora: a parameter to vary: --each scheme=arousal,valence",
    )  # fmt: skip
    parser.add_argument(
        "-p", dest="parameters", metavar="NAME=VALUE", action="append", default=[], type=assignment,
        help="with --corpora: a parameter of all experiments",
    )  # fmt: skip
    parser.add_argument("--notebook", metavar="NOTEBOOK", help="with --corpora: whose reports are to be made")
    parser.add_argument(
        "--groups",
        metavar="N",
        type=int,
        help="with --corpora: parts that folds are divided into",
    )
    parser.add_argument("--workers", metavar="N", type=int, default=1, help="for the estimate; default: 1")
    parser.add_argument("--units", metavar="DIR", help=_UNITS)
    data_option(parser)
    out_option(parser)


def _plan(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.experiment.work import Store
    from serlab.reporting import estimates, plans

    if options.corpora:
        own = {"notebook": options.notebook, "groups": options.groups}
        rows = plans.pairs(
            words(options.corpora),
            leave_one_out=options.leave_one_out,
            each={name: words(values) for name, values in options.each},
            common={name: value for name, value in own.items() if value} | dict(options.parameters),
        )
        plans.of_rows(rows, name=Path(options.plan).stem)
        if Path(options.plan).exists():
            raise ParameterError(f"{options.plan} is there already; without --corpora it is counted")
        plans.write(options.plan, rows)
    elif options.leave_one_out or options.each or options.parameters or options.notebook or options.groups:
        raise ParameterError("what a plan is written of stands beside --corpora NAMES")
    plan = plans.read(options.plan)
    units = plan.units(data=options.data or "")
    store = Store(units_folder(options.units))
    found = estimates.forecast(
        units,
        store,
        estimates.of(store, Path(options.out)),
        n_utterances=lambda name: len(corpora.read_many([name], options.data or None)),
    )
    print(
        f"{options.plan}: {len(plan.experiments)} experiments, {found.text(workers=max(1, options.workers))}"
    )
    return 0


def units_folder(chosen: str | None) -> Path:
    """Where units are kept: as chosen, else the default."""
    from serlab.experiment import sharing

    folder = Path(chosen).expanduser().resolve() if chosen else sharing.root()
    if folder is None:
        raise ParameterError(f"{sharing.VARIABLE} is {sharing.OFF!r}: say where units are kept (--units DIR)")
    return folder


# --- run-plan -------------------------------------------------------------


def _declare_run_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="a table: .csv, .yaml or .py, see `serlab plan`")
    parser.add_argument(
        "--workers", metavar="N", type=int, default=1, help="units beside each other; default: 1"
    )
    parser.add_argument(
        "--backend",
        metavar="NAME",
        help="local or dask; default: local, dask with --scheduler or --cluster",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", default="", help="of Dask: tcp://host:8786")
    parser.add_argument("--cluster", metavar="SYSTEM", default="", help="workers by slurm, pbs or lsf")
    parser.add_argument(
        "--cluster-option", dest="cluster_options", metavar="NAME=VALUE", action="append", default=[],
        type=assignment, help="of dask-jobqueue: queue=short, memory=8GB, walltime=02:00:00",
    )  # fmt: skip
    parser.add_argument("--job-script", action="store_true", help="print what --cluster submits, and end")
    parser.add_argument(
        "--send-data",
        action="store_true",
        help="nothing is shared with workers: features are sent (recordings for methods that need them), "
        "answers come back",
    )
    parser.add_argument(
        "--send-audio",
        action="store_true",
        help="the same, but corpora are sent, and workers compute the features",
    )
    parser.add_argument("--retry-failed", action="store_true", help="try again what has failed before")
    parser.add_argument("--no-reports", action="store_true", help="leave out the plan's notebooks")
    parser.add_argument("--units", metavar="DIR", help=_UNITS)
    data_option(parser)
    out_option(parser)


def _run_plan(options: argparse.Namespace) -> int:
    cluster_options = {name: _value(value) for name, value in options.cluster_options}
    if options.job_script:
        from serlab.reporting.backends import batch

        print(batch.job_script(options.cluster, cluster_options), end="")
        return 0
    from serlab.experiment import sharing
    from serlab.reporting import carrying, plans
    from serlab.reporting.backends import Place

    on_dask = bool(options.scheduler or options.cluster)
    backend = options.backend or ("dask" if on_dask else "local")
    if backend != "dask" and (on_dask or options.send_data or options.send_audio):
        raise ParameterError("--scheduler, --cluster, --send-data and --send-audio are for --backend dask")
    place = Place(
        units=units_folder(options.units),
        data=str(Path(options.data).expanduser().resolve()) if options.data else "",
        workers=options.workers,
        scheduler=options.scheduler,
        cluster=options.cluster,
        options=cluster_options,
        sends=options.send_data or options.send_audio,
        sends_audio=options.send_audio,
    )
    try:
        with sharing.kept_in(place.units):  # notebooks look there, too
            done = carrying.run(
                plans.read(options.plan),
                place=place,
                backend=backend,
                out=options.out,
                retry_failed=options.retry_failed,
                with_reports=not options.no_reports,
                say=_teller(),
            )
    except carrying.PlanIncomplete as error:
        print(error.page)
        raise
    for folder in done.reports:
        print(folder / "report.html")
    print(done.page)
    return 0


def _value(text: str) -> Any:
    """A number where it is one: dask-jobqueue does not read text."""
    return int(text) if text.isdigit() else text


def _teller() -> Callable[[str, str], None]:
    """On a terminal what has happened scrolls above one line that stays; in a file each is a line."""
    if not sys.stderr.isatty():
        return lambda line, text: print(f"[{line}] {text}" if text else line, file=sys.stderr, flush=True)

    def say(line: str, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        happened = f"\r{text[:width]:<{width}}\n" if text else ""
        print(f"{happened}\r{line[:width]:<{width}}", end="", file=sys.stderr, flush=True)

    return say


COMMANDS = (
    Command(
        name="plan",
        help="count the units of a plan, and what it will take; with --corpora, write it first",
        declare=_declare_plan,
        run=_plan,
    ),
    Command(
        name="run-plan",
        help="carry out a plan, on this machine or on others; the same command goes on where one stopped",
        declare=_declare_run_plan,
        run=_run_plan,
    ),
)
