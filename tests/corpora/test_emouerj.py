"""emoUERJ: fields."""

from __future__ import annotations


def test_fields(full):
    row = full("emouerj").loc["emouerj/w04a11"]
    assert row[["speaker", "sex", "native_label", "language"]].to_list() == [
        "emouerj/w04",
        "female",
        "a",
        "pt-BR",
    ]


def test_sentences_are_not_known(full):
    assert full("emouerj")["text_id"].isna().all()
