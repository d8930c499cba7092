"""Who speaks, in which invented language, and how an emotion departs from neutral: the tables.

Directions of the prosody: Scherer (2003, Vocal communication of emotion) and Juslin & Laukka (2003,
Communication of emotions in vocal expression and music performance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np

SPEECH_LEVEL = -30.0  # dB re full scale (RMS) of a neutral utterance of the average speaker


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


@dataclass(frozen=True)
class Syllable:
    """Onset and coda: :data:`serlab.corpora.synthesis.articulation.CONSONANTS`; seconds of vowel."""

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
        f0=(205.0 if female else 118.0) * np.exp(0.11 * normal(rng)),
        tract=(1.16 if female else 1.0) * np.exp(0.035 * normal(rng)),
        rate=np.exp(0.08 * normal(rng)),
        level=1.5 * normal(rng),
        tilt=(13.0 if female else 10.0) + 1.5 * normal(rng),
        breath=(-27.0 if female else -30.0) + 2.0 * normal(rng),
        jitter=0.006 * np.exp(0.25 * normal(rng)),
        prosody={
            emotion: Prosody(
                *(
                    row.vector() * np.exp(EXPRESSIVENESS * normal(rng))
                    + BETWEEN_SPEAKERS.vector() * normal(rng, 10)
                )
            )
            for emotion, row in PROSODY.items()
        },
    )


def normal(rng: np.random.Generator, size: int | None = None) -> np.ndarray | float:
    """Standard normal, at most two deviations out: no monsters in small samples."""
    return np.clip(rng.standard_normal(size), -2, 2)
