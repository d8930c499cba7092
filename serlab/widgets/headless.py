"""What stands in for a panel where nobody can click."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from serlab import corpora, plotting, progress
from serlab.errors import ParameterError
from serlab.experiment import Parameters, Session, scratch_folder
from serlab.experiment.further import STUDIES
from serlab.methods import OPTIONS
from serlab.reporting import notebooks

#: How a cell asks for a study.
_STUDY = re.compile(r'widgets\.study\(panel\.session, "([a-z-]+)"\)')


@dataclass(frozen=True)
class Fixed:
    """Parameters that nobody can change any more.

    Attributes
    ----------
    parameters : Parameters
    run_folder : str
        Where papermill's run keeps its tables; empty for the scratch folder.
    """

    parameters: Parameters
    run_folder: str = ""

    @cached_property
    def session(self) -> Session:
        """The session of these parameters; its progress goes into the run folder, for whoever waits there."""
        return Session(
            self.parameters,
            folder=self.run_folder or scratch_folder(self.parameters),
            progress=progress.to_file(self.run_folder) if self.run_folder else None,
        )

    @property
    def installed(self) -> list[str]:
        """Corpora that can be read now."""
        return list(corpora.installed(self.parameters.data or None))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": parameter_table(self.parameters).to_html(), "text/plain": repr(self.parameters)}


#: Of a file of guesses: who answered what to which utterance, and how it was meant.
GUESS_COLUMNS = ("listener", "position", "utterance", "corpus", "emotion", "answer", "seconds")


@dataclass(frozen=True)
class Guessed:
    """Guesses that were made before, where nobody can click."""

    path: Path

    @property
    def answers(self) -> pd.DataFrame:
        """One row an answer: :data:`GUESS_COLUMNS`."""
        return read_guesses(self.path)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": f"{len(self.answers)} guesses in {self.path.name}"}


def read_guesses(path: Path) -> pd.DataFrame:
    """The guesses of a file; none where there is no file.

    Raises
    ------
    ParameterError
        If it is no such table.
    """
    if not path.exists():
        return pd.DataFrame(columns=list(GUESS_COLUMNS))
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise ParameterError(f"{path} is not a table of guesses: {error}") from None
    missing = [name for name in GUESS_COLUMNS if name not in table.columns]
    if missing:
        raise ParameterError(f"{path} is not a table of guesses: it has no column {missing[0]!r}")
    return table[list(GUESS_COLUMNS)]


def parameter_table(parameters: Parameters) -> Styler:
    """Parameters as a static table."""
    rows = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in parameters.as_dict().items()
        if value not in ("", [])
    }
    table = pd.DataFrame({"parameter": list(rows), "value": list(rows.values())})
    return plotting.display_table(table, "Parameters of this run")


#: Named in a command only where they are not the default: what changes no number, or only some methods.
_SILENT = ("data", "jobs", "device", "seconds", "augment", "transductive", *OPTIONS)


def command(
    parameters: Parameters, notebook: str = "01", *, program: str = "serlab", more: Sequence[str] = ()
) -> str:
    """Command line that runs a notebook with these parameters.

    Parameters
    ----------
    parameters : Parameters
    notebook : str
    program : str
        Path of ``serlab``, where it is not on everybody's.
    more : sequence of str
        Further words behind it.
    """
    known = declared(notebook) - {"preset"}
    words = [program, "run", notebook, *more]
    if set(parameters.studies) == set(usual_studies(notebook)):
        known = known - {"studies"}  # all of the notebook: what it does unasked
    for name, value in parameters.as_dict().items():
        default = Parameters.default(name)
        is_default = value == (list(default) if isinstance(default, tuple) else default)
        if name not in known or (name in _SILENT and is_default):
            continue
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words += ["-p", f"{name}={text}"]
    return shlex.join([*words, "--preset", parameters.preset])


def offered_studies(notebook: str) -> tuple[str, ...]:
    """Studies that a notebook has a cell for, those that it runs unasked first."""
    if not notebooks.available():
        return ()
    text = notebooks.find(notebook).read_text(encoding="utf-8").replace('\\"', '"')
    named = [name for name in _STUDY.findall(text) if name in STUDIES]
    return tuple(dict.fromkeys([*usual_studies(notebook), *named]))


def usual_studies(notebook: str) -> tuple[str, ...]:
    """Studies that a notebook runs where nobody chooses."""
    if not notebooks.available():
        return ()
    found = notebooks.parameters(notebooks.find(notebook)).get("studies")
    return () if found is None else tuple(found.default)


def declared(notebook: str) -> set[str]:
    """Parameters that a notebook has; all there are, where no notebooks can be found."""
    if not notebooks.available():
        return set(Parameters.names())
    return set(notebooks.parameters(notebooks.find(notebook)))
