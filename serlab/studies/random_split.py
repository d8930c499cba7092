"""The same experiment with a random split, as some papers print it: to stand beside, badged."""

from __future__ import annotations

from collections.abc import Sequence

from serlab.experiment import Outcome, Parameters, Session
from serlab.methods import FIT_ARGUMENTS


def run(session: Session, *, methods: Sequence[str], seeds: Sequence[int] | None = None) -> Outcome:
    """Repeat an experiment with random folds of four fifths to one fifth: test speakers are trained on.

    Parameters
    ----------
    session : Session
        The speaker-independent experiment; this one goes into ``random-split`` in its folder.
    methods : sequence of str
        Of those of the parameters, which to repeat; all, if none of them is there.
    seeds : sequence of int, optional
        Others than the experiment's.
    """
    parameters = session.parameters
    chosen = tuple(name for name in parameters.methods if name in methods)
    beside = session.beside(
        "random-split",
        protocol="random",
        folds=5,
        methods=chosen or parameters.methods,
        seeds=parameters.seeds if seeds is None else tuple(seeds),
    )
    return beside.run(with_details=False, with_controls=False)


def labelled_methods(parameters: Parameters) -> list[str]:
    """Methods that learn from labelled target utterances: for them a random split is another task.

    For a demo, to save time, without those that only train further.
    """
    found = [spec for spec in parameters.specs() if "target_train" in FIT_ARGUMENTS[spec.access]]
    if parameters.preset == "demo":
        found = [spec for spec in found if not spec.uses_source or "trade_off" in spec.options]
    return [spec.name for spec in found]
