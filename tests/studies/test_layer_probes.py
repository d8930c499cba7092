"""Layers that carry one thing and not another."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from serlab.errors import Cancelled, ParameterError, ProtocolError
from serlab.progress import Watch
from serlab.studies import layer_probes
from serlab.studies.layer_probes import probe_layers
from tests.toys import utterance_table


def people(corpora: dict[str, int], *, per_emotion: int = 3) -> pd.DataFrame:
    """Speakers of both sexes; every emotion ``per_emotion`` times, in as many sentences."""
    table = utterance_table(corpora, per_emotion=per_emotion)
    number = table["speaker"].str.extract(r"(\d+)$")[0].astype(int)
    return table.assign(sex=np.where(number % 2, "female", "male"))


def carrying(values: pd.Series, *, noise: float = 0.2, seed: int = 0) -> np.ndarray:
    """A layer in which each value has a place of its own, and nothing else; shape (n, 16)."""
    rng = np.random.default_rng(seed)
    code, names = pd.factorize(values)
    return rng.standard_normal((len(names), 16))[code] + noise * rng.standard_normal((len(values), 16))


def asked(table: pd.DataFrame, layers: dict[str, np.ndarray], **given) -> pd.DataFrame:
    """Probes by (layer, what)."""
    columns = {
        "speaker": "speaker", "emotion": "emotion", "corpus": "corpus", "sex": "sex", "text": "text_id",
    }  # fmt: skip
    arrays = {name: table[column].to_numpy() for name, column in columns.items()}
    return probe_layers(layers, **({"folds": 3} | arrays | given)).set_index(["layer", "what"])


def test_each_layer_answers_what_it_carries():
    table = people({"a": 6, "b": 6})
    layers = {what: carrying(table[what]) for what in ("speaker", "emotion", "corpus")}
    found = asked(table, layers)
    questions = ["emotion", "speaker", "sex", "corpus"]
    assert list(found.index) == [(layer, what) for layer in layers for what in questions]
    assert (found["uar"].unstack().to_numpy() > 0.95).sum() == 3, "and nothing else"
    for what in layers:
        assert found.loc[(what, what), "uar"] > 0.95
    # A voice says of which corpus, but not which emotion; an emotion says nothing else.
    assert found.loc[("speaker", "emotion"), "uar"] == pytest.approx(0.25, abs=0.1)
    assert found.loc[("emotion", "speaker"), "uar"] < 0.25
    first = found.loc["speaker"]
    assert first["chance"].to_dict() == {
        "emotion": 0.25, "speaker": pytest.approx(1 / 12), "sex": 0.5, "corpus": 0.5,
    }  # fmt: skip
    assert first["held_out"].to_dict() == {
        "emotion": "speaker", "speaker": "text", "sex": "speaker", "corpus": "speaker",
    }  # fmt: skip
    assert (found["n"] == len(table)).all() and (found["n_left_out"] == 0).all()
    assert ((found["low"] <= found["uar"]) & (found["uar"] <= found["high"])).all()


def test_a_voice_with_one_emotion_does_not_answer_for_another_speaker():
    table = people({"a": 16}, per_emotion=6)
    number = table["speaker"].str.extract(r"(\d+)$")[0].astype(int)
    table = table[table["emotion"].cat.codes == number % 4]
    found = asked(table, {"voice": carrying(table["speaker"], noise=0.01)})
    assert found.loc[("voice", "speaker"), "uar"] == 1
    assert found.loc[("voice", "emotion"), "uar"] < 0.5


@pytest.fixture(autouse=True)
def one_permutation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_probes, "N_PERMUTATIONS", 1)


def test_a_speaker_is_asked_for_in_unheard_sentences():
    table = people({"a": 4}, per_emotion=4)
    recording = carrying(table["speaker"] + table["text_id"], noise=0.01)
    same = asked(table, {"x": recording}, text=None).loc[("x", "speaker")]
    other = asked(table, {"x": recording}).loc[("x", "speaker")]
    assert (same["held_out"], other["held_out"]) == ("utterance", "text")
    assert same["uar"] > 0.8 > 0.5 > other["uar"]
    partly = table["text_id"].where(table["text_id"] != "a/t0", None).to_numpy()
    assert asked(table, {"x": recording}, text=partly)["held_out"].iloc[1] == "text or utterance"


def test_control_keeps_what_the_corpus_alone_gives_away():
    table = people({"a": 8, "b": 8}, per_emotion=6)
    # Corpus a is nearly all anger, corpus b nearly all joy.
    common = table["emotion"] == table["corpus"].map({"a": "anger", "b": "joy"})
    few = table["text_id"].str.endswith("t0") & table["emotion"].isin(["anger", "joy"])
    table = table[common | few].assign(emotion=lambda t: t["emotion"].cat.remove_unused_categories())
    found = asked(
        table,
        {"corpus": carrying(table["corpus"]), "noise": np.random.default_rng(1).random((len(table), 4))},
    )
    row = found.loc[("corpus", "emotion")]
    assert row["uar"] > 0.8 and row["permuted"] == pytest.approx(row["uar"], abs=0.08)
    assert found.loc[("noise", "emotion"), "permuted"] == pytest.approx(0.5, abs=0.15)
    # Corpora are exchanged between whole speakers.
    assert found.loc[("corpus", "corpus"), "uar"] == 1 > found.loc[("corpus", "corpus"), "permuted"] + 0.2


def test_permutation_moves_whole_units_within_their_group():
    answer, unit = np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([0, 0, 1, 1, 2, 2, 3, 3])
    group = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    drawn = {tuple(p) for seed in range(20) for p in layer_probes._permuted(answer, unit, group, seed)}
    pairs = {p[::2] for p in drawn}
    assert all(p[::2] == p[1::2] for p in drawn)
    assert pairs == {(a, b, c, d) for a, b in ((0, 1), (1, 0)) for c, d in ((2, 3), (3, 2))}


def test_uar_and_its_interval_against_loops():
    rng = np.random.default_rng(0)
    speaker, y = np.repeat(np.arange(6), 8), rng.integers(0, 3, 48)
    hit = rng.random(48) < 0.6
    question = layer_probes._Question(
        what="emotion", held_out="speaker", rows=np.arange(48), answer=y, permuted=(), fold=speaker,
        speaker=speaker, n_left_out=0,
    )  # fmt: skip
    low, high = layer_probes._interval(hit, question)
    whole = np.mean([hit[y == c].mean() for c in range(3)])
    assert layer_probes._uar(hit, y) == pytest.approx(whole) == pytest.approx((low + high) / 2)
    left = [np.mean([hit[(y == c) & (speaker != s)].mean() for c in range(3)]) for s in range(6)]
    error = np.sqrt(5 / 6 * np.sum((np.array(left) - whole) ** 2))
    assert 2.57 <= (high - low) / 2 / error < 3.5, "t of 5 degrees of freedom, or a few less"


def test_answers_that_cannot_be_known_are_left_out_and_counted():
    table = people({"a": 6})
    once = table["speaker"] == "a/s0"
    table = table[~once | (table.index == table.index[once.to_numpy()][0])]
    sex = table["sex"].where(table["speaker"] != "a/s1", None).to_numpy()
    found = asked(table, {"x": carrying(table["speaker"])}, sex=sex).loc["x"]
    assert "corpus" not in found.index, "there is one corpus only"
    assert found.loc["speaker", "n_left_out"] == 1 and found.loc["speaker", "n_classes"] == 5
    assert found.loc["sex", "n_left_out"] == (table["speaker"] == "a/s1").sum()


def test_sexes_and_corpora_are_dealt_to_all_folds():
    table = people({"a": 10, "b": 6})
    fold = layer_probes._speaker_folds(table.astype({"emotion": object}).reset_index(), 3, 0)
    parts = pd.DataFrame({"fold": fold, "speaker": table["speaker"].to_numpy()})
    assert (parts.groupby("speaker")["fold"].nunique() == 1).all()
    for column in ("corpus", "sex"):
        counts = pd.crosstab(fold, table[column].to_numpy())
        assert (counts > 0).to_numpy().all()


def test_the_same_seed_gives_the_same_table_whatever_the_order_of_layers():
    table = people({"a": 6})
    layers = {"x": carrying(table["sex"], noise=2), "y": carrying(table["emotion"], noise=2)}
    alone = {"sex": None, "text": None}
    first, second = (asked(table, dict(o), **alone) for o in (layers.items(), reversed(layers.items())))
    pd.testing.assert_frame_equal(first.sort_index(), second.sort_index())
    assert not asked(table, {"x": layers["x"]}, seed=1, **alone).equals(first.loc[["x"]])


def test_bad_input_and_cancelling():
    table = people({"a": 4})
    X = carrying(table["speaker"])
    for layers, given, message in (
        ({}, {}, "no layers"),
        ({"x": X[:3]}, {}, r"layer 'x' of shape \(3, 16\) does not fit 48"),
        ({"x": X[:, :, None]}, {}, "one vector an utterance"),
        ({"x": np.where(np.arange(48)[:, None] == 5, np.nan, X)}, {}, "layer 'x': row 5 is not finite"),
        ({"x": X}, {"folds": 1}, "folds"),
        ({"x": X}, {"speaker": np.where(np.arange(48) == 7, None, table["speaker"])}, "row 7 has no speaker"),
    ):
        with pytest.raises(ParameterError, match=message):
            asked(table, layers, **given)
    with pytest.raises(ProtocolError, match=r"question of the sex needs two answers.*leave it out"):
        asked(table, {"x": X}, sex=np.full(48, "male", dtype=object))
    cancel, told = threading.Event(), []
    cancel.set()
    with pytest.raises(Cancelled):
        asked(table, {"x": X}, watch=Watch(cancel=cancel))
    asked(table, {"x": X}, watch=Watch(progress=lambda *step: told.append(step)))
    assert [step[:2] for step in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
