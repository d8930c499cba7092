"""Files are whole or not there, and their hashes follow what is in them."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from serlab import files


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    files.write_table(path, pd.DataFrame({"x": [1]}))
    before = path.read_bytes()

    class Unwritable(pd.DataFrame):
        def to_csv(self, file, **how):
            file.write_text("x\n")
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        files.write_table(path, Unwritable({"x": [2]}))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_arrays_come_back_without_pickle(tmp_path):
    path = tmp_path / "new" / "arrays.npz"
    files.write_arrays(path, {"a": np.arange(3), "names": np.array([b"x", b"y"])})
    with np.load(path, allow_pickle=False) as found:
        assert found["a"].tolist() == [0, 1, 2] and found["names"].tolist() == [b"x", b"y"]
    assert list(path.parent.iterdir()) == [path]


def test_the_hash_of_a_file_that_changed_is_another(tmp_path):
    path = tmp_path / "weights"
    for content in (b"some", b"others"):
        path.write_bytes(content)
        assert files.sha256(path) == hashlib.sha256(content).hexdigest()
