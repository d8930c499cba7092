"""UAR by groups of speakers and sentences, and the gaps between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serlab.evaluation import compact, gaps, scoring, units
from tests.toys import answers, utterance_table


def _answered(table: pd.DataFrame, right: np.ndarray, **values) -> pd.DataFrame:
    y = table["emotion"].cat.codes.to_numpy()
    found = answers("a", y, np.where(right, y, (y + 1) % 4), **values)
    return found.assign(utterance=table.index)


def _table(n_women: int, n_men: int, per_emotion: int = 4) -> pd.DataFrame:
    table = utterance_table({"c": n_women + n_men}, per_emotion=per_emotion)
    number = table["speaker"].str.extract(r"s(\d+)$")[0].astype(int)
    return table.assign(sex=np.where(number < n_women, "female", "male"), language="de")


def test_a_gap_is_the_difference_of_two_uar_and_its_signs_are_two():
    table = _table(5, 5)
    right = np.random.default_rng(0).random(len(table)) < np.where(table["sex"] == "female", 0.9, 0.3)
    found = gaps.by_group(_answered(table, right), table)
    sex = found[found["attribute"] == "sex"].set_index("group")
    for name, own in sex.iterrows():
        rows = (table["sex"] == name).to_numpy()
        y = table["emotion"].cat.codes.to_numpy()
        assert own["uar"] == pytest.approx(np.mean([right[rows & (y == k)].mean() for k in range(4)]))
    women, men = sex.loc["female"], sex.loc["male"]
    assert women["gap"] == pytest.approx(women["uar"] - men["uar"])
    assert list(men[["gap", "gap_low", "gap_high"]]) == pytest.approx(
        [-women["gap"], -women["gap_high"], -women["gap_low"]]
    )
    assert (women["verdict"], men["verdict"]) == (gaps.HIGHER, gaps.LOWER)
    assert women["p_holm"] == men["p_holm"] == women["p"], "one test, not two"


def test_speakers_on_one_side_only_are_compared_as_welch_does():
    """One class, as many utterances each: the shares of the speakers are their measures."""
    table = _table(4, 6, per_emotion=40)
    table = table[table["emotion"] == "joy"]
    rng = np.random.default_rng(1)
    share = dict(zip(sorted(set(table["speaker"])), rng.random(10), strict=True))
    right = rng.random(len(table)) < table["speaker"].map(share).to_numpy()
    inside = (table["sex"] == "female").to_numpy()
    found = gaps.gap_of(_answered(table, right), inside, table["speaker"])
    by_speaker = pd.Series(right).groupby([table["sex"].to_numpy(), table["speaker"].to_numpy()]).mean()
    women, men = by_speaker["female"], by_speaker["male"]
    assert found.gap == pytest.approx(women.mean() - men.mean())
    from scipy.stats import ttest_ind

    welch = ttest_ind(women, men, equal_var=False)
    low, high = welch.confidence_interval()
    # Half a speaker of chance stands beside, which makes it wider, and not by much.
    assert 1.0 <= (found.high - found.low) / (high - low) < 1.25
    assert found.p >= welch.pvalue


def test_who_says_both_sentences_is_paired_with_themself():
    table = utterance_table({"c": 8}, per_emotion=10)
    number = table["speaker"].str.extract(r"s(\d+)$")[0].astype(int).to_numpy()
    take = table["text_id"].str.extract(r"t(\d+)$")[0].astype(int).to_numpy()
    table = table.assign(text_id=np.where(take < 5, "c/first", "c/second"))
    # Good and bad speakers, and everybody is a little better at the first sentence.
    right = (take % 5) < np.where(number % 2, 4, 1) + (take < 5)
    found = gaps.by_group(_answered(table, right), table).set_index("group")
    row = found.loc["c/first"]
    assert row["gap"] == pytest.approx(0.2) and row["verdict"] == gaps.HIGHER
    assert row["gap_high"] - row["gap_low"] < 0.2 < row["uar_high"] - row["uar_low"]


def test_two_women_beside_eight_men_are_two():
    table = _table(2, 8)
    women = (table["sex"] == "female").to_numpy()
    first = (table["speaker"] == "c/s0").to_numpy()
    take = table["text_id"].str.extract(r"t(\d+)$")[0].astype(int).to_numpy()
    right = np.where(women, np.where(first, True, take < 3), take < 2)
    row = gaps.by_group(_answered(table, right), table).set_index("group").loc["female"]
    assert row["gap"] == pytest.approx(0.375)
    assert row["gap_low"] < 0 and row["verdict"] == gaps.verdicts.NO_DIFFERENCE


@pytest.mark.parametrize(("n_women", "n_men"), [(1, 5), (2, 4), (3, 3)])
def test_few_speakers_cannot_decide_however_large_the_gap(n_women, n_men):
    table = _table(n_women, n_men)
    found = gaps.by_group(_answered(table, (table["sex"] == "female").to_numpy()), table)
    sex = found[found["attribute"] == "sex"]
    assert set(sex["verdict"]) == {"cannot be decided with 6 speakers"}


def test_where_one_voice_alone_has_half_of_the_classes_nothing_is_decided():
    table = _table(6, 6)
    lone = (table["sex"] == "female") & table["emotion"].isin(["joy", "anger"]) & (table["speaker"] != "c/s0")
    table = table[~lone.to_numpy()]
    found = gaps.by_group(_answered(table, (table["sex"] == "female").to_numpy()), table)
    assert found.loc[found["attribute"] == "sex", "verdict"].str.startswith("cannot be decided").all()


def test_groups_without_a_class_in_common_have_no_gap():
    table = _table(6, 6)
    women = table["sex"] == "female"
    table = table[(women == table["emotion"].isin(["joy", "anger"])).to_numpy()]
    sex = gaps.by_group(_answered(table, np.ones(len(table), bool)), table).query("attribute == 'sex'")
    assert sex["gap"].isna().all() and sex["verdict"].str.startswith("cannot be decided").all()


def test_what_does_not_divide_is_said_and_not_shown():
    table = _table(5, 5).assign(age=None)
    table["text_id"] = [f"c/{number}" for number in range(len(table))]
    assert set(gaps.by_group(_answered(table, np.ones(len(table), bool)), table)["attribute"]) == {"sex"}
    assert gaps.not_compared(table) == {
        "age": "not known", "language": "de only", "text_id": "none is said by two speakers",
    }  # fmt: skip
    nothing = table.assign(sex=None).drop(columns="age")
    assert gaps.by_group(_answered(nothing, np.ones(len(table), bool)), nothing).empty


def test_ages_are_in_order_and_unknown_ones_are_left_out():
    table = _table(6, 6)
    number = table["speaker"].str.extract(r"s(\d+)$")[0].astype(int)
    table = table.assign(age=number.map({0: 70, 1: 71, 2: 9, 3: 8, 4: "35", 5: 36, 6: "?"}))
    found = gaps.by_group(_answered(table, np.ones(len(table), bool)), table).query("attribute == 'age'")
    assert list(found["group"]) == ["under 18", "30 to 44", "60 and over"]
    assert (found["n_speakers"] == 2).all()


@pytest.mark.parametrize("fold_is", ["part", "subject", "draw"])
def test_gaps_of_chance_are_seldom_shown(fold_is):
    rng = np.random.default_rng(3)
    table = _table(6, 6)
    claimed = []
    for _ in range(6):
        share = {name: rng.uniform(0.3, 0.8) for name in set(table["speaker"])}
        folds = [
            _answered(table, rng.random(len(table)) < table["speaker"].map(share).to_numpy(), fold=fold)
            for fold in ("c/s0", "c/s7")
        ]
        found = gaps.by_group(pd.concat(folds), table, fold_is=fold_is).query("attribute == 'sex'")
        claimed.append(found["verdict"].isin([gaps.HIGHER, gaps.LOWER]).any())
    assert sum(claimed) <= 2


@pytest.mark.parametrize("fold_is", ["part", "subject", "draw"])
def test_counted_answers_have_the_gap_and_the_uar_of_single_ones(fold_is, monkeypatch):
    monkeypatch.setattr(units, "_ROWS", 100)
    rng = np.random.default_rng(4)
    table = _table(4, 6)
    parts = [
        _answered(table, rng.random(len(table)) < 0.6, fold=fold, seed=seed)
        for fold in ("c/s0", "c/s7", "c/s9")
        for seed in (0, 1)
    ]
    single = pd.concat(parts, ignore_index=True)
    inside = (table["sex"].reindex(single["utterance"]) == "female").to_numpy()
    gap = gaps.gap_of(single, inside, table["speaker"], fold_is=fold_is)
    uar = scoring.uar(single[inside], table["speaker"], fold_is=fold_is)
    for answers_ in (single, compact.compact(single)):
        row = gaps.by_group(answers_, table, fold_is=fold_is).set_index("group").loc["female"]
        assert list(row[["gap", "gap_low", "gap_high", "p"]]) == pytest.approx(
            [gap.gap, gap.low, gap.high, gap.p]
        )
        assert list(row[["uar", "uar_low", "uar_high"]]) == pytest.approx(list(uar))
        assert (row["n_utterances"], row["n_speakers"]) == ((table["sex"] == "female").sum(), 4)
