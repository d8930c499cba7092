"""Which channel is used, and how far apart channels are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from serlab.audio.channels import Mixer, interval

rng = np.random.default_rng(0)
VOICE = (0.1 * rng.standard_normal(4000)).astype(np.float32)
OTHER = (0.1 * rng.standard_normal(4000)).astype(np.float32)


def mixed(*channels: np.ndarray, channel: str = "mix", blocks: int = 3) -> tuple[Mixer, np.ndarray]:
    """In blocks, as a file is read."""
    mixer = Mixer(channel, len(channels))
    parts = np.array_split(np.stack(channels, axis=1), blocks)
    return mixer, np.concatenate([mixer(part) for part in parts])


@pytest.mark.parametrize("blocks", [1, 3, 7])
def test_distance_is_that_of_all_samples_at_once(blocks: int):
    left, right = VOICE.copy(), VOICE + 0.1 * OTHER
    left[:1500] = right[:1500]  # alike at first
    mixer, samples = mixed(left, right, blocks=blocks)
    mean = (left + right) / 2
    assert np.allclose(samples, mean, atol=1e-7)
    assert mixer.distance == pytest.approx(
        10 * math.log10(np.var((left - right) / 2) / np.var(mean)), abs=0.01
    )
    assert mixer.differ and not mixer.cancel and "channels differ" in mixer.note


def test_identical_channels_are_one():
    mixer, samples = mixed(VOICE, VOICE)
    assert np.array_equal(samples, VOICE) and not mixer.differ and not mixer.note
    assert mixer.distance == -math.inf


@pytest.mark.parametrize(
    ("channels", "cancel"),
    [
        ((VOICE, -VOICE + 0.01 * OTHER), True),
        ((VOICE, -VOICE), True),
        ((VOICE, -0.8 * VOICE), True),
        ((VOICE, OTHER), False),  # two unlike sounds
        ((VOICE, 0 * VOICE), False),  # one is dead
        ((VOICE, 0.2 - VOICE + OTHER), False),
        ((VOICE, 0 * VOICE, 0 * VOICE, 0 * VOICE), False),
    ],
)
def test_channels_cancel_where_less_is_left_than_of_one_alone(channels, cancel: bool):
    assert mixed(*channels)[0].cancel == cancel


def test_one_channel_by_name():
    assert np.array_equal(mixed(VOICE, OTHER, channel="left")[1], VOICE)
    assert np.array_equal(mixed(VOICE, OTHER, channel="right")[1], OTHER)
    assert np.array_equal(mixed(VOICE, channel="right")[1], VOICE)  # there is no other
    assert not mixed(VOICE, OTHER, channel="right")[0].note


def test_distances_in_steps_of_ten():
    assert interval(-19.9) == "-20 to -10 dB re their mean" == interval(-20.0)
    assert interval(-math.inf) == "less than -60 dB re their mean"
    assert interval(math.inf) == "0 dB or more re their mean"
