"""``import serlab``: what it offers, found when it is used."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import pytest

import serlab


def test_every_name_of_the_face_is_found() -> None:
    for name in serlab.__all__:
        assert getattr(serlab, name) is not None
    assert set(serlab.__all__) <= set(dir(serlab))
    assert isinstance(serlab.studies, ModuleType)
    assert (serlab.Parameters, serlab.Session) == (serlab.experiment.Parameters, serlab.experiment.Session)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'serlab' has no attribute 'corpus'"):
        serlab.corpus  # noqa: B018
    with pytest.raises(ImportError):
        from serlab import corpus  # noqa: F401


def test_type_checkers_see_what_is_found_late() -> None:
    """The imports for type checkers are the face, no more and no less."""
    tree = ast.parse(Path(serlab.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name for line in block.body if isinstance(line, ast.ImportFrom) for alias in line.names}
    assert seen | {"SerlabError", "__version__"} == set(serlab.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(serlab.__file__).parent / "py.typed").is_file()
