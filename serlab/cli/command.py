"""What a command is, and what several of them share: options, tables, progress.

Audio, learning and notebook libraries take seconds to import: each command
imports what it needs when it runs, so that ``serlab --help`` answers at once.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from serlab.progress import Progress


def _no_options(parser: argparse.ArgumentParser) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Command:
    """One word behind ``serlab``.

    Attributes
    ----------
    name : str
    help : str
        One line, for ``serlab --help`` and the command's own.
    run : callable(argparse.Namespace) -> int
        Does it; returns the exit code.
    declare : callable(argparse.ArgumentParser)
        Adds the command's options.
    """

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    declare: Callable[[argparse.ArgumentParser], None] = _no_options


# --- options --------------------------------------------------------------


def data_option(parser: argparse.ArgumentParser) -> None:
    """Where corpora are."""
    parser.add_argument(
        "--data", metavar="DIR", help="folder with one folder per corpus (default: SERLAB_DATA, or ./data)"
    )


def out_option(parser: argparse.ArgumentParser) -> None:
    """Where reports are."""
    parser.add_argument("--out", metavar="DIR", default="reports", help="default: reports")


def assignment(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` of an option."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value


def words(text: str) -> list[str]:
    """Names with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """A batch system ends a job with SIGTERM: taken as Ctrl-C is, in the main thread, which hears it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# --- what is printed ------------------------------------------------------


def progress_lines(done: int, total: int, text: str) -> None:
    """One line on standard error a step."""
    print(f"[{done:>{len(str(total))}}/{total}] {text}", file=sys.stderr, flush=True)


def progress_line() -> Progress | None:
    """Progress on one line of a terminal; silent in a file."""
    if not sys.stderr.isatty():
        return None

    def progress(done: int, total: int, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        line = f"{done / max(total, 1):4.0%} {text}"[:width]
        print(f"\r{line:<{width}}", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return progress


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns; all but the first wrap where the terminal is too narrow for them."""
    table = [header, *rows]
    widths = _fitted(list(zip(*table, strict=True)), shutil.get_terminal_size((120, 24)).columns)
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for line in itertools.zip_longest(*cells, fillvalue=""):
            print("  ".join(f"{part:<{width}}" for part, width in zip(line, widths, strict=True)).rstrip())


def _fitted(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Widths of columns: the widest gives way first, none below its heading's words or ten characters."""
    widths = [max(1, *map(len, cells)) for cells in columns]
    least = [max(10, *map(len, cells[0].split())) for cells in columns]
    least[0] = widths[0]  # what a reader looks for, and copies
    while sum(widths) + 2 * (len(widths) - 1) > room:
        wide = [(width, i) for i, width in enumerate(widths) if width > least[i]]
        if not wide:
            break
        widths[max(wide)[1]] -= 1
    return widths
