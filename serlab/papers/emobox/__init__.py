"""EmoBox (Ma et al. 2024): published results of frozen encoders on RAVDESS.

Ma et al. (2024), EmoBox: multilingual multi-corpus speech emotion recognition
toolkit and benchmark, Interspeech. Only what stands beside this workbench's
own runs is here: frozen features, all classes of RAVDESS, six folds of four
unseen actors each.
"""

from __future__ import annotations

import pandas as pd

from serlab import papers

#: Encoder -> title.
ENCODERS: dict[str, str] = {"whisper-large-v3": "Whisper-large-v3", "wavlm-large": "WavLM-large"}
N_FOLDS = 6


def published() -> pd.DataFrame:
    """Source (empty), target, method (a key of :data:`ENCODERS`), metric, value (a share), note."""
    return papers.read("emobox", "published")
