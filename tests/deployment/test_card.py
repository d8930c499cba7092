"""The card says what was measured, and what the licences say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from serlab import deployment
from serlab.deployment import card
from serlab.deployment.model import Source

SOURCE = Source(
    name="x", title="X", licence="CC BY-NC-ND 4.0", citation="A. Author", speech="acted", languages=("de",),
    redistribution="yes", derivatives="no", commercial="no", share_alike="no", utterances=1, speakers=1,
    fingerprint="0",
)  # fmt: skip


def test_a_card_names_corpora_numbers_and_limits(kept: Path):
    text = (kept / "README.md").read_text()
    model = deployment.load_model(kept)
    assert "must not decide" in text and "Mean UAR on corpora left out" in text
    for source in model.sources:
        assert source.name in text and source.fingerprint in text
    values = json.loads((kept / "card.json").read_text())
    assert {row["corpus"] for row in values["uar"]} == {"near", "far"}
    assert {row["sex"] for row in values["uar_by_sex"]} == {"female", "male"}
    row = next(row for row in values["uar"] if row["corpus"] == "far" and row["form"] == "adapted")
    assert f"{row['uar']:.2f} [{row['uar_low']:.2f}, {row['uar_high']:.2f}]" in text
    assert "It takes three corpora" in text
    assert values["notes"] == [] and {row["corpus"] for row in values["labels"]} == {"near", "far"}
    assert all(sum(row[name] for name in model.classes) > 0 for row in values["labels"])


def test_classes_that_a_corpus_lacks_and_recordings_that_were_not_used_are_told():
    labels = pd.DataFrame({"anger": [3, 2], "joy": [1, 0]}, index=["one", "two"])
    lacks, unused = card.notes(labels, pd.Series({"one": 1}))
    assert lacks.startswith("two has no joy") and unused.startswith("1 recording of one could not be used")


def test_licences_that_forbid_are_told():
    assert "keep this model to yourself" in card.terms([SOURCE])[0]
    assert "Not for commercial use: X" in card.terms([SOURCE])[1]
    assert "ask its publisher" in card.terms([replace(SOURCE, derivatives="unknown")])[0]
    same = replace(SOURCE, derivatives="yes", commercial="yes", share_alike="yes")
    assert "under the same licence" in card.terms([same])[0]
    assert "says nothing of real speech" in card.terms([replace(SOURCE, speech="synthetic")])[0]
    assert card.terms([replace(SOURCE, derivatives="yes", commercial="yes")]) == []


def test_names_break_no_table():
    assert card.terms([replace(SOURCE, title="a|b<script>", derivatives="unknown")])
    model_table = card._table(("a|b", "c"), [("<b>", "x\ny")])
    assert card._escaped("[x](https://a.b)") == "[x]\\(https://a.b)"
    assert "a\\|b" in model_table and "&lt;b>" in model_table and len(model_table.splitlines()) == 3
