"""Finding a notebook and reading what it may be told."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from serlab import methods
from serlab.errors import ParameterError
from serlab.reporting import notebooks

PARAMETERS = """
target: str = "urdu"   # where emotions are to be recognised
sources: list = ["emodb"]
seeds: list = [0]
methods: list[str] = []
shots: int = 5  # per class; k = 5
rate: float = 0.5
verbose: bool = False
untyped = 3
"""


def write(path: Path, source: str = PARAMETERS, tags: tuple[str, ...] = ("parameters",)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [new_markdown_cell("# Title"), new_code_cell(source, metadata={"tags": list(tags)})]
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "notebooks" / "01_first.ipynb")
    write(tmp_path / "notebooks" / "02_second.ipynb")
    return tmp_path / "notebooks"


@pytest.mark.parametrize("name", ["1", "01", "01_first", "notebooks/01_first.ipynb"])
def test_a_notebook_is_found_by_number_name_and_path(folder: Path, name: str) -> None:
    assert notebooks.find(name).resolve() == folder / "01_first.ipynb"


@pytest.mark.parametrize("name", ["3", "first", "01_firs", "", "elsewhere.ipynb"])
def test_an_unknown_notebook_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ParameterError, match=r"elsewhere|known notebooks: 01_first, 02_second"):
        notebooks.find(name)


@pytest.mark.parametrize("installed", [False, True])
def test_without_notebooks_here_serlabs_own_are_known(tmp_path: Path, monkeypatch, installed: bool) -> None:
    """Those of the checkout, or those inside the installed package."""
    monkeypatch.chdir(tmp_path)
    checkout, package = tmp_path / "checkout", tmp_path / "site-packages" / "serlab"
    monkeypatch.setattr(notebooks, "CHECKOUT", None if installed else checkout)
    monkeypatch.setattr(notebooks, "PACKAGE", package)
    with pytest.raises(ParameterError, match="known notebooks: none"):
        notebooks.find("05")
    write((package if installed else checkout) / "notebooks" / "05_fifth.ipynb")
    assert notebooks.find("05").stem == "05_fifth"


def test_copies_are_for_changing_and_what_is_changed_is_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(notebooks, "CHECKOUT", tmp_path / "checkout")
    own, mine = tmp_path / "checkout" / "notebooks", tmp_path / "mine"
    write(own / "01_first.ipynb").chmod(0o444)
    write(own / "more" / "07_further.ipynb")
    write(own / "lessons" / "01_lesson.ipynb")  # with its solution
    write(own / ".ipynb_checkpoints" / "01_first-checkpoint.ipynb")
    first, more = mine / "01_first.ipynb", mine / "more" / "07_further.ipynb"
    assert notebooks.copy(mine) == {first: "copied", more: "copied"}
    assert [path.relative_to(mine) for path in sorted(mine.rglob("*.ipynb"))] == [
        first.relative_to(mine),
        more.relative_to(mine),
    ]
    write(first, "shots: int = 50")
    assert notebooks.copy(mine) == {first: "kept", more: "same"}
    assert notebooks.parameters(first)["shots"].default == 50
    assert notebooks.copy(mine, force=True) == {first: "replaced", more: "same"}
    assert "target" in notebooks.parameters(first)
    with pytest.raises(ParameterError, match="choose another folder"):
        notebooks.copy(own / "01_first.ipynb")


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    for content in ("", "{}", '{"worksheets": []}', '{"cells": [{}]}'):
        (tmp_path / "old.ipynb").write_text(content, encoding="utf-8")
        with pytest.raises(ParameterError, match="is not a notebook"):
            notebooks.parameters(tmp_path / "old.ipynb")


def test_defaults_are_values_and_types_are_complete(folder: Path) -> None:
    declared = notebooks.parameters(folder / "01_first.ipynb")
    assert {name: (p.kind, p.default) for name, p in declared.items()} == {
        "target": ("str", "urdu"),
        "sources": ("list[str]", ["emodb"]),
        "seeds": ("list[int]", [0]),
        "methods": ("list[str]", []),
        "shots": ("int", 5),
        "rate": ("float", 0.5),
        "verbose": ("bool", False),
        "untyped": ("int", 3),
    }


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("sources", "emodb, ravdess", ["emodb", "ravdess"]),
        ("sources", "", []),
        ("sources", ("a", "b"), ["a", "b"]),
        ("seeds", "0,1,2", [0, 1, 2]),
        ("seeds", np.arange(2), [0, 1]),
        ("shots", "7", 7),
        ("shots", np.int64(7), 7),
        ("rate", "1e-3", 0.001),
        ("rate", 2, 2.0),
        ("verbose", "yes", True),
        ("verbose", "False", False),
    ],
)
def test_values_become_json_of_the_declared_type(folder: Path, name: str, given, value) -> None:
    complete = notebooks.complete(folder / "01_first.ipynb", {name: given})
    assert complete[name] == value
    assert type(complete[name]) is type(value)
    assert complete["target"] == "urdu", "defaults fill the rest"
    nbformat.v4.new_notebook(metadata={"parameters": complete})


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("shots", "five", "int"),
        ("shots", 2.5, "int"),
        ("shots", True, "int"),
        ("shots", None, "int"),
        ("seeds", "0,one", "int"),
        ("seeds", 3, r"list\[int\]"),
        ("rate", "fast", "float"),
        ("verbose", "maybe", "bool"),
        ("target", ["urdu"], "str"),
        ("sources", Path("emodb"), r"list\[str\]"),
    ],
)
def test_a_wrong_type_is_refused_by_name_value_and_type(folder: Path, name: str, given, expected) -> None:
    with pytest.raises(ParameterError, match=rf"'{name}': expected {expected}, got"):
        notebooks.complete(folder / "01_first.ipynb", {name: given})


def test_an_unknown_parameter_is_refused_with_a_guess(folder: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"no parameter 'source' \(did you mean 'sources'\?\); known: tar"
    ):
        notebooks.complete(folder / "01_first.ipynb", {"source": "emodb"})


@pytest.mark.parametrize(
    ("source", "tags", "message"),
    [
        (PARAMETERS, (), "no cell tagged 'parameters'"),
        ("shots: int = 2 * 3", ("parameters",), "default of parameter 'shots' is not a plain value"),
        ("shots: int = ", ("parameters",), "is not Python"),
        ("weights: dict = {}", ("parameters",), "'weights': expected dict"),
    ],
)
def test_a_notebook_without_plain_parameters_is_refused(
    tmp_path: Path, source: str, tags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        notebooks.complete(write(tmp_path / "own.ipynb", source, tags), {})


def test_what_a_notebook_declares_is_that_of_its_baseline() -> None:
    """So that a run made before there were declarations, and Python, answer what the notebook does."""
    found = 0
    for path in notebooks.own_folder().glob("0*.ipynb"):
        declared = notebooks.parameters(path)
        if "primary" in declared:
            found += 1
            assert tuple(declared["primary"].default) == methods.PRIMARY[declared["baseline"].default]
            other = notebooks.complete(path, {"baseline": "svm-target"})
            assert other["primary"] == [], "another baseline has others"
    assert found >= 6
