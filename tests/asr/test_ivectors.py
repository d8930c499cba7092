"""i-vectors against the model they estimate, the formula, and bad input."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning

from serlab.asr import ivectors
from serlab.asr.ivectors import UBM
from serlab.errors import Cancelled, ParameterError, SerlabError, TrainingError

C, D, RANK = 4, 5, 3


@pytest.fixture(scope="module")
def known() -> tuple[UBM, np.ndarray]:
    """Four components far apart, and a true total variability matrix (C, d, rank)."""
    rng = np.random.default_rng(0)
    ubm = UBM(
        weights=np.array([0.1, 0.2, 0.3, 0.4]),
        means=20 * rng.standard_normal((C, D)),
        variances=rng.uniform(0.5, 2.0, (C, D)),
    )
    return ubm, rng.standard_normal((C, D, RANK))


def drawn(ubm: UBM, factors: np.ndarray, *, n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Utterances of 60 to 119 frames from the model, and their w."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((n, factors.shape[2]))
    utterances = []
    for row in w:
        component = rng.choice(len(ubm.weights), size=rng.integers(60, 120), p=ubm.weights)
        noise = rng.standard_normal((len(component), factors.shape[1])) * np.sqrt(ubm.variances[component])
        utterances.append((ubm.means + factors @ row)[component] + noise)
    return utterances, w


def padded(utterances: list[np.ndarray]) -> np.ndarray:
    X = np.full((len(utterances), max(map(len, utterances)), utterances[0].shape[1]), np.nan, np.float32)
    for row, utterance in enumerate(utterances):
        X[row, : len(utterance)] = utterance
    return X


@pytest.fixture(scope="module")
def trained(known):
    utterances, _ = drawn(*known, n=300, seed=1)
    return ivectors.train(utterances, ubm=known[0], rank=RANK, n_iterations=20, frame_weight=1.0)


# --- background model ------------------------------------------------------------------------------------


def test_posteriors_are_those_of_explicit_densities(known):
    ubm, _ = known
    X = 20 * np.random.default_rng(2).standard_normal((50, D))
    density = np.stack(
        [
            weight * multivariate_normal(mean, np.diag(variance)).pdf(X)
            for weight, mean, variance in zip(ubm.weights, ubm.means, ubm.variances, strict=True)
        ],
        axis=1,
    )
    near = density.sum(axis=1) > 0  # far from all components the plain density is 0
    posterior, log_likelihood = ubm.posteriors(X)
    assert np.allclose(posterior[near], density[near] / density[near].sum(axis=1, keepdims=True))
    assert np.allclose(log_likelihood[near], np.log(density[near].sum(axis=1)))
    assert np.allclose(posterior.sum(axis=1), 1)


def test_ubm_finds_the_components_that_made_the_frames(known):
    ubm, _ = known
    utterances, _ = drawn(ubm, np.zeros((C, D, 1)), n=100, seed=3)
    frames = np.concatenate(utterances)
    found = ivectors.train_ubm(frames, n_components=C, seed=0)
    order = [np.linalg.norm(found.means - mean, axis=1).argmin() for mean in ubm.means]
    assert sorted(order) == list(range(C))
    assert np.allclose(found.means[order], ubm.means, atol=0.2)
    variances = np.maximum(ubm.variances, ivectors.VARIANCE_FLOOR * frames.var(axis=0))
    assert np.allclose(found.variances[order], variances, rtol=0.2)
    assert np.allclose(found.weights[order], ubm.weights, atol=0.02)


def test_likelihood_of_the_ubm_rises_and_the_variance_has_a_floor():
    rng = np.random.default_rng(4)
    silence = np.zeros((500, 2))  # as digital silence does, it would take a component to variance 0
    frames = np.concatenate([silence, rng.standard_normal((500, 2)) + 5])
    told = []
    found = ivectors.train_ubm(
        frames, n_components=3, n_iterations=8, progress=lambda *done: told.append(done)
    )
    log_likelihood = [float(text.split()[1]) for _, _, text in told]
    assert (np.diff(log_likelihood) >= -1e-4).all()
    assert [(done, total) for done, total, _ in told] == [(i, 8) for i in range(1, 9)]
    assert (found.variances >= ivectors.VARIANCE_FLOOR * frames.var(axis=0) * (1 - 1e-9)).all()
    assert np.isclose(found.weights.sum(), 1)


def test_variances_survive_a_large_offset():
    frames = np.random.default_rng(5).standard_normal((2000, 2))
    plain = ivectors.train_ubm(frames, n_components=1, n_iterations=2)
    shifted = ivectors.train_ubm(frames + 1e6, n_components=1, n_iterations=2)
    assert np.allclose(plain.variances, shifted.variances, rtol=1e-6)
    assert np.allclose(plain.variances, frames.var(axis=0))


# --- i-vectors -------------------------------------------------------------------------------------------


def test_statistics_are_sums_over_frames(known):
    ubm, factors = known
    X = drawn(ubm, factors, n=1, seed=6)[0][0]
    posterior, _ = ubm.posteriors(X)
    zeroth, first = ivectors.statistics(ubm, X)
    assert zeroth.sum() == pytest.approx(len(X))
    for c in range(C):
        assert zeroth[c] == pytest.approx(posterior[:, c].sum())
        assert np.allclose(first[c], sum(p * x for p, x in zip(posterior[:, c], X, strict=True)))


def test_posterior_is_the_explicit_formula(trained):
    """Over supervectors of C d, with a full precision matrix."""
    utterances, _ = drawn(trained.ubm, trained.factors, n=3, seed=7)
    T = trained.factors.reshape(C * D, RANK)
    inverse = np.diag(1 / trained.ubm.variances.ravel())
    found = trained.extract(utterances)
    for utterance, w in zip(utterances, found, strict=True):
        zeroth, first = ivectors.statistics(trained.ubm, utterance)
        N = np.diag(np.repeat(zeroth, D))
        precision = np.eye(RANK) + T.T @ inverse @ N @ T
        mean = np.linalg.solve(precision, T.T @ inverse @ (first.ravel() - N @ trained.means.ravel()))
        _, covariance = trained.posterior(zeroth[None], first[None])
        assert np.allclose(w, mean)
        assert np.allclose(covariance[0], np.linalg.inv(precision))


def test_likelihood_is_that_of_the_joint_normal_distribution(known):
    """Given which component made which frame, all frames of an utterance are one normal vector."""
    ubm, factors = known
    utterances, _ = drawn(ubm, factors, n=4, seed=8)
    short = [utterance[:10] for utterance in utterances]
    trained = ivectors.train(short, ubm=ubm, rank=2, n_iterations=2, frame_weight=1.0)
    total, without_shift = [], 0.0
    for n_iterations in (1, 2):  # the second value belongs to the model after one iteration
        model = ivectors.train(short, ubm=ubm, rank=2, n_iterations=n_iterations, frame_weight=1.0)
        value = 0.0
        for X in short:
            component = ubm.posteriors(X)[0].argmax(axis=1)
            T = model.factors[component].reshape(-1, 2)
            noise = np.diag(ubm.variances[component].ravel())
            value += multivariate_normal(model.means[component].ravel(), T @ T.T + noise).logpdf(X.ravel())
        total.append(value)
    for X in short:
        component = ubm.posteriors(X)[0].argmax(axis=1)
        variance = ubm.variances[component]
        without_shift += -0.5 * (np.log(2 * np.pi * variance) + X**2 / variance).sum()
    assert trained.log_likelihood[1] * 40 + without_shift == pytest.approx(total[0], rel=1e-6)
    assert total[1] > total[0]


def test_likelihood_rises_with_each_iteration(trained):
    assert len(trained.log_likelihood) == 20
    assert (np.diff(trained.log_likelihood) > -1e-9).all()
    assert trained.log_likelihood[-1] > trained.log_likelihood[0]


def test_subspace_of_the_model_is_recovered(known, trained):
    _, factors = known
    found, true = (T.reshape(C * D, RANK) for T in (trained.factors, factors))
    assert np.degrees(subspace_angles(found, true)).max() < 5
    # Not only its directions: what T T' adds to the covariance of supervectors.
    assert np.linalg.norm(found @ found.T - true @ true.T) < 0.25 * np.linalg.norm(true @ true.T)
    strange = np.random.default_rng(0).standard_normal((C * D, RANK))
    assert np.degrees(subspace_angles(found, strange)).max() > 45


def test_ivectors_say_what_the_utterances_were_made_from(known, trained):
    utterances, w = drawn(*known, n=200, seed=9)
    found = trained.extract(utterances)
    explained = found @ np.linalg.lstsq(found, w, rcond=None)[0]
    assert 1 - ((w - explained) ** 2).sum() / (w**2).sum() > 0.95
    # Minimum divergence: they are spread as the prior says.
    training, _ = drawn(*known, n=300, seed=1)
    zeroth, first = map(np.stack, zip(*(ivectors.statistics(trained.ubm, x) for x in training), strict=True))
    mean, covariance = trained.posterior(zeroth, first)
    assert np.allclose(mean.mean(axis=0), 0, atol=0.01)
    assert np.allclose(np.cov(mean.T, bias=True) + covariance.mean(axis=0), np.eye(RANK), atol=0.01)


def test_without_a_ubm_it_trains_one(known):
    utterances, _ = drawn(*known, n=60, seed=10)
    first, second = (
        ivectors.train(padded(utterances), n_components=C, rank=2, n_iterations=3, ubm_frames=2000)
        for _ in range(2)
    )
    assert first.factors.shape == (C, D, 2)
    assert np.array_equal(first.factors, second.factors)
    other = ivectors.train(padded(utterances), n_components=C, rank=2, n_iterations=3, seed=1)
    assert not np.array_equal(first.factors, other.factors)


def test_padding_and_neighbours_change_nothing(trained):
    utterances, _ = drawn(trained.ubm, trained.factors, n=5, seed=11)
    X = padded(utterances)
    longer = np.concatenate([X, np.full((5, 7, D), np.nan, np.float32)], axis=1)
    together = trained.extract(X)
    assert np.allclose(trained.extract(longer), together, rtol=1e-12)
    assert np.allclose(np.concatenate([trained.extract(X[i : i + 1]) for i in range(5)]), together)
    assert np.allclose(trained.extract([x.astype(np.float32) for x in utterances]), together)


def test_frames_get_the_ivector_of_their_utterance_or_window(trained):
    utterances, _ = drawn(trained.ubm, trained.factors, n=4, seed=12)
    X = padded(utterances)
    before = X.copy()
    whole = trained.append(X)
    assert whole.shape == (*X.shape[:2], D + RANK) and whole.dtype == np.float32
    assert np.array_equal(whole[:, :, :D], X, equal_nan=True)
    assert np.array_equal(np.isnan(whole).any(axis=2), np.isnan(X[:, :, 0]))
    for row, w in enumerate(trained.extract(X)):
        assert np.allclose(whole[row, : len(utterances[row]), D:], w, rtol=1e-5)
    windows = trained.append(X, window=25)
    for row, utterance in enumerate(utterances):
        for start in range(0, len(utterance), 25):
            alone = trained.extract([X[row, start : min(start + 25, len(utterance))]])
            assert np.allclose(windows[row, start : min(start + 25, len(utterance)), D:], alone, rtol=1e-4)
    assert np.array_equal(np.isnan(windows), np.isnan(whole))
    assert np.array_equal(X, before, equal_nan=True)


def test_a_frame_that_counts_as_a_tenth_is_one_of_ten_copies(known):
    utterances, _ = drawn(*known, n=30, seed=15)
    copies = [np.repeat(x, 10, axis=0) for x in utterances]
    tenth = ivectors.train(copies, ubm=known[0], rank=2, frame_weight=0.1)
    once = ivectors.train(utterances, ubm=known[0], rank=2, frame_weight=1.0)
    assert np.allclose(tenth.factors, once.factors)
    assert np.allclose(tenth.extract(copies), once.extract(utterances))


def test_unit_length():
    w = np.array([[3.0, 4.0], [0.0, 2.0]])
    assert np.allclose(ivectors.unit_length(w), [[0.6, 0.8], [0, 1]])
    assert np.allclose(
        ivectors.unit_length(w, centre=np.array([0.0, 2.0])), [[3 / 13**0.5, 2 / 13**0.5], [0, 0]]
    )


# --- on disk ---------------------------------------------------------------------------------------------


def test_saved_and_loaded_exactly(trained, tmp_path):
    path = tmp_path / "new" / "ivectors.npz"
    trained.save(path)
    assert [file.name for file in path.parent.iterdir()] == ["ivectors.npz"]
    found = ivectors.load(path)
    utterances, _ = drawn(trained.ubm, trained.factors, n=3, seed=13)
    assert np.array_equal(found.extract(utterances), trained.extract(utterances))
    assert found.frame_weight == trained.frame_weight
    assert np.array_equal(found.log_likelihood, trained.log_likelihood)


def test_foreign_and_damaged_files_are_refused(trained, tmp_path):
    path = tmp_path / "ivectors.npz"
    with pytest.raises(SerlabError, match="no such file"):
        ivectors.load(path)
    trained.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SerlabError, match="not an i-vector extractor, or damaged"):
        ivectors.load(path)
    path.write_text("weights")
    with pytest.raises(SerlabError, match="not an i-vector extractor, or damaged"):
        ivectors.load(path)
    np.savez(path, weights=np.ones(2))
    with pytest.raises(SerlabError, match="ubm_means"):
        ivectors.load(path)
    names = dict(ivectors._DIMENSIONS)
    np.savez(path, **{name: np.array([{}] * 2, dtype=object) for name in names})
    with pytest.raises(SerlabError, match="allow_pickle"):
        ivectors.load(path)
    np.savez(path, **{name: np.ones((2,) * n) for name, n in names.items()} | {"means": np.ones((3, 2))})
    with pytest.raises(SerlabError, match="do not fit one another"):
        ivectors.load(path)


# --- bad input -------------------------------------------------------------------------------------------


def test_constant_feature_is_named():
    frames = np.random.default_rng(0).standard_normal((500, 3))
    frames[:, 1] = 7.3
    with pytest.raises(TrainingError, match=r"feature 1 has the same value .* singular"):
        ivectors.train_ubm(frames, n_components=2)
    with pytest.raises(TrainingError, match="feature 0 has the same value"):
        ivectors.train(np.ones((4, 50, 3)), n_components=2, rank=1)


def test_identical_frames_beside_others_do_no_harm():
    frames = np.repeat(np.array([[0.0, 0.0], [1.0, 5.0]]), 50, axis=0)  # fewer places than components
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        found = ivectors.train_ubm(frames, n_components=4)
    assert np.isfinite(found.means).all() and (found.variances > 0).all()


@pytest.mark.parametrize(
    ("X", "knobs", "error", "message"),
    [
        (np.ones((5, 3, 2)), {}, TrainingError, "15 frames are too few for 4 components; give 40"),
        ([], {}, ParameterError, "rank is 2, but there are 0 utterances"),
        (np.ones((1, 90, 2)), {}, ParameterError, "rank is 2, but there are 1 utterances"),
        ([np.ones((9, 2)), np.ones((9, 3))], {}, ParameterError, r"utterance 1 has shape \(9, 3\)"),
        (np.full((3, 9, 2), np.nan), {}, TrainingError, "utterance 0 has no frame"),
        (np.array([[[1.0, np.nan]]] * 3), {}, TrainingError, "utterance 0 holds NaN or infinite"),
        (np.array([[[1.0, 1.0]], [[np.inf, 1.0]]]), {}, TrainingError, "utterance 1 holds NaN or infinite"),
        (np.ones((3, 9, 2)), {"rank": 0}, ParameterError, "rank is 0"),
        (np.ones((3, 9, 2)), {"frame_weight": 0}, ParameterError, "frame_weight is 0"),
        (np.ones((3, 9, 2)), {"n_components": 0}, ParameterError, "n_components is 0"),
    ],
)
def test_what_cannot_be_used_is_refused(X, knobs, error, message):
    with pytest.raises(error, match=message):
        ivectors.train(X, **{"n_components": 4, "rank": 2, **knobs})


def test_rank_beyond_the_supervector_is_refused():
    X = np.random.default_rng(0).standard_normal((9, 20, 2))
    with pytest.raises(ParameterError, match=r"rank is 5, more than components times features \(4\)"):
        ivectors.train(X, n_components=2, rank=5)


def test_extraction_refuses_other_widths_and_empty_utterances(trained):
    with pytest.raises(ParameterError, match=r"utterance 0 has shape \(9, 4\)"):
        trained.extract(np.ones((2, 9, D - 1)))
    X = np.ones((2, 9, D))
    X[1] = np.nan
    with pytest.raises(TrainingError, match="utterance 1 has no frame") as refused:
        trained.extract(X)
    assert refused.value.rows == [1]
    with pytest.raises(ParameterError, match="window is 0"):
        trained.append(np.ones((1, 9, D)), window=0)


def test_one_frame_is_enough_to_extract(trained):
    assert np.isfinite(trained.extract(np.ones((1, 1, D)))).all()


@pytest.mark.parametrize("phase", ["UBM", "i-vectors"])
def test_can_be_cancelled(known, phase):
    cancel = threading.Event()
    utterances, _ = drawn(*known, n=20, seed=14)

    def stop(done: int, total: int, text: str) -> None:
        if text.startswith(phase):
            cancel.set()

    with pytest.raises(Cancelled):
        ivectors.train(utterances, n_components=C, rank=2, progress=stop, cancel=cancel)
