"""Values that nobody vouches for become a tuple, a path, a sentence."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from serlab.errors import ParameterError
from serlab.experiment import values


def test_one_entry_or_a_list_in_order_and_each_once():
    assert values.several("seeds", 3) == (3,) and values.several("methods", "a") == ("a",)
    assert values.several("seeds", range(3)) == (0, 1, 2)
    assert values.several("seeds", (x for x in [2, 1, 2])) == (2, 1)


@pytest.mark.parametrize("value", [None, {"a": 1}, {1, 2}, b"ab", object(), [[1]], np.array(5), [{}]])
def test_what_is_no_list_is_refused(value):
    with pytest.raises(ParameterError, match=r"parameter 'seeds': .* is no list"):
        values.several("seeds", value)


def test_a_list_without_an_end_is_refused():
    with pytest.raises(ParameterError, match="more than 10000 entries"):
        values.several("seeds", itertools.count())


def test_paths_are_text():
    assert values.as_path("data", Path("/a/b")) == "/a/b" and values.as_path("data", None) == ""
    for value in (b"/a", 3):
        with pytest.raises(ParameterError, match="is no path"):
            values.as_path("data", value)


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 5000])
def test_text_that_no_file_can_hold_is_refused(text):
    with pytest.raises(ParameterError, match=r"no name has|4096 at most"):
        values.require_text("target", text)
    values.require_text("target", "kişi 日本")


def test_a_value_is_shown_on_one_short_line():
    class Bad:
        def __repr__(self):
            raise RuntimeError

    assert values.shown("a\nb") == "'a\\nb'" and len(values.shown("x" * 10**5)) < 100
    assert values.shown(Bad()) == "a value of type Bad" and values.shown(10**5000) == "a value of type int"
    with pytest.raises(ParameterError, match="'folds': nan is"):
        values.require_between("folds", float("nan"), 1, 2, "is none")
