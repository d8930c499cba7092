"""Frame features of the systems that Zhou & Beigi compare with (table 3).

The texts of those papers were not at hand; each set says what is known of its
source and what is ours. Frames are centred on every ``hop``-th sample as in
:mod:`serlab.features.spectral`: an utterance of n samples has 1 + n // hop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from serlab.audio import SAMPLE_RATE
from serlab.features.base import FREE, Extractor, FeatureSet
from serlab.features.spectral import decibel, deltas, mel_filters

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: 25 ms and 10 ms, as in :mod:`serlab.features.spectral`.
VOICE_WINDOW, VOICE_HOP, VOICE_N_FFT = 400, 160, 512
#: 50 ms: three periods of the lowest voice that is looked for.
PITCH_WINDOW = 800
PITCH_RANGE_HZ = (60.0, 500.0)
#: Preference for the higher of two octaves, and the least periodicity of a voiced frame (Boersma 1993).
OCTAVE_COST, VOICED = 0.01, 0.45

#: 40 ms and 10 ms; a transform of 50 ms has 20 Hz between its bins, 200 of them below 4 kHz.
SPECTROGRAM_WINDOW, SPECTROGRAM_HOP, SPECTROGRAM_N_FFT, SPECTROGRAM_BINS = 640, 160, 800, 200

#: 200 ms and 100 ms.
LONG_WINDOW, LONG_HOP = 3200, 1600
#: Parts of a frame, and of its spectrum, of whose energies the entropy is taken.
N_PARTS = 10
ROLLOFF = 0.9

_BANDS = 40
#: Frames of one block, so that memory does not grow with the utterance.
_BLOCK = 64
_TINY = np.finfo(np.float32).tiny


def pitch(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental frequency and periodicity from the autocorrelation.

    Parameters
    ----------
    frames : ndarray, shape (t, 800)
        At 16 kHz.

    Returns
    -------
    frequency : ndarray, shape (t,)
        Hz; 0 where the periodicity is below .45.
    periodicity : ndarray, shape (t,)
        Highest autocorrelation between 60 and 500 Hz, 0 to 1.

    References
    ----------
    Boersma (1993), Accurate short-term analysis of the fundamental frequency:
    the autocorrelation of the frame over that of its window. His path through
    the frames is left out.
    """
    window = np.hanning(PITCH_WINDOW)
    lags = np.arange(round(SAMPLE_RATE / PITCH_RANGE_HZ[1]), round(SAMPLE_RATE / PITCH_RANGE_HZ[0]) + 1)
    found = _autocorrelation((frames - frames.mean(axis=1, keepdims=True)) * window)
    relative = found / np.maximum(found[:, :1], _TINY)
    of_window = _autocorrelation(window[None])[0]
    strength = relative[:, lags] / (of_window[lags] / of_window[0])
    best = np.argmax(strength - OCTAVE_COST * np.log2(PITCH_RANGE_HZ[0] * lags / SAMPLE_RATE), axis=1)
    periodicity = np.clip(strength[np.arange(len(frames)), best], 0, 1)
    return np.where(periodicity >= VOICED, SAMPLE_RATE / lags[best], 0.0), periodicity


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    from scipy.fft import irfft, rfft

    spectrum = rfft(frames, n=2 * frames.shape[1], axis=1)  # padded: it is not to wrap around
    return irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, : frames.shape[1]]


def zero_crossings(frames: np.ndarray) -> np.ndarray:
    """Share of neighbouring samples between which the sign changes, shape (t,); zero is a sign of its own."""
    return np.abs(np.diff(np.sign(frames), axis=1)).mean(axis=1) / 2


def entropy(energies: np.ndarray) -> np.ndarray:
    """Bits of the distribution of energy over parts, shape (t,), of energies (t, parts); 0 of silence."""
    share = energies / np.maximum(energies.sum(axis=1, keepdims=True), _TINY)
    return -(share * np.log2(np.maximum(share, _TINY))).sum(axis=1)


def spectral_shape(magnitude: np.ndarray) -> np.ndarray:
    """Centroid, spread, entropy, flux and rolloff of magnitude spectra.

    Parameters
    ----------
    magnitude : ndarray, shape (t, bins)
        Consecutive frames.

    Returns
    -------
    ndarray, shape (t, 5)
        Frequencies as shares of the highest one; the flux of the first frame is 0.

    References
    ----------
    Giannakopoulos (2015), pyAudioAnalysis: an open-source Python library for audio signal analysis.
    """
    n_bins = magnitude.shape[1]
    position = np.arange(1, n_bins + 1) / n_bins
    share = magnitude / np.maximum(magnitude.sum(axis=1, keepdims=True), _TINY)
    centroid = share @ position
    spread = np.sqrt((share * (position - centroid[:, None]) ** 2).sum(axis=1))
    energy = magnitude**2
    parts = energy[:, : n_bins // N_PARTS * N_PARTS].reshape(len(energy), N_PARTS, -1).sum(axis=2)
    flux = np.concatenate([[0.0], (np.diff(share, axis=0) ** 2).sum(axis=1)])
    reached = energy.cumsum(axis=1) >= ROLLOFF * energy.sum(axis=1, keepdims=True)
    return np.stack([centroid, spread, entropy(parts), flux, reached.argmax(axis=1) / n_bins], axis=1)


def _frames(samples: np.ndarray, *, window: int, hop: int) -> np.ndarray:
    """View of shape (1 + n // hop, window)."""
    padded = np.pad(samples.astype(float), window // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]


def _in_blocks(describe: Callable[..., np.ndarray], *frames: np.ndarray) -> np.ndarray:
    starts = range(0, len(frames[0]), _BLOCK)
    return np.concatenate([describe(*(part[start : start + _BLOCK] for part in frames)) for start in starts])


def _power(frames: np.ndarray, weights: np.ndarray, n_fft: int) -> np.ndarray:
    from scipy.fft import rfft

    spectrum = rfft(frames * weights, n=n_fft, axis=1)
    return spectrum.real**2 + spectrum.imag**2


def _cepstrum(power: np.ndarray, filters: csr_array, n: int) -> np.ndarray:
    """First n MFCC, shape (t, n), the zeroth among them."""
    from scipy.fft import dct

    return dct(decibel((filters @ power.T).T), type=2, norm="ortho", axis=1)[:, :n]


def _load_voice() -> tuple[tuple[str, ...], Extractor]:
    filters = mel_filters(_BANDS, n_fft=VOICE_N_FFT)
    window = np.hanning(VOICE_WINDOW)

    def describe(frames: np.ndarray, wide: np.ndarray) -> np.ndarray:
        frequency, periodicity = pitch(wide)
        mfcc = _cepstrum(_power(frames, window, VOICE_N_FFT), filters, 13)[:, 1:]
        energy = decibel((frames**2).mean(axis=1))
        return np.column_stack([frequency, periodicity, zero_crossings(frames), energy, mfcc])

    def extract(samples: np.ndarray) -> np.ndarray:
        values = _in_blocks(
            describe,
            _frames(samples, window=VOICE_WINDOW, hop=VOICE_HOP),
            _frames(samples, window=PITCH_WINDOW, hop=VOICE_HOP),
        )
        return np.hstack([values, deltas(values, order=1)]).astype(np.float32)

    names = ("pitch_hz", "voicing", "zero_crossings", "energy_db", *(f"mfcc_{i}" for i in range(1, 13)))
    return (*names, *(f"{name}_delta" for name in names)), extract


def _load_spectrogram() -> tuple[tuple[str, ...], Extractor]:
    window = np.hamming(SPECTROGRAM_WINDOW)

    def describe(frames: np.ndarray) -> np.ndarray:
        return decibel(_power(frames, window, SPECTROGRAM_N_FFT)[:, :SPECTROGRAM_BINS])

    def extract(samples: np.ndarray) -> np.ndarray:
        frames = _frames(samples, window=SPECTROGRAM_WINDOW, hop=SPECTROGRAM_HOP)
        return _in_blocks(describe, frames).astype(np.float32)

    step = SAMPLE_RATE // SPECTROGRAM_N_FFT
    return tuple(f"spectrum_{i * step}hz" for i in range(SPECTROGRAM_BINS)), extract


def _load_short_term() -> tuple[tuple[str, ...], Extractor]:
    import librosa
    from scipy.fft import rfft
    from scipy.sparse import csr_array

    mel = mel_filters(_BANDS, n_fft=LONG_WINDOW)
    # Tuning of 0 is A4 = 440 Hz: a voice has no tuning that could be estimated.
    to_chroma = csr_array(librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=LONG_WINDOW, tuning=0.0))

    def extract(samples: np.ndarray) -> np.ndarray:
        centred = samples - samples.mean(dtype=float)
        loudest = np.maximum(np.abs(centred).max(), _TINY)
        frames = _frames(centred / loudest, window=LONG_WINDOW, hop=LONG_HOP)
        magnitude = np.abs(rfft(frames, axis=1))
        chroma = (to_chroma @ (magnitude**2).T).T
        chroma = chroma / np.maximum(chroma.sum(axis=1, keepdims=True), _TINY)
        parts = (frames.reshape(len(frames), N_PARTS, -1) ** 2).sum(axis=2)
        described = [
            zero_crossings(frames),
            (frames**2).mean(axis=1),
            entropy(parts),
            spectral_shape(magnitude[:, 1:]),
            _cepstrum(magnitude**2, mel, 13),
            chroma,
            chroma.std(axis=1),
        ]
        return np.column_stack(described).astype(np.float32)

    names = (
        "zero_crossings", "energy", "energy_entropy", "centroid", "spread", "spectral_entropy", "flux",
        "rolloff", *(f"mfcc_{i}" for i in range(13)), *(f"chroma_{i}" for i in range(12)), "chroma_sd",
    )  # fmt: skip
    return names, extract


def _frame_set(*, hop: int, settings: dict[str, int | float], **described: object) -> FeatureSet:
    return FeatureSet(
        version="1",
        license=FREE,
        settings={"hop": hop, **settings},
        libraries=("librosa",),
        kind="frames",
        frame_shift=hop / SAMPLE_RATE,
        **described,
    )


#: Known of Lee & Tashev: pitch, voicing probability, zero crossings, 12 MFCC and energy with first
#: differences, 32 in all, of 25 ms windows. Ours: how pitch and voicing are found, and its window.
VOICE32 = _frame_set(
    name="voice32",
    title="pitch, voicing, zero crossings, energy and 12 MFCC with deltas, every 10 ms",
    reference="Lee & Tashev (2015), High-level feature representation using recurrent neural network for "
    "speech emotion recognition; Boersma (1993)",
    hop=VOICE_HOP,
    settings={"window": VOICE_WINDOW, "pitch_window": PITCH_WINDOW, "n_fft": VOICE_N_FFT, "bands": _BANDS},
    n_features=32,
    load=_load_voice,
)

#: Known of Satt et al.: Hamming windows of 40 ms every 10 ms, 0 to 4 kHz, in steps of 10 or 20 Hz, in
#: logarithms. Ours: the coarser steps, because they halve the input.
SPECTROGRAM200 = _frame_set(
    name="spectrogram200",
    title="log spectrogram, 0 to 4 kHz in steps of 20 Hz, every 10 ms",
    reference="Satt, Rozenberg & Hoory (2017), Efficient emotion recognition from speech using deep "
    "learning on spectrograms",
    hop=SPECTROGRAM_HOP,
    settings={"window": SPECTROGRAM_WINDOW, "n_fft": SPECTROGRAM_N_FFT, "bins": SPECTROGRAM_BINS},
    n_features=SPECTROGRAM_BINS,
    load=_load_spectrogram,
)

#: Known of Chernykh et al.: the 34 short-term features of pyAudioAnalysis, of 200 ms every 100 ms.
#: Ours: librosa's mel bands and chroma filters in place of that library's.
SHORTTERM34 = _frame_set(
    name="shortterm34",
    title="34 descriptions of energy, spectrum, cepstrum and chroma, every 100 ms",
    reference="Chernykh, Sterling & Prihodko (2017), Emotion recognition from speech with recurrent neural "
    "networks; Giannakopoulos (2015), pyAudioAnalysis",
    hop=LONG_HOP,
    settings={"window": LONG_WINDOW, "bands": _BANDS, "parts": N_PARTS, "rolloff": ROLLOFF},
    n_features=34,
    load=_load_short_term,
)
