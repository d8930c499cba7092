"""The one way in for text: what is read, and what is said where it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from serlab.corpora import texts
from serlab.errors import CorpusError, LabelError


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,\xc3\xbc\n", b"\xef\xbb\xbfa;b\r\n1;\xc3\xbc\r\n", "a\tb\n1\tü".encode("utf-16"),
        b"sep=;\na;b\n1;\xc3\xbc\n", b"a,b,,\n1,\xc3\xbc,,\n,,,\n", b" a , b\r 1 ,\xc3\xbc \r",
    ],
)  # fmt: skip
def test_what_spreadsheets_write_is_one_table(tmp_path: Path, content: bytes):
    sheet = texts.sheet(written(tmp_path, content))
    assert sheet.columns == ("a", "b") and not sheet.problems
    assert [cells for _, cells in sheet.rows] == [{"a": "1", "b": "ü"}]


def test_lines_are_those_of_the_file(tmp_path: Path):
    sheet = texts.sheet(written(tmp_path, 'a,b\n"x\ny",1\n\nz,2\n'))
    assert [line for line, _ in sheet.rows] == [2, 5]
    sheet = texts.sheet(written(tmp_path, "sep=,\na,b\nx,1\n"))
    assert [line for line, _ in sheet.rows] == [3]


@pytest.mark.parametrize("index", [(0, 1), (7, 3), (12, 4012), (0, 0)])
def test_an_index_of_pandas_is_passed_over_and_said(tmp_path: Path, index: tuple[int, int]):
    """Whole, shuffled, filtered, or joined from two tables."""
    sheet = texts.sheet(written(tmp_path, f",a,b\n{index[0]},x,1\n{index[1]},y,2\n"))
    assert sheet.columns == ("a", "b") and sheet.rows[0] == (2, {"a": "x", "b": "1"})
    assert sheet.notes == ("a nameless first column of whole numbers was passed over",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,a\n1,2,3\n", r"line 1: column 'a' occurs 2 times \(columns 1, 3\); keep one"),
        (b",a\nx,1\ny,2\n", "line 1: column 1 has no name, and holds values such as 'x'; name it"),
        (b"a,\n1,x\n", "column 2 has no name"),
        (b"a,b\n1,\xff\n", r"line 2: not UTF-8 \(invalid start byte\); save it as CSV UTF-8"),
        (b'a,b\n1,"x\n', "line 2: unexpected end of data; write a quotation mark"),
        (b"a," * 60_000, "line 1: 120,000 characters are no line of column names"),
        (b"a," * 1500, "line 1: 1,501 columns are too many"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path, content: bytes, message: str):
    with pytest.raises(CorpusError, match=message):
        texts.sheet(written(tmp_path, content))


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "loop", "nothing", "null"])
def test_only_regular_files_are_opened(tmp_path: Path, kind: str):
    path = tmp_path / "t.csv"
    {
        "folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/zero"),
        "loop": lambda: path.symlink_to(path), "nothing": lambda: None, "null": lambda: None,
    }[kind]()  # fmt: skip
    with pytest.raises(CorpusError, match=r"no such file|no regular file|cannot be opened"):
        texts.read(tmp_path / "t\0.csv" if kind == "null" else path)


def test_long_lines_and_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = written(tmp_path, b"x\n" + b"y" * 100_001)
    with pytest.raises(CorpusError, match="line 2: 100,001 characters are more than 100,000"):
        list(texts.lines(path))
    monkeypatch.setattr(texts, "MOST_BYTES", 1024**2 // 16)
    with pytest.raises(CorpusError, match="has 0 MB; a table"):
        texts.read(path)


def test_rows_that_do_not_fit(tmp_path: Path):
    sheet = texts.sheet(written(tmp_path, "a,b\n1,2,3\n1,2,\n1"))
    assert [(p.line, p.text[:10]) for p in sheet.problems] == [(2, "more cells"), (4, "breaks off")]
    assert len(sheet.rows) == 2


def test_problems_come_in_one_list_and_each_once(tmp_path: Path):
    path = tmp_path / "t.csv"
    texts.refuse(path, [])
    label = texts.Problem(4, "no word", "label", label=True)
    with pytest.raises(LabelError, match=r"t.csv, line 3 \(and 1 more\), column 'label': no word"):
        texts.refuse(path, [label, texts.Problem(3, "no word", "label", label=True)])
    with pytest.raises(
        CorpusError, match=r"t.csv: 2 problems\n- line 2: x\n- line 4, column 'label': no word"
    ):
        texts.refuse(path, [label, texts.Problem(2, "x")])
    with pytest.raises(CorpusError, match=r"30 problems(.|\n)*and 10 more"):
        texts.refuse(path, [texts.Problem(n, f"x{n}") for n in range(30)])
