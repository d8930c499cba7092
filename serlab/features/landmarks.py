"""Landmarks of an utterance: the peaks of its spectrogram, by which a recording is known again.

What survives another codec, sampling rate, level or tag: where in time and
frequency the loudest points lie (Wang 2003, An industrial-strength audio search
algorithm). They are no features to recognise emotions by, and in no list of
them; :mod:`serlab.evaluation.recordings` compares them.
"""

from __future__ import annotations

import numpy as np

from serlab.features.base import FREE, FeatureSet

#: Samples at 16 kHz of a frame (64 ms) and from one to the next (16 ms).
FRAME, SHIFT = 1024, 256
#: Bins that are looked at, 250 Hz to 3.5 kHz: what a telephone leaves, too.
LOWEST, HIGHEST = 16, 224
#: A peak is the largest of so many frames and bins around it.
AROUND = (7, 9)
#: Peaks more than this many dB below the loudest are left out.
RANGE_DB = 50.0
#: Peaks that are kept of so many frames (half a second).
MOST, OF_FRAMES = 16, 31
#: Seconds that are looked at: an utterance is shorter, and an hour of peaks would fill the memory.
LONGEST = 120


def peaks(samples: np.ndarray) -> np.ndarray:
    """Peaks of the spectrogram, in order of time.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At 16 kHz.

    Returns
    -------
    ndarray of float32, shape (peaks, 2)
        Frame and bin, whole numbers; one row of -1 where there are none.
    """
    from scipy.ndimage import maximum_filter
    from scipy.signal import get_window

    samples = samples[: LONGEST * 16_000]
    padded = np.pad(samples, (0, max(0, FRAME - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::SHIFT]
    spectrum = np.abs(np.fft.rfft(windows * get_window("hann", FRAME).astype(np.float32), axis=1))
    part = spectrum[:, LOWEST:HIGHEST]
    loudest = part.max()
    if not loudest > 0:
        return np.full((1, 2), -1, dtype=np.float32)
    top = (part == maximum_filter(part, size=AROUND)) & (part > loudest * 10 ** (-RANGE_DB / 20))
    frame, bin_ = np.nonzero(top)
    # The loudest of each half second, so that a loud one does not silence the rest.
    order = np.lexsort((-part[frame, bin_], frame // OF_FRAMES))
    block = (frame // OF_FRAMES)[order]
    first = np.searchsorted(block, block)
    kept = np.sort(order[np.arange(len(order)) - first < MOST])
    return np.column_stack([frame[kept], bin_[kept] + LOWEST]).astype(np.float32)


LANDMARKS = FeatureSet(
    name="landmarks",
    title="Peaks of the spectrogram",
    version="1",
    license=FREE,
    reference="A. Wang: An industrial-strength audio search algorithm. ISMIR 2003",
    settings={
        "frame": FRAME,
        "shift": SHIFT,
        "bins": f"{LOWEST}-{HIGHEST}",
        "range": RANGE_DB,
        "most": MOST,
        "longest": LONGEST,
    },
    n_features=2,
    load=lambda: (("frame", "bin"), peaks),
    kind="frames",
    frame_shift=SHIFT / 16_000,
)
