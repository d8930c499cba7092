"""Corpora without a table: what names of folders and files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import cli, corpora
from serlab.corpora.exchange import names
from serlab.errors import CorpusError, ParameterError
from tests.corpora import trees


def filled(folder: Path, *paths: str) -> Path:
    for seed, path in enumerate(paths):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        content = trees.noise(".wav", seed=seed) if path.endswith(".wav") else b"of another kind"
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("pattern", "name", "said"),
    [
        ("{speaker}/{label}/{text_id}", "li/sad/201", {"speaker": "li", "label": "sad", "text_id": "201"}),
        ("{speaker}/{label}/{}/{speaker}_{n}", "01/Sad/t/01_9", {"speaker": "01", "label": "Sad", "n": "9"}),
        ("**/{label:letters}{text_id:digits}", "a/b/sa03", {"label": "sa", "text_id": "03"}),
        ("**/{label:letters}{text_id:digits}", "sa03", {"label": "sa", "text_id": "03"}),
        ("{label:2}P{speaker:2}", "04P11", {"label": "04", "speaker": "11"}),
        ("{label}/{:1}{n} ({speaker})", "anger/a03 (4)", {"label": "anger", "n": "03", "speaker": "4"}),
        ("{speaker}/{label}", "说话人 1/生气", {"speaker": "说话人 1", "label": "生气"}),
        ("{speaker}/{label}", "top/liu/angry", None),
        ("{speaker}/{label}/{speaker}", "a/joy/b", None),
        ("{speaker:digits}_{label}", "a1_joy", None),
        ("a.b+{label}", "axbb+joy", None),
    ],
)  # fmt: skip
def test_a_pattern_is_read_as_it_stands(pattern: str, name: str, said: dict | None) -> None:
    found = names.compiled(pattern).fullmatch(name)
    assert (found and found.groupdict()) == said


@pytest.mark.parametrize(
    "pattern", ["a/b", "{}", "{speaker", "speaker}", "{a b}", "{speaker:word}", "{path}"]
)
def test_a_pattern_that_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ParameterError, match=r"pattern|colon|column"):
        names.compiled(pattern)


def test_a_corpus_is_made_where_its_folders_lie(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    own = filled(
        tmp_path / "zh", "李/生气/1.wav", "李/高兴/2.wav", "王/生气/1.wav", "top.wav", "李/生气/3.m4a"
    )
    data = ["--data", str(tmp_path)]
    assert corpora.unread(tmp_path) == ("zh",)
    assert cli.main(["validate", "zh", *data]) == 1
    assert "serlab import names" in capsys.readouterr().err
    (own / "who.tsv").write_text("file\tspeaker\n")
    assert cli.main(["validate", "zh", *data]) == 1
    assert f"serlab import table {own / 'who.tsv'} zh" in capsys.readouterr().err
    assert cli.main(["corpora", *data]) == 0
    assert "no corpora yet: zh" in capsys.readouterr().out
    asked = ["import", "names", str(own), "zh", "--language", "zh", "-c", "path={speaker}/{label}/{text_id}"]
    assert cli.main([*asked, "-l", "生气=anger", *data]) == 1  # one label is not understood
    assert "'高兴'" in capsys.readouterr().err
    assert cli.main([*asked, "-l", "生气=angry", "-l", "高兴=joy", "--force", *data]) == 0
    out = capsys.readouterr().out
    assert "3 utterances" in out and "speaker: 2 (李 2, 王 1)" in out and "label: 2 (生气 2, 高兴 1)" in out
    assert "top.wav" in out and "ffmpeg" in out
    table = corpora.get("zh", tmp_path).read(tmp_path)
    assert list(table["native_emotion"]) == ["anger", "joy", "anger"]
    assert set(table["language"]) == {"zh"} and set(table["text_id"]) == {"zh/1", "zh/2"}
    assert corpora.unread(tmp_path) == ()
    for wrong in (["-l", "高兴=gladnes"], ["--language", "chinese"], ["-c", "label=x"], ["--table", "x"]):
        assert cli.main([*asked, "--force", *wrong, *data]) in (1, 2), wrong
    assert corpora.get("zh", tmp_path).read(tmp_path).equals(table)


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    pattern = {"path": "{speaker}/{label}"}
    for folder, said in (
        (tmp_path / "none", "no such folder"),
        (filled(tmp_path / "empty", "a.txt"), "there are none"),
        (filled(tmp_path / "other", "a/b/c.wav"), "the first is a/b/c.wav"),
        (filled(tmp_path / "foreign", "a/joy.mp4"), "ffmpeg"),
    ):
        with pytest.raises(CorpusError, match=said):
            names.read(folder, columns=pattern)


@pytest.mark.parametrize(("second", "sexes"), [("f", ["male", "female"]), ("h", [None, None])])
def test_a_sex_is_taken_if_all_are_understood(tmp_path: Path, second: str, sexes: list[str | None]) -> None:
    folder = filled(tmp_path, "m1/joy.wav", f"{second}2/joy.wav")
    found = names.read(folder, columns={"path": "{sex:letters}{speaker:digits}/{label}"})
    assert [row.get("sex") for row in sorted(found.rows, key=lambda row: row["speaker"])] == sexes
    assert bool(found.notes) == (sexes[0] is None)
