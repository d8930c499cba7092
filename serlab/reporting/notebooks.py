"""Find a notebook, check its parameters, execute it.

Everything here treats a notebook as a function: one cell tagged
``parameters`` holds typed assignments (``seeds: list = [0]``), and
:func:`execute` runs the cells with other values through papermill.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from serlab.errors import ParameterError, SerlabError, meant
from serlab.files import write_text
from serlab.progress import Progress
from serlab.provenance import CHECKOUT, PACKAGE

if TYPE_CHECKING:  # seconds to import, and experiments do without
    import nbformat


class NotebookError(SerlabError):
    """A notebook did not run to its end.

    Attributes
    ----------
    cell : int
        Number of the failing cell, counted from 1 as in the source notebook.
    code : str
        First line of its code.
    name : str
        Class of the error ("ValueError", "DeadKernelError").
    traceback : str
        Without terminal colours.
    """

    def __init__(self, *, cell: int, code: str, name: str, message: str, traceback: str) -> None:
        super().__init__(f"cell {cell} ({code}): {name}: {message}")
        self.cell, self.code, self.name = cell, code, name
        self.message, self.traceback = message, traceback

    def as_dict(self) -> dict[str, Any]:
        """JSON values for run.json."""
        return {
            "cell": self.cell,
            "code": self.code,
            "name": self.name,
            "message": self.message,
            "traceback": self.traceback,
        }


@dataclass(frozen=True)
class Parameter:
    """One assignment of the parameters cell.

    Attributes
    ----------
    name : str
    kind : str
        "str", "int", "float", "bool" or a list of those ("list[str]").
    default : JSON value
    """

    name: str
    kind: str
    default: Any


def own_folder() -> Path:
    """Folder of serlab's own notebooks: of the checkout, or inside the installed package."""
    return (CHECKOUT or PACKAGE) / "notebooks"


def available() -> dict[str, Path]:
    """Notebook name -> path, from ``./notebooks``, else serlab's own."""
    for folder in (Path("notebooks"), own_folder()):
        found = {path.stem: path for path in sorted(folder.glob("[0-9]*.ipynb"))}
        if found:
            return found
    return {}


#: What :func:`copy` has done with a file.
Copied = Literal["copied", "same", "replaced", "kept"]


def copy(folder: Path | str, *, force: bool = False) -> dict[Path, Copied]:
    """Copy serlab's own notebooks, for somebody to change.

    Those of lessons have solutions in them, and are copied without by
    :func:`serlab.lessons.copying.copy`.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    force : bool
        Replace what is there and differs.

    Returns
    -------
    dict of Path to str
        Each copy, and what has happened to it: "copied", "same" (as before), "replaced",
        or "kept" (it differs, and ``force`` is false).

    Raises
    ------
    ParameterError
        If the folder cannot be written.
    """
    own, done = own_folder(), {}
    for source in sorted(own.rglob("*.ipynb")):
        part = source.relative_to(own)
        if part.parts[0] == "lessons" or ".ipynb_checkpoints" in part.parts:
            continue
        target = Path(folder) / part
        try:
            done[target] = _copy_one(source, target, force=force)
        except OSError as error:
            raise ParameterError(
                f"cannot copy notebooks to {folder}: {error.strerror}; choose another folder"
            ) from None
    return done


def _copy_one(source: Path, target: Path, *, force: bool) -> Copied:
    there = target.exists()
    if there and target.read_bytes() == source.read_bytes():
        return "same"
    if there and not force:
        return "kept"
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not shutil.copy: an installed notebook may be read-only, and the copy is to be edited.
    write_text(target, source.read_text(encoding="utf-8"))
    return "replaced" if there else "copied"


def find(name: str) -> Path:
    """Path of a notebook by number ("01"), name ("01_feature_transfer") or path.

    Raises
    ------
    ParameterError
        Listing the known notebooks.
    """
    if name.endswith(".ipynb"):
        if Path(name).is_file():
            return Path(name)
        raise ParameterError(f"there is no notebook {name}")
    known = available()
    if name in known:
        return known[name]
    matches = [stem for stem in known if name.isdigit() and int(stem.split("_")[0]) == int(name)]
    if len(matches) == 1:
        return known[matches[0]]
    listing = ", ".join(known) or "none; give the path of a notebook"
    raise ParameterError(f"unknown notebook {name!r}{meant(name, known)}; known notebooks: {listing}")


def parameters(path: Path) -> dict[str, Parameter]:
    """Read the declared parameters of a notebook.

    papermill's own inspection loses a parameter whose comment has an equals
    sign, and does not evaluate defaults; hence the syntax tree.

    Raises
    ------
    ParameterError
        If the file is no notebook, if there is no parameters cell, or something
        in it is not a plain value.
    """
    tagged = [source for source, tags in _cells(path) if "parameters" in tags]
    if not tagged:
        raise ParameterError(f"notebook {path.name} has no cell tagged 'parameters'")
    try:
        statements = ast.parse(tagged[0]).body
    except SyntaxError as error:
        raise ParameterError(f"notebook {path.name}: the parameters cell is not Python: {error}") from None
    declared = {}
    for statement in statements:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                kind = ast.unparse(annotation)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                kind = ""
            case _:
                continue
        try:
            default = ast.literal_eval(value)
        except ValueError:
            raise ParameterError(
                f"notebook {path.name}: the default of parameter {name!r} is not a plain value"
            ) from None
        declared[name] = Parameter(name, _kind(kind, default), default)
    return declared


def _cells(path: Path) -> list[tuple[str, list[str]]]:
    """Source and tags of each cell, without nbformat: a wrong parameter is answered before that is loaded."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]
    except (ValueError, KeyError, TypeError):
        raise ParameterError(f"{path} is not a notebook of Jupyter, version 4") from None


def _kind(annotation: str, default: Any) -> str:
    """Complete a declared type from the default: ``list`` with ``[0]`` is ``list[int]``."""
    kind = annotation or type(default).__name__
    if kind == "list":
        kind = f"list[{type(default[0]).__name__ if default else 'str'}]"
    return kind


def complete(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a notebook: the given ones, checked, and the defaults.

    Parameters
    ----------
    path : Path
    given : mapping of str to value
        Strings, as from a command line, are turned into the declared type;
        lists are split at commas.

    Returns
    -------
    dict
        JSON values only. What a notebook declares as ``primary`` is for its own baseline: with another
        one, given without them, the list is empty, which stands for those of that baseline.

    Raises
    ------
    ParameterError
        Naming an unknown parameter and the known ones, or a value of the
        wrong type and the expected one.
    """
    declared = parameters(path)
    for name in given:
        if name not in declared:
            raise ParameterError(
                f"notebook {path.stem} has no parameter {name!r}{meant(name, declared)}; "
                f"known: {', '.join(declared)}"
            )
    values = {name: parameter.default for name, parameter in declared.items()}
    if "primary" in values and given.get("baseline", values.get("baseline")) != values.get("baseline"):
        values["primary"] = []
    values |= given
    return {name: convert(name, values[name], parameter.kind) for name, parameter in declared.items()}


_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def convert(name: str, value: Any, kind: str) -> Any:
    """A value as a parameter of a declared type has it, from one of that type or from text.

    Parameters
    ----------
    name : str
        Of the parameter, for the error.
    value
    kind : str
        Of :class:`Parameter`.

    Raises
    ------
    ParameterError
        If it is of another type.

    Examples
    --------
    >>> convert("seeds", "0,1", "list[int]")
    [0, 1]
    """
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        value = value.tolist()
    wrong = ParameterError(f"parameter {name!r}: expected {kind}, got {value!r}")
    if kind.startswith("list["):
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple):
            raise wrong
        return [convert(name, item, kind.removeprefix("list[").removesuffix("]")) for item in value]
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "bool":
        if isinstance(value, str):
            value = _WORDS.get(value.lower())
        if isinstance(value, bool):
            return value
        raise wrong
    if kind in ("int", "float") and isinstance(value, str | int | float) and not isinstance(value, bool):
        number = int if kind == "int" else float
        try:
            # A float is not rounded to an integer behind the user's back.
            if isinstance(value, str) or number(value) == value:
                return number(value)
        except ValueError:
            pass
    raise wrong


def execute(
    path: Path,
    values: Mapping[str, Any],
    *,
    output: Path,
    environment: Mapping[str, str] | None = None,
    tolerated: Collection[str] = (),
    progress: Progress | None = None,
) -> None:
    """Execute a notebook with parameters, in this Python and working folder.

    Parameters
    ----------
    path : Path
        Source notebook; not changed.
    values : mapping of str to JSON value
    output : Path
        Executed notebook, saved after every cell.
    environment : mapping of str to str, optional
        Further environment variables of the kernel.
    tolerated : collection of str
        Names of errors that do not end the run: the cell keeps the error as its output.
    progress : callable(done, total, text), optional
        Called at the start of each code cell with the last heading.

    Raises
    ------
    NotebookError
        If a cell raises or the kernel dies. ``output`` then holds the cells so far.
    """
    # Imported here: `serlab --help` should not wait for papermill.
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    kernel = {"kernel_name": "python3", "language": "python"}
    # Two steps, because execute_notebook(parameters=...) warns of parameters it cannot parse.
    notebook = parameterize_notebook(load_notebook_node(str(path)), dict(values), **kernel)
    cells, started = list(notebook.cells), [0]

    def on_cell_start(cell: nbformat.NotebookNode, cell_index: int) -> None:
        started.append(cell_index)
        if progress is not None and cell.cell_type == "code":
            progress(cell_index, len(cells), _heading_above(cells, cell_index))

    def failure(index: int, **details: str) -> NotebookError:
        in_source = [cell for cell in cells[: index + 1] if not _is_tagged(cell, "injected-parameters")]
        code = next((line.strip() for line in cells[index].source.splitlines() if line.strip()), "")
        return NotebookError(cell=len(in_source), code=code, **details)

    try:
        papermill.execute_notebook(
            notebook,
            # papermill fills {placeholders} in paths.
            str(output).replace("{", "{{").replace("}", "}}"),
            **kernel,
            progress_bar=False,
            kernel_manager_class=_this_python(environment or {}),
            on_cell_start=on_cell_start,
            allow_error_names=list(tolerated),
        )
    except PapermillExecutionError as error:
        if error.ename in tolerated:  # it is told of the last one, and goes on after each
            _without_markers(output)
            return
        raise failure(
            error.cell_index,
            message=_without_colour(error.evalue),
            name=error.ename,
            traceback=_without_colour("\n".join(error.traceback)),
        ) from None
    except (DeadKernelError, CellTimeoutError) as error:
        # papermill has marked this cell and all below it as completed.
        _mark_unfinished(output, started[-1])
        raise failure(
            started[-1],
            message="the kernel died; most often the system ends it for lack of memory",
            name=type(error).__name__,
            traceback="",
        ) from None


def _this_python(environment: Mapping[str, str]) -> type:
    """Kernel manager that starts this interpreter, whatever kernelspecs are installed."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    spec = KernelSpec(
        # A kernel that is ended within a cell logs, as an error, that it cannot answer. Errors of
        # cells are messages, not its log.
        argv=[sys.executable, "-m", "ipykernel_launcher", "--log-level=CRITICAL", "-f", "{connection_file}"],
        display_name="Python 3",
        language="python",
        env={
            # A backend from the user's shell would leave the report without figures.
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            # Nobody looks at this kernel: each figure once only, see serlab.plotting.style.
            "SERLAB_FIGURES": "png",
            **{name: value.replace("$", "$$") for name, value in environment.items()},
        },
    )

    class ThisPython(AsyncKernelManager):
        kernel_spec = spec

    return ThisPython


def _is_tagged(cell: nbformat.NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def _heading_above(cells: list[nbformat.NotebookNode], index: int) -> str:
    headings = [
        heading
        for cell in cells[:index]
        if cell.cell_type == "markdown"
        for heading in re.findall(r"(?m)^#+ (.+)$", cell.source)
    ]
    return headings[-1].strip() if headings else ""


def _without_markers(path: Path) -> None:
    """Take away the cells in which papermill points at an error."""
    import nbformat
    from papermill.execute import ERROR_MARKER_TAG

    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not _is_tagged(cell, ERROR_MARKER_TAG)]
    nbformat.write(notebook, path)


def _mark_unfinished(path: Path, index: int) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells[index:]):
        cell.metadata.setdefault("papermill", {})["status"] = "pending" if number else "failed"
    nbformat.write(notebook, path)


def _without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
