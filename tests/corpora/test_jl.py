"""JL corpus: fields, and secondary emotions."""

from __future__ import annotations

from serlab import labels


def test_fields(full):
    row = full("jl").loc["jl/female1_angry_10a_1"]
    assert row[
        ["speaker", "sex", "native_label", "text_id", "letter", "repetition", "language"]
    ].to_list() == [
        "jl/female1",
        "female",
        "angry",
        "jl/10",
        "a",
        1,
        "en-NZ",
    ]


def test_secondary_emotions_are_words_that_schemes_leave_out(full):
    table = full("jl")
    left_out = labels.scheme("seven").left_out_counts(table)["jl"]
    assert left_out.to_dict() == dict.fromkeys(
        ("anxiety", "apology", "assertiveness", "concern", "encouragement", "excitement"), 240
    )
