"""The command ``serlab``.

Exit codes: 0 done, 1 it could not be done (a failed run, a corpus with
errors), 2 wrong usage, 130 interrupted. Errors are one message; ``--debug``
shows the traceback.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

import serlab
from serlab.cli import (
    app,
    audit,
    corpora,
    cutting,
    deployment,
    exchange,
    keeping,
    label_plan,
    leaving_out,
    lessons,
    listing,
    notebooks,
    plans,
    pretraining,
    running,
    scoring,
)
from serlab.cli.command import Command, terminated_as_interrupted
from serlab.errors import ParameterError, SerlabError

__all__ = ["COMMANDS", "Command", "main"]

#: All commands, in the order of ``serlab --help``.
COMMANDS: tuple[Command, ...] = (
    *running.COMMANDS,
    *leaving_out.COMMANDS,
    *plans.COMMANDS,
    *keeping.COMMANDS,
    *corpora.COMMANDS,
    *audit.COMMANDS,
    *cutting.COMMANDS,
    *exchange.COMMANDS,
    *scoring.COMMANDS,
    *deployment.COMMANDS,
    *label_plan.COMMANDS,
    *pretraining.COMMANDS,
    *listing.COMMANDS,
    *notebooks.COMMANDS,
    *app.COMMANDS,
    *lessons.COMMANDS,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is returned."""
    options = _parser().parse_args(arguments)
    try:
        with terminated_as_interrupted():
            return options.command(options)
    except ParameterError as error:
        if options.debug:
            raise
        return _complain(error, code=2)
    except SerlabError as error:
        if options.debug:
            raise
        return _complain(error, code=1)
    except KeyboardInterrupt:
        return _complain("interrupted; the same command goes on", code=130)
    except BrokenPipeError:  # `serlab methods | head`
        sys.stderr.close()
        return 0
    except OSError as error:
        if options.debug:
            raise
        return _complain(_of_the_system(error), code=1)
    except MemoryError:
        if options.debug:
            raise
        return _complain("memory ran out; fewer jobs at once, or smaller features, need less", code=1)


def _of_the_system(error: OSError) -> str:
    """What the system refused, where, and what helps: the disk is full, the folder may not be written."""
    where = f"{os.fsdecode(error.filename)!r}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or error}{_REMEDIES.get(error.errno or 0, '')}; what is finished is kept"


_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "; free some space, or choose a folder on another disk"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "; choose a folder that you may write to"),
}


def _complain(error: object, *, code: int) -> int:
    print(f"serlab: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serlab",
        description="Cross-lingual speech emotion recognition: does data in another language help here, "
        "how much, and can I believe it?",
    )
    parser.add_argument("--version", action="version", version=f"serlab {serlab.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(command.name, help=command.help, description=command.help)
        command.declare(added)
        added.set_defaults(command=command.run)
    return parser
