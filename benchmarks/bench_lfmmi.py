"""What LF-MMI costs beside CTC: forward and backward of one batch.

    python benchmarks/bench_lfmmi.py [--batch 16] [--frames 100] [--repeats 7] [--threads 1]

Characters, transcripts of 20 to 30 of them drawn from sentences of a made-up
language with the statistics of its letters. Median of the repeats, in wall and
processor seconds (on a busy machine the latter compare), of torch's CTC and of
LF-MMI over bigram and trigram graphs, smoothed and not; then the numerators'
graphs, which are made once, and decoding.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from serlab import training
from serlab.asr.ctc import ctc
from serlab.asr.error_rates import best_path
from serlab.asr.graphs import Topology, denominator, estimate_ngram, numerator
from serlab.asr.lfmmi import forward_log, lf_mmi

LETTERS = 28  # with the space and the apostrophe, as in English


def transcripts(n: int, generator: np.random.Generator) -> list[tuple[int, ...]]:
    """Letters by a Markov chain of the first order with few likely successors; 0 is the space."""
    chain = generator.dirichlet(np.full(LETTERS, 0.15), size=LETTERS)
    made = []
    for _ in range(n):
        target = [int(generator.integers(1, LETTERS))]
        for _ in range(int(generator.integers(18, 28))):
            target.append(int(generator.choice(LETTERS, p=chain[target[-1]])))
        made.append((*target, int(generator.integers(1, LETTERS))))
    return made


def seconds(task: Callable[[], object], repeats: int) -> str:
    took = []
    for _ in range(repeats + 1):
        wall, processor = time.perf_counter(), time.process_time()
        task()
        took.append((time.perf_counter() - wall, time.process_time() - processor))
    wall, processor = (1e3 * statistics.median(times) for times in zip(*took[1:], strict=True))
    return f"{wall:9.1f} ms wall {processor:9.1f} ms processor"


def both_ways(loss: Callable[[torch.Tensor], torch.Tensor], scores: torch.Tensor) -> Callable[[], None]:
    def task() -> None:
        scores.grad = None
        loss(scores).sum().backward()

    return task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    texts = transcripts(2000, np.random.default_rng(0))
    targets = texts[: options.batch]
    topology = Topology(LETTERS)
    generator = torch.Generator().manual_seed(0)
    lengths = torch.full((options.batch,), options.frames)

    def outputs(n: int) -> torch.Tensor:
        return torch.randn(options.batch, options.frames, n, generator=generator).requires_grad_()

    with training.threads(options.threads):
        task = both_ways(lambda x: ctc(x, lengths, targets), outputs(LETTERS + 1))
        print(f"{'CTC':50s} {seconds(task, options.repeats)}", flush=True)
        scores = outputs(topology.n_pdfs)
        for order, smoothed in ((2, False), (2, True), (3, False), (3, True)):
            ngram = estimate_ngram(texts, n_units=LETTERS, order=order, smoothed=smoothed, silence=0)
            graph = denominator(ngram, topology)
            numerators = [numerator(target, ngram, topology) for target in targets]
            name = f"LF-MMI, order {order}, {'' if smoothed else 'un'}smoothed"
            size = f"{graph.n_states} states, {len(graph.source)} arcs"
            task = both_ways(lambda x, n=numerators, g=graph: lf_mmi(x, lengths, n, g), scores)
            print(f"{f'{name} ({size})':50s} {seconds(task, options.repeats)}", flush=True)
        task = both_ways(lambda x: forward_log(x, lengths, numerators), scores)
        print(f"{'of it the numerators':50s} {seconds(task, options.repeats)}")
        make = seconds(lambda: [numerator(target, ngram, topology) for target in targets], options.repeats)
        print(f"{'to make the numerators':50s} {make}")
        decode = seconds(lambda: best_path(scores, lengths, graph), 1)
        print(f"{'best path, order 3, smoothed':50s} {decode}")


if __name__ == "__main__":
    main()
