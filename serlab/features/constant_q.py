"""Constant-Q spectrogram: bands at equal ratios, windows as long as a fixed number of periods.

Low bands are narrow and slow, high bands wide and fast: the harmonics of a
voice stay apart where a mel spectrogram with its one window runs them
together, at the price of time resolution there (315 ms in the lowest band).

Singh, Saha & Sahidullah (2021), Non-linear frequency warping using constant-Q
transformation for speech emotion recognition, compare it with mel-frequency
spectral coefficients (``mfsc``). Their settings were not at hand; ours are a
semitone a band, seven octaves from 55 Hz, below the lowest voices, and the
frames of the mel sets, so that networks on both see the same time axis.

Values are those of :func:`librosa.cqt`, which needs hops that are multiples of
64 samples here. One transform a frame and a sparse matrix (Brown & Puckette
1992, An efficient algorithm for the calculation of a constant Q transform)
have no such condition. Decibels re 1 with a floor of -100 dB, frames and
padding as in :mod:`serlab.features.spectral`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serlab.audio import SAMPLE_RATE
from serlab.features.base import FREE, Extractor, FeatureSet
from serlab.features.spectral import SPEECH_DB, SPEECH_SPAN_DB, speech_only

HOP = 160  # 10 ms
FMIN = 55.0
BANDS_PER_OCTAVE = 12
N_BANDS = 84
FLOOR_DB = -100.0

#: Of a filter's largest coefficient; what is smaller is left out, and is 70 dB below the rest together.
_SMALLEST = 1e-4
#: Frames of one block: 32 times 8192 single-precision samples are 1 MiB.
_BLOCK = 32


def frequencies() -> np.ndarray:
    """Centres of the bands, Hz."""
    return FMIN * 2.0 ** (np.arange(N_BANDS) / BANDS_PER_OCTAVE)


def _load_speech() -> tuple[tuple[str, ...], Extractor]:
    _, spectrum = _load()

    def extract(samples: np.ndarray) -> np.ndarray:
        return speech_only(spectrum(samples)).astype(np.float32)

    return tuple(f"speechcqt_{i}" for i in range(N_BANDS)), extract


def _load() -> tuple[tuple[str, ...], Extractor]:
    import librosa
    from scipy.fft import fft, rfft
    from scipy.sparse import csr_array

    wavelets, lengths = librosa.filters.wavelet(freqs=frequencies(), sr=SAMPLE_RATE)
    n_fft = wavelets.shape[1]
    # librosa's scale: white noise has the same level in all bands.
    filters = fft(wavelets, axis=1)[:, : n_fft // 2 + 1] * np.sqrt(lengths)[:, None] / n_fft
    size = np.abs(filters)
    filters[size <= _SMALLEST * size.max(axis=1, keepdims=True)] = 0
    filters = csr_array(filters.astype(np.complex64))

    def extract(samples: np.ndarray) -> np.ndarray:
        padded = np.pad(samples, n_fft // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[: len(samples) + 1 : HOP]
        power = np.empty((len(frames), N_BANDS), dtype=np.float32)
        for start in range(0, len(frames), _BLOCK):
            block = slice(start, start + _BLOCK)
            response = (filters @ rfft(frames[block], axis=1).T).T
            power[block] = response.real**2 + response.imag**2
        return np.maximum(10 * np.log10(np.maximum(power, np.finfo(np.float32).tiny)), FLOOR_DB)

    return tuple(f"cqt_{i}" for i in range(N_BANDS)), extract


_SETTINGS: dict[str, str | int | float] = {
    "hop": HOP,
    "fmin": FMIN,
    "bands_per_octave": BANDS_PER_OCTAVE,
    "bands": N_BANDS,
}

CQT = FeatureSet(
    name="cqt",
    title=f"constant-Q spectrogram, {N_BANDS} bands every 10 ms",
    version="1",
    license=FREE,
    reference="Singh, Saha & Sahidullah (2021); Brown & Puckette (1992); McFee et al. (2015), librosa",
    settings=_SETTINGS,
    libraries=("librosa",),
    n_features=N_BANDS,
    load=_load,
    kind="frames",
    frame_shift=HOP / SAMPLE_RATE,
)

#: For networks across corpora, as :data:`serlab.features.spectral.SPEECH_MFSC` is.
SPEECH_CQT = replace(
    CQT,
    name="speechcqt",
    title=f"constant-Q spectrogram of the frames that hold speech, relative to the loudest, {N_BANDS} bands",
    reference=f"{CQT.reference}; level and silence taken out as in speechmel40",
    settings={**_SETTINGS, "speech_db": SPEECH_DB, "span_db": SPEECH_SPAN_DB},
    load=_load_speech,
)
