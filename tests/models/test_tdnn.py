"""The TDNN: strides, receptive fields and sizes by hand; utterances that do not see their batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from serlab.errors import ParameterError
from serlab.models.corpus_norm import take_statistics
from serlab.models.tdnn import ARCHITECTURES, TDNN, Architecture, TDNNLayer, architecture, subsampled
from serlab.training import seeded

SMALL = (TDNNLayer(16, 0), TDNNLayer(16, 1, 8), TDNNLayer(16, 1, 8, 3), TDNNLayer(16, 3, 8), TDNNLayer(12, 3))


def network(layers=SMALL, *, prefinal=7, seed=0):
    torch.manual_seed(seed)
    net = TDNN(3, 4, layers=layers, prefinal=prefinal)
    # Running statistics that differ from 0 and 1, as after training.
    take_statistics(net, torch.randn(4, 40, 3))
    return net.double().eval()


def sequences(*lengths, seed=1):
    X = torch.randn(len(lengths), max(lengths), 3, generator=torch.Generator().manual_seed(seed)).double()
    for row, length in enumerate(lengths):
        X[row, length:] = torch.nan
    return X


def test_presets_have_the_papers_layers():
    for preset in ARCHITECTURES.values():
        assert [layer.stride for layer in preset.layers] == [0, 1, 1, 1, 0, 3, 3, 3, 3, 3, 3, 3, 3]
    paper = architecture("paper")
    assert {layer.width for layer in paper.layers} == {1024} and paper.prefinal == 1024
    assert {(layer.bottleneck, layer.subsample) for layer in paper.layers} == {(None, 1)}
    with pytest.raises(ParameterError, match="known: paper, quick, demo"):
        architecture("huge")


def test_time_is_subsampled_by_the_fourth_layer_and_nothing_else_changes():
    paper = architecture("paper")
    thirds = subsampled(paper, 3)
    assert [layer.subsample for layer in thirds.layers] == [1, 1, 1, 3, *[1] * 9]
    assert subsampled(thirds, 1) == paper == subsampled(paper, 1)
    with pytest.raises(ParameterError, match="by the fourth layer, and there are 3"):
        subsampled(Architecture(paper.layers[:3], 4), 3)
    # What is computed is what would be computed anyway.
    layers = tuple(replace(layer, width=5) for layer in paper.layers)
    with seeded(0):
        every = TDNN(3, 2, layers=layers, prefinal=4).double().eval()
    third = TDNN(3, 2, layers=subsampled(Architecture(layers, 4), 3).layers, prefinal=4).double().eval()
    third.load_state_dict(every.state_dict())
    X = sequences(70)
    torch.testing.assert_close(third(X), every(X)[:, ::3], equal_nan=True)


def test_parameter_count_of_the_paper_by_hand():
    paper = architecture("paper")
    with torch.device("meta"):
        net = TDNN(140, 50, layers=paper.layers, prefinal=paper.prefinal)
    bias_and_norm = 3 * 1024
    by_hand = (
        (140 * 1024 + bias_and_norm)  # 1st
        + 11 * (3 * 1024 * 1024 + bias_and_norm)  # 2nd to 4th, 6th to 13th
        + 2 * (1024 * 1024 + bias_and_norm)  # 5th, prefinal
        + (1024 * 50 + 50)
    )
    assert net.n_parameters == by_hand == 36_937_778


def test_parameter_count_of_a_factored_layer_by_hand():
    net = TDNN(3, 2, layers=(TDNNLayer(6, 1, 4),), prefinal=5)
    assert net.n_parameters == (2 * 3 * 4) + (2 * 4 * 6 + 6 + 2 * 6) + (6 * 5 + 5 + 2 * 5) + (5 * 2 + 2)


def test_receptive_field_of_the_paper():
    net = TDNN(3, 2, layers=architecture("demo").layers, prefinal=8)
    fields = [net.receptive_field(name) for name in net.names]
    assert fields == [1, 3, 5, 7, 7, 13, 19, 25, 31, 37, 43, 49, 55, 55]
    assert net.names[-2:] == ("tdnn13", "prefinal")


@pytest.mark.parametrize("layer", ["tdnn1", "tdnn2", "tdnn3", "tdnn4", "tdnn5", "prefinal"])
def test_gradients_reach_exactly_the_receptive_field(layer):
    net, X = network(), sequences(40).requires_grad_()
    at, step = 5, net.step(layer)
    outputs = net.frames_at(X, layer)
    outputs[0, at].square().sum().backward()
    seen = torch.nonzero(X.grad[0].abs().sum(dim=1))[:, 0]
    half = net.receptive_field(layer) // 2
    assert (seen.min(), seen.max()) == (at * step - half, at * step + half)


@pytest.mark.parametrize("layer", ["tdnn2", "tdnn3", "tdnn5", "prefinal"])
def test_padding_and_batch_do_not_matter(layer):
    net, X = network(), sequences(31, 7, 1)
    together = net.frames_at(X, layer)
    for row, length in enumerate((31, 7, 1)):
        alone = net.frames_at(X[row : row + 1, :length], layer)
        n = net.n_frames(length, layer)
        assert alone.shape[1] == n and not alone.isnan().any()
        torch.testing.assert_close(together[row, :n], alone[0])
        assert together[row, n:].isnan().all()


def test_padding_is_no_part_of_batch_normalisation():
    torch.manual_seed(0)
    net = TDNN(3, 4, layers=SMALL, prefinal=7).double().train()
    short = sequences(12, 9)
    longer = torch.cat([short, torch.full((2, 20, 3), torch.nan)], dim=1)
    outputs = net(short)
    padded = net(longer)
    torch.testing.assert_close(padded[:, : outputs.shape[1]], outputs, equal_nan=True)


def test_subsampling_computes_what_every_third_step_would_be():
    dense = tuple(TDNNLayer(s.width, s.stride, s.bottleneck) for s in SMALL)
    with_steps, without = network(), network(dense)
    without.load_state_dict(with_steps.state_dict())
    X = sequences(32, 17)
    torch.testing.assert_close(with_steps(X), without(X)[:, ::3], equal_nan=True)
    assert with_steps.n_frames(32) == 11 and without.n_frames(32) == 32
    assert with_steps.n_frames(torch.tensor([32, 17])).tolist() == [11, 6]
    assert (with_steps.step("tdnn2"), with_steps.step("tdnn3")) == (1, 3)


def test_a_plain_layer_by_hand():
    net = network((TDNNLayer(2, 2),))
    block, x = net.blocks[0], sequences(5)
    padded = torch.cat([torch.zeros(2, 3), x[0], torch.zeros(2, 3)]).double()
    for t in range(5):
        seen = torch.cat([padded[t], padded[t + 2], padded[t + 4]])
        expected = block.norm(block.linear(seen).relu()[None])[0]
        torch.testing.assert_close(net.frames_at(x, "tdnn1")[0, t], expected)


def test_all_frames_are_the_frames_of_each_layer():
    net, X = network(), sequences(20, 11)
    for name, values in net.all_frames(X).items():
        torch.testing.assert_close(values, net.frames_at(X, name), equal_nan=True)
        assert values.shape[2] == net.width(name)


def test_gradients_are_finite_beside_padding():
    net, X = network().train(), sequences(20, 3)
    net(X).nan_to_num().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


def test_a_random_network_keeps_its_inputs_apart():
    torch.manual_seed(0)
    preset = architecture("demo")
    net = TDNN(40, 5, layers=preset.layers, prefinal=preset.prefinal)
    X = torch.randn(8, 60, 40)
    take_statistics(net, X)
    with torch.no_grad():
        H = net.eval().frames_at(X, "tdnn12").flatten(end_dim=1)
    correlation = np.corrcoef(H.numpy())
    assert np.abs(correlation[np.triu_indices_from(correlation, k=1)]).mean() < 0.5


def test_bad_requests_are_named():
    net = network()
    with pytest.raises(ParameterError, match="unknown layer 'tdnn9'; known: tdnn1"):
        net.frames_at(sequences(5), "tdnn9")
    with pytest.raises(ParameterError, match="tdnn2: stride 1 is no multiple of 3"):
        TDNN(3, 2, layers=(TDNNLayer(4, 0, subsample=3), TDNNLayer(4, 1)), prefinal=4)
