"""Commands that make reports: run, matrix, demo, index, rebuild, results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from serlab.cli.command import (
    Command,
    assignment,
    data_option,
    out_option,
    progress_lines,
    words,
)
from serlab.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    from serlab.reporting.matrix import Cell

DEMO = {"target": "synthetic-b", "sources": "synthetic-a", "preset": "demo"}


# --- run ------------------------------------------------------------------


def _declare_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", metavar="NOTEBOOK", help='"01", "01_feature_transfer" or a path')
    parameter_options(parser, "a parameter of the notebook, lists with commas: -p sources=emodb,ravdess")
    data_option(parser)
    _report_options(parser)


def _run(options: argparse.Namespace) -> int:
    return _report(options, options.notebook, given(options), data=options.data)


def parameter_options(parser: argparse.ArgumentParser, text: str) -> None:
    """Parameters of a notebook, and the preset."""
    parser.add_argument(
        "-p", dest="parameters", metavar="NAME=VALUE", action="append", default=[], type=assignment, help=text
    )
    parser.add_argument("--preset", metavar="NAME", help="demo, quick or paper; short for -p preset=NAME")


def given(options: argparse.Namespace) -> dict[str, str]:
    """Parameters of -p and --preset.

    Raises
    ------
    ParameterError
        If one is given twice with different values.
    """
    parameters: dict[str, str] = {}
    for name, value in [*options.parameters, *([("preset", options.preset)] if options.preset else [])]:
        if parameters.setdefault(name, value) != value:
            raise ParameterError(f"parameter {name!r} is given twice: {parameters[name]!r} and {value!r}")
    return parameters


def _report_options(parser: argparse.ArgumentParser) -> None:
    out_option(parser)
    parser.add_argument("--force", action="store_true", help="repeat a run that is complete")


def _report(
    options: argparse.Namespace, notebook: str, parameters: dict[str, str], *, data: str | None
) -> int:
    from serlab.reporting import records, runs

    refuse_wrong_values(notebook, parameters)
    folder = runs.run(
        notebook, parameters, out=options.out, data=data, force=options.force, progress=progress_lines
    )
    # The answer for whoever watches; the path alone is printed, so that a script can use it.
    print(records.read(folder).get("headline", ""), file=sys.stderr)
    print(folder / "report.html")
    return 0


def refuse_wrong_values(notebook: str, parameters: Mapping[str, Any]) -> None:
    """Say before a kernel has started that a method is unknown, or a library of features not installed.

    Raises
    ------
    ParameterError
    """
    from serlab.experiment import checks
    from serlab.reporting import notebooks

    values = notebooks.complete(notebooks.find(notebook), parameters)
    if checks.is_experiment(values):
        checks.require_sense(values)


# --- matrix ---------------------------------------------------------------


def _declare_matrix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", metavar="NOTEBOOK", help='"02", "02_attentive_cnn" or a path')
    parser.add_argument("--corpora", metavar="NAMES", required=True, help="as in emodb,ravdess,urdu")
    parser.add_argument(
        "--each", metavar="NAME=VALUES", action="append", default=[], type=assignment,
        help="a parameter to vary: --each scheme=arousal,valence",
    )  # fmt: skip
    many_runs_options(parser, "a parameter of all runs")


def _matrix(options: argparse.Namespace) -> int:
    from serlab.reporting import matrix

    corpora = words(options.corpora)
    each = {name: words(values) for name, values in options.each}
    return page_of_runs(options, matrix.cells(corpora, each), matrix.run, corpora=corpora, each=each)


def many_runs_options(parser: argparse.ArgumentParser, text: str) -> None:
    """What is asked of many runs of one notebook; ``text`` is the help of -p."""
    parameter_options(parser, text)
    parser.add_argument(
        "--at-once", metavar="N", type=int, default=1, help="runs beside each other; default: 1"
    )
    data_option(parser)
    out_option(parser)


def page_of_runs(
    options: argparse.Namespace, cells: Iterable[Cell], run: Callable[..., Path], **asked: Any
) -> int:
    """Run a notebook once a cell and print where the page of all is; nothing is run if one makes no sense.

    Parameters
    ----------
    options : argparse.Namespace
        Of :func:`many_runs_options`, with ``notebook``.
    cells : iterable of Cell
    run : callable
        :func:`serlab.reporting.matrix.run` or one like it, which ``asked`` is handed to: ``corpora`` is
        in it.
    """
    from serlab.corpora import require_installed
    from serlab.reporting import matrix

    parameters = given(options)
    for cell in cells:
        refuse_wrong_values(options.notebook, {**parameters, **cell.parameters})
    require_installed(asked["corpora"], options.data or parameters.get("data"))
    try:
        page = run(
            options.notebook,
            parameters=parameters,
            out=options.out,
            data=options.data,
            at_once=options.at_once,
            progress=progress_lines,
            **asked,
        )
    except matrix.MatrixIncomplete as error:
        print(error.page)
        raise
    print(page)
    return 0


# --- demo, index ----------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    parameters = dict(DEMO)
    print(
        "Demo: does one synthetic language help to recognise emotions in another? Notebook 01 makes both, "
        "extracts features, compares methods and writes a report, all on this machine.",
        file=sys.stderr,
    )
    if find_spec("opensmile") is None:  # an extra, because it is for research only
        parameters["features"] = "librosa"
        print("openSMILE is not installed: the demo takes the features of librosa", file=sys.stderr)
    return _report(options, "01", parameters, data=None)


def _index(options: argparse.Namespace) -> int:
    from serlab.reporting import runs

    print(runs.index(options.out))
    return 0


# --- rebuild, results -----------------------------------------------------


def _declare_rebuild(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        metavar="FOLDER",
        nargs="+",
        help="of a run, or of many: reports, reports/01_feature_transfer",
    )
    parser.add_argument(
        "--tables", action="store_true", help="tables and the pages of all pairs, not the page of each run"
    )


def _rebuild(options: argparse.Namespace) -> int:
    from serlab.reporting import rebuilding

    for page in rebuilding.rebuild_all(options.folders, pages=not options.tables, progress=progress_lines):
        print(page)
    return 0


def _declare_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default="reports", help="default: reports")
    parser.add_argument("--out", metavar="FILE", help="default: print it")


def _results(options: argparse.Namespace) -> int:
    from pathlib import Path

    from serlab.files import write_text
    from serlab.reporting import results

    text = results.text(Path(options.folder))
    if options.out:
        write_text(Path(options.out), text)
    else:
        print(text, end="")
    return 0


COMMANDS = (
    Command(
        name="run",
        help="run a notebook into a report; the same command resumes an unfinished run",
        declare=_declare_run,
        run=_run,
    ),
    Command(
        name="matrix",
        help="run a notebook on every ordered pair of corpora, into one page",
        declare=_declare_matrix,
        run=_matrix,
    ),
    Command(
        name="demo",
        help="a report on synthetic corpora in under a minute",
        declare=_report_options,
        run=_demo,
    ),
    Command(name="index", help="write the page that lists all reports", declare=out_option, run=_index),
    Command(
        name="rebuild",
        help="make tables, figures and pages of finished runs again from their predictions, without fitting",
        declare=_declare_rebuild,
        run=_rebuild,
    ),
    Command(
        name="results",
        help="write the results of finished runs as one page of Markdown",
        declare=_declare_results,
        run=_results,
    ),
)
