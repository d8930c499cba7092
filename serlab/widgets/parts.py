"""Parts of a notebook that a choice may leave out, each with its reason in its place."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from IPython.display import display

from serlab.errors import ParameterError, ProtocolError, SerlabError
from serlab.experiment import NotKept, Session, times
from serlab.experiment.further import STUDIES
from serlab.progress import duration


class NotChosen(SerlabError):
    """A study was not asked for."""


#: A choice that leaves nothing to show: no such method among those run, no such study, nothing kept.
_REASONS = (NotChosen, NotKept, ParameterError, ProtocolError)


@contextmanager
def where_possible() -> Iterator[None]:
    """Show what a block shows; where the choice leaves it nothing to show, the reason.

    Errors of other kinds (a network that cannot be trained, a file that cannot be read, a mistake in code)
    end the notebook as ever.

    Examples
    --------
    >>> with where_possible():  # doctest: +SKIP
    ...     plotting.plot_few_shot(curve.summary, chance=outcome.chance)
    """
    try:
        yield
    except _REASONS as reason:
        display(LeftOut(str(reason)))


class LeftOut:
    """Why something is not shown."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Left out here: {self.reason.rstrip('.')}."

    def _repr_html_(self) -> str:
        return f'<p class="none">{html.escape(repr(self))}</p>'


class _Unasked:
    """Stands for the session of a study that was not chosen: whatever is asked of it says so."""

    def __init__(self, reason: str) -> None:
        self.__dict__["reason"] = reason

    def __getattr__(self, name: str) -> NoReturn:
        raise NotChosen(self.__dict__["reason"])


@contextmanager
def study(session: Session, name: str) -> Iterator[Session]:
    """The session for a study, if it was chosen (``studies``); else its block is left out, and says so.

    Parameters
    ----------
    session : Session
    name : str
        Of :data:`serlab.experiment.further.STUDIES`.
    """
    asked: Any = session
    if name not in session.parameters.studies:
        asked = _Unasked(unasked(session, name))
    with where_possible():
        yield cast(Session, asked)


def unasked(session: Session, name: str) -> str:
    """What stands in the place of a study that was not chosen."""
    took = times.study(name, session.parameters)
    time = "" if took is None else f"; it took {duration(took)} before"
    return f"{STUDIES[name].title} ({name!r} is not among the studies chosen{time})"
