"""One papermill run, one folder; and the page that lists them all.

A run works in ``<digest>.partial/`` and is renamed when complete, so a folder
without that ending is whole. The digest covers the notebook, its parameters,
the version of serlab and the data: the same command finds a complete run
again, and resumes an unfinished one from the predictions kept in its folder.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import serlab
from serlab import contents, methods, provenance
from serlab import data as corpus_data
from serlab.errors import SerlabError
from serlab.experiment import Parameters, checks
from serlab.files import write_text
from serlab.progress import Progress, forwarded
from serlab.reporting import notebooks, publishing, records
from serlab.reporting.notebooks import NotebookError

#: Parameters that say where or how fast, not what: they do not change the digest.
_WHERE = ("data", "run_folder")
_HOW_FAST = ("jobs",)


class RunFailed(SerlabError):
    """A run ended without a report.

    Attributes
    ----------
    folder : Path
        What there is of it: run.json with the error, the cells so far.
    """

    def __init__(self, message: str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder


def run(
    notebook: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    out: Path | str = "reports",
    data: Path | str | None = None,
    force: bool = False,
    begin_from: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run a notebook with parameters into its folder below ``out``.

    The kernel is this Python, in the caller's working folder, with the data
    root in ``SERLAB_DATA``. A notebook that declares the parameter
    ``run_folder`` is told where to keep predictions while it works.

    Parameters
    ----------
    notebook : str
        Number, name or path, see :func:`serlab.reporting.notebooks.find`.
    parameters : mapping of str to value, optional
        Others than the notebook's defaults; strings are converted.
    out : path
        Folder of all reports.
    data : path, optional
        Data root, see :func:`serlab.data.data_root`. Wins over ``parameters["data"]``.
    force : bool
        Repeat a run that is complete, and start an unfinished one afresh.
    begin_from : path, optional
        Folder of a session with the same parameters: what it has finished is taken up, not made again.
    progress : callable(done, total, text), optional

    Returns
    -------
    Path
        ``<out>/<notebook>/<sources>-to-<target>/<digest>`` with report.html,
        report.ipynb, run.json and the tables that the notebook wrote.

    Raises
    ------
    ParameterError
        Unknown notebook or parameter, wrong type, or ``out`` cannot be written.
    CorpusError
        If a corpus is not installed; nothing has been started then.
    RunFailed
        If a cell failed or the kernel died; nothing is published then.
    KeyboardInterrupt
        After noting it in run.json; the same call resumes.
    """
    out, source = Path(out), notebooks.find(notebook)
    values = _with_seeds(notebooks.complete(source, parameters or {}))
    root = corpus_data.data_root(data or values.get("data"))
    asked = {name: value for name, value in values.items() if name not in _WHERE}
    corpora = _corpora_fingerprint(asked, root, _checked(values))
    digest = _digest(source, asked, corpora + _given_files(asked))
    folder = out / source.stem / _pair(asked) / digest
    partial = folder.with_name(f"{digest}.partial")
    with records.locked(out, digest):
        code = provenance.code_digest(source)
        earlier = records.read_or_set_aside(folder)
        if earlier.get("state") == "complete" and not force:
            if progress is not None:
                changed = "" if earlier["provenance"]["code"] == code else ", by other code than today's"
                progress(1, 1, f"already complete, made {earlier['started']}{changed}; force repeats it")
            return folder
        if force:
            shutil.rmtree(partial, ignore_errors=True)
        record = _new_record(source, asked, digest=digest, code=code, corpora=corpora)
        attempt = {"started": record["started"], "state": "running", "code": code, "seconds": 0.0}
        record["attempts"] = [*map(_no_longer_running, _attempts(partial)), attempt]
        try:
            if begin_from is not None and begin_from.is_dir() and not partial.exists():
                shutil.copytree(begin_from, partial)
            partial.mkdir(parents=True, exist_ok=True)
            records.write(partial, record)
        except OSError as error:
            raise records.unwritable(out, error) from None

        failure = execute(source, values, partial, root=root, anew=force, progress=progress)
        state = _STATES[type(failure)]
        attempt.update(state=state, seconds=round(records.seconds_since(record["started"]), 1))
        record.update(state=state, seconds=round(sum(one["seconds"] for one in record["attempts"]), 1))
        if isinstance(failure, NotebookError):
            record["error"] = failure.as_dict()
        publishing.finish(partial, record, hide=provenance.hider({out: "[reports]", root: "[data]"}))
        if failure is None:
            publishing.publish(partial, folder)
    index(out)
    if isinstance(failure, NotebookError):
        raise RunFailed(f"{source.stem} failed in {failure}", partial) from failure
    if failure is not None:
        raise failure
    return folder


def _with_seeds(values: dict[str, Any]) -> dict[str, Any]:
    """Seeds written out where the notebook leaves their number to the preset."""
    if values.get("seeds") != [] or not {"methods", "preset"} <= values.keys():
        return values
    names = [name for entry in values["methods"] for name in methods.GROUPS.get(entry, (entry,))]
    return {**values, "seeds": list(range(methods.repeats(names, values["preset"])))}


def _new_record(
    source: Path, asked: dict[str, Any], *, digest: str, code: str, corpora: str
) -> dict[str, Any]:
    return {
        "state": "running",
        "notebook": source.stem,
        "title": _title(source),
        "digest": digest,
        "parameters": asked,
        "synthetic": any(name.startswith("synthetic-") for name in _corpora_of(asked)),
        "headline": "",
        "error": None,
        "started": records.now(),
        "seconds": None,
        "provenance": provenance.describe(code=code, corpora=corpora),
    }


_STATES = {type(None): "complete", NotebookError: "failed", KeyboardInterrupt: "interrupted"}


def execute(
    source: Path,
    values: Mapping[str, Any],
    folder: Path,
    *,
    root: Path,
    tolerated: Collection[str] = (),
    anew: bool = False,
    progress: Progress | None = None,
) -> NotebookError | KeyboardInterrupt | None:
    """Execute a notebook in a run folder; how it ended is returned, not raised.

    Parameters
    ----------
    source : Path
    values : mapping of str to JSON value
    folder : Path
        Where it keeps its work, and report.ipynb goes.
    root : Path
        Data root.
    tolerated : collection of str
        See :func:`serlab.reporting.notebooks.execute`.
    anew : bool
        Whether to fit what others have fitted before, too.
    """
    from serlab.experiment import sharing

    told = dict(values)
    if "run_folder" in told:
        told["run_folder"] = str(folder.resolve())
    if "data" in told:
        told["data"] = ""  # SERLAB_DATA says it
    try:
        with forwarded(folder, progress):
            notebooks.execute(
                source,
                told,
                output=folder / "report.ipynb",
                environment={"SERLAB_DATA": str(root)} | ({sharing.VARIABLE: sharing.OFF} if anew else {}),
                tolerated=tolerated,
                progress=progress,
            )
    except (NotebookError, KeyboardInterrupt) as failure:
        return failure
    return None


def _attempts(partial: Path) -> list[dict[str, Any]]:
    """Earlier attempts at a run; what they have kept is used even where run.json is damaged."""
    try:
        found = records.read(partial).get("attempts", [])
    except records.DamagedRecord:
        return []
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("seconds"), int | float)]


def _no_longer_running(attempt: dict[str, Any]) -> dict[str, Any]:
    # Killed with its process: it had no time to write its end.
    return {**attempt, "state": "killed"} if attempt.get("state") == "running" else attempt


def index(out: Path | str = "reports") -> Path:
    """Write ``index.html``: all runs below ``out``, newest first.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    ParameterError
        If ``out`` cannot be written.
    """
    from serlab.reporting import listing, opening

    out = Path(out)
    listed = []
    for folder, record in records.readable(out.glob("*/*/*/run.json")):
        if record["state"] == "running" and not records.is_locked(out, record["digest"]):
            record["state"] = "killed"
        report = folder / "report.html"
        address = report.relative_to(out).as_posix() if report.is_file() else None
        try:
            tables = opening.Tables.of(folder)
        except SerlabError:  # it is listed without numbers: the list is of all runs, whatever became of one
            tables = opening.Tables.none()
        listed.append(listing.Listed(record, address, tables))
    listed.sort(key=lambda run: (run.record["started"], run.record["digest"]), reverse=True)
    page = out / "index.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        matrices = [
            path.relative_to(out).as_posix()
            for page in listing.TOGETHER
            for path in sorted(out.glob(f"*/{page}"))
            if _has_runs(path)
        ]
        write_text(page, listing.write(listed, matrices))
    except OSError as error:
        raise records.unwritable(out, error) from None
    return page


def _has_runs(page: Path) -> bool:
    """False for a page whose runs all failed: its table is empty. A checkout has the page alone."""
    table = page.with_suffix(".csv")
    return not table.is_file() or bool(table.read_text(encoding="utf-8").strip())


# --- names ----------------------------------------------------------------


def _digest(source: Path, asked: Mapping[str, Any], corpora: str) -> str:
    what = {name: value for name, value in asked.items() if name not in _HOW_FAST}
    if "studies" in what:
        usual = notebooks.parameters(source)["studies"].default
        # All that the notebook has: as before there was a choice, so that earlier runs are found again.
        what = {**what, "studies": sorted(what["studies"])}
        if what["studies"] == sorted(usual):
            del what["studies"]
    text = json.dumps([source.stem, what, serlab.__version__, corpora], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _corpora_of(asked: Mapping[str, Any]) -> list[str]:
    """Corpora named by the parameters, target first."""
    return [name for name in dict.fromkeys([asked.get("target", ""), *asked.get("sources", [])]) if name]


def _checked(values: Mapping[str, Any]) -> Parameters | None:
    """Parameters of a notebook about an experiment, checked before anything is started or written."""
    return checks.require_sense(values) if checks.is_experiment(values) else None


def _corpora_fingerprint(asked: Mapping[str, Any], root: Path, parameters: Parameters | None) -> str:
    """Of the corpora as read, which have to allow what is asked."""
    names = _corpora_of(asked)
    if not names:
        return ""
    from serlab import corpora

    table = corpora.read_many(names, root)
    if parameters is not None:
        checks.require_folds(parameters, table)
    return corpus_data.fingerprint(table)


def _given_files(asked: Mapping[str, Any]) -> str:
    """Hash of what the files hold that parameters name (weights, an acoustic model); empty without any."""
    paths = [str(asked.get(name, "")) for name, option in methods.OPTIONS.items() if option.is_path]
    return contents.of_paths(paths, cache=corpus_data.cache_root())


def _pair(asked: Mapping[str, Any]) -> str:
    """Folder name of the question: ``emodb+ravdess-to-urdu``."""
    sources, target = "+".join(asked.get("sources", [])), asked.get("target", "")
    name = f"{sources}-to-{target}" if sources and target else target or sources or "all"
    return re.sub(r"[^\w.+-]", "_", name)


def _title(source: Path) -> str:
    import nbformat

    for cell in nbformat.read(source, as_version=4).cells:
        heading = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and heading:
            return heading[1].strip()
    return source.stem
