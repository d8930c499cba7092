"""Command for teaching: lessons."""

from __future__ import annotations

import argparse

from serlab.cli.command import Command, print_table, words
from serlab.errors import SerlabError


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", nargs="?", default="lessons", help="default: lessons")
    parser.add_argument(
        "--instructor", action="store_true", help="with solutions, as a course of nbgrader (source/...)"
    )
    parser.add_argument(
        "--slides", action="store_true", help="as slides: one HTML page a lesson, that needs no network"
    )
    parser.add_argument(
        "--corpora", metavar="NAMES", type=words, default=[],
        help="the same lessons on corpora of one's own: emodb,ravdess (default: synthetic ones)",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true", help="replace lessons that are there and differ; work in them is lost"
    )


def _lessons(options: argparse.Namespace) -> int:
    from serlab.lessons import copying

    done = copying.copy(
        options.folder, instructor=options.instructor, slides=options.slides, corpora=options.corpora,
        force=options.force,
    )  # fmt: skip
    print_table(("lesson", "is"), [(str(path), what) for path, what in done.items()])
    kept = [path.name for path, what in done.items() if what == "kept"]
    if kept:
        raise SerlabError(f"{', '.join(kept)}: changed, and kept; --force replaces")
    return 0


COMMANDS = (
    Command(
        name="lessons",
        help="copy the lessons for a class into a folder, without their solutions",
        declare=_declare,
        run=_lessons,
    ),
)
