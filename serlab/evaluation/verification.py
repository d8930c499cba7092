"""Speaker verification: do two utterances come from the same voice?

What an embedding knows about the speaker, in one number that needs no training:
the equal error rate of cosine similarity over all pairs of utterances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serlab.errors import ProtocolError


@dataclass(frozen=True, kw_only=True)
class EqualErrorRate:
    """Verification over all pairs of utterances.

    Attributes
    ----------
    rate : float
        Share of same-speaker pairs refused and of different-speaker pairs
        accepted where both are equal; 0.5 is chance.
    threshold : float
        Cosine at that point.
    same, different : float
        Mean cosine of the pairs.
    n_same, n_different : int
        Pairs.
    """

    rate: float
    threshold: float
    same: float
    different: float
    n_same: int
    n_different: int


def equal_error_rate(
    embeddings: np.ndarray, speaker: np.ndarray, *, sex: np.ndarray | None = None
) -> EqualErrorRate:
    """Equal error rate of cosine scores over all pairs of utterances.

    Parameters
    ----------
    embeddings : ndarray, shape (n, k)
        Memory grows with n squared.
    speaker : ndarray, shape (n,)
    sex : ndarray, shape (n,), optional
        Where given, pairs of speakers of different sex are left out: pitch
        alone tells them apart.

    Raises
    ------
    ValueError
        If the lengths differ.
    ProtocolError
        If an embedding is zero or not finite, or there is no pair of the same
        speaker or none of different speakers.
    """
    speaker = np.asarray(speaker)
    if len(embeddings) != len(speaker) or (sex is not None and len(sex) != len(speaker)):
        raise ValueError("embeddings, speaker and sex must have the same length")
    length = np.linalg.norm(embeddings.astype(float), axis=1)
    unusable = np.flatnonzero(~np.isfinite(length) | (length == 0))
    if len(unusable):
        raise ProtocolError(
            f"embedding {unusable[0]} is zero or not finite, it has no direction; leave it out"
        )
    unit = embeddings / length[:, None]
    first, second = np.triu_indices(len(unit), k=1)
    score = (unit @ unit.T)[first, second]
    together = speaker[first] == speaker[second]
    apart = ~together
    if sex is not None:
        sex = np.asarray(sex)
        apart &= sex[first] == sex[second]
    same, different = np.sort(score[together]), np.sort(score[apart])
    if not len(same) or not len(different):
        raise ProtocolError(
            f"{len(same)} pairs of the same speaker and {len(different)} of different ones: both are needed; "
            "give two speakers or more, and two utterances of one"
        )
    rate, threshold = _crossing(same, different)
    return EqualErrorRate(
        rate=rate,
        threshold=threshold,
        same=float(same.mean()),
        different=float(different.mean()),
        n_same=len(same),
        n_different=len(different),
    )


def _crossing(same: np.ndarray, different: np.ndarray) -> tuple[float, float]:
    """Where the two errors meet on the line through their operating points; scores are sorted."""
    thresholds = np.unique(np.concatenate([same, different]))
    refused = np.append(np.searchsorted(same, thresholds) / len(same), 1.0)
    accepted = np.append(1 - np.searchsorted(different, thresholds) / len(different), 0.0)
    # The lowest threshold accepts all pairs, a last one above all scores refuses them:
    # the difference rises from -1 to 1.
    after = int(np.argmax(refused >= accepted))
    before = after - 1
    gap = (accepted - refused)[[before, after]]
    share = gap[0] / (gap[0] - gap[1])
    rate = refused[before] + share * (refused[after] - refused[before])
    return float(rate), float(thresholds[min(after, len(thresholds) - 1)])
