"""Plans: tables of experiments, and the units of work in them.

A row of a plan is an experiment: parameters by name, and perhaps the notebook
whose report is made of it (``notebook``), and into how many parts folds are
divided (``groups``). As CSV a column is a parameter, with commas between the
entries of a list, and an empty cell is the default. As YAML a plan is a list of
rows, or::

    common: {preset: quick, methods: [rf-source, rf-source-z]}
    corpora: [emodb, ravdess, urdu]     # all ordered pairs
    each: {scheme: [arousal, valence]}  # every combination
    rows: [...]                         # or instead of corpora

As Python it is a file that puts such rows into a variable ``plan``.
"""

from __future__ import annotations

import csv
import io
import itertools
import runpy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from serlab import corpora
from serlab import data as corpus_data
from serlab.errors import ParameterError, SerlabError, meant
from serlab.experiment import checks, work
from serlab.experiment.parameters import Parameters
from serlab.experiment.work import Unit
from serlab.files import write_text
from serlab.reporting import notebooks

#: Columns that are no parameters.
OWN = ("notebook", "groups")
#: Parts of a plan in YAML.
_PARTS: dict[str, type] = {"common": dict, "corpora": list, "leave_one_out": list, "each": dict, "rows": list}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A row of a plan.

    Attributes
    ----------
    parameters : Parameters
    given : mapping of str to value
        What the row says, for the notebook.
    notebook : str
        Whose report is made when all units are done; empty for none.
    groups : int
        Parts into which folds are divided.
    """

    parameters: Parameters
    given: Mapping[str, Any]
    notebook: str = ""
    groups: int = 1

    @property
    def title(self) -> str:
        """For progress and errors."""
        return f"{'+'.join(self.parameters.sources) or 'no source'} to {self.parameters.target}"


@dataclass(frozen=True)
class Plan:
    """Experiments to be run.

    Attributes
    ----------
    name : str
        Of its page.
    experiments : tuple of Experiment
    """

    name: str
    experiments: tuple[Experiment, ...]

    def units(self, *, data: str = "") -> list[Unit]:
        """All units, each once, though several experiments may need it.

        Parameters
        ----------
        data : str
            Data root; empty for the default.

        Raises
        ------
        CorpusError
            If a corpus is not installed.
        ParameterError
            If what an experiment asks for cannot be divided into folds.
        """
        return list({unit.name: unit for units in self.by_experiment(data=data) for unit in units}.values())

    def by_experiment(self, *, data: str = "") -> list[list[Unit]]:
        """The units of each experiment; the same object where two have the same."""
        known: dict[str, Unit] = {}
        prints: dict[tuple[str, ...], str] = {}
        tables: dict[tuple[str, ...], pd.DataFrame] = {}
        found = []
        for one in self.experiments:
            asked = (one.parameters.target, *one.parameters.sources)
            if asked not in tables:
                tables[asked] = corpora.read_many(asked, data or None)
                prints[asked] = corpus_data.fingerprint(tables[asked])
            try:
                checks.require_folds(one.parameters, tables[asked])
            except SerlabError as error:
                raise ParameterError(f"plan {self.name}, {one.title}: {error}") from None
            own = work.units(one.parameters, fingerprint=prints[asked], groups=one.groups)
            found.append([known.setdefault(unit.name, unit) for unit in own])
        return found


def of_rows(rows: Iterable[Mapping[str, Any]], *, name: str = "plan") -> Plan:
    """A plan of rows, each checked.

    Raises
    ------
    ParameterError
        Naming the row and what is wrong.
    """
    experiments = []
    for number, row in enumerate(rows, start=1):
        try:
            experiments.append(_experiment(row))
        except SerlabError as error:
            raise ParameterError(f"plan {name}, row {number}: {error}") from None
    if not experiments:
        raise ParameterError(f"plan {name} has no rows")
    return Plan(name, tuple(experiments))


def _experiment(row: Mapping[str, Any]) -> Experiment:
    if not isinstance(row, Mapping):
        raise ParameterError(f"a row is a mapping of parameters, not {row!r}")
    given = {
        str(key).strip(): value for key, value in row.items() if key is not None and value not in ("", None)
    }
    known = (*Parameters.names(), *OWN)
    for key in given:
        if key not in known:
            raise ParameterError(f"there is no parameter {key!r}{meant(key, known)}")
    notebook = str(given.pop("notebook", ""))
    groups = notebooks.convert("groups", given.pop("groups", 1), "int")
    if groups < 1:
        raise ParameterError(f"'groups' is one or more, not {groups}")
    if notebook:
        notebook = notebook.zfill(2) if notebook.isdigit() else notebook  # a spreadsheet makes 1 of 01
        values = notebooks.complete(notebooks.find(notebook), given)
        if "target" not in values:
            raise ParameterError(
                f"notebook {notebook} is not about an experiment: it has no parameter 'target'"
            )
    else:
        values = {key: notebooks.convert(key, value, _kind(key)) for key, value in given.items()}
        if "target" not in values:
            raise ParameterError("there is no target")
    return Experiment(parameters=checks.require_sense(values), given=given, notebook=notebook, groups=groups)


def _kind(name: str) -> str:
    default = Parameters.default(name)
    if isinstance(default, tuple):
        return "list[int]" if name == "seeds" else "list[str]"
    return "str" if default is None else type(default).__name__


def pairs(
    names: Sequence[str],
    *,
    leave_one_out: bool = False,
    each: Mapping[str, Sequence[Any]] | None = None,
    common: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Rows of all ordered pairs of corpora, or of each corpus as target with all others as sources.

    Raises
    ------
    ParameterError
        If there are fewer than two corpora.
    """
    names = list(dict.fromkeys(names))
    if len(names) < 2:
        raise ParameterError(f"pairs need two corpora, not {len(names)}: --corpora emodb,ravdess")
    if leave_one_out:
        asked = [{"sources": [name for name in names if name != own], "target": own} for own in names]
    else:
        asked = [{"sources": [source], "target": own} for source, own in itertools.permutations(names, 2)]
    return [{**(common or {}), **more, **pair} for more in _combinations(each or {}) for pair in asked]


def _combinations(each: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    values = [list(value) if isinstance(value, list | tuple) else [value] for value in each.values()]
    return [dict(zip(each, chosen, strict=True)) for chosen in itertools.product(*values)]


def read(path: Path | str) -> Plan:
    """A plan from a file, by its ending: .csv, .yaml or .yml, .py.

    A Python file is executed: take only one that you trust.

    Raises
    ------
    ParameterError
        Naming the file and what is wrong in it.
    """
    path = Path(path)
    readers = {".csv": _read_csv, ".yaml": _read_yaml, ".yml": _read_yaml, ".py": _read_python}
    if path.suffix not in readers:
        raise ParameterError(f"{path}: a plan ends in {', '.join(readers)}")
    if not path.is_file():
        raise ParameterError(f"there is no plan {path}; `serlab plan {path} --corpora A,B` writes one")
    try:
        rows = readers[path.suffix](path)
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is not text in UTF-8 ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
    return of_rows(rows, name=path.stem)


def _read_csv(path: Path) -> list[dict[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True)
        rows = list(reader)
    except csv.Error as error:
        raise ParameterError(f"{path} is not a table: {error}") from None
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise ParameterError(
                f'{path}, row {number} has more cells than the heading; put a list into quotes: "emodb,urdu"'
            )
    return [{key: value for key, value in row.items() if value} for row in rows]


def _read_yaml(path: Path) -> list[dict[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ParameterError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: a plan is a list of rows, or has {', '.join(_PARTS)}")
    for key in content:
        if key not in _PARTS:
            raise ParameterError(f"{path}: there is no {key!r} in a plan{meant(str(key), _PARTS)}")
    parts = {
        key: content.get(key) or kind()
        for key, kind in zip(_PARTS, (dict, list, list, dict, list), strict=True)
    }
    for key, kind in zip(_PARTS, (dict, list, list, dict, list), strict=True):
        if not isinstance(parts[key], kind):
            raise ParameterError(f"{path}: {key!r} is a {'mapping' if kind is dict else 'list'}")
    rows = [
        {**parts["common"], **more, **row} if isinstance(row, dict) else row
        for more in _combinations(parts["each"])
        for row in parts["rows"]
    ]
    for key in ("corpora", "leave_one_out"):
        if parts[key]:
            names = [str(name) for name in parts[key]]
            rows += pairs(
                names, leave_one_out=key == "leave_one_out", each=parts["each"], common=parts["common"]
            )
    return rows


def _read_python(path: Path) -> list[dict[str, Any]]:
    try:
        found = runpy.run_path(str(path)).get("plan")
    except Exception as error:  # whatever somebody's code does
        raise ParameterError(f"{path}: {type(error).__name__}: {error}") from None
    if not isinstance(found, list | tuple):
        raise ParameterError(f"{path} puts no list of rows into a variable 'plan'")
    return list(found)


def write(path: Path | str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV or YAML, by the ending.

    Raises
    ------
    ParameterError
        For another ending, or if it cannot be written.
    """
    path = Path(path)
    if path.suffix == ".csv":
        text = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = csv.DictWriter(text, names, lineterminator="\n")
        table.writeheader()
        table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
        content = text.getvalue()
    elif path.suffix in (".yaml", ".yml"):
        content = yaml.safe_dump([dict(row) for row in rows], sort_keys=False, allow_unicode=True)
    else:
        raise ParameterError(f"{path}: a plan is written as .csv or .yaml")
    try:
        write_text(path, content)
    except OSError as error:
        raise ParameterError(f"{path} cannot be written: {error.strerror}") from None


def _cell(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
