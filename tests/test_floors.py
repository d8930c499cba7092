"""The floors of the package: imports go down or stay, and what is private stays at home.

Imports are read from the source, those inside functions too; nothing is imported.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.syntax import parsed

PACKAGE = Path(__file__).resolve().parents[1] / "serlab"
ROOT = "root modules"
#: Root modules that have become folders.
ROOT_FOLDERS = {"audio"}

#: From the lowest up; the modules directly in the package are the lowest floor, but for the command line.
FLOORS: tuple[str, ...] = (
    ROOT, "corpora", "models", "pretrained", "features", "training", "asr", "methods", "evaluation",
    "experiment", "deployment", "studies", "papers", "plotting", "reporting", "widgets", "lessons", "cli",
)  # fmt: skip


@dataclass(frozen=True)
class Import:
    """A name of the package that a module imports: ``serlab.labels`` or ``serlab.labels.emotions``."""

    module: str
    path: str
    line: int
    name: str


@functools.cache
def sources(package: Path) -> dict[str, tuple[Path, ast.Module]]:
    """Module -> its file and what it says."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[module] = path, parsed(path.read_text(encoding="utf-8"))
    return found


def imports(module: str, path: Path, tree: ast.Module) -> Iterator[Import]:
    """What a module imports of the package, wherever in it that stands."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "serlab":
                yield Import(module, str(path), node.lineno, name)


def floor(name: str) -> str:
    """Floor of a module, or of a name in it."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else ROOT


def arrows_up(package: Path) -> list[str]:
    """One sentence for each import of a floor above."""
    found = []
    for module, (path, tree) in sources(package).items():
        # The face of the package opens every floor; that is what it is for.
        if module == "serlab":
            continue
        own = floor(module)
        for i in imports(module, path, tree):
            other = floor(i.name)
            if FLOORS.index(other) > FLOORS.index(own):
                found.append(f"{i.path}:{i.line}: {module} (floor {own}) imports {i.name} (floor {other})")
    return found


def private_uses(package: Path) -> list[str]:
    """One sentence for each private name of another module that is imported, or used as its attribute."""
    modules = sources(package)
    found = []
    for module, (path, tree) in modules.items():
        local: dict[str, str] = {}  # name here -> module of the package
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                local |= {a.asname: a.name for a in node.names if a.asname and a.name in modules}
            elif isinstance(node, ast.ImportFrom):
                named = {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
                local |= {here: name for here, name in named.items() if name in modules}
        for i in imports(module, path, tree):
            if any(is_private(part) for part in i.name.split(".")):
                found.append(f"{i.path}:{i.line}: {module} imports the private {i.name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                owner = ast.unparse(node.value)
                of = local.get(owner, owner if owner in modules else None)
                if of is not None and of != module:
                    found.append(f"{path}:{node.lineno}: {module} uses the private {of}.{node.attr}")
    return found


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def test_imports_go_down():
    assert not (found := arrows_up(PACKAGE)), "\n".join(found)


def test_every_folder_has_a_floor():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders -= ROOT_FOLDERS
    assert folders <= {*FLOORS}, f"no floor is given for {sorted(folders - {*FLOORS})}"


def test_nothing_private_is_used_elsewhere():
    assert not (found := private_uses(PACKAGE)), "\n".join(found)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A package of two floors."""
    for name in ("serlab", "serlab/corpora", "serlab/features"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "serlab/labels.py").write_text("def _same(): ...\n")
    return tmp_path / "serlab"


@pytest.mark.parametrize(
    "text",
    [
        "from serlab.features.cache import read",
        "from serlab import features",
        "import serlab.features.cache",
        "from ..features import cache",
    ],
)
def test_an_arrow_up_is_named_with_file_line_and_floors(house: Path, text: str):
    (house / "corpora/emodb.py").write_text(f"def read():\n    {text}\n")
    (found,) = arrows_up(house)
    assert found.startswith(f"{house / 'corpora/emodb.py'}:2: serlab.corpora.emodb (floor corpora) imports ")
    assert "serlab.features" in found and found.endswith("(floor features)")


def test_an_arrow_out_of_a_root_module_is_one(house: Path):
    (house / "audio.py").write_text("from serlab import corpora, labels\n")
    (found,) = arrows_up(house)
    assert "serlab.audio (floor root modules) imports serlab.corpora (floor corpora)" in found


@pytest.mark.parametrize(
    "text",
    [
        "from serlab.labels import _same",
        "from serlab import labels as words\nwords._same()",
        "from serlab import labels\nlabels._same()",
        "import serlab.labels\nserlab.labels._same()",
    ],
)
def test_a_private_name_is_named(house: Path, text: str):
    (house / "corpora/emodb.py").write_text(text + "\n")
    (found,) = private_uses(house)
    assert "serlab.corpora.emodb" in found and "the private serlab.labels._same" in found


def test_down_and_public_is_fine(house: Path):
    (house / "features/cache.py").write_text(
        "import serlab.labels\nfrom serlab.corpora import emodb\nfrom serlab.features import cache\n"
        "from pathlib import _posix_flavour\nserlab.labels.__name__\nself._own\n"
    )
    assert arrows_up(house) == private_uses(house) == []
