"""One notebook over all ordered pairs of corpora.

Every pair is an ordinary run with its own report: a matrix resumes because its
runs do, and a failed pair leaves a named hole instead of ending the batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serlab.errors import ParameterError, SerlabError
from serlab.progress import Progress
from serlab.reporting import notebooks, records, runs, workers


class MatrixIncomplete(SerlabError):
    """Some runs of a matrix, or all, have failed; the others are done.

    Attributes
    ----------
    page : Path
        matrix.html, which names them.
    """

    def __init__(self, message: str, page: Path) -> None:
        super().__init__(message)
        self.page = page


@dataclass(frozen=True)
class Cell:
    """One run of a matrix.

    Attributes
    ----------
    parameters : mapping
        Source, target and what else varies, over those common to all.
    """

    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """For progress and errors."""
        varied = {k: v for k, v in self.parameters.items() if k not in ("sources", "target")}
        extra = "".join(f", {name} {value}" for name, value in varied.items())
        return f"{' + '.join(self.parameters['sources'])} to {self.parameters['target']}{extra}"


def cells(corpora: Sequence[str], each: Mapping[str, Sequence[str]]) -> list[Cell]:
    """All ordered pairs of corpora, with every combination of further parameters.

    Raises
    ------
    ParameterError
        If there are fewer than two corpora.
    """
    names = list(dict.fromkeys(corpora))
    if len(names) < 2:
        raise ParameterError(f"a matrix needs two corpora, not {len(names)}: --corpora emodb,ravdess")
    further = [dict(zip(each, values, strict=True)) for values in itertools.product(*each.values())]
    return [
        Cell({"sources": [source], "target": target, **extra})
        for extra in further
        for source, target in itertools.permutations(names, 2)
    ]


def run(
    notebook: str,
    *,
    corpora: Sequence[str],
    each: Mapping[str, Sequence[str]] | None = None,
    parameters: Mapping[str, Any] | None = None,
    out: Path | str = "reports",
    data: Path | str | None = None,
    at_once: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Run a notebook on every ordered pair of corpora.

    Parameters
    ----------
    notebook : str
        See :func:`serlab.reporting.notebooks.find`.
    corpora : sequence of str
    each : mapping of str to sequence, optional
        Further parameters to vary: ``{"scheme": ["arousal", "valence"]}``.
    parameters : mapping, optional
        Common to all runs.
    out, data
        As for :func:`serlab.reporting.runs.run`.
    at_once : int
        Runs in processes beside each other; with two, give each ``jobs=1``.
    progress : callable(done, total, text), optional
        Called when a run ends.

    Returns
    -------
    Path
        The page ``<out>/<notebook>/matrix.html``; the numbers are beside it in ``matrix.csv``.

    Raises
    ------
    ParameterError
        Before anything is started.
    MatrixIncomplete
        At the end, if a run failed; the page is written.
    KeyboardInterrupt
        When its processes have ended, too; the same call goes on.
    """
    source, out = notebooks.find(notebook), Path(out)
    done = run_cells(
        source,
        cells(corpora, each or {}),
        parameters=parameters or {},
        out=out,
        data=data,
        at_once=at_once,
        progress=progress,
    )
    from serlab.reporting import matrix_page  # figures: not before there is something to show

    page = matrix_page.write(out / source.stem, done)
    runs.index(out)
    require_all(done, page)
    return page


def run_cells(
    source: Path,
    planned: Sequence[Cell],
    *,
    parameters: Mapping[str, Any],
    out: Path,
    data: Path | str | None,
    at_once: int,
    progress: Progress | None,
) -> list[tuple[Cell, Path | SerlabError]]:
    """Run a notebook for each cell; the folder of each run, or why there is none.

    Parameters
    ----------
    source : Path
        The notebook.
    planned : sequence of Cell
    parameters, out, data, at_once, progress
        As for :func:`run`.

    Raises
    ------
    ParameterError
        Before anything is started.
    """
    if at_once < 1:
        raise ParameterError(f"at least one run at once (--at-once), not {at_once}")
    for cell in planned:
        notebooks.complete(source, {**parameters, **cell.parameters})
    done: dict[int, Path | SerlabError] = {}

    def on_end(number: int, result: Path | SerlabError) -> None:
        done[number] = result
        if progress is not None:
            text = f"failed: {result}" if isinstance(result, SerlabError) else "done"
            progress(len(done), len(planned), f"{planned[number].name}: {text}")

    tasks = [(str(source), {**parameters, **cell.parameters}, str(out), data) for cell in planned]
    workers.run_all(_one, tasks, at_once=at_once, on_end=on_end)
    return [(cell, done[number]) for number, cell in enumerate(planned)]


def require_all(done: Sequence[tuple[Cell, Path | SerlabError]], page: Path) -> None:
    """Refuse a batch some of whose runs have failed, with the page that names them.

    Raises
    ------
    MatrixIncomplete
    """
    failed = [cell.name for cell, found in done if isinstance(found, SerlabError)]
    if failed:
        raise MatrixIncomplete(f"{len(failed)} of {len(done)} runs failed: {'; '.join(failed)}", page)


def _one(notebook: str, parameters: dict[str, Any], out: str, data: Path | str | None) -> Path:
    try:
        return runs.run(notebook, parameters, out=out, data=data)
    except runs.RunFailed as error:  # its second argument does not survive the way between processes
        raise SerlabError(f"{error} (see {error.folder.name})") from None


def rebuild(folder: Path) -> Path:
    """Write the page of a notebook's complete runs again, from the tables in their folders.

    Parameters
    ----------
    folder : Path
        Of the notebook, ``<out>/<notebook>``.

    Returns
    -------
    Path
        ``matrix.html``; its runs are those of ordered pairs that differ in nothing but what varies.

    Raises
    ------
    ParameterError
        If there are not two runs of one source and a target.
    """
    from serlab.reporting import matrix_page

    done = {
        run: record["parameters"]
        for run, record in records.readable(sorted(folder.glob("*/*/run.json")))
        if record["state"] == "complete" and len(record["parameters"].get("sources", ())) == 1
    }
    if len(done) < 2:
        raise ParameterError(f"a matrix needs two complete runs of pairs in {folder}, not {len(done)}")
    first = next(iter(done.values()))
    varied = [
        name
        for name in first
        if name in ("sources", "target") or any(own.get(name) != first[name] for own in done.values())
    ]
    planned = [(Cell({name: own.get(name) for name in varied}), path) for path, own in done.items()]
    return matrix_page.write(folder, planned)
