"""Sequences against the dense arrays that they stand for."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from serlab import normalization, samples, sequences
from serlab.errors import ProtocolError, SerlabError
from serlab.samples import Labelled, Unlabelled
from serlab.sequences import Sequences, Writer


def dense(n: int = 30, t: int = 12, d: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = (5 + 3 * rng.normal(size=(n, t, d))).astype(np.float32)
    for values, length in zip(X, rng.integers(1, t, n), strict=True):
        values[length:] = np.nan
    return X


def written(X: np.ndarray, *, in_memory: int, folder=None) -> Sequences:
    writer = Writer(X.shape[2], folder=folder, in_memory=in_memory)
    for values in X:
        writer.append(values[~np.isnan(values[:, 0])])
    return Sequences.of_store(writer.store(), longest=X.shape[1])


@pytest.fixture(params=["dense", "memory", "disk"])
def made(request, tmp_path):
    """The same sequences, however they are kept."""
    if request.param == "dense":
        return Sequences.of_dense
    return lambda X: written(X, in_memory=0 if request.param == "disk" else 2**20, folder=tmp_path / "new")


def test_an_array_and_its_rows(made):
    X = dense()
    S = made(X)
    assert (S.shape, S.ndim, S.dtype, len(S)) == (X.shape, 3, np.float32, 30)
    mask = np.arange(30) % 3 == 1
    for rows in (slice(None), slice(3, 9), slice(None, 1), [4, 2, 2], np.array([29, 0]), mask, []):
        np.testing.assert_array_equal(S[rows].dense(), X[rows])
        np.testing.assert_array_equal(np.asarray(S[rows]), X[rows])
    np.testing.assert_array_equal(S.dense(4), X[:, :4])
    np.testing.assert_array_equal(S.lengths, samples.frames(X).sum(axis=1))
    for utterance, values in zip(S, X, strict=True):
        np.testing.assert_array_equal(utterance, values[~np.isnan(values[:, 0])])
    assert S.nbytes == 4 * np.isfinite(X).sum()
    for wrong in (3, (slice(None), 2)):
        with pytest.raises(TypeError, match="mask"):
            S[wrong]


def test_nothing_is_left_of_a_file(tmp_path):
    S = written(dense(), in_memory=100, folder=tmp_path)
    assert S.stores[0].on_disk and not list(tmp_path.iterdir())
    assert not written(dense(), in_memory=10**6, folder=tmp_path).stores[0].on_disk


def test_a_folder_that_takes_no_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SerlabError, match="set SERLAB_CACHE"):
        written(dense(), in_memory=0, folder=tmp_path / "file")


def test_parts_one_below_the_other(made):
    X, Y = dense(), dense(5, t=20, seed=1)
    S = sequences.concatenate([made(X)[3:7], made(Y), made(X)[:2]])
    assert S.shape == (11, 20, 3)
    for own, values in zip(S, [*X[3:7], *Y, *X[:2]], strict=True):
        np.testing.assert_array_equal(own, values[~np.isnan(values[:, 0])])
    mean, scale = np.arange(3.0), np.array([2.0, 3, 4])
    half = sequences.concatenate([made(X).scaled(mean, scale), made(X)])
    np.testing.assert_array_equal(half.dense()[:30], (X - mean.astype("f4")) * scale.astype("f4"))
    np.testing.assert_array_equal(half.dense()[30:], X)


def test_scales_of_each_row_and_of_what_is_scaled(made):
    X, of = dense(), np.arange(30) % 2
    mean, scale = np.array([[1.0, 2, 3], [0, 0, 1]]), np.array([[2.0, 2, 2], [1, 3, 1]])
    once = made(X).scaled(mean, scale, of)
    expected = (X - mean.astype("f4")[of][:, None]) * scale.astype("f4")[of][:, None]
    np.testing.assert_array_equal(once.dense(), expected)
    np.testing.assert_array_equal(once[5:8].dense(), expected[5:8])
    np.testing.assert_array_equal(once.carried_out().dense(), expected)
    again = once.scaled(mean[0], scale[0]).dense()
    np.testing.assert_array_equal(again, (expected - mean[0].astype("f4")) * scale[0].astype("f4"))


def test_digest_is_of_the_numbers(made):
    X = dense()
    S, other = made(X), X.copy()
    other[3, 0, 0] += 1
    assert S.digest() == Sequences.of_dense(X).digest() == S[np.arange(30)].digest()
    different = [
        made(other),
        S[1:],
        S[::-1],
        S.scaled(np.ones(3), np.ones(3)),
        S.scaled(np.ones(3), np.zeros(3)),
    ]
    assert len({S.digest(), *(part.digest() for part in different)}) == 1 + len(different)


def test_copies_and_other_processes(made):
    S = made(dense())
    assert copy.deepcopy(S).stores[0] is S.stores[0]
    sent = replace(S, stores=(copy.copy(S.stores[0]),))  # made anew as in another process
    np.testing.assert_array_equal(sent.dense(), S.dense())


def test_statistics_are_those_of_the_array(made, monkeypatch):
    X = dense(40)
    for block in (10, 2**20):
        monkeypatch.setattr(sequences, "BLOCK", block)
        np.testing.assert_array_equal(samples.statistics(made(X)), samples.statistics(X))


def parts_of(X: np.ndarray | Sequences) -> dict[str, Labelled | Unlabelled]:
    rows = {
        "source": slice(0, 20),
        "target_train": slice(20, 26),
        "adapt": slice(26, 40),
        "test": slice(32, 40),
    }
    corpus = np.array(["a"] * 10 + ["b"] * 10 + ["t"] * 20)
    speaker = np.array([f"s{i // 4}" for i in range(40)])
    y = np.arange(40) % 2
    return {
        name: Labelled(X=X[own], corpus=corpus[own], speaker=speaker[own], y=y[own])
        if name in ("source", "target_train")
        else Unlabelled(X=X[own], corpus=corpus[own], speaker=speaker[own])
        for name, own in rows.items()
    }


@pytest.mark.parametrize("scope", ["none", "source", "corpus", "speaker", "neutral"])
def test_normalised_to_the_last_bit_as_an_array(made, scope, monkeypatch):
    X = dense(40)
    for block in (10, 2**20):
        monkeypatch.setattr(normalization, "BLOCK", block)
        monkeypatch.setattr(sequences, "BLOCK", block)
        expected = normalization.normalize(scope, **parts_of(X), neutral=0)
        found = normalization.normalize(scope, **parts_of(made(X)), neutral=0)
        for name in ("source", "target_train", "adapt", "test"):
            np.testing.assert_array_equal(getattr(found, name).X.dense(), getattr(expected, name).X)


def test_what_is_not_finite_is_named(made):
    X = dense(40)
    X[21, 0, 1] = np.inf
    with pytest.raises(ProtocolError, match="feature 1 of row 1 in target_train is not finite"):
        normalization.normalize("none", **parts_of(made(X)))
