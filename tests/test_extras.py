"""What is said where an optional package is missing."""

from __future__ import annotations

import sys

import pytest

from serlab import extras
from serlab.errors import ParameterError


def test_installed_packages_are_no_reason_to_complain():
    extras.require("numpy", "pandas", extra="x", purpose="a table")


def test_missing_ones_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(ParameterError) as caught:
        extras.require("numpy", "jiwer", "nowhere_to_be_found", extra="asr", purpose="an error rate")
    assert str(caught.value) == "an error rate needs jiwer and nowhere_to_be_found: pip install 'serlab[asr]'"
    with pytest.raises(ParameterError, match=r"\[asr\]'\. Or do without$"):
        extras.require("jiwer", extra="asr", purpose="it", instead="Or do without")
