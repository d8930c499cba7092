"""Tables of answers in few bytes say what those of text say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import files
from serlab.evaluation import compact, compare, score, summarise

SPEAKERS = pd.Series({f"u{n:03d}": f"s{n % 7}" for n in range(140)})


def as_text(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers of three methods in two folds and seeds, names as text; and their fits."""
    rng = np.random.default_rng(seed)
    names = SPEAKERS.sample(frac=1, random_state=seed).index
    fits = pd.MultiIndex.from_product(
        [["rf-source", "rf-source-z", "majority"], ["late", "early"], [10, 2]],
        names=["method", "fold", "seed"],
    ).to_frame(index=False)
    parts = []
    for fit in fits.itertuples(index=False):
        own = names[::2] if fit.fold == "late" else names[1::2]
        proba = rng.dirichlet(np.ones(3), len(own)).astype(np.float16).astype(np.float32)
        part = pd.DataFrame(
            {"run": "r", **fit._asdict(), "utterance": own, "y_true": rng.integers(0, 3, len(own))}
        )
        parts.append(
            part.assign(y_pred=proba.argmax(axis=1), p_a=proba[:, 0], p_b=proba[:, 1], p_c=proba[:, 2])
        )
    told = {"access": "source", "target_seen": "nothing", "normalization": "corpus", "transductive": False}
    counts = {"n_train": 1, "n_target": 0, "n_adapt": 0, "n_test": 70, "seconds": 1.0, "skipped": ""}
    return pd.concat(parts, ignore_index=True), fits.assign(**told, **counts)


def test_what_is_measured_is_the_same_to_the_last_bit() -> None:
    text, fits = as_text()
    found = compact.compact(text)
    assert found.memory_usage(deep=True).sum() < 0.4 * text.memory_usage(deep=True).sum()
    pd.testing.assert_frame_equal(score(found, fits), score(text, fits))
    for fold_is in ("part", "subject", "draw"):
        results = score(text, fits)
        one, other = (summarise(table, results, SPEAKERS, fold_is=fold_is) for table in (found, text))
        pd.testing.assert_frame_equal(one, other)
        one, other = (compare(table, SPEAKERS, fold_is=fold_is) for table in (found, text))
        pd.testing.assert_frame_equal(one, other)


def test_kept_as_text_in_parts_and_read_compact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "_ROWS", 100)  # several parts
    text, _ = as_text()
    found = compact.compact(text)
    compact.write(tmp_path / "a.parquet", found, compression="zstd")
    assert pd.read_parquet(tmp_path / "a.parquet")["utterance"].tolist() == text["utterance"].tolist()
    files.write_table(tmp_path / "b.parquet", text)
    for name in "ab":  # whoever has written it
        pd.testing.assert_frame_equal(compact.read(tmp_path / f"{name}.parquet"), found)
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[:-100])
    with pytest.raises(files.DamagedFile):
        compact.read(tmp_path / "a.parquet")


def test_rows_below_each_other_know_all_names() -> None:
    text, _ = as_text()
    parts = [part for _, part in text.groupby(["method", "fold"], sort=False)]
    stacked = compact.stacked([compact.trimmed(compact.compact(part)) for part in parts])
    whole = compact.compact(pd.concat(parts, ignore_index=True))
    pd.testing.assert_frame_equal(stacked, whole)
    own = [compact.trimmed(compact.compact(part)) for part in parts]
    pd.testing.assert_frame_equal(compact.stacked(own, consumed=True), whole)
    for column in compact.NAMES:  # as pandas does it
        expected = compact.compact(parts[1])[column].cat.remove_unused_categories()
        pd.testing.assert_series_equal(compact.trimmed(compact.compact(parts[1]))[column], expected)
    order = ["early", "late"]
    for table in (whole, text):
        assert compact.places(table["fold"], order).tolist() == [order.index(name) for name in table["fold"]]
    mixed = compact.stacked([compact.compact(text), text])
    assert mixed["utterance"].tolist() == [*text["utterance"], *text["utterance"]]


def test_rows_of_a_method_are_found_wherever_they_stand() -> None:
    text, _ = as_text()
    for table in (compact.compact(text), compact.compact(text.sample(frac=1, random_state=1)), text):
        for method in ("rf-source", "majority", "none of them"):
            own = compact.of_method(table, method)
            pd.testing.assert_frame_equal(own, table[table["method"] == method])
    assert compact.methods_in(compact.compact(text)) == ["rf-source", "rf-source-z", "majority"]


def test_numbers_that_do_not_fit_stay_as_they_are() -> None:
    table = pd.DataFrame({"utterance": [1, 2], "seed": [0, 2**40], "y_true": [0, 1], "p_a": [0.1, 0.2]})
    found = compact.compact(table)
    assert found["seed"].tolist() == [0, 2**40]
    assert found["p_a"].dtype == np.float64  # not rounded, and not changed
    assert found["utterance"].tolist() == [1, 2]
