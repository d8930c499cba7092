"""How far two corpora differ, layer by layer: did adaptation do anything?

Utterances of a speaker are alike, and no two corpora share speakers. So a
difference between corpora counts here as far as it exceeds the difference
between speakers: whole speakers change sides in the permutations, and whole
speakers are held out from the classifier of the proxy A-distance.

A network is measured on speakers that it has learned nothing of, of either
corpus (:func:`apart`). On those that were aligned corpora look alike whatever
the method: .00 was measured there where others were at .8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import metrics
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import intervals
from serlab.protocols import Split
from serlab.training import losses

N_FOLDS = 5

#: Of :func:`shift_table`.
COLUMNS = (
    "layer", "mmd2", "p", "a_distance", "n_source", "n_target", "n_source_speakers", "n_target_speakers",
)  # fmt: skip

#: Speakers to measure on, of each corpus: with fewer, single voices decide.
LEAST_SPEAKERS = 3
#: Speakers that have to be left to learn from, of each corpus.
_LEFT = 2


def apart(
    split: Split,
    speaker: np.ndarray,
    *,
    labelled: np.ndarray,
    unlabelled: np.ndarray,
    seed: int,
) -> Split:
    """A fold in which speakers of both corpora are kept for measuring, and heard by nobody.

    Of the source a third of the speakers. Of the target those who are tested,
    where the method does not hear them; else half of those whose labels it
    does not know, and the other half is what it adapts to.

    Parameters
    ----------
    split : Split
    speaker : ndarray of str
        Of each row of the utterance table.
    labelled, unlabelled : ndarray of int
        Rows of the target that the method sees with and without labels.
    seed : int
        Of who is kept.

    Returns
    -------
    Split
        ``train``, ``target_train`` and ``adapt`` to learn from; ``validation`` are the rows of the source
        to measure on, ``test`` those of the target.

    Raises
    ------
    ProtocolError
        If a corpus has too few speakers: at least :data:`LEAST_SPEAKERS` are kept, and two are left.
    """
    rng = np.random.default_rng(seed)
    train, of_source = _kept(split.train, speaker, "source", share=1 / 3, left=_LEFT, rng=rng)
    whole = np.unique(np.concatenate([split.target_train, split.adapt, split.test]))
    unknown = whole[~np.isin(speaker[whole], speaker[labelled])]
    if not len(unlabelled):
        adapt, of_target = _kept(unknown, speaker, "target without labels", share=1.0, left=0, rng=rng)
    elif not np.isin(split.test, unlabelled).any():
        _, of_target = _kept(split.test, speaker, "tested target", share=1.0, left=0, rng=rng)
        adapt = unlabelled[~np.isin(speaker[unlabelled], speaker[of_target])]
    else:
        adapt, of_target = _kept(unknown, speaker, "target without labels", share=1 / 2, left=_LEFT, rng=rng)
    return Split(split.fold, train, labelled, adapt, of_source, of_target)


def _kept(
    rows: np.ndarray, speaker: np.ndarray, what: str, *, share: float, left: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from, and those of a share of the speakers."""
    names = np.unique(speaker[rows])
    n = max(LEAST_SPEAKERS, round(share * len(names)))
    if len(names) - n < left:
        needed = LEAST_SPEAKERS + left
        raise ProtocolError(
            f"{len(names)} speakers of the {what}: too few to keep {LEAST_SPEAKERS} for measuring, "
            f"{needed} are needed"
        )
    kept = np.isin(speaker[rows], rng.permutation(names)[:n])
    return rows[~kept], rows[kept]


@dataclass(frozen=True)
class TwoSampleTest:
    """Outcome of :func:`two_sample_test`.

    Attributes
    ----------
    mmd2 : float
        Squared MMD of the samples, biased.
    p : float
        Share of permutations with as large an MMD, the samples themselves included.
    null_high : float
        What the MMD of most permutations does not exceed (:data:`serlab.evaluation.intervals.LEVEL`).
    """

    mmd2: float
    p: float
    null_high: float


def two_sample_test(
    x: np.ndarray,
    y: np.ndarray,
    *,
    x_speaker: np.ndarray | None = None,
    y_speaker: np.ndarray | None = None,
    n_permutations: int = 500,
    bandwidth: float | None = None,
    seed: int,
) -> TwoSampleTest:
    """Test whether two samples are of one distribution, by MMD and permutations.

    Rows change sides at random, and ``p = (1 + #{permuted >= observed}) / (1 +
    n_permutations)`` (Gretton et al. 2012, section 8; Phipson & Smyth 2010).
    With speakers, whole speakers change sides: the question is then whether
    the speakers are of one population. Without, it is whether the rows are,
    which for utterances of different speakers they never are.

    Parameters
    ----------
    x, y : ndarray, shapes (n, d) and (m, d)
    x_speaker, y_speaker : ndarray of str, shapes (n,) and (m,), optional
        Both or neither. With few speakers there are few permutations: p is
        about one over their number at least, and 1 for one speaker a side.
    n_permutations : int
    bandwidth : float, optional
        Of the Gaussian kernel; the median distance if not given.
    seed : int

    Returns
    -------
    TwoSampleTest
        For equal samples ``mmd2`` is 0 and ``p`` 1.

    Raises
    ------
    ParameterError
        If shapes do not fit, a sample is empty or not finite, or a number is not positive.
    """
    _require_samples(x, y, x_speaker, y_speaker)
    if n_permutations < 1:
        raise ParameterError(f"n_permutations ({n_permutations}) starts at 1")
    if x_speaker is None:
        block = np.arange(len(x) + len(y))
        n_x, n_blocks = len(x), len(block)
    else:
        (names_x, code_x), (names_y, code_y) = (
            np.unique(s, return_inverse=True) for s in (x_speaker, y_speaker)
        )
        block = np.concatenate([code_x, len(names_x) + code_y])
        n_x, n_blocks = len(names_x), len(names_x) + len(names_y)
    is_x = np.arange(n_blocks) < n_x
    sides = np.vstack(
        [is_x, np.random.default_rng(seed).permuted(np.tile(is_x, (n_permutations, 1)), axis=1)]
    )
    on_x = sides[:, block]
    n = on_x.sum(axis=1, keepdims=True)
    weight = torch.from_numpy(np.where(on_x, 1 / n, -1 / (len(block) - n)))
    rows = torch.from_numpy(np.concatenate([x, y]).astype(np.float64))
    # The weights of a permutation sum to 0: what all kernels have in common cancels.
    values = ((weight @ losses.kernel_minus_1(rows, bandwidth)) * weight).sum(dim=1).numpy()
    # Rounded, the same partition summed in another order is as large, and that of equal samples 0.
    observed, *permuted = np.maximum(0.0, values.round(12)).tolist()
    as_large = sum(value >= observed for value in permuted)
    return TwoSampleTest(
        mmd2=observed,
        p=(1 + as_large) / (1 + n_permutations),
        null_high=float(np.quantile(permuted, intervals.LEVEL)),
    )


def proxy_a_distance(
    x: np.ndarray, y: np.ndarray, *, x_speaker: np.ndarray, y_speaker: np.ndarray, seed: int
) -> float:
    """How well a linear classifier tells two corpora apart by speakers it has not heard.

    ``2 (1 - 2 error)`` (Ben-David et al. 2007, section 5), from 0, chance, to
    2, without a mistake. The error is the mean of both corpora's, of a
    logistic regression on z-scored features, cross-validated over folds of
    whole speakers, so that it does not get by with recognising voices.

    Parameters
    ----------
    x, y : ndarray, shapes (n, d) and (m, d)
    x_speaker, y_speaker : ndarray of str, shapes (n,) and (m,)
        A speaker who is in both is held out of both at once.
    seed : int
        Of the folds.

    Returns
    -------
    float
        NaN if one of them has a single speaker: voice and corpus are one then.

    Raises
    ------
    ParameterError
        If shapes do not fit, or a sample is empty or not finite.
    """
    _require_samples(x, y, x_speaker, y_speaker)
    fold = _folds(x_speaker, y_speaker, seed)
    if fold is None:
        return np.nan
    rows, corpus = np.concatenate([x, y]), np.repeat([0, 1], [len(x), len(y)])
    answer = np.empty_like(corpus)
    for held_out in range(fold.max() + 1):
        test = fold == held_out
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        answer[test] = model.fit(rows[~test], corpus[~test]).predict(rows[test])
    error = 1 - metrics.uar(metrics.confusion(corpus, answer, 2))
    return max(0.0, float(2 * (1 - 2 * error)))


def shift_table(
    source: Mapping[str, np.ndarray],
    target: Mapping[str, np.ndarray],
    *,
    source_speaker: np.ndarray,
    target_speaker: np.ndarray,
    seed: int,
    max_rows: int = 400,
) -> pd.DataFrame:
    """Shift between two corpora in each of several representations.

    Parameters
    ----------
    source, target : mapping of str to ndarray, shapes (n, d) and (m, d)
        Layers of a network or feature sets; the rows are the same in each.
        Features are z-scored by both corpora together; a constant one adds nothing.
    source_speaker, target_speaker : ndarray of str, shapes (n,) and (m,)
    seed : int
        Of permutations, folds and the rows that are drawn.
    max_rows : int
        Of a corpus with more, so many are drawn at random.

    Returns
    -------
    DataFrame
        One row a layer, in the order of ``source``: layer, mmd2 (biased,
        bandwidth by the median), p (:func:`two_sample_test` by speakers),
        a_distance (:func:`proxy_a_distance`), n_source, n_target (rows used),
        n_source_speakers, n_target_speakers.

    Raises
    ------
    ParameterError
        If the layers differ, shapes do not fit, or a value is not finite.
    """
    if set(source) != set(target):
        raise ParameterError(
            f"source and target need the same layers, not {', '.join(source)} and {', '.join(target)}"
        )
    if max_rows < 1:
        raise ParameterError(f"max_rows ({max_rows}) starts at 1")
    rng = np.random.default_rng(seed)
    source_speaker, target_speaker = np.asarray(source_speaker), np.asarray(target_speaker)
    s, t = (_draw(len(speaker), max_rows, rng) for speaker in (source_speaker, target_speaker))
    speakers = {"x_speaker": source_speaker[s], "y_speaker": target_speaker[t]}
    counts = [len(s), len(t), *(len(np.unique(names)) for names in speakers.values())]
    table = []
    for layer in source:
        try:
            _require_samples(source[layer], target[layer], source_speaker, target_speaker)
        except ParameterError as error:
            raise ParameterError(f"layer {layer!r}: {error}") from None
        x, y = _z_scored(source[layer][s], target[layer][t])
        test = two_sample_test(x, y, **speakers, seed=seed)
        distance = proxy_a_distance(x, y, **speakers, seed=seed)
        table.append((layer, test.mmd2, test.p, distance, *counts))
    return pd.DataFrame(table, columns=list(COLUMNS))


def _draw(n: int, max_rows: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(n) if n <= max_rows else np.sort(rng.choice(n, max_rows, replace=False))


def _z_scored(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaled = StandardScaler().fit_transform(np.concatenate([x, y]).astype(np.float64))
    return scaled[: len(x)], scaled[len(x) :]


def _folds(x_speaker: np.ndarray, y_speaker: np.ndarray, seed: int) -> np.ndarray | None:
    """Fold of each row: speakers of x and of y in every one; None if x or y has a single speaker."""
    x_names, y_names = np.unique(x_speaker), np.unique(y_speaker)
    n_folds = min(N_FOLDS, len(x_names), len(y_names))
    if n_folds < 2:
        return None
    rng = np.random.default_rng(seed)
    # Those of x, and those of y, follow each other, and so come into every fold.
    parts = [
        np.setdiff1d(x_names, y_names),
        np.intersect1d(x_names, y_names),
        np.setdiff1d(y_names, x_names),
    ]
    order = np.concatenate([rng.permutation(part) for part in parts])
    fold_of = {name: number % n_folds for number, name in enumerate(order)}
    return np.array([fold_of[name] for name in np.concatenate([x_speaker, y_speaker])])


def _require_samples(
    x: np.ndarray, y: np.ndarray, x_speaker: np.ndarray | None, y_speaker: np.ndarray | None
) -> None:
    if np.ndim(x) != 2 or np.ndim(y) != 2 or x.shape[1] != y.shape[1]:
        raise ParameterError(
            f"two samples of rows of equal width are needed, not {np.shape(x)} and {np.shape(y)}; "
            "of frames take serlab.samples.statistics"
        )
    if (x_speaker is None) != (y_speaker is None):
        raise ParameterError("speakers are needed for both samples, or for neither")
    for sample, speaker, what in ((x, x_speaker, "first (source)"), (y, y_speaker, "second (target)")):
        if not len(sample):
            raise ParameterError(f"the {what} sample has no row")
        if speaker is not None and len(speaker) != len(sample):
            raise ParameterError(f"the {what} sample has {len(sample)} rows but {len(speaker)} speakers")
        bad = np.flatnonzero(~np.isfinite(sample).all(axis=1))
        if len(bad):
            raise ParameterError(
                f"row {bad[0]} of the {what} sample is not finite ({len(bad)} such); leave such rows out"
            )
