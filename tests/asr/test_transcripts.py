"""Tables of transcribed utterances: known sentences, folders of audio with text."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import corpora, data
from serlab.asr import transcripts
from serlab.asr.units import characters, normalize
from serlab.corpora.synthesis import LANGUAGES, sentence
from serlab.errors import CorpusError


def audio(path, seconds=0.3):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(int(16000 * seconds)) / 5), 16000)


def test_sentences_of_real_corpora():
    rows = [
        {"utterance": "ravdess/x", "corpus": "ravdess", "speaker": "ravdess/01", "text_id": "ravdess/02"},
        {"utterance": "emodb/y", "corpus": "emodb", "speaker": "emodb/03", "text_id": "emodb/a05"},
    ]
    table = transcripts.of_corpus(data.utterances(rows))
    assert list(table.columns) == list(transcripts.COLUMNS) and table.index.name == "utterance"
    assert table.loc["ravdess/x", "text"] == "Dogs are sitting by the door"
    assert table.loc["emodb/y", "text"].startswith("Das schwarze Stück Papier")
    assert transcripts.n_texts(table) == 2


def test_synthetic_syllables_are_words_and_stay_apart():
    rows = [
        {"utterance": f"{name}{n}", "corpus": "s", "text_id": f"{name}/t{n}"}
        for name in LANGUAGES
        for n in range(1, 6)
    ]
    table = transcripts.of_corpus(data.utterances(rows))
    for name, language in LANGUAGES.items():
        said = [sentence(language, n) for n in range(1, 6)]
        texts = [normalize(table.loc[f"{name}{n}", "text"]) for n in range(1, 6)]
        assert [len(text.split()) for text in texts] == [len(syllables) for syllables in said]
        # Sounds that differ in case or are written by a sign, as S and @, are letters of their own.
        sounds = {s for syllables in said for part in syllables for s in (part.onset, part.vowel, part.coda)}
        assert len(characters(texts)) == len(sounds - {""}) + 1


def test_unknown_text_is_named():
    rows = [{"utterance": "iemocap/x", "corpus": "iemocap", "text_id": None}]
    with pytest.raises(CorpusError, match=r"'iemocap/x'.*from_folder"):
        transcripts.of_corpus(data.utterances(rows))


def test_text_files_beside_audio(tmp_path):
    root = tmp_path / "mine"
    for name in ("anna/one.wav", "ben/one.flac", "ben/two.wav"):
        audio(root / name)
    (root / "anna/one.txt").write_text("Good Day!\n", encoding="utf-8")
    (root / "ben/one.txt").write_text("\ufeffTschüß", encoding="utf-8")
    table = transcripts.from_folder(root, language="en")
    assert table.index.tolist() == ["mine/anna/one", "mine/ben/one"]
    assert table["speaker"].tolist() == ["mine/anna", "mine/ben"]
    assert table["text"].map(normalize).tolist() == ["good day", "tschüß"]
    assert table["start"].isna().all() and set(table["language"]) == {"en"}
    assert table.attrs["left_out"] == {"audio without a transcript": 1}


def test_csv_of_transcripts(tmp_path):
    for name in ("a.wav", "b.wav"):
        audio(tmp_path / "c" / name)
    (tmp_path / "c/transcripts.csv").write_text("file;text;speaker\na.wav;yes;p1\nb.wav;no;\n", "utf-8")
    table = transcripts.from_folder(tmp_path / "c")
    assert table["speaker"].tolist() == ["c/p1", "c/unknown"] and table["text"].tolist() == ["yes", "no"]
    assert table.attrs["left_out"] == {}


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("file,words\na.wav,yes\n", "no column 'text'"),
        ("file,text\nmissing.wav,yes\n", "line 2: there is no file"),
        ("file,text\na.wav,...\n", "no word, the first is that of .*a.wav"),
        ("file,text\n", "has no transcripts"),
    ],
)
def test_bad_transcripts_are_named(tmp_path, csv, message):
    audio(tmp_path / "a.wav")
    (tmp_path / "transcripts.csv").write_text(csv, "utf-8")
    with pytest.raises(CorpusError, match=message):
        transcripts.from_folder(tmp_path)


def test_folder_without_transcripts(tmp_path):
    audio(tmp_path / "a.wav")
    with pytest.raises(CorpusError, match=r"put a \.txt of the same name"):
        transcripts.from_folder(tmp_path)
    with pytest.raises(CorpusError, match="is no folder"):
        transcripts.from_folder(tmp_path / "nowhere")


def test_concatenation_adds_what_was_left_out(tmp_path):
    tables = []
    for name in ("one", "two"):
        audio(tmp_path / name / "a.wav")
        audio(tmp_path / name / "b.wav")
        (tmp_path / name / "a.txt").write_text("yes")
        tables.append(transcripts.from_folder(tmp_path / name))
    both = transcripts.concatenate(tables)
    assert both.index.tolist() == ["one/a", "two/a"]
    assert both.attrs["left_out"] == {"audio without a transcript": 2}
    pd.testing.assert_frame_equal(both.loc[["one/a"]], tables[0])


@pytest.mark.shared
@pytest.mark.parametrize(("name", "n"), [("ravdess", 2), ("emodb", 10)])
def test_all_texts_of_real_corpora_are_known(shared, name, n):
    table = transcripts.of_corpus(corpora.get(name, shared / "corpora").read(shared / "corpora"))
    assert transcripts.n_texts(table) == n
