"""corpus.toml: written and read back, and what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab.corpora import settings
from serlab.corpora.settings import Settings
from serlab.errors import CorpusError


def test_what_is_written_is_read(tmp_path: Path):
    said = Settings(
        name='"quoted" \\ \n\x7f\x00 ü', language="zh-Hant-TW", license="CC0", citation="Me", channel="right",
        annotators="mean", labels={"wütend = [x]": "anger", "": "joy"}, scale={"arousal": (-1.0, 1.0)},
    )  # fmt: skip
    path = tmp_path / "corpus.toml"
    path.write_text(settings.render(said), encoding="utf-8")
    assert settings.read(path) == said
    assert said.thresholds == {"arousal": 0.0}
    assert settings.beside(tmp_path / "corpus.csv") == said
    assert settings.beside(tmp_path / "other/corpus.csv") == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("langage = 'nl'", r"unknown key 'langage' \(did you mean 'language'\?\); known: name, language"),
        ("language = 'dutch'", "language 'dutch' is no BCP 47 tag"),
        ("name = 3", "name is 3; write a text"),
        ("channel = 'rigth'", r"channel 'rigth' \(did you mean 'right'\?\) is not one of mix, left, right"),
        ("labels = 3", r"labels is 3; write \[labels\]"),
        ("[labels]\nboos = 'wroth'", "label 'boos' stands for 'wroth', which is none of neutral"),
        ("[labels]\nboos = 3", "label 'boos' stands for 3"),
        ("[scale]\narousl = [1, 5]", r"scale of 'arousl' \(did you mean 'arousal'\?\)"),
        ("[scale]\narousal = [5, 1]", r"scale of arousal is \[5, 1\]; write its lowest and highest rating"),
        ("[scale]\narousal = [1, inf]", "write its lowest and highest rating"),
        ("[scale]\narousal = 3", "write its lowest and highest rating"),
        ("name", "no TOML"),
        ("a = " + "[" * 2000, "no TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str):
    (tmp_path / "corpus.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"corpus\.toml: .*{message}"):
        settings.beside(tmp_path / "corpus.csv")
