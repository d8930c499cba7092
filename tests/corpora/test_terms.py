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
