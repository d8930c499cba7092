"""Losses against double sums in float64, and identities."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from serlab.losses import coral, median_bandwidth, mmd2


def batches(n: int = 7, m: int = 5, d: int = 3, *, dtype=torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, d, generator=generator, dtype=dtype)
    return x, 2 * torch.randn(m, d, generator=generator, dtype=dtype) + 1


def double_sum(a, b, bandwidth: float, *, skip_diagonal: bool = False) -> float:
    total, pairs = 0.0, 0
    for i in range(len(a)):
        for j in range(len(b)):
            if skip_diagonal and i == j:
                continue
            total += np.exp(-np.sum((a[i] - b[j]) ** 2) / (2 * bandwidth**2))
            pairs += 1
    return total / pairs


@pytest.mark.parametrize("bandwidth", [0.5, 2.0])
@pytest.mark.parametrize("biased", [True, False])
def test_mmd2_against_double_sums(bandwidth, biased):
    x, y = batches()
    a, b = x.numpy(), y.numpy()
    expected = (
        double_sum(a, a, bandwidth, skip_diagonal=not biased)
        - 2 * double_sum(a, b, bandwidth)
        + double_sum(b, b, bandwidth, skip_diagonal=not biased)
    )
    assert mmd2(x, y, bandwidth, biased).item() == pytest.approx(expected, abs=1e-12)
    assert mmd2(x.float(), y.float(), bandwidth, biased).item() == pytest.approx(expected, abs=1e-6)


def test_mmd2_identities():
    x, y = batches()
    assert mmd2(x, x, 1.0).item() == pytest.approx(0, abs=1e-15)
    assert mmd2(x, y, 1.0).item() == pytest.approx(mmd2(y, x, 1.0).item(), abs=1e-15)
    assert mmd2(x + 5, y + 5, 1.0).item() == pytest.approx(mmd2(x, y, 1.0).item(), abs=1e-12)
    assert mmd2(3 * x, 3 * y, 3.0).item() == pytest.approx(mmd2(x, y, 1.0).item(), abs=1e-12)
    # Far apart, only the kernels of rows with themselves are left.
    assert mmd2(x * 1e6, y * 1e6, 1.0).item() == pytest.approx(1 / len(x) + 1 / len(y))


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


def test_mmd2_of_far_points_survives_float32():
    x, y = batches(64, 64, 100, dtype=torch.float32)
    exact = mmd2(x.double(), y.double(), 10.0).item()
    assert mmd2(x + 1000, y + 1000, 10.0).item() == pytest.approx(exact, abs=1e-4)


def test_coral_against_numpy():
    x, y = batches(9, 6, 4)
    difference = np.cov(x.numpy().T) - np.cov(y.numpy().T)
    assert coral(x, y).item() == pytest.approx(np.sum(difference**2) / (4 * 4**2))


def test_coral_identities():
    x, y = batches()
    assert coral(x, x).item() == 0
    assert coral(x + 3, y).item() == pytest.approx(coral(x, y).item())  # blind to means
    assert coral(2 * x, 2 * y).item() == pytest.approx(16 * coral(x, y).item())


@pytest.mark.parametrize("loss", [coral, lambda a, b: mmd2(a, b, 1.0), lambda a, b: mmd2(a, b, 1.0, False)])
def test_gradients_are_right_and_finite_at_identical_points(loss):
    x, y = (batch.requires_grad_() for batch in batches(4, 3, 2))
    assert torch.autograd.gradcheck(loss, (x, y))
    same = torch.ones(4, 2, requires_grad=True)
    loss(same, same.detach()).backward()
    assert torch.isfinite(same.grad).all()


def test_median_bandwidth_against_a_loop():
    x, y = batches()
    rows = torch.cat([x, y]).numpy()
    distances = [np.linalg.norm(rows[i] - rows[j]) for i in range(len(rows)) for j in range(i)]
    # torch's median of an even number is the lower of the two in the middle.
    assert median_bandwidth(x, y) == pytest.approx(np.sort(distances)[(len(distances) - 1) // 2])


def test_batches_that_cannot_be_compared():
    x, y = batches()
    with pytest.raises(ValueError, match="equal width"):
        mmd2(x, y[:, :2], 1.0)
    with pytest.raises(ValueError, match=r"at least 2 row"):
        coral(x[:1], y)
    with pytest.raises(ValueError, match=r"at least 2 row"):
        mmd2(x, y[:1], 1.0, biased=False)
    assert torch.isfinite(mmd2(x[:1], y[:1], 1.0))
