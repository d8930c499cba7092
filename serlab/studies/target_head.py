"""Corpora with different classes: an output layer for those of the target."""

from __future__ import annotations

from serlab import methods
from serlab.experiment import Outcome, Session

#: Target-only method of an experiment -> what is run with all classes of the target; else the light network.
_ON_NETWORK = {"vgg16-target": ("vgg16-target", "vgg16-unaligned-head", "vgg16-mmd-head")}


def beside(session: Session) -> Session:
    """The same with the classes of all corpora, first seed only, and methods with a head for the target."""
    names = _ON_NETWORK.get(session.parameters.baseline, methods.GROUPS["target-head"])
    return session.beside(
        "target-head",
        label_sets="any",
        methods=names,
        baseline=names[0],
        primary=names[1:],
        seeds=session.parameters.seeds[:1],
    )


def run(session: Session) -> Outcome:
    """Run :func:`beside`, in the folder ``target-head`` of an experiment."""
    return beside(session).run(with_details=False, with_controls=False)
