"""Tables of other columns: found by usual names, or said; paths put together from several."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import cli, corpora
from serlab.corpora.exchange import table
from serlab.errors import CorpusError, ParameterError
from tests.corpora import trees

MELD = (
    "Sr No.,Utterance,Speaker,Emotion,Dialogue_ID,Utterance_ID\n"
    "1,Hey,Joey,joy,0,0\n2,Hey,Ross,anger,0,1\n3,No!,Ross,neutral,1,0\n"
)


@pytest.fixture
def meld(tmp_path: Path) -> Path:
    (tmp_path / "train").mkdir()
    for number, name in enumerate(("dia0_utt0", "dia0_utt1", "dia1_utt0")):
        (tmp_path / f"train/{name}.wav").write_bytes(trees.noise(".wav", seed=number))
    (tmp_path / "train.csv").write_text(MELD, encoding="utf-8")
    return tmp_path / "train.csv"


def test_paths_are_put_together(meld: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data = ["--data", str(tmp_path / "data")]
    path = "path=train/dia{Dialogue_ID}_utt{Utterance_ID}.wav"
    assert cli.main(["import", "table", str(meld), "meld", "-c", path, *data]) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "speaker: 2 (Ross 2, Joey 1)" in out and "not unique" in out
    read = corpora.get("meld", tmp_path / "data").read(tmp_path / "data")
    assert list(read["native_emotion"]) == ["joy", "anger", "neutral"] and read["duration"].notna().all()
    assert list(read["Utterance_ID"]) == ["0", "1", "0"]


def test_a_column_says_where_recordings_are(tmp_path: Path) -> None:
    (tmp_path / "opis.csv").write_bytes("Plik;Mówca;Emocja\r\na\\b.wav;łu;złość\r\n".encode("utf-16"))
    asked = {"path": "Plik", "speaker": "Mówca", "label": "Emocja"}
    (row,) = table.read(tmp_path, columns=asked, tables=("opis.csv",)).rows
    assert row == {"path": str(tmp_path / "a/b.wav"), "speaker": "łu", "label": "złość"}


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        (None, ParameterError, "which column"),
        ("Plik", ParameterError, "no column 'Plik'"),
        ("{Plik}.wav", ParameterError, "no column 'Plik'"),
        ("{Seite}.wav", CorpusError, "line 2: 'Seite' is empty"),
    ],
)
def test_recordings_that_are_not_named_are_refused(
    tmp_path: Path, path: str | None, error: type[Exception], said: str
) -> None:
    (tmp_path / "a.csv").write_text("Speaker,Emotion,Seite\na,joy,\n", encoding="utf-8")
    with pytest.raises(error, match=said):
        table.read(tmp_path / "a.csv", columns={"path": path} if path else {})
