"""Files are whole or not there, and their hashes follow what is in them."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import files
from serlab.errors import SerlabError


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    files.write_table(path, pd.DataFrame({"x": [1]}))
    before = path.read_bytes()

    def unwritable(table, file, **how):
        file.write_text("x\n")
        raise OSError("no space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", unwritable)
    with pytest.raises(OSError, match="no space"):
        files.write_table(path, pd.DataFrame({"x": [2]}))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_changed_byte_of_a_table_is_found(tmp_path):
    path = tmp_path / "table.parquet"
    table = pd.DataFrame({"x": np.arange(2000) % 7, "name": [f"u{i}" for i in range(2000)]})
    files.write_table(path, table, compression="zstd")
    pd.testing.assert_frame_equal(files.read_parquet(path), table)
    content = path.read_bytes()
    for place in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            found = files.read_parquet(path)
        except files.DamagedFile:
            continue
        pd.testing.assert_frame_equal(found, table)  # a byte that says nothing of the table
    path.write_bytes(content[:100])
    with pytest.raises(files.DamagedFile, match=r"table\.parquet is damaged"):
        files.read_parquet(path)


def test_threads_write_the_same_file_beside_each_other(tmp_path):
    path, errors = tmp_path / "a.txt", []

    def write(number: int) -> None:
        try:
            for _ in range(50):
                files.write_text(path, str(number) * 1000)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(set(path.read_text())) == 1 and list(tmp_path.iterdir()) == [path]


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


def test_a_spreadsheet_finds_nothing_to_compute_in_names(tmp_path):
    """Names begin as formulas do, in headings, categories and text; numbers and the given table stay."""
    formula = '=HYPERLINK("http://example.org","x")'
    names = [formula, "-0.5", "+1+1", "@SUM(A1)", " =1", "-", "ann", "a\r=1"]
    table = pd.DataFrame({formula: names, "kind": pd.Categorical(names), "gain": np.linspace(-1, 1, 8)})
    before = table.copy(deep=True)
    files.write_table(tmp_path / "a.csv", table)
    pd.testing.assert_frame_equal(table, before)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == files.csv_text(table)
    again = pd.read_csv(tmp_path / "a.csv", dtype=str)
    assert list(again) == [f"'{formula}", "kind", "gain"]
    expected = [f"'{formula}", "-0.5", "'+1+1", "'@SUM(A1)", "' =1", "-", "ann", "a\n=1"]
    assert again["kind"].tolist() == again.iloc[:, 0].tolist() == expected
    assert again["gain"].astype(float).tolist() == pytest.approx(table["gain"].tolist())


def test_text_with_half_a_character_is_written_all_the_same(tmp_path):
    files.write_text(tmp_path / "a.html", "ann\udcff")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "ann\\udcff"


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    files.require_writable(tmp_path / "new" / "deep")
    assert list(tmp_path.iterdir()) == [], "and nothing is made"
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300), Path("/proc/no")):
        with pytest.raises(SerlabError, match="cannot be written"):
            files.require_writable(folder)
