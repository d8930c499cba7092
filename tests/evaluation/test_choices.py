"""What was chosen on sources left out, in a table and in words."""

from __future__ import annotations

import pandas as pd

from serlab.evaluation import choices

UAR = {
    ("as it is", 1.0): (0.5, 0.5), ("as it is", 3.0): (0.5, 0.6),
    ("cautious", 1.0): (0.9, 0.1), ("cautious", 3.0): (0.7, 0.7),
}  # fmt: skip


def made(method: str = "m", chosen: tuple[str, float] = ("cautious", 3.0), fold: str = "1") -> pd.DataFrame:
    rows = [
        (method, fold, 0, source, penalty, way, uar, (way, penalty) == chosen)
        for (way, penalty), values in UAR.items()
        for source, uar in zip(("a", "uar"), values, strict=True)
    ]
    columns = ["method", "fold", "seed", "left_out", "penalty", "way", "uar", "chosen"]
    return pd.DataFrame(rows, columns=columns)


def test_each_way_stands_with_its_best_penalty():
    table = choices.by_way(made())
    assert table["way"].tolist() == ["cautious", "as it is"] and table["penalty"].tolist() == [3.0, 3.0]
    assert table["uar"].round(9).tolist() == [0.7, 0.55] and table["chosen"].tolist() == [1.0, 0.0]
    assert table["UAR on uar"].tolist() == [0.7, 0.6], "a corpus may have any name"
    assert choices.by_way(pd.DataFrame()).empty and choices.told(pd.DataFrame()) == {}


def test_folds_that_choose_otherwise_are_told():
    both = pd.concat([made(), made(chosen=("as it is", 3.0), fold="2"), made("n", ("as it is", 3.0))])
    told = choices.told(both)
    assert told["m"].startswith("chosen on sources left out: cautious in 50% of its fits, as it is in 50%")
    assert told["n"] == "chosen on sources left out: as it is (UAR there 0.55)"
