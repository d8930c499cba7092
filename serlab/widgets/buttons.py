"""Buttons that do something in the browser: run the cells below, open a page."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import ipywidgets as w
import traitlets

#: JupyterLab without it still has menus and files.
_IS_THERE = find_spec("anywidget") is not None
_BASE: Any = w.DOMWidget
if _IS_THERE:
    from anywidget import AnyWidget

    _BASE = AnyWidget

#: JupyterLab lets a page ask it for its commands where it is started with
#: --LabApp.expose_app_in_browser=True, as `serlab lab` does.
_RUN_BELOW = """
function render({ model, el }) {
  const button = document.createElement("button");
  button.className = "jupyter-button widget-button";
  button.style.width = "auto";
  button.textContent = model.get("label");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.style.marginLeft = "8px";
  button.onclick = () => {
    const app = window.jupyterapp;
    const name = "notebook:run-all-below";
    if (app && app.commands.hasCommand(name)) { said.textContent = ""; app.commands.execute(name); }
    else if (model.get("reload")) { window.location.reload(); }
    else { said.textContent = model.get("hint"); }
  };
  el.append(button, said);
}
export default { render };
"""

_OPEN = """
function render({ model, el }) {
  const button = document.createElement("button");
  button.className = "jupyter-button widget-button";
  button.style.width = "auto";
  button.textContent = model.get("label");
  button.onclick = () => {
    const page = new Blob([model.get("page")], { type: "text/html" });
    window.open(URL.createObjectURL(page), "_blank", "noopener");
  };
  el.append(button);
}
export default { render };
"""

HINT = "click into this cell, then choose in the menu Run: Run Selected Cell and All Below"


class _RunBelow(_BASE):
    _esm = _RUN_BELOW
    label = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode(HINT).tag(sync=True)
    reload = traitlets.Bool(False).tag(sync=True)


class _Opens(_BASE):
    _esm = _OPEN
    label = traitlets.Unicode().tag(sync=True)
    page = traitlets.Unicode().tag(sync=True)


#: Set by `serlab app`: a page without menus, that runs all cells when it is loaded. The choice is kept.
APPLICATION = "SERLAB_APPLICATION"


def run_below(label: str = "Run all cells below") -> w.Widget:
    """A button that runs the cell it stands in and all below; where the page cannot, how a person can.

    In an application it loads the page again, which does the same with the choice that is kept.
    """
    if not _IS_THERE:
        return w.HTML(f"To run the cells below: {HINT}.")
    if os.environ.get(APPLICATION):
        return _RunBelow(label="Show the rest for this choice", reload=True)
    return _RunBelow(label=label)


def opens(label: str, page: str, where: str) -> w.Widget:
    """A button that opens a page in a new tab; without anywidget, where its file is.

    Parameters
    ----------
    label : str
    page : str
        HTML, whole.
    where : str
        Path of its file, for people.
    """
    return w.Label(f"{label}: {where}") if not _IS_THERE else _Opens(label=label, page=page)
