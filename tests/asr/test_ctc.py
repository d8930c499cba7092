"""CTC against the enumeration of all alignments and torch's own."""

from __future__ import annotations

import math
from itertools import groupby, product

import pytest
import torch
from torch import Tensor

from serlab.asr.ctc import ctc, frames_needed
from serlab.errors import TrainingError

TARGETS = [(0, 1), (1, 1), (0,)]
LENGTHS = torch.tensor([4, 3, 2])


def random_logits(n_outputs: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(3, 4, n_outputs, generator=generator, dtype=torch.float64)


def enumerated(logits: Tensor, target: tuple[int, ...]) -> float:
    log_probs = logits.log_softmax(dim=1).tolist()
    blank = len(log_probs[0]) - 1
    total = 0.0
    for path in product(range(blank + 1), repeat=len(log_probs)):
        if tuple(unit for unit, _ in groupby(path) if unit != blank) == target:
            total += math.exp(sum(frame[unit] for frame, unit in zip(log_probs, path, strict=True)))
    return -math.log(total)


def test_against_enumeration():
    logits = random_logits()
    expected = [enumerated(x[:n], y) for x, n, y in zip(logits, LENGTHS.tolist(), TARGETS, strict=True)]
    assert ctc(logits, LENGTHS, TARGETS).tolist() == pytest.approx(expected, abs=1e-12)
    assert ctc(logits.log_softmax(dim=2), LENGTHS, TARGETS).tolist() == pytest.approx(expected, abs=1e-12)
    assert ctc(logits.float(), LENGTHS, TARGETS).tolist() == pytest.approx(expected, abs=1e-5)


def test_against_torch_with_its_usual_blank():
    logits = random_logits(n_outputs=5)
    targets = [(3, 0), (2, 2), (1,)]
    first = logits[:, :, [4, 0, 1, 2, 3]].log_softmax(dim=2).transpose(0, 1)
    padded = torch.tensor([[4, 1], [3, 3], [2, 0]])
    expected = torch.nn.functional.ctc_loss(first, padded, LENGTHS, torch.tensor([2, 2, 1]), reduction="none")
    torch.testing.assert_close(ctc(logits, LENGTHS, targets), expected)


def test_gradient_against_finite_differences():
    logits = random_logits().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: ctc(x, LENGTHS, TARGETS), logits)


def test_what_comes_after_the_end_does_not_count():
    logits = random_logits()
    logits[1, 3:], logits[2, 2:] = torch.nan, torch.inf
    logits.requires_grad_()
    loss = ctc(logits, LENGTHS, TARGETS)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert gradient.isfinite().all() and not gradient[2, 2:].any()
    alone = ctc(logits[2:, :2], torch.tensor([2]), TARGETS[2:])
    torch.testing.assert_close(alone[0], loss[2])


def test_half_precision_is_computed_in_float32():
    half = random_logits().bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = ctc(half, LENGTHS, TARGETS)
    torch.testing.assert_close(loss, ctc(half.float(), LENGTHS, TARGETS))
    loss.sum().backward()
    assert half.grad.isfinite().all()


def test_audio_shorter_than_its_units_is_named():
    assert [frames_needed(target) for target in [(0,), (0, 1), (1, 1), (1, 1, 1)]] == [1, 2, 3, 5]
    with pytest.raises(
        TrainingError, match="number 1 of the batch has 2 frames, its 2 units need 3"
    ) as error:
        ctc(random_logits(), torch.tensor([4, 2, 2]), TARGETS)
    assert error.value.rows == [1]


@pytest.mark.parametrize("target", [(), (2,), (-1,)])
def test_empty_and_unknown_units_are_named(target):
    with pytest.raises(ValueError, match="from 0 to 1"):
        ctc(random_logits(), LENGTHS, [*TARGETS[:2], target])


def test_wrong_lengths_are_named():
    with pytest.raises(ValueError, match="lengths must be 1 to 4"):
        ctc(random_logits(), torch.tensor([5, 3, 2]), TARGETS)
    with pytest.raises(ValueError, match="3 utterances"):
        ctc(random_logits(), LENGTHS, TARGETS[:2])
