"""Notebooks on the site are reports of demo runs; this file makes the runs and puts them in place.

    python docs/_ext/rendered_notebooks.py 00 03
    python docs/_ext/rendered_notebooks.py all

runs notebooks with the preset ``demo`` on the synthetic corpora into
``docs/_build/runs``, where a run that is complete is found again as long as
neither the notebook nor the package has changed. A build shows those; a
notebook without such a run is shown with its code and a note.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nbformat

DOCS = Path(__file__).resolve().parents[1]
RUNS = DOCS / "_build" / "runs"
NOTEBOOKS = DOCS.parent / "notebooks"

NOT_RUN = (
    "```{note}\nThis page shows the notebook without results: it was not run for this build. "
    "`make docs NOTEBOOKS=all` runs every notebook first.\n```"
)


def sources() -> list[Path]:
    """Notebooks of the repository, in order."""
    return sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))


def execute(source: Path) -> Path:
    """Run a notebook with the preset ``demo``; its folder is returned. What has changed is run again."""
    from serlab.reporting import runs

    def progress(done: int, total: int, text: str) -> None:
        print(f"{source.stem} [{done}/{total}] {text}", file=sys.stderr, flush=True)

    return runs.run(
        str(source), {"preset": "demo"}, out=RUNS, force=executed(source) is None, progress=progress
    )


def executed(source: Path) -> Path | None:
    """The executed notebook of a complete demo run by the code as it is now; None without one."""
    from serlab.provenance import code_digest

    now = code_digest(source)
    for record in sorted(RUNS.glob(f"{source.stem}/*/*/run.json")):
        run = json.loads(record.read_text(encoding="utf-8"))
        if run["state"] == "complete" and run["provenance"]["code"] == now:
            return record.with_name("report.ipynb")
    return None


def _is_injected(cell: Any) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])


def put_in_place(app: Any) -> None:
    """Copy notebooks below ``docs/notebooks``, executed where they have been."""
    folder = Path(app.srcdir) / "notebooks"
    known = sources()
    for path in folder.glob("[0-9]*.ipynb"):
        if path.name not in {source.name for source in known}:
            path.unlink()
    for source in known:
        report = executed(source)
        notebook = nbformat.read(report or source, as_version=4)
        # papermill puts the values of a run below the defaults; here they are almost the same.
        notebook.cells = [
            c for c in notebook.cells if "injected-parameters" not in c.metadata.get("tags", [])
        ]
        if report is None:
            notebook.cells.insert(1, nbformat.v4.new_markdown_cell(NOT_RUN, id="not-run"))
        text, path = nbformat.writes(notebook), folder / source.name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def main(names: list[str]) -> int:
    for source in sources():
        if names == ["all"] or source.stem.split("_")[0] in names:
            print(execute(source))
    return 0


def setup(app: Any) -> dict[str, Any]:
    app.connect("builder-inited", put_in_place, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    sys.path.insert(0, str(DOCS.parent))
    raise SystemExit(main(sys.argv[1:]))
