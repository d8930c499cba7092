"""Training speech as it might have been said: at other speeds, and louder or softer (Ko et al. 2015).

Speed is changed in the audio, once, and is a copy beside the utterance; volume
in the features, anew each time an utterance is learned from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
import torch

#: Column that says which change of :mod:`serlab.features.augmentation` a row is heard with; empty: none.
COLUMN = "augment"


def with_speeds(table: pd.DataFrame, speeds: Sequence[float], *, held_out: Collection[str]) -> pd.DataFrame:
    """Rows of other speeds below those of the table; speakers that are held out have none.

    Parameters
    ----------
    table : DataFrame
        See :mod:`serlab.asr.transcripts`.
    speeds : sequence of float
    held_out : collection of str
        Speakers.

    Returns
    -------
    DataFrame
        With the column :data:`COLUMN`; a copy is called ``<utterance> speed-0.9``.
    """
    learned = table[~table["speaker"].isin(held_out)]
    copies = []
    for speed in speeds:
        change = f"speed-{speed:g}"
        copy = learned.assign(**{COLUMN: change})
        copies.append(copy.set_axis([f"{name} {change}" for name in copy.index], axis="index"))
    made = pd.concat([table.assign(**{COLUMN: ""}), *copies])
    made.attrs = dict(table.attrs)
    return made.rename_axis(table.index.name)


def louder(X: np.ndarray, volume: Sequence[float], generator: torch.Generator) -> np.ndarray:
    """MFCC of utterances as if each had been played at a volume drawn from a range.

    A factor adds the same to the decibels of every band, which is the first
    coefficient alone: ``20 log10(factor) sqrt(bands)``. So it is where no band
    lies on the floor of -100 dB; digital silence gets louder here.

    Parameters
    ----------
    X : ndarray, shape (n, t, 40)
        Feature set "mfcc40": the orthonormal cosine transform of as many bands.
    volume : (float, float)
        Least and greatest factor.
    generator : torch.Generator
        Advanced by ``n`` numbers.

    Returns
    -------
    ndarray, shape (n, t, 40)
        A new array.
    """
    low, high = volume
    factor = low + (high - low) * torch.rand(len(X), generator=generator).numpy()
    changed = X.copy()
    changed[:, :, 0] += (20 * np.log10(factor) * np.sqrt(X.shape[2])).astype(X.dtype)[:, None]
    return changed
