"""Find utterances that were cut from the same stretch of speech.

Corpora cut from running speech (talk shows) may hold two cuts that overlap.
In a random split one half of such a pair teaches the other. Bytes and levels
differ, so the signals are cross-correlated: at 4 kHz, differentiated so that
a hum or a low voice alone does not correlate.
"""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
from scipy.fft import irfft, next_fast_len, rfft

from serlab.progress import stop_if

RATE = 4_000
#: Seconds that two cuts must share at least.
SHORTEST = 0.75
#: On URDU, pairs with a common stretch reach .6 to .99 and the others stay
#: below; on EmoDB, where nothing overlaps, the highest is .57.
CORRELATION = 0.6
#: Pairs of one speaker that are searched at most, about 20 s on two cores.
MOST_PAIRS = 20_000


def reduce(samples: np.ndarray, rate: int) -> np.ndarray:
    """Differentiated signal at about 4 kHz, shape (about 4000 a second,)."""
    step = max(round(rate / RATE), 1)
    whole = samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1)
    return np.diff(np.convolve(whole, np.float32([0.25, 0.5, 0.25]), "same"))


def find(signals: pd.Series, speaker: pd.Series, *, cancel: threading.Event | None = None) -> pd.DataFrame:
    """Pairs of one speaker's signals that share a stretch.

    Parameters
    ----------
    signals : Series of ndarray
        From :func:`reduce`, by utterance.
    speaker : Series of str
        By utterance.

    Returns
    -------
    DataFrame
        Columns first, second, correlation, seconds (of overlap); highest
        correlation first.
    """
    rows = []
    for _, names in speaker.groupby(speaker).groups.items():
        stop_if(cancel, "the search for overlapping cuts was cancelled")
        rows += _pairs({name: signals[name] for name in names})
    found = pd.DataFrame(rows, columns=["first", "second", "correlation", "seconds"])
    return found.sort_values("correlation", ascending=False, ignore_index=True)


def best_lag(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """How well two signals lie on each other at their best lag, and how long.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        From :func:`reduce`.

    Returns
    -------
    correlation, seconds : float
        0 to 1, over the stretch they share: at least :data:`SHORTEST`, or nine tenths of the shorter.
    """
    shortest = min(int(SHORTEST * RATE), int(0.9 * min(len(x), len(y))))
    xs = [np.float32(signal / max(float(np.linalg.norm(signal)), 1e-12)) for signal in (x, y)]
    size = next_fast_len(len(x) + len(y), real=True)
    # Energy of the first n samples, for all n.
    energies = [np.concatenate([[0.0], np.cumsum(np.square(one, dtype=np.float64))]) for one in xs]
    # At lag k, sample n of y lies on sample n + k of x; they share x[first:last].
    lags = np.arange(shortest - len(y), len(x) - shortest + 1)
    first, last = np.maximum(lags, 0), np.minimum(lags + len(y), len(x))
    energy = (energies[0][last] - energies[0][first]) * (energies[1][last - lags] - energies[1][first - lags])
    cross = irfft(rfft(xs[0], size) * rfft(xs[1], size).conj(), size)[lags]
    squared = cross**2 / np.maximum(energy, 1e-6)  # near silence correlates with nothing
    best = int(np.argmax(squared))
    return float(min(1.0, np.sqrt(squared[best]))), float((last[best] - first[best]) / RATE)


def _pairs(signals: dict[str, np.ndarray]) -> list[tuple[str, str, float, float]]:
    names = list(signals)
    xs = [np.float32(x / max(np.linalg.norm(x), 1e-12)) for x in signals.values()]
    size = next_fast_len(2 * max(len(x) for x in xs), real=True)
    spectra = [rfft(x, size) for x in xs]
    # Energy of the first n samples, for all n.
    energies = [np.concatenate([[0.0], np.cumsum(np.square(x, dtype=np.float64))]) for x in xs]
    energies = [energy.astype(np.float32) for energy in energies]
    shortest = int(SHORTEST * RATE)
    found = []
    for i in range(len(xs)):
        for j in range(i + 1, len(xs)):
            # At lag k, sample n of j lies on sample n + k of i; they share i[first:last].
            lags = np.arange(shortest - len(xs[j]), len(xs[i]) - shortest + 1)
            if not len(lags):
                continue
            first, last = np.maximum(lags, 0), np.minimum(lags + len(xs[j]), len(xs[i]))
            energy = (energies[i][last] - energies[i][first]) * (
                energies[j][last - lags] - energies[j][first - lags]
            )
            energy = np.maximum(energy, 1e-6)  # near silence correlates with nothing
            squared = irfft(spectra[i] * spectra[j].conj(), size)[lags] ** 2 / energy
            best = int(np.argmax(squared))
            if squared[best] >= CORRELATION**2:
                seconds = (last[best] - first[best]) / RATE
                found.append((names[i], names[j], float(np.sqrt(squared[best])), float(seconds)))
    return found
