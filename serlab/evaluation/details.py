"""What figures show of a fitted method besides its answers: attention, embeddings, shift of layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from serlab.errors import ProtocolError, TrainingError
from serlab.evaluation import shift
from serlab.evaluation.fitting import Fitted
from serlab.normalization import Normalized
from serlab.protocols import Split
from serlab.samples import Unlabelled


def attention(fitted: Fitted, utterances: pd.DataFrame, key: Mapping[str, Any]) -> pd.DataFrame:
    """Weights over time of what was learned from last and of what is tested; empty without attention.

    Parameters
    ----------
    fitted : Fitted
    utterances : DataFrame
    key : mapping
        Method, fold and seed, for the first columns.

    Returns
    -------
    DataFrame
        The key, utterance, part ("train" or "test"), ``a_1``, ``a_2`` ... (NaN after the end).
    """
    if not hasattr(fitted.method, "attention"):
        return pd.DataFrame()
    tables = []
    for part, name in _shown(fitted.parts)[-2:]:
        weights = fitted.method.attention(part.X)
        if weights is not None:
            tables.append(_with_columns(_head(key, utterances, part, name), weights, "a"))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def embeddings(
    fitted: Fitted, split: Split, utterances: pd.DataFrame, key: Mapping[str, Any]
) -> pd.DataFrame:
    """Embeddings of all of source and target; empty for a method without.

    All of the target that the method was not given with labels, not this fold's test alone.

    Returns
    -------
    DataFrame
        The key, utterance, part and ``e_1`` ...
    """
    if not hasattr(fitted.method, "embed"):
        return pd.DataFrame()
    of_target = np.unique(np.concatenate([split.target_train, split.adapt, split.test]))
    pictured = fitted.shown(np.setdiff1d(of_target, fitted.seen.target_train))
    tables = [
        _with_columns(
            _head(key, utterances, part, name),
            (fitted.as_source if part is pictured.source else fitted.method).embed(part.X),
            "e",
        )
        for part, name in _shown(pictured)
    ]
    return pd.concat(tables, ignore_index=True)


def shift_of_layers(
    fitted: Fitted,
    split: Split,
    utterances: pd.DataFrame,
    key: Mapping[str, Any],
    again: Callable[..., Fitted],
) -> pd.DataFrame:
    """How far apart source and target are in each layer, on speakers of either that nothing was learned of.

    For this the method is fitted once more, without these speakers.

    Parameters
    ----------
    fitted : Fitted
        Says which layers there are, and what of the target is seen.
    split : Split
    utterances : DataFrame
    key : mapping
        Method, fold and seed, for the first columns.
    again : callable(split)
        Fits the same method on another split.

    Returns
    -------
    DataFrame
        The key, the columns of :func:`serlab.evaluation.shift.shift_table`, and ``reason``: why there is no
        number (too few speakers, or a fit that failed), empty otherwise. Empty for a method without layers,
        or without a source.
    """
    if fitted.parts.source is None or not hasattr(fitted.method, "layers"):
        return pd.DataFrame()
    names = list(fitted.method.layers(fitted.parts.test.X[:1]))
    if not names:
        return pd.DataFrame()
    try:
        kept = shift.apart(
            split,
            utterances["speaker"].to_numpy(dtype=str),
            labelled=fitted.seen.target_train,
            unlabelled=fitted.seen.adapt,
            seed=key["seed"],
        )
        other = again(kept)
        source, target = other.shown(kept.validation).test, other.parts.test
        table = shift.shift_table(
            other.as_source.layers(source.X),
            other.method.layers(target.X),
            source_speaker=source.speaker,
            target_speaker=target.speaker,
            seed=key["seed"],
        ).assign(reason="")
    except (ProtocolError, TrainingError) as error:
        table = pd.DataFrame({"layer": names}).reindex(columns=list(shift.COLUMNS)).assign(reason=str(error))
        numbers = [name for name in shift.COLUMNS if name != "layer"]
        table[numbers] = table[numbers].astype(float)
    return table.assign(**key)[[*key, *table.columns]]


def _shown(parts: Normalized) -> list[tuple[Unlabelled, str]]:
    """Parts that were learned from with their labels, and the one that was not."""
    learned = [part for part in (parts.source, parts.target_train) if part is not None]
    return [*((part, "train") for part in learned), (parts.test, "test")]


def _head(key: Mapping[str, Any], utterances: pd.DataFrame, part: Unlabelled, name: str) -> pd.DataFrame:
    return pd.DataFrame({**key, "utterance": utterances.index[part.row], "part": name})


def _with_columns(head: pd.DataFrame, values: np.ndarray, letter: str) -> pd.DataFrame:
    names = [f"{letter}_{number + 1}" for number in range(values.shape[1])]
    return pd.concat([head, pd.DataFrame(values.astype(np.float32), columns=names)], axis=1)
