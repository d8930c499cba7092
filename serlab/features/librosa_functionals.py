"""A feature set without a research-only licence: functionals of 30 descriptors.

Every 10 ms of an utterance is described by 28 numbers (level, zero crossings,
MFCC, spectral shape) and, where the voice sounds, by two more (fundamental
frequency, harmonics-to-noise ratio). :func:`functionals` sum up each contour;
six further features describe rhythm.

Pauses say more about how a corpus was cut than about emotion. So descriptors
count in *active* frames only, and rhythm is measured from the first of them to
the last: silence before and after the utterance changes nothing.
"""

from __future__ import annotations

import numpy as np

from serlab.audio import SAMPLE_RATE
from serlab.features.base import FREE, Extractor, FeatureSet

HOP = 160  # 10 ms
N_FFT = 512  # 32 ms
#: A frame is active when its level is within this many dB of the loudest frame.
ACTIVE_RANGE = 40.0

F0_MIN, F0_MAX = 60.0, 600.0  # Hz
F0_FRAME = 800  # 50 ms: three periods of F0_MIN
#: Boersma's voicing threshold and octave cost (his section 5, Praat's defaults).
VOICING = 0.45
OCTAVE_COST = 0.01
#: Shorter stretches of voicing (in frames) are chance.
SHORTEST_VOICING = 3

N_MFCC = 13
N_CONTRAST = 5

CONTOURS: tuple[str, ...] = (
    "level_db",
    "zero_crossing_rate",
    *(f"mfcc_{i}" for i in range(N_MFCC)),
    "spectral_centroid_hz",
    "spectral_bandwidth_hz",
    "spectral_rolloff85_hz",
    "spectral_flatness_db",
    "spectral_flux",
    "alpha_ratio_db",
    "hammarberg_index_db",
    *(f"spectral_contrast_{i}_db" for i in range(N_CONTRAST + 1)),
)
VOICED_CONTOURS: tuple[str, ...] = ("f0_semitones", "hnr_db")
FUNCTIONALS: tuple[str, ...] = ("mean", "sd", "p10", "p50", "p90", "slope", "change")
RHYTHM: tuple[str, ...] = (
    "active_share",
    "voiced_share",
    "voiced_segments_per_s",
    "voiced_segment_mean_s",
    "voiced_segment_sd_s",
    "level_peaks_per_s",
)
NAMES: tuple[str, ...] = (
    *(f"{contour}_{functional}" for contour in (*CONTOURS, *VOICED_CONTOURS) for functional in FUNCTIONALS),
    *RHYTHM,
)


def extract(samples: np.ndarray) -> np.ndarray:
    """The features :data:`NAMES` of one utterance.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At 16 kHz.

    Returns
    -------
    ndarray of float32, shape (216,)
        Always finite: features of the voice are 0 where nothing is voiced.
    """
    contours = describe(samples)
    level = contours[0]
    active = level >= level.max() - ACTIVE_RANGE
    f0, hnr, voiced = pitch(samples)
    voiced &= active
    semitones = np.where(voiced, 12 * np.log2(np.maximum(f0, F0_MIN) / 27.5), 0)  # re A0, as in GeMAPS
    features = np.concatenate(
        [
            functionals(contours, active).ravel(),
            functionals(np.stack([semitones, hnr]), voiced).ravel(),
            rhythm(level, active, voiced),
        ]
    )
    return features.astype(np.float32)


def describe(samples: np.ndarray) -> np.ndarray:
    """Contours of the descriptors :data:`CONTOURS`, shape (28, n_frames).

    The alpha ratio (50-1000 Hz against 1-5 kHz) and the Hammarberg index
    (highest peak below 2 kHz against the highest of 2-5 kHz) are those of
    Eyben et al. (2016), section 6.1.
    """
    import librosa

    magnitude = np.abs(librosa.stft(samples, n_fft=N_FFT, hop_length=HOP))
    power = magnitude**2
    hertz = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=N_FFT)
    shape = {"S": magnitude, "sr": SAMPLE_RATE}
    mel = librosa.feature.melspectrogram(S=power, sr=SAMPLE_RATE, n_mels=40)
    frames = _frames(samples, N_FFT)
    relative = magnitude / np.maximum(np.linalg.norm(magnitude, axis=0), 1e-10)
    flux = np.linalg.norm(np.diff(relative, axis=1, prepend=relative[:, :1]), axis=0)

    def band(low: float, high: float) -> np.ndarray:
        return power[(hertz >= low) & (hertz < high)]

    return np.vstack(
        [
            _decibel((frames**2).mean(axis=1)),
            (np.signbit(frames[:, 1:]) != np.signbit(frames[:, :-1])).mean(axis=1),
            librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=N_MFCC),
            librosa.feature.spectral_centroid(**shape),
            librosa.feature.spectral_bandwidth(**shape),
            librosa.feature.spectral_rolloff(**shape, roll_percent=0.85),
            _decibel(librosa.feature.spectral_flatness(S=magnitude)),
            flux,
            _decibel(band(50, 1000).sum(axis=0)) - _decibel(band(1000, 5000).sum(axis=0)),
            _decibel(band(0, 2000).max(axis=0)) - _decibel(band(2000, 5000).max(axis=0)),
            librosa.feature.spectral_contrast(**shape, n_bands=N_CONTRAST),
        ]
    )


def pitch(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fundamental frequency from the autocorrelation, frame by frame.

    The autocorrelation of the windowed frame, divided by that of the window
    (Boersma 1993, equation 9), peaks at the period; the height of the peak is
    the harmonic part of the energy (equation 4). Candidates are not traced
    from frame to frame.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        At 16 kHz.

    Returns
    -------
    f0 : ndarray, shape (n_frames,)
        Hz; meaningless where not voiced.
    hnr : ndarray, shape (n_frames,)
        dB, from -40 to 40.
    voiced : ndarray of bool, shape (n_frames,)

    References
    ----------
    Boersma (1993), Accurate short-term analysis of the fundamental frequency
    and the harmonics-to-noise ratio of a sampled sound, IFA Proceedings 17.
    """
    frames = _frames(samples, F0_FRAME)
    window = np.hanning(F0_FRAME + 1)[:-1].astype(np.float32)
    shortest, longest = int(SAMPLE_RATE / F0_MAX), int(np.ceil(SAMPLE_RATE / F0_MIN))
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    lags = np.arange(shortest - 1, longest + 2)  # one more on either side, to see a peak at the edge
    r = _autocorrelation(frames, lags) / _autocorrelation(window[None], lags)

    inner = r[:, 1:-1]
    is_peak = (inner > r[:, :-2]) & (inner >= r[:, 2:])
    # A peak at twice the period is as high as the first: the cost decides for the shorter one.
    score = np.where(is_peak, inner - OCTAVE_COST * np.log2(F0_MIN * lags[1:-1] / SAMPLE_RATE), -np.inf)
    best = score.argmax(axis=1) + 1
    rows = np.arange(len(r))
    left, top, right = r[rows, best - 1], r[rows, best], r[rows, best + 1]
    bend = np.minimum(left - 2 * top + right, -1e-10)
    offset = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    height = np.clip(top - 0.25 * (left - right) * offset, 1e-4, 1 - 1e-4)

    voiced = is_peak.any(axis=1) & (height > VOICING)
    for first, last in _runs(voiced):
        if last - first < SHORTEST_VOICING:
            voiced[first:last] = False
    return SAMPLE_RATE / (lags[best] + offset), 10 * np.log10(height / (1 - height)), voiced


def functionals(contours: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Sum up contours over the frames that count.

    Parameters
    ----------
    contours : ndarray, shape (k, n_frames)
    counted : ndarray of bool, shape (n_frames,)

    Returns
    -------
    ndarray, shape (k, 7)
        Mean, standard deviation, 10th, 50th and 90th percentile, slope of the
        regression on time (per second), and change: the mean absolute
        difference between neighbouring frames. All 0 where no frame counts.
    """
    if not counted.any():
        return np.zeros((len(contours), len(FUNCTIONALS)))
    values = contours[:, counted].astype(np.float64)
    time = np.flatnonzero(counted) * HOP / SAMPLE_RATE
    time = time - time.mean()
    slope = values @ time / max(time @ time, 1e-10)
    neighbours = counted[1:] & counted[:-1]
    steps = np.abs(np.diff(contours, axis=1))[:, neighbours]
    change = steps.mean(axis=1) if neighbours.any() else np.zeros(len(contours))
    return np.column_stack(
        [
            values.mean(axis=1),
            values.std(axis=1),
            *np.percentile(values, [10, 50, 90], axis=1),
            slope,
            change,
        ]
    )


def rhythm(level: np.ndarray, active: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """The features :data:`RHYTHM`, between the first active frame and the last.

    Level peaks (3 dB prominent, 100 ms apart) stand for syllables.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    first, last = np.flatnonzero(active)[[0, -1]]
    speech = slice(first, last + 1)
    seconds = (last + 1 - first) * HOP / SAMPLE_RATE
    runs = np.array([stop - start for start, stop in _runs(voiced[speech])]) * HOP / SAMPLE_RATE
    floor = level.max() - ACTIVE_RANGE  # also what comes before and after: a peak needs two sides
    smooth = uniform_filter1d(np.maximum(level[speech], floor), 5, mode="nearest")
    peaks, _ = find_peaks(np.pad(smooth, 1, constant_values=floor), prominence=3, distance=10)
    return np.array(
        [
            active[speech].mean(),
            voiced[speech].mean(),
            len(runs) / seconds,
            runs.mean() if len(runs) else 0.0,
            runs.std() if len(runs) else 0.0,
            len(peaks) / seconds,
        ]
    )


def _frames(samples: np.ndarray, length: int) -> np.ndarray:
    """Frames centred on every HOP-th sample, as librosa's; shape (1 + n // HOP, length)."""
    padded = np.pad(samples, length // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::HOP][: 1 + len(samples) // HOP]


def _autocorrelation(frames: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Autocorrelation at some lags, relative to lag 0."""
    spectrum = np.fft.rfft(frames, n=2 * F0_FRAME)
    r = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)
    return r[:, lags] / np.maximum(r[:, :1], 1e-10)


def _decibel(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 1e-10))


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of every run of True."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _load() -> tuple[tuple[str, ...], Extractor]:
    # librosa and SciPy load their parts when first touched: here, in one thread, where a user waits anyway.
    extract(np.sin(np.arange(SAMPLE_RATE // 4, dtype=np.float32)))
    return NAMES, extract


LIBROSA = FeatureSet(
    name="librosa",
    title=f"librosa descriptors, {len(NAMES)} functionals",
    version="1",
    license=FREE,
    reference="serlab.features.librosa_functionals; McFee et al. (2015), librosa; Boersma (1993) for F0",
    settings={"hop": HOP, "n_fft": N_FFT, "f0_frame": F0_FRAME},
    libraries=("librosa",),
    n_features=len(NAMES),
    in_processes=True,  # thousands of short NumPy calls a file
    load=_load,
)
