"""A JupyterLab of its own for tests, and what a person does in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Of a browser that is somewhere else.
VARIABLE = "SERLAB_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")

#: A microphone that beeps, and is allowed without a question.
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

#: A laptop in class, and a telephone.
LAPTOP, TELEPHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


def chromium() -> str | None:
    """Path of a Chromium, if there is one."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, NAMES)), None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def served(command: Sequence[str], *, options: Sequence[str], folder: Path, cache: Path) -> Iterator[str]:
    """A server of serlab's command line; its address with the token, ``{}`` in place of a path.

    Parameters
    ----------
    command : sequence of str
        Of serlab: ``["lab", "notebooks"]``.
    options : sequence of str
        Further ones, in which ``{token}`` and ``{port}`` stand for those.
    folder : Path
        In which it is given; what is printed goes into ``server.log`` there.
    cache : Path
    """
    token, port = secrets.token_hex(8), free_port()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    root = ["--allow-root"] if is_root and command[0] == "lab" else []
    arguments = [option.format(token=token, port=port) for option in options]
    own = {
        "SERLAB_CACHE": str(cache), "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }  # fmt: skip
    checkout = str(Path(__file__).parents[2])
    own["PYTHONPATH"] = os.pathsep.join(filter(None, [checkout, os.environ.get("PYTHONPATH")]))
    # All cells are in the page, not only those in view: a test looks for them.
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"windowingMode": "none"}', encoding="utf-8")
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "serlab.cli", *command, "--no-browser", *root, *arguments],
            cwd=folder, env=os.environ | own, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(f"http://localhost:{port}/?token={token}", process, log)
            yield f"http://localhost:{port}/{{}}?token={token}"
        finally:
            _end(process)


def _wait(address: str, process: subprocess.Popen, log: Path, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"no server:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _end(process: subprocess.Popen) -> None:
    """With its kernels: a server that is asked to stop takes them along."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Lab:
    """One notebook that is open in a browser.

    Attributes
    ----------
    page : playwright's Page
    trouble : list of str
        Errors of the console, of scripts, and answers of 400 and above.
    """

    def __init__(self, page: Any, address: str) -> None:
        self.page, self._address, self.trouble = page, address, []
        page.set_default_timeout(60_000)
        page.on("console", lambda line: self._note(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("response", lambda a: self._note(f"{a.status} {a.url}") if a.status >= 400 else None)

    def _note(self, text: str) -> None:
        self.trouble.append(text[:300])

    def open(self, name: str) -> None:
        """Open a notebook, and wait for its kernel; the list of files is folded away."""
        self.page.goto(self._address.format(f"lab/tree/{name}") + "&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )
        self.page.evaluate("""async () => { const app = window.jupyterapp;
          if (!app.shell.leftCollapsed) await app.commands.execute('application:toggle-left-area') }""")

    def run(self, *cells: int) -> None:
        """Run cells as Shift-Enter does, and wait for each."""
        for cell in cells:
            self.page.evaluate(
                """async cell => { const app = window.jupyterapp;
                  app.shell.currentWidget.content.activeCellIndex = cell;
                  await app.commands.execute('notebook:run-cell') }""",
                cell,
            )

    def run_all(self) -> None:
        """The entry Run All Cells of the menu Run."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def write(self, cell: int, source: str) -> None:
        """Replace the code of a cell."""
        self.page.evaluate(
            """([cell, source]) => window.jupyterapp.shell.currentWidget.content.widgets[cell]
              .model.sharedModel.setSource(source)""",
            [cell, source],
        )

    def outputs(self, cell: int) -> list[dict[str, Any]]:
        """Outputs of a cell, as a notebook file has them."""
        return self.page.evaluate(
            """cell => window.jupyterapp.shell.currentWidget.content.widgets[cell]
              .model.outputs.toJSON()""",
            cell,
        )

    def errors(self) -> list[str]:
        """Errors of all cells, each with its number."""
        return self.page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets
          .flatMap((cell, number) => cell.model.type !== 'code' ? [] : cell.model.outputs.toJSON()
            .filter(output => output.output_type === 'error')
            .map(output => `${number}: ${output.ename}: ${output.evalue}`))""")

    def not_run(self) -> int:
        """Number of code cells that have not been run."""
        return self.page.evaluate("""() => window.jupyterapp.shell.currentWidget.content.widgets
          .filter(cell => cell.model.type === 'code' && cell.model.sharedModel.source
            && !cell.model.executionCount).length""")

    def show(self, cell: int) -> Any:
        """Bring a cell into view; its element."""
        self.page.evaluate(
            """cell => { const view = window.jupyterapp.shell.currentWidget.content;
              view.activeCellIndex = cell; return view.scrollToItem(cell, 'start') }""",
            cell,
        )
        return self.page.locator(".jp-Notebook .jp-Cell").nth(cell)

    def unreadable(self) -> list[str]:
        """What a screen reader has no words for: pictures, headings of tables, buttons and fields."""
        return self.page.evaluate("""() => [
          ...[...document.querySelectorAll('.jp-OutputArea img')].filter(e => !e.alt),
          ...[...document.querySelectorAll('.jp-OutputArea th')].filter(
            e => !e.hasAttribute('scope') && e.textContent.trim()),
          ...[...document.querySelectorAll('.jp-OutputArea button')].filter(
            e => !(e.textContent.trim() || e.title || e.ariaLabel)),
          ...[...document.querySelectorAll('.jp-OutputArea :is(input, select, textarea)')].filter(
            e => !(e.labels?.length || e.title || e.ariaLabel || e.placeholder)),
        ].map(e => e.outerHTML.slice(0, 200))""")


def sources(path: Path) -> list[str]:
    """Code of each cell of a notebook, "" for text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) if cell["cell_type"] == "code" else "" for cell in cells]


def place(codes: Sequence[str], text: str) -> int:
    """Number of the first cell with a text in its code."""
    return next(number for number, code in enumerate(codes) if text in code)


def edit(path: Path, *, replace: dict[str, str], keep: int | None = None) -> None:
    """Replace texts in a copy of a notebook, and keep its first cells only."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = notebook["cells"][:keep]
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        for old, new in replace.items():
            source = source.replace(old, new)
        cell["source"] = source
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
