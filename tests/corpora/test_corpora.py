"""One contract for all corpora, on trees in their publishers' layout; then corpora by name."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import math
from pathlib import Path

import pandas as pd
import pytest

from serlab import corpora, data, labels
from serlab.errors import AudioError, CorpusError
from tests.corpora import trees
from tests.corpora.test_csv_corpus import write_csv
from tests.syntax import parsed

PUBLISHED = [name for name, corpus in corpora.CORPORA.items() if not corpus.embedded]

#: Each k-th file: some 45 of a corpus are enough for all but the counts.
SOME = {
    name: {"iemocap": 200, "recola": 57}.get(name, max(10, sum(corpora.get(name).expected.values()) // 45))
    for name in PUBLISHED
}


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Some files of each corpus, in its layout."""
    folders = {name: tmp_path_factory.mktemp("some") / "corpus" for name in PUBLISHED}
    for name, folder in folders.items():
        trees.TREES[name](folder, every=SOME[name])
    return folders


def test_every_corpus_has_a_tree():
    assert set(trees.TREES) == set(PUBLISHED), "add a module to tests/corpora/trees for each corpus"


@pytest.mark.parametrize("name", PUBLISHED)
class TestContract:
    def test_counts_and_schema(self, full, name: str):
        corpus, table = corpora.get(name), full(name)
        assert table["native_label"].value_counts().to_dict() == dict(corpus.expected)
        assert table["speaker"].nunique() == corpus.expected_speakers
        if corpus.expected_texts:
            assert table["text_id"].nunique() == corpus.expected_texts
        assert list(table.columns[: len(data.COLUMNS)]) == list(data.COLUMNS)
        for column, dtype in data.COLUMNS.items():
            assert table[column].dtype == dtype, column
        assert table.index.str.startswith(f"{name}/").all() and table.index.is_unique
        assert (table["corpus"] == name).all() and (table["language"] == corpus.language).all()
        for column in ("speaker", "text_id", "session"):
            assert table[column].dropna().str.startswith(f"{name}/").all(), column
        assert table["sex"].isin(["female", "male", None]).all()
        assert table["duration"].to_numpy() == pytest.approx(0.1)
        assert all(Path(path).is_absolute() for path in table["path"])

    def test_native_labels_are_the_known_ones(self, full, name: str):
        assert set(corpora.get(name).expected) == set(corpora.get(name).labels)
        assert set(labels.emotions(full(name)).dropna()) <= set(labels.EMOTIONS)

    def test_module_says_things_in_the_common_order(self, name: str):
        module = importlib.import_module(corpora.get(name).reader.__module__)
        tree = parsed(inspect.getsource(module))
        lines = {
            target.id: node.lineno
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        lines |= {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}
        order = (
            "CITATION", "LICENSE", "HOW_TO_GET", "DOWNLOAD", "LABELS", "THRESHOLDS", "SENTENCES", "EXPECTED",
            "read", "CORPUS",
        )  # fmt: skip
        found = [word for word in sorted(lines, key=lines.get) if word in order]
        assert found == [word for word in order if word in lines]
        assert {"CITATION", "LICENSE", "HOW_TO_GET", "read", "CORPUS"} <= {*found} and module.__doc__

    def test_sentences_are_those_of_its_texts(self, full, name: str):
        assert {*corpora.get(name).sentences} <= {*full(name)["text_id"]}

    def test_sessions_are_given_for_all_utterances_or_for_none(self, full, name: str):
        # A protocol that holds out sessions relies on it.
        assert (
            full(name)["session"].notna().all() if name == "iemocap" else full(name)["session"].isna().all()
        )

    def test_one_speaker_has_one_sex(self, full, name: str):
        assert (full(name).groupby("speaker")["sex"].nunique(dropna=False) == 1).all()

    def test_expected_names_are_those_read(self, full, name: str):
        corpus = corpora.get(name)
        if corpus.expected_names is not None:
            index = set(full(name).index)
            assert corpus.expected_names(full.roots[name] / name) == index

    def test_says_what_it_is(self, full, name: str):
        corpus = corpora.get(name)
        for text in (corpus.title, corpus.citation, corpus.license, corpus.how_to_get, corpus.layout):
            assert text.strip()
        assert f"<data>/{name}/" in corpus.how_to_get

    @pytest.mark.parametrize("suffix", [".flac", ".WAV"])
    def test_flac_wav_spaces_and_unicode(self, tmp_path: Path, name: str, suffix: str):
        root = tmp_path / "Sprach daten दिल"
        trees.TREES[name](root / name, every=SOME[name])
        plain = corpora.get(name).read(root)
        other = tmp_path / "other"
        trees.TREES[name](other / name, suffix=suffix, every=SOME[name])
        table = corpora.get(name).read(other)
        pd.testing.assert_frame_equal(table.drop(columns="path"), plain.drop(columns="path"))
        assert table["path"].str.endswith(suffix).all()

    def test_files_of_macos_are_passed_over(self, tmp_path: Path, name: str):
        trees.TREES[name](tmp_path / name, every=SOME[name])
        before = corpora.get(name).read(tmp_path)
        for path in before["path"].head(3):
            Path(path).with_name(f"._{Path(path).name}").write_bytes(b"\x00\x05\x16\x07")
        pd.testing.assert_frame_equal(corpora.get(name).read(tmp_path), before)

    def test_a_broken_file_keeps_its_row(self, tmp_path: Path, name: str):
        trees.TREES[name](tmp_path / name, every=SOME[name])
        before = corpora.get(name).read(tmp_path)
        Path(before["path"].iloc[0]).write_bytes(b"")
        after = corpora.get(name).read(tmp_path)
        assert list(after.index) == list(before.index)
        assert math.isnan(after["duration"].iloc[0]) and after["duration"].iloc[1:].notna().all()

    def test_same_utterance_twice_names_both_files(self, tmp_path: Path, name: str):
        trees.TREES[name](tmp_path / name, every=SOME[name])
        trees.TREES[name](tmp_path / name, every=SOME[name], suffix=".flac")
        with pytest.raises(CorpusError, match=r"occurs twice: .*flac and .*wav; keep one copy"):
            corpora.get(name).read(tmp_path)

    def test_missing_root(self, tmp_path: Path, name: str):
        with pytest.raises(CorpusError, match=r"not installed: .*nowhere.*<data>"):
            corpora.get(name).read(tmp_path / "nowhere")

    def test_empty_folder(self, tmp_path: Path, name: str):
        (tmp_path / name).mkdir()
        with pytest.raises(CorpusError, match=r"expected files such as"):
            corpora.get(name).read(tmp_path)

    def test_folder_of_any_other_corpus(self, tmp_path: Path, some, name: str):
        for other in PUBLISHED:
            if other != name:
                root = tmp_path / other
                root.mkdir()
                (root / name).symlink_to(some[other], target_is_directory=True)
                with pytest.raises(
                    CorpusError, match=r"expected files such as|capitals and small letters differ"
                ):
                    corpora.get(name).read(root)


class TestCopiesOfOthers:
    """Layouts that the copies at Kaggle have: read or refused, and nothing counted twice."""

    @pytest.mark.parametrize("name", ["cremad", "emodb", "ravdess", "tess"])
    def test_all_files_in_one_folder(self, tmp_path: Path, some, name: str):
        (tmp_path / name).mkdir()
        for path in some[name].rglob("*.wav"):
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
        table = corpora.get(name).read(tmp_path)
        assert set(table.index) == {*corpora.get(name).reader(some[name])["utterance"]}

    @pytest.mark.parametrize("name", ["ravdess", "tess", "emodb", "cremad"])
    def test_everything_again_below_another_folder(self, tmp_path: Path, name: str):
        trees.TREES[name](tmp_path / name, every=SOME[name])
        trees.TREES[name](tmp_path / name / "again", every=SOME[name])
        with pytest.raises(CorpusError) as caught:
            corpora.get(name).read(tmp_path)
        n = len(list((tmp_path / name / "again").rglob("*.wav")))
        assert "keep one copy and move the other away" in str(caught.value)
        tops = [str(tmp_path / name), str(tmp_path / name / "again")]
        _, _, told = str(caught.value).partition(f"{n} utterances lie below ")
        assert sorted(told.split(" and again below ")) == sorted(tops)


class TestByName:
    def test_unknown_name_lists_the_known(self, tmp_path: Path):
        with pytest.raises(CorpusError, match=r"unknown corpus 'emodn'.*known: emodb, emovo.*corpus\.csv"):
            corpora.get("emodn", tmp_path)

    def test_installed_lists_published_and_own(self, tmp_path: Path):
        trees.emodb.tree(tmp_path / "emodb", every=50)
        write_csv(tmp_path / "mine", "path,speaker,label\na.wav,1,anger\n")
        found = corpora.installed(tmp_path)
        assert [name for name, corpus in found.items() if not corpus.embedded] == ["emodb", "mine"]
        table = corpora.read_many(["emodb", "mine"], tmp_path)
        assert table["corpus"].value_counts().to_dict() == {"emodb": 11, "mine": 1}

    def test_one_name_twice(self, tmp_path: Path):
        with pytest.raises(CorpusError, match="named twice"):
            corpora.read_many(["emodb", "emodb"], tmp_path)

    def test_root_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        trees.urdu.tree(tmp_path / "urdu", every=20)
        monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
        assert len(corpora.get("urdu").read()) == 20


class TestChannel:
    """What is used of two channels is a parameter of a corpus."""

    def test_a_corpus_says_it_and_its_table_carries_it(self, tmp_path: Path):
        trees.emovo.tree(tmp_path / "emovo", every=50)
        emovo = corpora.get("emovo")
        assert "channel" not in emovo.read(tmp_path)
        left = dataclasses.replace(emovo, channel="left").read(tmp_path)
        assert set(left["channel"]) == {"left"}

    def test_there_are_three(self):
        with pytest.raises(AudioError, match="'emovo': the channel is 'both'; choose one of mix, left"):
            dataclasses.replace(corpora.get("emovo"), channel="both")
