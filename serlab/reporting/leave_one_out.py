"""One notebook with every corpus left out in turn: it is the target, and all others are sources.

Each target is an ordinary run with its own report: the page resumes because its runs do, and a failed run
leaves a named hole instead of ending the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from serlab import corpora as installed_corpora
from serlab import labels
from serlab.errors import ParameterError, SerlabError
from serlab.files import write_table, write_text
from serlab.progress import Progress
from serlab.reporting import matrix, notebooks, pages, records, runs
from serlab.reporting.matrix import Cell

if TYPE_CHECKING:
    from serlab.experiment import Session

#: Files of the page, in the folder of the notebook.
PAGE = "leave-one-out.html"


def cells(corpora: Sequence[str]) -> list[Cell]:
    """Each corpus as target, all others as sources.

    Raises
    ------
    ParameterError
        If there are fewer than three corpora.
    """
    names = list(dict.fromkeys(corpora))
    if len(names) < 3:
        raise ParameterError(
            f"to leave one corpus out three are needed, not {len(names)}; name them "
            "(--corpora emodb,nemo,urdu)"
        )
    return [
        Cell({"sources": [name for name in names if name != target], "target": target}) for target in names
    ]


def installed(data: Path | str | None = None, *, scheme: str = "four") -> tuple[list[str], dict[str, str]]:
    """Corpora that can take part, and why others that are installed cannot.

    One that cannot be read, or has fewer than two classes, would spoil every run: it is a
    source of all others.
    Synthetic corpora are no evidence.

    Parameters
    ----------
    data : path, optional
        Data root.
    scheme : str
        Label scheme, see :data:`serlab.labels.SCHEMES`.

    Returns
    -------
    names : list of str
    left_out : dict of str to str
        Name -> reason.
    """
    chosen = labels.scheme(scheme)
    names, left_out = [], {}
    for name, corpus in installed_corpora.installed(data).items():
        if corpus.speech == "synthetic":
            continue
        try:
            found = chosen.apply(installed_corpora.read_many([name], data))["emotion"].nunique()
        except SerlabError as error:
            left_out[name] = str(error)
            continue
        if found < 2:
            left_out[name] = f"{found} class(es) of the label scheme {scheme!r} are in it"
        else:
            names.append(name)
    return names, left_out


def run(
    notebook: str = "06",
    *,
    corpora: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    out: Path | str = "reports",
    data: Path | str | None = None,
    at_once: int = 1,
    progress: Progress | None = None,
    left_out: Mapping[str, str] | None = None,
) -> Path:
    """Run a notebook with each corpus as target and all others as sources.

    Parameters
    ----------
    notebook : str
        See :func:`serlab.reporting.notebooks.find`; "06" asks about every set of sources.
    corpora : sequence of str
        All that are installed, if not given; see :func:`installed`.
    parameters : mapping, optional
        Common to all runs.
    out, data, at_once, progress
        As for :func:`serlab.reporting.matrix.run`.
    left_out : mapping of str to str, optional
        Corpora that do not take part, and why: the page says so.

    Returns
    -------
    Path
        The page ``<out>/<notebook>/leave-one-out.html``; the numbers are beside it in CSV files.

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
    asked = dict(parameters or {})
    if not corpora:
        corpora, found = installed(data, scheme=scheme_of(notebook, asked))
        left_out = {**found, **(left_out or {})}
    planned = cells(corpora)
    done = matrix.run_cells(
        source, planned, parameters=asked, out=out, data=data, at_once=at_once, progress=progress
    )
    page = write(out / source.stem, done, left_out=left_out or {})
    runs.index(out)
    matrix.require_all(done, page)
    return page


def scheme_of(notebook: str, parameters: Mapping[str, Any]) -> str:
    """Label scheme of the runs: what is asked for, or the notebook's own."""
    return str(notebooks.complete(notebooks.find(notebook), parameters).get("scheme", "four"))


def rebuild(folder: Path) -> Path:
    """Write the page of a notebook's complete runs again, from what they have kept.

    Parameters
    ----------
    folder : Path
        Of the notebook, ``<out>/<notebook>``.

    Returns
    -------
    Path
        ``leave-one-out.html``, of the runs whose target and sources are the same corpora all together; the
        newest of a target.

    Raises
    ------
    ParameterError
        If there are not three of them.
    """
    found: dict[frozenset[str], dict[str, tuple[str, Path]]] = {}
    for path, record in records.readable(sorted(folder.glob("*/*/run.json"))):
        asked = record["parameters"]
        if record["state"] == "complete" and asked.get("target"):
            group = found.setdefault(frozenset([asked["target"], *asked.get("sources", [])]), {})
            group[asked["target"]] = max(group.get(asked["target"], ("", path)), (record["started"], path))
    whole = {names: runs_of for names, runs_of in found.items() if set(runs_of) == names and len(names) > 2}
    if not whole:
        raise ParameterError(
            f"{folder} has no complete runs of three corpora or more with each as target and the others as "
            "sources; make them (serlab leave-one-out)"
        )
    names = max(whole, key=lambda corpora: (len(corpora), sorted(corpora)))
    return write(
        folder, [(cell, whole[names][cell.parameters["target"]][1]) for cell in cells(sorted(names))]
    )


def write(
    folder: Path,
    done: Sequence[tuple[Cell, Path | SerlabError]],
    *,
    left_out: Mapping[str, str] | None = None,
) -> Path:
    """Write the page and its tables for runs that are done or have failed.

    Parameters
    ----------
    folder : Path
    done : sequence of (Cell, Path or SerlabError)
        Folder of each run, or why there is none.
    left_out : mapping of str to str, optional
        Corpora that do not take part, and why.
    """
    from serlab.reporting import leave_one_out_page, matrix_page
    from serlab.studies import leave_one_out

    finished = [(cell, found) for cell, found in done if isinstance(found, Path)]
    table = matrix_page.collect(finished)
    gains = matrix_page.collect_gains(finished)
    summaries = {target: own for target, own in table.groupby("target", sort=False)} if len(table) else {}
    sessions = [_session(found) for _, found in finished]
    joined = leave_one_out.join(sessions)
    tables = {
        "leave-one-out": leave_one_out.reached(summaries),
        "leave-one-out-gains": gains,
        "leave-one-out-sets": joined.sets,
        "leave-one-out-curve": leave_one_out.curve(joined.sets),
        "leave-one-out-worth": joined.worth,
        "leave-one-out-before": joined.before,
        "leave-one-out-agreement": leave_one_out.agreement(joined.before),
    }
    for name, content in tables.items():
        write_table(folder / f"{name}.csv", content)
    links = (
        table.drop_duplicates("target").set_index("target")["report"] if len(table) else pd.Series(dtype=str)
    )
    failed = [(cell.name, str(error)) for cell, error in done if isinstance(error, SerlabError)]
    text = leave_one_out_page.text(
        tables,
        links=links.to_dict(),
        failed=failed,
        chance=_chance(sessions),
        left_out=left_out or {},
    )
    write_text(folder / PAGE, pages.page(f"{folder.name}: one corpus left out", text))
    return folder / PAGE


def _session(folder: Path) -> Session:
    """A finished run, that answers from its folder."""
    from serlab.experiment import Parameters, Session
    from serlab.experiment.kept import Kept

    return Session(Parameters.from_names(Kept(folder).facts["parameters"]), folder=folder)


def _chance(sessions: Sequence[Session]) -> float | None:
    """1 / classes, where all runs have as many."""
    found = {len(session.prepare().utterances["emotion"].cat.categories) for session in sessions}
    return 1 / found.pop() if len(found) == 1 else None
