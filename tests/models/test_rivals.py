"""CNN-LSTM and time-delay network: torch's own layers frame by frame, and blind to padding."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from serlab.models.cnn_lstm import CNNLSTM
from serlab.models.tdnn_classifier import TDNN

NETWORKS = {
    "cnn-lstm": lambda **options: CNNLSTM(5, 3, **{"channels": 6, "recurrent": 4, "units": 7, **options}),
    "tdnn": lambda **options: TDNN(5, 3, **{"channels": 6, "units": 7, **options}),
}
FULL = {"cnn-lstm": CNNLSTM, "tdnn": TDNN}


def network(name: str, **options) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return NETWORKS[name](**options).eval()


def sequences(*lengths: int, t: int, d: int = 5) -> torch.Tensor:
    X = torch.randn(len(lengths), t, d, generator=torch.Generator().manual_seed(0))
    for row, length in zip(X, lengths, strict=True):
        row[length:] = torch.nan
    return X


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("function", ["forward", "hidden", "embed"])
def test_padding_and_neighbours_have_no_influence(name, function):
    compute = getattr(network(name), function)
    lengths = (41, 23, 1, 8, 9, 2)
    X = sequences(*lengths, t=60)
    whole = compute(X)
    torch.testing.assert_close(compute(X[:, :41]), whole)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(compute(X[row : row + 1, :length])[0], whole[row], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_do_not_depend_on_padding_and_are_finite(name):
    gradients = []
    for t in (31, 60):
        module = network(name)
        X = sequences(31, 12, 1, t=60)[:, :t]
        nn.functional.cross_entropy(module(X), torch.tensor([0, 1, 2])).backward()
        gradients.append([parameter.grad for parameter in module.parameters()])
    for short, long in zip(*gradients, strict=True):
        assert torch.isfinite(short).all() and short.abs().sum() > 0
        torch.testing.assert_close(short, long)


@pytest.mark.parametrize("name", NETWORKS)
def test_parts_fit_together(name):
    module = network(name)
    X = sequences(31, 12, t=31)
    hidden = module.hidden(X)
    assert hidden.shape == (2, 7) and (hidden >= 0).all()
    torch.testing.assert_close(module(X), module.classify(hidden))
    torch.testing.assert_close(module.output(module.embed(X)), module(X))
    layers = module.layers(X)
    assert all(len(layer) == 2 and layer.dim() == 2 and layer.isfinite().all() for layer in layers.values())
    assert list(layers)[-2:] == ["dense", "output"]
    torch.testing.assert_close(layers["dense"], hidden)
    torch.testing.assert_close(layers["output"], module(X))


@pytest.mark.parametrize("name", FULL)
def test_default_size_is_light(name):
    assert 1e5 < sum(parameter.numel() for parameter in FULL[name](40, 4).parameters()) < 4e5


def test_cnn_lstm_step_by_step():
    """Windows of five frames about every second one, twice; the greater of two; an LSTM cell's mean."""
    module = network("cnn-lstm")
    X = sequences(21, t=21)
    steps = list(X[0])
    for convolution, norm in zip(module.convolutions, module.norms, strict=True):
        zero = torch.zeros_like(steps[0])
        padded = [zero, zero, *steps, zero, zero]
        windows = [torch.stack(padded[start : start + 5], dim=1) for start in range(0, len(steps), 2)]
        steps = [norm((convolution.weight * w).sum(dim=(1, 2)) + convolution.bias).relu() for w in windows]
    assert len(steps) == 6
    pooled = [torch.maximum(first, second) for first, second in zip(steps[::2], steps[1::2], strict=True)]
    cell = nn.LSTMCell(6, 4)
    cell.load_state_dict(
        {name.removesuffix("_l0"): value for name, value in module.lstm.state_dict().items()}
    )
    state = (torch.zeros(4), torch.zeros(4))
    outputs = []
    for step in pooled:
        state = cell(step, state)
        outputs.append(state[0])
    layers = module.layers(X)
    torch.testing.assert_close(layers["convolution"][0], torch.stack(pooled).mean(dim=0))
    torch.testing.assert_close(layers["lstm"][0], torch.stack(outputs).mean(dim=0))


def test_tdnn_is_dilated_convolutions_and_statistics():
    module = network("tdnn")
    X = sequences(30, t=30)
    maps = X.transpose(1, 2)
    shapes = [
        {"kernel_size": 5, "stride": 4, "padding": 2},
        {"kernel_size": 3, "dilation": 2, "padding": 2},
        {"kernel_size": 3, "dilation": 3, "padding": 3},
    ]
    for layer, shape in zip(module.delays, shapes, strict=True):
        convolution = nn.Conv1d(maps.shape[1], 6, **shape)
        with torch.no_grad():
            weight = layer.linear.weight.unflatten(1, (shape["kernel_size"], maps.shape[1]))
            convolution.weight.copy_(weight.transpose(1, 2))
            convolution.bias.copy_(layer.linear.bias)
        maps = layer.norm(convolution(maps).transpose(1, 2)).relu().transpose(1, 2)
    deviation = (maps.var(dim=2, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(module.layers(X)["delays"], torch.cat([maps.mean(dim=2), deviation], dim=1))
