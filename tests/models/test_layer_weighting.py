"""How much of each layer: shapes, identities, and which one is found."""

from __future__ import annotations

import pytest
import torch

from serlab import training
from serlab.errors import ParameterError
from serlab.models.layer_weighting import LayerWeighting
from serlab.training import Settings

WIDTH, N_LAYERS, N_CLASSES = 6, 4, 3


def network(*, n_layers: int = N_LAYERS, units: int | None = 5, seed: int = 0) -> LayerWeighting:
    with training.seeded(seed):
        return LayerWeighting(n_layers * WIDTH, N_CLASSES, n_layers=n_layers, units=units)


def vectors(n: int, n_layers: int = N_LAYERS, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n_layers * WIDTH, generator=torch.Generator().manual_seed(seed))


def test_what_it_shows():
    module, X = network().eval(), vectors(7)
    logits, hidden = module(X), module.hidden(X)
    assert logits.shape == (7, N_CLASSES) and hidden.shape == module.embed(X).shape == (7, 5)
    torch.testing.assert_close(module.classify(hidden), logits)
    layers = module.layers(X)
    assert {name: tuple(part.shape) for name, part in layers.items()} == {
        "weighted layers": (7, WIDTH), "dense": (7, 5), "output": (7, N_CLASSES),
    }  # fmt: skip
    torch.testing.assert_close(layers["output"], logits)
    torch.testing.assert_close(layers["dense"], hidden)


def test_weights_are_shares_and_begin_equal():
    module = network()
    torch.testing.assert_close(module.weights(), torch.full((N_LAYERS,), 1 / N_LAYERS))
    module.scores.data = torch.tensor([3.0, -1.0, 0.5, 0.0])
    assert module.weights().sum().item() == pytest.approx(1) and (module.weights() > 0).all()


def test_the_sum_is_that_of_the_normalised_layers():
    module, X = network().eval(), vectors(9)
    module.scores.data = torch.tensor([1.0, 0.0, -2.0, 0.5])
    module.scale.running_mean.copy_(X.mean(dim=0))
    module.scale.running_var.copy_(X.var(dim=0, correction=0))
    z = (X - X.mean(dim=0)) / (X.var(dim=0, correction=0) + module.scale.eps).sqrt()
    expected = sum(
        share * z[:, i * WIDTH : (i + 1) * WIDTH] for i, share in enumerate(module.weights().tolist())
    )
    torch.testing.assert_close(module.layers(X)["weighted layers"], expected)


def test_of_one_layer_nothing_is_weighed():
    """A linear classifier of its normalised vector, or one with a hidden layer, and no more."""
    X = vectors(8, n_layers=1)
    for units in (None, 5):
        module = network(n_layers=1, units=units).eval()
        assert module.weights().tolist() == [1.0]
        z = module.scale(X)
        torch.testing.assert_close(module.layers(X)["weighted layers"], z)
        hidden = z if units is None else module.dense(z).tanh()
        torch.testing.assert_close(module(X), module.output(hidden))


def test_a_linear_model_begins_with_no_opinion():
    module = network(units=None).eval()
    assert module.hidden(vectors(3)).shape == (3, WIDTH)
    assert (module(vectors(3)) == 0).all()


@pytest.mark.parametrize("units", [None, 5])
def test_the_layer_that_knows_gets_the_weight(units):
    """Three layers of noise, one with the classes; sizes that differ by orders of magnitude do not matter."""
    X, y = vectors(300), torch.arange(300) % N_CLASSES
    X[:, 2 * WIDTH : 3 * WIDTH] += 4 * torch.eye(N_CLASSES, WIDTH)[y]
    X *= torch.tensor([100.0, 1.0, 0.01, 10.0]).repeat_interleave(WIDTH)
    module = network(units=units)
    training.train(module, X, y, settings=Settings(epochs=20, batch_size=30, learning_rate=0.03), seed=0)
    weights = module.weights().detach()
    assert weights.argmax() == 2 and weights[2] > 0.5
    with torch.no_grad():
        assert (module.eval()(X).argmax(dim=1) == y).float().mean() > 0.9


def test_features_that_are_no_layers_are_refused():
    with pytest.raises(ParameterError, match="25 features are not 4 layers of one width"):
        LayerWeighting(25, N_CLASSES, n_layers=4)
