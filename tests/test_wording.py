"""Numbers of things are put in the plural in one place."""

from __future__ import annotations

import re
from pathlib import Path

from serlab.wording import count

PACKAGE = Path(__file__).resolve().parents[1] / "serlab"
#: "{n} file(s)", and "file{'' if n == 1 else 's'}".
BY_HAND = re.compile(r"\} (?:[a-z]+ )*[a-z]+\((?:s|es)\)|else 's'\}|'s' if")


def test_one_and_several() -> None:
    assert [count(n, "fold") for n in (0, 1, 2)] == ["0 folds", "1 fold", "2 folds"]
    assert [count(n, "try", "tries") for n in (1, 2)] == ["1 try", "2 tries"]


def test_no_plural_is_made_by_hand() -> None:
    by_hand = [path.name for path in PACKAGE.rglob("*.py") if BY_HAND.search(path.read_text("utf-8"))]
    assert not by_hand, "serlab.wording.count says it"
