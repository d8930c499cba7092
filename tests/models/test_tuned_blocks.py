"""Adapters beside blocks: nothing at first, the only ones to learn, and asked by every family."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from serlab.methods.learners.encoder_top import pretrained_top, pretrained_tuned
from tests import tiny_encoders
from tests.tiny_encoders import WIDTH

pytest.importorskip("peft")
FAMILIES = ("whisper", "mms", "hubert", "wavlm", "wavlm-large", "w2v-bert", "emotion2vec")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    for name in FAMILIES:
        tiny_encoders.save(name, root)
    return root


def frames() -> torch.Tensor:
    X = torch.randn(4, 30, WIDTH, generator=torch.Generator().manual_seed(0))
    X[1, 20:] = torch.nan
    return X


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("kind", ["lora", "ia3"])
def test_every_adapter_begins_as_nothing_and_learns_alone(name, kind, models):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = pretrained_top(name, 0, 3, root=models).eval()
        tuned = pretrained_tuned(name, 3, kind=kind, root=models).eval()
    torch.testing.assert_close(tuned.pooled(frames()), plain.pooled(frames()))
    own = {key: weight for key, weight in tuned.blocks.named_parameters() if weight.requires_grad}
    assert own and all("lora_" in key or "ia3_" in key for key in own)
    tuned.pooled(frames()).square().sum().backward()
    # Of LoRA's pair the first matrix gets a gradient once the second is no longer zero.
    for key, weight in own.items():
        assert weight.grad is not None, f"{key} is never asked"
        assert "lora_A" in key or weight.grad.abs().max() > 0, f"{key} changes nothing"
    tuned.blocks.requires_grad_(False)
    assert not any(weight.requires_grad for weight in tuned.blocks.parameters())
    tuned.blocks.requires_grad_(True)
    assert {key for key, weight in tuned.blocks.named_parameters() if weight.requires_grad} == set(own)


@pytest.mark.parametrize("name", ["whisper", "wavlm"])
def test_computing_again_gives_the_same_gradient(name, models):
    gradients = []
    for recompute in (False, True):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            tuned = pretrained_tuned(name, 3, kind="lora", recompute=recompute, root=models).train()
            tuned(frames()).square().sum().backward()
        gradients.append([weight.grad for weight in tuned.parameters() if weight.requires_grad])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
