"""A seeded source-filter synthesiser of utterances that carry "emotional" prosody.

What it is not
--------------
It is not speech: there are no words, and the three "languages" are vowel
inventories and rhythms that nobody speaks. It is not emotion: an "emotion" is a
row of :data:`PROSODY`, a table that we wrote. A result on these corpora says
whether code works and what a method does under a shift whose size is known;
**it is never evidence about emotion, about people or about languages**.

How it works
------------
1. :mod:`serlab.corpora.synthesis.voices` has the tables: speakers, languages, emotions.
2. :mod:`serlab.corpora.synthesis.articulation`: syllables, rhythm, prosody -> control
   values, one row each 5 ms (F0, amplitudes of voice, aspiration and frication, seven formants).
3. :mod:`serlab.corpora.synthesis.waveform`: every glottal pulse and every frame of noise gets the
   spectrum of source times vocal tract, is turned into samples by one inverse FFT for the
   whole utterance, and is added where it belongs. Pulses fall between samples,
   so F0 and jitter are exact, and nothing is aliased.
4. :mod:`serlab.corpora.synthesis.recording`: the channel and a gain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serlab.corpora.synthesis.articulation import (
    HOP,
    Spec,
    Tracks,
    expressed,
    plan,
    sentence,
)
from serlab.corpora.synthesis.recording import (
    CHANNEL_DB,
    SAMPLE_RATE,
    SKEWED_PRIOR,
    Shift,
    apply_channel,
    record,
)
from serlab.corpora.synthesis.voices import EMOTIONS, LANGUAGES, PROSODY, draw_speaker
from serlab.corpora.synthesis.waveform import glottal_source, render, vocal_tract

__all__ = [
    "CHANNEL_DB", "EMOTIONS", "HOP", "LANGUAGES", "PROSODY", "SAMPLE_RATE", "SKEWED_PRIOR", "VERSION",
    "Shift", "Spec", "Tracks", "apply_channel", "draw_speaker", "expressed", "glottal_source", "plan",
    "record", "render", "sentence", "synthesise", "vocal_tract",
]  # fmt: skip

#: Raise it with every change of the samples: it is part of the cache's key.
VERSION = "2"


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
