"""What the first of two stages reaches by itself: each source within itself, as Baklouti et al. print it.

Table 2 of the paper: VGG16 trained on four fifths of a corpus and tested on the last, whoever speaks. A
source model that does not know its own corpus has little to move to another one.
"""

from __future__ import annotations

from collections.abc import Mapping

from serlab import methods
from serlab.errors import ParameterError
from serlab.experiment import Outcome, Parameters, Session


def method_of(parameters: Parameters) -> str:
    """The method that learns from one corpus alone, of the network that is moved: the baseline.

    Raises
    ------
    ParameterError
        If the baseline sees more than one corpus; :class:`serlab.experiment.Parameters` lets none through.
    """
    if methods.get(parameters.baseline).uses_source:
        raise ParameterError(f"{parameters.baseline} does not learn from one corpus alone")
    return parameters.baseline


def beside(session: Session, source: str) -> Session:
    """A source as its own target: a random split, all classes of the scheme, first seed only."""
    name = method_of(session.parameters)
    return session.beside(
        f"source-stage-{source}",
        target=source,
        sources=(),
        methods=(name,),
        baseline=name,
        protocol="random",
        folds=5,
        label_sets="scheme",
        seeds=session.parameters.seeds[:1],
    )


def run(session: Session) -> Mapping[str, Outcome]:
    """Outcome of each source, in folders ``source-stage-<source>`` of the experiment's."""
    sources = session.parameters.sources
    return {source: beside(session, source).run(with_details=False) for source in sources}
