"""Losses against double sums in float64, and identities."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from serlab.errors import ParameterError
from serlab.training import losses
from serlab.training.losses import (
    coral,
    domain_adversarial,
    joint_mmd2,
    local_mmd2,
    median_bandwidth,
    mmd2,
    multi_kernel_mmd2,
    reverse_gradient,
)


def batches(n: int = 7, m: int = 5, d: int = 3, *, dtype=torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, d, generator=generator, dtype=dtype)
    return x, 2 * torch.randn(m, d, generator=generator, dtype=dtype) + 1


def class_weights(n: int = 7, m: int = 5, n_classes: int = 3) -> tuple[Tensor, Tensor]:
    """One-hot labels and softmax probabilities."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(m, n_classes, generator=generator, dtype=torch.float64)
    return torch.eye(n_classes, dtype=torch.float64)[torch.arange(n) % n_classes], logits.softmax(dim=1)


def kernel(a, b, bandwidth: float, factors=(1.0,)) -> float:
    squared = np.sum((np.asarray(a) - np.asarray(b)) ** 2)
    return float(np.mean([np.exp(-squared / (2 * (f * bandwidth) ** 2)) for f in factors]))


def mean_over_pairs(k, a, b, *, skip_diagonal: bool = False) -> float:
    return float(
        np.mean([k(p, q) for i, p in enumerate(a) for j, q in enumerate(b) if not (skip_diagonal and i == j)])
    )


def brute_mmd2(k, x, y, *, biased: bool = True) -> float:
    xx, yy = (mean_over_pairs(k, a, a, skip_diagonal=not biased) for a in (x, y))
    return xx - 2 * mean_over_pairs(k, x, y) + yy


@pytest.mark.parametrize("bandwidth", [0.5, 2.0])
@pytest.mark.parametrize("biased", [True, False])
def test_mmd2_against_double_sums(bandwidth, biased):
    x, y = batches()
    expected = brute_mmd2(partial(kernel, bandwidth=bandwidth), x, y, biased=biased)
    assert mmd2(x, y, bandwidth, biased).item() == pytest.approx(expected, abs=1e-12)
    assert mmd2(x.float(), y.float(), bandwidth, biased).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("biased", [True, False])
def test_multi_kernel_mmd2_against_double_sums(biased):
    x, y = batches()
    k = partial(kernel, bandwidth=median_bandwidth(x, y).item(), factors=(0.25, 0.5, 1, 2, 4))
    expected = brute_mmd2(k, x, y, biased=biased)
    assert multi_kernel_mmd2(x, y, biased=biased).item() == pytest.approx(expected, abs=1e-12)
    k = partial(kernel, bandwidth=0.7, factors=(1, 3))
    given = multi_kernel_mmd2(x, y, bandwidth=0.7, factors=(1, 3), biased=biased)
    assert given.item() == pytest.approx(brute_mmd2(k, x, y, biased=biased), abs=1e-12)


@pytest.mark.parametrize("biased", [True, False])
def test_joint_mmd2_against_double_sums(biased):
    (x1, y1), (x2, y2) = batches(), (part.tanh() for part in batches(d=4))
    factors = (0.5, 2)
    h1, h2 = median_bandwidth(x1, y1).item(), 0.8

    def product(a, b):
        return kernel(a[0], b[0], h1, factors) * kernel(a[1], b[1], h2, factors)

    expected = brute_mmd2(
        product, list(zip(x1, x2, strict=True)), list(zip(y1, y2, strict=True)), biased=biased
    )
    value = joint_mmd2([x1, x2], [y1, y2], bandwidths=[None, h2], factors=factors, biased=biased)
    assert value.item() == pytest.approx(expected, abs=1e-12)


def test_local_mmd2_against_triple_sums():
    x, y = batches()
    x_weight, y_weight = class_weights()
    k = partial(kernel, bandwidth=median_bandwidth(x, y).item(), factors=losses.FACTORS)
    w, v = ((weight / weight.sum(dim=0)).numpy() for weight in (x_weight, y_weight))
    expected = 0.0
    for c in range(3):
        expected += sum(w[i, c] * w[j, c] * k(x[i], x[j]) for i in range(7) for j in range(7))
        expected += sum(v[i, c] * v[j, c] * k(y[i], y[j]) for i in range(5) for j in range(5))
        expected -= 2 * sum(w[i, c] * v[j, c] * k(x[i], y[j]) for i in range(7) for j in range(5))
    assert local_mmd2(x, y, x_weight, y_weight).item() == pytest.approx(expected / 3, abs=1e-12)


def test_mmd2_identities():
    x, y = batches()
    assert mmd2(x, x, 1.0).item() == pytest.approx(0, abs=1e-15)
    assert mmd2(x, y, 1.0).item() == pytest.approx(mmd2(y, x, 1.0).item(), abs=1e-15)
    assert mmd2(x + 5, y + 5, 1.0).item() == pytest.approx(mmd2(x, y, 1.0).item(), abs=1e-12)
    assert mmd2(3 * x, 3 * y, 3.0).item() == pytest.approx(mmd2(x, y, 1.0).item(), abs=1e-12)
    assert mmd2(3 * x, 3 * y).item() == pytest.approx(mmd2(x, y).item(), abs=1e-12)  # by the median
    # Far apart, only the kernels of rows with themselves are left.
    assert mmd2(x * 1e6, y * 1e6, 1.0).item() == pytest.approx(1 / len(x) + 1 / len(y))


def test_mmds_that_are_special_cases_of_each_other():
    x, y = batches()
    several = multi_kernel_mmd2(x, y).item()
    assert multi_kernel_mmd2(x, y, factors=(1,)).item() == mmd2(x, y, median_bandwidth(x, y)).item()
    assert joint_mmd2([x], [y]).item() == pytest.approx(several, abs=1e-15)
    same = torch.zeros(7, 2), torch.zeros(5, 2)  # a layer that says nothing
    assert joint_mmd2([x, same[0]], [y, same[1]]).item() == pytest.approx(several, abs=1e-15)
    one_class = torch.full((7, 1), 0.3), torch.full((5, 1), 2.0)
    assert local_mmd2(x, y, *one_class).item() == pytest.approx(several, abs=1e-12)


def test_unbiased_mmd2_is_zero_on_average_for_equal_distributions():
    generator = torch.Generator().manual_seed(1)
    draws = [
        mmd2(
            torch.randn(20, 2, generator=generator),
            torch.randn(30, 2, generator=generator),
            1.0,
            biased=False,
        )
        for _ in range(300)
    ]
    values = torch.stack(draws)
    assert abs(values.mean()) < 4 * values.std() / len(values) ** 0.5


def test_joint_mmd2_sees_how_layers_go_together():
    x = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    swapped = x[[0, 2, 1, 3]]  # the same values, now independent of the other layer
    assert mmd2(x, swapped).item() == pytest.approx(0, abs=1e-7)
    assert joint_mmd2([x, x], [x, swapped]).item() > 0.05


def test_local_mmd2_aligns_classes_where_the_whole_agrees():
    x = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    labels = torch.eye(2)[[0, 0, 1, 1]]
    assert local_mmd2(x, x, labels, labels).item() == 0
    crossed = labels[[2, 3, 0, 1]]
    assert mmd2(x, x).item() == 0
    assert local_mmd2(x, x, labels, crossed).item() > 0.5


def test_local_mmd2_leaves_out_classes_without_mass():
    x, y = batches()
    x_weight, y_weight = class_weights()
    expected = local_mmd2(x, y, x_weight[:, :2], y_weight[:, :2]).item()
    x_weight[:, 2] = 0
    assert local_mmd2(x, y, x_weight, y_weight).item() == pytest.approx(expected, abs=1e-12)
    x_weight, y_weight = class_weights()
    y_weight[:, 2] = 1e-30  # a softmax is never quite 0
    assert local_mmd2(x, y, x_weight, y_weight).item() == pytest.approx(expected, abs=1e-12)


def test_local_mmd2_without_a_common_class_is_zero():
    x, y = (batch.requires_grad_() for batch in batches())
    x_weight, y_weight = torch.tensor([[1.0, 0.0]]).expand(7, 2), torch.tensor([[0.0, 1.0]]).expand(5, 2)
    value = local_mmd2(x, y, x_weight, y_weight)
    value.backward()
    assert value.item() == 0
    assert not x.grad.any() and not y.grad.any()


def test_mmd2_of_far_points_survives_float32():
    x, y = batches(64, 64, 100, dtype=torch.float32)
    exact = mmd2(x.double(), y.double(), 10.0).item()
    assert mmd2(x + 1000, y + 1000, 10.0).item() == pytest.approx(exact, abs=1e-4)


def test_small_mmd2_keeps_its_digits_in_float32():
    x, y = batches(8, 6, 4096, dtype=torch.float32)
    y = y / 2
    exact = mmd2(x.double(), y.double(), 1e4).item()
    assert exact < 1e-4
    assert mmd2(x, y, 1e4).item() == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("d", [4, 40])
def test_coral_against_numpy(d):
    x, y = batches(9, 6, d)
    difference = np.cov(x.numpy().T) - np.cov(y.numpy().T)
    assert coral(x, y).item() == pytest.approx(np.sum(difference**2) / (4 * d**2))


@pytest.mark.parametrize("d", [3, 40])
def test_coral_identities(d):
    x, y = batches(d=d)
    assert coral(x, x).item() == 0
    assert coral(x + 3, y).item() == pytest.approx(coral(x, y).item())  # blind to means
    assert coral(2 * x, 2 * y).item() == pytest.approx(16 * coral(x, y).item())


def test_domain_adversarial_against_weighted_cross_entropy():
    source, target = batches(7, 5, 1)
    label = torch.cat([torch.zeros(7), torch.ones(5)]).double()
    weight = torch.cat([torch.full((7,), 0.5 / 7), torch.full((5,), 0.5 / 5)]).double()
    logits = torch.cat([source, target]).squeeze(1)
    expected = (weight * binary_cross_entropy_with_logits(logits, label, reduction="none")).sum()
    assert domain_adversarial(source, target).item() == pytest.approx(expected.item())
    assert domain_adversarial(source.squeeze(1), target).item() == pytest.approx(expected.item())


def test_domain_adversarial_identities():
    source, target = batches(7, 5, 1)
    assert domain_adversarial(torch.zeros(3), torch.zeros(1)).item() == pytest.approx(math.log(2))
    more = domain_adversarial(source.repeat(4, 1), target).item()  # corpora weigh the same
    assert more == pytest.approx(domain_adversarial(source, target).item())
    assert domain_adversarial(torch.tensor([-1e4]), torch.tensor([1e4])).item() == 0
    assert domain_adversarial(torch.tensor([1e4]), torch.tensor([-1e4])).item() == pytest.approx(1e4)


def test_reverse_gradient_keeps_values_and_turns_the_gradient():
    x, _ = batches()
    x = (1e3 * x).float().requires_grad_()
    reversed_ = reverse_gradient(x, 0.3)
    assert torch.equal(reversed_, x)
    (plain,) = torch.autograd.grad((x**2).sum(), x)
    (turned,) = torch.autograd.grad((reversed_**2).sum(), x)
    torch.testing.assert_close(turned, -0.3 * plain)
    (still,) = torch.autograd.grad((reverse_gradient(x, 0.0) ** 2).sum(), x)
    assert not still.any()


def test_one_backward_trains_both_players():
    x, y = (batch.float() for batch in batches())
    encoder, discriminator = (torch.ones(3, 3) / 3).requires_grad_(), torch.ones(3, 1).requires_grad_()

    def gradients(strength):
        logits = [reverse_gradient(part @ encoder, strength) @ discriminator for part in (x, y)]
        return torch.autograd.grad(domain_adversarial(*logits), [encoder, discriminator])

    plain = torch.autograd.grad(
        domain_adversarial(x @ encoder @ discriminator, y @ encoder @ discriminator), [encoder, discriminator]
    )
    turned = gradients(2.0)
    torch.testing.assert_close(turned[1], plain[1])
    torch.testing.assert_close(turned[0], -2 * plain[0])


def local(x: Tensor, y: Tensor, **given) -> Tensor:
    weights = (weight[: len(part)] for weight, part in zip(class_weights(), (x, y), strict=True))
    return local_mmd2(x, y, *weights, **given)


def joint(x: Tensor, y: Tensor, **given) -> Tensor:
    return joint_mmd2([x, x[:, :2]], [y, y[:, :2]], **given)


LOSSES = {
    "mmd2": mmd2,
    "unbiased": partial(mmd2, biased=False),
    "multi-kernel": multi_kernel_mmd2,
    "local": local,
    "joint": joint,
    "coral": coral,
}
ROWS = {
    "zeros": lambda d: torch.zeros(4, d),
    "equal": lambda d: torch.linspace(-3, 50, d).expand(4, d),
    "equal but for rounding": lambda d: torch.linspace(-3, 50, d) + 1e-5 * torch.randn(4, d),
    "mostly equal": lambda d: torch.cat([torch.zeros(3, d), torch.ones(1, d)]),
    "tiny": lambda d: 1e-25 * torch.randn(4, d),
    "usual": lambda d: torch.randn(4, d),
}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("loss", LOSSES)
def test_values_and_gradients_are_finite_at_identical_points(loss, rows, dtype):
    torch.manual_seed(0)
    x = ROWS[rows](4096).to(dtype).clone().requires_grad_()
    y = x.detach()[:3].clone().requires_grad_()
    value = LOSSES[loss](x, y)
    value.backward()
    assert torch.isfinite(value)
    for gradient in (x.grad, y.grad):
        assert gradient.dtype == dtype
        assert torch.isfinite(gradient).all()
        if rows == "equal":
            assert gradient.abs().max() < 1e-6


@pytest.mark.parametrize("d", [2, 20])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_right(loss, d):
    given = {}
    if loss != "coral":  # the median is a constant to the gradient, but not to finite differences
        given = {"bandwidths": [1.5, 0.7]} if loss == "joint" else {"bandwidth": 1.5}
    x, y = (batch.requires_grad_() for batch in batches(4, 3, d))
    assert torch.autograd.gradcheck(lambda x, y: LOSSES[loss](x, y, **given), (x, y))


def test_gradients_of_local_mmd2_into_the_weights():
    x, y = batches()
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    labels, _ = class_weights()
    loss = lambda logits: local_mmd2(x, y, labels, logits.softmax(dim=1))  # noqa: E731
    assert torch.autograd.gradcheck(loss, logits.requires_grad_())
    sure = (1e3 * logits.detach()).requires_grad_()  # probabilities of 0 and 1
    loss(sure).backward()
    assert torch.isfinite(sure.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("loss", LOSSES)
def test_half_precision_and_autocast_compute_in_float32(loss, dtype):
    x, y = (batch.to(dtype) for batch in batches(7, 5, 200))
    exact = LOSSES[loss](x.double(), y.double()).item()
    with torch.autocast("cpu", dtype=dtype):
        values = LOSSES[loss](x, y), LOSSES[loss](x.float(), y.float())
    for value in (LOSSES[loss](x, y), *values):
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(exact, rel=1e-5)


def test_nothing_of_the_size_of_all_pairs_times_width_is_kept():
    x, y = (batch.requires_grad_() for batch in batches(40, 30, 500, dtype=torch.float32))
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (sizes.append(t.numel()), t)[1], lambda t: t):
        multi_kernel_mmd2(x, y)
    assert max(sizes) == 70 * 500


def test_median_bandwidth_against_a_loop():
    x, y = batches()
    rows = torch.cat([x, y]).numpy()
    distances = [np.linalg.norm(rows[i] - rows[j]) for i in range(len(rows)) for j in range(i)]
    # torch's median of an even number is the lower of the two in the middle.
    expected = pytest.approx(np.sort(distances)[(len(distances) - 1) // 2])
    assert median_bandwidth(x, y).item() == expected
    # Rows that are there twice add pairs of distance 0, which do not count, and each distance four times.
    assert median_bandwidth(x.repeat(2, 1), y.repeat(2, 1)).item() == expected


def test_median_bandwidth_is_a_positive_constant():
    x, y = (batch.requires_grad_() for batch in batches())
    assert not median_bandwidth(x, y).requires_grad
    assert median_bandwidth(torch.zeros(3, 2), torch.zeros(1, 2)) > 0
    assert 0 < median_bandwidth(torch.ones(3, 2), torch.ones(1, 2)) < 1e-3
    assert median_bandwidth(torch.zeros(1, 1), torch.full((1, 1), 2.0)).item() == 2


@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_that_are_not_finite_are_not_hidden(loss):
    x, y = batches()
    x[0, 0] = torch.nan
    assert torch.isnan(LOSSES[loss](x, y))


def test_batches_that_cannot_be_compared():
    x, y = batches()
    labels, probabilities = class_weights()
    for loss in (mmd2, multi_kernel_mmd2, local, coral, median_bandwidth):
        with pytest.raises(ValueError, match="equal width"):
            loss(x, y[:, :2])
    with pytest.raises(ValueError, match="same rows"):
        joint_mmd2([x, x[:3]], [y, y])
    with pytest.raises(ValueError, match="as many layers"):
        joint_mmd2([x, x], [y])
    with pytest.raises(ValueError, match="one at least, not 0"):
        joint_mmd2([], [])
    with pytest.raises(ValueError, match="one row of weights"):
        local_mmd2(x, y, labels[:3], probabilities)
    with pytest.raises(ValueError, match="one logit a row"):
        domain_adversarial(x, y)
    with pytest.raises(ValueError, match="at least one row"):
        domain_adversarial(x[:0, 0], y[:, 0])


def test_batches_of_one():
    x, y = batches()
    for loss in (coral, partial(mmd2, biased=False)):
        for given in ((x[:1], y), (x, y[:1])):
            with pytest.raises(ValueError, match=r"at least 2 row"):
                loss(*given)
    for loss in (mmd2, multi_kernel_mmd2, joint, local):
        assert torch.isfinite(loss(x[:1], y[:1]))
    assert mmd2(x[:1], y[:1], 1.0).item() == pytest.approx(2 - 2 * kernel(x[0], y[0], 1.0))


@pytest.mark.parametrize("bandwidth", [0, -1.0, math.nan])
def test_bandwidths_that_are_not_positive(bandwidth):
    x, y = batches()
    with pytest.raises(ParameterError, match="must be positive"):
        mmd2(x, y, bandwidth)
