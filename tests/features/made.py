"""Generated voices, corpora of them, and what a cache holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from serlab import audio, data

RATE = audio.SAMPLE_RATE


def voice(f0: float = 150.0, *, seconds: float = 0.6, level: float = 0.2, seed: int = 0) -> np.ndarray:
    """Harmonics of f0, falling by 1/k, with a little noise."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * f0 * k * time_s) / k for k in range(1, 12))
    noise = np.random.default_rng(seed).standard_normal(len(time_s))
    return (level * harmonics + 0.003 * noise).astype(np.float32)


def corpus(folder: Path, n: int = 3) -> pd.DataFrame:
    """Utterances of n generated files."""
    folder.mkdir(exist_ok=True)
    rows = []
    for i in range(n):
        path = folder / f"{i}.wav"
        soundfile.write(path, voice(100 + 20 * i, seed=i), RATE)
        rows.append({"utterance": f"made/{i}", "corpus": "made", "path": str(path)})
    return data.utterances(rows)


def entry_files(tmp_path: Path, name: str = "tiny") -> list[Path]:
    """What the cache of a test holds of a feature set."""
    return sorted(p for p in (tmp_path / "cache/features").glob(f"{name}-*/*/*"))
