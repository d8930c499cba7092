"""Two fits in one process: the second waits, says so, and neither changes the other."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

from serlab import training, turns
from serlab.errors import Cancelled
from serlab.training import Settings

SECONDS = 20.0


def answers(seed: int, found: dict[int, np.ndarray] | None = None) -> np.ndarray:
    """Of a small network with dropout, from its first weights on."""
    X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    with training.seeded(seed):
        time.sleep(0.002)  # where another thread would come in between
        network = torch.nn.Sequential(
            torch.nn.Linear(4, 16), torch.nn.Dropout(0.5), torch.nn.ReLU(), torch.nn.Linear(16, 2)
        )
    training.train(network, X, (X[:, 0] > 0).long(), settings=Settings(epochs=15, batch_size=8), seed=seed)
    proba = training.predict_proba(network, X.numpy())
    if found is not None:
        found[seed] = proba
    return proba


def test_networks_of_two_threads_are_bit_by_bit_those_of_one():
    before = torch.random.get_rng_state()
    alone = {seed: answers(seed) for seed in range(4)}
    for _ in range(3):
        beside: dict[int, np.ndarray] = {}
        threads = [threading.Thread(target=answers, args=(seed, beside)) for seed in alone]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        for seed, proba in alone.items():
            np.testing.assert_array_equal(beside[seed], proba)
    assert torch.equal(torch.random.get_rng_state(), before), "and the generator is as it was found"


def test_whoever_waits_says_so_once_and_then_has_its_turn():
    inside, leave = threading.Event(), threading.Event()
    said: list[tuple[int, int, str]] = []
    order: list[str] = []

    def first() -> None:
        with turns.one_at_a_time(progress=lambda *told: order.append("first waits")), turns.one_at_a_time():
            inside.set()
            leave.wait(SECONDS)
            order.append("first")

    def second() -> None:
        with turns.one_at_a_time(progress=lambda *told: said.append(told)):
            order.append("second")

    threads = [threading.Thread(target=run) for run in (first, second)]
    threads[0].start()
    assert inside.wait(SECONDS)
    threads[1].start()
    until = time.monotonic() + SECONDS
    while not said and time.monotonic() < until:
        time.sleep(0.01)
    leave.set()
    for thread in threads:
        thread.join(SECONDS)
    assert said == [(0, 0, "waiting: another fit runs in this process")]
    assert order == ["first", "second"]


def test_a_wait_can_be_cancelled():
    inside, leave, cancel = (threading.Event() for _ in range(3))

    def first() -> None:
        with turns.one_at_a_time():
            inside.set()
            leave.wait(SECONDS)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(SECONDS)
    cancel.set()
    with pytest.raises(Cancelled, match="waiting for another fit"), turns.one_at_a_time(cancel=cancel):
        pytest.fail("nobody let it in")
    leave.set()
    thread.join(SECONDS)
    with turns.one_at_a_time(cancel=cancel):
        pass


def test_the_number_of_threads_is_that_of_one_block_at_a_time():
    before, seen = torch.get_num_threads(), []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with training.threads(1):
            inside.set()
            leave.wait(SECONDS)
            seen.append(torch.get_num_threads())

    def second() -> None:
        with training.threads(2):
            seen.append(torch.get_num_threads())

    cancel = threading.Event()
    cancel.set()
    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    assert inside.wait(SECONDS)
    two.start()
    with pytest.raises(Cancelled), training.threads(2, cancel=cancel):
        pass
    leave.set()
    for thread in (one, two):
        thread.join(SECONDS)
    assert seen == [1, 2]
    assert torch.get_num_threads() == before
