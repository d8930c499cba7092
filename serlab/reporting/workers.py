"""Runs in processes beside each other, of which none outlives the command that began it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from serlab.errors import SerlabError

#: Seconds that a process has to end by itself: a kernel writes what it has, run.json says "interrupted".
PATIENCE = 20.0


def run_all(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    *,
    at_once: int,
    on_end: Callable[[int, Any], None],
) -> None:
    """Call a function once a task, each time in a fresh process.

    Fresh, not forked: a forked one would share the threads of numerical libraries.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it.
    tasks : sequence of tuple
        Arguments of each call.
    at_once : int
        Processes beside each other.
    on_end : callable(number, result)
        Called here when a task has ended: with what was returned, or with the
        SerlabError that says why nothing was, be it that the process was killed.

    Raises
    ------
    KeyboardInterrupt
        When all processes have ended, too.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[Connection, tuple[int, SpawnProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number, arguments = waiting.pop()
                ear, process = _start(function, arguments)
                running[ear] = number, process
            answered = wait(list(running))
            for ear in [one for one in running if one in answered]:
                number, process = running[ear]
                result = _result(ear, process)
                del running[ear]
                on_end(number, result)
    finally:
        end([process for _, process in running.values()])


def _start(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    ear, mouth = context.Pipe(duplex=False)
    # No daemon: the kernel is a child of its own.
    process = context.Process(target=_work, args=(mouth, function, arguments, os.getpid()))
    process.start()
    mouth.close()  # else its end would not be heard
    return ear, process


def _result(ear: Connection, process: SpawnProcess) -> Any:
    try:
        kind, content = ear.recv()
    except (EOFError, OSError):
        kind = "killed"
    except Exception as error:  # of whatever class cannot be made again here
        kind, content = "failed", f"its answer cannot be read ({type(error).__name__}: {error})"
    ear.close()
    process.join()
    if kind == "done":
        return content
    if kind == "killed":
        return SerlabError(
            f"its process ended {how_ended(process)}; the same command goes on with what it has kept"
        )
    return SerlabError(content)


def how_ended(process: SpawnProcess) -> str:
    """How a process that has ended did so: "by signal SIGKILL"."""
    code = process.exitcode or 0
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal has no name
        return f"by signal {-code}"


def _work(mouth: Connection, function: Callable[..., Any], arguments: tuple[Any, ...], parent: int) -> None:
    """Of the process: answer, and end with the parent."""
    end_with(parent)
    try:
        answer = "done", function(*arguments)
    except SerlabError as error:
        answer = "failed", str(error)
    except KeyboardInterrupt:
        answer = "failed", "interrupted; the same command goes on"
    except Exception as error:  # one task, whatever has happened to it, does not end the others
        answer = "failed", f"{type(error).__name__}: {error}"
    with contextlib.suppress(BrokenPipeError):  # nobody is there to hear it
        try:
            mouth.send(answer)
        except BrokenPipeError:
            raise
        except Exception as error:  # an answer that is no data
            mouth.send(("failed", f"its answer cannot be sent ({type(error).__name__}: {error})"))


def end_with(parent: int) -> None:
    """Have this process end with its parent, and interrupted by SIGTERM as by Ctrl-C.

    Parameters
    ----------
    parent : int
        Process id.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """Interrupt this process when its parent is gone; end it if that does not help."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os._exit(1)


def end(processes: Sequence[SpawnProcess]) -> None:
    """End processes: asked first, killed after :data:`PATIENCE`."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
