"""What MMD costs by inner products, against broadcasting and other libraries.

    python benchmarks/bench_losses.py [--rows 128] [--width 4096] [--repeats 7] [--threads 1]

Forward and backward of the losses of one pair of batches, each beside
broadcasting, which subtracts all pairs of rows (three tensors of n x n x d),
in one process and by turns: median of the ratios of neighbours, in wall and
processor seconds (on a busy machine the latter compare), and the peak of what
torch allocates. Goal: ``mmd2`` 20 times as fast as broadcasting, in memory
that does not grow with n x n x d. Then CORAL by inner products of rows, against
the covariances, and the two-sample test with 500 permutations.

Other libraries take part where they are installed: geomloss and torchdrift.
``pip install --no-deps --target FOLDER geomloss torchdrift`` and
``PYTHONPATH=FOLDER`` leave the installed torch alone.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from serlab import training
from serlab.evaluation.shift import two_sample_test
from serlab.training import losses


def broadcast_mmd2(x: Tensor, y: Tensor, bandwidth: float) -> Tensor:
    def mean_kernel(a: Tensor, b: Tensor) -> Tensor:
        squared = (a[:, None] - b[None]).square().sum(dim=2)
        return torch.exp(squared / (-2 * bandwidth**2)).mean()

    return mean_kernel(x, x) - 2 * mean_kernel(x, y) + mean_kernel(y, y)


def covariance_coral(x: Tensor, y: Tensor) -> Tensor:
    return (torch.cov(x.T) - torch.cov(y.T)).square().sum() / (4 * x.shape[1] ** 2)


def installed(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        print(f"{name} is left out: {error}")
        return None


def both_ways(loss: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> Callable[[], float]:
    """Forward and backward of a loss; its value."""

    def task() -> float:
        x.grad = y.grad = None
        value = loss(x, y)
        value.backward()
        return value.item()

    return task


def seconds(task: Callable[[], object]) -> tuple[float, float]:
    """Of wall and processor."""
    wall, processor = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - wall, time.process_time() - processor


def peak_bytes(task: Callable[[], object]) -> int:
    """Most that torch has allocated at once beyond what there was."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        task()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        events = [e for e in json.loads(path.read_text())["traceEvents"] if e["name"] == "[memory]"]
    now = peak = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        now += event["args"]["Bytes"]
        peak = max(peak, now)
    return peak


def compare(title: str, tasks: dict[str, Callable[[], float]], repeats: int) -> None:
    """All tasks beside the first one."""
    print(f"\n{title}")
    took = []
    for repeat in range(repeats + 1):
        took.append({name: seconds(tasks[name]) for name in sorted(tasks, reverse=repeat % 2 == 1)})
    del took[0]  # warms up
    reference = next(iter(tasks))
    for name, task in tasks.items():
        own = statistics.median(times[name][0] for times in took)
        line = f"{name:34s} {1e3 * own:9.2f} ms {peak_bytes(task) / 1e6:9.1f} MB  value {task():.6f}"
        for clock, what in enumerate(("wall", "processor")):
            ratios = [times[reference][clock] / times[name][clock] for times in took]
            low, middle, high = statistics.quantiles(ratios, n=4)
            line += f", {what} {middle:6.1f} x ({low:.1f} .. {high:.1f})"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--width", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(options.rows, options.width, generator=generator) for _ in range(2))
    x, y = x.requires_grad_(), (y + 0.1).requires_grad_()
    h = losses.median_bandwidth(x, y).item()
    classes = torch.eye(4)[torch.arange(options.rows) % 4]
    geomloss, torchdrift = installed("geomloss"), installed("torchdrift.detectors.mmd")
    mmds = {
        "broadcasting": lambda x, y: broadcast_mmd2(x, y, h),
        "mmd2": lambda x, y: losses.mmd2(x, y, h),
        "mmd2, median": losses.mmd2,
        "multi_kernel_mmd2, median": losses.multi_kernel_mmd2,
        "local_mmd2, median": lambda x, y: losses.local_mmd2(x, y, classes, classes),
    }
    if geomloss is not None:  # half the squared MMD
        half = geomloss.SamplesLoss("gaussian", blur=h, backend="tensorized")
        mmds["geomloss"] = lambda x, y: 2 * half(x, y)
    corals = {"covariances": covariance_coral, "coral": losses.coral}
    size = f"{options.rows} and {options.rows} rows of {options.width}"
    with training.threads(options.threads):
        for title, chosen in (("MMD", mmds), ("CORAL", corals)):
            tasks = {name: both_ways(loss, x, y) for name, loss in chosen.items()}
            compare(f"{title}, {size}, forward and backward", tasks, options.repeats)
        a, b = x.detach(), y.detach()
        tests = {"two_sample_test": lambda: two_sample_test(a.numpy(), b.numpy(), seed=0).mmd2}
        if torchdrift is not None:  # its unbiased estimate, in which a row meets itself
            tests = {"torchdrift": lambda: torchdrift.kernel_mmd(a, b, n_perm=500)[0].item(), **tests}
        compare(f"Two-sample test, {size}, 500 permutations", tests, options.repeats)


if __name__ == "__main__":
    main()
