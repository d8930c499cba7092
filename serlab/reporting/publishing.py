"""From what a notebook left in its run folder to what others may read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serlab.files import write_text
from serlab.progress import FILE_NAME as PROGRESS_FILE
from serlab.reporting import cleaning, records

#: The list of all runs, as seen from a run's folder.
INDEX = "../../../index.html"


def finish(folder: Path, record: dict[str, Any], *, hide: Callable[[str], str]) -> None:
    """Render the executed notebook and write the final run.json, without paths of this machine."""
    record["headline"] = records.headline(folder)
    if badge := records.badge(folder):
        record["badge"] = badge
    record = cleaning.hidden(record, hide)
    for path in folder.rglob("*.csv"):
        write_text(path, hide(path.read_text(encoding="utf-8")))
    executed = folder / "report.ipynb"
    if executed.is_file():
        import nbformat  # takes a second, and tables two: wrong usage is answered before

        from serlab.reporting import opening, report

        notebook = cleaning.clean(nbformat.read(executed, as_version=4), hide)
        write_text(executed, nbformat.writes(notebook))
        tables = opening.Tables.of(folder)
        write_text(folder / "report.html", report.write(notebook, record, tables, index=INDEX))
    records.write(folder, record)


def publish(partial: Path, folder: Path) -> None:
    """Put a complete run in its place, replacing an older one of the same digest."""
    from serlab.experiment.kept import Kept

    (partial / PROGRESS_FILE).unlink(missing_ok=True)
    for unfinished in list(partial.rglob("parts-*")):  # all that is in them is kept
        shutil.rmtree(unfinished)
    for facts in partial.rglob("kept.json"):  # of studies beside it, too, but for what an attempt left undone
        if (kept := Kept(facts.parent)).is_answered:
            kept.note(state="complete")
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
