"""What a source model is asked before it is moved."""

from __future__ import annotations

from serlab import experiment
from serlab.studies import source_stage


def test_each_source_is_its_own_target_as_the_paper_divides_it():
    parameters = experiment.Parameters(
        target="urdu", sources=("emodb", "ravdess"), methods=("light-target", "light-mmd"), seeds=(3, 4),
        baseline="light-target", features="speechmel40", scheme="baklouti", label_sets="shared",
        protocol="speaker-groups", preset="demo",
    )  # fmt: skip
    for name in parameters.sources:
        own = source_stage.beside(experiment.Session(parameters), name).parameters
        assert (own.target, own.sources, own.methods) == (name, (), ("light-target",))
        assert (own.protocol, own.folds, own.label_sets, own.seeds) == ("random", 5, "scheme", (3,))
        assert (own.scheme, own.features, own.preset) == ("baklouti", "speechmel40", "demo")
