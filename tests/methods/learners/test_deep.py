"""What of a network goes on from the source to the target."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from serlab.methods.learners.deep import FineTuned, Network
from serlab.models.layer_weighting import LayerWeighting
from serlab.samples import Labelled
from serlab.training import PLAIN, Settings

N_LAYERS, WIDTH = 3, 4


def part(seed: int) -> Labelled:
    """Two classes, told apart in the last layer alone."""
    rng = np.random.default_rng(seed)
    y = np.arange(40) % 2
    X = rng.normal(0, 1, (40, N_LAYERS * WIDTH)).astype(np.float32)
    X[:, -WIDTH:] += 3 * y[:, None]
    return Labelled(X=X, corpus=np.full(40, "a"), speaker=np.full(40, "a/1"), y=y)


def network(epochs: int) -> Network:
    settings = Settings(epochs=epochs, batch_size=8, learning_rate=0.05)

    def build(n_features: int) -> LayerWeighting:
        return LayerWeighting(n_features, 2, n_layers=N_LAYERS, units=5)

    return Network(build, 2, 0, settings, balanced=True, fitting=PLAIN, stage="source")


def test_all_that_was_learned_goes_on_to_the_target_weights_of_layers_too():
    method = FineTuned(network(20), on_target=Settings(epochs=0, batch_size=8))
    method.fit(source=part(0), target_train=part(1))
    source, target = (found.module.state_dict() for found in (method.source, method.target))
    assert source["scores"].abs().min() > 0.1, "the source has chosen layers"
    assert source.keys() == target.keys()
    for name, value in source.items():
        assert torch.equal(target[name], value), name


@pytest.mark.parametrize("update", [("scores",), ("dense", "output")])
def test_weights_of_layers_are_a_part_that_learns_or_stays(update):
    method = FineTuned(network(3), on_target=Settings(epochs=2, batch_size=8), update=update)
    method.fit(source=part(0), target_train=part(1))
    source, target = (dict(found.module.named_parameters()) for found in (method.source, method.target))
    changed = {name.split(".")[0] for name in source if not torch.equal(source[name], target[name])}
    assert changed == set(update)
