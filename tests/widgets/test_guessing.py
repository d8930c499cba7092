"""Guessing by clicking: answers are on disk after each, and gone on with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from serlab import widgets
from serlab.corpora import synthetic
from serlab.errors import ParameterError
from serlab.labels import scheme
from serlab.widgets.guessing import Guessing
from serlab.widgets.headless import read_guesses

CLASSES = ("neutral", "anger", "joy", "sadness")


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pd.DataFrame:
    made = synthetic.make_corpus(
        name="x", language="x-a", n_speakers=1, n_utterances=4, seed=1, folder=tmp_path_factory.mktemp("x")
    )
    return scheme("four").apply(made)


def test_every_answer_is_kept_and_can_be_taken_back(table, tmp_path: Path) -> None:
    path = tmp_path / "guesses.csv"
    guessing = Guessing(table, classes=CLASSES, path=path, listener="anna")
    assert [button.description for button in guessing.buttons] == list(CLASSES)
    assert "1 of 4" in guessing.message.value and "autoplay" not in guessing.player.value
    assert not any(name in guessing.player.value for name in table.index), "the name would tell"
    guessing.buttons[2].click()
    assert "autoplay" in guessing.player.value
    kept = read_guesses(path)
    assert kept[["listener", "utterance", "answer"]].to_numpy().tolist() == [["anna", table.index[0], "joy"]]
    guessing.back.click()
    assert read_guesses(path).empty and "1 of 4" in guessing.message.value
    for button in guessing.buttons[:3]:
        button.click()
    again = Guessing(table, classes=CLASSES, path=path, listener="anna")
    assert "4 of 4" in again.message.value
    again.buttons[0].click()
    assert "All 4" in again.message.value and all(button.disabled for button in again.buttons)
    again.buttons[0].click()  # a click that was on its way
    assert len(read_guesses(path)) == 4
    assert list(read_guesses(path)["answer"]) == ["neutral", "anger", "joy", "neutral"]


def test_what_cannot_be_heard_is_left_out(table, tmp_path: Path) -> None:
    broken = table.copy()
    broken.loc[broken.index[0], "path"] = str(tmp_path / "gone.wav")
    guessing = Guessing(broken, classes=CLASSES, path=tmp_path / "guesses.csv", listener="anna")
    assert "1 of 3" in guessing.message.value


def test_headless_what_was_guessed_is_found(table, tmp_path: Path) -> None:
    path = tmp_path / "guesses.csv"
    assert widgets.guess(table, classes=CLASSES, path=path, listener="anna").answers.empty
    path.write_text("one\n2\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="no column 'listener'"):
        Guessing(table, classes=CLASSES, path=path, listener="anna")
