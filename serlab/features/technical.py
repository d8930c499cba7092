"""What of an utterance is not speech but recording: level, silence, noise, bandwidth, remains of codecs.

Measured at 16 kHz, as all features are: what lies above 8 kHz no method hears.
They are no features to recognise emotions by, and in no list of them;
:mod:`serlab.evaluation.giveaways` asks how much they alone give away.
"""

from __future__ import annotations

import numpy as np

from serlab.features.base import FREE, FeatureSet

#: Samples at 16 kHz of a frame (32 ms) and from one to the next.
FRAME, SHIFT = 512, 256
#: Width of the bands whose floor is measured, kHz.
BANDS = 8
#: What a band's floor is: the share of frames that are softer.
SOFTEST = 0.1
#: Below the peak by so many dB nothing has begun, or all is over.
EDGE_DB = 35.0
#: Softer than this (dB re full scale) a frame is silent.
SILENT_DB = -60.0

#: Seconds that are looked at.
LONGEST = 120
#: So far below its neighbours in time a narrow band is a hole (dB).
HOLE_DB = 15.0

NAMES: tuple[str, ...] = (
    "level", "peak", "offset", "silence before", "silence after", "silent frames", "digital silence",
    "step of the samples",
    *(f"noise floor {band}-{band + 1} kHz" for band in range(BANDS)),
    *(f"holes {band}-{band + 1} kHz" for band in range(BANDS // 2, BANDS)),
)  # fmt: skip


def measure(samples: np.ndarray) -> np.ndarray:
    """Technical facts of one utterance.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At 16 kHz.

    Returns
    -------
    ndarray of float32, shape (20,)
        As :data:`NAMES`: dB re full scale, seconds or shares.
    """
    samples = samples[: LONGEST * 16_000]
    around = samples - samples.mean(dtype=np.float64)
    peak = float(np.abs(samples).max())
    loud = np.flatnonzero(np.abs(around) > peak * 10 ** (-EDGE_DB / 20))
    before, after = (loud[0], len(samples) - 1 - loud[-1]) if len(loud) else (len(samples), len(samples))
    padded = np.pad(samples, (0, max(0, FRAME - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::SHIFT]
    power = np.abs(np.fft.rfft(windows * np.hanning(FRAME).astype(np.float32), axis=1)) ** 2
    # Of a sine at full scale the sum over its bins is 0 dB.
    power /= (FRAME / 4) ** 2 * 1.5
    whole = _db(power.sum(axis=1))
    bands = _db(np.stack([part.sum(axis=1) for part in np.array_split(power[:, 1:], BANDS, axis=1)], axis=1))
    steps = np.abs(np.diff(samples))
    steps = steps[steps > 0]
    return np.float32(
        [
            _db(np.mean(around**2, dtype=np.float64)),
            _db(peak**2),
            samples.mean(dtype=np.float64),
            before / 16_000,
            after / 16_000,
            np.mean(whole < SILENT_DB),
            np.mean(samples == 0),
            np.log2(steps.min()) if len(steps) else 0.0,
            *np.quantile(bands, SOFTEST, axis=0),
            *_holes(power)[BANDS // 2 :],
        ]
    )


def _holes(power: np.ndarray) -> np.ndarray:
    """Share of narrow bands far below what the next frames have there, for each band of 1 kHz.

    Codecs that leave out what is masked do so from frame to frame; speech and rooms fade.
    """
    parts = np.array_split(power[:, 1:], 4 * BANDS, axis=1)
    narrow = _db(np.stack([part.mean(axis=1) for part in parts], axis=1))
    if len(narrow) < 3:
        return np.zeros(BANDS)
    beside = np.maximum(narrow[:-2], narrow[2:])
    return np.mean(narrow[1:-1] < beside - HOLE_DB, axis=0).reshape(BANDS, -1).mean(axis=1)


def _db(power: np.ndarray | float) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 1e-15))


TECHNICAL = FeatureSet(
    name="technical",
    title="Facts of the recording",
    version="1",
    license=FREE,
    reference="serlab.features.technical",
    settings={
        "frame": FRAME,
        "shift": SHIFT,
        "softest": SOFTEST,
        "edge": EDGE_DB,
        "hole": HOLE_DB,
        "longest": LONGEST,
    },
    n_features=len(NAMES),
    load=lambda: (NAMES, measure),
)
