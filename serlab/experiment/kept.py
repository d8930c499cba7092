"""What a run folder keeps, so that its tables, figures and pages can be made again without fitting::

    kept.json                  state, parameters, what was read, what pretrained networks had heard
    utterances.parquet         what tables need of each utterance; no features, no paths
    predictions.parquet        the primary artefact, with fits.parquet beside it
    history, attention, embeddings, shift .parquet
                               what figures show besides answers, where there is any
    <name>/predictions ...     the same of a study that fits on other splits
    answers/<name>/            tables of questions that need features or a network

Probabilities, embeddings and attention are kept in 16 bits, and a run with a
folder computes its tables from what it has written: what is made again from
the folder is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab.errors import SerlabError
from serlab.evaluation.running import Run
from serlab.files import whole, write_text

_TABLES = tuple(table.name for table in fields(Run))
#: Columns that name one fit; details have them too.
_FIT = ["method", "fold", "seed"]
#: Columns of numbers that 16 bits are enough for, by the beginning of their names.
_ROUNDED = ("p_", "a_", "e_")
#: Parameters that say where or how fast, not what.
_WHERE = ("data", "jobs", "device")


class NotKept(SerlabError):
    """A finished run is asked for what it does not keep; nothing is fitted to answer."""


@dataclass(frozen=True)
class Kept:
    """The artefacts of one experiment in its folder.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    # --- what the folder says of itself

    @property
    def facts(self) -> dict[str, Any]:
        """Content of kept.json; empty without one."""
        path = self.folder / "kept.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    @property
    def is_complete(self) -> bool:
        """Whether the run is finished: then it is answered from the folder, and nothing is fitted."""
        return self.facts.get("state") == "complete"

    def note(self, **facts: Any) -> None:
        """Add facts to kept.json."""
        text = json.dumps({**self.facts, **facts}, indent=1, ensure_ascii=False)
        write_text(self.folder / "kept.json", text + "\n")

    def require(self, parameters: Mapping[str, Any]) -> None:
        """Refuse a folder that was made with other parameters.

        Raises
        ------
        NotKept
            Naming the parameter and both values.
        """
        for name, kept in self.facts["parameters"].items():
            asked = parameters.get(name, kept)
            if name not in _WHERE and asked != kept:
                raise NotKept(
                    f"the finished run in {self.folder.name} has {name} {kept!r}, not {asked!r}; "
                    "take another folder"
                )

    # --- utterances

    def write_utterances(self, utterances: pd.DataFrame, audio_hash: pd.Series) -> None:
        """Keep what tables need of utterances: not where the files lie."""
        table = utterances.drop(columns=["path", "start", "end"], errors="ignore")
        self._write("utterances", table.assign(audio_hash=audio_hash.reindex(table.index)))

    def utterances(self) -> tuple[pd.DataFrame, pd.Series]:
        """Utterances with their classes in order, and hashes of their audio."""
        table = self._read("utterances").assign(path=None, start=np.nan, end=np.nan)
        return table.drop(columns="audio_hash"), table["audio_hash"]

    # --- predictions

    def write_run(self, name: str, run: Run) -> None:
        """Keep the answers of methods, beside those that are there.

        Parameters
        ----------
        name : str
            Folder within this one; empty for the experiment's own.
        run : Run
        """
        new = run.fits[_FIT].drop_duplicates()
        for table in _TABLES:
            found, own = self._read(table, name, missing_ok=True), getattr(run, table)
            if len(found):
                known = found.merge(new, on=_FIT, how="left", indicator=True)["_merge"].eq("both")
                found = found[~known.to_numpy()]
            both = [part for part in (found, own) if len(part)]
            if both:
                self._write(table, pd.concat(both, ignore_index=True), name)

    def run(self, name: str, methods: Collection[str], folds: Collection[str], seeds: Collection[int]) -> Run:
        """Answers of methods on folds, as they were kept.

        Raises
        ------
        NotKept
            If a method or a fold is not among them.
        """
        fits = self._read("fits", name)
        self._require_kept("method", methods, fits["method"])
        self._require_kept("fold", folds, fits["fold"])
        tables = {table: self._read(table, name, missing_ok=True) for table in _TABLES}
        chosen = {}
        for table, rows in tables.items():
            if len(rows):
                asked = rows["method"].isin(methods) & rows["fold"].isin(folds) & rows["seed"].isin(seeds)
                rows = rows[asked]
                order = pd.Categorical(rows["method"], categories=list(methods), ordered=True)
                rows = rows.iloc[np.argsort(order.codes, kind="stable")].reset_index(drop=True)
            chosen[table] = rows
        return Run(**chosen)

    def _require_kept(self, what: str, asked: Collection[str], found: pd.Series) -> None:
        missing = [name for name in asked if name not in set(found)]
        if missing:
            raise NotKept(f"{self.folder.name} keeps no predictions of {what} {', '.join(missing)}")

    # --- answers to other questions

    def answers(
        self, name: str, compute: Callable[[], Mapping[str, pd.DataFrame]]
    ) -> dict[str, pd.DataFrame]:
        """Tables by their names: those that are kept of a finished run, else computed, and kept.

        Raises
        ------
        NotKept
            If a finished run has not answered the question.
        """
        index = self.folder / "answers" / name / "names.json"
        if self.is_complete:
            if not index.is_file():
                raise NotKept(f"{self.folder.name} keeps no answer to {name!r}")
        else:
            tables = compute()
            for number, table in enumerate(tables.values()):
                self._write(str(number), table, f"answers/{name}")
            write_text(index, json.dumps(list(tables), ensure_ascii=False))
        names = json.loads(index.read_text(encoding="utf-8"))
        return {key: self._read(str(number), f"answers/{name}") for number, key in enumerate(names)}

    # --- files

    def _path(self, table: str, name: str) -> Path:
        return self.folder / name / f"{table}.parquet"

    def _write(self, table: str, rows: pd.DataFrame, name: str = "") -> None:
        rounded = {column: np.float16 for column in rows if str(column).startswith(_ROUNDED)}
        with whole(self._path(table, name)) as unfinished:
            rows.astype(rounded).to_parquet(unfinished, compression="zstd", compression_level=12)

    def _read(self, table: str, name: str = "", *, missing_ok: bool = False) -> pd.DataFrame:
        path = self._path(table, name)
        if not path.is_file():
            if missing_ok:
                return pd.DataFrame()
            raise NotKept(f"{self.folder.name} keeps no {path.relative_to(self.folder).as_posix()}")
        rows = pd.read_parquet(path)
        wide = {column: np.float32 for column, kind in rows.dtypes.items() if kind == np.float16}
        return rows.astype(wide)
