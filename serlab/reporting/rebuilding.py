"""Reports from what runs have kept: every table, figure and page again, and nothing is fitted."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serlab import data as corpus_data
from serlab import provenance
from serlab.errors import ParameterError
from serlab.progress import Progress
from serlab.reporting import cleaning, leave_one_out, matrix, notebooks, publishing, records, runs

if TYPE_CHECKING:  # seconds: wrong usage is answered before
    from serlab.experiment import Outcome

#: What a run folder is made of; all else is made from it.
ARTEFACTS = ("kept.json", "run.json", "*.parquet", "answers")


def find(folders: Iterable[Path | str]) -> list[Path]:
    """Complete runs that can be made again, in and below folders, sorted.

    Raises
    ------
    ParameterError
        If a folder holds none.
    """
    found: dict[Path, None] = {}
    for folder in map(Path, folders):
        below = [
            run
            for run, record in records.readable(sorted(folder.rglob("run.json")))
            if (run / "kept.json").is_file() and record["state"] == "complete"
        ]
        if not below:
            raise ParameterError(
                f"no complete run with kept predictions in {folder}; run its notebook again (serlab run)"
            )
        found.update(dict.fromkeys(below))
    return list(found)


def rebuild_all(
    folders: Iterable[Path | str], *, pages: bool = True, progress: Progress | None = None
) -> list[Path]:
    """Make complete runs again, and the pages that show them together where there are any.

    Parameters
    ----------
    folders : iterable of path
        Of runs, or with runs in them.
    pages : bool
        Whether to make the page of each run, too; without, only its tables.
    progress : callable(done, total, text), optional

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ParameterError
        If a folder holds no complete run.
    RunFailed
    """
    found = find(folders)
    written = []
    for number, folder in enumerate(found):
        if progress is not None:
            progress(number, len(found), f"{folder.parent.parent.name}, {folder.parent.name}")
        if pages:
            written.append(rebuild(folder))
        else:
            tables(folder)
            written.append(folder / "summary.csv")
    for notebook in dict.fromkeys(folder.parents[1] for folder in found):
        if (notebook / "matrix.html").is_file():
            written.append(matrix.rebuild(notebook))
        if (notebook / leave_one_out.PAGE).is_file():
            written.extend(leave_one_out.rebuild(notebook))
    for out in dict.fromkeys(folder.parents[2] for folder in found):
        if (out / "index.html").is_file():
            written.append(runs.index(out))
    return written


def rebuild(folder: Path, *, progress: Progress | None = None) -> Path:
    """Make the tables, figures and page of a complete run again.

    The notebook of today is executed on what the run has kept: neither audio
    nor features are read. What only these could show is left out, and said.

    Parameters
    ----------
    folder : path
        With kept.json and run.json.
    progress : callable(done, total, text), optional

    Returns
    -------
    Path
        Of report.html.

    Raises
    ------
    RunFailed
        If a cell failed; the folder is as it was then.
    """
    from serlab.experiment.kept import Kept

    folder = Path(folder).resolve()
    record = records.read(folder)
    source = notebooks.find(record["notebook"])
    values = notebooks.complete(source, _known(source, Kept(folder).facts["parameters"]))
    # Beside it, so that the finished one takes its place at once.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        partial = Path(temporary) / folder.name
        copy_artefacts(folder, partial)
        failure = runs.execute(
            source,
            values,
            partial,
            root=corpus_data.data_root(),
            tolerated=[cleaning.LEFT_OUT],
            progress=progress,
        )
        if isinstance(failure, notebooks.NotebookError):
            raise runs.RunFailed(f"{source.stem} failed in {failure}", folder) from failure
        if failure is not None:
            raise failure
        code = provenance.code_digest(source)
        record["rebuilt"] = {"at": records.now(), "code": code, "commit": provenance.commit()}
        publishing.finish(partial, record, hide=provenance.hider({Path(temporary): "[reports]"}))
        publishing.publish(partial, folder)
    return folder / "report.html"


def tables(folder: Path) -> Outcome:
    """Make the tables of a complete run again, without its page.

    Returns
    -------
    Outcome
        The tables are in the folder, too.

    Raises
    ------
    ParameterError
        If the run is not complete: an unfinished one would be fitted to its end.
    """
    from serlab.experiment import Parameters, Session
    from serlab.experiment.kept import Kept

    kept = Kept(folder)
    if not kept.is_complete:
        raise ParameterError(f"{folder} keeps no complete run; run its notebook again (serlab run)")
    return Session(Parameters.from_names(kept.facts["parameters"]), folder=folder).run()


def _known(source: Path, kept: dict[str, Any]) -> dict[str, Any]:
    """Parameters that the notebook of today declares."""
    return {name: value for name, value in kept.items() if name in notebooks.parameters(source)}


def copy_artefacts(folder: Path, to: Path) -> None:
    """Copy what a run keeps, and not what is made from it."""
    for pattern in ARTEFACTS:
        for path in folder.rglob(pattern):
            target = to / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copy2(path, target)
