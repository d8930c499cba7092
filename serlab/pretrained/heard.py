"""What published encoders have heard: languages and corpora, each with its source.

A pretrained network that was tuned on the corpus a result is measured on has seen the answers; one
that has heard the target's language is no stranger to it. Both can be said only where its makers say what
they trained on. What stands here is theirs, by the name under which a model is published; a
folder that is named otherwise may say it in a file of its own, :data:`FILE`. About all others nothing is
known, and reports say that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from serlab.errors import ParameterError
from serlab.pretrained import documents
from serlab.pretrained.said import SAID

#: In a model's folder, what it has heard: {"languages": ["en"], "complete": true, "pretrained_on": [],
#: "tuned_on": ["emodb"], "source": "..."}.
FILE = "heard.json"

#: Words in the labels of a classifier that tell that it was tuned to name emotions.
_EMOTIONS = ("ang", "happ", "joy", "sad", "fear", "disg", "neut", "arousal", "valence")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a network was trained on.

    Attributes
    ----------
    name : str
        Of the model.
    languages : tuple of str
        ISO 639 codes of the languages it has heard.
    complete : bool
        Whether these are all.
    pretrained_on : tuple of str
        Corpora it has heard without labels of emotion, or with their words; of corpora that serlab
        reads, by their keys.
    tuned_on : tuple of str
        Corpora whose labels of emotion it has learned.
    source : str
        Who says so; empty where nothing is known.
    tuned : str
        What tells that it was tuned to name emotions, on recordings that nobody names.
    """

    name: str
    languages: tuple[str, ...] = ()
    complete: bool = False
    pretrained_on: tuple[str, ...] = ()
    tuned_on: tuple[str, ...] = ()
    source: str = ""
    tuned: str = ""

    def is_strange(self, language: str) -> bool | None:
        """Whether a language is none that it has heard; None where that is not known."""
        code = str(language).lower().partition("-")[0]
        if not code or code == "x":
            return None
        if code in self.languages:
            return False
        return True if self.complete else None


def _register() -> dict[str, Heard]:
    records = {}
    for said in SAID:
        for name in said.models.split():
            records[name] = Heard(
                name=name,
                languages=tuple(said.languages.split()),
                complete=said.complete,
                pretrained_on=said.pretrained_on,
                tuned_on=said.tuned_on,
                source=said.source,
                tuned=said.tuned,
            )
    return records


#: Name of a model, as published -> what its makers say.
REGISTER: dict[str, Heard] = _register()


def of(name: Path | str, folder: Path | None = None) -> Heard:
    """What a model has heard, as far as it is known.

    Parameters
    ----------
    name : path or str
        As given to :func:`serlab.pretrained.encoders.find`; its last part is looked up.
    folder : path, optional
        Where the model lies: a file :data:`FILE` there goes before the register, and a model that was
        tuned to name emotions is known by its configuration.

    Raises
    ------
    ParameterError
        If the folder's file is damaged.

    Examples
    --------
    >>> of("openai/whisper-tiny.en").is_strange("de"), of("openai/whisper-tiny").is_strange("de")
    (True, False)
    >>> of("mine").is_strange("de") is None
    True
    """
    last = _published_name(Path(name))
    found = REGISTER.get(last, Heard(name=last))
    if folder is None:
        return found
    if (folder / FILE).is_file():
        return _stated(folder / FILE, last)
    labels = _emotions_of(folder)
    return replace(found, tuned=labels) if labels and not found.tuned_on else found


def sentence(heard: Heard) -> str:
    """For headlines: what is known of its languages."""
    n = len(heard.languages)
    what = f"{n} languages" if n > 3 else " and ".join(heard.languages)
    if heard.complete:
        return f"{heard.name}, trained on speech in {what} and a stranger to all others"
    if heard.source and n:
        return (
            f"{heard.name}, trained on speech in {what} that are known here, and perhaps in others: to which "
            "it is a stranger is not known"
        )
    return f"{heard.name}; which languages and corpora it has heard is not known"


def table() -> pd.DataFrame:
    """The register: model, languages, complete, pretrained_on, tuned_on, checked, source."""
    rows = []
    for said in SAID:
        unknown = [f"{said.tuned} (recordings unknown)"] if said.tuned else []
        for name in said.models.split():
            rows.append(
                {
                    "model": name,
                    "languages": said.languages,
                    "complete": said.complete,
                    "pretrained_on": ", ".join(said.pretrained_on),
                    "tuned_on": ", ".join([*said.tuned_on, *unknown]),
                    "checked": said.checked,
                    "source": said.source,
                }
            )
    return pd.DataFrame(rows)


def from_names(values: Mapping[str, Any]) -> Heard:
    """A record that a run has kept."""
    return Heard(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    )


def _published_name(path: Path) -> str:
    """Last part of a name; of a snapshot of the hub's cache the model's."""
    if path.parent.name == "snapshots":
        return path.parent.parent.name.rpartition("--")[2]
    return path.name


def _stated(path: Path, name: str) -> Heard:
    stated = documents.read(path)
    lists = ("languages", "pretrained_on", "tuned_on")
    for key in lists:
        value = stated.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ParameterError(f'{path}: {key} is no list of names; write ["en", "de"]')
    source = stated.get("source", "")
    if not isinstance(source, str) or not isinstance(stated.get("complete", False), bool):
        raise ParameterError(f"{path}: source is a text, and complete is true or false")
    return Heard(
        name=name,
        complete=stated.get("complete", False),
        source=source or f"{FILE} in the model's folder",
        **{key: tuple(stated.get(key, [])) for key in lists},
    )  # fmt: skip


def _emotions_of(folder: Path) -> str:
    """Labels of a classifier of emotions, from the configuration; empty where it is none."""
    try:
        labels = documents.read(folder / "config.json").get("id2label", {})
    except (ParameterError, OSError):
        return ""  # told of where the model is looked at
    names = [str(label).lower() for label in labels.values()] if isinstance(labels, dict) else []
    hits = [name for name in names if name.startswith(_EMOTIONS)]
    return json.dumps(sorted(names)[:12], ensure_ascii=False) if len(hits) >= 2 else ""
