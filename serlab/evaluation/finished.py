"""What runs leave behind, and where finished folds of a method and seed are kept and found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import files
from serlab.evaluation import compact
from serlab.evaluation.shelf import Shelf, digest
from serlab.protocols import Split


@dataclass(frozen=True, kw_only=True)
class Run:
    """What :func:`serlab.evaluation.run` leaves behind.

    Attributes
    ----------
    predictions : DataFrame
        One row a tested utterance x method x fold x seed: run, method, fold,
        seed, utterance, y_true, y_pred and one ``p_<class>`` a class; compact
        (:mod:`serlab.evaluation.compact`).
    fits : DataFrame
        One row a method x fold x seed (:data:`serlab.evaluation.FIT_COLUMNS`): what of the
        target was seen, sizes, seconds; ``skipped`` says why a fold of a
        method could not be run, and is empty otherwise.
    history : DataFrame
        One row an epoch of a network: method, fold, seed, stage, epoch, loss, uar ...
    attention : DataFrame
        Of networks that have it, first seed only: method, fold, seed,
        utterance, part ("train" or "test") and the weights ``a_1``, ``a_2`` ...
    embeddings : DataFrame
        Likewise, first fold only, all of source and target (part "test": not
        given with labels): what the output layer sees, ``e_1`` ...
    shift : DataFrame
        Likewise: how far apart source and target are in each layer of a network
        that names them, on speakers of either that it has learned nothing of, see
        :func:`serlab.evaluation.details.shift_of_layers`.
    choices : DataFrame
        Of methods that choose on sources left out, every seed and fold: method, fold, seed, left_out,
        penalty, way, uar, chosen (bool), see :attr:`serlab.methods.learners.nested.NestedChoice.chosen_by`.
    """

    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    fits: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    attention: pd.DataFrame = field(default_factory=pd.DataFrame)
    embeddings: pd.DataFrame = field(default_factory=pd.DataFrame)
    shift: pd.DataFrame = field(default_factory=pd.DataFrame)
    choices: pd.DataFrame = field(default_factory=pd.DataFrame)


TABLES = tuple(table.name for table in fields(Run))


def joined(parts: Sequence[Run], *, consumed: bool = False) -> Run:
    """The rows of several, one below the other.

    Parameters
    ----------
    parts : sequence of Run
    consumed : bool
        Whether they are not needed any more, see :func:`serlab.evaluation.compact.stacked`.
    """
    # A method that no fold allowed has no predictions, and so no types.
    filled = {name: [t for t in (getattr(part, name) for part in parts) if len(t)] for name in TABLES}
    return Run(
        **{name: compact.stacked(tables, consumed=consumed) for name, tables in filled.items() if tables}
    )


def in_order(run: Run, splits: Sequence[Split]) -> Run:
    """The same with rows in the order of folds, wherever they were found."""
    order = [split.fold for split in splits]
    tables = {}
    for name in TABLES:
        table = getattr(run, name)
        if len(table):
            at = compact.places(table["fold"], order)
            if (np.diff(at) < 0).any():
                table = table.iloc[np.argsort(at, kind="stable")].reset_index(drop=True)
        tables[name] = table
    return Run(**tables)


#: Tables that hold what only figures show.
_OF_DETAILS = ("attention", "embeddings", "shift")
#: Marks of what is kept of a fold besides answers, see :func:`serlab.evaluation.shelf.digest`.
_WITH_DETAILS, _LOOKED_INTO = "details", "looked into"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the folds of one method and seed are kept.

    Attributes
    ----------
    stem : Path, optional
        Beginning of the names of files of this run alone.
    shelf : Shelf, optional
        Shared with whoever needs the same.
    with_details : bool
        Whether what only figures show is kept, too.
    looked_into : str
        Fold of which most details are kept.
    """

    stem: Path | None
    shelf: Shelf | None
    with_details: bool
    looked_into: str

    def find(self, splits: Sequence[Split]) -> Run:
        """Folds of an earlier attempt at this run, and those that somebody has put on the shelf."""
        here = _load(self.stem)
        if self.shelf is None:
            return here
        finished = set(here.fits["fold"]) if len(here.fits) else set()
        parts = [here]
        # Who needs no details takes the answers of a fit that has kept them, too.
        for mark in (None,) if self.with_details else (None, _WITH_DETAILS, _LOOKED_INTO):
            wanted = {
                split.fold: digest(split, mark=self._mark(split) if mark is None else mark)
                for split in splits
                if split.fold not in finished
            }
            if not wanted:
                break
            tables = self.shelf.find(wanted)
            if "fits" in tables:
                left_out = () if self.with_details else _OF_DETAILS
                parts.append(Run(**{n: tables[n] for n in TABLES if n in tables and n not in left_out}))
                finished |= set(tables["fits"]["fold"])
        return here if len(parts) == 1 else in_order(joined(parts), splits)

    def share(self, parts: Sequence[Run], splits: Sequence[Split]) -> None:
        """Put folds that were fitted now on the shelf."""
        if self.shelf is not None and splits:
            done = joined(parts)
            tables = {name: getattr(done, name) for name in TABLES}
            tables["predictions"] = compact.trimmed(done.predictions)
            self.shelf.add(tables, self.digests(splits))

    def digests(self, splits: Sequence[Split]) -> dict[str, str]:
        """Fold -> what the shelf knows it by."""
        return {split.fold: digest(split, mark=self._mark(split)) for split in splits}

    def save(self, done: Run) -> None:
        """Write the folds done so far; the fits last: only folds listed there count as whole."""
        if self.stem is None:
            return
        for name in sorted(TABLES, key=lambda name: name == "fits"):
            table = getattr(done, name)
            if len(table):
                files.write_table(self.stem.with_name(f"{self.stem.name}.{name}.parquet"), table)

    def _mark(self, split: Split) -> str:
        if not self.with_details:
            return ""
        return _LOOKED_INTO if split.fold == self.looked_into else _WITH_DETAILS


def _load(stem: Path | None) -> Run:
    """Folds found on disk, if any. Damaged files are set aside: their folds are run again."""
    if stem is None:
        return Run()
    paths = {name: stem.with_name(f"{stem.name}.{name}.parquet") for name in TABLES}
    try:
        tables = {
            name: compact.read(path) if name == "predictions" else files.read_parquet(path)
            for name, path in paths.items()
            if path.is_file()
        }
    except files.DamagedFile as error:
        for path in paths.values():
            if path.is_file():
                files.set_aside(path, f"of folds that are run again: {error}")
        return Run()
    if "fits" not in tables:
        return Run()
    whole = set(tables["fits"]["fold"])
    return Run(**{name: compact.where(table, table["fold"].isin(whole)) for name, table in tables.items()})
