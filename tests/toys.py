"""Small utterance tables and features with a known structure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import data

EMOTIONS = ("neutral", "anger", "joy", "sadness")


def utterance_table(
    corpora: dict[str, int], *, per_emotion: int = 3, emotions: tuple[str, ...] = EMOTIONS
) -> pd.DataFrame:
    """Utterances of ``{corpus: speakers}``, each speaker with every emotion."""
    rows = [
        {
            "utterance": f"{corpus}/s{speaker}-{emotion}-{take}",
            "corpus": corpus,
            "speaker": f"{corpus}/s{speaker}",
            "native_label": emotion,
            "text_id": f"{corpus}/t{take}",
            "duration": 1.0,
        }
        for corpus, speakers in corpora.items()
        for speaker in range(speakers)
        for emotion in emotions
        for take in range(per_emotion)
    ]
    table = data.utterances(rows)
    table["emotion"] = pd.Categorical(table["native_label"], categories=list(EMOTIONS))
    return table


def separable_features(table: pd.DataFrame, *, noise: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """One feature per class that is high for this class; shape (n, 4)."""
    rng = np.random.default_rng(seed)
    codes = table["emotion"].cat.codes.to_numpy()
    X = np.eye(len(EMOTIONS))[codes] + noise * rng.standard_normal((len(table), len(EMOTIONS)))
    return pd.DataFrame(X.astype(np.float32), index=table.index, columns=[f"f{i}" for i in range(4)])
