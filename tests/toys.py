"""Small utterance tables and features with a known structure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import torch

from serlab import data, training
from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.units import Units
from serlab.models.tdnn import TDNN, architecture

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


def acoustic_model(n_features: int) -> AcousticModel:
    """Thirteen narrow layers that hand on what they get: what was learned is not the question."""
    width = 3 * n_features + 1
    layers = [
        dataclasses.replace(layer, width=width, bottleneck=None) for layer in architecture("demo").layers
    ]
    with training.seeded(3):
        tdnn = TDNN(n_features, 4, layers=layers, prefinal=width).eval()
    same = torch.eye(n_features)
    low, high = slice(n_features), slice(n_features, 2 * n_features)
    with torch.no_grad():
        for number, block in enumerate(tdnn.blocks):
            weight = block.linear.weight.mul_(0.05)
            now = weight[:, weight.shape[1] // len(block.offsets) * (len(block.offsets) // 2) :]
            now[low, low] += same
            if number == 0:  # what is negative, too
                now[high, low] -= same
            else:
                now[high, high] += same
    return AcousticModel(
        tdnn=tdnn, ivectors=None, units=Units((" ", "a", "b")), loss="ctc",
        centre=np.zeros(n_features, np.float32), scale=np.ones(n_features, np.float32),
    )  # fmt: skip
