"""What figures show of a fitted method besides its answers: attention, embeddings, shift of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

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


def inside(
    fitted: Fitted, split: Split, utterances: pd.DataFrame, key: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Embeddings of all of source and target, and how far apart these are in each layer.

    All of the target that the method was not given with labels, not this fold's test alone.

    Returns
    -------
    (DataFrame, DataFrame)
        The key, utterance, part and ``e_1`` ...; and the columns of
        :func:`serlab.evaluation.shift.shift_table`. Empty for a method without either.
    """
    if not (hasattr(fitted.method, "embed") or hasattr(fitted.method, "layers")):
        return pd.DataFrame(), pd.DataFrame()
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
    return pd.concat(tables, ignore_index=True), _shift(fitted, pictured, key)


def _shift(fitted: Fitted, pictured: Normalized, key: Mapping[str, Any]) -> pd.DataFrame:
    source, target = pictured.source, pictured.test
    has_layers = source is not None and hasattr(fitted.method, "layers")
    layers = fitted.as_source.layers(source.X) if has_layers else {}
    if not layers:
        return pd.DataFrame()
    table = shift.shift_table(
        layers,
        fitted.method.layers(target.X),
        source_speaker=source.speaker,
        target_speaker=target.speaker,
        seed=key["seed"],
    )
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
