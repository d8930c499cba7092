"""What is written down of a paper's protocol, and of where a run departs from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Pair(NamedTuple):
    """An experiment of a paper; ``source`` is empty within a corpus."""

    experiment: str
    source: str
    target: str


class Features(NamedTuple):
    """What a paper's method was fed, in words, and the feature sets that are that."""

    words: str
    sets: tuple[str, ...]


class Split(NamedTuple):
    """How a paper divides a target, in words, the protocols that are that, and its number of folds."""

    words: str
    protocols: tuple[str, ...]
    folds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Departure:
    """One thing in which a run is not what the paper printed."""

    what: str
    printed: str
    here: str

    def __str__(self) -> str:
        return f"{self.what}: {self.printed} there, {self.here} here"


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a paper measured, as printed. What is empty or None it does not print.

    Attributes
    ----------
    pairs : tuple of Pair
        Its experiments, in its order.
    schemes : tuple of str
        Label schemes that give its classes.
    classes : mapping
        Target -> number of classes; "" for all others.
    utterances : mapping
        Corpus -> number of utterances it used.
    features : mapping
        Row of its tables -> what it was fed; "" for all others.
    splits : mapping
        Row of its tables -> how its target is divided; "" for all others.
    seconds : float, optional
        At which length utterances are cut; infinite: no cut is mentioned.
    repeats : int, optional
        Of a stochastic method.
    left_open : tuple of str
        What cannot be compared because it is not printed.
    """

    pairs: tuple[Pair, ...]
    schemes: tuple[str, ...] = ()
    classes: Mapping[str, int]
    utterances: Mapping[str, int]
    features: Mapping[str, Features]
    splits: Mapping[str, Split]
    seconds: float | None = None
    repeats: int | None = None
    left_open: tuple[str, ...] = ()
