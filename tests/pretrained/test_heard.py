"""What encoders have heard: by name, by the folder's own word, and not at all."""

from __future__ import annotations

import dataclasses
import json

import pytest

from serlab import corpora
from serlab.errors import ParameterError
from serlab.pretrained import heard


def test_every_entry_names_who_says_so_and_corpora_by_their_keys():
    table = heard.table()
    assert (table["source"] != "").all() and table["model"].is_unique
    known = {name.lower(): name for name in corpora.CORPORA}
    for column in ("pretrained_on", "tuned_on"):
        for name in {one for cell in table[column] for one in cell.split(", ") if one}:
            assert known.get(name.lower(), name) == name, f"{name} is read as {known[name.lower()]}"
    for languages in table["languages"].str.split():
        assert len(languages) == len(set(languages)) and all(one.isalpha() for one in languages)


def test_a_language_is_strange_only_where_all_that_was_heard_is_known():
    english, many = heard.of("whisper-tiny.en"), heard.of("wav2vec2-xls-r-300m")
    assert [english.is_strange(code) for code in ("en-GB", "ur", "x-a", "")] == [False, True, None, None]
    assert [many.is_strange(code) for code in ("ur", "qu")] == [False, None]
    assert heard.of("a/b").is_strange("en") is None
    assert "stranger" not in heard.sentence(heard.of("a/b"))
    assert "a stranger to all others" in heard.sentence(english)
    assert "99 languages" in heard.sentence(heard.of("openai/whisper-tiny"))
    assert heard.from_names(json.loads(json.dumps(dataclasses.asdict(many)))) == many


def test_a_snapshot_of_the_hub_is_known_by_its_model(tmp_path):
    path = tmp_path / "models--openai--whisper-tiny.en" / "snapshots" / "0123"
    assert heard.of(path) == heard.of("whisper-tiny.en")


def test_a_folder_may_say_it_itself(tmp_path):
    (tmp_path / heard.FILE).write_text('{"languages": ["de"], "tuned_on": ["emodb"], "source": "me"}')
    found = heard.of("whisper-tiny", tmp_path)
    assert (found.languages, found.tuned_on, found.source, found.complete) == (
        ("de",),
        ("emodb",),
        "me",
        False,
    )
    for text in (
        "[",
        "[]",
        '{"languages": "de"}',
        '{"tuned_on": [1]}',
        '{"complete": "yes"}',
        '{"source": 1}',
    ):
        (tmp_path / heard.FILE).write_text(text)
        with pytest.raises(ParameterError, match=r"heard\.json"):
            heard.of("whisper-tiny", tmp_path)


def test_a_classifier_of_emotions_is_known_by_its_labels(tmp_path):
    (tmp_path / "config.json").write_text('{"id2label": {"0": "LABEL_0"}}')
    assert not heard.of("mine", tmp_path).tuned
    (tmp_path / "config.json").write_text('{"id2label": {"0": "angry", "1": "sadness"}}')
    assert heard.of("mine", tmp_path).tuned == '["angry", "sadness"]'
    assert not heard.of("hubert-base-superb-er", tmp_path).tuned, "known: on IEMOCAP"
