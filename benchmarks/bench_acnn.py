"""How long a training step of the attentive CNN takes, and what its convolution saves over Conv1d.

    python benchmarks/bench_acnn.py [--threads 2] [--steps 30]

Batches of 32 utterances of 7.5 s, 26 bands, 200 kernels: forward, backward and
Adam. Goal: at most 60 ms a step. The network with Conv1d and MaxPool1d computes
the same (without a mask) and takes its steps in turn with ours, so that a busy
machine slows both down. Best and median of the steps.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import Tensor, nn

from serlab.models.acnn import ACNN

GOAL = 0.060


class WithConv1d(nn.Module):
    """The same network of torch's own layers."""

    def __init__(self, like: ACNN) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(26, 200, like.width, like.stride)
        self.pool = nn.MaxPool1d(like.pool)
        self.score = nn.Linear(200, 1, bias=False)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(200 * (1 + like.n_steps), 2)

    def forward(self, X: Tensor) -> Tensor:
        maps = self.pool(self.convolution(X.transpose(1, 2)).relu()).transpose(1, 2)
        attended = (self.score(maps).softmax(dim=1) * maps).sum(dim=1)
        return self.output(self.dropout(torch.cat([attended, maps.flatten(1)], dim=1)))


def step(module: nn.Module, optimizer: torch.optim.Optimizer, X: Tensor, y: Tensor) -> float:
    """Seconds of one training step."""
    began = time.perf_counter()
    optimizer.zero_grad()
    nn.functional.cross_entropy(module(X), y).backward()
    optimizer.step()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    X, y = torch.randn(32, 750, 26), torch.randint(0, 2, (32,))
    print(f"goal {GOAL * 1e3:.0f} ms a step of 32, {options.threads} threads")
    for stride in (3, 1):
        ours = ACNN(26, 2, stride=stride)
        modules = {"ACNN": ours, "with Conv1d": WithConv1d(ours)}
        optimizers = {name: torch.optim.Adam(m.parameters(), fused=True) for name, m in modules.items()}
        seconds = {name: [] for name in modules}
        for _ in range(options.steps + 3):
            for name, module in modules.items():
                seconds[name].append(step(module, optimizers[name], X, y))
        best, median = (
            {name: 1e3 * function(values[3:]) for name, values in seconds.items()}
            for function in (np.min, np.median)
        )
        for name in modules:
            print(f"stride {stride}  {name:12s} best {best[name]:6.1f} ms, median {median[name]:6.1f} ms")
        print(f"stride {stride}  Conv1d takes {median['with Conv1d'] / median['ACNN']:.2f} times as long")


if __name__ == "__main__":
    main()
