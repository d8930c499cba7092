"""A seeded source-filter synthesiser of utterances that carry "emotional" prosody.

What it is not
--------------
It is not speech: there are no words, and the three "languages" are vowel
inventories and rhythms that nobody speaks. It is not emotion: an "emotion" is
a row of :data:`PROSODY`, a table that we wrote. A result on these corpora says
whether code works and what a method does under a shift whose size is known;
**it is never evidence about emotion, about people or about languages**.

How it works
------------
1. :func:`plan`: syllables, rhythm, prosody -> :class:`Tracks`, one row each 5 ms
   (F0, amplitudes of voice, aspiration and frication, seven formants).
2. :func:`render`: every glottal pulse and every frame of noise gets the spectrum
   of source times vocal tract, is turned into samples by one inverse FFT for the
   whole utterance, and is added where it belongs. Pulses fall between samples,
   so F0 and jitter are exact, and nothing is aliased.
3. :func:`apply_channel` and a gain: the recording.

Sources: vocal tract as a cascade of resonators, Klatt (1980, Software for a
cascade/parallel formant synthesizer); glottal source as an anticausal resonance
and a causal low-pass for spectral tilt, Doval, d'Alessandro & Henrich (2003, The
voice source as a causal/anticausal linear filter); directions of the prosody,
Scherer (2003, Vocal communication of emotion) and Juslin & Laukka (2003,
Communication of emotions in vocal expression and music performance).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field

import numpy as np

from serlab.errors import ParameterError

# SciPy is imported in the functions that compute: whoever lists corpora need not wait for it.

#: Raise it with every change of the samples: it is part of the cache's key.
VERSION = "2"

SAMPLE_RATE = 16000
HOP = 80  # samples in a frame of Tracks: 5 ms
SHORTEST, LONGEST = 1.05, 2.45  # seconds; slower and faster plans are squeezed into this
SILENCE = 0.08  # seconds before and after the speech
SPEECH_LEVEL = -30.0  # dB re full scale (RMS) of a neutral utterance of the average speaker
FLOOR_LEVEL = -75.0  # dB re full scale (RMS) of the room
TALLEST = 0.8  # of full scale; peaks above are bent so that they stay below .99

_STEP = 2  # frames of Tracks between two spectra of the vocal tract and of noise: 10 ms
_FFT = 512  # 32 ms: a resonance of 80 Hz bandwidth has decayed by 50 dB after three quarters of it
_BEFORE = 128  # samples of a pulse before its instant of closure
_OFF = -99.0  # dB


@dataclass(frozen=True)
class Prosody:
    """How an utterance departs from the same speaker's average neutral one.

    All units are additive and 0 is "as neutral", so that rows can be scaled
    and added.

    Attributes
    ----------
    f0 : float
        Level of F0, semitones.
    f0_range : float
        Range of F0 and of stress in energy, doublings (1: twice as wide).
    slope : float
        Slope of F0 over the utterance, semitones per second.
    rate : float
        Speech rate, doublings.
    level : float
        Vocal effort as RMS level, dB.
    tilt : float
        High-frequency energy: dB at 3 kHz against low frequencies.
    breath : float
        Aspiration noise against voice, dB.
    jitter : float
        Jitter and shimmer, doublings.
    formants : float
        Shift of the formants F1 to F3, percent.
    precision : float
        Size of the vowel space, doublings.
    """

    f0: float = 0.0
    f0_range: float = 0.0
    slope: float = 0.0
    rate: float = 0.0
    level: float = 0.0
    tilt: float = 0.0
    breath: float = 0.0
    jitter: float = 0.0
    formants: float = 0.0
    precision: float = 0.0

    def vector(self) -> np.ndarray:
        """Fields in order, shape (10,)."""
        return np.array(astuple(self))


#: The documented table. Level, range and slope of F0, rate, energy,
#: high-frequency energy and precision point where Scherer (2003) and Juslin &
#: Laukka (2003) found them to point on average; their sizes, and the rows'
#: jitter, breath and formants, are our choice.
PROSODY: dict[str, Prosody] = {
    "neutral": Prosody(),
    "anger": Prosody(
        f0=3.0, f0_range=0.7, slope=0.3, rate=0.22, level=6.0, tilt=6.5, breath=-4.0, jitter=0.8,
        formants=2.0, precision=0.2,
    ),
    "joy": Prosody(
        f0=4.5, f0_range=0.9, slope=1.0, rate=0.15, level=4.0, tilt=2.0, breath=0.0, jitter=0.0,
        formants=5.0, precision=0.1,
    ),
    "sadness": Prosody(
        f0=-1.5, f0_range=-0.8, slope=-0.5, rate=-0.3, level=-4.0, tilt=-5.0, breath=5.0, jitter=0.4,
        formants=-3.0, precision=-0.3,
    ),
}  # fmt: skip

EMOTIONS: tuple[str, ...] = tuple(PROSODY)

#: Spread (standard deviation) between speakers, for each of a speaker's emotions.
BETWEEN_SPEAKERS = Prosody(
    f0=1.0, f0_range=0.25, slope=0.5, rate=0.07, level=1.4, tilt=1.3, breath=1.8, jitter=0.3,
    formants=1.2, precision=0.1,
)  # fmt: skip
#: The same between two utterances of one speaker and emotion.
BETWEEN_UTTERANCES = Prosody(
    f0=0.8, f0_range=0.25, slope=0.6, rate=0.06, level=1.2, tilt=1.1, breath=1.5, jitter=0.3,
    formants=1.0, precision=0.1,
)  # fmt: skip
#: Spread of the natural logarithm of how strongly a speaker expresses an emotion.
EXPRESSIVENESS = 0.25


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Dials for the shift between corpora; each is 0 for none.

    Attributes
    ----------
    channel : float
        Recording channel, -1 to 1 in ordinary use: the curve
        :data:`CHANNEL_DB` times this dial (positive: dull, negative: bright),
        and background noise in proportion to its size. Timing, prosody and
        labels stay as they are: alone it is a pure channel shift.
    level : float
        Gain of the recording, dB.
    prior : float
        Label prior, 0 to 1: from equal numbers of each emotion to
        :data:`SKEWED_PRIOR`.
    style : float
        Prosody style: from the common table :data:`PROSODY` (0) to the
        language's own way of expressing emotion (1), ``Language.style``.
    """

    channel: float = 0.0
    level: float = 0.0
    prior: float = 0.0
    style: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.prior <= 1:
            raise ParameterError(f"Shift: prior must lie between 0 and 1, not {self.prior}")
        if self.style < 0:
            raise ParameterError(f"Shift: style must not be negative, it is {self.style}")


#: Gain of the channel at ``Shift(channel=1)``: frequency in Hz, dB.
CHANNEL_DB: tuple[tuple[float, float], ...] = (
    (0, -15), (150, -9), (400, 0), (900, 3), (1800, -4), (3000, -12), (4500, -17), (8000, -27),
)  # fmt: skip
#: Background noise at ``Shift(channel=1)``, dB re full scale before ``level``.
CHANNEL_NOISE = -60.0

#: Shares of the emotions at ``Shift(prior=1)``: mostly neutral, as where people
#: just talk.
SKEWED_PRIOR: dict[str, float] = {"neutral": 0.55, "anger": 0.1, "joy": 0.15, "sadness": 0.2}


@dataclass(frozen=True)
class Syllable:
    """Onset and coda are consonants of :data:`CONSONANTS` or ""; seconds of vowel."""

    onset: str
    vowel: str
    coda: str
    seconds: float
    accent: float


@dataclass(frozen=True, kw_only=True)
class Language:
    """An invented language: sounds, rhythm, and a style of expression.

    Attributes
    ----------
    name : str
    vowels : mapping of str to (F1, F2, F3)
        In Hz, for a vocal tract of 17.5 cm.
    reduced : str
        Vowel of unstressed syllables; "" where they keep theirs.
    onsets, codas : tuple of str
        Consonants to draw from, with repeats for the frequent ones; "" for none.
    stress_every : int
        A stressed syllable about every so many; 0: all alike.
    vowel_seconds : (float, float)
        Vowel of an unstressed and of a stressed (or long) syllable.
    long_share : float
        Share of long vowels, for languages without stress.
    style : Prosody
        Factors on the table's cues at ``Shift(style=1)``.
    strength : mapping of str to float
        Factors on whole emotions at ``Shift(style=1)``.
    """

    name: str
    vowels: Mapping[str, tuple[float, float, float]]
    reduced: str
    onsets: tuple[str, ...]
    codas: tuple[str, ...]
    stress_every: int
    vowel_seconds: tuple[float, float]
    long_share: float
    style: Prosody
    strength: Mapping[str, float]


LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        # Stress-timed: strong and reduced syllables alternate, many closed
        # syllables; its style is the table's own.
        Language(
            name="x-a",
            vowels={
                "i": (290, 2250, 2950), "e": (500, 1850, 2550), "a": (740, 1300, 2500),
                "o": (520, 880, 2450), "u": (310, 900, 2300), "@": (490, 1450, 2450),
            },
            reduced="@",
            onsets=("t", "k", "d", "b", "s", "s", "f", "m", "n", "l", "r"),
            codas=("", "t", "n", "s", "l"),
            stress_every=2,
            vowel_seconds=(0.06, 0.15),
            long_share=0.0,
            style=Prosody(1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
            strength={},
        ),
        # Syllable-timed: open syllables of equal length; expressive in pitch
        # and rate, less in effort and timbre.
        Language(
            name="x-b",
            vowels={
                "i": (300, 2150, 2800), "e": (430, 1950, 2500), "a": (690, 1400, 2450),
                "o": (450, 950, 2400), "u": (330, 780, 2250),
            },
            reduced="",
            onsets=("p", "t", "k", "d", "g", "m", "n", "l", "l", "r"),
            codas=("", "", "", "n"),
            stress_every=0,
            vowel_seconds=(0.095, 0.095),
            long_share=0.0,
            style=Prosody(1.3, 1.4, 1.5, 1.2, 0.9, 0.8, 0.9, 1, 1, 1),
            strength={"joy": 1.15, "sadness": 0.9},
        ),
        # Mora-timed: short syllables and long ones of twice the length, front
        # rounded vowels; pitch is busy with accents, so emotion shows more in
        # effort, timbre and voice quality.
        Language(
            name="x-c",
            vowels={
                "i": (310, 2050, 2900), "y": (300, 1750, 2150), "a": (660, 1200, 2350),
                "2": (420, 1500, 2250), "M": (350, 1250, 2200),
            },
            reduced="",
            onsets=("p", "t", "k", "s", "S", "S", "m", "n", "w", "j", "h"),
            codas=("", "", "n"),
            stress_every=0,
            vowel_seconds=(0.07, 0.15),
            long_share=0.3,
            style=Prosody(0.6, 0.6, 0.7, 0.8, 1.2, 1.4, 1.2, 1.2, 1, 1),
            strength={"joy": 0.85},
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A voice, and how it renders each emotion.

    Attributes
    ----------
    sex : {"female", "male"}
    f0 : float
        Hz, average of the neutral voice.
    tract : float
        Factor on all formants (1: a vocal tract of 17.5 cm).
    rate : float
        Factor on speech rate.
    level : float
        dB re :data:`SPEECH_LEVEL`.
    tilt : float
        Attenuation of the voice source at 3 kHz, dB.
    breath : float
        Aspiration noise against voice, dB.
    jitter : float
        Standard deviation of the relative length of a period; shimmer goes with it.
    prosody : mapping of str to Prosody
        This speaker's own :data:`PROSODY`.
    """

    sex: str
    f0: float
    tract: float
    rate: float
    level: float
    tilt: float
    breath: float
    jitter: float
    prosody: Mapping[str, Prosody]


def draw_speaker(sex: str, seed: int | Sequence[int]) -> Speaker:
    """Draw a speaker; the same seed is the same person."""
    rng = np.random.default_rng(seed)
    female = sex == "female"
    return Speaker(
        sex=sex,
        f0=(205.0 if female else 118.0) * np.exp(0.11 * _normal(rng)),
        tract=(1.16 if female else 1.0) * np.exp(0.035 * _normal(rng)),
        rate=np.exp(0.08 * _normal(rng)),
        level=1.5 * _normal(rng),
        tilt=(13.0 if female else 10.0) + 1.5 * _normal(rng),
        breath=(-27.0 if female else -30.0) + 2.0 * _normal(rng),
        jitter=0.006 * np.exp(0.25 * _normal(rng)),
        prosody={
            emotion: Prosody(
                *(
                    row.vector() * np.exp(EXPRESSIVENESS * _normal(rng))
                    + BETWEEN_SPEAKERS.vector() * _normal(rng, 10)
                )
            )
            for emotion, row in PROSODY.items()
        },
    )


def _normal(rng: np.random.Generator, size: int | None = None) -> np.ndarray | float:
    """Standard normal, at most two deviations out: no monsters in small samples."""
    return np.clip(rng.standard_normal(size), -2, 2)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What one utterance is: who says what, how, recorded by what."""

    language: Language
    speaker: Speaker
    emotion: str
    sentence: tuple[Syllable, ...]
    shift: Shift = field(default_factory=Shift)

    def __post_init__(self) -> None:
        if self.emotion not in PROSODY:
            raise ParameterError(f"unknown emotion {self.emotion!r}; known: {', '.join(EMOTIONS)}")


def sentence(language: Language, number: int) -> tuple[Syllable, ...]:
    """Sentence ``number`` (from 1) of a language; it belongs to the language, not to a seed."""
    rng = np.random.default_rng([zlib.crc32(language.name.encode()), number])
    # Each sentence has its length, so that length alone does not tell the emotion.
    wanted = 1.15 + 0.1 * (number % 5)
    unstressed, stressed = language.vowel_seconds
    full_vowels = [vowel for vowel in language.vowels if vowel != language.reduced]
    syllables: list[Syllable] = []
    while sum(map(_syllable_seconds, syllables)) < wanted:
        if language.stress_every:
            strong = len(syllables) % language.stress_every == 1 or rng.random() < 0.15
        else:
            strong = rng.random() < language.long_share
        weak_vowel = language.reduced if not strong else ""
        syllables.append(
            Syllable(
                onset=str(rng.choice(language.onsets)),
                vowel=weak_vowel or str(rng.choice(full_vowels)),
                coda=str(rng.choice(language.codas)),
                seconds=stressed if strong else unstressed,
                accent=(1.0 if strong else -0.5) if language.stress_every else float(rng.uniform(-0.8, 0.8)),
            )
        )
    return tuple(syllables)


@dataclass(frozen=True)
class _Sound:
    """A stretch of one articulation; amplitudes in dB re a full vowel."""

    seconds: float
    formants: tuple[float, float, float]
    voice: float = _OFF
    frication: float = _OFF
    centre: float = 4000.0  # Hz, of the frication
    aspiration: float = _OFF


def _stop(locus: tuple[float, float, float], burst: float, *, voiced: bool) -> tuple[_Sound, ...]:
    closure = _Sound(0.05, locus, voice=-22.0 if voiced else _OFF)
    release = _Sound(0.015, locus, frication=-10.0, centre=burst, voice=-15.0 if voiced else _OFF)
    breath = _Sound(0.02, locus, aspiration=-14.0)
    return (closure, release) if voiced else (closure, release, breath)


#: Consonant -> its sounds. Formants are the loci from which vowels start.
CONSONANTS: dict[str, tuple[_Sound, ...]] = {
    "": (),
    "p": _stop((300, 900, 2300), 1000, voiced=False),
    "t": _stop((300, 1750, 2650), 4200, voiced=False),
    "k": _stop((300, 1950, 2250), 2200, voiced=False),
    "b": _stop((280, 900, 2300), 900, voiced=True),
    "d": _stop((280, 1750, 2650), 4000, voiced=True),
    "g": _stop((280, 1950, 2250), 2100, voiced=True),
    "f": (_Sound(0.08, (350, 1100, 2350), frication=-22.0, centre=6500),),
    "s": (_Sound(0.09, (320, 1700, 2600), frication=-10.0, centre=6000),),
    "S": (_Sound(0.09, (320, 1900, 2500), frication=-9.0, centre=3300),),
    "h": (_Sound(0.06, (500, 1500, 2500), aspiration=-14.0),),
    "m": (_Sound(0.065, (260, 1050, 2300), voice=-8.0),),
    "n": (_Sound(0.065, (260, 1500, 2500), voice=-8.0),),
    "l": (_Sound(0.055, (360, 1250, 2750), voice=-5.0),),
    "r": (_Sound(0.05, (420, 1250, 1750), voice=-5.0),),
    "w": (_Sound(0.055, (300, 750, 2300), voice=-4.0),),
    "j": (_Sound(0.055, (290, 2150, 2900), voice=-4.0),),
}


def _syllable_seconds(syllable: Syllable) -> float:
    consonants = (*CONSONANTS[syllable.onset], *CONSONANTS[syllable.coda])
    return syllable.seconds + sum(sound.seconds for sound in consonants)


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """An utterance as control values, one row each 5 ms (:data:`HOP` samples).

    Attributes
    ----------
    f0 : ndarray, shape (n,)
        Hz, also where there is no voice.
    voice, aspiration, frication : ndarray, shape (n,)
        Amplitudes; 1 is the RMS of a full vowel.
    centre : ndarray, shape (n,)
        Hz, resonance of the frication.
    formants : ndarray, shape (n, 7)
        Hz.
    tilt : float
        Attenuation of the voice source at 3 kHz, dB.
    jitter : float
        Standard deviation of the relative length of a period.
    level : float
        dB re full scale (RMS of what is not silence).
    """

    f0: np.ndarray
    voice: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    centre: np.ndarray
    formants: np.ndarray
    tilt: float
    jitter: float
    level: float


def expressed(spec: Spec, rng: np.random.Generator) -> Prosody:
    """Prosody of one utterance: speaker's habit, the language's style, this take."""
    language, style = spec.language, spec.shift.style
    cues = 1 + style * (language.style.vector() - 1)
    strength = 1 + style * (language.strength.get(spec.emotion, 1.0) - 1)
    habit = spec.speaker.prosody[spec.emotion].vector()
    return Prosody(*(np.maximum(cues, 0) * strength * habit + BETWEEN_UTTERANCES.vector() * _normal(rng, 10)))


def plan(spec: Spec, rng: np.random.Generator) -> Tracks:
    """Turn a spec into control tracks: articulation, rhythm and intonation."""
    prosody, speaker = expressed(spec, rng), spec.speaker
    sounds, accents = _articulate(spec, prosody)
    seconds = np.array([sound.seconds for sound in sounds]) * np.exp(0.08 * _normal(rng, len(sounds)))
    seconds /= speaker.rate * 2**prosody.rate
    spoken = seconds.sum()
    seconds *= np.clip(spoken, SHORTEST - 2 * SILENCE, LONGEST - 2 * SILENCE) / spoken
    seconds = np.concatenate([[SILENCE], seconds, [SILENCE]])
    silent = _Sound(SILENCE, (500, 1500, 2500))
    sounds = [silent, *sounds, silent]

    ends = np.cumsum(seconds)
    time = np.arange(int(ends[-1] * SAMPLE_RATE / HOP) + 1) * HOP / SAMPLE_RATE
    at = np.minimum(np.searchsorted(ends, time, side="right"), len(sounds) - 1)

    # Intonation in semitones: accents carried from vowel to vowel, on a slope.
    middles = ends[1:-1] - seconds[1:-1] / 2
    vowels = np.array([accent is not None for accent in accents])
    targets = np.array([accent for accent in accents if accent is not None])
    stress = np.interp(time, middles[vowels], targets) * 2**prosody.f0_range
    slope = (prosody.slope - 1.0) * (time - time[-1] / 2)  # neutral F0 declines
    semitones = prosody.f0 + 2.5 * stress + slope
    f0 = speaker.f0 * 2 ** (_smooth(semitones, 17) / 12)

    def amplitude(name: str) -> np.ndarray:
        return _smooth(10 ** (np.array([getattr(sound, name) for sound in sounds])[at] / 20), 5)

    voice = amplitude("voice") * 10 ** (1.5 * stress / 20)
    breath = 10 ** ((speaker.breath + prosody.breath) / 20)
    low = _smooth(np.array([sound.formants for sound in sounds])[at], 9) * (1 + prosody.formants / 100)
    high = np.broadcast_to([3500.0, 4500.0, 5500.0, 6500.0], (len(time), 4))
    return Tracks(
        f0=np.clip(f0, 60, 600),
        voice=voice,
        aspiration=amplitude("aspiration") + breath * voice,
        # Effort is in the consonants, too, though less than in the voice.
        frication=amplitude("frication") * 10 ** (prosody.tilt / 2 / 20),
        centre=np.array([sound.centre for sound in sounds])[at],
        formants=np.concatenate([low, high], axis=1) * speaker.tract,
        tilt=float(np.clip(speaker.tilt - prosody.tilt, 1, 30)),
        jitter=float(speaker.jitter * 2**prosody.jitter),
        level=float(SPEECH_LEVEL + speaker.level + prosody.level),
    )


def _articulate(spec: Spec, prosody: Prosody) -> tuple[list[_Sound], list[float | None]]:
    """Sounds of a sentence, and for each the accent of its vowel (None: a consonant)."""
    centre = np.array([500.0, 1500.0, 2500.0])  # where a sloppy vowel drifts to
    sounds: list[_Sound] = []
    accents: list[float | None] = []
    last = len(spec.sentence) - 1
    for number, syllable in enumerate(spec.sentence):
        target = np.array(spec.language.vowels[syllable.vowel], dtype=float)
        target = centre + (target - centre) * 2**prosody.precision
        # The last vowel is lengthened, as before a pause in most languages.
        vowel = _Sound(syllable.seconds * (1.4 if number == last else 1), tuple(target), voice=0.0)
        onset, coda = CONSONANTS[syllable.onset], CONSONANTS[syllable.coda]
        sounds += [*onset, vowel, *coda]
        accents += [None] * len(onset) + [syllable.accent] + [None] * len(coda)
    return sounds, accents


def _smooth(track: np.ndarray, frames: int) -> np.ndarray:
    """Moving average with a Hann window along the first axis; ends are held."""
    from scipy import ndimage

    window = np.hanning(frames + 2)[1:-1]
    return ndimage.convolve1d(track, window / window.sum(), axis=0, mode="nearest")


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
    lengths = 1 + tracks.jitter * _normal(rng, int(periods[-1]))
    instants = np.interp(np.cumsum(lengths), periods, np.arange(len(periods)) * HOP)
    frame = (instants / HOP).astype(int)
    loudness = np.interp(instants, np.arange(len(periods)) * HOP, tracks.voice)
    heard = (loudness > 0.003) & (instants < n - HOP)
    instants, frame, loudness = instants[heard], frame[heard], loudness[heard]
    # 1 % of jitter comes with about 0.5 dB of shimmer.
    loudness = loudness * 10 ** (50 * tracks.jitter * _normal(rng, len(loudness)) / 20)

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


def apply_channel(audio: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Record through the channel of :class:`Shift`; 0 returns the audio as it is.

    The filter has no phase, so nothing moves in time.
    """
    from scipy import fft

    if amount == 0:
        return audio
    padded = fft.next_fast_len(len(audio) + SAMPLE_RATE // 10, real=True)
    frequencies = np.arange(padded // 2 + 1) * SAMPLE_RATE / padded
    gain = amount * np.interp(frequencies, *zip(*CHANNEL_DB, strict=True))
    filtered = fft.irfft(fft.rfft(audio, padded) * 10 ** (gain / 20), padded)[: len(audio)]
    noise = rng.standard_normal(len(audio), dtype=np.float32)
    return filtered + abs(amount) * 10 ** (CHANNEL_NOISE / 20) * noise


def _limit(audio: np.ndarray) -> np.ndarray:
    """Bend peaks above :data:`TALLEST`; all else is untouched."""
    over = np.abs(audio) > TALLEST
    if not over.any():
        return audio
    room = 0.99 - TALLEST
    bent = TALLEST + room * np.tanh((np.abs(audio) - TALLEST) / room)
    return np.where(over, np.sign(audio) * bent, audio)


def synthesise(spec: Spec, seed: int | Sequence[int]) -> np.ndarray:
    """Synthesise one utterance.

    Parameters
    ----------
    spec : Spec
    seed : int or sequence of int
        Same spec and seed, same samples. The shift's dials take no random
        numbers from speech: two specs that differ in channel or level are two
        recordings of one utterance.

    Returns
    -------
    ndarray of float32, shape (n,)
        16 kHz, 1 to 2.5 s, peak below full scale.
    """
    planning, sound, recording = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    return record(render(plan(spec, planning), sound), spec.shift, recording)


def record(speech: np.ndarray, shift: Shift, rng: np.random.Generator) -> np.ndarray:
    """Record speech through the channel and at the level of a shift; its other dials are none of a recording.

    Parameters
    ----------
    speech : ndarray, shape (n,)
        16 kHz; synthetic, or recorded before.
    shift : Shift
    rng : numpy.random.Generator
        Of the channel's noise.

    Returns
    -------
    ndarray of float32, shape (n,)
        Peak below full scale.
    """
    recorded = apply_channel(speech, shift.channel, rng) * 10 ** (shift.level / 20)
    return _limit(recorded).astype(np.float32)
