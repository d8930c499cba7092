"""From control values to samples: glottal pulses and noise through the vocal tract.

Sources: vocal tract as a cascade of resonators, Klatt (1980, Software for a cascade/parallel formant
synthesizer); glottal source as an anticausal resonance and a causal low-pass for spectral tilt, Doval,
d'Alessandro & Henrich (2003, The voice source as a causal/anticausal linear filter).
"""

from __future__ import annotations

import numpy as np

from serlab.corpora.synthesis.articulation import HOP, Tracks
from serlab.corpora.synthesis.recording import SAMPLE_RATE
from serlab.corpora.synthesis.voices import normal

# SciPy is imported in the functions that compute: whoever lists corpora need not wait for it.

FLOOR_LEVEL = -75.0  # dB re full scale (RMS) of the room

_STEP = 2  # frames of Tracks between two spectra of the vocal tract and of noise: 10 ms
_FFT = 512  # 32 ms: a resonance of 80 Hz bandwidth has decayed by 50 dB after three quarters of it
_BEFORE = 128  # samples of a pulse before its instant of closure


def render(tracks: Tracks, rng: np.random.Generator) -> np.ndarray:
    """Turn control tracks into samples.

    Returns
    -------
    ndarray of float64, shape (n,)
        16 kHz, at the level that the tracks ask for.
    """
    n = len(tracks.f0) * HOP
    tract = vocal_tract(tracks.formants[::_STEP])
    speech = _voiced(tracks, tract, n, rng) + _noise(tracks, tract, n, rng)
    active = np.repeat(tracks.voice + tracks.aspiration + tracks.frication > 0.05, HOP)
    rms = np.sqrt(np.mean(speech[active] ** 2, dtype=float))
    room = 10 ** (FLOOR_LEVEL / 20) * rng.standard_normal(n, dtype=np.float32)
    return speech * (10 ** (tracks.level / 20) / rms) + room


def vocal_tract(formants: np.ndarray) -> np.ndarray:
    """Frequency response of a cascade of digital resonators, gain 1 at 0 Hz.

    Parameters
    ----------
    formants : ndarray, shape (n, k)
        Hz. Bandwidths grow with frequency, 80 Hz at least.

    Returns
    -------
    ndarray of complex64, shape (n, 257)
        At 0, 31.25, ..., 8000 Hz. Klatt (1980), equation 2, k times.
    """
    from scipy import fft

    bandwidths = 60.0 + 0.04 * formants
    radius = np.exp(-np.pi * bandwidths / SAMPLE_RATE)
    first = -2 * radius * np.cos(2 * np.pi * formants / SAMPLE_RATE)
    second = radius**2
    # The denominators multiplied out: their response is then a single FFT.
    polynomial = np.zeros((len(formants), 2 * formants.shape[1] + 1))
    polynomial[:, 0] = 1
    for k in range(formants.shape[1]):
        product = polynomial.copy()
        product[:, 1:] += first[:, k, None] * polynomial[:, :-1]
        product[:, 2:] += second[:, k, None] * polynomial[:, :-2]
        polynomial = product
    gain = polynomial.sum(axis=1, keepdims=True)
    # Double precision up to here: poles close to the unit circle need it.
    return gain.astype(np.float32) / fft.rfft(polynomial, _FFT).astype(np.complex64)


_FREQUENCIES = (np.arange(_FFT // 2 + 1) * SAMPLE_RATE / _FFT).astype(np.float32)
_FADE = np.clip((8000 - _FREQUENCIES) / 800, 0, 1)  # out towards half the sample rate instead of a cut
#: Responses of delays by _BEFORE samples and 0, 1/64, ... 63/64 of one.
_DELAYS = np.exp(
    -2j * np.pi / SAMPLE_RATE * (_BEFORE + np.arange(64) / 64)[:, None] * _FREQUENCIES.astype(float)
).astype(np.complex64)


def glottal_source(f0: np.ndarray, tilt: float) -> np.ndarray:
    """Spectrum of the derivative of one glottal pulse, closure at time 0.

    Doval et al. (2003): an anticausal resonance ``jw / ((jw - a)^2 + b^2)`` (the
    "glottal formant", here for an asymmetry of 2/3), and a causal first-order
    low-pass that attenuates 3 kHz by ``tilt`` dB. Lax voices (large ``tilt``)
    have a larger open quotient.

    Returns
    -------
    ndarray of complex64, shape (n, 257)
    """
    open_quotient = np.clip(0.45 + 0.012 * tilt, 0.4, 0.85)
    b = (f0[:, None] / (2 * open_quotient)).astype(np.float32)  # Hz, as all here
    a = b / np.float32(np.sqrt(3))  # -b / tan(2 pi / 3)
    resonance = np.empty((len(f0), len(_FREQUENCIES)), np.complex64)  # (jf - a)^2 + b^2
    resonance.real = a**2 + b**2 - _FREQUENCIES**2
    resonance.imag = -2 * a * _FREQUENCIES
    cutoff = 3000 / np.sqrt(10 ** (tilt / 10) - 1)
    low_pass = (1j * _FREQUENCIES * _FADE / (1 + 1j * _FREQUENCIES / cutoff)).astype(np.complex64)
    return b * low_pass / resonance


def _voiced(tracks: Tracks, tract: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Glottal pulses through the vocal tract."""
    from scipy import fft

    periods = np.concatenate([[0.0], np.cumsum(tracks.f0[:-1] * HOP / SAMPLE_RATE)])
    lengths = 1 + tracks.jitter * normal(rng, int(periods[-1]))
    instants = np.interp(np.cumsum(lengths), periods, np.arange(len(periods)) * HOP)
    frame = (instants / HOP).astype(int)
    loudness = np.interp(instants, np.arange(len(periods)) * HOP, tracks.voice)
    heard = (loudness > 0.003) & (instants < n - HOP)
    instants, frame, loudness = instants[heard], frame[heard], loudness[heard]
    # 1 % of jitter comes with about 0.5 dB of shimmer.
    loudness = loudness * 10 ** (50 * tracks.jitter * normal(rng, len(loudness)) / 20)

    # A train of pulses has F0 / sample rate times the amplitude of one; .4 makes a vowel's RMS about 1.
    loudness *= 0.4 * SAMPLE_RATE / tracks.f0[frame]
    spectra = glottal_source(tracks.f0[::_STEP], tracks.tilt) * tract
    whole, part = np.divmod(np.round(instants * len(_DELAYS)).astype(int), len(_DELAYS))
    pulses = spectra[frame // _STEP]
    pulses *= _DELAYS[part]
    pulses *= loudness.astype(np.float32)[:, None]
    return _overlap_add(fft.irfft(pulses, _FFT, overwrite_x=True), whole - _BEFORE, n)


def _noise(tracks: Tracks, tract: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Aspiration through the vocal tract, frication through its own resonance."""
    from scipy import fft

    # Turbulence has little energy below 1 kHz and falls off gently above 4.
    turbulence = _FREQUENCIES / (_FREQUENCIES + 1000) * _FADE / (1 + _FREQUENCIES / 4000)
    shape = np.abs(tract) * turbulence
    shape *= _to_rms(shape, tracks.aspiration[::_STEP])
    hissing = np.flatnonzero(tracks.frication[::_STEP] > 1e-4)
    ratio = _FREQUENCIES / tracks.centre[::_STEP][hissing, None].astype(np.float32)
    hiss = ratio / np.sqrt((1 - ratio**2) ** 2 + (0.35 * ratio) ** 2)
    shape[hissing] += hiss * _to_rms(hiss, tracks.frication[::_STEP][hissing])

    width = 2 * _STEP * HOP  # Hann windows of 20 ms every 10 ms add up to 1
    white = rng.standard_normal(n + width, dtype=np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(white, width)[:: _STEP * HOP][: len(shape)]
    window = np.hanning(width + 1)[:-1].astype(np.float32)
    filtered = fft.irfft(fft.rfft(frames * window, _FFT) * shape, _FFT)
    # The filters have no phase: their responses spread to both sides.
    starts = np.arange(len(shape)) * _STEP * HOP - width // 2
    filtered = np.roll(filtered, (_FFT - width) // 2, axis=1)
    return _overlap_add(filtered, starts - (_FFT - width) // 2, n)


def _to_rms(shape: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Factors, shape (n, 1), that give white noise shaped by each row this RMS."""
    return (amplitude / np.sqrt(np.mean(shape**2, axis=1))).astype(np.float32)[:, None]


def _overlap_add(pieces: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """Add rows of ``pieces`` at ``starts``; what sticks out of 0..n is dropped."""
    width = pieces.shape[1]
    total = np.zeros(n + 2 * width, pieces.dtype)
    for start, piece in zip(starts + width, pieces, strict=True):
        total[start : start + width] += piece
    return total[width : width + n]
