"""Where units of a plan are computed, by name: :data:`BACKENDS`.

A backend opens a *crew*: workers that each do one unit at a time. Which unit
which worker gets, what is done again and what is told is decided in one place
for all of them (:mod:`serlab.reporting.dispatch`).
"""

from __future__ import annotations

from serlab import extras
from serlab.errors import ParameterError, meant
from serlab.reporting.backends import local, on_dask
from serlab.reporting.backends.base import Answer, Backend, Crew, CrewLost, Event, Place

__all__ = ["BACKENDS", "Answer", "Backend", "Crew", "CrewLost", "Event", "Place", "get"]

#: In the order of listings; the first is the default.
BACKENDS: dict[str, Backend] = {module.BACKEND.name: module.BACKEND for module in (local, on_dask)}


def get(name: str) -> Backend:
    """Backend by name; its library is there.

    Raises
    ------
    ParameterError
        Listing the known ones, or saying what to install.
    """
    if name not in BACKENDS:
        raise ParameterError(f"unknown backend {name!r}{meant(name, BACKENDS)}; known: {', '.join(BACKENDS)}")
    found = BACKENDS[name]
    if found.requires:
        extras.require(found.requires, extra=found.extra, purpose=f"the backend {name!r}")
    return found
