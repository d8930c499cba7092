"""A method against its control: cells in common, one estimator, every kind of unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab import evaluation, metrics
from serlab.errors import ProtocolError
from serlab.evaluation import differences
from tests.toys import answers, fake_predictions, uneven


def test_a_fold_and_seed_that_one_of_them_lost_is_not_compared():
    """Divided by all seeds, identical answers once had a difference of -.335."""
    rng = np.random.default_rng(0)
    y, y_pred, speakers = uneven(rng)
    fold = np.where(speakers.isin(["s0", "s5", "s6"]), "one", "two")
    whole = pd.concat([answers("a", y, y_pred, fold=fold, seed=seed) for seed in range(3)])
    part = whole[~((whole["fold"] == "two") & (whole["seed"] > 0))].assign(method="b")
    found = evaluation.paired(pd.concat([whole, part]), speakers, method="b", control="a")
    assert (found.gain, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert (found.n_folds, found.n_seeds, found.n_speakers) == (2, 3, speakers.nunique())


def test_what_has_nothing_random_is_paired_with_each_seed():
    rng = np.random.default_rng(1)
    y, y_pred, speakers = uneven(rng)
    seeds = [np.where(rng.random(len(y)) < 0.5, y, y_pred) for _ in range(3)]
    table = pd.concat([answers("a", y, y_pred), *(answers("b", y, s, seed=i) for i, s in enumerate(seeds))])
    found = evaluation.paired(table, speakers, method="b", control="a")
    each = [
        evaluation.paired(
            table[(table["method"] == "a") | (table["seed"] == i)], speakers, method="b", control="a"
        )
        for i in range(3)
    ]
    assert found.gain == pytest.approx(np.mean([one.gain for one in each])) and found.n_seeds == 3
    back = evaluation.paired(table, speakers, method="a", control="b")
    assert (back.gain, back.low, back.high, back.p) == pytest.approx(
        (-found.gain, -found.high, -found.low, found.p)
    )


@pytest.mark.parametrize("fold_is", ["part", "subject", "draw"])
def test_two_constant_answers_differ_by_nothing_whatever_the_folds_lack(fold_is):
    y, _, speakers = uneven(np.random.default_rng(2))
    tables = []
    for subject in sorted(set(speakers)):
        for answer, method in enumerate("ab"):
            table = answers(method, y, np.full(len(y), answer), fold=subject)
            tables.append(table[(speakers != subject).to_numpy()])
    found = evaluation.paired(pd.concat(tables), speakers, method="b", control="a", fold_is=fold_is)
    assert found.gain == pytest.approx(0)
    identical = pd.concat([*tables[::2], *(table.assign(method="b") for table in tables[::2])])
    found = evaluation.paired(identical, speakers, method="b", control="a", fold_is=fold_is)
    assert (found.gain, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_class_of_one_speaker_may_be_the_other_way_with_others():
    """ "b" is right in all that ten speakers say, and in a class of one of them alone."""
    speakers = pd.Series([f"s{i % 10}" for i in range(60)], index=[f"u{i}" for i in range(60)])
    y = np.where(np.arange(60) % 10 == 3, 2, np.arange(60) // 10 % 2)
    table = pd.concat([answers("a", y, np.where(y == 2, 0, 1 - y)), answers("b", y, y)])
    found = evaluation.paired(table, speakers, method="b", control="a")
    assert (found.gain, found.high) == (1.0, 1.0) and found.low == pytest.approx(1 / 3, abs=1e-9)
    assert found.p < 0.05 and found.least_p == 2 / 2**10
    y = np.where(np.arange(60) % 10 == 3, 1, 0)  # half of what is asked
    table = pd.concat([answers("a", y, 1 - y), answers("b", y, np.where(np.arange(60) == 0, 1, y))])
    found = evaluation.paired(table, speakers, method="b", control="a")
    assert found.low < 0 and (found.p, found.least_p) == (1.0, 1.0), "no answers could decide it"


def test_the_gain_is_the_difference_of_the_two_uar_of_the_summary():
    y, y_pred, speakers = uneven(np.random.default_rng(3))
    other = np.roll(y_pred, 1)
    found = evaluation.paired(
        pd.concat([answers("a", y, y_pred), answers("b", y, other)]), speakers, method="b", control="a"
    )
    uar = [float(metrics.uar(metrics.confusion(y, answer, 4))) for answer in (y_pred, other)]
    assert found.gain == pytest.approx(uar[1] - uar[0])
    assert found.low < found.gain < found.high


def test_the_swaps_are_counted_by_hand():
    """A speaker's answers are swapped whole: UAR of both is computed again for all 2^5 swaps."""
    rng = np.random.default_rng(4)
    n = 60
    y, a, b = rng.integers(0, 4, n), rng.integers(0, 4, n), rng.integers(0, 4, n)
    b = np.where(rng.random(n) < 0.3, y, b)
    who = np.arange(n) % 5
    speakers = pd.Series(who, index=[f"u{i}" for i in range(n)])
    found = evaluation.paired(
        pd.concat([answers("a", y, a), answers("b", y, b)]), speakers, method="b", control="a"
    )
    gains = []
    for bits in range(32):
        swapped = (bits >> who) & 1 == 1
        own, base = np.where(swapped, a, b), np.where(swapped, b, a)
        gains.append(
            float(metrics.uar(metrics.confusion(y, own, 4)) - metrics.uar(metrics.confusion(y, base, 4)))
        )
    assert found.gain == pytest.approx(gains[0])
    assert found.p == pytest.approx(np.mean(np.abs(gains) >= abs(gains[0]) - 1e-9))
    assert found.least_p == 2 / 32


def test_training_subjects_widen_the_interval():
    """Subject s0 is as good a teacher as any for "a", and useless for "b": it may not have been recorded."""
    rng = np.random.default_rng(5)
    n, names = 160, [f"s{i}" for i in range(8)]
    speakers = pd.Series(np.repeat(names, n // 8), index=[f"u{i}" for i in range(n)])
    y = np.tile(np.arange(4), n // 4)
    tables = []
    for number, subject in enumerate(names):
        right = np.where(rng.random(n) < 0.8, y, (y + 1) % 4)
        wrong = (y + 1) % 4 if number == 0 else right
        for method, y_pred in (("a", right), ("b", wrong)):
            table = answers(method, y, y_pred, fold=subject)
            tables.append(table[(speakers != subject).to_numpy()])
    table = pd.concat(tables)
    parts, subjects = (
        evaluation.paired(table, speakers, method="b", control="a", fold_is=kind)
        for kind in ("part", "subject")
    )
    assert parts.gain == subjects.gain < 0
    assert parts.high < 0 and parts.p < 0.05, "the same on every test speaker"
    assert subjects.high > 0 and subjects.p > 0.05, "but by one training subject of eight"


def test_seeds_widen_the_interval():
    """Better with one seed, worse with another, alike on all speakers."""
    rng = np.random.default_rng(6)
    y = np.tile(np.arange(4), 40)
    speakers = pd.Series(np.arange(160) // 16, index=[f"u{i}" for i in range(160)])
    base = [np.where(rng.random(160) < 0.5, y, (y + 1) % 4) for _ in range(3)]
    own = [np.where(rng.random(160) < share, y, (y + 1) % 4) for share in (0.9, 0.7, 0.45)]
    tables = [
        answers(m, y, a, seed=i)
        for m, all_seeds in (("a", base), ("b", own))
        for i, a in enumerate(all_seeds)
    ]
    found = evaluation.paired(pd.concat(tables), speakers, method="b", control="a")
    assert found.gain > 0.1 and found.low < 0 and found.p > 0.05


def test_the_smallest_p():
    assert differences.least_p(4) == 0.125
    assert differences.least_p(40, n_resamples=99) == 0.01
    predictions, speakers = fake_predictions(np.random.default_rng(7), speakers=30, accuracy=(0.2, 0.9))
    assert evaluation.paired(predictions, speakers, method="b", control="a").p == differences.least_p(30)


def test_nothing_in_common_is_said():
    predictions, speakers = fake_predictions(np.random.default_rng(8))
    apart = predictions.assign(fold=predictions["method"])
    with pytest.raises(ProtocolError, match="'b' and 'a' have no answer to the same utterance"):
        evaluation.paired(apart, speakers, method="b", control="a")
    pair = evaluation.Pair(question="source", method="b", control="a")
    assert evaluation.compare(apart, speakers, asked=[pair]).empty
