"""What the training loop costs beside forward, backward and step.

    python benchmarks/bench_training.py [--repeats 15] [--epochs 2] [--threads 1]

:func:`serlab.training.train` against a bare loop over the very same batches,
cut beforehand, in one process and by turns: median of the ratios of
neighbours. ``train`` draws the order, cuts the batches, watches loss and UAR,
and keeps the weights of each epoch, in memory or also on disk. Goals: 1.10
for the attentive CNN; 1.3 for a small perceptron, whose steps take less than
a millisecond. Wall and processor seconds: on a busy machine the latter compare.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from serlab import training
from serlab.models.acnn import ACNN
from serlab.training import Fitting, Settings, batches

N_CLASSES = 4


def bare(module: nn.Module, parts: list[tuple[Tensor, Tensor]]) -> None:
    module.train()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    criterion = nn.CrossEntropyLoss()
    for X, y in parts:
        optimizer.zero_grad()
        criterion(module(X), y).backward()
        optimizer.step()


def seconds(task: Callable[[], object]) -> tuple[float, float]:
    """Of wall and processor."""
    wall, processor = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - wall, time.process_time() - processor


def compare(
    title: str, module: nn.Module, X: Tensor, *, repeats: int, epochs: int, checkpoints: bool
) -> None:
    y = torch.arange(len(X)) % N_CLASSES
    settings = Settings(epochs=epochs)
    generator, of_rows = torch.Generator().manual_seed(0), batches.lengths(X)
    parts = [
        (batches.take(X, rows, of_rows), y[rows])
        for _ in range(epochs)
        for rows in torch.randperm(len(X), generator=generator).split(settings.batch_size)
    ]

    def full() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fitting = Fitting(checkpoints=Path(folder) if checkpoints else None)
            training.train(copy.deepcopy(module), X, y, settings=settings, seed=0, fitting=fitting)

    tasks = {"bare": lambda: bare(copy.deepcopy(module), parts), "train": full}
    took = []
    for repeat in range(repeats + 1):
        took.append({name: seconds(tasks[name]) for name in sorted(tasks, reverse=repeat % 2 == 1)})
    del took[0]  # warms up
    step = statistics.median(times["bare"][1] for times in took) / len(parts)
    print(f"{title:28s} bare step {1e3 * step:6.2f} ms", end="")
    for clock, name in enumerate(("wall", "processor")):
        ratios = [times["train"][clock] / times["bare"][clock] for times in took]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f", {name} {middle:.3f} ({low:.2f} .. {high:.2f})", end="")
    print(flush=True)


def utterances(n: int, frames: int) -> Tensor:
    """Log-mel-like sequences of 1.5 s up to ``frames`` at 10 ms."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n, frames, 26, generator=generator)
    lengths = torch.randint(150, frames + 1, (n,), generator=generator)
    X[torch.arange(frames) >= lengths[:, None]] = torch.nan
    return X


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with training.seeded(0):
        acnn = ACNN(26, N_CLASSES)
        perceptron = nn.Sequential(nn.Linear(88, 256), nn.Tanh(), nn.Linear(256, N_CLASSES))
    vectors = torch.randn(3200, 88, generator=torch.Generator().manual_seed(0))
    with training.threads(options.threads):
        for kind, checkpoints in (("", False), (", checkpoints", True)):
            given = {"repeats": options.repeats, "epochs": options.epochs, "checkpoints": checkpoints}
            compare("ACNN" + kind, acnn, utterances(640, 750), **given)
            compare("MLP 88-256-4" + kind, perceptron, vectors, **given)


if __name__ == "__main__":
    main()
