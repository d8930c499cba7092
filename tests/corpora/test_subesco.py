"""SUBESCO: fields, and the name with a stray bracket."""

from __future__ import annotations


def test_fields(full):
    row = full("subesco").loc["subesco/F_02_MONIKA_S_2_SURPRISE_3"]
    assert row[["speaker", "sex", "native_label", "text_id", "repetition"]].to_list() == [
        "subesco/F_02",
        "female",
        "SURPRISE",
        "subesco/02",
        3,
    ]


def test_the_stray_bracket_is_in_the_path_only(full):
    assert full("subesco").loc["subesco/F_02_MONIKA_S_2_SURPRISE_3", "path"].endswith("_3].wav")
