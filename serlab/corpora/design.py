"""Confounds of a corpus' design: what its speakers alone say about the emotion."""

from __future__ import annotations

import numpy as np
import pandas as pd


def speaker_emotion_confound(utterances: pd.DataFrame) -> dict[str, float]:
    """How much the speaker alone says about the emotion.

    Returns
    -------
    dict
        ``speakers``; ``single`` (speakers with one emotion only);
        ``explained``, the mutual information of speaker and emotion as a share
        of the emotion's entropy (0: independent, 1: the speaker decides);
        ``lookup``, the accuracy of answering with each speaker's most
        frequent emotion; ``majority``, that of the corpus' most frequent one.
    """
    counts = pd.crosstab(utterances["speaker"], utterances["emotion"].astype(str)).to_numpy()
    joint = counts / counts.sum()
    rows, columns = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    information = float(np.sum(joint[seen] * np.log(joint[seen] / (rows @ columns)[seen])))
    entropy = float(-np.sum(columns[columns > 0] * np.log(columns[columns > 0])))
    return {
        "speakers": len(counts),
        "single": int(np.sum((counts > 0).sum(axis=1) == 1)),
        "explained": information / entropy if entropy > 0 else 0.0,
        "lookup": float(joint.max(axis=1).sum()),
        "majority": float(columns.max()),
    }
