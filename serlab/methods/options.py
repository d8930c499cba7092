"""What a family of methods asks of a person besides corpora and methods.

A family declares each of its parameters once, as an :class:`Option`.
Parameters of an experiment, the panel's picker, the command line, the
headline's sentence and the hiding of paths all follow from that declaration:
nothing above this floor names a family.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from serlab.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What :attr:`Option.provide` may know of an experiment.

    Attributes
    ----------
    value
        What the person chose.
    sources : tuple of str
    target : str
    preset : str
    seed : int
    data : str
        Data root; empty for the default.
    device : str
        "auto", "cpu" or "cuda".
    options : mapping of str to value
        What the person chose for all options, by name.
    progress : callable(done, total, text), optional
    cancel : threading.Event, optional
    """

    value: Any
    sources: tuple[str, ...] = ()
    target: str = ""
    preset: str = "quick"
    seed: int = 0
    data: str = ""
    device: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress | None = None
    cancel: threading.Event | None = None


def _value(asked: Asked) -> Any:
    return asked.value


def _accept(value: Any) -> None:
    return None


def _nothing(value: Any, provided: Any) -> str:
    return ""


def _no_audio(provided: Any) -> Iterable[str]:
    return ()


def _reads_none(value: Any) -> bool:
    return False


def _no_facts(provided: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Option:
    """A parameter that a family of methods declares.

    Attributes
    ----------
    name : str
        As in notebooks and on the command line; builders get the provided value by this name.
    default
        Its type is the parameter's type.
    title : str
        Short label of the picker.
    help : str
        One sentence: what it does, and what it may be.
    empty : str
        What it means if nothing is given: "random".
    check : callable(value)
        Raises :class:`serlab.errors.ParameterError` for a value that makes no sense.
    look : callable(value)
        The same for what a look at the disk tells: that a file is missing. Loads nothing.
    provide : callable(Asked) -> object
        What builders are given: a loaded model, a file's weights. May be slow; called once an experiment.
    describe : callable(value, provided) -> str
        Sentence of the headline; empty for none.
    heard : callable(provided) -> iterable of str
        Hashes of the audio that what is provided has been trained on, for the auditor.
    facts : callable(provided) -> mapping of str to JSON value
        What reports say of what is provided, kept with the run: they are made again without it.
    reads_audio : callable(value) -> bool
        Whether ``provide`` reads recordings of the experiment, which features cannot replace.
    picker : {"number", "text"}
    bounds : (float, float), optional
        Of a number's picker.
    is_path : bool
        Whether the value may be a path of this machine: reports show its last part only.
    """

    name: str
    default: Any
    title: str
    help: str
    empty: str = ""
    check: Callable[[Any], None] = field(default=_accept, repr=False)
    look: Callable[[Any], None] = field(default=_accept, repr=False)
    provide: Callable[[Asked], Any] = field(default=_value, repr=False)
    describe: Callable[[Any, Any], str] = field(default=_nothing, repr=False)
    heard: Callable[[Any], Iterable[str]] = field(default=_no_audio, repr=False)
    facts: Callable[[Any], Mapping[str, Any]] = field(default=_no_facts, repr=False)
    reads_audio: Callable[[Any], bool] = field(default=_reads_none, repr=False)
    picker: Literal["number", "text"] = "text"
    bounds: tuple[float, float] | None = None
    is_path: bool = False
