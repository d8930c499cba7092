"""Out and in again: nothing of speaker, emotion, ratings, split and segments is lost."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from serlab import cli, corpora
from serlab.corpora.exchange import FORMATS, base
from serlab.errors import CorpusError
from tests.corpora import trees

SAME = (
    "speaker", "sex", "language", "native_emotion", "arousal", "valence", "dominance", "arousal_threshold",
    "text_id", "session", "split", "duration", "label", "mood", "channel",
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Data root with the corpus ``mine``: two files, four utterances, three of them cut."""
    folder = tmp_path / "data/mine"
    (folder / "wav").mkdir(parents=True)
    (folder / "wav/a.wav").write_bytes(trees.noise(".wav", seconds=1.0))
    (folder / "wav/b ü.flac").write_bytes(trees.noise(".flac", seed=1, seconds=0.5))
    (folder / "corpus.csv").write_text(
        "path,speaker,label,sex,language,text_id,session,split,start,end,arousal,valence,mood,utterance,channel\n"
        'wav/a.wav,anna,Wut,f,de-AT,t1,s1,train,0.1,0.4,4.25,,"grey, 1",,left\n'
        "wav/a.wav,anna,joy,f,de,t2,s1,train,0.4,,3,1.5,,,\n"
        "wav/a.wav,bo,,m,,t1,,dev,,0.1,1,,,third,\n"
        "wav/b ü.flac,carla,neu,,,,,test,,,2,,,,\n",
        encoding="utf-8",
    )
    (folder / "corpus.toml").write_text(
        'name = "Mine"\nlanguage = "de"\nlicense = "CC0"\ncitation = "Me"\n[labels]\nWut = "anger"\n'
        "[scale]\narousal = [1, 5]\n"
    )
    return tmp_path / "data"


@pytest.mark.parametrize("form", FORMATS)
def test_there_and_back(root: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture):
    out = tmp_path / "out"
    data = ["--data", str(root)]
    assert cli.main(["export", form, "mine", str(out), *data]) == 0
    assert cli.main(["import", form, str(out), "again", *data]) == 0, capsys.readouterr().err
    first, again = (corpora.get(name, root).read(root) for name in ("mine", "again"))
    again.index = again.index.str.replace("again/", "mine/")
    assert list(again.index) == list(first.index)
    for column in (name for name in SAME if name in first):
        if first[column].dtype == "float64":
            np.testing.assert_allclose(again[column], first[column], atol=1e-9)
        else:
            back = [v.replace("again/", "mine/") if isinstance(v, str) else None for v in again[column]]
            assert back == [v if isinstance(v, str) else None for v in first[column]], column
    own = corpora.get("again", root)
    assert (own.title, own.language, own.license) == ("Mine", "de", "CC0")
    if form == "audformat":
        # From the beginning is from 0 s: the format has one way to say it.
        assert again["start"].fillna(0).to_list() == first["start"].fillna(0).to_list()
        pd.testing.assert_series_equal(again["end"], first["end"])
        assert own.citation == "Me"
    for name in first.index:
        heard = [heard_of(table.loc[name]) for table in (first, again)]
        assert np.array_equal(*heard)
    assert cli.main(["import", form, str(out), "again", *data]) == 2
    assert cli.main(["export", form, "mine", str(out), *data]) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_recordings_that_are_not_there_are_said(
    root: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture
):
    data = ["--data", str(root)]
    (root / "mine/wav/b ü.flac").unlink()
    assert cli.main(["export", form, "mine", str(tmp_path / "some"), *data]) == 1
    assert "not there to be copied: 1, the first is" in (err := capsys.readouterr().err)
    assert "b ü.flac" in err
    assert cli.main(["export", form, "mine", str(tmp_path / "tables"), "--no-audio", *data]) == 0


def heard_of(row: pd.Series) -> np.ndarray:
    samples, rate = soundfile.read(row["path"], dtype="int16")
    first = 0 if np.isnan(row["start"]) else round(row["start"] * rate)
    return samples[first : None if np.isnan(row["end"]) else round(row["end"] * rate)]


@pytest.mark.skipif(find_spec("audformat") is None, reason="needs audformat")
def test_audformat_itself_reads_what_is_written(root: Path, tmp_path: Path):
    import audformat

    table = corpora.get("mine", root).read(root)
    FORMATS["audformat"].write(table, tmp_path / "out", corpus=corpora.get("mine", root))
    db = audformat.Database.load(str(tmp_path / "out"), load_data=True)
    assert {name: db.splits[t.split_id].type for name, t in db.tables.items()} == {
        "utterances.train": "train", "utterances.validation": "dev", "utterances.test": "test",
    }  # fmt: skip
    own = db["utterances.train"].df
    assert own["emotion"].to_list() == ["anger", "joy"] and own["arousal"].to_list() == [4.25, 3.0]
    assert db.languages == ["deu"] and Path(db.files[0]).as_posix() == "audio/a.wav"


@pytest.mark.skipif(find_spec("audformat") is None, reason="needs audformat")
@pytest.mark.parametrize("storage", ["csv", "parquet", "pkl"])
def test_a_database_made_by_audformat(tmp_path: Path, storage: str):
    import audformat

    db = audformat.Database("emo", source="there", languages=["de"], license="CC0-1.0", author="A. Author")
    db.schemes["emotion"] = audformat.Scheme("str", labels=["anger", "happiness"])
    db.schemes["arousal"] = audformat.Scheme("float", minimum=1, maximum=5)
    db.misc_tables["speaker"] = audformat.MiscTable(pd.Index(["03", "08"], name="speaker", dtype="string"))
    db["speaker"]["gender"] = audformat.Column()
    db["speaker"]["gender"].set(["male", "female"])
    db["speaker"]["age"] = audformat.Column()
    db["speaker"]["age"].set([31, 34])
    db.schemes["speaker"] = audformat.Scheme("str", labels="speaker")
    db.splits["train"], db.splits["test"] = audformat.Split("train"), audformat.Split("test")
    db["files"] = audformat.Table(audformat.filewise_index(["wav/x.wav", "wav/z.wav"]))
    db["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    db["files"]["speaker"].set(["03", "08"])
    db["emotion.train"] = audformat.Table(audformat.filewise_index(["wav/x.wav"]), split_id="train")
    db["emotion.train"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["emotion.train"]["emotion"].set(["anger"])
    index = audformat.segmented_index(["wav/z.wav"] * 2, ["0s", "0.05s"], ["0.05s", pd.NaT])
    db["emotion.test"] = audformat.Table(index, split_id="test")
    for column, values in (("emotion", ["happiness", None]), ("arousal", [1.5, 2])):
        db["emotion.test"][column] = audformat.Column(scheme_id=column)
        db["emotion.test"][column].set(values)
    db.save(str(tmp_path / "db"), storage_format=storage)
    if storage == "pkl":
        with pytest.raises(CorpusError, match="a pickled table can run code when it is read, so it is not"):
            FORMATS["audformat"].read(tmp_path / "db")
        return
    for name in ("x", "z"):
        (tmp_path / "db/wav").mkdir(exist_ok=True)
        (tmp_path / f"db/wav/{name}.wav").write_bytes(trees.noise(".wav"))
    path = base.write_corpus(FORMATS["audformat"].read(tmp_path / "db"), tmp_path / "emo", copy=True)
    table = corpora.from_csv(path)
    assert table["native_emotion"].to_list() == ["anger", "joy", None]
    assert table["speaker"].to_list() == ["emo/03", "emo/08", "emo/08"]
    assert table["sex"].to_list() == ["male", "female", "female"]
    assert table["age"].to_list() == ["31", "34", "34"]
    assert table["split"].to_list() == ["train", "test", "test"]
    assert table["start"].fillna(-1).to_list() == [-1, 0.0, 0.05]
    assert table["arousal_threshold"].to_list() == [3.0] * 3 and set(table["language"]) == {"de"}
    assert all(Path(p).is_relative_to(tmp_path / "emo/audio") for p in table["path"])


def parquet_of(path: Path, *, hostile: str = "../../../x.wav") -> None:
    import pyarrow as pa
    from pyarrow import parquet

    sound = {"bytes": trees.noise(".wav"), "path": hostile}
    table = pa.table({"audio": [sound, {**sound, "path": None}], "label": [1, 0], "speaker_id": ["7", "8"]})
    info = {"info": {"features": {"label": {"names": ["sad", "happy"], "_type": "ClassLabel"}}}}
    path.parent.mkdir(parents=True)
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), path)


def test_parquet_with_audio_inside(tmp_path: Path):
    parquet_of(tmp_path / "hub/data/validation-00000-of-00001.parquet")
    (tmp_path / "hub/script.py").write_text("raise SystemExit")
    read = FORMATS["huggingface"].read(tmp_path / "hub", into=tmp_path / "mine")
    assert read.notes == ("not run, as code of others: script.py",)
    table = corpora.from_csv(base.write_corpus(read, tmp_path / "mine"))
    assert table["native_emotion"].to_list() == ["joy", "sadness"]
    assert set(table["split"]) == {"validation"} and table["speaker"].to_list() == ["mine/7", "mine/8"]
    assert {Path(path).parent for path in table["path"]} == {tmp_path / "mine/audio"}
    assert table["duration"].to_list() == pytest.approx([0.1, 0.1])


def test_folders_of_labels_and_lines_of_json(tmp_path: Path):
    for name in ("train/happy/1.wav", "test/sad/2.wav"):
        path = tmp_path / "a" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(trees.noise(".wav"))
    rows = FORMATS["huggingface"].read(tmp_path / "a").rows
    assert [(row["label"], row["split"]) for row in rows] == [("sad", "test"), ("happy", "train")]
    lines = [{"file_name": "happy/1.wav", "emotion": "joy", "actor": "x", "text": "Hi"}]
    (tmp_path / "a/train/metadata.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    (row,) = FORMATS["huggingface"].read(tmp_path / "a", columns={"text_id": "text"}).rows
    assert (row["label"], row["speaker"], row["text_id"], row["split"]) == ("joy", "x", "Hi", "train")


def test_what_is_missing_is_said_after_writing(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "a/happy/1.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(trees.noise(".wav"))
    assert cli.main(["import", "huggingface", str(tmp_path / "a"), "mine", "--data", str(tmp_path)]) == 1
    assert "written, but it has to be completed" in (told := capsys.readouterr().err)
    assert "no column 'speaker'" in told and (tmp_path / "mine/corpus.csv").is_file()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("!!python/object/apply:os.system ['true']", "no YAML that a database has"),
        ("[1, 2]", "no header of a database"),
        ("name: x", "no table has a column for label"),
        ("tables: {a: {type: filewise}}", r"db\.a\.csv is missing"),
        ("tables: {../a: {type: filewise}}", "cannot be the name of a table"),
    ],
)
def test_headers_that_are_refused(tmp_path: Path, header: str, message: str):
    (tmp_path / "db.yaml").write_text(header)
    with pytest.raises(CorpusError, match=message):
        FORMATS["audformat"].read(tmp_path)


def test_tables_that_contradict_each_other_and_paths_that_lead_away(tmp_path: Path):
    header = {"tables": {name: {"columns": {"emotion": {}}} for name in "ab"}}
    (tmp_path / "db.yaml").write_text(yaml.safe_dump(header))
    (tmp_path / "db.a.csv").write_text("file,emotion\nx.wav,joy\n")
    (tmp_path / "db.b.csv").write_text("file,emotion\nx.wav,fear\n")
    with pytest.raises(CorpusError, match=r"contradict each other in 'emotion' of x\.wav: 'joy' and 'fear'"):
        FORMATS["audformat"].read(tmp_path)
    assert FORMATS["audformat"].read(tmp_path, tables=("b",)).rows[0]["label"] == "fear"
    (tmp_path / "db.b.csv").write_text("file,emotion\n../../etc/x.wav,fear\n")
    with pytest.raises(CorpusError, match="does not lie below the database"):
        FORMATS["audformat"].read(tmp_path, tables=("b",))
