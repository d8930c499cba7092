"""What there is of a corpus is counted once, and again when the folder has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.corpora import base, inventory
from tests.corpora import trees
from tests.corpora.test_csv_corpus import write_csv


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of corpora that were read."""
    names: list[str] = []
    read = base.Corpus.read

    def counted(self, root=None):
        names.append(self.name)
        return read(self, root)

    monkeypatch.setattr(base.Corpus, "read", counted)
    return names


def test_counts(tmp_path: Path):
    trees.emodb.tree(tmp_path / "emodb", every=50)
    found = inventory.take(corpora.get("emodb"), tmp_path)
    assert (found.utterances, found.languages, found.problem) == (11, ("de",), "")
    assert found.minutes == round(11 * 0.1 / 60, 1) and sum(found.emotions.values()) == 11
    assert list(found.emotions.values()) == sorted(found.emotions.values(), reverse=True)


def test_is_remembered_until_a_file_changes(tmp_path: Path, reads: list[str]):
    trees.emodb.tree(tmp_path / "emodb", every=50)
    corpus = corpora.get("emodb")
    first = inventory.take(corpus, tmp_path)
    assert inventory.take(corpus, tmp_path) == first and reads == ["emodb"]
    next((tmp_path / "emodb/wav").iterdir()).unlink()
    assert inventory.take(corpus, tmp_path).utterances == 10 and len(reads) == 2


def test_a_damaged_memory_is_made_again(tmp_path: Path, cache: Path, reads: list[str]):
    trees.emodb.tree(tmp_path / "emodb", every=50)
    corpus = corpora.get("emodb")
    first = inventory.take(corpus, tmp_path)
    for text in ("", "{}", '{"utterances": 1, "x": 2}', "[]"):
        (kept,) = (cache / "inventories").iterdir()
        kept.write_text(text)
        assert inventory.take(corpus, tmp_path) == first
    assert len(reads) == 5


def test_audio_elsewhere_is_not_remembered(tmp_path: Path, reads: list[str]):
    write_csv(tmp_path / "mine", "path,speaker,label\na.wav,1,anger\n")
    (tmp_path / "elsewhere.wav").write_bytes(trees.noise(".wav"))
    (tmp_path / "mine/corpus.csv").write_text("path,speaker,label\n../elsewhere.wav,1,anger\n")
    corpus = corpora.get("mine", tmp_path)
    assert inventory.take(corpus, tmp_path) == inventory.take(corpus, tmp_path)
    assert len(reads) == 2


def test_a_folder_that_cannot_be_read_says_why(tmp_path: Path):
    (tmp_path / "emodb").mkdir()
    (tmp_path / "emodb/readme.txt").touch()
    found = inventory.take(corpora.get("emodb"), tmp_path)
    assert not found.utterances and "expected files such as" in found.problem


def test_what_serlab_makes_is_not_made_for_a_list(tmp_path: Path, reads: list[str]):
    corpus = next(corpus for corpus in corpora.CORPORA.values() if corpus.embedded)
    assert inventory.take(corpus, tmp_path) == inventory.published(corpus) and not reads


def test_published():
    found = inventory.published(corpora.get("baved"))
    assert found.emotions == {"other": 1935} and found.speakers == 59


@pytest.mark.shared
def test_overview_of_the_real_ones(shared: Path):
    table = corpora.overview(shared / "corpora").set_index("name")
    assert table.loc["nemo", ["installed", "utterances", "speakers"]].to_list() == [
        "part",
        "892 of 4481",
        "9",
    ]
    assert table.loc["urdu", ["installed", "utterances", "publishable"]].to_list() == ["yes", "400", "ask"]
    assert table.loc["tess", ["installed", "minutes"]].to_list() == ["no", ""]
