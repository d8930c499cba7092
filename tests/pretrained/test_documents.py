"""Small JSON files of others: what is no file, no object or no sensible number is refused."""

from __future__ import annotations

import json

import pytest

from serlab.errors import ParameterError
from serlab.pretrained import documents
from serlab.pretrained.documents import Number


def test_only_an_object_of_a_small_file_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    assert documents.read(path) == {"a": 1}
    for text in ("", "[]", "{", "[" * 100_000, "1"):
        path.write_text(text)
        with pytest.raises(ParameterError, match=r"a\.json"):
            documents.read(path)
    path.write_bytes(b" " * (documents.MOST_BYTES + 1))
    with pytest.raises(ParameterError, match="no configuration"):
        documents.read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ParameterError, match="is no file"):
        documents.read(path)


@pytest.mark.parametrize("value", ["3", None, True, 0, 11, 2.5, float("nan"), [3]])
def test_numbers_that_are_none(value, tmp_path):
    with pytest.raises(ParameterError, match=r"n is .* expected was a whole number from 1 to 10"):
        documents.require({"n": value}, {"n": Number(least=1, most=10)}, path=tmp_path)


def test_numbers_that_may_be_missing(tmp_path):
    numbers = {"n": Number(least=1, most=10, optional=True)}
    documents.require({}, numbers, path=tmp_path)
    documents.require({"n": None}, numbers, path=tmp_path)
    with pytest.raises(ParameterError, match="does not name 'n'"):
        documents.require({}, {"n": Number(least=1, most=10)}, path=tmp_path)
    assert documents.require_numbers({"n": [1, 2]}, "n", numbers["n"], n=3, path=tmp_path) == [1, 2]
    for wrong in ([], [1, 2, 3, 4], [1, "2"], 3):
        with pytest.raises(ParameterError):
            documents.require_numbers(
                json.loads(json.dumps({"n": wrong})), "n", numbers["n"], n=3, path=tmp_path
            )
