"""What happens to speech on its way: telephone band, codecs, babble, reverberation.

Small functions of NumPy, SciPy and libsndfile, made here; the audEERING package *auglib* has more of
them, but its babble and rooms want recordings, and its codec the program ffmpeg. Each keeps the length of the
utterance, and reaches full scale at most.

References
----------
ITU-T G.711, G.721 and G.723 (1988), ETSI GSM 06.10 full rate: the codecs, as libsndfile has them.
Polack 1988, La transmission de l'energie sonore dans les salles: reverberation as decaying noise.
Byrne et al. 1994, An international comparison of long-term average speech spectra.
"""

from __future__ import annotations

import io
import math

import numpy as np

from serlab.audio import FULL_SCALE, SAMPLE_RATE
from serlab.errors import ParameterError

#: Rate of a telephone line, Hz.
TELEPHONE_RATE = 8000
#: Lower edge of the telephone band, Hz.
LOW_EDGE = 300.0
#: Bit rate in kbit/s at 8 kHz -> format and subtype of libsndfile.
CODECS: dict[float, tuple[str, str]] = {
    64: ("WAV", "ULAW"), 32: ("AU", "G721_32"), 24: ("AU", "G723_24"), 13: ("WAV", "GSM610"),
}  # fmt: skip
#: Talkers of babble: more of them are hardly told from steady noise, fewer are single voices.
N_TALKERS = 8
#: Sound energy that comes straight, over that of the room, dB.
DIRECT_DB = 0.0


def check(kind: str, number: float) -> None:
    """Refuse a band, codec or room that there is not; other kinds are not looked at.

    Parameters
    ----------
    kind : str
        "phone", "codec" or "reverb".
    number : float
        Hz, kbit/s, seconds.

    Raises
    ------
    ParameterError
        Naming what there is.
    """
    if kind == "phone" and not 500 <= number <= 7500:
        raise ParameterError(f"upper edge of the band {number:g} Hz: choose 500 to 7500")
    if kind == "codec" and number not in CODECS:
        known = ", ".join(f"{rate:g}" for rate in CODECS)
        raise ParameterError(f"codec of {number:g} kbit/s: choose {known}")
    if kind == "reverb" and not 0.05 <= number <= 5:
        raise ParameterError(f"reverberation time {number:g} s: choose 0.05 to 5")


def telephone_band(samples: np.ndarray, *, high: float = 3400.0) -> np.ndarray:
    """Let 300 Hz to ``high`` pass (Butterworth, fourth order, forwards and backwards).

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        At 16 kHz.
    high : float
        Upper edge, Hz.

    Raises
    ------
    ParameterError
        If it is not between 500 Hz and 7.5 kHz.
    """
    from scipy.signal import butter, sosfiltfilt

    check("phone", high)
    sos = butter(4, [LOW_EDGE, high], "bandpass", fs=SAMPLE_RATE, output="sos")
    padlen = min(3 * (2 * len(sos) + 1), len(samples) - 1)
    return _kept(sosfiltfilt(sos, samples.astype(float), padlen=padlen))


def codec(samples: np.ndarray, *, kbit: float) -> np.ndarray:
    """Through a telephone codec at 8 kHz, and back to 16 kHz; the band is the telephone's, too.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    kbit : {64, 32, 24, 13}
        G.711 mu-law, G.721 and G.723 ADPCM, GSM full rate.

    Raises
    ------
    ParameterError
        If there is no such codec.
    """
    import soundfile
    import soxr

    check("codec", kbit)
    file_format, subtype = CODECS[kbit]
    narrow = soxr.resample(telephone_band(samples), SAMPLE_RATE, TELEPHONE_RATE, quality="HQ")
    file = io.BytesIO()
    soundfile.write(file, narrow, TELEPHONE_RATE, format=file_format, subtype=subtype)
    file.seek(0)
    heard = soundfile.read(file, dtype="float32")[0]
    wide = soxr.resample(heard, TELEPHONE_RATE, SAMPLE_RATE, quality="HQ")[: len(samples)]
    return _kept(np.pad(wide, (0, len(samples) - len(wide))))


def reverberate(samples: np.ndarray, *, t60: float, rng: np.random.Generator) -> np.ndarray:
    """In a room: direct sound, and as much energy of noise that decays by 60 dB in ``t60`` seconds.

    The utterance is cut where it ended; its level is as before.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    t60 : float
        0.05 to 5 s. A living room has 0.3 to 0.6, a lecture hall 1.
    rng : Generator

    Raises
    ------
    ParameterError
        If ``t60`` is out of range.
    """
    from scipy.signal import fftconvolve

    check("reverb", t60)
    time = np.arange(1, int(t60 * SAMPLE_RATE) + 1) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / t60)
    tail *= 10 ** (-DIRECT_DB / 20) / math.sqrt((tail**2).sum())
    wet = fftconvolve(samples.astype(float), np.concatenate([[1.0], tail]))[: len(samples)]
    return _kept(wet * _ratio(samples, wet))


def add_babble(samples: np.ndarray, *, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Add the murmur of eight talkers that are made here: no recording of anybody is in it.

    So it holds no emotion and no language, and no corpus is heard in another. Real babble is harder.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    snr_db : float
        Power of the samples, without their DC offset and over the whole utterance, relative to that of
        the babble; reached exactly.
    rng : Generator
    """
    noise = babble(len(samples), rng=rng)
    power = float(noise.var())
    if not power:
        return _kept(samples)
    noise *= math.sqrt(samples.var(dtype=float) / power) * 10 ** (-snr_db / 20)
    return _kept(samples + noise)


def babble(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Eight voices of pulses and hiss with syllables, each with its own pitch and vowels.

    Parameters
    ----------
    n : int
        Samples at 16 kHz.
    rng : Generator

    Returns
    -------
    ndarray of float, shape (n,)
    """
    return sum((_talker(n, rng) for _ in range(N_TALKERS)), np.zeros(n))


def _talker(n: int, rng: np.random.Generator) -> np.ndarray:
    """One voice: about four syllables a second, each a vowel or a hiss."""
    from scipy.signal import lfilter

    out = np.zeros(n)
    pitch, start = rng.uniform(90, 240), -int(rng.uniform(0, 0.25) * SAMPLE_RATE)
    while start < n:
        length = int(rng.uniform(0.12, 0.35) * SAMPLE_RATE)
        if rng.random() < 0.25:
            source = 0.05 * rng.standard_normal(length)
        else:
            hertz = pitch * (1 + 0.15 * rng.standard_normal()) * np.linspace(1.05, 0.95, length)
            source = np.diff(np.floor(np.cumsum(hertz) / SAMPLE_RATE), prepend=0.0)
            for formant in (rng.uniform(300, 800), rng.uniform(900, 2300), rng.uniform(2400, 3200)):
                radius, angle = np.exp(-np.pi * 90 / SAMPLE_RATE), 2 * np.pi * formant / SAMPLE_RATE
                source = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], source)
            # Speech falls by about 6 dB an octave more than three resonances of pulses do.
            source = lfilter([1.0], [1, -0.6], source)
            source /= np.abs(source).max() or 1.0
        syllable = source * np.hanning(length)
        first, last = max(start, 0), min(start + length, n)
        if last > first:
            out[first:last] += syllable[first - start : last - start]
        start += length + int(rng.exponential(0.06) * SAMPLE_RATE)
    return out


def _ratio(before: np.ndarray, after: np.ndarray) -> float:
    power = float(np.mean(np.square(after, dtype=float)))
    return math.sqrt(float(np.mean(np.square(before, dtype=float))) / power) if power else 1.0


def _kept(samples: np.ndarray) -> np.ndarray:
    peak = float(np.abs(samples).max(initial=0.0))
    return (samples * (FULL_SCALE / peak) if peak > FULL_SCALE else samples).astype(np.float32)
