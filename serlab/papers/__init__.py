"""What the papers printed, as data, and what of it can be set beside our numbers."""

from __future__ import annotations

from types import ModuleType

from serlab.errors import ParameterError
from serlab.papers import andova_lustrek, baklouti, durrani_arshad, emobox, neumann_vu, zhou_beigi
from serlab.papers.base import Departure, Paper

__all__ = ["PAPERS", "Departure", "Paper", "get"]

_MODULES: tuple[ModuleType, ...] = (
    andova_lustrek,
    neumann_vu,
    durrani_arshad,
    baklouti,
    zhou_beigi,
    emobox,
)

#: Key -> paper, in the order of the notebooks.
PAPERS: dict[str, Paper] = {module.PAPER.key: module.PAPER for module in _MODULES}


def get(key: str) -> Paper:
    """Paper by key.

    Raises
    ------
    ParameterError
        Listing the known papers.
    """
    if key not in PAPERS:
        raise ParameterError(f"unknown paper {key!r}; known: {', '.join(PAPERS)}")
    return PAPERS[key]
