"""i-vectors: one short vector for what stays the same throughout an utterance, voice and channel above all.

A Gaussian mixture (the universal background model, UBM) describes the frames of
all speech. An utterance shifts its component means, and the shifts of all
utterances lie in a small subspace (Dehak et al. 2011, eq. 1)::

    mean_c(utterance) = mean_c + factors_c w,    w ~ N(0, I)

The i-vector is the posterior mean of w given the frames. No label is used
anywhere: neither speaker, nor text, nor emotion.

Frames 10 ms apart say nearly the same, while the model takes them for
independent, and would be far too sure of w after a second. So each counts as a
tenth of a frame (:data:`FRAME_WEIGHT`), as in Kaldi's recipes, where it is
called posterior scale. On unseen speakers of RAVDESS this lowers the equal
error rate, see benchmarks/bench_ivectors.py.

>>> extractor = train(frames.values, n_components=64, rank=100)  # doctest: +SKIP
>>> extractor.append(frames.values).shape  # doctest: +SKIP
(1440, 530, 140)

References
----------
Dehak, Kenny, Dehak, Dumouchel & Ouellet (2011), Front-end factor analysis for
speaker verification. Kenny, Boulianne & Dumouchel (2005), Eigenvoice modeling
with sparse training data (posterior: proposition 1, EM: proposition 3). Minimum
divergence: Kenny (2005), Joint factor analysis of speaker and session
variability: theory and algorithms. Reynolds, Quatieri & Dunn (2000), Speaker
verification using adapted Gaussian mixture models (UBM).
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np

from serlab.errors import ParameterError, SerlabError, TrainingError
from serlab.files import write_arrays
from serlab.progress import Progress, stop_if

#: Least variance of a component, as a share of the variance of all frames.
VARIANCE_FLOOR = 0.001
#: Fewer frames a component cannot give a variance worth the name.
FRAMES_PER_COMPONENT = 10
#: Independent frames that one frame counts as.
FRAME_WEIGHT = 0.1
#: Frames, and utterances, handled at a time: bounds memory, and keeps matrix products large.
_FRAME_BLOCK = 8192
_UTTERANCE_BLOCK = 128


@dataclass(frozen=True, kw_only=True, eq=False)
class UBM:
    """Gaussian mixture with diagonal covariances.

    Attributes
    ----------
    weights : ndarray, shape (C,)
    means, variances : ndarray, shape (C, d)
    """

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    @cached_property
    def _constant(self) -> np.ndarray:
        with np.errstate(divide="ignore"):  # a component may have died: weight 0
            weight = np.log(self.weights)
        quadratic = np.log(2 * np.pi * self.variances) + self.means**2 / self.variances
        return weight - 0.5 * quadratic.sum(axis=1)

    def posteriors(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which component each frame comes from.

        Parameters
        ----------
        X : ndarray, shape (t, d)

        Returns
        -------
        posterior : ndarray, shape (t, C)
            Rows sum to 1.
        log_likelihood : ndarray, shape (t,)
        """
        precision = 1 / self.variances
        joint = X @ (self.means * precision).T - 0.5 * (X**2 @ precision.T) + self._constant
        highest = joint.max(axis=1, keepdims=True)
        np.exp(joint - highest, out=joint)
        total = joint.sum(axis=1, keepdims=True)
        joint /= total
        return joint, (highest + np.log(total))[:, 0]


def train_ubm(
    frames: np.ndarray,
    *,
    n_components: int = 64,
    n_iterations: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> UBM:
    """Fit a mixture of diagonal Gaussians by EM, from the centres of k-means.

    Parameters
    ----------
    frames : ndarray, shape (N, d)
    n_components, n_iterations : int
    seed : int
        Of the centres.
    progress : callable, optional
        ``progress(done, total, text)``, in iterations.
    cancel : threading.Event, optional

    Raises
    ------
    TrainingError
        If a value is not finite, a feature never changes (its variance, and so
        the covariance, is singular), or there are fewer than ten frames a component.
    ParameterError
        If ``n_components`` or ``n_iterations`` is below 1.
    Cancelled
        If ``cancel`` was set.
    """
    from sklearn.cluster import KMeans

    _require_positive(n_components=n_components, n_iterations=n_iterations)
    if not np.isfinite(frames).all():
        raise TrainingError("frames hold NaN or infinite values; leave the padding out")
    if len(frames) < FRAMES_PER_COMPONENT * n_components:
        raise TrainingError(
            f"{len(frames)} frames are too few for {n_components} components; "
            f"give {FRAMES_PER_COMPONENT * n_components} or more, or lower n_components"
        )
    mean, variance = frames.mean(axis=0, dtype=float), frames.var(axis=0, dtype=float)
    constant = np.flatnonzero(np.ptp(frames, axis=0) == 0)
    if len(constant):
        raise TrainingError(
            f"feature {constant[0]} has the same value in all frames, which makes the covariance singular; "
            "leave it out"
        )
    # Centres of a sample are as good, and cost no more with more speech.
    rng = np.random.default_rng(seed)
    sample = frames[np.sort(rng.permutation(len(frames))[: 200 * n_components])]
    scale = np.sqrt(variance)
    clusters = KMeans(n_components, n_init=3, random_state=seed).fit((sample - mean) / scale)
    within = max(clusters.inertia_ / sample.size, VARIANCE_FLOOR)
    ubm = UBM(
        weights=np.full(n_components, 1 / n_components),
        means=mean + clusters.cluster_centers_ * scale,
        variances=np.tile(within * variance, (n_components, 1)),
    )
    report = progress or (lambda done, total, text: None)
    for iteration in range(n_iterations):
        _check(cancel)
        zeroth, first, second, log_likelihood = 0.0, 0.0, 0.0, 0.0
        for start in range(0, len(frames), _FRAME_BLOCK):
            block = frames[start : start + _FRAME_BLOCK] - mean  # centred: variances do not cancel
            posterior, log_density = ubm.posteriors(block + mean)
            zeroth = zeroth + posterior.sum(axis=0)
            first = first + posterior.T @ block
            second = second + posterior.T @ block**2
            log_likelihood += log_density.sum()
        alive = zeroth > 1e-6  # a component that no frame chose stays where it is
        count = np.where(alive, zeroth, 1.0)[:, None]
        shift = first / count
        variances = np.maximum(second / count - shift**2, VARIANCE_FLOOR * variance)
        ubm = UBM(
            weights=zeroth / len(frames),
            means=np.where(alive[:, None], mean + shift, ubm.means),
            variances=np.where(alive[:, None], variances, ubm.variances),
        )
        report(iteration + 1, n_iterations, f"UBM: {log_likelihood / len(frames):.4f} nats a frame")
    return ubm


def statistics(ubm: UBM, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Baum-Welch statistics of an utterance (Dehak et al. 2011, eqs. 3 and 4, before centring).

    Parameters
    ----------
    ubm : UBM
    X : ndarray, shape (t, d)

    Returns
    -------
    zeroth : ndarray, shape (C,)
        Frames of each component; they sum to t.
    first : ndarray, shape (C, d)
        Sum of the frames of each component.
    """
    X = np.asarray(X, dtype=float)
    posterior, _ = ubm.posteriors(X)
    return posterior.sum(axis=0), posterior.T @ X


@dataclass(frozen=True, kw_only=True, eq=False)
class IVectorExtractor:
    """What turns frames into i-vectors; :func:`train` makes one.

    Attributes
    ----------
    ubm : UBM
        Says which component a frame belongs to.
    means : ndarray, shape (C, d)
        Where the components lie for w = 0: the UBM's, re-estimated.
    factors : ndarray, shape (C, d, rank)
        The total variability matrix, T.
    frame_weight : float
        Independent frames that one frame counts as; 1 is the model as written.
    log_likelihood : ndarray, shape (iterations,)
        Of the weighted training statistics before each iteration, in nats a frame, up to
        a constant; it never falls.
    """

    ubm: UBM
    means: np.ndarray
    factors: np.ndarray
    frame_weight: float
    log_likelihood: np.ndarray

    @property
    def n_features(self) -> int:
        """Width of a frame, without i-vector."""
        return self.means.shape[1]

    @property
    def rank(self) -> int:
        """Width of an i-vector."""
        return self.factors.shape[2]

    @cached_property
    def _projection(self) -> tuple[np.ndarray, np.ndarray]:
        """inv(S) T, shape (C d, R), and T_c' inv(S_c) T_c of each component, shape (C, R R)."""
        weighted = self.factors / self.ubm.variances[:, :, None]
        return weighted.reshape(-1, self.rank), (self.factors.transpose(0, 2, 1) @ weighted).reshape(
            -1, self.rank**2
        )

    def posterior(self, zeroth: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Normal posterior of w given statistics (Kenny et al. 2005, proposition 1).

        Parameters
        ----------
        zeroth : ndarray, shape (n, C)
        first : ndarray, shape (n, C, d)
            See :func:`statistics`; taken as they are, without ``frame_weight``.

        Returns
        -------
        mean : ndarray, shape (n, rank)
            inv(I + sum_c N_c T_c' inv(S_c) T_c) T' inv(S) (F - N mean).
        covariance : ndarray, shape (n, rank, rank)
        """
        projection, quadratic = self._projection
        precision = (zeroth @ quadratic).reshape(-1, self.rank, self.rank) + np.eye(self.rank)
        linear = (first - zeroth[:, :, None] * self.means).reshape(len(first), -1) @ projection
        covariance = np.linalg.inv(precision)
        return (covariance @ linear[:, :, None])[:, :, 0], covariance

    def extract(self, X: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """i-vector of each utterance.

        Parameters
        ----------
        X : ndarray, shape (n, t, d), or n arrays of shape (t, d)
            NaN after the end of an utterance.

        Returns
        -------
        ndarray, shape (n, rank)
            As it is: neither centred nor of unit length, see :func:`unit_length`.

        Raises
        ------
        ParameterError
            If the frames have another width than those of the training.
        TrainingError
            If an utterance has no frame, or a value is not finite.
        """
        return self._means(list(_sequences(X, width=self.n_features)))

    def append(self, X: np.ndarray, *, window: int | None = None) -> np.ndarray:
        """Frames with the i-vector behind their features (Zhou & Beigi, section 3.2).

        Parameters
        ----------
        X : ndarray, shape (n, t, d)
            NaN after the end of an utterance.
        window : int, optional
            Frames that share an i-vector, from the beginning on; the last
            window may be shorter, and its i-vector is then closer to zero.
            Default: the whole utterance.

        Returns
        -------
        ndarray of float32, shape (n, t, d + rank)
            NaN after the end of an utterance.
        """
        if window is not None:
            _require_positive(window=window)
        result = np.full((*X.shape[:2], X.shape[2] + self.rank), np.nan, dtype=np.float32)
        for row, sequence in enumerate(_sequences(X, width=self.n_features)):
            n, size = len(sequence), window or len(sequence)
            windows = [sequence[start : start + size] for start in range(0, n, size)]
            result[row, :n, : X.shape[2]] = sequence
            result[row, :n, X.shape[2] :] = np.repeat(self._means(windows), size, axis=0)[:n]
        return result

    def save(self, path: str | PathLike) -> None:
        """Write a .npz file, whole or not at all; no pickle."""
        arrays = {
            "weights": self.ubm.weights,
            "ubm_means": self.ubm.means,
            "variances": self.ubm.variances,
            "means": self.means,
            "factors": self.factors,
            "frame_weight": np.array(self.frame_weight),
            "log_likelihood": self.log_likelihood,
        }
        write_arrays(Path(path), arrays)

    def _means(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        result = np.empty((len(sequences), self.rank))
        for start in range(0, len(sequences), _UTTERANCE_BLOCK):
            block = slice(start, start + _UTTERANCE_BLOCK)
            zeroth, first = _stacked(self.ubm, sequences[block], weight=self.frame_weight)
            result[block], _ = self.posterior(zeroth, first)
        return result


def load(path: str | PathLike) -> IVectorExtractor:
    """Read what :meth:`IVectorExtractor.save` wrote.

    Raises
    ------
    SerlabError
        If the file is missing, damaged, or not an i-vector extractor.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _DIMENSIONS}
    except FileNotFoundError as error:
        raise SerlabError(f"{path}: no such file; save an i-vector extractor there first") from error
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise SerlabError(
            f"{path}: not an i-vector extractor, or damaged ({error}); save it again"
        ) from error
    if any(arrays[name].ndim != n for name, n in _DIMENSIONS.items()):
        raise SerlabError(f"{path}: the arrays have other dimensions than an i-vector extractor's")
    n_components, width, _ = arrays["factors"].shape
    shapes = {arrays[name].shape for name in ("ubm_means", "variances", "means")}
    if shapes != {(n_components, width)} or arrays["weights"].shape != (n_components,):
        raise SerlabError(f"{path}: the shapes of its arrays do not fit one another; save it again")
    return IVectorExtractor(
        ubm=UBM(weights=arrays["weights"], means=arrays["ubm_means"], variances=arrays["variances"]),
        means=arrays["means"],
        factors=arrays["factors"],
        frame_weight=float(arrays["frame_weight"]),
        log_likelihood=arrays["log_likelihood"],
    )


_DIMENSIONS = {
    "weights": 1, "ubm_means": 2, "variances": 2, "means": 2, "factors": 3, "frame_weight": 0,
    "log_likelihood": 1,
}  # fmt: skip


def train(
    X: np.ndarray | Sequence[np.ndarray],
    *,
    n_components: int = 64,
    rank: int = 100,
    n_iterations: int = 10,
    ubm: UBM | None = None,
    ubm_frames: int = 500_000,
    frame_weight: float = FRAME_WEIGHT,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> IVectorExtractor:
    """Train UBM and total variability matrix on unlabelled utterances.

    EM over the posteriors of w, followed in each iteration by the
    minimum-divergence step, which moves mean and covariance that the posteriors
    really have into ``means`` and ``factors``. The likelihood rises with each
    iteration. Covariances stay the UBM's.

    Parameters
    ----------
    X : ndarray, shape (n, t, d), or n arrays of shape (t, d)
        NaN after the end of an utterance.
    n_components : int
        Of the UBM.
    rank : int
        Width of an i-vector.
    n_iterations : int
    ubm : UBM, optional
        One that is there already; ``n_components`` is its own then.
    ubm_frames : int
        The UBM is trained on a sample of so many frames, which bounds memory
        and time. The statistics of all utterances take n C d numbers.
    frame_weight : float
        Independent frames that one frame counts as, above 0 and at most 1.
    seed : int
    progress : callable, optional
        ``progress(done, total, text)``.
    cancel : threading.Event, optional

    Returns
    -------
    IVectorExtractor

    Raises
    ------
    ParameterError
        If ``rank`` exceeds utterances or C d, a count is below 1, or
        ``frame_weight`` is out of range.
    TrainingError
        If an utterance has no frame, a value is not finite, a feature never
        changes, or there are too few frames.
    Cancelled
        If ``cancel`` was set.
    """
    _require_positive(n_components=n_components, rank=rank, n_iterations=n_iterations, ubm_frames=ubm_frames)
    if not 0 < frame_weight <= 1:
        raise ParameterError(f"frame_weight is {frame_weight}; choose above 0, and at most 1")
    sequences = list(_sequences(X, width=None if ubm is None else ubm.means.shape[1]))
    if rank > len(sequences):
        raise ParameterError(
            f"rank is {rank}, but there are {len(sequences)} utterances; lower it, or give more utterances"
        )
    report = progress or (lambda done, total, text: None)
    if ubm is None:
        ubm = train_ubm(
            _sample(sequences, ubm_frames, seed=seed), n_components=n_components, seed=seed,
            progress=progress, cancel=cancel,
        )  # fmt: skip
    if rank > ubm.means.size:
        raise ParameterError(
            f"rank is {rank}, more than components times features ({ubm.means.size}); lower it"
        )
    _check(cancel)
    zeroth, first = _stacked(ubm, sequences, weight=frame_weight)
    noise = np.random.default_rng(seed).standard_normal((*ubm.means.shape, rank))
    extractor = IVectorExtractor(
        ubm=ubm,
        means=ubm.means,
        factors=noise * np.sqrt(ubm.variances / rank)[:, :, None],
        frame_weight=frame_weight,
        log_likelihood=np.empty(0),
    )
    for iteration in range(n_iterations):
        extractor = _em_step(extractor, zeroth, first, cancel=cancel)
        last = extractor.log_likelihood[-1]
        report(iteration + 1, n_iterations, f"i-vectors: {last:.4f} nats a frame")
    return extractor


def unit_length(ivectors: np.ndarray, *, centre: np.ndarray | None = None) -> np.ndarray:
    """Vectors divided by their length, for use outside the network (Garcia-Romero & Espy-Wilson 2011).

    Parameters
    ----------
    ivectors : ndarray, shape (n, rank)
    centre : ndarray, shape (rank,), optional
        Subtracted first: the mean of the i-vectors of a training set.
    """
    shifted = ivectors if centre is None else ivectors - centre
    return shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), np.finfo(float).tiny)


def _em_step(
    extractor: IVectorExtractor,
    zeroth: np.ndarray,
    first: np.ndarray,
    *,
    cancel: threading.Event | None,
) -> IVectorExtractor:
    n, rank = len(zeroth), extractor.rank
    centred = first - zeroth[:, :, None] * extractor.means
    weight = np.zeros((zeroth.shape[1], rank**2))  # sum of N E[w w'], a component
    cross = np.zeros((rank, centred[0].size))  # sum of E[w] (F - N mean)'
    mean, second = np.zeros(rank), np.zeros((rank, rank))
    # log p(F | w) without what does not depend on means and factors
    fit = ((first - 0.5 * zeroth[:, :, None] * extractor.means) * extractor.means).sum(axis=0)
    log_likelihood = (fit / extractor.ubm.variances).sum()
    projection, _ = extractor._projection
    for start in range(0, n, _UTTERANCE_BLOCK):
        _check(cancel)
        block = slice(start, start + _UTTERANCE_BLOCK)
        w, covariance = extractor.posterior(zeroth[block], first[block])
        flat = centred[block].reshape(len(w), -1)
        moments = covariance + w[:, :, None] * w[:, None, :]
        weight += zeroth[block].T @ moments.reshape(len(w), -1)
        cross += w.T @ flat
        mean += w.sum(axis=0)
        second += moments.sum(axis=0)
        log_likelihood += 0.5 * (np.linalg.slogdet(covariance)[1].sum() + ((flat @ projection) * w).sum())

    shape = extractor.factors.shape
    # A component that hardly any frame chose says nothing about its factors: they go to zero.
    weight = weight.reshape(-1, rank, rank) + 1e-6 * np.eye(rank)
    factors = np.linalg.solve(weight, cross.reshape(rank, *shape[:2]).transpose(1, 0, 2)).transpose(0, 2, 1)
    mean /= n
    spread = np.linalg.cholesky(second / n - np.outer(mean, mean))
    return IVectorExtractor(
        ubm=extractor.ubm,
        means=extractor.means + factors @ mean,
        factors=factors @ spread,
        frame_weight=extractor.frame_weight,
        log_likelihood=np.append(extractor.log_likelihood, log_likelihood / zeroth.sum()),
    )


def _sequences(X: np.ndarray | Sequence[np.ndarray], *, width: int | None) -> Iterator[np.ndarray]:
    """Frames of each utterance without the padding, checked; as they are, not copied where there is none."""
    for row, padded in enumerate(X):
        if padded.ndim != 2 or (width is not None and padded.shape[1] != width):
            raise ParameterError(
                f"utterance {row} has shape {padded.shape}, not (frames, {width or 'features'})"
            )
        width = padded.shape[1]
        sequence = padded[~np.isnan(padded).all(axis=1)]
        if not len(sequence):
            raise TrainingError(f"utterance {row} has no frame; leave it out", rows=[row])
        if not np.isfinite(sequence).all():
            raise TrainingError(f"utterance {row} holds NaN or infinite values; leave it out", rows=[row])
        yield sequence


def _stacked(ubm: UBM, sequences: Sequence[np.ndarray], *, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted statistics of utterances, shapes (n, C) and (n, C, d)."""
    zeroth = np.empty((len(sequences), len(ubm.weights)))
    first = np.empty((len(sequences), *ubm.means.shape))
    for row, sequence in enumerate(sequences):
        zeroth[row], first[row] = statistics(ubm, sequence)
    return weight * zeroth, weight * first


def _sample(sequences: Sequence[np.ndarray], n_frames: int, *, seed: int) -> np.ndarray:
    """At most ``n_frames`` frames, drawn evenly from all utterances."""
    total = sum(map(len, sequences))
    if total <= n_frames:
        return np.concatenate(sequences)
    rng = np.random.default_rng(seed)
    return np.concatenate([sequence[rng.random(len(sequence)) < n_frames / total] for sequence in sequences])


def _require_positive(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ParameterError(f"{name} is {count}; choose 1 or more")


def _check(cancel: threading.Event | None) -> None:
    stop_if(cancel, "the training of i-vectors was cancelled")
