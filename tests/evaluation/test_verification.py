"""Equal error rates against counting."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from serlab.errors import ProtocolError
from serlab.evaluation.verification import equal_error_rate


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt(a @ a) / np.sqrt(b @ b))


@pytest.fixture
def voices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Six speakers, a direction each, and noise; speakers 0 to 2 are women."""
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(6), 5)
    embeddings = rng.standard_normal((6, 8))[speaker] + 0.9 * rng.standard_normal((30, 8))
    return embeddings, np.array([f"s{i}" for i in speaker]), np.where(speaker < 3, "female", "male")


@pytest.mark.parametrize("same_sex", [False, True])
def test_both_errors_are_equal_at_the_threshold(voices, same_sex):
    embeddings, speaker, sex = voices
    found = equal_error_rate(embeddings, speaker, sex=sex if same_sex else None)
    same, different = [], []
    for i, j in combinations(range(len(speaker)), 2):
        if speaker[i] == speaker[j]:
            same.append(cosine(embeddings[i], embeddings[j]))
        elif not same_sex or sex[i] == sex[j]:
            different.append(cosine(embeddings[i], embeddings[j]))
    same, different = np.array(same), np.array(different)
    assert (found.n_same, found.n_different) == (len(same), len(different))
    assert found.same == pytest.approx(same.mean()) and found.different == pytest.approx(different.mean())
    tolerance = 1 / len(same)
    assert (same < found.threshold - 1e-12).mean() == pytest.approx(found.rate, abs=tolerance)
    assert (different >= found.threshold - 1e-12).mean() == pytest.approx(found.rate, abs=tolerance)
    assert 0 < found.rate < 0.5


def test_rate_counted_by_hand():
    """Unit vectors at 0, 10 (a) and 20, 90 (b) degrees: cosines fall with the angle."""
    angle = np.radians([0, 10, 20, 90])
    found = equal_error_rate(np.stack([np.cos(angle), np.sin(angle)], axis=1), np.array(list("aabb")))
    # Same: 10 and 70 degrees. Different: 10, 20, 80 and 90. Between 20 and 70 one of two is
    # refused and two of four are accepted.
    assert found.rate == pytest.approx(0.5)
    assert found.n_same == 2 and found.n_different == 4


def test_separated_speakers_have_no_errors():
    found = equal_error_rate(np.repeat(np.eye(3), 4, axis=0), np.repeat(["a", "b", "c"], 4))
    assert found.rate == 0
    assert found.different < found.threshold <= found.same


def test_identical_embeddings_are_at_chance():
    assert equal_error_rate(np.ones((6, 2)), np.array(list("aabbcc"))).rate == pytest.approx(0.5)


def test_embeddings_that_mislead_are_beyond_chance():
    """Same speaker: cosine 0 twice. Different ones: 0 twice and 1 twice."""
    found = equal_error_rate(np.array([[1, 0], [0, 1], [1, 0], [0, 1]]), np.array(list("abba")))
    # From (refused 0, accepted 1) to (1, 1/2), the line meets the diagonal at 2/3.
    assert found.rate == pytest.approx(2 / 3)


def test_random_embeddings_are_near_chance_and_length_does_not_count(voices):
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((200, 20))
    assert equal_error_rate(noise, np.arange(200) % 10).rate == pytest.approx(0.5, abs=0.03)
    embeddings, speaker, _ = voices
    longer = embeddings * rng.uniform(0.1, 10, (30, 1))
    assert equal_error_rate(longer, speaker).rate == equal_error_rate(embeddings, speaker).rate


def test_what_cannot_be_scored_is_refused():
    ones = np.ones((4, 2))
    with pytest.raises(ProtocolError, match="0 pairs of the same speaker and 6 of different ones"):
        equal_error_rate(ones, np.array(list("abcd")))
    with pytest.raises(ProtocolError, match="6 pairs of the same speaker and 0 of different ones"):
        equal_error_rate(ones, np.array(list("aaaa")))
    with pytest.raises(ProtocolError, match="2 pairs of the same speaker and 0 of"):
        equal_error_rate(ones, np.array(list("aabb")), sex=np.array(list("ffmm")))
    for bad in (0.0, np.nan):
        with pytest.raises(ProtocolError, match="embedding 2 is zero or not finite"):
            equal_error_rate(np.where(np.arange(4)[:, None] == 2, bad, ones), np.array(list("aabb")))
    with pytest.raises(ValueError, match="same length"):
        equal_error_rate(ones, np.array(list("aab")))
