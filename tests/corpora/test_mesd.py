"""MESD: fields; voices stand for speakers."""

from __future__ import annotations


def test_fields(full):
    row = full("mesd").loc["mesd/Anger_C_A_waa"]
    assert row[["speaker", "sex", "native_label", "text_id", "word_list"]].to_list() == [
        "mesd/C",
        None,
        "Anger",
        "mesd/waa",
        "A",
    ]
