"""One page a module, floor by floor; links in docstrings are checked.

Pages of the API are written before the build into ``reference/api`` (ignored
by git): the docstring of a module and what the module itself defines.
A link such as ``:class:`serlab.training.Fitting``` leads to where the class
is defined; a link to a name of serlab that does not exist is a warning, which
fails the build.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

import serlab

logger = logging.getLogger(__name__)

#: Packages from the bottom to the top: a floor imports only floors below it.
FLOORS: dict[str, str] = {
    "audio": "Reading audio",
    "corpora": "Corpora",
    "models": "Networks",
    "pretrained": "Networks that others trained",
    "features": "Features",
    "training": "Training",
    "asr": "Speech recognition, as far as pretraining needs it",
    "methods": "Methods",
    "evaluation": "Evaluation",
    "experiment": "One experiment",
    "deployment": "Kept models",
    "studies": "Studies: questions that need several runs",
    "papers": "Papers",
    "plotting": "Figures",
    "reporting": "Reports",
    "widgets": "Widgets",
    "lessons": "Lessons for a class",
    "cli": "Command line",
}


def floors() -> dict[str, list[str]]:
    """Floor (empty for the modules at the root) -> names of its modules, the package first.

    Raises
    ------
    ValueError
        If a package of serlab is missing in :data:`FLOORS`, or the other way round.
    """
    packages = {info.name for info in pkgutil.iter_modules(serlab.__path__) if info.ispkg}
    if packages != set(FLOORS):
        raise ValueError(f"docs/_ext/api.py and serlab/ have different packages: {packages ^ set(FLOORS)}")
    found = {"": [f"serlab.{info.name}" for info in pkgutil.iter_modules(serlab.__path__) if not info.ispkg]}
    for floor in FLOORS:
        package = importlib.import_module(f"serlab.{floor}")
        below = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        found[floor] = [package.__name__, *(info.name for info in below)]
    return found


def first_line(thing: Any) -> str:
    """First line of a docstring, without its full stop."""
    return (thing.__doc__ or "").strip().partition("\n")[0].rstrip(".:")


def _underlined(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def module_page(name: str) -> str:
    """Page of one module, as reStructuredText."""
    return f"{_underlined(name, '=')}\n.. automodule:: {name}\n   :members:\n   :ignore-module-all:\n"


def floor_page(title: str, modules: list[str]) -> str:
    """Page that lists the modules of a floor."""
    rows = "".join(f"   * - :doc:`{name}`\n     - {first_line(_module(name))}\n" for name in modules)
    tree = "".join(f"   {name}\n" for name in modules)
    return (
        f"{_underlined(title, '=')}\n.. list-table::\n   :widths: 35 65\n\n{rows}\n"
        f".. toctree::\n   :hidden:\n\n{tree}"
    )


def _module(name: str) -> ModuleType:
    return importlib.import_module(name)


def write_pages(app: Sphinx) -> None:
    """Write what has changed, remove pages of modules that are gone."""
    folder = Path(app.srcdir) / "reference" / "api"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {}
    for floor, modules in floors().items():
        title = FLOORS.get(floor, "Plain modules at the root")
        pages[f"floor-{floor or 'root'}.rst"] = floor_page(title, modules)
        pages |= {f"{name}.rst": module_page(name) for name in modules}
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def find(target: str) -> Any:
    """What a dotted name stands for.

    Raises
    ------
    ImportError, AttributeError
    """
    parts = target.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ImportError:
            continue
        for part in parts[n:]:
            # Fields of a dataclass without default are no attributes of the class.
            found = found.__dataclass_fields__[part] if _is_field(found, part) else getattr(found, part)
        return found
    raise ImportError(target)


def _is_field(thing: Any, name: str) -> bool:
    return name in getattr(thing, "__dataclass_fields__", {}) and not hasattr(thing, name)


def _is_class(target: str) -> bool:
    try:
        return isinstance(find(target), type)
    except (ImportError, AttributeError):
        return False


def resolve(app: Sphinx, env, node: nodes.Element, contnode: nodes.Element):
    """Link to where something is defined when it is named by where it is imported from."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    if not target.startswith("serlab."):
        around = [node.get("py:module"), node.get("py:class")]
        target = ".".join([around[0] or "serlab", target])
        try:
            find(target)
        except (ImportError, AttributeError):
            return None  # of another library, or plain text in brackets
    try:
        thing = find(target)
    except (ImportError, AttributeError):
        if _is_class(target.rpartition(".")[0]):
            return contnode  # what its instances have
        logger.warning("%r links to %s, which does not exist", node.source, target, location=node)
        return contnode
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    for full in (f"{module}.{name}", target):
        for known in env.domains["py"].objects.items():
            if known[0] == full:
                entry = known[1]
                return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, full)
    return contnode


def skip_foreign(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options) -> bool | None:
    """Leave out what other libraries put into classes of serlab: their docstrings are theirs."""
    function = getattr(thing, "__func__", thing)
    module = getattr(function, "__module__", None)
    return True if callable(function) and module and not module.startswith("serlab") else None


#: Longest value of a constant that is shown, in characters.
_LONGEST = 60


def hide_values(app: Sphinx, doctree: nodes.document) -> None:
    """Leave out values that are long, or that name a folder of this machine."""
    for value in list(doctree.findall(addnodes.desc_annotation)):
        text = value.astext().strip()
        if text.startswith("=") and (len(text) > _LONGEST or "Path(" in text or "<" in text):
            value.parent.remove(value)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_pages, priority=100)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("doctree-read", hide_values)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
