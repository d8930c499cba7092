"""A CSV file as a corpus: what it may say, and what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora, data, labels
from serlab.errors import CorpusError, LabelError
from tests.corpora import trees


def write_csv(folder: Path, text: str, name: str = "corpus.csv") -> Path:
    """A CSV file and two audio files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for audio in ("a.wav", "b ü.flac"):
        (folder / audio).write_bytes(trees.noise(Path(audio).suffix))
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_all_columns(tmp_path: Path):
    path = write_csv(
        tmp_path / "mine",
        "path,speaker,label,emotion,sex,language,text_id,session,arousal,mood\n"
        "a.wav,anna,wütend,anger,female,de,t1,s1,4.5,grey\n"
        "b ü.flac,bo,,,male,,,,2,\n",
    )
    table = corpora.from_csv(path)
    assert table.index.to_list() == ["mine/a", "mine/b ü"]
    first, second = table.iloc[0], table.iloc[1]
    assert first[["speaker", "text_id", "session", "native_label", "label", "mood"]].to_list() == [
        "mine/anna", "mine/t1", "mine/s1", "anger", "wütend", "grey",
    ]  # fmt: skip
    assert first["arousal"] == 4.5 and first["duration"] == pytest.approx(0.1)
    assert second["native_label"] is None and second["text_id"] is None
    assert labels.emotions(table).to_list() == ["anger", None]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_byte_order_mark(tmp_path: Path, separator: str):
    text = "\ufeff" + "path,speaker,label\na.wav,1,anger\n".replace(",", separator)
    assert corpora.from_csv(write_csv(tmp_path, text, "lab.csv")).index.to_list() == ["lab/a"]


def test_mapping_as_an_argument(tmp_path: Path):
    path = write_csv(tmp_path, "path,speaker,label\na.wav,1,W\n", "lab.csv")
    assert corpora.from_csv(path, emotions={"W": "anger"})["native_label"].to_list() == ["anger"]


def test_ratings_are_cut_where_the_file_says(tmp_path: Path):
    text = "path,speaker,label,arousal,arousal_threshold\na.wav,1,,3.5,3\nb ü.flac,1,joy,3,3\n"
    table = corpora.from_csv(write_csv(tmp_path, text))
    assert labels.scheme("arousal").apply(table)["emotion"].to_list() == ["high", "low"]
    assert data.fingerprint(table.assign(arousal_threshold=2.5)) != data.fingerprint(table)
    with pytest.raises(CorpusError, match="column 'arousal_threshold': 'three' is not a number"):
        corpora.from_csv(write_csv(tmp_path, text.replace("3.5,3\n", "3.5,three\n")))


def test_cuts_of_one_recording(tmp_path: Path):
    text = "path,speaker,label,start,end\na.wav,1,anger,0,0.04\na.wav,1,joy,0.04,\n"
    table = corpora.from_csv(write_csv(tmp_path, text))
    assert table["duration"].to_list() == pytest.approx([0.04, 0.06])
    assert table.index.is_unique


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("path,label\na.wav,anger\n", CorpusError, "line 1: no column 'speaker'.*found are path, label"),
        ("path,speaker,label\n", CorpusError, "header but no rows"),
        ("", CorpusError, "line 1: no column 'path'"),
        ("path,speaker,label\na.wav,,anger\n", CorpusError, "line 2, column 'speaker': empty"),
        (
            "path,speaker,label\nc.wav,1,joy\n",
            CorpusError,
            "line 2, column 'path': no such file",
        ),
        ("path,speaker,label\na.wav,1,joy,2\n", CorpusError, "line 2: more cells than the 3 columns"),
        ("path,speaker,label\na.wav,1,happi\n", LabelError, "line 2, column 'label': 'happi'.*neutral"),
        ("path,speaker,label\na.wav,1,\n", LabelError, "line 2, column 'label': empty"),
        (
            "path,speaker,label,sex\na.wav,1,joy,f\n",
            CorpusError,
            "column 'sex': 'f' is not one of",
        ),
        ("path,speaker,label,end\na.wav,1,joy,1s\n", CorpusError, "column 'end': '1s' is not a number"),
        (
            "path,speaker,label,start,end\na.wav,1,joy,2,1\n",
            CorpusError,
            "'end': .*enclose nothing",
        ),
        ("path,speaker,label\na.wav,1,joy\na.wav,1,joy\n", CorpusError, "mine/a' occurs twice"),
    ],
)
def test_errors_name_line_and_column(tmp_path: Path, text: str, error: type, message: str):
    with pytest.raises(error, match=message):
        corpora.from_csv(write_csv(tmp_path / "mine", text))


def test_not_utf8(tmp_path: Path):
    path = write_csv(tmp_path, "path,speaker,label\n")
    path.write_bytes("path,speaker,label\na.wav,Müller,joy\n".encode("latin-1"))
    with pytest.raises(CorpusError, match="not UTF-8"):
        corpora.from_csv(path)


def test_missing_file(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"no such file: .*none\.csv"):
        corpora.from_csv(tmp_path / "none.csv")
