"""How far a recording lies from what a model has learned: in its features, and in facts of the recording.

A distance says little by itself. Beside it stands its quantile among utterances of corpora that the
model, without them, had to answer for: a new corpus is always farther than the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from serlab import normalization
from serlab.corpora.bandwidth import Spectrum
from serlab.deployment.forms import scaled
from serlab.features.base import FREE, FeatureSet

#: Principal components that a distance is measured in.
COMPONENTS = 16
#: Deviations at which features are cut before.
_MOST = 5.0
#: Shares of what was held out whose distances are kept.
SHARES = np.linspace(0, 1, 101)
#: A recording farther than this share of what was held out is warned of.
FAR = 0.95
#: A fact beyond this share of the utterances that were learned from, on either side, is warned of.
UNHEARD = 0.005
#: Hz by which a band has to be narrower than any that was learned from.
_NARROWER = 500.0
#: dB below which a frame of 32 ms is silent.
_SILENT_DB = -60.0
_FRAME = 512


@dataclass(frozen=True)
class Space:
    """Where utterances of the sources lie: principal components of their features, and each corpus in them.

    Attributes
    ----------
    mean, scale : ndarray, shape (d,)
    components : ndarray, shape (q, d)
        Whitened: the deviation within corpora is 1 in each direction.
    centres : ndarray, shape (c, q)
        Of the corpora.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    centres: np.ndarray

    def distance(self, X: np.ndarray) -> np.ndarray:
        """Deviations from the nearest corpus' centre, divided by the root of their number; shape (n,)."""
        Z = _cut(X, self.mean, self.scale) @ self.components.T
        squares = ((Z[:, None] - self.centres) ** 2).mean(axis=2)
        return np.sqrt(squares.min(axis=1))


def learn(X: np.ndarray, corpus: np.ndarray) -> Space:
    """The space of utterances, in which every corpus weighs the same.

    Parameters
    ----------
    X : ndarray, shape (n, d)
    corpus : ndarray of str, shape (n,)
    """
    mean, scale = normalization.mean_and_scale(X)
    Z = _cut(X, mean, scale)
    names, row, count = np.unique(corpus, return_inverse=True, return_counts=True)
    centres = np.stack([Z[row == number].mean(axis=0) for number in range(len(names))])
    within = (Z - centres[row]) / np.sqrt(len(names) * count[row])[:, None]
    # Eigenvectors of the smaller of the two products.
    if len(within) < within.shape[1]:
        values, vectors = np.linalg.eigh(within @ within.T)
        values, vectors = values[::-1][:COMPONENTS], vectors[:, ::-1][:, :COMPONENTS]
        kept = values > 1e-9 * values[0]
        components = (vectors[:, kept].T @ within) / values[kept][:, None]
    else:
        values, vectors = np.linalg.eigh(within.T @ within)
        values, vectors = values[::-1][:COMPONENTS], vectors[:, ::-1][:, :COMPONENTS]
        kept = values > 1e-9 * values[0]
        components = vectors[:, kept].T / np.sqrt(values[kept])[:, None]
    return Space(mean, scale, components, centres @ components.T)


def _cut(X: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.clip(scaled(X, mean, scale), -_MOST, _MOST).astype(float)


def quantile_of(distance: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Share of what was held out that is nearer, 0 to 1.

    Parameters
    ----------
    distance : ndarray, shape (n,)
    quantiles : ndarray, shape (101,)
        At :data:`SHARES`.
    """
    return np.interp(distance, quantiles, SHARES)


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Quantiles of weighted values, at shares from 0 to 1."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weight[order]) - weight[order] / 2
    return np.interp(shares, share / weight.sum(), values[order])


# --- facts of a recording ------------------------------------------------------------

#: Fact -> its unit.
FACTS: Mapping[str, str] = {"level": "dB", "bandwidth": "Hz", "silent frames": "", "seconds": "s"}


def measure(samples: np.ndarray) -> np.ndarray:
    """Facts of one utterance, as :data:`FACTS`.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At 16 kHz.

    Returns
    -------
    ndarray of float32, shape (4,)
        Level in dB re full scale; Hz up to which there is sound, of 8 kHz that are heard; share of silent
        frames; seconds.
    """
    spectrum = Spectrum(16_000)
    spectrum.add(samples)
    padded = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
    power = (padded.astype(float) ** 2).mean(axis=1)
    silent = (10 * np.log10(power + 1e-15) < _SILENT_DB).mean()
    level = 10 * np.log10((samples.astype(float) ** 2).mean() + 1e-15)
    return np.array([level, spectrum.bandwidth, silent, len(samples) / 16_000], dtype=np.float32)


#: For the corpora that are learned from, whose features are kept on disk.
RECORDING = FeatureSet(
    name="recording",
    title="Level, bandwidth, silence and length",
    version="1",
    license=FREE,
    reference="serlab.deployment.familiar",
    settings={"frame": _FRAME, "silent": _SILENT_DB},
    n_features=len(FACTS),
    load=lambda: (tuple(FACTS), measure),
)


@dataclass(frozen=True)
class Range:
    """What was heard in training of each fact: all but a half per cent on either side.

    Attributes
    ----------
    low, high : ndarray, shape (4,)
        As :data:`FACTS`.
    """

    low: np.ndarray
    high: np.ndarray

    def warnings(self, facts: np.ndarray, *, native_rate: int) -> list[str]:
        """What of a recording is unlike all that was learned from, a few words each.

        Parameters
        ----------
        facts : ndarray, shape (4,)
        native_rate : int
            Hz, of the file.
        """
        level, bandwidth, silent, seconds = map(float, facts)
        low, high = self.low, self.high
        found = []
        if level < low[0]:
            found.append(
                f"softer than heard in training ({level:.0f} dB, there {low[0]:.0f} to {high[0]:.0f})"
            )
        if level > high[0]:
            found.append(
                f"louder than heard in training ({level:.0f} dB, there {low[0]:.0f} to {high[0]:.0f})"
            )
        heard = min(bandwidth, native_rate / 2)
        if heard < low[1] - _NARROWER:
            found.append(f"narrower than heard in training (up to {heard:.0f} Hz, there {low[1]:.0f})")
        if silent > high[2]:
            found.append(f"more silence than heard in training ({silent:.0%}, there at most {high[2]:.0%})")
        if seconds < low[3]:
            found.append(f"shorter than heard in training ({seconds:.1f} s, there {low[3]:.1f} and more)")
        return found


def ranges(facts: np.ndarray, weight: np.ndarray) -> Range:
    """Ranges of the facts of the utterances that were learned from.

    Parameters
    ----------
    facts : ndarray, shape (n, 4)
    weight : ndarray, shape (n,)
    """
    ends = np.array([UNHEARD, 1 - UNHEARD])
    low, high = np.stack([weighted_quantiles(column, weight, ends) for column in facts.T]).T
    return Range(low, high)
