"""Lesson 1: quiz, listeners, agreement, and the answers of thirty machines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import lessons, metrics
from serlab.errors import ParameterError
from serlab.files import write_table
from serlab.lessons import hearing, rooms
from serlab.widgets.headless import GUESS_COLUMNS
from tests.toys import utterance_table

CLASSES = ["neutral", "anger", "joy", "sadness"]


@pytest.fixture
def room() -> rooms.Room:
    table = utterance_table({"a": 3, "b": 3}, per_emotion=4)
    return rooms.Room(known=table[table["corpus"] == "a"], foreign=table[table["corpus"] == "b"])


def guesses(tested: pd.DataFrame, listener: str, answer=None) -> pd.DataFrame:
    rows = [
        (listener, i + 1, name, row["corpus"], row["emotion"], answer or row["emotion"], 1.5)
        for i, (name, row) in enumerate(tested.iterrows())
    ]
    return pd.DataFrame(rows, columns=list(GUESS_COLUMNS))


def test_a_quiz_is_balanced_and_the_same_everywhere(room) -> None:
    tested = hearing.quiz(room, 12)
    assert set(tested["emotion"].value_counts()) == {3}
    assert set(tested.groupby("emotion", observed=True)["speaker"].nunique()) == {3}
    assert tested.equals(hearing.quiz(room, 12))
    assert not tested.index.equals(tested.sort_index().index), "nobody can tell from the order"
    assert len(hearing.quiz(room, 10_000)) == len(room.foreign)


def test_examples_are_of_one_voice_and_one_text(room) -> None:
    examples = hearing.examples(room)
    assert list(examples["emotion"]) == CLASSES
    assert examples["speaker"].nunique() == examples["text_id"].nunique() == 1


def test_listeners_are_scored_as_methods_are(room) -> None:
    tested = hearing.quiz(room, 12)
    both = pd.concat([guesses(tested, "anna"), guesses(tested, "ben", "joy")])
    answered = hearing.of_listeners(both, tested, CLASSES)
    table = hearing.agreement_table(hearing.everybody(answered), 4).set_index("who")
    assert table.loc["anna", ["uar", "kappa"]].tolist() == [1, 1]
    assert table.loc["ben", ["uar", "kappa"]].tolist() == [0.25, 0]
    assert table.loc["all together", "n"] == 12
    counts = hearing.counts(answered[answered["method"] == "ben"], 4)
    assert counts.sum(axis=0).tolist() == [0, 0, 12, 0]
    assert hearing.most_confused(counts, CLASSES) == {(name, "joy") for name in CLASSES if name != "joy"}


def test_a_vote_is_that_of_most() -> None:
    table = pd.DataFrame(
        {"method": list("abc"), "fold": "", "seed": 0, "utterance": "u", "y_true": 1, "y_pred": [1, 1, 0],
         "p_x": [0, 0, 1.0], "p_y": [1.0, 1, 0]}
    )  # fmt: skip
    assert hearing.vote(table)["y_pred"].tolist() == [1]


def test_nobody_is_made_up_and_says_so(room) -> None:
    tested = hearing.quiz(room, 12)
    answered = hearing.of_listeners(guesses(tested, "anna").head(0), tested, CLASSES)
    assert answered["method"].str.startswith("made up").all()
    assert 0.25 < metrics.uar(hearing.counts(answered, 4)) < 0.95


def test_answers_of_many_machines_make_one_table(room, tmp_path: Path) -> None:
    tested = hearing.quiz(room, 8)
    for number in range(30):
        folder = tmp_path / f"machine{number}"
        write_table(folder / "1_listen-guesses.csv", guesses(tested, f"l{number}"))
    write_table(tmp_path / "again-guesses.csv", guesses(tested, "l3", "joy"))  # handed in twice
    (tmp_path / "broken-guesses.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "other-guesses.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="left out"):
        table = lessons.collect(tmp_path)
    assert table["listener"].nunique() == 30 and len(table) == 30 * 8
    assert set(table.loc[table["listener"] == "l3", "answer"]) == {"joy"}, "the newer one"
    assert table.loc[table["listener"] == "l7", "position"].tolist() == list(range(1, 9))
    with pytest.raises(ParameterError, match="not a folder"):
        lessons.collect(tmp_path / "nowhere")
    assert lessons.collect(tmp_path / "machine1").shape == (8, 7)


def test_predictions_of_many_machines_make_one_table(tmp_path: Path) -> None:
    for name in ("anna", "ben"):
        lesson = lessons.open("1", answers=str(tmp_path / name), student=name)
        lesson.predict("mine", "Which?", answer=0.5)
        lesson.compare("mine", 0.25)
    (tmp_path / "1_listen.json").write_text("[]", encoding="utf-8")
    with pytest.warns(UserWarning, match="not a record"):
        table = lessons.collect_predictions(tmp_path)
    assert sorted(table["student"]) == ["anna", "ben"]
    assert table[["answer", "result"]].to_numpy().tolist() == [[0.5, 0.25]] * 2


def test_a_room_needs_two_corpora_with_shared_classes() -> None:
    with pytest.raises(ParameterError, match="two are needed"):
        rooms.open_room(["synthetic-a"])
    with pytest.raises(ParameterError, match="sees the target"):
        rooms.answers(pd.DataFrame(), pd.DataFrame(), names=["rf-target"])


def test_few_are_taken_of_each_voice_and_class(room) -> None:
    few = rooms.balanced(room.known, 24)
    assert set(few.groupby(["speaker", "emotion"], observed=True).size()) == {2}
    assert np.array_equal(few.index, few.sort_index().index)
