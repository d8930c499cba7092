"""Networks on sequences: against brute force and torch's own layers, and blind to padding."""

from __future__ import annotations

import math
import threading

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from serlab.errors import Cancelled, TrainingError
from serlab.models import masking, sparse_autoencoder
from serlab.models.acnn import ACNN
from serlab.models.encoder_decoder import EncoderDecoder
from serlab.models.sparse_autoencoder import Sparsity


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sequences(*lengths: int, t: int, d: int = 5, seed: int = 0) -> torch.Tensor:
    X = torch.randn(len(lengths), t, d, generator=generator(seed))
    for row, length in zip(X, lengths, strict=True):
        row[length:] = torch.nan
    return X


def seeded(module: type[nn.Module], *arguments, **options) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return module(*arguments, **options).eval()


def small_acnn(**options) -> ACNN:
    return seeded(
        ACNN, 5, 3, **{"n_frames": 60, "n_kernels": 6, "width": 4, "stride": 2, "pool": 5, **options}
    )


def small_encoder_decoder(**options) -> EncoderDecoder:
    return seeded(EncoderDecoder, 5, 3, **{"channels": 6, "units": 4, **options})


# --- masks -------------------------------------------------------------------


def test_split_takes_nan_for_padding():
    X = sequences(3, 1, t=4)
    filled, mask = masking.split(X)
    assert mask.tolist() == [[True, True, True, False], [True, False, False, False]]
    assert torch.equal(filled[mask], X[mask]) and (filled[~mask] == 0).all()
    assert torch.equal(torch.isnan(masking.nan_outside(filled[:, :, 0], mask)), ~mask)


def test_masked_softmax_is_the_softmax_of_what_is_inside():
    scores = torch.randn(2, 4, generator=generator())
    mask = torch.tensor([[True, True, True, False], [True, False, False, False]])
    weights = masking.softmax(scores, mask)
    for row, (of_row, inside) in enumerate(zip(scores, mask, strict=True)):
        torch.testing.assert_close(weights[row][inside], of_row[inside].softmax(dim=0))
    assert (weights[~mask] == 0).all()


# --- all networks: padding has no influence ----------------------------------

NETWORKS = {"acnn": small_acnn, "encoder-decoder": small_encoder_decoder}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("function", ["forward", "embed", "attention_weights"])
def test_padding_and_neighbours_have_no_influence(name, function):
    compute = getattr(NETWORKS[name](), function)
    X = sequences(41, 23, 1, 9, t=60)
    whole = compute(X)
    trimmed = compute(X[:, :41])
    torch.testing.assert_close(trimmed, whole[:, : trimmed.shape[1]], equal_nan=True)
    assert whole[:, trimmed.shape[1] :].isnan().all()
    for row in range(len(X)):
        alone = compute(X[row : row + 1])
        torch.testing.assert_close(alone[0], whole[row], atol=1e-5, rtol=1e-5, equal_nan=True)
    length = 23
    alone = compute(X[1:2, :length])[0]
    torch.testing.assert_close(alone, whole[1, : len(alone)], atol=1e-5, rtol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_do_not_depend_on_padding_and_are_finite(name):
    gradients = []
    for t in (31, 60):
        network = NETWORKS[name]()
        X = sequences(31, 12, 2, t=60)[:, :t]
        nn.functional.cross_entropy(network(X), torch.tensor([0, 1, 2])).backward()
        gradients.append([parameter.grad for parameter in network.parameters()])
    for short, long in zip(*gradients, strict=True):
        assert torch.isfinite(short).all() and short.abs().sum() > 0
        torch.testing.assert_close(short, long)


@pytest.mark.parametrize("name", NETWORKS)
def test_attention_sums_to_one_and_ends_with_the_utterance(name):
    found = NETWORKS[name]().attention_weights(sequences(60, 23, 1, t=60))
    torch.testing.assert_close(found.nansum(dim=1), torch.ones(3))
    per_step = {"acnn": 10, "encoder-decoder": 4}[name]
    ends = torch.tensor([min(math.ceil(length / per_step), found.shape[1]) for length in (60, 23, 1)])
    assert torch.equal((~found.isnan()).sum(dim=1), ends)


# --- ACNN --------------------------------------------------------------------


def test_acnn_has_the_papers_sizes():
    network = ACNN(26, 2)
    assert network.convolution.weight.shape == (200, 26 * 10)
    assert network.score.weight.shape == (1, 200) and network.score.bias is None
    assert network.dropout.p == 0.5
    assert network.output.weight.shape == (2, 200 + 8 * 200)


@pytest.mark.parametrize("n_frames", [748, 750, 751])
def test_acnn_has_eight_attention_weights_as_in_figures_2_and_3(n_frames):
    assert ACNN(26, 2, n_frames=n_frames).n_steps == 8
    assert ACNN(26, 2, n_frames=n_frames, stride=1).n_steps == 24


@pytest.mark.parametrize("padding", ["masked", "zeros"])
def test_acnn_convolves_and_pools_as_torch_does(padding):
    network = small_acnn(padding=padding)
    convolution = nn.Conv1d(5, 6, kernel_size=4, stride=2)
    with torch.no_grad():
        convolution.weight.copy_(network.convolution.weight.unflatten(1, (4, 5)).transpose(1, 2))
        convolution.bias.copy_(network.convolution.bias)
    X = sequences(60, 60, 60, t=60)
    maps = nn.functional.max_pool1d(convolution(X.transpose(1, 2)).relu(), 5).transpose(1, 2)
    weights = maps.matmul(network.score.weight[0]).softmax(dim=1)
    joined = torch.cat([(weights[:, :, None] * maps).sum(dim=1), maps.flatten(start_dim=1)], dim=1)
    torch.testing.assert_close(network.attention_weights(X), weights)
    torch.testing.assert_close(network.embed(X), joined)
    torch.testing.assert_close(network(X), network.output(joined))


def test_acnn_equations_1_and_2_by_hand():
    """An utterance of 23 frames, window by window: starts 0, 2 ... 22; steps of five windows."""
    network = small_acnn()
    X = sequences(60, 23, t=60)
    frame = [X[1, i] if i < 23 else torch.zeros(5) for i in range(60)]
    steps = []
    for step in range(3):  # windows 0-4, 5-9, 10-11: the twelfth is the last to start before the end
        outputs = [
            torch.relu(network.convolution(torch.cat(frame[2 * window : 2 * window + 4])))
            for window in range(5 * step, min(5 * step + 5, 12))
        ]
        steps.append(torch.stack(outputs).amax(dim=0))
    exponentials = [math.exp((network.score.weight[0] @ x).item()) for x in steps]
    alphas = [value / sum(exponentials) for value in exponentials]
    attended = sum(alpha * x for alpha, x in zip(alphas, steps, strict=True))
    found = network.embed(X)[1]
    torch.testing.assert_close(network.attention_weights(X)[1, :3], torch.tensor(alphas))
    torch.testing.assert_close(found, torch.cat([attended, *steps, torch.zeros(2 * 6)]))


def test_acnn_with_zeros_looks_at_padding_and_masked_does_not():
    """ "zeros" is the network without a mask on utterances padded to full length."""
    X = sequences(23, t=23)
    padded = torch.cat([X, torch.zeros(1, 37, 5)], dim=1)
    zeros, masked = small_acnn(padding="zeros"), small_acnn()
    torch.testing.assert_close(zeros(X), masked(padded))
    torch.testing.assert_close(zeros.attention_weights(X), masked.attention_weights(padded))
    assert zeros.attention_weights(X).shape == (1, 5) and not torch.allclose(zeros(X), masked(X))


def test_acnn_pads_an_utterance_shorter_than_a_kernel():
    network = small_acnn()
    window = torch.zeros(1, 60, 5)
    X = sequences(1, t=1)
    window[0, 0] = X[0, 0]
    window[0, 1:] = torch.nan
    torch.testing.assert_close(network(X), network(window))
    torch.testing.assert_close(network.attention_weights(X)[0, 0], torch.tensor(1.0))


def test_acnn_refuses_what_is_longer_than_it_was_built_for():
    with pytest.raises(ValueError, match="61 frames; this network was built for 60"):
        small_acnn()(torch.zeros(1, 61, 5))


# --- encoder-decoder ---------------------------------------------------------


def test_encoder_decoder_consists_of_three_parts():
    names = {name.split(".")[0] for name, _ in small_encoder_decoder().named_parameters()}
    assert names == {"encoder", "attention", "decoder"}


def test_encoder_reads_both_ways_as_a_packed_lstm():
    encoder = small_encoder_decoder().encoder
    lstm = nn.LSTM(6, 4, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for name, parameter in encoder.ahead.named_parameters():
            getattr(lstm, name).copy_(parameter)
        for name, parameter in encoder.back.named_parameters():
            getattr(lstm, f"{name}_reverse").copy_(parameter)
    X = sequences(60, 23, 1, t=60)
    inputs = []
    encoder.ahead.register_forward_pre_hook(lambda module, given: inputs.append(given[0]))
    encoded, mask, final = encoder(X)
    length = torch.tensor([15, 6, 1])
    assert torch.equal(mask.sum(dim=1), length)
    packed = pack_padded_sequence(inputs[0], length, batch_first=True)
    expected, (hidden, _) = lstm(packed)
    expected, _ = pad_packed_sequence(expected, batch_first=True)
    torch.testing.assert_close(encoded[mask], expected[mask])
    torch.testing.assert_close(final, torch.cat([hidden[0], hidden[1]], dim=1))


def test_attention_and_decoder_by_hand():
    """One utterance: scores s . W h, their softmax, the mean of steps, tanh of both, logits."""
    network = small_encoder_decoder()
    X = sequences(23, t=23)
    encoded, _, final = network.encoder(X)
    decoder = network.decoder
    state, _ = decoder.cell(decoder.symbol(torch.zeros(1, dtype=torch.long)), (final, torch.zeros(1, 8)))
    scores = [h @ network.attention.score.weight @ state[0] for h in encoded[0]]
    weights = torch.stack(scores).softmax(dim=0)
    context = sum(weight * h for weight, h in zip(weights, encoded[0], strict=True))
    combined = torch.tanh(decoder.combine(torch.cat([context, state[0]])))
    torch.testing.assert_close(network.attention_weights(X)[0], weights)
    torch.testing.assert_close(network.embed(X)[0], combined)
    torch.testing.assert_close(network(X)[0], decoder.output(combined))


# --- sparse autoencoder ------------------------------------------------------


def test_sparsity_penalty_is_the_divergence_of_bernoulli_variables():
    activity = torch.rand(7, 3, generator=generator())
    expected = sum(
        torch.distributions.kl_divergence(
            torch.distributions.Bernoulli(0.2), torch.distributions.Bernoulli(mean)
        )
        for mean in activity.mean(dim=0)
    )
    torch.testing.assert_close(sparse_autoencoder.kl_penalty(activity, 0.2), expected)
    at_rho = torch.tensor([[0.1], [0.3]])
    torch.testing.assert_close(
        sparse_autoencoder.kl_penalty(at_rho, 0.2), torch.tensor(0.0), atol=1e-6, rtol=0
    )


def test_a_feature_far_outside_does_not_make_the_penalty_infinite():
    X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    X[:, 0] = 300.0  # every unit that weighs it is exactly 0 or 1
    trained = sparse_autoencoder.train_autoencoder(
        X, settings=Sparsity(n_hidden=8, iterations=5), generator=torch.Generator().manual_seed(0)
    )
    assert torch.isfinite(trained(X)).all()
    assert torch.isfinite(sparse_autoencoder.kl_penalty(torch.tensor([[0.0, 1.0]]), 0.05))


def test_objective_by_hand():
    X = torch.randn(4, 3, generator=generator())
    network = seeded(sparse_autoencoder.SparseAutoencoder, 3, 2)
    settings = Sparsity(rho=0.1, beta=2.0, weight_decay=0.5)
    (W, b), (V, c) = ((layer.weight, layer.bias) for layer in (network.encoder, network.decoder))
    hidden = torch.stack([1 / (1 + torch.exp(-(W @ x + b))) for x in X])
    error = sum(((V @ h + c - x) ** 2).sum() / 2 for h, x in zip(hidden, X, strict=True)) / 4
    expected = error + 0.5 / 2 * ((W**2).sum() + (V**2).sum())
    expected = expected + 2 * sparse_autoencoder.kl_penalty(hidden, 0.1)
    torch.testing.assert_close(sparse_autoencoder.objective(network, X, settings), expected)


def test_without_penalties_two_units_come_as_near_as_two_principal_components():
    """With a linear decoder that is the best that two hidden units can reach."""
    X = torch.randn(60, 2, generator=generator()) @ torch.randn(2, 6, generator=generator(1))
    X = X + 0.2 * torch.randn(60, 6, generator=generator(2))
    X = X - X.mean(dim=0)
    settings = Sparsity(n_hidden=2, iterations=500, beta=0, weight_decay=0)
    network = sparse_autoencoder.train_autoencoder(X, settings=settings, generator=generator())
    error = (network(X) - X).square().sum()
    best = torch.linalg.svdvals(X)[2:].square().sum()
    assert best * 0.999 <= error <= 1.1 * best


def test_a_strong_penalty_brings_activities_to_rho():
    X = torch.randn(50, 6, generator=generator())
    settings = Sparsity(n_hidden=8, rho=0.1, beta=1e4)
    network = sparse_autoencoder.train_autoencoder(X, settings=settings, generator=generator())
    torch.testing.assert_close(network.hidden(X).mean(dim=0), torch.full((8,), 0.1), atol=0.005, rtol=0)


def test_autoencoder_stops_when_told_and_when_lost():
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        sparse_autoencoder.train_autoencoder(
            torch.zeros(4, 2), settings=Sparsity(), generator=generator(), cancel=cancel
        )
    with pytest.raises(TrainingError, match="normalise"):
        sparse_autoencoder.train_autoencoder(
            torch.full((4, 2), torch.nan), settings=Sparsity(), generator=generator()
        )
