"""Features of short frames: log-mel bands, MFCC, and the harmonic set of Durrani & Arshad.

All of it is librosa's definition, in NumPy, a block of frames at a time: the
arrays stay in the processor's cache, which makes it several times faster.

- Frames are centred on every ``hop``-th sample, the signal is padded with zeros
  on both sides: an utterance of n samples has 1 + n // hop frames, however short.
- Hann window; the frame is padded with zeros to the length of the transform.
- Mel bands: Slaney's scale and area normalisation, 0 to 8000 Hz, power.
- Decibels re 1 with a floor of -100 dB, and not relative to the loudest frame
  (librosa's ``top_db=None``): a frame does not depend on what surrounds it.
  Digital silence lies on the floor, the noise of rounding to 16 bits at -94 dB.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from serlab.audio import SAMPLE_RATE
from serlab.errors import ParameterError
from serlab.features.base import FREE, Extractor, FeatureSet

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
N_FFT = 512
#: Decibels of power; also librosa's.
FLOOR_DB = -100.0
MOST_BANDS = 128

MFSC_BANDS = 84
N_MFCC = 13
MFCC_BANDS = 40
#: Frames over which a derivative is fitted (librosa's default).
DELTA_WIDTH = 9

#: Ours, see :func:`speech_only`; chosen with labels of a target, see docs/choices.md.
SPEECH_BANDS = 40
SPEECH_DB = 40.0
SPEECH_SPAN_DB = 60.0

#: 50 frames a second: recurrent networks over 10 ms frames take too long on a processor.
HARMONIC_HOP = 320
#: 128 ms: 8 Hz between bins. A semitone of a low voice is 6 Hz.
HARMONIC_N_FFT = 2048
#: Lower edge of the second band of the spectral contrast; the bands above are octaves.
CONTRAST_FMIN = 200.0
CONTRAST_BANDS = 7
#: Share of the bins of a band that make its peak, and its valley.
CONTRAST_QUANTILE = 0.02

#: Frames of one block: 64 times 512 double-precision samples are 256 KiB.
_BLOCK = 64
_MCFEE = "McFee et al. (2015), librosa: Audio and Music Signal Analysis in Python"

#: Power spectra, shape (frames, bins) -> features, shape (frames, d).
Description = Callable[[np.ndarray], np.ndarray]


def log_mel(n_bands: int = 26) -> FeatureSet:
    """Log-mel bands: 25 ms windows, every 10 ms.

    Parameters
    ----------
    n_bands : int
        1 to 128; Neumann & Vu (2018, section 2) use 26.

    Raises
    ------
    ParameterError
        If ``n_bands`` is out of range.
    """
    if not 1 <= n_bands <= MOST_BANDS:
        raise ParameterError(f"n_bands is {n_bands}; choose 1 to {MOST_BANDS}")
    return _frame_set(
        name=f"logmel{n_bands}",
        title=f"log-mel spectrogram, {n_bands} bands every 10 ms",
        reference=f"{_MCFEE}; frames of Neumann & Vu (2018), section 2",
        hop=HOP,
        settings={"bands": n_bands},
        n_features=n_bands,
        load=partial(_load_log_mel, n_bands, name="logmel"),
    )


def deltas(values: np.ndarray, *, order: int) -> np.ndarray:
    """Derivative along time from a polynomial fitted to nine frames.

    The first and last frame are repeated beyond the ends, so an utterance may
    be shorter than nine frames (librosa's ``mode="nearest"``).

    Parameters
    ----------
    values : ndarray, shape (t, d)
    order : int
        1 for deltas (of a straight line), 2 for delta-deltas (of a parabola).
    """
    from scipy.signal import savgol_filter

    return savgol_filter(values, DELTA_WIDTH, polyorder=order, deriv=order, axis=0, mode="nearest")


def speech_only(mel: np.ndarray) -> np.ndarray:
    """Frames that hold speech, in decibels relative to the loudest band of the utterance.

    Frames whose loudest band is more than 40 dB below it are dropped, values
    are cut at -60 dB. What is gone is what tells corpora apart before a word
    is said: level, noise floor, digital silence and pauses at both ends.

    Parameters
    ----------
    mel : ndarray, shape (t, d)
        Decibels.

    Returns
    -------
    ndarray, shape (t', d)
        1 <= t' <= t.
    """
    relative = mel - mel.max()
    return np.maximum(relative[relative.max(axis=1) > -SPEECH_DB], -SPEECH_SPAN_DB)


def spectral_contrast(power: np.ndarray) -> np.ndarray:
    """Peak over valley in each of seven bands, dB; 0 in digital silence.

    Parameters
    ----------
    power : ndarray, shape (t, 1025)
        Of transforms of length 2048 at 16 kHz.

    Returns
    -------
    ndarray, shape (t, 7)

    References
    ----------
    Jiang et al. (2002), Music type classification by spectral contrast feature.
    As librosa's, in decibels of magnitude, but without its ``top_db``: that
    gives silent frames a contrast which depends on the loudest one.
    """
    octaves = CONTRAST_FMIN * 2.0 ** np.arange(CONTRAST_BANDS - 1)
    edges = np.floor(octaves * HARMONIC_N_FFT / SAMPLE_RATE).astype(int)
    bands = np.split(np.sqrt(power), edges, axis=1)
    contrast = np.empty((len(power), CONTRAST_BANDS))
    for k, band in enumerate(bands):
        n_bins = band.shape[1] + (k < CONTRAST_BANDS - 1)  # librosa counts the bin at the upper edge
        n = max(1, int(np.rint(CONTRAST_QUANTILE * n_bins)))
        ordered = np.sort(band, axis=1)
        contrast[:, k] = decibel(ordered[:, -n:].mean(axis=1)) - decibel(ordered[:, :n].mean(axis=1))
    return contrast


def tonnetz(chroma: np.ndarray) -> np.ndarray:
    """Tonal centroids: fifths, minor and major thirds as (sine, cosine).

    Parameters
    ----------
    chroma : ndarray, shape (t, 12)

    Returns
    -------
    ndarray, shape (t, 6)
        Zero where ``chroma`` is.

    References
    ----------
    Harte, Sandler & Gasser (2006), Detecting harmonic change in musical audio.
    """
    angles = np.outer(np.arange(12), np.pi * np.array([7 / 6, 3 / 2, 2 / 3]))
    circles = np.stack([np.sin(angles), np.cos(angles)], axis=2) * np.array([1.0, 1.0, 0.5])[:, None]
    return _relative(chroma, chroma.sum(axis=1)) @ circles.reshape(12, 6)


def over_frames(
    samples: np.ndarray, describe: Description, *, window: int, n_fft: int, hop: int
) -> np.ndarray:
    """Describe the power spectra of all frames, block by block.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    describe : callable
        Power spectra, shape (frames, 1 + n_fft // 2) -> features, shape (frames, d).
    window, n_fft, hop : int
        Samples of the Hann window, of the transform, and from one frame to the next.

    Returns
    -------
    ndarray, shape (1 + n // hop, d)
    """
    from scipy.fft import rfft

    weights = np.zeros(n_fft)
    first = (n_fft - window) // 2
    weights[first : first + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, n_fft // 2), n_fft)[::hop]
    parts = []
    for start in range(0, len(frames), _BLOCK):
        spectrum = rfft(frames[start : start + _BLOCK] * weights, axis=1)
        parts.append(describe(spectrum.real**2 + spectrum.imag**2))
    return np.concatenate(parts)


def _mel_frames(samples: np.ndarray, filters: csr_array, *, hop: int) -> np.ndarray:
    return over_frames(
        samples, lambda power: decibel((filters @ power.T).T), window=WINDOW, n_fft=N_FFT, hop=hop
    )


def _mfcc_frames(samples: np.ndarray, filters: csr_array, *, hop: int) -> np.ndarray:
    """MFCC, deltas and delta-deltas, shape (t, 39)."""
    from scipy.fft import dct

    mfcc = dct(_mel_frames(samples, filters, hop=hop), type=2, norm="ortho", axis=1)[:, :N_MFCC]
    return np.hstack([mfcc, deltas(mfcc, order=1), deltas(mfcc, order=2)])


def _harmony(power: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Chromagram, tonnetz and spectral contrast, shape (t, 25)."""
    chroma = power @ filters
    chroma = _relative(chroma, chroma.max(axis=1))
    return np.hstack([chroma, tonnetz(chroma), spectral_contrast(power)])


def _relative(values: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Rows divided by a number each; rows of zeros stay zeros."""
    return values / np.maximum(to, np.finfo(np.float32).tiny)[:, None]


def decibel(power: np.ndarray) -> np.ndarray:
    """Decibels of power re 1, at least :data:`FLOOR_DB`."""
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))


def mel_filters(n_bands: int, *, n_fft: int = N_FFT) -> csr_array:
    """Mel bands of power spectra, shape (bands, 1 + n_fft // 2).

    Sparse: a dense product would start threads of its own in each of ours.
    """
    import librosa
    from scipy.sparse import csr_array

    return csr_array(librosa.filters.mel(sr=SAMPLE_RATE, n_fft=n_fft, n_mels=n_bands, dtype=np.float64))


def _load_log_mel(n_bands: int, *, name: str) -> tuple[tuple[str, ...], Extractor]:
    filters = mel_filters(n_bands)

    def extract(samples: np.ndarray) -> np.ndarray:
        return _mel_frames(samples, filters, hop=HOP).astype(np.float32)

    return tuple(f"{name}_{i}" for i in range(n_bands)), extract


def _load_speech_mel(n_bands: int, *, name: str) -> tuple[tuple[str, ...], Extractor]:
    filters = mel_filters(n_bands)

    def extract(samples: np.ndarray) -> np.ndarray:
        return speech_only(_mel_frames(samples, filters, hop=HOP)).astype(np.float32)

    return tuple(f"{name}_{i}" for i in range(n_bands)), extract


_MFCC_NAMES = tuple(f"{kind}_{i}" for kind in ("mfcc", "mfcc_delta", "mfcc_delta2") for i in range(N_MFCC))


def _load_mfcc() -> tuple[tuple[str, ...], Extractor]:
    filters = mel_filters(MFCC_BANDS)

    def extract(samples: np.ndarray) -> np.ndarray:
        return _mfcc_frames(samples, filters, hop=HOP).astype(np.float32)

    return _MFCC_NAMES, extract


def _load_all_mfcc() -> tuple[tuple[str, ...], Extractor]:
    from scipy.fft import dct

    filters = mel_filters(MFCC_BANDS)

    def extract(samples: np.ndarray) -> np.ndarray:
        mel = _mel_frames(samples, filters, hop=HOP)
        return dct(mel, type=2, norm="ortho", axis=1).astype(np.float32)

    return tuple(f"mfcc_{i}" for i in range(MFCC_BANDS)), extract


def _load_harmonic() -> tuple[tuple[str, ...], Extractor]:
    import librosa

    mel = mel_filters(MFCC_BANDS)
    # Tuning of 0 is A4 = 440 Hz: a voice has no tuning that could be estimated.
    chroma = librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=HARMONIC_N_FFT, tuning=0.0, dtype=np.float64).T
    describe = partial(_harmony, filters=chroma)

    def extract(samples: np.ndarray) -> np.ndarray:
        harmony = over_frames(
            samples, describe, window=HARMONIC_N_FFT, n_fft=HARMONIC_N_FFT, hop=HARMONIC_HOP
        )
        return np.hstack([harmony, _mfcc_frames(samples, mel, hop=HARMONIC_HOP)]).astype(np.float32)

    names = (
        *(f"chroma_{i}" for i in range(12)),
        *(f"tonnetz_{i}" for i in range(6)),
        *(f"spectral_contrast_{i}_db" for i in range(CONTRAST_BANDS)),
        *_MFCC_NAMES,
    )
    return names, extract


def _frame_set(
    *,
    name: str,
    title: str,
    reference: str,
    hop: int,
    settings: dict[str, str | int | float],
    n_features: int,
    load: Callable[[], tuple[tuple[str, ...], Extractor]],
) -> FeatureSet:
    return FeatureSet(
        name=name,
        title=title,
        version="1",
        license=FREE,
        reference=reference,
        settings={"window": WINDOW, "n_fft": N_FFT, "hop": hop, **settings},
        libraries=("librosa",),
        n_features=n_features,
        load=load,
        kind="frames",
        frame_shift=hop / SAMPLE_RATE,
    )


#: As many bands as the constant-Q set it is compared with has, so that only the
#: frequency axis and the windows differ. Singh et al. chose both by experiment.
MFSC = _frame_set(
    name="mfsc",
    title=f"mel-frequency spectral coefficients, {MFSC_BANDS} bands every 10 ms",
    reference=f"Singh, Saha & Sahidullah (2021), see serlab.features.constant_q; {_MCFEE}",
    hop=HOP,
    settings={"bands": MFSC_BANDS},
    n_features=MFSC_BANDS,
    load=partial(_load_log_mel, MFSC_BANDS, name="mfsc"),
)

SPEECH_MEL = _frame_set(
    name="speechmel40",
    title="log-mel spectrogram of the frames that hold speech, relative to the loudest, 40 bands",
    reference=f"{_MCFEE}; level and silence taken out, see serlab.features.spectral.speech_only",
    hop=HOP,
    settings={"bands": SPEECH_BANDS, "speech_db": SPEECH_DB, "span_db": SPEECH_SPAN_DB},
    n_features=SPEECH_BANDS,
    load=partial(_load_speech_mel, SPEECH_BANDS, name="speechmel"),
)

#: For networks across corpora: on :data:`MFSC` they answered one class, because silence and level decided.
SPEECH_MFSC = _frame_set(
    name="speechmfsc",
    title=f"mel-frequency spectral coefficients of the frames that hold speech, {MFSC_BANDS} bands",
    reference=f"Singh, Saha & Sahidullah (2021); level and silence taken out as in speechmel40; {_MCFEE}",
    hop=HOP,
    settings={"bands": MFSC_BANDS, "speech_db": SPEECH_DB, "span_db": SPEECH_SPAN_DB},
    n_features=MFSC_BANDS,
    load=partial(_load_speech_mel, MFSC_BANDS, name="speechmfsc"),
)

MFCC39 = _frame_set(
    name="mfcc39",
    title="13 MFCC with deltas and delta-deltas, every 10 ms",
    reference=_MCFEE,
    hop=HOP,
    settings={"bands": MFCC_BANDS, "delta_width": DELTA_WIDTH},
    n_features=3 * N_MFCC,
    load=_load_mfcc,
)

#: All coefficients of 40 bands: a rotation of ``logmel40``, nothing is lost. Decibels, and no mean
#: is subtracted: the i-vector beside it is to say what the mean would. The paper's Kaldi features
#: differ in scale (natural logarithm), window and pre-emphasis.
MFCC40 = _frame_set(
    name="mfcc40",
    title="40 MFCC of 40 bands without mean normalisation, every 10 ms",
    reference=f"Zhou & Beigi (2020), section 3.2; {_MCFEE}",
    hop=HOP,
    settings={"bands": MFCC_BANDS, "coefficients": MFCC_BANDS},
    n_features=MFCC_BANDS,
    load=_load_all_mfcc,
)

HARMONIC = _frame_set(
    name="harmonic",
    title="chromagram, tonnetz, spectral contrast and 39 MFCC, every 20 ms",
    reference=f"Durrani & Arshad (2021), section 3.2; {_MCFEE} (chroma_stft, tonnetz, spectral_contrast)",
    hop=HARMONIC_HOP,
    settings={"bands": MFCC_BANDS, "delta_width": DELTA_WIDTH, "harmonic_n_fft": HARMONIC_N_FFT},
    # 12 of chroma, 6 of tonnetz, the contrast, and MFCC with two derivatives.
    n_features=12 + 6 + CONTRAST_BANDS + 3 * N_MFCC,
    load=_load_harmonic,
)
