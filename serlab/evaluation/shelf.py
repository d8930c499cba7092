"""Finished fits where others find them: no fit of the same method, data, seed and code is made twice.

A *shelf* is a folder for one method and seed on one state of data, parameters
and code; whoever opens it says by its name which. On it lie *pieces*, files of
some folds each, whole or not there. Who needs folds looks for those whose
splits are the same, row by row; who has fitted some adds a piece. Several may
do so at once: a piece is named by what is in it, and nothing is ever changed.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serlab import files, pruning
from serlab.evaluation import compact

if TYPE_CHECKING:  # scikit-learn, and a wrong parameter is answered before that is loaded
    from serlab.protocols import Split

#: Column of every table that names a fold.
_FOLD = "fold"


@dataclass(frozen=True)
class Shelf:
    """The finished folds of one method and seed.

    Attributes
    ----------
    folder : Path
        Made when the first piece is added.
    strict : bool
        Whether a piece that cannot be written is an error. If not, it is a
        warning: a shelf is a help, and the work goes on without.
    """

    folder: Path
    strict: bool = False

    def find(self, wanted: Mapping[str, str]) -> dict[str, pd.DataFrame]:
        """Tables of those folds that are here; what is damaged is set aside and as good as not there.

        Parameters
        ----------
        wanted : mapping of str to str
            Fold -> digest of its split, see :func:`digest`.

        Returns
        -------
        dict of str to DataFrame
            Only tables that have rows.
        """
        missing, parts = dict(wanted), []
        for path in sorted(self.folder.glob("*.zip")):
            if not missing:
                break
            try:
                held = files.read_facts(path)["folds"]
                useful = [fold for fold, split in missing.items() if held.get(fold) == split]
                if not useful:
                    continue
                tables = files.read_tables(path)
                pruning.touched(path)
                parts.append({name: _of_folds(table, useful) for name, table in tables.items()})
            except (files.DamagedFile, KeyError, AttributeError) as error:
                with suppress(FileNotFoundError):  # somebody else was quicker
                    files.set_aside(path, f"of finished fits, which are made again: {error}")
                continue
            except FileNotFoundError:
                continue
            for fold in useful:
                del missing[fold]
        joined = {
            name: [part[name] for part in parts if len(part.get(name, ()))]
            for name in dict.fromkeys(name for part in parts for name in part)
        }
        return {name: compact.stacked(rows) for name, rows in joined.items() if rows}

    def holding(self, wanted: Mapping[str, str]) -> list[str]:
        """Names of the pieces that :meth:`find` would read."""
        missing, names = dict(wanted), []
        for path in sorted(self.folder.glob("*.zip")):
            try:
                held = files.read_facts(path)["folds"]
                found = [fold for fold, split in missing.items() if held.get(fold) == split]
            except (files.DamagedFile, FileNotFoundError, KeyError, AttributeError):
                continue
            names += [path.name] if found else []
            for fold in found:
                del missing[fold]
        return names

    def add(self, tables: Mapping[str, pd.DataFrame], splits: Mapping[str, str]) -> None:
        """Put finished folds here.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            By name, each with a column ``fold``; empty ones are left out.
        splits : mapping of str to str
            Fold -> digest of its split, of all folds that are finished.

        Raises
        ------
        OSError
            If it cannot be written, and the shelf is strict.
        """
        if not splits:
            return
        name = hashlib.blake2b(repr(sorted(splits.items())).encode(), digest_size=10).hexdigest()
        full = {key: table for key, table in tables.items() if len(table)}
        try:
            files.write_tables(self.folder / f"{name}.zip", full, facts={"folds": dict(splits)})
        except OSError as error:
            if self.strict:
                raise
            warnings.warn(
                f"finished fits cannot be kept for others in {self.folder} ({error.strerror})", stacklevel=2
            )


def _of_folds(table: pd.DataFrame, folds: Collection[str]) -> pd.DataFrame:
    return compact.where(table, table[_FOLD].isin(folds))


def digest(split: Split, *, mark: str = "") -> str:
    """What makes a split the one it is: its name, and the rows of each part in their order.

    Parameters
    ----------
    split : Split
    mark : str
        What else tells results on it apart: with what is drawn in figures, or without.

    Examples
    --------
    >>> from serlab.protocols import Split
    >>> rows = np.arange(3)
    >>> one = Split("a", train=rows, target_train=rows[:0], adapt=rows[:0], validation=rows[:0], test=rows)
    >>> digest(one) == digest(one), digest(one) == digest(one, mark="figures")
    (True, False)
    """
    hashed = hashlib.blake2b(f"{split.fold}\0{mark}".encode(), digest_size=10)
    for part in (split.train, split.target_train, split.adapt, split.validation, split.test):
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(np.ascontiguousarray(part, dtype=np.int64).data)
    return hashed.hexdigest()
