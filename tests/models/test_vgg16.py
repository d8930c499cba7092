"""VGG16: published names and shapes, the same numbers as written out by hand, blind to padding."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d, conv2d, linear, max_pool2d

from serlab.errors import ParameterError
from serlab.models import vgg16
from serlab.models.images import as_photographs, spectrogram_images
from serlab.models.vgg16 import FROM_IMAGENET, VGG16
from serlab.training import seeded

#: Position of each convolution in ``features`` of the published weights, and its channels.
PUBLISHED = {
    0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 12: (256, 256), 14: (256, 256),
    17: (256, 512), 19: (512, 512), 21: (512, 512), 24: (512, 512), 26: (512, 512), 28: (512, 512),
}  # fmt: skip
POOLED_BEFORE = (5, 10, 17, 24)


def small(**options) -> VGG16:
    with seeded(0):
        return VGG16(3, **{"image_size": 32, "hidden": 16, "pooled": 1, **options}).eval()


@pytest.fixture(scope="module")
def network() -> VGG16:
    return small()


def sequences(*lengths: int, t: int) -> torch.Tensor:
    X = -60 * torch.rand(len(lengths), t, 20, generator=torch.Generator().manual_seed(1))
    for row, length in zip(X, lengths, strict=True):
        row[length:] = torch.nan
    return X


def test_names_and_shapes_are_the_published_ones():
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in VGG16(1000).state_dict().items()}
    expected = {f"features.{i}.weight": (out, into, 3, 3) for i, (into, out) in PUBLISHED.items()}
    expected |= {f"features.{i}.bias": (out,) for i, (_, out) in PUBLISHED.items()}
    for i, (into, out) in {0: (25088, 4096), 3: (4096, 4096), 6: (4096, 1000)}.items():
        expected |= {f"classifier.{i}.weight": (out, into), f"classifier.{i}.bias": (out,)}
    assert shapes == expected
    # Simonyan & Zisserman, table 2: 138 million.
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 138_357_544
    assert not any(name.startswith(FROM_IMAGENET) for name in shapes if name.startswith("classifier.6"))


@pytest.mark.parametrize(("image_size", "pooled"), [(32, 1), (64, 2), (32, 2)])
def test_is_what_configuration_d_says(image_size, pooled):
    module = small(image_size=image_size, pooled=pooled)
    weights, X = module.state_dict(), sequences(50, 20, t=50)
    maps = as_photographs(spectrogram_images(X, size=image_size))
    for i in PUBLISHED:
        maps = max_pool2d(maps, 2) if i in POOLED_BEFORE else maps
        maps = conv2d(maps, weights[f"features.{i}.weight"], weights[f"features.{i}.bias"], padding=1).relu()
    convolved = adaptive_avg_pool2d(max_pool2d(maps, 2), pooled).flatten(1)
    fc1 = linear(convolved, weights["classifier.0.weight"], weights["classifier.0.bias"]).relu()
    fc2 = linear(fc1, weights["classifier.3.weight"], weights["classifier.3.bias"]).relu()
    logits = linear(fc2, weights["classifier.6.weight"], weights["classifier.6.bias"])
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(module.hidden(X), fc1, **close)
    torch.testing.assert_close(module.embed(X), fc2, **close)
    torch.testing.assert_close(module(X), logits, **close)
    layers = module.layers(X)
    assert list(layers) == ["convolution", "fc1", "fc2", "output"]
    for found, expected in zip(layers.values(), (convolved, fc1, fc2, logits), strict=True):
        torch.testing.assert_close(found, expected, **close)


def test_forward_is_classify_of_hidden_with_dropout_too(network):
    X = sequences(30, 12, t=30)
    network.train()
    with seeded(5):
        whole = network(X)
    with seeded(5):
        parts = network.classify(network.hidden(X))
    network.eval()
    assert torch.equal(whole, parts) and not torch.equal(whole, network(X))


def test_padding_and_neighbours_have_no_influence(network):
    X = sequences(41, 23, 1, 9, t=60)
    together = network(X)
    for row, length, logits in zip(X, (41, 23, 1, 9), together, strict=True):
        torch.testing.assert_close(network(row[None, :length])[0], logits, atol=1e-5, rtol=1e-4)


def test_many_without_gradient_are_the_same_as_with(network, monkeypatch):
    monkeypatch.setattr(vgg16, "_AT_A_TIME", 2)
    X = sequences(3, 9, 1, 40, 17, t=40)
    with torch.no_grad():
        in_parts = network.convolved(X)
    torch.testing.assert_close(in_parts, network.convolved(X).detach(), atol=1e-5, rtol=1e-4)


def test_top_on_what_was_convolved_once(network):
    X = sequences(30, 12, t=30)
    top, vectors = network.top, network.convolved(X)
    torch.testing.assert_close(top(vectors), network(X))
    torch.testing.assert_close(top.embed(vectors), network.embed(X))
    assert top.layers(vectors).keys() == network.layers(X).keys()
    assert {*map(id, top.parameters())} == {*map(id, network.classifier.parameters())}


def test_frozen_convolutions_get_no_gradient():
    module = small(freeze_convolutions=True)
    module(sequences(20, t=20)).sum().backward()
    assert all(parameter.grad is None for parameter in module.features.parameters())
    assert all(parameter.grad is not None for parameter in module.classifier.parameters())


def test_activations_keep_their_size_through_random_convolutions():
    X = sequences(60, 80, t=80)
    maps = as_photographs(spectrogram_images(X, size=64))
    module = small(image_size=64)
    sizes = []
    with torch.no_grad():
        for layer in module.features:
            maps = layer(maps)
            sizes.append(maps.square().mean().item())
    assert min(sizes) > 0.1 and max(sizes) < 30


def test_half_precision(network):
    X = sequences(30, 12, t=30)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        logits = network(X)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), network(X).detach(), atol=0.02, rtol=0.05)


def test_images_smaller_than_the_reduction_are_refused():
    with pytest.raises(ParameterError, match=r"image_size is 31: .* 32 times smaller; choose 32 or more"):
        VGG16(3, image_size=31)
