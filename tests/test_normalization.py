"""Normalisation against naive loops, and what cannot leak."""

from __future__ import annotations

import time
from dataclasses import fields, replace

import numpy as np
import pytest

from serlab.errors import ParameterError, ProtocolError
from serlab.normalization import (
    SCOPES,
    Normalized,
    is_transductive,
    match_distribution,
    normalize,
    of_sources,
)
from serlab.samples import Labelled, Unlabelled, concatenate, without_labels

NEUTRAL = 0


def sample(
    n: int, *, corpus: str, speakers: int = 2, seed: int = 0, shift: float = 0.0, d: int = 4
) -> Labelled:
    """Rows whose features differ in size by orders of magnitude."""
    scale = np.resize([1, 10, 0.1, 1e-4], d)
    return Labelled(
        X=(np.random.default_rng(seed).normal(shift, 2.0, (n, d)) * scale).astype(np.float32),
        corpus=np.full(n, corpus),
        speaker=np.array([f"{corpus}/{i % speakers}" for i in range(n)]),
        y=np.arange(n) // speakers % 3,
    )


def take(part: Labelled, rows: np.ndarray) -> Labelled:
    return part.take(rows)


@pytest.fixture
def parts() -> dict:
    target = sample(18, corpus="t", speakers=3, seed=2, shift=3.0)
    first = target.speaker == "t/0"
    rest = take(target, ~first)
    return {
        "source": concatenate(sample(24, corpus="a"), sample(12, corpus="b", seed=1)),
        "target_train": take(target, first),
        "adapt": without_labels(rest),
        "test": without_labels(rest),
        "neutral": NEUTRAL,
    }


def z(rows: np.ndarray, like: np.ndarray) -> np.ndarray:
    return (rows - like.astype(float).mean(axis=0)) / like.astype(float).std(axis=0)


@pytest.mark.parametrize("scope", SCOPES)
def test_keeps_shapes_types_and_inputs(scope, parts):
    before = {name: part.X.copy() for name, part in parts.items() if name != "neutral"}
    result = normalize(scope, **parts)
    for field in fields(Normalized):
        part, given = getattr(result, field.name), parts[field.name]
        assert type(part) is type(given)
        assert part.X.dtype == np.float32 and part.X.shape == given.X.shape
        assert np.isfinite(part.X).all()
        np.testing.assert_array_equal(given.X, before[field.name])
        if isinstance(part, Labelled):
            np.testing.assert_array_equal(part.y, given.y)


def test_source_scope_uses_the_source_alone(parts):
    result = normalize("source", **parts)
    np.testing.assert_allclose(result.source.X, z(parts["source"].X, parts["source"].X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result.test.X, z(parts["test"].X, parts["source"].X), rtol=1e-4, atol=1e-4)


def test_source_scope_without_source_uses_the_labelled_target(parts):
    result = normalize("source", **{**parts, "source": None})
    np.testing.assert_allclose(
        result.test.X, z(parts["test"].X, parts["target_train"].X), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("scope", ["corpus", "speaker"])
def test_group_scopes_against_a_loop(scope, parts):
    result = normalize(scope, **parts)
    known = [parts[name] for name in ("source", "target_train", "adapt")]
    for name in ("source", "target_train", "adapt", "test"):
        part = parts[name]
        for i in range(len(part)):
            group = getattr(part, scope)[i]
            like = np.concatenate([other.X[getattr(other, scope) == group] for other in known])
            np.testing.assert_allclose(getattr(result, name).X[i], z(part.X[i], like), rtol=1e-3, atol=1e-4)


def test_neutral_scope_puts_neutral_speech_at_the_origin(parts):
    result = normalize("neutral", **parts)
    source, target = parts["source"], parts["target_train"]
    for corpus in ("a", "b"):
        rows = source.corpus == corpus
        own = source.X[rows].astype(float)
        mean = own[source.y[rows] == NEUTRAL].mean(axis=0)
        np.testing.assert_allclose(
            result.source.X[rows], (own - mean) / own.std(axis=0), rtol=1e-3, atol=1e-4
        )
        np.testing.assert_allclose(result.source.X[rows & (source.y == NEUTRAL)].mean(axis=0), 0, atol=1e-5)
    mean, sd = target.X[target.y == NEUTRAL].mean(axis=0), target.X.std(axis=0)
    for name in ("target_train", "adapt", "test"):
        np.testing.assert_allclose(getattr(result, name).X, (parts[name].X - mean) / sd, rtol=1e-3, atol=1e-3)


def test_distribution_against_a_loop(parts):
    result = normalize("distribution", **parts)
    source, target = parts["source"], parts["target_train"]
    for j in range(source.X.shape[1]):
        edges = np.histogram_bin_edges(target.X[:, j].astype(float), bins=5)
        for name in ("target_train", "test"):
            expected = [np.searchsorted(edges[1:-1], value, side="right") for value in parts[name].X[:, j]]
            np.testing.assert_array_equal(getattr(result, name).X[:, j], expected)
        for emotion in range(3):
            shares = np.bincount(
                result.target_train.X[target.y == emotion, j].astype(int), minlength=5
            ) / np.count_nonzero(target.y == emotion)
            rows = np.flatnonzero(source.y == emotion)
            rows = rows[np.argsort(source.X[rows, j])]
            for rank, row in enumerate(rows):
                share = (rank + 0.5) / len(rows)
                assert result.source.X[row, j] == np.count_nonzero(np.cumsum(shares)[:-1] <= share + 1e-12)


def test_distribution_gives_the_source_the_targets_shares():
    target = sample(50, corpus="t", seed=1)
    source = sample(500, corpus="a", seed=2, shift=7.0)
    source_codes, target_codes = match_distribution(source, target)
    for emotion in range(3):
        a, b = source_codes[source.y == emotion], target_codes[target.y == emotion]
        for k in range(5):
            assert np.abs((a == k).mean(axis=0) - (b == k).mean(axis=0)).max() <= 1 / len(a)


def test_distribution_codes_equal_values_equally_and_ignores_the_order_of_rows():
    target, source = sample(12, corpus="t"), sample(30, corpus="a")
    source = replace(source, X=np.round(source.X))
    codes, _ = match_distribution(source, target)
    for emotion in range(3):
        rows = source.y == emotion
        for value in np.unique(source.X[rows, 0]):
            assert len(np.unique(codes[rows & (source.X[:, 0] == value), 0])) == 1
    order = np.random.default_rng(0).permutation(len(source))
    np.testing.assert_array_equal(match_distribution(take(source, order), target)[0], codes[order])


def test_distribution_of_an_emotion_the_target_lacks_takes_all_shares():
    target, source = sample(40, corpus="t"), sample(300, corpus="a")
    target = replace(target, y=np.where(target.y == 2, 1, target.y))
    source_codes, target_codes = match_distribution(source, target)
    lacking = source_codes[source.y == 2]
    for k in range(5):
        assert np.abs((lacking == k).mean(axis=0) - (target_codes == k).mean(axis=0)).max() <= 1 / len(
            lacking
        )


@pytest.mark.parametrize("scope", SCOPES)
def test_a_feature_that_never_varies_stays_finite(scope, parts):
    constant = {
        name: replace(part, X=np.column_stack([part.X, np.full(len(part), 0.1, np.float32)]))
        for name, part in parts.items()
        if name != "neutral"
    }
    result = normalize(scope, **constant, neutral=NEUTRAL)
    values = np.concatenate([result.source.X[:, -1], result.target_train.X[:, -1], result.test.X[:, -1]])
    assert np.all(values == (np.float32(0.1) if scope == "none" else 0))


def test_test_labels_cannot_enter(parts):
    labelled = Labelled(**vars(parts["test"]), y=np.zeros(len(parts["test"]), int))
    result = normalize("corpus", **{**parts, "test": labelled, "adapt": labelled})
    assert type(result.test) is Unlabelled and type(result.adapt) is Unlabelled


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if not is_transductive(scope)])
def test_other_test_rows_make_no_difference(scope, parts):
    before = normalize(scope, **parts)
    X = parts["test"].X.copy()
    X[1:] = 1e3 - X[1:][::-1]
    changed = replace(parts["test"], X=X)
    after = normalize(scope, **{**parts, "test": changed, "adapt": changed})
    np.testing.assert_array_equal(after.test.X[0], before.test.X[0])
    np.testing.assert_array_equal(after.source.X, before.source.X)
    np.testing.assert_array_equal(after.target_train.X, before.target_train.X)


@pytest.mark.parametrize(
    ("scope", "missing", "message"),
    [
        ("speaker", "adapt", "adapt"),
        ("neutral", "target_train", "target_train"),
        ("neutral", "neutral", "label scheme"),
        ("distribution", "target_train", "target_train"),
        ("distribution", "source", "source"),
    ],
)
def test_a_missing_part_is_named(scope, missing, message, parts):
    with pytest.raises(ProtocolError, match=message):
        normalize(scope, **{**parts, missing: None})


def test_without_unlabelled_rows_the_labelled_ones_of_the_target_give_its_statistics(parts):
    """An inductive protocol that labels all other speakers has no other rows."""
    heard = normalize("corpus", **{**parts, "adapt": None})
    np.testing.assert_allclose(heard.target_train.X.mean(axis=0), 0, atol=1e-5)
    with pytest.raises(ProtocolError, match="adapt"):
        normalize("corpus", **{**parts, "adapt": None, "target_train": None})


def test_source_scope_needs_training_data(parts):
    with pytest.raises(ProtocolError, match="source or target_train"):
        normalize("source", **{**parts, "source": None, "target_train": None})


@pytest.mark.parametrize("name", ["source", "target_train"])
def test_neutral_scope_needs_neutral_speech(name, parts):
    part = parts[name]
    with pytest.raises(ProtocolError, match=f"{name}.* has no neutral utterance"):
        normalize("neutral", **{**parts, name: replace(part, y=np.ones(len(part), int))})


def test_a_tested_speaker_must_be_among_the_unlabelled(parts):
    stranger = replace(parts["test"], speaker=np.full(len(parts["test"]), "t/9"))
    with pytest.raises(ProtocolError, match="t/9"):
        normalize("speaker", **{**parts, "test": stranger})


def test_features_must_be_finite(parts):
    X = parts["test"].X.copy()
    X[2, 1] = np.nan
    with pytest.raises(ProtocolError, match="feature 1 of row 2 in test"):
        normalize("none", **{**parts, "test": replace(parts["test"], X=X)})


def test_an_unknown_scope_lists_the_known(parts):
    with pytest.raises(ParameterError, match="distribution"):
        normalize("z-score", **parts)
    with pytest.raises(ParameterError):
        is_transductive("z-score")


def test_fast_enough_for_real_features():
    source, target = sample(1440, corpus="a", d=1582), sample(60, corpus="t", d=1582)
    started = time.process_time()
    match_distribution(source, target, sample(340, corpus="t", d=1582).X)
    assert time.process_time() - started < 2  # about .3 s; wide for a busy machine


def sequences(name: str, lengths: tuple[int, ...], *, seed: int, speakers: int = 2) -> Labelled:
    """Frames of three features, NaN after the end of each utterance."""
    rng = np.random.default_rng(seed)
    X = rng.normal(seed, 1 + seed, (len(lengths), max(lengths), 3)).astype(np.float32)
    for row, length in enumerate(lengths):
        X[row, length:] = np.nan
    return Labelled(
        X=X,
        corpus=np.full(len(lengths), name),
        speaker=np.array([f"{name}/{i % speakers}" for i in range(len(lengths))]),
        y=np.arange(len(lengths)) % 2,
    )


@pytest.mark.parametrize("scope", ["none", "source", "corpus", "speaker", "neutral"])
def test_sequences_are_normalised_frame_by_frame_and_padding_stays(scope):
    source, target = sequences("s", (5, 3, 6, 4), seed=1), sequences("t", (6, 2, 3, 6), seed=2)
    given = {"source": source, "target_train": target.take(np.arange(2)), "neutral": 0}
    test = without_labels(target.take(np.arange(2, 4)))
    done = normalize(scope, adapt=test, test=test, **given)
    for before, after in ((source, done.source), (target.take(np.arange(2)), done.target_train)):
        np.testing.assert_array_equal(np.isnan(after.X), np.isnan(before.X))
        assert after.X.dtype == np.float32
    if scope == "source":
        frames = done.source.X[~np.isnan(done.source.X[:, :, 0])]
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-5)
    if scope == "corpus":  # each corpus by all its frames, whoever holds them
        both = np.concatenate([done.target_train.X, done.test.X])
        frames = both[~np.isnan(both[:, :, 0])]
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)


def test_a_hole_in_a_sequence_is_not_padding():
    part = sequences("s", (5, 4), seed=0)
    part.X[0, 2] = np.nan
    with pytest.raises(ProtocolError, match="row 0 in source is not finite"):
        normalize("source", source=part, target_train=None, adapt=None, test=sequences("t", (5,), seed=1))


def test_distribution_matching_needs_vectors():
    part = sequences("s", (5, 4), seed=0)
    with pytest.raises(ProtocolError, match="feature set of vectors"):
        normalize("distribution", source=part, target_train=part, adapt=None, test=part)


def designed(corpus: str, *, tied: bool, seed: int) -> Labelled:
    """Six speakers with voices of their own; each shows three emotions, or one alone."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(6), 30)
    y = speaker % 3 if tied else np.tile(np.arange(3), 60)
    X = rng.normal(size=(180, 12)) + 3 * np.eye(3, 12)[y] + 2 * rng.normal(size=(6, 12))[speaker]
    names = np.array([f"{corpus}/{number}" for number in speaker])
    return Labelled(X=X.astype(np.float32), corpus=np.full(180, corpus), speaker=names, y=y)


@pytest.mark.parametrize("tied", [False, True])
def test_voices_are_left_where_they_tell_the_emotion(tied: bool):
    """In source and target alike, each decided by its own; without a label of the target."""
    source = concatenate(designed("a", tied=False, seed=0), designed("b", tied=True, seed=1))
    target = designed("t", tied=tied, seed=2)
    parts = {"target_train": None, "adapt": without_labels(target), "test": without_labels(target)}
    found = normalize("voices", source=source, **parts)
    by_corpus = normalize("corpus", source=source, **parts)
    own, other = source.corpus == "a", source.corpus == "b"
    assert np.array_equal(found.source.X[other], by_corpus.source.X[other])
    centred = [found.source.X[source.speaker == f"a/{number}"].mean(axis=0) for number in range(6)]
    assert np.abs(centred).max() < 0.2 < np.abs(by_corpus.source.X[own][:30].mean(axis=0)).max()
    assert np.array_equal(found.test.X, by_corpus.test.X) == tied
    assert np.array_equal(found.test.X, found.adapt.X)


def test_voices_that_are_tested_alone_stay_as_they_are():
    """Where nothing was seen of a tested speaker, all stay on the scale of their corpus."""
    source, target = designed("a", tied=False, seed=0), designed("t", tied=False, seed=2)
    unseen = target.speaker == "t/5"
    parts = {"adapt": without_labels(target.take(~unseen)), "test": without_labels(target.take(unseen))}
    found, by_corpus = (
        normalize(scope, source=source, target_train=None, **parts) for scope in ("voices", "corpus")
    )
    for name in ("source", "adapt", "test"):
        assert np.array_equal(getattr(found, name).X, getattr(by_corpus, name).X), name


@pytest.mark.parametrize("scope", ["none", "source", "corpus", "voices"])
def test_sources_alone_are_normalised_as_beside_a_target(scope: str):
    rng = np.random.default_rng(3)
    n = 60
    source = Labelled(
        X=rng.normal(size=(n, 4)).astype(np.float32), corpus=np.repeat(["a", "b"], n // 2),
        speaker=np.tile(["s1", "s2", "s3"], n // 3), y=rng.integers(0, 3, n),
    )  # fmt: skip
    target = Unlabelled(
        X=rng.normal(size=(n, 4)).astype(np.float32),
        corpus=np.repeat("t", n),
        speaker=np.tile(["u", "v"], n // 2),
    )
    beside = normalize(scope, source=source, target_train=None, adapt=target, test=target)
    np.testing.assert_array_equal(of_sources(scope, source).X, beside.source.X)


def test_a_scope_that_needs_a_target_is_none_of_sources():
    one = Labelled(
        X=np.zeros((2, 1)), corpus=np.array(["a", "a"]), speaker=np.array(["s", "s"]), y=np.array([0, 1])
    )
    with pytest.raises(ParameterError, match="not one of sources alone"):
        of_sources("neutral", one)
