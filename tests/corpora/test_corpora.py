"""One contract for all corpora, on trees in their publishers' layout; then each corpus' own facts."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
from pathlib import Path

import pandas as pd
import pytest

from serlab import corpora, data, labels
from serlab.corpora import emodb, iemocap, ravdess, savee
from serlab.errors import CorpusError, LabelError
from tests.corpora import trees

PUBLISHED = [name for name, corpus in corpora.CORPORA.items() if not corpus.embedded]

#: Each k-th file of a large corpus, each tenth of the others: enough for all but the counts.
SOME = {name: {"ravdess": 30, "iemocap": 200, "recola": 57}.get(name, 10) for name in PUBLISHED}


def test_every_corpus_has_a_tree():
    assert set(trees.TREES) == set(PUBLISHED), "add a module to tests/corpora/trees for each corpus"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory):
    """Read the full-size tree of a corpus, once."""
    tables: dict[str, pd.DataFrame] = {}

    def read(name: str) -> pd.DataFrame:
        if name not in tables:
            root = tmp_path_factory.mktemp("full")
            trees.TREES[name](root / name)
            tables[name] = corpora.get(name).read(root)
        return tables[name]

    return read


@pytest.mark.parametrize("name", PUBLISHED)
class TestContract:
    def test_counts_and_schema(self, full, name: str):
        corpus, table = corpora.get(name), full(name)
        assert table["native_label"].value_counts().to_dict() == dict(corpus.expected)
        assert table["speaker"].nunique() == corpus.expected_speakers
        assert list(table.columns[: len(data.COLUMNS)]) == list(data.COLUMNS)
        for column, dtype in data.COLUMNS.items():
            assert table[column].dtype == dtype, column
        assert table.index.str.startswith(f"{name}/").all() and table.index.is_unique
        assert (table["corpus"] == name).all() and (table["language"] == corpus.language).all()
        for column in ("speaker", "text_id", "session"):
            assert table[column].dropna().str.startswith(f"{name}/").all(), column
        assert table["sex"].isin(["female", "male"]).all()
        assert table["duration"].to_numpy() == pytest.approx(0.1)
        assert all(Path(path).is_absolute() for path in table["path"])

    def test_native_labels_are_the_known_ones(self, full, name: str):
        assert set(corpora.get(name).expected) == set(corpora.get(name).labels)
        assert set(labels.emotions(full(name)).dropna()) <= set(labels.EMOTIONS)

    def test_module_says_things_in_the_common_order(self, name: str):
        module = importlib.import_module(corpora.get(name).reader.__module__)
        tree = ast.parse(inspect.getsource(module))
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
        assert (full(name).groupby("speaker")["sex"].nunique() == 1).all()

    def test_expected_names_are_those_read(self, full, name: str):
        corpus = corpora.get(name)
        if corpus.expected_names is not None:
            assert corpus.expected_names(Path()) == set(full(name).index)

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

    def test_folder_of_any_other_corpus(self, tmp_path: Path, name: str):
        for other in PUBLISHED:
            if other != name:
                root = tmp_path / other
                trees.TREES[other](root / name, every=SOME[other])
                with pytest.raises(CorpusError, match=r"expected files such as"):
                    corpora.get(name).read(root)


class TestEmodb:
    def test_fields(self, full):
        row = full("emodb").loc["emodb/03a01Wa"]
        assert row[["speaker", "sex", "text_id", "native_label", "version"]].to_list() == [
            "emodb/03", "male", "emodb/a01", "W", "a",
        ]  # fmt: skip
        assert row["natural"] == 90.48 and 80 <= row["recognised"] <= 100

    def test_without_the_listening_test(self, tmp_path: Path):
        trees.emodb.tree(tmp_path / "emodb", every=50)
        (tmp_path / "emodb/erkennung.txt").unlink()
        assert corpora.get("emodb").read(tmp_path)["natural"].isna().all()

    def test_malformed_listening_test_names_the_line(self, tmp_path: Path):
        (tmp_path / "erkennung.txt").write_text(
            "Nr.\tSatz\terkannt\tnatuerlich\n1\t03a01Fa.wav\tviel\t75,00\n"
        )
        with pytest.raises(CorpusError, match=r"erkennung.txt, line 2: .*'1\\t03a01Fa.wav"):
            emodb.listening_test(tmp_path)

    def test_unknown_speaker(self, tmp_path: Path):
        trees.emodb.tree(tmp_path / "emodb", every=50)
        (tmp_path / "emodb/wav/07a01Fa.wav").write_bytes(trees.noise(".wav"))
        with pytest.raises(CorpusError, match=r"07a01Fa.wav: EmoDB has no speaker '07'"):
            corpora.get("emodb").read(tmp_path)


class TestEmovo:
    def test_without_the_folder_in_between(self, tmp_path: Path):
        trees.emovo.tree(tmp_path / "here", every=40)
        (tmp_path / "here/EMOVO").rename(tmp_path / "emovo")
        assert corpora.get("emovo").read(tmp_path)["text_id"].str.fullmatch(r"emovo/[blnd]\d").all()

    def test_balanced(self, full):
        table = full("emovo")
        assert (table.groupby(["speaker", "native_label"]).size() == 14).all()
        assert table.loc["emovo/rab-f2-d1", ["sex", "speaker"]].to_list() == ["female", "emovo/f2"]


class TestSavee:
    def test_older_release_gives_the_same_utterances(self, full, tmp_path: Path):
        trees.savee.older_release(tmp_path / "savee")
        table = corpora.get("savee").read(tmp_path)
        pd.testing.assert_frame_equal(table.drop(columns="path"), full("savee").drop(columns="path"))

    def test_only_the_common_sentences_are_shared_between_emotions(self, full):
        emotions = full("savee").groupby("text_id")["native_label"].nunique()
        assert emotions[emotions > 1].to_dict() == {f"savee/common-0{n}": 7 for n in (1, 2, 3)}
        assert savee.text_id("sa", "04") == "savee/sa04"


class TestRavdess:
    def test_fields(self, full):
        row = full("ravdess").loc["ravdess/03-01-05-02-01-02-12"]
        fields = ["speaker", "sex", "native_label", "intensity", "text_id", "repetition"]
        assert row[fields].to_list() == ["ravdess/12", "female", "05", "strong", "ravdess/01", 2]

    def test_publishers_folder_on_top_and_song_and_video_beside(self, tmp_path: Path):
        top = tmp_path / "ravdess/Audio_Speech_Actors_01-24"
        trees.ravdess.tree(top, every=60)
        for name in ("Actor_01/03-02-01-01-01-01-01.wav", "Actor_01/01-01-01-01-01-01-01.mp4"):
            (tmp_path / "ravdess" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "ravdess" / name).write_bytes(trees.noise(".wav"))
        assert len(corpora.get("ravdess").read(tmp_path)) == 24

    def test_impossible_name(self, tmp_path: Path):
        trees.ravdess.tree(tmp_path / "ravdess", every=60)
        (tmp_path / "ravdess/Actor_01/03-01-01-02-01-01-01.wav").write_bytes(trees.noise(".wav"))
        with pytest.raises(CorpusError, match="no published RAVDESS speech file has this name"):
            corpora.get("ravdess").read(tmp_path)  # neutral has no strong intensity

    def test_1440_names(self):
        assert len(ravdess.expected_names(Path())) == 1440


class TestUrdu:
    def test_fields(self, full):
        row = full("urdu").loc["urdu/SM4_F3_A055"]
        assert row[["speaker", "sex", "native_label", "clip"]].to_list() == ["urdu/M4", "male", "Angry", 3]

    def test_misplaced_file(self, tmp_path: Path):
        trees.urdu.tree(tmp_path / "urdu", every=20)
        (tmp_path / "urdu/Sad/SM1_F10_A010.wav").write_bytes(trees.noise(".wav"))
        with pytest.raises(CorpusError, match=r"file name says 'A' but the folder says 'Sad'"):
            corpora.get("urdu").read(tmp_path)


class TestIemocap:
    def test_fields(self, full):
        row = full("iemocap").loc["iemocap/Ses01F_impro01_M001"]
        fields = ["speaker", "sex", "session", "dialogue", "improvised", "text_id"]
        assert row[fields].to_list() == [
            "iemocap/Ses01M", "male", "iemocap/1", "Ses01F_impro01", True, None,
        ]  # fmt: skip
        assert row[["arousal", "valence", "dominance"]].to_list() == [2.5, 2.5, 3.0]

    def test_scripted_turns_share_their_scene_across_sessions(self, full):
        table = full("iemocap")
        scripted = table[~table["improvised"]]
        assert set(scripted["text_id"]) == {"iemocap/script01_1"} and scripted["session"].nunique() == 5
        assert table.loc[table["improvised"], "text_id"].isna().all()

    def test_published_counts_of_recipes_and_ratings(self, full):
        counts = iemocap.further_counts(full("iemocap"))
        assert (counts["found"] == counts["published"]).all(), counts
        assert counts.set_index("what")["published"]["iemocap-5531, all"] == 5531
        assert counts.set_index("what")["published"]["iemocap-4936, all"] == 4936
        assert sum(iemocap.RECIPES["iemocap-4936"].sessions.values()) == 4936

    def test_recipe_does_not_hide_a_missing_turn(self, full):
        table = full("iemocap")
        less = table.drop(table.index[table["native_label"] == "exc"][0])
        counts = iemocap.check_recipe(less, "iemocap-4936").set_index("what")
        assert counts.loc["iemocap-4936, exc", ["published", "found"]].to_list() == [1041, 1040]
        with pytest.raises(CorpusError, match="known: iemocap-5531, iemocap-4936"):
            iemocap.check_recipe(table, "iemocap-1")

    def test_folder_may_be_the_release_itself(self, tmp_path: Path):
        trees.iemocap.tree(tmp_path / "here", every=200)
        (tmp_path / "here/IEMOCAP_full_release").rename(tmp_path / "iemocap")
        assert len(corpora.get("iemocap").read(tmp_path)) == 50

    def test_turn_without_audio_stays_with_its_labelled_duration(self, tmp_path: Path):
        trees.iemocap.tree(tmp_path / "iemocap", every=200)
        before = corpora.get("iemocap").read(tmp_path)
        Path(before["path"].iloc[0]).unlink()
        after = corpora.get("iemocap").read(tmp_path)
        assert after["path"].to_list() == before["path"].to_list()
        assert after["duration"].iloc[0] == pytest.approx(1.9456)
        assert data.fingerprint(after) != data.fingerprint(before)

    def test_a_label_that_nobody_thought_of_is_named(self, tmp_path: Path):
        trees.iemocap.tree(tmp_path / "iemocap", every=200)
        path = next((tmp_path / "iemocap").glob("*/Session1/dialog/EmoEvaluation/Ses*.txt"))
        path.write_text(path.read_text() + "[1.0 - 2.0]\tSes01F_impro01_F999\tglad\t[2.0, 2.0, 2.0]\n")
        with pytest.raises(LabelError, match=r"F999: unknown label 'glad' of corpus 'iemocap' \(1.*ang, hap"):
            corpora.get("iemocap").read(tmp_path)

    def test_labels_without_any_audio(self, tmp_path: Path):
        trees.iemocap.tree(tmp_path / "iemocap", every=200)
        for path in corpora.get("iemocap").read(tmp_path)["path"]:
            Path(path).unlink()
        with pytest.raises(CorpusError, match="none of their audio"):
            corpora.get("iemocap").read(tmp_path)

    def test_malformed_label_line(self, tmp_path: Path):
        trees.iemocap.tree(tmp_path / "iemocap", every=200)
        path = next((tmp_path / "iemocap").glob("*/Session1/dialog/EmoEvaluation/Ses*.txt"))
        path.write_text(path.read_text() + "[1.0 - 2.0]\tSes01F_impro01_F999\tneu\n")
        with pytest.raises(CorpusError, match=r"Ses01\w+.txt, line \d+: .*F999"):
            corpora.get("iemocap").read(tmp_path)


class TestByName:
    def test_unknown_name_lists_the_known(self, tmp_path: Path):
        with pytest.raises(CorpusError, match=r"unknown corpus 'emodn'; known: emodb, emovo.*corpus\.csv"):
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


def write_csv(folder: Path, text: str, name: str = "corpus.csv") -> Path:
    """A CSV file and two audio files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for audio in ("a.wav", "b ü.flac"):
        (folder / audio).write_bytes(trees.noise(Path(audio).suffix))
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


class TestCsv:
    def test_all_columns(self, tmp_path: Path):
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
    def test_separators_and_byte_order_mark(self, tmp_path: Path, separator: str):
        text = "\ufeff" + "path,speaker,label\na.wav,1,anger\n".replace(",", separator)
        assert corpora.from_csv(write_csv(tmp_path, text, "lab.csv")).index.to_list() == ["lab/a"]

    def test_mapping_as_an_argument(self, tmp_path: Path):
        path = write_csv(tmp_path, "path,speaker,label\na.wav,1,W\n", "lab.csv")
        assert corpora.from_csv(path, emotions={"W": "anger"})["native_label"].to_list() == ["anger"]

    def test_ratings_are_cut_where_the_file_says(self, tmp_path: Path):
        text = "path,speaker,label,arousal,arousal_threshold\na.wav,1,,3.5,3\nb ü.flac,1,joy,3,3\n"
        table = corpora.from_csv(write_csv(tmp_path, text))
        assert labels.scheme("arousal").apply(table)["emotion"].to_list() == ["high", "low"]
        assert data.fingerprint(table.assign(arousal_threshold=2.5)) != data.fingerprint(table)
        with pytest.raises(CorpusError, match="column 'arousal_threshold': 'three' is not a number"):
            corpora.from_csv(write_csv(tmp_path, text.replace("3.5,3\n", "3.5,three\n")))

    def test_cuts_of_one_recording(self, tmp_path: Path):
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
    def test_errors_name_line_and_column(self, tmp_path: Path, text: str, error: type, message: str):
        with pytest.raises(error, match=message):
            corpora.from_csv(write_csv(tmp_path / "mine", text))

    def test_not_utf8(self, tmp_path: Path):
        path = write_csv(tmp_path, "path,speaker,label\n")
        path.write_bytes("path,speaker,label\na.wav,Müller,joy\n".encode("latin-1"))
        with pytest.raises(CorpusError, match="not UTF-8"):
            corpora.from_csv(path)

    def test_missing_file(self, tmp_path: Path):
        with pytest.raises(CorpusError, match=r"no such file: .*none\.csv"):
            corpora.from_csv(tmp_path / "none.csv")


@pytest.mark.shared
class TestReal:
    def test_emodb_has_the_counts_of_andova_and_lustrek(self, shared: Path):
        table = corpora.get("emodb").read(shared / "corpora")
        four = labels.scheme("four").apply(table)["emotion"].value_counts().to_dict()
        assert four == {"neutral": 79, "anger": 127, "joy": 71, "sadness": 62}
        assert table["speaker"].nunique() == 10
        # Published were recordings that at least 80 % of the listeners recognised.
        assert table["recognised"].min() >= 80

    def test_ravdess(self, shared: Path):
        table = corpora.get("ravdess").read(shared / "corpora")
        assert set(table.index) == ravdess.expected_names(Path())

    def test_urdu(self, shared: Path):
        table = corpora.get("urdu").read(shared / "corpora")
        assert len(table) == 400 and table["speaker"].nunique() == 29

    def test_ravdess_in_its_original_format(self, shared: Path):
        table = ravdess.read(shared / "corpora/ravdess-original-sample")
        assert len(table) == 6 and table["duration"].between(2, 6).all()
