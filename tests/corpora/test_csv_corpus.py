"""A CSV file as a corpus: what it may say, and what is said of its mistakes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from serlab import corpora, data, features, labels
from serlab.corpora import locating
from serlab.errors import AudioError, CorpusError, LabelError
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
            r"none of the 1 files is there, the first is .*c\.wav",
        ),
        ("path,speaker,label\na.wav,1,joy,2\n", CorpusError, "line 2: more cells than the 3 columns"),
        ("path,speaker,label\na.wav,1,happi\n", LabelError, "line 2, column 'label': 'happi'.*neutral"),
        ("path,speaker,label\na.wav,1,\n", LabelError, "line 2, column 'label': empty"),
        (
            "path,speaker,label,sex\na.wav,1,joy,w\n",
            CorpusError,
            "column 'sex': 'w' is not one of",
        ),
        ("path,speaker,label,end\na.wav,1,joy,1s\n", CorpusError, "column 'end': '1s' is not a number"),
        (
            "path,speaker,label,start,end\na.wav,1,joy,2,1\n",
            CorpusError,
            "'end': .*enclose nothing",
        ),
        (
            "path,speaker,label\na.wav,1,joy\na.wav,1,joy\n",
            CorpusError,
            "line 3, column 'path': the recording of line 2 once more; keep",
        ),
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


def test_all_problems_come_in_one_list(tmp_path: Path):
    text = "path,speaker,label,sex,start\na.wav,,joy,x,\na.wav,1,wroth,,one\nb ü.flac,1,wroth,,\n"
    with pytest.raises(CorpusError) as caught:
        corpora.from_csv(write_csv(tmp_path, text))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()[1:-1]] == [
        "- line 2, column 'speaker'", "- line 2, column 'sex'", "- line 3, column 'start'",
        "- line 3 (and 1 more), column 'label'",
    ]  # fmt: skip


def test_labels_are_forgiven_in_case_and_by_synonyms(tmp_path: Path):
    text = "path,speaker,label,start,end\n" + "".join(
        f"a.wav,1,{label},{n / 100},{(n + 1) / 100}\n"
        for n, label in enumerate(("Happy", "NEU", " anger ", "Fru", "WÜTEND", "xxx"))
    )
    table = corpora.from_csv(write_csv(tmp_path, text), emotions={"wu\u0308tend": "anger"})
    assert table["native_label"].to_list() == ["joy", "neutral", "anger", "frustration", "anger", "ambiguous"]
    assert table["label"].to_list()[:2] == ["Happy", "NEU"]
    with pytest.raises(LabelError, match=r"'wrath'; known: neutral"):
        corpora.from_csv(tmp_path / "corpus.csv", emotions={"x": "wrath"})


def test_paths_of_other_systems_are_found_and_it_is_said(tmp_path: Path):
    (tmp_path / "Sub").mkdir()
    (tmp_path / "Sub/U\u0308.wav").write_bytes(trees.noise(".wav"))
    text = "path,speaker,label\nSub\\\u00dc.wav,1,joy\nA.wav,1,fear\nb u\u0308.flac,1,anger\nno.wav,1,joy\n"
    table = corpora.from_csv(write_csv(tmp_path, text, "lab.csv"))
    notes = table["read_notes"].to_dict()
    assert notes == {
        "lab/Sub/Ü": locating.SEPARATORS, "lab/A": locating.CASE, "lab/b ü": locating.LETTERS,
        "lab/no": locating.MISSING,
    }  # fmt: skip
    there = [Path(path).is_file() for path in table["path"]]
    assert there == (table["read_notes"] != locating.MISSING).to_list()
    assert table["duration"].isna().to_list() == [not here for here in there]
    assert f"lab (corpus.csv): {locating.CASE} (1 utterance)" in corpora.remarks(table)


def test_a_missing_file_is_skipped_or_stops_as_asked(tmp_path: Path):
    table = corpora.from_csv(
        write_csv(tmp_path, "path,speaker,label\na.wav,1,joy\nno.wav,1,joy\n", "lab.csv")
    )
    extraction = features.extract(table, features="librosa", cache=tmp_path / "cache", on_bad="skip")
    assert extraction.skipped["utterance"].to_list() == ["lab/no"]
    with pytest.raises(AudioError, match=r"no\.wav: no such file"):
        features.extract(table, features="librosa", cache=tmp_path / "cache", on_bad="stop")


def test_one_line_an_annotator(tmp_path: Path):
    lines = ["a.wav,1,{},A,3", "a.wav,1,{},B,5", "a.wav,1,{},C,4", "b ü.flac,2,fear,A,"]
    text = "path,speaker,label,annotator,arousal\n" + "\n".join(lines) + "\n"
    path = write_csv(tmp_path / "mine", text.format("joy", "Anger", "angry"))
    with pytest.raises(CorpusError, match=r"as anger instead of joy; keep one line, or write annotators"):
        corpora.from_csv(path)
    first, second = (row for _, row in corpora.from_csv(path, annotators="majority").iterrows())
    assert first[["native_label", "label", "votes", "n_annotators", "annotator"]].to_list() == [
        "anger", "Anger", "anger 2, joy 1", 3, "A; B; C",
    ]  # fmt: skip
    assert first["agreement"] == pytest.approx(2 / 3)
    assert (first["arousal"], first["arousal_sd"]) == (4.0, 1.0)
    assert second["native_label"] == "fear" and second["agreement"] == 1.0
    with pytest.raises(
        CorpusError, match=r"column 'label': 'anger', but 'joy' for the same recording in line 2"
    ):
        corpora.from_csv(path, annotators="mean")
    path.write_text(text.format("joy", "anger", "fear"))
    (tmp_path / "mine/corpus.toml").write_text('annotators = "majority"')
    assert corpora.get("mine", tmp_path).read(tmp_path)["native_label"].to_list() == ["ambiguous", "fear"]
    path.write_text(text.format("joy", "joy", "joy").replace("a.wav,1,joy,C", "a.wav,3,joy,C"))
    with pytest.raises(CorpusError, match="line 4, column 'speaker': '3', but '1' for the same recording"):
        corpora.from_csv(path)


def test_what_corpus_toml_says(tmp_path: Path):
    text = "path,speaker,label,arousal,language,split\na.wav,1,boos,3,,Dev\nb ü.flac,1,,4,nl-BE,train\n"
    write_csv(tmp_path / "mine", text)
    (tmp_path / "mine/corpus.toml").write_text(
        'name = "Mine"\nlanguage = "nl"\nlicence = "CC0"\ncitation = "Me"\nchannel = "left"\n'
        '[labels]\n"Boos" = "angry"\n[scale]\narousal = [1, 5]\n'
    )
    own = corpora.get("mine", tmp_path)
    assert (own.title, own.language, own.license, own.citation) == ("Mine", "nl", "CC0", "Me")
    assert own.terms.publishable == "yes"
    table = own.read(tmp_path)
    assert table["native_label"].to_list() == ["anger", None]
    assert table["language"].to_list() == ["nl", "nl-BE"]
    assert table["split"].to_list() == ["validation", "train"]
    assert set(table["channel"]) == {"left"}
    assert labels.scheme("arousal").apply(table)["emotion"].to_list() == ["low", "high"]
    path = write_csv(tmp_path / "mine", text.replace(",3,", ",6.5,"))
    with pytest.raises(CorpusError, match=r"column 'arousal': 6\.5 is not on the scale from 1 to 5"):
        corpora.from_csv(path)


def test_licence_and_citation_may_stand_in_the_rows(tmp_path: Path):
    text = "path,speaker,label,Licence,citation\na.wav,1,joy,CC BY 4.0,Me\nb ü.flac,1,joy,CC BY 4.0,You\n"
    write_csv(tmp_path / "mine", text)
    own = corpora.get("mine", tmp_path)
    assert (own.license, own.citation, own.terms.publishable) == ("CC BY 4.0", "not stated", "yes")
    (tmp_path / "mine/corpus.toml").write_text('license = "CC0"')
    assert corpora.get("mine", tmp_path).license == "CC0"


def test_a_damaged_corpus_toml_ends_nothing_else(tmp_path: Path):
    for name in ("bad", "good"):
        write_csv(tmp_path / name, "path,speaker,label\na.wav,1,joy\n")
    (tmp_path / "bad/corpus.toml").write_text("language = german")
    assert {"bad", "good"} <= corpora.installed(tmp_path).keys()
    assert len(corpora.get("good", tmp_path).read(tmp_path)) == 1
    with pytest.raises(CorpusError, match=r"corpus\.toml: no TOML"):
        corpora.get("bad", tmp_path).read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,speaker,label,Label\na.wav,1,joy,joy\n",
            "columns 'label' and 'Label' are both read as 'label'",
        ),
        ("path,speaker,label,path\na.wav,1,joy,x\n", r"column 'path' occurs 2 times \(columns 1, 4\)"),
        ("path,speaker,label,split\na.wav,1,joy,fold1\n", "'fold1' is not one of train, validation, test"),
        ("path,speaker,label,language\na.wav,1,joy,german\n", "'german' is no BCP 47 tag"),
        ("path,speaker,label,arousal\na.wav,1,joy,1_0\n", "'1_0' is not a number"),
        ("path,speaker,label,arousal\na.wav,1,joy,1e999\n", "'1e999' is not a number"),
        ("path,speaker,label\na.wav,nan,joy\n", "column 'speaker': nan; every utterance needs one"),
        (
            "path,speaker,label,utterance\na.wav,1,joy,u\nb ü.flac,1,joy,u\n",
            "line 3, column 'utterance': 'u' is the name of line 2, too",
        ),
    ],
)
def test_what_is_not_forgiven(tmp_path: Path, text: str, message: str):
    with pytest.raises(CorpusError, match=message):
        corpora.from_csv(write_csv(tmp_path, text))


def test_names_are_forgiven_in_case_and_an_index_is_passed_over(tmp_path: Path):
    table = corpora.from_csv(write_csv(tmp_path, ",Path,SPEAKER,Label,Mood\n0,a.wav,1,joy,grey\n", "lab.csv"))
    assert table.loc["lab/a", ["speaker", "Mood"]].to_list() == ["lab/1", "grey"]
    assert corpora.remarks(table) == (
        "lab (corpus.csv): a nameless first column of whole numbers was passed over (1 utterance)",
    )


def test_speakers_who_may_be_one_are_told(tmp_path: Path):
    text = "path,speaker,label,sex\na.wav,Anna,joy,f\nb ü.flac,anna,joy,m\n"
    table = corpora.from_csv(write_csv(tmp_path, text, "lab.csv"))
    assert any("lab/Anna, lab/anna" in remark for remark in corpora.remarks(table))


def test_twenty_thousand_rows_are_read_in_two_seconds(tmp_path: Path):
    for n in range(20):
        (tmp_path / f"{n}.wav").write_bytes(trees.noise(".wav", seconds=1.2))
    rows = [
        f"{n % 20}.wav,s{n % 50},{('joy', 'ANG', 'Sad')[n % 3]},female,de,t{n % 9},{n // 20 / 1e3:.3f},,3.5\n"
        for n in range(20_000)
    ]
    path = tmp_path / "lab.csv"
    path.write_text("path,speaker,label,sex,language,text_id,start,end,arousal\n" + "".join(rows))
    before = time.process_time()  # of this process: others may be busy
    assert len(corpora.from_csv(path)) == 20_000
    assert time.process_time() - before < 2


def test_labels_that_differ_in_case_are_said_to_be_one(tmp_path):
    path = write_csv(tmp_path, "path,speaker,label\na.wav,1,Happy\nb.wav,1,happy\n", "lab.csv")
    table = corpora.from_csv(path)
    assert set(table["native_label"]) == {"joy"}
    said = corpora.csv_corpus.remarks(table)
    assert "labels that differ in case only are read as one: 'Happy', 'happy'" in said
