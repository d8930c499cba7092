"""How much each utterance weighs, and the scale of rows, for linear classifiers of many corpora."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from serlab.samples import Labelled

#: Standard deviations beyond which a feature is cut: outliers of a small corpus.
MOST = 5.0


def scaled(X: np.ndarray) -> np.ndarray:
    """Rows of z-scored features, cut, and divided so that a penalty means the same for any number of them."""
    return np.clip(X, -MOST, MOST) / np.sqrt(X.shape[1])


def weights(
    part: Labelled, *, equal: str = "classes", corpora: Mapping[str, float] | None = None
) -> np.ndarray:
    """Weight of each row, 1 on average.

    Parameters
    ----------
    part : Labelled
    equal : {"classes", "speakers", "utterances"}
        What weighs the same within a corpus: its classes; each class, and the speakers within it; or every
        utterance, so that classes weigh as often as they occur.
    corpora : mapping of str to float, optional
        Corpus -> its weight where that is not 1.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> part = Labelled(
    ...     X=np.zeros((4, 1)), corpus=np.array(["a", "a", "a", "b"]), speaker=np.array(["1", "1", "2", "3"]),
    ...     y=np.array([0, 0, 1, 0]),
    ... )
    >>> weights(part).round(2).tolist()
    [0.67, 0.67, 1.33, 1.33]
    >>> weights(part, corpora={"b": 2.0}).round(2).tolist()
    [0.5, 0.5, 1.0, 2.0]
    """
    corpus = np.unique(part.corpus, return_inverse=True)[1]
    levels = {
        "classes": [[corpus, part.y]],
        "speakers": [[corpus, part.y], [corpus, part.y, np.unique(part.speaker, return_inverse=True)[1]]],
        "utterances": [[corpus]],
    }[equal]
    weight = np.ones(len(part))
    if equal == "speakers":
        # Of a class, each speaker's share is one over the number of its speakers.
        cell, inner = (_groups(keys) for keys in levels)
        pairs = np.unique(np.stack([cell, inner], axis=1), axis=0)
        speakers = np.bincount(pairs[:, 0])
        weight /= np.bincount(inner)[inner] * speakers[cell]
    else:
        cell = _groups(levels[0])
        weight /= np.bincount(cell)[cell]
    if corpora:
        weight *= [corpora.get(str(name), 1.0) for name in part.corpus]
    return weight * (len(part) / weight.sum())


def _groups(keys: list[np.ndarray]) -> np.ndarray:
    """Number of the combination of keys that each row has."""
    return np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
