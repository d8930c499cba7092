"""An executed notebook made fit to be given away and read."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # takes a second: wrong usage is answered before
    import nbformat

#: Error of a cell that needs what a finished run does not keep, see :mod:`serlab.experiment.kept`.
LEFT_OUT = "NotKept"

_WIDGET = "application/vnd.jupyter.widget-view+json"


def clean(notebook: nbformat.NotebookNode, hide: Callable[[str], str]) -> nbformat.NotebookNode:
    """Executed notebook fit to be given away.

    Widgets and scripts go (they would be blank without their kernel),
    progress bars keep their last state, and ``hide`` is applied to every text.

    Parameters
    ----------
    notebook : NotebookNode
        Not changed.
    hide : callable(str) -> str
        From :func:`serlab.provenance.hider`.
    """
    import nbformat

    notebook = nbformat.from_dict(hidden(notebook, hide))
    notebook.metadata.pop("widgets", None)
    papermill = notebook.metadata.get("papermill", {})
    for name in ("input_path", "output_path"):
        papermill.pop(name, None)
    papermill.get("parameters", {}).pop("run_folder", None)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            # Who opens this notebook to run it again has no run folder.
            cell.source = re.sub(r"(?m)^run_folder = .*$", 'run_folder = ""', cell.source)
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            bundle = output.get("data", {})
            bundle.pop("application/javascript", None)
            if _WIDGET in bundle or (output.output_type in ("display_data", "execute_result") and not bundle):
                continue
            if output.output_type == "stream":
                # A terminal shows what follows the last carriage return of a line.
                output.text = re.sub(r"[^\n]*\r(?=[^\r\n])", "", output.text)
            outputs.append(output)
        cell.outputs = outputs
    return notebook


def hidden(value: Any, hide: Callable[[str], str]) -> Any:
    """Apply ``hide`` to every string of a JSON value, except pictures."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: item if _is_picture(key, item) else hidden(item, hide) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden(item, hide) for item in value]
    return value


def _is_picture(key: str, item: Any) -> bool:
    """Data of a picture; what is said of it (``alt``) is a text."""
    return isinstance(item, str) and key.startswith("image/") and "svg" not in key


def for_page(notebook: nbformat.NotebookNode, *, said: str = "") -> nbformat.NotebookNode:
    """Copy without what the page says elsewhere, and with a line in place of an empty table.

    The first-level heading is in the page's header, and so is the headline
    (``said``), which notebooks print.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.search(r"^# ", cell.source, re.MULTILINE):
            cell.source = re.sub(r"(?m)^# .+\n*", "", cell.source, count=1)
            break
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [
            output
            for output in cell.outputs
            if not (said and output.output_type == "stream" and output.text.strip() == said.strip())
        ]
        cell.outputs = [_in_one_line(output) for output in cell.outputs]
    return notebook


def _in_one_line(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """In place of an empty table, and of what a finished run does not keep, a line that says so."""
    from nbformat.v4 import new_output

    text = output.get("data", {}).get("text/html", "")
    if _is_empty_table(text):
        said = _none(text)
    elif output.output_type == "error" and output.ename == LEFT_OUT:
        said = html.escape(f"Left out here: {output.evalue}.")
    else:
        return output
    return new_output("display_data", data={"text/html": f'<p class="none">{said}</p>'})


def _is_empty_table(text: str) -> bool:
    body = re.sub(r"<thead.*?</thead>", "", text, flags=re.DOTALL)
    return "<table" in text and not re.search(r"<t[dh]\b", body)


def _none(text: str) -> str:
    caption = re.search(r"<caption[^>]*>(.*?)</caption>", text, re.DOTALL)
    said = html.unescape(re.sub(r"<[^>]+>", "", caption[1])).strip() if caption else ""
    said = said.removesuffix(": none")
    return html.escape(f"{said}: none." if said else "An empty table.")
