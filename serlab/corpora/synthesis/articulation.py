"""From a sentence to control values: sounds, rhythm and intonation, one row each 5 ms."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

from serlab.corpora.synthesis.recording import SAMPLE_RATE, Shift
from serlab.corpora.synthesis.voices import (
    BETWEEN_UTTERANCES,
    EMOTIONS,
    PROSODY,
    SPEECH_LEVEL,
    Language,
    Prosody,
    Speaker,
    Syllable,
    normal,
)
from serlab.errors import ParameterError

HOP = 80  # samples in a frame of Tracks: 5 ms
SHORTEST, LONGEST = 1.05, 2.45  # seconds; slower and faster plans are squeezed into this
SILENCE = 0.08  # seconds before and after the speech

_OFF = -99.0  # dB


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
    return Prosody(*(np.maximum(cues, 0) * strength * habit + BETWEEN_UTTERANCES.vector() * normal(rng, 10)))


def plan(spec: Spec, rng: np.random.Generator) -> Tracks:
    """Turn a spec into control tracks: articulation, rhythm and intonation."""
    prosody, speaker = expressed(spec, rng), spec.speaker
    sounds, accents = _articulate(spec, prosody)
    seconds = np.array([sound.seconds for sound in sounds]) * np.exp(0.08 * normal(rng, len(sounds)))
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
