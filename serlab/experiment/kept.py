"""What a run folder keeps, so that its tables, figures and pages can be made again without fitting::

    kept.json                  state, parameters, what was read, what pretrained networks had heard
    utterances.parquet         what tables need of each utterance; no paths
    same_recordings.parquet    pairs of utterances that share a recording
    vectors.parquet            features, only if they are few
    predictions.parquet        the primary artefact, with fits.parquet beside it
    history, attention, embeddings, shift .parquet
                               what figures show besides answers, where there is any
    choices.parquet            what methods have chosen on sources left out, and by what
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
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from serlab.evaluation import compact, recordings
from serlab.evaluation.finished import Run
from serlab.experiment.parameters import Parameters
from serlab.experiment.preparation import NotKept, Prepared
from serlab.files import DamagedFile, read_parquet, set_aside, write_table, write_text
from serlab.methods import PRIMARY

_T = TypeVar("_T")
#: Remedy for a folder that is not what was written.
_AGAIN = "delete its folder, and the same command makes the run again"

_TABLES = tuple(table.name for table in fields(Run))
#: Columns that name one fit; details have them too.
_FIT = ["method", "fold", "seed"]
#: Numbers that 16 bits are enough for: table -> beginning of the names of their columns.
_ROUNDED = {"predictions": "p_", "attention": "a_", "embeddings": "e_"}
#: Features of so many columns or fewer are kept for figures of all of them together.
MOST_FEATURES = 200
#: Parameters that say where or how fast, or what else, not what: of a study the folder says if it is there.
_WHERE = ("data", "jobs", "device", "studies")


def _default(name: str, others: Mapping[str, Any]) -> Any:
    """JSON value of a parameter that nobody chose beside others."""
    if name == "primary":
        return list(PRIMARY.get(others.get("baseline", Parameters.default("baseline")), ()))
    value = Parameters.default(name)
    return list(value) if isinstance(value, tuple) else value


def rounded(run: Run) -> Run:
    """The same with numbers as they are kept: with and without a folder, all is computed from the same."""
    tables = {table: getattr(run, table) for table in _TABLES}
    for table in ("attention", "embeddings"):  # probabilities are rounded when they are made
        rows, beginning = tables[table], _ROUNDED[table]
        narrow = [column for column in rows if str(column).startswith(beginning)]
        tables[table] = rows.astype(dict.fromkeys(narrow, np.float16)).astype(
            dict.fromkeys(narrow, np.float32)
        )
    return Run(**tables)


def _has_owner(folder: Path) -> bool:
    """Whether what lies in a folder is of another run, or finished pieces that say themselves of what."""
    return (folder / "kept.json").is_file() or folder.name.startswith("parts-")


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
        """Content of kept.json; empty without one.

        Raises
        ------
        NotKept
            If it is damaged.
        """
        path = self.folder / "kept.json"
        return self._json(path, dict) if path.is_file() else {}

    @property
    def is_complete(self) -> bool:
        """Whether the run is finished: then it is answered from the folder, and nothing is fitted."""
        return self.facts.get("state") == "complete"

    @property
    def is_answered(self) -> bool:
        """Whether all methods of the experiment have been run: its folder is complete with its notebook."""
        return self.facts.get("state") in ("answered", "complete")

    def mend(self) -> None:
        """Set a damaged kept.json aside, with a warning: the run goes on with the folds that are there."""
        try:
            _ = self.facts
        except NotKept:
            set_aside(self.folder / "kept.json", "damaged, the run goes on")

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
        known = self.facts["parameters"]
        later = [name for name in parameters if name not in known and name in Parameters.names()]
        # What a run of an earlier version does not name had the value that it has where nobody chooses.
        for name, kept in [*known.items(), *((name, _default(name, known)) for name in later)]:
            asked = parameters.get(name, kept)
            if name not in _WHERE and asked != kept:
                raise NotKept(
                    f"the finished run in {self.folder.name} has {name} {kept!r}, not {asked!r}; "
                    "take another folder"
                )

    def begin(self, basis: str) -> None:
        """Start on a basis of parameters, data and code; what another basis has left here is removed.

        So that nothing is ever mixed: an answer of yesterday's audio with one of today's.

        Parameters
        ----------
        basis : str
            Equal where all three are.
        """
        if self.facts.get("basis") == basis:
            return
        for path in self.folder.rglob("*.parquet"):
            owner = next(folder for folder in path.parents if folder == self.folder or _has_owner(folder))
            if owner == self.folder:
                path.unlink()
        for path in self.folder.glob("answers/*/names.json"):
            path.unlink()
        # Facts of what is removed (what was heard, what made it) are gone with it.
        write_text(self.folder / "kept.json", json.dumps({"state": "running", "basis": basis}) + "\n")

    # --- utterances

    def write_prepared(self, prepared: Prepared, parameters: Mapping[str, Any]) -> None:
        """Keep what tables need of utterances: not where the files lie, and features only if they are few.

        Parameters
        ----------
        prepared : Prepared
        parameters : mapping
            JSON values, without paths of this machine.
        """
        utterances = prepared.utterances.drop(columns=["path", "start", "end"], errors="ignore")
        self._write("utterances", utterances.assign(audio_hash=prepared.audio_hash.reindex(utterances.index)))
        left_out = [(*key, n) for key, n in prepared.left_out.items()]
        self._write("left_out", pd.DataFrame(left_out, columns=["corpus", "emotion", "n"]))
        self._write("skipped_files", prepared.skipped_files.drop(columns="path", errors="ignore"))
        self._write("same_recordings", prepared.same_recordings)
        if prepared.vectors.shape[1] <= MOST_FEATURES:
            self._write("vectors", prepared.vectors)
        self.note(
            state="running", parameters=parameters, notes=prepared.notes, fingerprint=prepared.fingerprint
        )

    def prepared(self) -> Prepared:
        """Utterances as they were prepared; of features, what is kept."""
        table = self._read("utterances")
        vectors = self._read("vectors", missing_ok=True)
        return Prepared(
            utterances=table.drop(columns="audio_hash").assign(path=None, start=np.nan, end=np.nan),
            X=vectors if len(vectors) else None,
            copies=(),
            further={},
            left_out=self._read("left_out").set_index(["corpus", "emotion"])["n"],
            audio_hash=table["audio_hash"],
            skipped_files=self._read("skipped_files"),
            notes=tuple(self.facts["notes"]),
            fingerprint=self.facts["fingerprint"],
            same_recordings=self._read("same_recordings", missing_ok=True).reindex(
                columns=list(recordings.COLUMNS)
            ),
        )

    # --- predictions

    def write_run(self, name: str, run: Run) -> None:
        """Keep the answers of methods, beside those of the same parameters that are there.

        Parameters
        ----------
        name : str
            Folder within this one; empty for the experiment's own.
        run : Run
        """
        replaced = run.fits[_FIT]
        earlier = self._earlier("fits", name)
        if len(earlier):  # what an unfinished run with other parameters has left is no part of this one
            replaced = pd.concat([replaced, earlier.loc[~earlier["run"].isin(run.fits["run"]), _FIT]])
        replaced = replaced.drop_duplicates()
        for table in _TABLES:
            found, own = self._earlier(table, name), getattr(run, table)
            if len(found):
                known = found.merge(replaced, on=_FIT, how="left", indicator=True)["_merge"].eq("both")
                found = found[~known.to_numpy()]
            both = [part for part in (found, own) if len(part)]
            if both:
                self._write(table, compact.stacked(both), name)
            else:  # nothing of this kind is left
                self._path(table, name).unlink(missing_ok=True)

    def _earlier(self, table: str, name: str) -> pd.DataFrame:
        """What is there to be added to; set aside with a warning where it is damaged."""
        try:
            return self._read(table, name, missing_ok=True)
        except NotKept as error:
            set_aside(self._path(table, name), f"of an earlier attempt, made again: {error}")
            return pd.DataFrame()

    def methods(self, name: str = "") -> frozenset[str]:
        """Methods whose answers are kept; ``name`` as in :meth:`write_run`."""
        return frozenset(self._read("fits", name, missing_ok=True).get("method", ()))

    def choices(self) -> pd.DataFrame:
        """What methods have chosen on sources left out; empty where none has, or an older run keeps none."""
        return self._read("choices", missing_ok=True)

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
                rows = compact.where(rows, asked)
                order = compact.places(rows["method"], list(methods))
                if (np.diff(order) < 0).any():
                    rows = rows.iloc[np.argsort(order, kind="stable")]
                rows = compact.trimmed(rows.reset_index(drop=True))
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
        names = self._json(index, list)
        return {key: self._read(str(number), f"answers/{name}") for number, key in enumerate(names)}

    # --- files

    def _json(self, path: Path, kind: type[_T]) -> _T:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise NotKept(f"{path} is damaged ({error}); {_AGAIN}") from None
        if not isinstance(content, kind):
            raise NotKept(f"{path} is damaged (it is no {kind.__name__}); {_AGAIN}")
        return content

    def _path(self, table: str, name: str) -> Path:
        return self.folder / name / f"{table}.parquet"

    def _write(self, table: str, rows: pd.DataFrame, name: str = "") -> None:
        beginning = _ROUNDED.get(table)
        rounded = {c: np.float16 for c in rows if beginning and str(c).startswith(beginning)}
        write = compact.write if table == "predictions" else write_table
        write(self._path(table, name), rows.astype(rounded), compression="zstd", compression_level=12)

    def _read(self, table: str, name: str = "", *, missing_ok: bool = False) -> pd.DataFrame:
        path = self._path(table, name)
        if not path.is_file():
            if missing_ok:
                return pd.DataFrame()
            raise NotKept(f"{self.folder.name} keeps no {path.relative_to(self.folder).as_posix()}")
        try:
            rows = compact.read(path) if table == "predictions" else read_parquet(path)
        except DamagedFile as error:
            raise NotKept(f"{error}; {_AGAIN}") from None
        wide = {column: np.float32 for column, kind in rows.dtypes.items() if kind == np.float16}
        return rows.astype(wide)
