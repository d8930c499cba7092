"""What an acoustic model was trained on, and how wrong it recognises other speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.error_rates import error_rates
from serlab.asr.speech import Speech
from serlab.asr.transcripts import FEW_TEXTS, n_texts
from serlab.asr.units import normalize
from serlab.training import Fitting


def errors(
    model: AcousticModel, speech: Speech, training: Sequence[str], testing: Sequence[str], fitting: Fitting
) -> dict[str, Any]:
    """Error rates of the held-out speakers, together and each; and of the commonest answer."""
    heard: dict[str, str] = {}
    quiet = replace(fitting, progress=None)
    for names, X in speech.batches(testing, 64):
        heard |= dict(zip(names, model.transcribe(X, fitting=quiet), strict=True))
    said = speech.table["text"].map(normalize)
    commonest = said[training].mode()[0]
    by_speaker = speech.table.loc[testing].groupby("speaker").groups

    def of(names: Sequence[str]) -> dict[str, float]:
        return asdict(error_rates(said[names].tolist(), [heard[name] for name in names]))

    return {
        "error_rates": of(testing),
        "error_rates_by_speaker": {speaker: of(list(names)) for speaker, names in by_speaker.items()},
        "error_rates_of_commonest_answer": asdict(
            error_rates(said[testing].tolist(), [commonest] * len(testing))
        ),
    }


def described(
    transcribed: pd.DataFrame, speech: Speech, training: Sequence[str], testing: Sequence[str]
) -> dict[str, Any]:
    """Speech, speakers and texts that were learned from and held out, and how far that reaches."""
    table = transcribed.loc[list(training)]
    texts = n_texts(transcribed)
    known = {*table["text"].map(normalize)}
    seen = float(transcribed.loc[list(testing), "text"].map(normalize).isin(known).mean())
    scope = "speech recognition"
    if texts < FEW_TEXTS:
        scope = f"mechanism demo: {texts} different texts, learned by heart; no recogniser of other speech"
    return {
        "scope": scope,
        "corpora": sorted(transcribed["corpus"].unique().tolist()),
        "languages": sorted({language for language in transcribed["language"] if language}),
        "training_utterances": len(training),
        "training_hours": round(float(speech.n_frames[list(training)].sum()) / 360_000, 3),
        "training_speakers": sorted(table["speaker"].unique().tolist()),
        "training_audio": sorted(speech.audio_hash[list(training)].tolist()),
        "held_out_speakers": sorted(transcribed.loc[list(testing), "speaker"].unique().tolist()),
        "held_out_utterances": len(testing),
        "held_out_texts_seen_in_training": seen,
        "different_texts": texts,
        "skipped_files": len(speech.skipped),
    }
