"""Measures of predictions and their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from serlab import evaluation, metrics
from tests.toys import answers, fake_predictions, uneven


def test_one_test_speaker_has_no_interval():
    predictions, speakers = fake_predictions(np.random.default_rng(2), speakers=1)
    fits = pd.DataFrame([{**dict.fromkeys(evaluation.FIT_COLUMNS, ""), "method": m, "fold": "f", "seed": 0,
                          "n_train": 1, "n_target": 1, "n_test": 40, "seconds": 0.0, "transductive": False}
                         for m in "ab"])  # fmt: skip
    summary = evaluation.summarise(predictions, evaluation.score(predictions, fits), speakers)
    assert summary["uar"].notna().all() and summary["uar_low"].isna().all()


def summary_of(tables: list[pd.DataFrame], speakers: pd.Series, **more) -> pd.DataFrame:
    predictions = pd.concat(tables, ignore_index=True)
    keys = predictions[["method", "fold", "seed"]].drop_duplicates()
    fits = keys.assign(access="none", normalization="source", target_seen="0 labelled", transductive=False,
                       n_train=1, n_target=1, n_test=40, seconds=0.0, skipped="")  # fmt: skip
    return evaluation.summarise(predictions, evaluation.score(predictions, fits), speakers, **more)


@pytest.mark.parametrize("fold_is", ["part", "subject", "draw"])
def test_a_constant_answer_is_chance_exactly(fold_is):
    """Whatever classes folds and speakers lack: one speaker has a class alone, most have one each."""
    y, _, speakers = uneven(np.random.default_rng(0))
    y, speakers = (
        np.append(y, [4, 4, 4]),
        pd.concat([speakers, pd.Series("s8", [f"u{i}" for i in (120, 121, 122)])]),
    )
    names = sorted(set(speakers))
    tables = []
    for fold in names:
        tested = (speakers != fold) if fold_is == "subject" else (speakers == fold)
        table = answers("a", y, np.full(len(y), 4), fold=fold).assign(p_fear=0.0)
        tables.append(table[tested.to_numpy()])
    row = summary_of(tables, speakers, fold_is=fold_is).iloc[0]
    assert (row["uar"], row["uar_low"], row["uar_high"]) == pytest.approx((0.2, 0.2, 0.2), abs=1e-12)
    assert (row["recall_fear"], row["recall_fear_low"], row["recall_joy_high"]) == (1.0, 1.0, 0.0)


def test_fits_that_answer_one_class_are_counted():
    y, y_pred, speakers = uneven(np.random.default_rng(1))
    constant = np.full(len(y), 2)
    almost = constant.copy()
    almost[0] = 1
    tables = [
        answers("a", y, made, fold=fold) for fold, made in (("f", constant), ("g", almost), ("h", y_pred))
    ]
    alone = answers("a", np.zeros(len(y), dtype=int), np.zeros(len(y), dtype=int), fold="of one class")
    assert summary_of([*tables, alone], speakers).iloc[0]["one_class"] == pytest.approx(2 / 3)
    assert np.isnan(evaluation.scoring.one_class_share(alone)), "whoever is tested on one class may answer it"


def test_uar_is_the_diagonal_of_the_whole_confusion_whatever_the_folds():
    y, y_pred, speakers = uneven(np.random.default_rng(1))
    folds = {"one": np.full(len(y), "all"), "many": speakers.to_numpy()}
    rows = [summary_of([answers("a", y, y_pred, fold=fold)], speakers).iloc[0] for fold in folds.values()]
    counts = metrics.confusion(y, y_pred, 4)
    for row in rows:
        assert row["uar"] == pytest.approx(float(metrics.uar(counts)))
        assert row["macro_f1"] == pytest.approx(float(metrics.macro_f1(counts)))
        assert row[["recall_anger", "recall_joy"]].tolist() == pytest.approx(
            metrics.recall(counts)[:2].tolist()
        )
    assert rows[0]["uar_low"] == pytest.approx(rows[1]["uar_low"])


def test_the_interval_is_that_of_leaving_out_each_speaker_by_a_loop():
    y, y_pred, speakers = uneven(np.random.default_rng(2))
    row = summary_of([answers("a", y, y_pred)], speakers).iloc[0]
    values = []
    for name in sorted(set(speakers)):
        kept = (speakers != name).to_numpy()
        values.append(float(metrics.uar(metrics.confusion(y[kept], y_pred[kept], 4))))
    error = np.sqrt(8 / 9 * np.sum((np.array(values) - row["uar"]) ** 2))
    half = (row["uar_high"] - row["uar_low"]) / 2
    assert 2.306 < half / error < 4.31, "t of at most 8 degrees of freedom, fewer for uneven speakers"
    counts = np.array(
        [metrics.confusion(y[speakers == s], y_pred[speakers == s], 4) for s in sorted(set(speakers))]
    )
    shares = counts.sum(axis=2) / counts.sum(axis=(0, 2))
    weight = (shares**2).sum(axis=1)
    t = stats.t.ppf(0.975, weight.sum() ** 2 / (weight**2).sum() - 1)
    recall, n = metrics.recall(counts.sum(axis=0)), counts.sum(axis=(0, 2))
    towards = (recall * n + 0.5) / (n + 1)
    chance = np.sum(towards * (1 - towards) / n) / 16
    assert half == pytest.approx(t * np.sqrt(error**2 + chance / 2 / 9)), "half a speaker by chance alone"


@pytest.mark.parametrize("fold_is", ["part", "draw"])
def test_a_class_of_one_speaker_is_not_known_of_others(fold_is):
    """Its recall is 1 of him, which once was an interval of no width."""
    y, y_pred, speakers = uneven(np.random.default_rng(4))
    y, y_pred = np.append(y, [4] * 3), np.append(y_pred, [4] * 3)
    speakers = pd.concat([speakers, pd.Series("s8", [f"u{i}" for i in (120, 121, 122)])])
    tables = [answers("a", y, y_pred, fold=fold).assign(p_fear=0.0) for fold in ("f", "g")]
    row = summary_of(tables, speakers, fold_is=fold_is).iloc[0]
    assert (row["recall_fear"], row["recall_fear_low"], row["recall_fear_high"]) == (1.0, 0.0, 1.0)
    without = y < 4
    others = summary_of([table[without] for table in tables], speakers[without], fold_is=fold_is).iloc[0]
    width = row["uar_high"] - row["uar_low"]
    assert width > 0.2 + 0.7 * (others["uar_high"] - others["uar_low"]), "a fifth of it, and the others"


def test_training_subjects_leave_with_their_own_utterances():
    y, y_pred, speakers = uneven(np.random.default_rng(3), n=300)
    tables = [answers("a", y, np.roll(y_pred, i), fold=name)[(speakers != name).to_numpy()]
              for i, name in enumerate(sorted(set(speakers)))]  # fmt: skip
    row = summary_of(tables, speakers, fold_is="subject").iloc[0]
    table, values = pd.concat(tables), []
    for name in sorted(set(speakers)):
        left = table[(table["fold"] != name) & (speakers.reindex(table["utterance"]) != name).to_numpy()]
        values.append(float(metrics.uar(metrics.confusion(left["y_true"], left["y_pred"], 4))))
    error = np.sqrt(8 / 9 * np.sum((np.array(values) - row["uar"]) ** 2))
    assert 2.306 < (row["uar_high"] - row["uar_low"]) / 2 / error < 3.5
