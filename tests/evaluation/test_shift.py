"""Two-sample test and A-distance on samples whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation.shift import (
    COLUMNS,
    LEAST_SPEAKERS,
    apart,
    proxy_a_distance,
    shift_table,
    two_sample_test,
)
from serlab.protocols import SplitProtocol
from serlab.training import losses
from tests.toys import utterance_table


def samples(n: int = 30, m: int = 20, d: int = 3, *, shift: float = 0.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal((m, d)) + shift


def speakers(prefix: str, n: int, per_speaker: int = 5) -> np.ndarray:
    return np.array([f"{prefix}{i // per_speaker}" for i in range(n)])


def voices(n_speakers: int, prefix: str, rng: np.random.Generator, *, per_speaker: int = 5, d: int = 3):
    """Speakers far apart, their utterances close together."""
    centre = np.repeat(rng.standard_normal((n_speakers, d)), per_speaker, axis=0)
    rows = centre + 0.1 * rng.standard_normal(centre.shape)
    return rows, speakers(prefix, len(rows), per_speaker)


def p_values(draw, n: int = 200) -> np.ndarray:
    return np.array([draw(np.random.default_rng(seed), seed) for seed in range(n)])


def test_statistic_is_the_biased_mmd2():
    x, y = samples(shift=0.5)
    x_, y_ = torch.from_numpy(x), torch.from_numpy(y)
    assert two_sample_test(x, y, seed=0).mmd2 == pytest.approx(losses.mmd2(x_, y_).item(), abs=1e-12)
    given = two_sample_test(x, y, bandwidth=0.7, seed=0).mmd2
    assert given == pytest.approx(losses.mmd2(x_, y_, 0.7).item(), abs=1e-12)


@pytest.mark.parametrize("by_speaker", [False, True])
def test_p_against_all_partitions(by_speaker):
    x, y = samples(6, 4, shift=0.5) if by_speaker else samples(4, 3, shift=0.8)
    given = {"x_speaker": speakers("a", 6, 2), "y_speaker": np.array(["a0", "b", "b", "b"])}
    given = given if by_speaker else {}
    block = np.array([0, 0, 1, 1, 2, 2, 3, 4, 4, 4]) if by_speaker else np.arange(7)
    rows, n_x = torch.from_numpy(np.concatenate([x, y])), 3 if by_speaker else 4
    values = []
    for chosen in itertools.combinations(range(block.max() + 1), n_x):
        on_x = np.isin(block, chosen)
        values.append(losses.mmd2(rows[on_x], rows[~on_x]).item())  # the first is the observed one
    exact = np.mean(np.array(values) >= values[0] - 1e-12)
    test = two_sample_test(x, y, **given, n_permutations=20000, seed=0)
    assert test.mmd2 == pytest.approx(values[0], abs=1e-12)
    assert test.p == pytest.approx(exact, abs=0.015)
    assert test.null_high == pytest.approx(np.quantile(values, 0.95, method="higher"), abs=0.05)


def test_p_is_calibrated_where_nothing_differs():
    def draw(rng, seed):
        x, y = rng.standard_normal((15, 2)), rng.standard_normal((10, 2))
        return two_sample_test(x, y, n_permutations=99, seed=seed).p

    p = p_values(draw)
    for level in (0.05, 0.2, 0.5):  # four standard deviations of a binomial share
        assert np.mean(p <= level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / len(p)))


def test_p_is_calibrated_across_speakers_only_if_they_are_known():
    def draw(rng, seed, *, known):
        (x, x_speaker), (y, y_speaker) = voices(6, "x", rng), voices(5, "y", rng)
        given = {"x_speaker": x_speaker, "y_speaker": y_speaker} if known else {}
        return two_sample_test(x, y, **given, n_permutations=99, seed=seed).p

    known = p_values(lambda rng, seed: draw(rng, seed, known=True))
    for level in (0.05, 0.2, 0.5):
        assert np.mean(known <= level) == pytest.approx(
            level, abs=4 * np.sqrt(level * (1 - level) / len(known))
        )
    unknown = p_values(lambda rng, seed: draw(rng, seed, known=False), n=40)
    assert np.mean(unknown <= 0.05) > 0.5  # of each other's speakers, every corpus differs


def test_shift_is_found():
    x, y = samples(shift=1.0)
    test = two_sample_test(x, y, seed=0)
    assert test.p == 1 / 501
    assert test.mmd2 > 2 * test.null_high
    given = {"x_speaker": speakers("x", 30), "y_speaker": speakers("y", 20)}
    assert two_sample_test(x, y, **given, seed=0).p < 0.02
    assert proxy_a_distance(x, y, **given, seed=0) > 0.8


def test_equal_samples():
    x, _ = samples()
    speaker = speakers("x", len(x))
    for given in ({}, {"x_speaker": speaker, "y_speaker": speaker}):
        test = two_sample_test(x, x, **given, seed=0)
        assert (test.mmd2, test.p) == (0, 1)
    test = two_sample_test(np.ones((4, 2)), np.ones((3, 2)), seed=0)
    assert (test.mmd2, test.p, test.null_high) == (0, 1, 0)
    assert proxy_a_distance(x, x, x_speaker=speaker, y_speaker=speaker, seed=0) == 0


def test_one_row_and_one_speaker():
    x, y = samples(shift=50.0)
    alone = two_sample_test(x[:1], y, seed=0)  # one of 21 rows, and the farthest
    assert alone.p == pytest.approx(1 / 21, abs=0.03)
    one = {"x_speaker": speakers("x", 30, 30), "y_speaker": speakers("y", 20, 20)}
    assert two_sample_test(x, y, **one, seed=0).p == 1
    assert np.isnan(proxy_a_distance(x, y, **one, seed=0))


def test_a_distance_of_known_errors():
    rng = np.random.default_rng(0)
    x_speaker, y_speaker = speakers("x", 400, 40), speakers("y", 200, 40)
    x, y = rng.standard_normal((400, 1)), rng.standard_normal((200, 1)) + 2
    # Two normals two deviations apart: the best error is Phi(-1) = .159, whatever the sizes.
    found = proxy_a_distance(x, y, x_speaker=x_speaker, y_speaker=y_speaker, seed=0)
    assert found == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.15)
    far = proxy_a_distance(x, y + 50, x_speaker=x_speaker, y_speaker=y_speaker, seed=0)
    assert far == 2


def test_a_distance_does_not_recognise_voices():
    values = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        (x, x_speaker), (y, y_speaker) = voices(10, "x", rng, d=20), voices(10, "y", rng, d=20)
        values.append(proxy_a_distance(x, y, x_speaker=x_speaker, y_speaker=y_speaker, seed=seed))
        # The same utterances, as if each were of another speaker.
        rows = proxy_a_distance(x, y, x_speaker=np.arange(50), y_speaker=50 + np.arange(50), seed=seed)
        assert rows > 1.4
    assert np.mean(values) < 0.5


def test_a_speaker_of_both_is_held_out_of_both():
    rng = np.random.default_rng(0)
    x, speaker = voices(4, "s", rng, d=20)
    shared = np.concatenate([speaker[:10], speakers("t", 10)])  # s0 and s1 are also in y
    y = np.concatenate([x[:10] + 0.5, rng.standard_normal((10, 20))])
    for seed in range(5):
        assert 0 <= proxy_a_distance(x, y, x_speaker=speaker, y_speaker=shared, seed=seed) <= 2


def layers(n: int = 60, m: int = 40, *, shift: float = 1.0):
    x, y = samples(n, m, 4, shift=0.0)
    source = {"input": x, "hidden": 100 + 5 * x[:, :2], "same": x}
    target = {"same": y, "input": y + shift, "hidden": 100 + 5 * y[:, :2]}
    return source, target, {"source_speaker": speakers("s", n), "target_speaker": speakers("t", m)}


def test_shift_table_names_the_layer_that_is_shifted():
    source, target, given = layers()
    table = shift_table(source, target, **given, seed=0)
    assert tuple(table.columns) == COLUMNS
    assert list(table["layer"]) == ["input", "hidden", "same"]
    assert set(table["n_source"]) == {60} and set(table["n_target"]) == {40}
    table = table.set_index("layer")
    assert table.loc["input", "p"] < 0.01 and table.loc["input", "a_distance"] > 1
    assert (table.loc[["hidden", "same"], "p"] > 0.05).all()
    assert (table.loc[["hidden", "same"], "mmd2"] < 0.2 * table.loc["input", "mmd2"]).all()


def test_shift_table_is_deterministic_and_blind_to_units():
    source, target, given = layers()
    once = shift_table(source, target, **given, seed=3, max_rows=25)
    assert set(once["n_source"]) == set(once["n_target"]) == {25}
    assert once.equals(shift_table(source, target, **given, seed=3, max_rows=25))
    assert not once.equals(shift_table(source, target, **given, seed=4, max_rows=25))
    units = np.array([1e-3, 1, 10, 1e4])
    scaled = [{"input": units * part["input"] + 7} for part in (source, target)]
    table = shift_table(*scaled, **given, seed=3, max_rows=25)
    assert table["mmd2"][0] == pytest.approx(once["mmd2"][0], rel=1e-6)


def test_shift_table_of_identical_corpora_and_of_constant_features():
    source, _, given = layers()
    given["target_speaker"] = given["source_speaker"]
    table = shift_table(source, source, **given, seed=0)
    assert not table["mmd2"].any() and (table["p"] == 1).all() and not table["a_distance"].any()
    dead = {"dead": np.zeros((60, 3), dtype=np.float32)}
    table = shift_table(dead, dead, **given, seed=0)
    assert table.loc[0, ["mmd2", "p", "a_distance"]].tolist() == [0, 1, 0]


def test_samples_that_cannot_be_compared():
    x, y = samples()
    given = {"x_speaker": speakers("x", 30), "y_speaker": speakers("y", 20)}
    with pytest.raises(ParameterError, match="equal width"):
        two_sample_test(x, y[:, :2], seed=0)
    with pytest.raises(ParameterError, match=r"\(target\) sample has no row"):
        two_sample_test(x, y[:0], seed=0)
    with pytest.raises(ParameterError, match="20 rows but 3 speakers"):
        proxy_a_distance(x, y, **{**given, "y_speaker": ["a", "b", "c"]}, seed=0)
    with pytest.raises(ParameterError, match="for both samples, or for neither"):
        two_sample_test(x, y, x_speaker=given["x_speaker"], seed=0)
    with pytest.raises(ParameterError, match="n_permutations"):
        two_sample_test(x, y, n_permutations=0, seed=0)
    source, target, given = layers()
    source["hidden"][4] = np.nan
    with pytest.raises(ParameterError, match=r"layer 'hidden': row 4 of the first \(source\) sample is not"):
        shift_table(source, target, **given, seed=0)
    with pytest.raises(ParameterError, match="the same layers"):
        shift_table(source, {"input": target["input"]}, **given, seed=0)
    with pytest.raises(ParameterError, match="max_rows"):
        shift_table(source, target, **given, seed=0, max_rows=0)


# --- who is measured -----------------------------------------------------------


def fold(*, here: int = 8, there: int = 9, protocol: str = "speaker-groups", **more):
    table = utterance_table({"here": here, "there": there})
    splits, _ = SplitProtocol(name=protocol, target="here", sources=("there",), repeats=2, **more).plan(table)
    return splits[0], table["speaker"].to_numpy(dtype=str)


@pytest.mark.parametrize("sees", ["nothing", "unlabelled", "labelled", "both", "others"])
def test_nothing_is_learned_of_those_who_are_measured(sees):
    protocol = {"protocol": "one-subject"} if sees in ("labelled", "both") else {}
    split, speaker = fold(**protocol, transductive=sees != "others")
    nothing = np.array([], dtype=int)
    labelled = split.target_train if sees in ("labelled", "both") else nothing
    whole = np.union1d(split.target_train, split.adapt)
    unlabelled = np.setdiff1d(whole, labelled) if sees in ("unlabelled", "both", "others") else nothing
    kept = apart(split, speaker, labelled=labelled, unlabelled=unlabelled, seed=0)
    learned = set(speaker[np.concatenate([kept.train, kept.target_train, kept.adapt])])
    measured = [set(speaker[rows]) for rows in (kept.validation, kept.test)]
    assert all(len(names) >= LEAST_SPEAKERS and not names & learned for names in measured)
    assert set(kept.train) | set(kept.validation) == set(split.train)
    np.testing.assert_array_equal(kept.target_train, labelled)
    assert bool(len(kept.adapt)) == (sees in ("unlabelled", "both", "others"))
    if sees == "others":
        np.testing.assert_array_equal(kept.test, split.test)
    again = apart(split, speaker, labelled=labelled, unlabelled=unlabelled, seed=0)
    np.testing.assert_array_equal(again.test, kept.test)


@pytest.mark.parametrize(("here", "there", "what"), [(8, 4, "the source"), (4, 9, "the target")])
def test_too_few_speakers_are_said(here, there, what):
    split, speaker = fold(here=here, there=there)
    whole = np.union1d(split.target_train, split.adapt)
    with pytest.raises(ProtocolError, match=f"4 speakers of {what}.*5 are needed"):
        apart(split, speaker, labelled=np.array([], dtype=int), unlabelled=whole, seed=0)
