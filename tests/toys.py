"""Small utterance tables and features with a known structure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import torch

from serlab import data, training
from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.units import Units
from serlab.experiment import Prepared
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


def fake_predictions(
    rng, *, speakers=10, per_speaker=40, accuracy=(0.5, 0.7)
) -> tuple[pd.DataFrame, pd.Series]:
    """Two methods, "a" and "b", right with the given probabilities."""
    n = speakers * per_speaker
    names = [f"u{i}" for i in range(n)]
    y = rng.integers(0, 2, n)
    tables = []
    for method, share in zip("ab", accuracy, strict=True):
        y_pred = np.where(rng.random(n) < share, y, 1 - y)
        table = pd.DataFrame({"utterance": names, "y_true": y, "y_pred": y_pred})
        tables.append(table.assign(method=method, fold="f", seed=0, p_no=1.0 - y_pred, p_yes=1.0 * y_pred))
    return pd.concat(tables, ignore_index=True), pd.Series(
        np.repeat(np.arange(speakers), per_speaker), index=names
    )


def answers(method: str, y: np.ndarray, y_pred: np.ndarray, **keys) -> pd.DataFrame:
    """Predictions of one method for utterances "u0" ..., of one fold and seed if ``keys`` do not say."""
    table = pd.DataFrame({"utterance": [f"u{i}" for i in range(len(y))], "y_true": y, "y_pred": y_pred})
    table = table.assign(method=method, fold="all", seed=0).assign(**keys)
    return table.assign(
        **dict.fromkeys((f"p_{name}" for name in ("anger", "joy", "neutral", "sadness")), 0.25)
    )


def uneven(rng: np.random.Generator, n: int = 120) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    """Classes, answers that are right in part, and speakers, of whom four have one class only."""
    speaker = rng.integers(0, 9, n)
    y = np.where(speaker < 4, speaker, rng.integers(0, 4, n))
    y_pred = np.where(rng.random(n) < 0.6, y, rng.integers(0, 4, n))
    return y, y_pred, pd.Series([f"s{i}" for i in speaker], index=[f"u{i}" for i in range(n)])


def on_encoder(n_layers: int = 3, width: int = 4, seed: int = 0) -> Prepared:
    """Two corpora of two speakers; the second layer of an encoder holds the emotion."""
    rng = np.random.default_rng(seed)
    corpus = np.repeat(["a", "b"], 40)
    y = np.tile([0, 1], 40)
    X = rng.normal(size=(80, n_layers, 2 * width))
    X[:, 1, :2] += 5 * y[:, None]
    names = [
        f"layer{layer}.{part}.{i:03d}"
        for layer in range(n_layers)
        for part in ("mean", "sd")
        for i in range(width)
    ]
    index = pd.Index([f"{name}/{i}" for i, name in enumerate(corpus)], name="utterance")
    utterances = pd.DataFrame(
        {
            "corpus": corpus,
            "speaker": [f"{name}/{i // 2 % 2}" for i, name in enumerate(corpus)],
            "sex": ["female" if i // 2 % 2 else "male" for i in range(80)],
            "text_id": None,
            "emotion": pd.Categorical.from_codes(y, ["anger", "joy"]),
        },
        index=index,
    )
    table = pd.DataFrame(X.reshape(80, -1), index=index, columns=names, dtype=np.float32)
    return Prepared(
        utterances=utterances,
        X=table,
        copies=(),
        further={"encoder-speech:whisper": (table,)},
        left_out=pd.Series(dtype=int),
        audio_hash=pd.Series(dtype=object),
        skipped_files=pd.DataFrame(),
        notes=(),
        fingerprint="toy",
    )
