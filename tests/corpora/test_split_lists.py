"""Lists that others made are read in the shapes they have, and said to be wrong where they are."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from serlab import corpora, data
from serlab.corpora import split_lists
from serlab.errors import CorpusError, ProtocolError
from serlab.experiment import Parameters
from serlab.protocols import SplitProtocol

NAMES = ("s1/one", "s1/two", "s2/one", "s2/two")


@pytest.fixture
def table() -> pd.DataFrame:
    return data.utterances(
        {"utterance": f"c/{name}", "corpus": "c", "path": f"/data/c/audio/{name}.flac", "speaker": name[:2]}
        for name in NAMES
    )


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


PARTS = {"c/s1/one": "train", "c/s1/two": "validation", "c/s2/one": "test", "c/s2/two": None}
SHAPES = {
    "a.csv": "utterance,split\nc/s1/one,train\nc/s1/two,dev\nc/s2/one,Test\n",
    "b.csv": "file_name;mood;partition\ns1/one.wav;joy;train\ns1\\two.wav;joy;valid\ns2/one.wav;joy;eval\n",
    "a.json": {"train": ["c/s1/one"], "dev": ["c/s1/two"], "test": ["/else/audio/s2/one.wav"]},
    "b.json": {"s1/one": "train", "s1/two": "val", "s2/one": "test"},
    "c.json": [{"wav": "x/s1/one.wav", "set": "train"}, {"wav": "s1/two.wav", "set": "devel"},
               {"wav": "s2/one.wav", "set": "test"}],
    "d.json": {"fold_1": {"train": ["s1/one"], "val": ["s1/two"], "test": ["s2/one"]}},
    "e.json": [{"train": ["s1/one"], "val": ["s1/two"], "test": ["s2/one"]}],
    "f.jsonl": '{"key": "c-1", "wav": "s1/one.wav", "split": "train"}\n\n'
               '{"wav": "s1/two.wav", "split": "dev"}\n'
               '{"id": "c/s2/one", "split": "test"}\n',
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_says_the_same(table: pd.DataFrame, tmp_path: Path, name: str) -> None:
    found = split_lists.listed(table, write(tmp_path / name, SHAPES[name]))
    assert found.table["split"].to_dict() == PARTS
    assert not found.unknown and not found.twice


def test_a_folder_says_folds_and_parts_by_names(table: pd.DataFrame, tmp_path: Path) -> None:
    """As benchmarks publish them; the list of all utterances beside them says nothing."""

    def lines(*names: str) -> str:
        return "".join(
            json.dumps({"key": f"c-{name}", "wav": f"downloads/c/{name}.wav"}) + "\n" for name in names
        )

    write(tmp_path / "c.jsonl", lines(*NAMES))
    write(tmp_path / "fold_1/c_train_fold_1.jsonl", lines("s1/one", "s1/two"))
    write(tmp_path / "fold_1/c_test_fold_1.jsonl", lines("s2/one", "s2/two", "s9/gone"))
    write(tmp_path / "fold_2/c_train_fold_2.jsonl", lines("s2/one"))
    write(tmp_path / "fold_2/c_test_fold_2.jsonl", lines("s1/one"))
    write(tmp_path / "fold_2/readme.md", "train test")
    found = split_lists.listed(table, tmp_path)
    assert found.folds == ("1", "2")
    assert found.table["split_1"].tolist() == ["train", "train", "test", "test"]
    assert found.table["split_2"].tolist() == ["test", None, "train", None]
    assert found.unknown == ("downloads/c/s9/gone.wav",)


def test_folds_alone_are_each_tested_once(table: pd.DataFrame, tmp_path: Path) -> None:
    rows = "path,fold\ns1/one.wav,1\ns1/two.wav,1\ns2/one.wav,2\ns2/two.wav,2\n"
    found = split_lists.listed(table, write(tmp_path / "folds.csv", rows)).table
    assert found["split_1"].tolist() == ["test", "test", "train", "train"]
    assert found["split_2"].tolist() == ["train", "train", "test", "test"]
    several = "path,split_a,split_b\ns1/one.wav,train,test\ns2/one.wav,test,train\n"
    found = split_lists.listed(table, write(tmp_path / "several.csv", several)).table
    assert found["split_a"].tolist() == ["train", None, "test", None]


def test_a_name_of_two_utterances_names_neither(table: pd.DataFrame, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"train": ["s1/one"], "test": ["one", "s2/two"]})
    assert split_lists.listed(table, path).unknown == ("one",)


def test_an_utterance_in_two_parts_is_told(table: pd.DataFrame, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"train": ["s1/one", "s2/one"], "test": ["s2/one"]})
    assert split_lists.listed(table, path).twice == (("", "c/s2/one"),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "utterance,speaker\nc/s1/one,s1\n", "names nothing to test or train"),
        ("a.json", {"train": ["s1/one"]}, "names nothing to test"),
        ("a.json", '{"train": ["s1/one"', "line 1: no JSON"),
        ("a.jsonl", '{"wav": "s1/one.wav", "split": "train"}\n{"wav": \n', "line 2: no JSON"),
        ("a.json", {"train": [1.5], "test": [None]}, "is no name of an utterance"),
        ("a.json", {"train": ["x"], "test": ["y"]}, "names no utterance of this corpus: 'x' and 1 others"),
        ("a.json", "[" * 100_000, "nested too deeply|no JSON"),
        ("a.txt", "s1/one\n", "names nothing to"),
    ],
)
def test_what_is_no_list_is_refused(
    table: pd.DataFrame, tmp_path: Path, name: str, content: object, message: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(CorpusError, match=message):
        split_lists.listed(table, path)
    with pytest.raises(CorpusError, match="no such file"):
        split_lists.read(tmp_path / "none.csv")


def test_a_list_beside_a_corpus_is_its_given_split(small_corpora: Path, tmp_path: Path) -> None:
    (tmp_path / "near").mkdir()
    for path in (small_corpora / "near").iterdir():
        (tmp_path / "near" / path.name).symlink_to(path)
    corpus = corpora.get("near", tmp_path)
    table = corpus.read(tmp_path)
    before = data.fingerprint(table)
    assert "split_1" not in table
    speakers = sorted(table["speaker"].unique())
    parts = {
        "train": table.index[table["speaker"] != speakers[0]].tolist(),
        "test": table.index[table["speaker"] == speakers[0]].tolist(),
    }
    write(tmp_path / "near/splits.json", parts)
    after = corpus.read(tmp_path)
    assert set(after.loc[parts["test"], "split"]) == {"test"}
    assert data.fingerprint(after) != before, "another split is other data"
    words = after.assign(emotion=pd.Categorical(after["native_label"]))
    (split,) = (
        Parameters(target="near", methods=("rf-target",), protocol="given").split_protocol().split(words)
    )
    assert after.index[split.test].tolist() == parts["test"]
    write(tmp_path / "near/splits.csv", "utterance,split\n")
    with pytest.raises(CorpusError, match="both say how to split"):
        corpus.read(tmp_path)
    (tmp_path / "near/splits.csv").unlink()
    write(tmp_path / "near/splits.json", {**parts, "train": list(table.index)})
    with pytest.raises(CorpusError, match="are in several parts of fold"):
        corpus.read(tmp_path)
    with pytest.raises(ProtocolError, match="has no given split"):
        SplitProtocol(name="given", target="near").plan(table.assign(emotion=words["emotion"]))
