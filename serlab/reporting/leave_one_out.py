"""One notebook with every corpus left out in turn: it is the target, and all others are sources.

Each target is an ordinary run with its own report: the page resumes because its runs do, and a failed run
leaves a named hole instead of ending the batch.
"""

from __future__ import annotations

import json
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
from serlab.wording import count

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
            "(--corpora emodb,nemo,urdu), or install them: `serlab corpora` lists what is here"
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
            left_out[name] = f"it has {count(found, 'class', 'classes')} of the label scheme {scheme!r}"
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
        The page ``<out>/<notebook>/leave-one-out.html``, with a number in its name where other parameters
        have been asked there before; the numbers are beside it in CSV files.

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
    folder = out / source.stem
    page = write(folder, done, left_out=left_out or {}, number=_number(folder, done))
    runs.index(out)
    matrix.require_all(done, page)
    return page


def scheme_of(notebook: str, parameters: Mapping[str, Any]) -> str:
    """Label scheme of the runs: what is asked for, or the notebook's own."""
    return str(notebooks.complete(notebooks.find(notebook), parameters).get("scheme", "four"))


def rebuild(folder: Path) -> list[Path]:
    """Write the pages of a notebook's complete runs again, from what they have kept.

    Parameters
    ----------
    folder : Path
        Of the notebook, ``<out>/<notebook>``.

    Returns
    -------
    list of Path
        A page for runs whose target and sources are the same corpora all together, and whose other parameters
        are the same: ``leave-one-out.html`` of those that began first, ``leave-one-out-2.html`` and so on.

    Raises
    ------
    ParameterError
        If there are not three of them.
    """
    whole = _together(folder)
    if not whole:
        raise ParameterError(
            f"{folder} has no complete runs of three corpora or more with each as target and the others as "
            "sources; make them (serlab leave-one-out)"
        )
    return [
        write(folder, [(cell, own[cell.parameters["target"]]) for cell in cells(sorted(own))], number=number)
        for number, own in enumerate(whole, 1)
    ]


def _together(folder: Path) -> list[dict[str, Path]]:
    """Complete runs that make a page, target -> folder of the newest; in the order in which they began."""
    found: dict[str, list[tuple[str, str, Path]]] = {}
    for path, record in records.readable(sorted(folder.glob("*/*/run.json"))):
        asked = dict(record["parameters"])
        if record["state"] == "complete" and asked.get("target"):
            target = asked.pop("target")
            corpora = sorted({target, *asked.pop("sources", [])})
            key = json.dumps([corpora, {name: asked[name] for name in sorted(asked)}], default=str)
            found.setdefault(key, []).append((record["started"], target, path))
    whole = []
    for key, own in found.items():
        newest = {target: path for _, target, path in sorted(own, key=lambda one: one[0])}
        if len(newest) > 2 and sorted(newest) == json.loads(key)[0]:
            whole.append((min(started for started, _, _ in own), newest))
    return [newest for _, newest in sorted(whole, key=lambda one: one[0])]


def _number(folder: Path, done: Sequence[tuple[Cell, Path | SerlabError]]) -> int:
    """Number of the page of these runs; with holes, that of the next page."""
    whole = _together(folder)
    paths = {found.resolve() for _, found in done if isinstance(found, Path)}
    for number, own in enumerate(whole, 1):
        if {path.resolve() for path in own.values()} == paths:
            return number
    return len(whole) + 1


def write(
    folder: Path,
    done: Sequence[tuple[Cell, Path | SerlabError]],
    *,
    left_out: Mapping[str, str] | None = None,
    number: int = 1,
) -> Path:
    """Write the page and its tables for runs that are done or have failed.

    Parameters
    ----------
    folder : Path
    done : sequence of (Cell, Path or SerlabError)
        Folder of each run, or why there is none.
    left_out : mapping of str to str, optional
        Corpora that do not take part, and why.
    number : int
        Of the page, where runs with other parameters have pages of their own; from 2 on it is in their names.
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
        "leave-one-out-choices": joined.choices,
    }
    for name, content in tables.items():
        write_table(folder / _named(f"{name}.csv", number), content)
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
        asked=_asked(sessions),
    )
    page = folder / _named(PAGE, number)
    write_text(page, pages.page(f"{folder.name}: one corpus left out", text))
    return page


def _asked(sessions: Sequence[Session]) -> dict[str, object]:
    """What tells pages of one folder apart."""
    if not sessions:
        return {}
    parameters = sessions[0].parameters
    names = ["scheme", "features", "encoder", "protocol", "shots", "preset"]
    return {name: value for name in names if (value := getattr(parameters, name, ""))}


def _named(name: str, number: int) -> str:
    """``leave-one-out-2.html``; the first page has no number."""
    return name if number == 1 else name.replace("leave-one-out", f"leave-one-out-{number}")


def _session(folder: Path) -> Session:
    """A finished run, that answers from its folder."""
    from serlab.experiment import Parameters, Session
    from serlab.experiment.kept import Kept

    return Session(Parameters.from_names(Kept(folder).facts["parameters"]), folder=folder)


def _chance(sessions: Sequence[Session]) -> float | None:
    """1 / classes, where all runs have as many."""
    found = {len(session.prepare().utterances["emotion"].cat.categories) for session in sessions}
    return 1 / found.pop() if len(found) == 1 else None
