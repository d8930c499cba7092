"""What a lesson is: its notebook, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """One exercise that can be checked.

    Attributes
    ----------
    name : str
        As in ``lesson.check(name, ...)``; unique within its lesson.
    asks : str
        What is wanted, in a few words: "a number from 0 to 1".
    hint : callable(...) -> str
        Is given what ``lesson.check`` is given behind the name. Empty where the answer is right, else
        a sentence that helps: what is wrong with *this* answer, never the answer itself.
    right : str
        Said when it is right: what that means.
    """

    name: str
    asks: str
    hint: Callable[..., str]
    right: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A lesson, as it is written; :class:`serlab.lessons.Lesson` is one that is being done.

    Attributes
    ----------
    key : str
        "1", as it is opened.
    name : str
        Of its notebook, and of the assignment: "1_listen".
    title : str
    question : str
        What it is about, in one sentence.
    checks : tuple of Check
        In the order of the notebook.
    summary : tuple of str
        What should remain, a sentence each.
    """

    key: str
    name: str
    title: str
    question: str
    checks: tuple[Check, ...]
    summary: tuple[str, ...]

    def check(self, name: str) -> Check:
        """The check of that name.

        Raises
        ------
        KeyError
            Naming those there are.
        """
        for check in self.checks:
            if check.name == name:
                return check
        known = ", ".join(check.name for check in self.checks)
        raise KeyError(f"lesson {self.key} has no check {name!r}; it has {known}")
