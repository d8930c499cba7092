"""Command for a demonstration without code: app."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from serlab.cli.command import Command
from serlab.cli.notebooks import name_folders_of_kernels
from serlab.errors import SerlabError


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", metavar="NOTEBOOK", help="01, 01_feature_transfer, or a path")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument("--port", metavar="N", type=int, help="default: 8866, or the next one that is free")
    parser.add_argument(
        "--voila", metavar="OPTION", action="append", default=[],
        help="a further option of Voila: --voila=--theme=dark",
    )  # fmt: skip


def _app(options: argparse.Namespace) -> int:
    from serlab.reporting import notebooks

    try:
        from voila.app import Voila
    except ImportError as error:
        raise SerlabError("Voila is not installed: pip install 'serlab[app]'") from error
    source = notebooks.find(options.notebook)
    name_folders_of_kernels()
    name_folder_of_templates()
    os.environ["SERLAB_APPLICATION"] = "1"  # for the panel: there is no menu to run cells with
    with tempfile.TemporaryDirectory(prefix="serlab-app-") as folder:
        # A copy alone in its folder: nothing else is served, and the notebook stays as it is.
        copy = Path(folder) / source.name
        copy.write_bytes(source.read_bytes())
        Voila.launch_instance(argv=[*arguments(copy, options), *options.voila])
    return 0


def name_folder_of_templates() -> None:
    """Voila finds the page of an application where Jupyter keeps such things."""
    own = str(Path(__file__).with_name("voila"))
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [own, os.environ.get("JUPYTER_PATH", "")]))


def arguments(notebook: Path, options: argparse.Namespace) -> list[str]:
    """What Voila is started with: for this computer alone, and who has the address with its token."""
    given = [
        str(notebook),
        "--Voila.ip=127.0.0.1",
        # Voila asks for a token only if it is told to, unlike JupyterLab.
        "--Voila.auto_token=True",
        "--strip_sources=True",
        "--template=serlab",
        "--VoilaConfiguration.extension_denylist=@jupyter/nbgrader",  # needs all of JupyterLab
    ]
    if options.no_browser:
        given.append("--no-browser")
    if options.port is not None:
        given.append(f"--port={options.port}")
    return given


COMMANDS = (
    Command(
        name="app",
        help="show a notebook as an application in the browser: panel and figures, no code",
        declare=_declare,
        run=_app,
    ),
)
