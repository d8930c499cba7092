"""Commands for working in notebooks: notebooks, lab."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from serlab.cli.command import Command, print_table
from serlab.errors import ParameterError, SerlabError


def _folder_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", nargs="?", default="notebooks", help="default: notebooks")


def _declare_notebooks(parser: argparse.ArgumentParser) -> None:
    _folder_option(parser)
    parser.add_argument("--force", action="store_true", help="replace notebooks that are there and differ")


def _notebooks(options: argparse.Namespace) -> int:
    from serlab.reporting import notebooks

    done = notebooks.copy(options.folder, force=options.force)
    print_table(("notebook", "is"), [(str(path), what) for path, what in done.items()])
    kept = [path.name for path, what in done.items() if what == "kept"]
    if kept:
        raise SerlabError(f"{', '.join(kept)}: changed, and kept; --force replaces")
    return 0


#: So that a panel's button can run the cells below it; and nothing is asked of a network, nor is the reader
#: asked whether it may be: a question over the panel of thirty laptops.
_LAB = (
    "--LabApp.expose_app_in_browser=True",
    f"--LabApp.app_settings_dir={Path(__file__).with_name('jupyterlab')}",
)


def _declare_lab(parser: argparse.ArgumentParser) -> None:
    _folder_option(parser)
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument("--port", metavar="N", type=int, help="default: 8888, or the next one that is free")
    parser.add_argument("--allow-root", action="store_true", help="let root run it, as in a container")
    parser.add_argument(
        "--jupyter", metavar="OPTION", action="append", default=[],
        help="a further option of JupyterLab: --jupyter=--ip=0.0.0.0",
    )  # fmt: skip


def name_folders_of_kernels() -> None:
    """A notebook's kernel works in the notebook's folder; data and models lie where the command is given."""
    for variable, name in (("SERLAB_DATA", "data"), ("SERLAB_MODELS", "models")):
        if not os.environ.get(variable):
            os.environ[variable] = str(Path(name).resolve())


def _lab(options: argparse.Namespace) -> int:
    from serlab.reporting import notebooks

    try:
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise SerlabError("JupyterLab is not installed: pip install 'serlab[lab]'") from error
    folder = Path(options.folder)
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"{folder} is not a folder")
    if not any(folder.glob("*.ipynb")):
        notebooks.copy(folder)
    name_folders_of_kernels()
    arguments = [f"--notebook-dir={folder}", *_LAB]
    if options.no_browser:
        arguments.append("--no-browser")
    if options.port is not None:
        arguments.append(f"--port={options.port}")
    if options.allow_root:
        arguments.append("--allow-root")
    LabApp.launch_instance(argv=[*arguments, *options.jupyter])
    return 0


COMMANDS = (
    Command(
        name="notebooks",
        help="copy serlab's notebooks into a folder, to change them there",
        declare=_declare_notebooks,
        run=_notebooks,
    ),
    Command(
        name="lab",
        help="open JupyterLab on the notebooks of a folder, copied there if it has none",
        declare=_declare_lab,
        run=_lab,
    ),
)
