"""A balanced ridge by hand, and what self-training adds: a rotated target, without its labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from serlab.errors import ProtocolError
from serlab.methods.base import Choice
from serlab.methods.learners import self_training
from serlab.methods.learners.ridge_of_rows import RidgeOfRows
from serlab.methods.learners.self_training import (
    BalancedRidge,
    CautiouslySelfTrained,
    SelfTrained,
    SemiSupervised,
    surest,
)
from serlab.samples import Labelled, without_labels

ANGLE = np.deg2rad(50)
TURN = np.array([[np.cos(ANGLE), np.sin(ANGLE)], [-np.sin(ANGLE), np.cos(ANGLE)]])


def part(X: np.ndarray, y: list[int], *, corpus: str = "a", speaker: list[str] | None = None) -> Labelled:
    names = np.array(speaker or [f"s{i % 4}" for i in range(len(y))])
    return Labelled(X=np.asarray(X, np.float32), corpus=np.full(len(y), corpus), speaker=names, y=np.array(y))


def clouds(n: int, *, seed: int, turn: np.ndarray | None = None, corpus: str = "a") -> Labelled:
    """Three classes around the corners of a triangle."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    corners = np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(3) / 3])
    X = corners[y] + rng.normal(0, 0.15, (n, 2))
    return part(X if turn is None else X @ turn, list(y), corpus=corpus)


# --- the ridge -----------------------------------------------------------------


def test_every_class_of_every_corpus_weighs_the_same():
    a = part(np.zeros((4, 1)), [0, 0, 0, 1])
    b = replace(part(np.zeros((2, 1)), [0, 1]), corpus=np.array(["b", "b"]))
    both = self_training.concatenate(a, b)
    weights = self_training.weights(both)
    # Four groups share the six rows: 1.5 each.
    np.testing.assert_allclose(weights, [0.5, 0.5, 0.5, 1.5, 1.5, 1.5])
    assert weights.mean() == pytest.approx(1)


def test_scores_are_those_of_the_weighted_normal_equations():
    rng = np.random.default_rng(0)
    train = part(rng.normal(size=(9, 4)), [0, 0, 0, 0, 0, 2, 2, 3, 3])
    other = rng.normal(size=(5, 4)).astype(np.float32)
    ridge = BalancedRidge(4, penalty=3.0).fit(train)
    X = train.X.astype(float) / 2  # the square root of four features
    W = np.diag(np.repeat([9 / 15, 9 / 6, 9 / 6], [5, 2, 2]))
    wanted = np.where(np.array([0, 2, 3]) == train.y[:, None], 1.0, -1.0)
    weight = np.linalg.solve(X.T @ W @ X + 3.0 * np.eye(4), X.T @ W @ wanted)
    np.testing.assert_allclose(ridge.scores(other), other / 2 @ weight, atol=1e-5)


def test_a_class_that_training_lacks_has_probability_zero():
    train = clouds(30, seed=0)
    train = train.take(train.y != 1)
    ridge = BalancedRidge(5).fit(train)
    proba = ridge.predict_proba(train.X)
    assert ridge.classes.tolist() == [0, 2] and proba.shape == (20, 5)
    assert (proba[:, [1, 3, 4]] == 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(proba.argmax(axis=1), train.y)


def test_an_outlier_is_cut():
    train = clouds(30, seed=0)
    ridge = BalancedRidge(3, penalty=1.0).fit(train)
    np.testing.assert_array_equal(ridge.scores(np.array([[5.0, 0.1]])), ridge.scores(np.array([[1e6, 0.1]])))


def test_the_penalty_is_chosen_on_speakers_that_were_held_out(monkeypatch: pytest.MonkeyPatch):
    """No speaker is at once in what is fitted and in what is scored."""
    rng = np.random.default_rng(1)
    speaker = np.array([f"s{i % 6}" for i in range(60)])
    train = part(rng.normal(size=(60, 3)), list(rng.integers(0, 2, 60)), speaker=list(speaker))
    seen: list[tuple[set[str], set[str]]] = []
    scores = RidgeOfRows.scores

    def spy(self, rows: np.ndarray, y: np.ndarray, asked: np.ndarray, **options):
        seen.append((set(speaker[rows]), set(speaker[asked])))
        assert options["penalties"] == self_training.PENALTIES
        np.testing.assert_array_equal(y, train.y[rows])
        return scores(self, rows, y, asked, **options)

    monkeypatch.setattr(RidgeOfRows, "scores", spy)
    BalancedRidge(2).fit(train)
    assert len(seen) == 5
    for fitted, held_out in seen:
        assert not fitted & held_out and fitted | held_out == set(speaker)


@pytest.mark.parametrize("d", [4, 70, 90, 200])
def test_one_solve_for_all_penalties_is_a_ridge_for_each(d: int):
    """As the library has it, fold by fold and penalty by penalty; more and fewer rows than features."""
    rng = np.random.default_rng(d)
    y = rng.integers(0, 3, 100)
    X = (rng.normal(size=(100, d)) + np.eye(3, d)[y]).astype(np.float32)
    train = replace(
        part(X, list(y), speaker=[f"s{i % 7}" for i in range(100)]), corpus=np.repeat(["a", "b"], [70, 30])
    )

    def ridge(rows: np.ndarray, penalty: float) -> Ridge:
        wanted = np.where(np.arange(3) == y[rows, None], 1.0, -1.0)
        weight = self_training.weights(train.take(rows))
        fitted = Ridge(alpha=penalty, fit_intercept=False)
        return fitted.fit(self_training.scaled(X[rows]), wanted, sample_weight=weight)

    answers = np.zeros((len(self_training.PENALTIES), 100), dtype=int)
    speakers = np.char.add(np.char.add(train.corpus, "/"), train.speaker)
    for rows, held_out in GroupKFold(5).split(X, groups=speakers):
        for number, penalty in enumerate(self_training.PENALTIES):
            own = ridge(rows, penalty).predict(self_training.scaled(X[held_out]))
            answers[number, held_out] = own.argmax(axis=1)
    uar = [np.mean([(own[y == label] == label).mean() for label in range(3)]) for own in answers]
    fitted = BalancedRidge(3).fit(train)
    assert fitted.penalty == max(zip(uar, self_training.PENALTIES, strict=True))[1]
    expected = ridge(np.arange(100), fitted.penalty)
    np.testing.assert_allclose(fitted.coefficients, expected.coef_.T, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(fitted.scores(X), expected.predict(self_training.scaled(X)), atol=1e-10)


def test_the_larger_penalty_of_equals_and_none_for_a_single_speaker():
    easy = clouds(60, seed=0)
    assert BalancedRidge(3, penalties=(0.1, 0.3)).fit(easy).penalty == 0.3
    alone = replace(easy, speaker=np.full(60, "s0"))
    assert BalancedRidge(3).fit(alone).penalty == 10.0
    # The same name in another corpus is another speaker.
    two = replace(alone, corpus=np.repeat(["a", "b"], 30))
    assert BalancedRidge(3, penalties=(0.1, 0.3)).fit(two).penalty == 0.3


def test_noise_asks_for_a_larger_penalty():
    """Each speaker has noise of their own on many features: what fits the others does not fit them."""
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = np.column_stack([2.0 * y - 1 + rng.normal(0, 1.5, 80), rng.normal(size=(80, 150))])
    speaker = [f"s{i // 10}" for i in range(80)]
    chosen = BalancedRidge(2, penalties=(1e-4, 3.0)).fit(part(X, list(y), speaker=speaker)).penalty
    assert chosen == 3.0


# --- self-training -------------------------------------------------------------


def test_surest_takes_as_many_of_each_class():
    scores = np.array([[9.0, 0], [5, 4], [7, 0], [0, 1], [0, 3], [6, 4.5]])
    # Leads: 9, 1, 7 and 1.5 of the first class, 1 and 3 of the second; half of six rows are two of each.
    assert surest(scores, share=0.5).tolist() == [0, 2, 3, 4]
    assert surest(scores, share=1 / 3).tolist() == [0, 4]
    assert surest(scores, share=1.0).tolist() == [0, 2, 3, 4, 5], "the second class has no third"
    assert surest(np.zeros((4, 2)), share=0.5).tolist() == [0], "of equals the first"


def test_a_rotated_target_is_recovered():
    """The ridge of the source is right for some; what it is sure of turns it towards the target."""
    source, target = clouds(90, seed=0), clouds(90, seed=1, turn=TURN, corpus="t")
    plain = BalancedRidge(3).fit(source)
    before = np.mean(plain.predict_proba(target.X).argmax(axis=1) == target.y)
    trained = SelfTrained(BalancedRidge(3)).fit(source=source, adapt=without_labels(target))
    after = np.mean(trained.predict_proba(target.X).argmax(axis=1) == target.y)
    assert before < 0.9 and after > 0.97
    assert trained.classifier.penalty == plain.penalty, "chosen on speakers of the source, once"


def test_the_target_without_a_shift_stays():
    source, target = clouds(90, seed=0), clouds(90, seed=1, corpus="t")
    trained = SelfTrained(BalancedRidge(3)).fit(source=source, adapt=without_labels(target))
    assert np.mean(trained.predict_proba(target.X).argmax(axis=1) == target.y) > 0.97


def test_labels_of_the_target_cannot_enter():
    source, target = clouds(60, seed=0), clouds(60, seed=1, turn=TURN, corpus="t")
    with pytest.raises(TypeError):
        SelfTrained(BalancedRidge(3)).fit(source=source, target_train=target)
    # Even if they are handed over by mistake, nobody looks.
    wrong = replace(target, y=(target.y + 1) % 3)
    one, other = (
        SelfTrained(BalancedRidge(3)).fit(source=source, adapt=adapt).predict_proba(target.X)
        for adapt in (without_labels(target), wrong)
    )
    np.testing.assert_array_equal(one, other)


def test_one_class_and_one_utterance():
    source, target = clouds(60, seed=0), clouds(60, seed=1, corpus="t")
    with pytest.raises(ProtocolError, match=r"1 class"):
        SelfTrained(BalancedRidge(3)).fit(source=replace(source, y=0 * source.y), adapt=target)
    alone = without_labels(target.take(slice(1)))
    proba = SelfTrained(BalancedRidge(3)).fit(source=source, adapt=alone).predict_proba(alone.X)
    assert np.isfinite(proba).all()


def test_a_few_labels_show_the_way_where_the_source_leads_astray():
    """Turned so far that the nearest class of the source is the wrong one for most."""
    angle = np.deg2rad(75)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    source, target = clouds(90, seed=0), clouds(90, seed=1, turn=turn, corpus="t")
    few, others = target.take(slice(6)), without_labels(target.take(slice(6, None)))

    def right(method) -> float:
        return np.mean(method.predict_proba(others.X).argmax(axis=1) == target.y[6:])

    without = SelfTrained(BalancedRidge(3)).fit(source=source, adapt=others)
    both = SemiSupervised(BalancedRidge(3)).fit(source=source, target_train=few, adapt=others)
    assert right(without) < 0.3 and right(both) > 0.97


def test_source_labelled_target_and_what_is_believed_weigh_the_same(monkeypatch: pytest.MonkeyPatch):
    source, target = clouds(90, seed=0), clouds(60, seed=1, corpus="t")
    few, others = target.take(slice(6)), target.take(slice(6, None))
    weighed: list[dict[str, float]] = []
    weights = self_training.weights

    def spy(rows: Labelled) -> np.ndarray:
        found = weights(rows)
        weighed.append({name: found[rows.corpus == name].sum() for name in np.unique(rows.corpus)})
        return found

    monkeypatch.setattr(self_training, "weights", spy)
    SemiSupervised(BalancedRidge(3)).fit(source=source, target_train=few, adapt=without_labels(others))
    last = weighed[-1]
    assert set(last) == {"a", "t", "t, believed"}
    np.testing.assert_allclose(list(last.values()), sum(last.values()) / 3)


# --- cautious ------------------------------------------------------------------


def right(method, target: Labelled) -> float:
    return float(np.mean(method.predict_proba(target.X).argmax(axis=1) == target.y))


def test_a_cautious_one_turns_to_the_target_too():
    source, target = clouds(90, seed=0), clouds(90, seed=1, turn=TURN, corpus="t")
    method = CautiouslySelfTrained(BalancedRidge(3)).fit(source=source, adapt=without_labels(target))
    assert right(BalancedRidge(3).fit(source), target) < 0.9 < right(method, target)
    assert 0.7 < method.believed <= 1


def test_nothing_is_believed_that_the_source_alone_does_not_say(monkeypatch: pytest.MonkeyPatch):
    source, target = clouds(90, seed=0), clouds(90, seed=1, turn=TURN, corpus="t")
    plain = BalancedRidge(3).fit(source)
    alone = dict(zip(target.X[:, 0].tolist(), plain.scores(target.X).argmax(axis=1).tolist(), strict=True))
    learned: list[Labelled] = []
    fit = BalancedRidge.fit
    monkeypatch.setattr(BalancedRidge, "fit", lambda self, part: learned.append(part) or fit(self, part))
    method = CautiouslySelfTrained(BalancedRidge(3, penalty=plain.penalty))
    method.fit(source=source, adapt=without_labels(target))
    assert len(learned) == 1 + 5
    for part in learned[1:]:
        rows = part.corpus == "t, believed"
        assert [alone[x] for x in part.X[rows, 0].tolist()] == part.y[rows].tolist()


def test_a_cautious_one_assumes_no_share_of_the_classes():
    """Of ten target utterances nine are of one class: to a class-balanced one they are too many."""
    source, target = clouds(90, seed=0), clouds(300, seed=1, corpus="t")
    rare = np.flatnonzero(target.y != 0)
    target = target.take(np.concatenate([np.flatnonzero(target.y == 0), rare[:12]]))
    cautious, balanced = (
        kind(BalancedRidge(3)).fit(source=source, adapt=without_labels(target))
        for kind in (CautiouslySelfTrained, SelfTrained)
    )
    assert right(cautious, target) > 0.97 > right(balanced, target)


def test_what_is_chosen_beforehand_gives_the_same_answers():
    source, target = clouds(90, seed=0), clouds(60, seed=1, turn=TURN, corpus="t")
    at_once = CautiouslySelfTrained(BalancedRidge(3)).fit(source=source, adapt=without_labels(target))
    choice = CautiouslySelfTrained(BalancedRidge(3)).choose(source=source)
    assert choice == Choice(penalty=at_once.classifier.penalty)
    later = CautiouslySelfTrained(BalancedRidge(3))
    later.fit_beside(choice, source=source, adapt=without_labels(target))
    np.testing.assert_array_equal(later.predict_proba(target.X), at_once.predict_proba(target.X))


def test_without_agreement_it_stays_the_classifier_of_the_source(monkeypatch: pytest.MonkeyPatch):
    source, target = clouds(90, seed=0), clouds(90, seed=1, turn=TURN, corpus="t")
    monkeypatch.setattr(self_training, "_surest", lambda scores, most: np.array([], dtype=int))
    method = CautiouslySelfTrained(BalancedRidge(3)).fit(source=source, adapt=without_labels(target))
    plain = BalancedRidge(3).fit(source)
    np.testing.assert_array_equal(method.predict_proba(target.X), plain.predict_proba(target.X))
    assert method.believed == 0
