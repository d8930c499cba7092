"""How fast VGG16 trains, by memory layout, precision and cached convolutions, against this machine's peak.

    python benchmarks/bench_vgg16.py [--threads 2] [--size 64] [--batch 16] [--steps 3] [--device auto]

Forward, backward and Adam on batches of random utterances of 3 s, from decibels
to logits. Variants take their steps in turn, so that a busy machine slows all
of them down; best of the steps. The peak is that of one large matrix product
in the same precision, measured in turn with the steps; a training step is counted as three
forward passes, of which frozen convolutions have one.
Goals: 40 % of the peak on a CPU, and cached convolutions 20 times as fast as
learning ones.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from serlab import training
from serlab.models.vgg16 import STAGES, VGG16
from serlab.training.devices import resolve_device

BANDS, FRAMES, N_CLASSES = 64, 300, 7


def forward_flops(size: int, pooled: int, hidden: int) -> tuple[float, float]:
    """Additions and multiplications of one image: in the convolutions, and above them."""
    convolutions, before, side = 0.0, 3, size
    for stage in STAGES:
        for channels in stage:
            convolutions += 2 * 9 * before * channels * side**2
            before = channels
        side //= 2
    return convolutions, 2.0 * hidden * (before * pooled**2 + hidden + N_CLASSES)


def seconds(call: Callable[[], object], device: str) -> float:
    began = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def step_of(module: nn.Module, X: Tensor, y: Tensor, dtype: torch.dtype, device: str) -> Callable[[], None]:
    optimizer = torch.optim.Adam(
        [parameter for parameter in module.parameters() if parameter.requires_grad], lr=1e-4, fused=True
    )

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(device, dtype=dtype) if dtype != torch.float32 else nullcontext():
            loss = nn.functional.cross_entropy(module(X), y)
        loss.backward()
        optimizer.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", type=int, default=0, help="of images; 224 on a GPU, 64 on a CPU")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = resolve_device(options.device)
    size = options.size or (224 if device == "cuda" else 64)
    # The sizes of the presets paper and quick.
    pooled, hidden = (7, 4096) if size >= 224 else (2, 512)
    torch.backends.cuda.matmul.allow_tf32 = True  # as convolutions may anyway

    generator = torch.Generator().manual_seed(0)
    X = (-80 * torch.rand(options.batch, FRAMES, BANDS, generator=generator)).to(device)
    y = torch.randint(0, N_CLASSES, (options.batch,), generator=generator).to(device)

    def network(layout: torch.memory_format = torch.channels_last, *, frozen: bool = False) -> VGG16:
        with training.seeded(0):
            module = VGG16(
                N_CLASSES, image_size=size, pooled=pooled, hidden=hidden, freeze_convolutions=frozen
            )
        return module.to(device).to(memory_format=layout)

    convolutions, above = forward_flops(size, pooled, hidden)
    frozen = network(frozen=True)
    with torch.no_grad():
        vectors = frozen.convolved(X)
    everything = 3 * (convolutions + above)
    variants = {  # name -> module, input, precision, operations an image
        "contiguous, fp32": (network(torch.contiguous_format), X, torch.float32, everything),
        "channels-last, fp32": (network(), X, torch.float32, everything),
        "frozen, channels-last, fp32": (frozen, X, torch.float32, convolutions + 3 * above),
        "frozen, cached, fp32": (frozen.top, vectors, torch.float32, 3 * above),
    }
    if device == "cuda":
        variants |= {
            "contiguous, bf16": (network(torch.contiguous_format), X, torch.bfloat16, everything),
            "channels-last, bf16": (network(), X, torch.bfloat16, everything),
        }
    steps = {
        key: step_of(module, inputs, y, dtype, device) for key, (module, inputs, dtype, _) in variants.items()
    }
    n = 8192 if device == "cuda" else 2048
    for dtype in {dtype for _, _, dtype, _ in variants.values()}:
        square = torch.randn(n, n, device=device, dtype=dtype)
        steps[dtype] = lambda square=square: square @ square
    taken: dict[str | torch.dtype, list[float]] = {key: [] for key in steps}
    for number in range(options.steps + 1):
        for key, step in steps.items():
            spent = seconds(step, device)
            if number:  # the first one also chooses algorithms
                taken[key].append(spent)
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {options.threads} thread(s)"
    print(f"{name}; images of {size}, batches of {options.batch}, {hidden} hidden units")
    rates = {key: options.batch / min(taken[key]) for key in variants}
    for key, (_, _, dtype, operations) in variants.items():
        peak = 2 * n**3 / min(taken[dtype])
        share = rates[key] * operations / peak
        print(f"{key:28s} {rates[key]:9.1f} images/s  {share:4.0%} of {peak / 1e12:.3f} Tflop/s")
    layouts = rates["channels-last, fp32"] / rates["contiguous, fp32"]
    print(f"channels-last is {layouts:.2f} times as fast as contiguous")
    cached = rates["frozen, cached, fp32"] / rates["channels-last, fp32"]
    print(
        f"cached convolutions: {cached:.0f} times as fast as learning ones (after one pass without gradient)"
    )


if __name__ == "__main__":
    main()
