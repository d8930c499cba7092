"""The table that adapters are derived from."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from serlab.errors import ParameterError
from serlab.training import learner, settings
from serlab.training.objectives import OBJECTIVES
from serlab.training.objectives.base import Batch
from tests.training.objectives.test_adversarial import Perceptron


def test_names_are_unique():
    assert len({spec.name for spec in OBJECTIVES}) == len(OBJECTIVES)
    assert all(spec.title and spec.reference and "trade_off" in spec.options for spec in OBJECTIVES)


@pytest.mark.parametrize("spec", OBJECTIVES, ids=lambda spec: spec.name)
def test_an_objective_is_what_its_entry_says(spec):
    objective = spec.build(trade_off=0.5)
    assert objective.trade_off == 0.5
    assert all(getattr(objective, name) == value for name, value in spec.arguments.items())
    torch.manual_seed(0)
    network, of = Perceptron(), Batch(torch.randn(7, 4), torch.arange(7) % 3, torch.randn(5, 4))
    logits, terms = objective(network, objective.companions(6, 3), of, cross_entropy, 0.3)
    assert logits.shape == (7, 3) and "classification" in terms and len(terms) > 1
    assert all(term.isfinite() for term in terms.values())
    with pytest.raises(ParameterError, match="trade-off"):
        spec.build(trade_off=-1.0)


@pytest.mark.parametrize("name", settings.OPTIMIZERS)
def test_settings_know_the_optimizers(name):
    made = learner.optimizer_of(list(Perceptron().parameters()), settings.Settings(epochs=1, optimizer=name))
    assert type(made).__name__.lower() == name
