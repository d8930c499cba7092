"""Networks on one GPU: images/s, utterances/s and steps/s, beside the peak of the machine; CPU and GPU agree.

    python benchmarks/bench_gpu.py [--device auto] [--only WORD ...]

Random weights, of the published shapes on a GPU and small ones on a CPU, through the package's own training
and prediction, in 16 bits where those take them. Operations are counted by torch, of the call that is timed.
The peak is that of one large matrix product in the same precision, measured in turn. Best of three.

- VGG16 on images of 224 x 224, all layers learning (goal on a GPU: 50 % of the peak)
- encoders of base size and larger over utterances of 4 s: what their blocks cost
- LoRA beside all blocks of WavLM-base, batches of 16 utterances of 4 s
- logits and gradients of small networks of each family on the CPU and on the GPU, in single precision (no
  GPU: in single and double precision)
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from serlab import training
from serlab.models.emotion2vec import Emotion2vec
from serlab.models.encoder_blocks import Blocks
from serlab.models.encoder_top import EncoderTop
from serlab.models.tuned_blocks import Kind, TunedBlocks
from serlab.models.vgg16 import VGG16
from serlab.training import Fitting, Settings
from serlab.training.devices import resolve_device

N_CLASSES, BATCH, FRAMES = 4, 16, 200
#: Kernels and strides of emotion2vec's convolutions.
_KERNELS, _STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
#: Most that single precision may differ by, of logits and gradients near 1.
TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Of an encoder: width, depth, heads and inner width of its blocks."""

    width: int
    depth: int
    heads: int
    inner: int


BASE = Shape(width=768, depth=12, heads=12, inner=3072)
LARGE = Shape(width=1024, depth=24, heads=16, inner=4096)
SMALL = Shape(width=32, depth=2, heads=2, inner=64)
#: What is timed on a GPU.
PUBLISHED = {
    "WavLM-base": ("wavlm", BASE),
    "Whisper-small": ("whisper", BASE),
    "emotion2vec": ("emotion2vec", BASE),
    "XLS-R 300M": ("wav2vec2", LARGE),
    "w2v-BERT 2.0": ("wav2vec2-bert", LARGE),
}


def blocks(family: str, shape: Shape) -> Blocks:
    """Of a family, with random weights."""
    sizes = {
        "hidden_size": shape.width,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
    }
    if family == "emotion2vec":
        whole = Emotion2vec(
            width=shape.width, depth=shape.depth, heads=shape.heads, inner=shape.inner, channels=(8,) * 7,
            kernels=_KERNELS, strides=_STRIDES,
        )  # fmt: skip
        return Blocks(whole.blocks, None, whole.context)
    if family == "whisper":
        config = transformers.WhisperConfig(
            d_model=shape.width, encoder_layers=shape.depth, encoder_attention_heads=shape.heads,
            encoder_ffn_dim=shape.inner, decoder_layers=1,
        )  # fmt: skip
        encoder = WhisperEncoder(config)
        return Blocks(encoder.layers, encoder.layer_norm)
    if family == "wav2vec2-bert":
        model = transformers.Wav2Vec2BertModel(transformers.Wav2Vec2BertConfig(**sizes))
        return Blocks(model.encoder.layers, None)
    if family == "wavlm":
        model = transformers.WavLMModel(transformers.WavLMConfig(**sizes))
        return Blocks(model.encoder.layers, None)
    stable = {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**sizes, **stable))
    return Blocks(model.encoder.layers, model.encoder.layer_norm)


def network(family: str, shape: Shape, kind: Kind) -> EncoderTop:
    """What the methods lora-*, ia3-* and head-* train."""
    with training.seeded(0):
        return EncoderTop(TunedBlocks(blocks(family, shape), kind), shape.width, N_CLASSES)


def frames(n: int, width: int) -> Tensor:
    """Utterances of 4 s, one of them half as long."""
    X = torch.randn(n, FRAMES, width, generator=torch.Generator().manual_seed(0))
    X[0, FRAMES // 2 :] = torch.nan
    return X


def told(name: str, unit: str, n: float, call: Callable[[], object], device: str, dtype: torch.dtype) -> None:
    """A line: how many a second, and the share of the peak that the counted operations are.

    The call and one large matrix product in its precision are timed in turn, after one of each that also
    chooses algorithms, so that a busy machine slows both.
    """
    size = 8192 if device == "cuda" else 1024
    square = torch.randn(size, size, device=device).to(dtype)
    with FlopCounterMode(display=False) as counter:
        call()
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(4):
        for of, work in zip(taken, (call, lambda: square @ square), strict=True):
            began = time.perf_counter()
            work()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                of.append(time.perf_counter() - began)
    seconds, peak = min(taken[0]), 2 * size**3 / min(taken[1])
    share = counter.get_total_flops() / seconds / peak
    print(f"{name:36s} {n / seconds:9.1f} {unit:13s} {share:4.0%} of {peak / 1e12:.3f} Tflop/s", flush=True)


def half(device: str) -> torch.dtype:
    """What networks are trained in where that is safe."""
    return torch.bfloat16 if device == "cuda" else torch.float32


def vgg16(device: str, fitting: Fitting) -> None:
    """All layers of VGG16 learn, of the preset paper on a GPU."""
    size, n, sizes = (224, 64, (7, 4096)) if device == "cuda" else (64, BATCH, (2, 512))
    with training.seeded(0):
        module = VGG16(N_CLASSES, image_size=size, pooled=sizes[0], hidden=sizes[1])
    X = -80 * torch.rand(n, 300, 64, generator=torch.Generator().manual_seed(0))
    y = torch.arange(n) % N_CLASSES
    settings = Settings(epochs=4 if device == "cuda" else 1, batch_size=n, learning_rate=1e-4)
    told(
        f"VGG16, {size} x {size}, trained",
        "images/s",
        n * settings.epochs,
        lambda: training.train(module, X, y, settings=settings, seed=0, fitting=fitting),
        device,
        half(device),
    )


def encoders(device: str, fitting: Fitting) -> None:
    """Blocks of encoders, as they are asked."""
    for name, (family, published) in PUBLISHED.items():
        shape, n = (published, 4 * BATCH) if device == "cuda" else (SMALL, BATCH)
        module, X = network(family, shape, "none"), frames(n, shape.width).numpy()

        def ask(module: nn.Module = module, X: np.ndarray = X) -> object:
            return training.predict(module, X, batch_size=BATCH, fitting=fitting)

        what = f"{name}, {shape.depth} x {shape.width}, asked"
        told(what, "utterances/s", n, ask, device, torch.float32)


def lora(device: str, fitting: Fitting) -> None:
    """LoRA beside all blocks of WavLM-base."""
    shape, n = (BASE, 8 * BATCH) if device == "cuda" else (SMALL, BATCH)
    module, X = network("wavlm", shape, "lora"), frames(n, shape.width)
    y = torch.arange(n) % N_CLASSES
    settings = Settings(epochs=1, batch_size=BATCH, learning_rate=1e-3, optimizer="adamw")
    told(
        f"LoRA, WavLM {shape.depth} x {shape.width}, trained",
        "steps/s",
        n / BATCH,
        lambda: training.train(module, X, y, settings=settings, seed=0, fitting=fitting),
        device,
        half(device),
    )


def agreement(device: str) -> None:
    """Logits and gradients of the same networks on CPU and GPU; without one, in single and double."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    other = "GPU" if device == "cuda" else "double precision"
    for family in dict.fromkeys(family for family, _ in PUBLISHED.values()):
        here = network(family, SMALL, "lora").eval()
        there = copy.deepcopy(here).to(device)
        found = []
        for module in (here, there if device == "cuda" else there.double()):
            like = next(module.parameters())
            X = frames(8, SMALL.width).to(like)
            logits = module(X)
            nn.functional.cross_entropy(logits, torch.arange(8, device=like.device) % N_CLASSES).backward()
            gradients = [weight.grad.flatten() for weight in module.parameters() if weight.grad is not None]
            found.append(torch.cat([logits.flatten().detach(), *gradients]).cpu().double())
        apart = float((found[0] - found[1]).abs().max())
        said = "agree" if apart <= TOLERANCE else "DIFFER"
        print(f"{family:36s} CPU and {other} {said}: by {apart:.1e} at most, {TOLERANCE:g} allowed")


PARTS: dict[str, Callable[[str, Fitting], None]] = {"vgg16": vgg16, "encoders": encoders, "lora": lora}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORD", help=", ".join([*PARTS, "agreement"])
    )
    options = parser.parse_args()
    device = resolve_device(options.device)
    if device == "cuda":
        print(torch.cuda.get_device_name())
    else:
        print(
            f"no GPU: small networks on the CPU, {torch.get_num_threads()} threads; no goal is meant for it"
        )
    for name, part in PARTS.items():
        if not options.only or name in options.only:
            part(device, Fitting(device=device))
    if not options.only or "agreement" in options.only:
        agreement(device)


if __name__ == "__main__":
    main()
