"""The fingerprint of data changes with all that a split, a label or a feature may depend on."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from serlab import data


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    """Two utterances with audio of 100 bytes."""
    rows = []
    for name in ("c/a", "c/b"):
        path = tmp_path / f"{name[2:]}.wav"
        path.write_bytes(name.encode() * 33 + b"!")
        rows.append({"utterance": name, "corpus": "c", "path": str(path), "speaker": "c/s", "arousal": 2.0})
    return data.utterances(rows)


@pytest.mark.parametrize("column", [name for name in data.COLUMNS if name not in ("path", "duration")])
def test_every_column_that_may_change_a_split_or_a_label_counts(table: pd.DataFrame, column: str) -> None:
    value = 1.5 if data.COLUMNS[column] == "float64" else "else"
    changed = table.astype({column: object}).copy()
    changed.loc["c/b", column] = value
    assert data.fingerprint(changed) != data.fingerprint(table)


def test_columns_of_ones_own_and_names_count(table: pd.DataFrame) -> None:
    others = [
        table.assign(arousal_threshold=2.5),
        table.assign(intensity=["weak", "strong"]),
        table.assign(intensity=["strong", "weak"]),
        table.rename(index={"c/a": "c/z"}),
        table.iloc[:1],
    ]
    assert len({data.fingerprint(one) for one in [table, *others]}) == len(others) + 1


def test_same_data_same_fingerprint(table: pd.DataFrame, tmp_path: Path) -> None:
    """Wherever it lies, in whatever order, with columns that say nothing, read as whole numbers or not."""
    moved = table.copy()
    (tmp_path / "elsewhere").mkdir()
    for name in table.index:
        path = tmp_path / "elsewhere" / Path(table.at[name, "path"]).name
        path.write_bytes(Path(table.at[name, "path"]).read_bytes())
        moved.loc[name, "path"] = str(path)
    same = [moved, table[::-1], table.assign(intensity=None), table.assign(arousal=pd.Series(2, table.index))]
    assert {data.fingerprint(one) for one in same} == {data.fingerprint(table)}


def test_other_audio_of_the_same_length_and_time_is_other_data(table: pd.DataFrame) -> None:
    before = data.fingerprint(table)
    path = Path(table.at["c/a", "path"])
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(os.urandom(100))
    os.utime(path, ns=times)
    assert data.fingerprint(table) != before


def test_a_missing_file_is_a_difference(table: pd.DataFrame) -> None:
    before = data.fingerprint(table)
    Path(table.at["c/a", "path"]).unlink()
    assert data.fingerprint(table) != before
    assert data.fingerprint(table.assign(path=None)) != before
