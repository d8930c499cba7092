"""What licences allow, and what follows for a run."""

from __future__ import annotations

import pytest

from serlab.corpora import terms


@pytest.mark.parametrize(
    ("letters", "derivatives", "commercial", "share_alike", "publishable"),
    [
        ("BY", "yes", "yes", "no", "yes"),
        ("BY-SA", "yes", "yes", "yes", "yes"),
        ("BY-NC", "yes", "no", "no", "yes"),
        ("BY-NC-SA", "yes", "no", "yes", "yes"),
        ("BY-ND", "no", "yes", "no", "scores only"),
        ("BY-NC-ND", "no", "no", "no", "scores only"),
    ],
)
def test_creative_commons(letters, derivatives, commercial, share_alike, publishable):
    found = terms.creative_commons(letters)
    assert (found.derivatives, found.commercial, found.share_alike, found.publishable) == (
        derivatives, commercial, share_alike, publishable,
    )  # fmt: skip
    assert found.redistribution == "yes"


def test_others():
    assert terms.UNKNOWN.publishable == "ask" and terms.UNKNOWN.conditions == ()
    assert terms.AGREEMENT.publishable == "scores only" and terms.AGREEMENT.conditions == ("not commercial",)
    assert terms.PUBLIC_DOMAIN.publishable == "yes" and terms.PUBLIC_DOMAIN.conditions == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CC BY-NC-SA 4.0", terms.creative_commons("BY-NC-SA")),
        ("cc-by-4.0", terms.creative_commons("BY")),
        (" CC BY-ND ", terms.creative_commons("BY-ND")),
        ("CC0 1.0", terms.PUBLIC_DOMAIN),
        ("odbl", terms.OPEN_DATABASE),
        ("", terms.UNKNOWN),
        ("not CC BY 4.0, but ask", terms.UNKNOWN),
        ("CC BY-XX", terms.UNKNOWN),
    ],
)
def test_by_name(text: str, expected: terms.Terms):
    assert terms.of(text) == expected
