"""Tables of answers in few bytes: 100,000 utterances in 100 folds are 5 million rows a method.

In such a table a name (of an utterance, a fold, a method, a run) is there once, in sorted order, and a row
has its number: a categorical, which compares, groups and sorts as text does. Numbers of classes have 16 bits,
seeds and rounded probabilities 32. On disk names are text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import files

#: Columns of names.
NAMES = ("run", "method", "fold", "utterance")
#: Columns of whole numbers, and what they fit into.
_NUMBERS: dict[str, type[np.signedinteger[Any]]] = {"seed": np.int32, "y_true": np.int16, "y_pred": np.int16}
#: Rows that are written, or filtered, at once.
_ROWS = 1 << 18


def repeated(name: str, n: int) -> pd.Categorical:
    """A column of one name."""
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), categories=[name])


def column(names: Sequence[str] | pd.Index | pd.Series) -> pd.Categorical:
    """A column of names, each kept once, in sorted order.

    Examples
    --------
    >>> column(["b", "a", "b"]).codes
    array([1, 0, 1], dtype=int8)
    """
    known = names.array if isinstance(names, pd.Series) else names
    found = known if isinstance(known, pd.Categorical) else pd.Categorical(pd.Index(known))
    if found.categories.dtype == object and found.categories.inferred_type == "string":
        found = found.rename_categories(found.categories.astype("str"))  # one type, to be put together
    if found.categories.is_monotonic_increasing:  # pandas remembers that, of an index that columns share
        return found
    return found.set_categories(found.categories.sort_values())


def compact(table: pd.DataFrame) -> pd.DataFrame:
    """The same table in few bytes; columns that are no answers' stay as they are.

    Parameters
    ----------
    table : DataFrame
        As :attr:`serlab.evaluation.Run.predictions`; numbers that do not fit stay as they are, too.
    """
    found = {}
    for name in table:
        values = table[name]
        if name in NAMES:
            found[name] = column(values)
        elif name in _NUMBERS and values.dtype.kind in "iu":
            kind = np.iinfo(_NUMBERS[name])
            fits = not len(values) or kind.min <= values.min() <= values.max() <= kind.max
            found[name] = values.to_numpy(dtype=_NUMBERS[name]) if fits else values.to_numpy()
        elif values.dtype == np.float16:
            found[name] = values.to_numpy(dtype=np.float32)
        else:
            found[name] = values.array
    return pd.DataFrame(found, index=table.index, copy=False)


def stacked(tables: Sequence[pd.DataFrame], *, consumed: bool = False) -> pd.DataFrame:
    """Rows of several tables, one below the other; what was compact stays so.

    pandas makes text of names where two tables know different ones.

    Parameters
    ----------
    tables : sequence of DataFrame
    consumed : bool
        Whether the tables may lose their columns on the way, so that no more than one column is there twice.

    Examples
    --------
    >>> one, other = (compact(pd.DataFrame({"fold": [name]})) for name in "ab")
    >>> stacked([one, other])["fold"].cat.codes.tolist()
    [0, 1]
    """
    first = tables[0]
    named = [name for name in first if name in NAMES and _are_compact(tables, name)]
    if not named or any(list(table) != list(first) for table in tables):
        return pd.concat(tables, ignore_index=True)
    if len(tables) == 1:
        return first.reset_index(drop=True)
    columns = {}
    for name in list(first):
        parts = [table.pop(name) if consumed else table[name] for table in tables]
        columns[name] = (
            pd.api.types.union_categoricals([part.array for part in parts], sort_categories=True)
            if name in named
            else pd.concat(parts, ignore_index=True).array
        )
    return pd.DataFrame(columns, copy=False)


def _are_compact(tables: Sequence[pd.DataFrame], name: str) -> bool:
    """Whether a column is in all of them, as numbers of names of one type."""
    kinds = [table[name].dtype for table in tables if name in table]
    categorical = [kind for kind in kinds if isinstance(kind, pd.CategoricalDtype)]
    return len(categorical) == len(tables) and len({kind.categories.dtype for kind in categorical}) == 1


def where(table: pd.DataFrame, asked: pd.Series | np.ndarray) -> pd.DataFrame:
    """Rows that are asked for; no copy of them if that is all of them."""
    return table if asked.all() else table[asked]


def trimmed(table: pd.DataFrame) -> pd.DataFrame:
    """The same without names that no row has."""
    columns = {name: table[name].array for name in table if name in NAMES}
    kept = {name: _trimmed(own) for name, own in columns.items() if isinstance(own, pd.Categorical)}
    return table.assign(**kept)


def _trimmed(names: pd.Categorical) -> pd.Categorical:
    """As pandas' ``remove_unused_categories``, which sorts all rows for it."""
    used = np.zeros(len(names.categories), dtype=bool)
    used[names.codes] = True
    if used.all():
        return names
    number = np.cumsum(used, dtype=names.codes.dtype) - names.codes.dtype.type(1)
    return pd.Categorical.from_codes(number[names.codes], categories=names.categories[used])


def places(names: pd.Series, order: Sequence[str]) -> np.ndarray:
    """Place of each row's name in an order; rows of other names are not allowed.

    Returns
    -------
    ndarray of int32, shape (n,)
    """
    code, known = _numbered(names)
    place = {name: number for number, name in enumerate(order)}
    return np.array([place.get(name, -1) for name in known], dtype=np.int32)[code]


def valued(names: pd.Series, values: pd.Series, *, missing: int) -> np.ndarray:
    """Value of each row's name; each name is looked up once.

    Parameters
    ----------
    names : Series, shape (n,)
    values : Series of int
        Name -> value.
    missing : int
        Of names that have none.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    code, known = _numbered(names)
    return values.reindex(np.asarray(known, dtype=object), fill_value=missing).to_numpy()[code]


def _numbered(names: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Number of each row's name, and the names."""
    own = names.array
    return (own.codes, own.categories) if isinstance(own, pd.Categorical) else pd.factorize(names)


def methods_in(predictions: pd.DataFrame) -> list[str]:
    """Methods of a table of answers, in the order of its rows."""
    return list(predictions["method"].unique())


def of_method(predictions: pd.DataFrame, method: str) -> pd.DataFrame:
    """Rows of one method; no copy of them where they stand together."""
    own = (predictions["method"] == method).to_numpy(dtype=bool)
    n = int(np.count_nonzero(own))
    start = int(own.argmax()) if n else 0
    return predictions.iloc[start : start + n] if own[start : start + n].all() else predictions[own]


def write(path: Path, table: pd.DataFrame, **options: object) -> None:
    """Write a table of answers as Parquet, names as text, a part after the other.

    Parameters
    ----------
    path : Path
    table : DataFrame
    **options
        Of Parquet (``compression``).
    """
    kinds = {name: table[name].dtype for name in table if name in NAMES}
    text = {n: kind.categories.dtype for n, kind in kinds.items() if isinstance(kind, pd.CategoricalDtype)}
    parts = (table.iloc[start : start + _ROWS] for start in range(0, max(len(table), 1), _ROWS))
    files.write_parts(path, (part.astype(text) for part in parts), **options)


def read(path: Path) -> pd.DataFrame:
    """A table of answers, compact, whoever has written it.

    Raises
    ------
    DamagedFile
    """
    return compact(files.read_parquet(path, names=NAMES))
