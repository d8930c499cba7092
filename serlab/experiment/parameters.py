"""What a person chooses: all of it JSON, all of it checked at once."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serlab import features, labels, methods, protocols
from serlab.errors import ParameterError, meant
from serlab.experiment import values
from serlab.experiment.further import STUDIES
from serlab.features import augmentation
from serlab.methods import OPTIONS, MethodSpec
from serlab.training.settings import DEVICES

#: What to do with an audio file that cannot be used.
ON_BAD_FILE: tuple[str, ...] = ("skip", "stop")

#: Which classes take part where corpora have different ones.
LABEL_SETS: tuple[str, ...] = ("scheme", "shared", "any")

#: Names that a message lists; of more it lists a few.
_MOST_LISTED, _FEW_LISTED = 30, 8

#: Share of letters from which on a name is taken for a mistyped parameter.
_ALMOST = 0.8

#: Cells of a kernel, its empty one among them, of which the last makes parameters: later ones have variables
#: of their own.
_FIRST_CELLS = 4

#: More threads than any machine has use for; more labelled utterances of a class, and more folds, than any
#: corpus; seconds of a day; and the last seed that every library takes.
MOST_JOBS, MOST_SHOTS, MOST_FOLDS, MOST_SECONDS, LAST_SEED = 1024, 10**6, 10_000, 86_400, 2**31 - 1

#: No option is a number beyond it; whole numbers have no end of their own.
_HUGE = 1e300

#: Parameters that have several entries.
_SEVERAL = ("sources", "methods", "primary", "seeds", "augment", "studies")

#: Where or how fast, not what: they change no prediction.
_NO_MATTER = ("data", "jobs", "baseline", "primary", "studies")


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What a person chooses; everything in it can be written as JSON.

    Attributes
    ----------
    target : str
        Corpus whose emotions are to be recognised.
    sources : tuple of str
        Corpora that might help; empty for a study within one corpus.
    scheme : str
        Label scheme, see :data:`serlab.labels.SCHEMES`.
    features : str
        Feature set, see :data:`serlab.features.FEATURE_SETS` and :data:`serlab.features.PREFIXES`.
    methods : tuple of str
        Names of :data:`serlab.methods.METHODS`, or of :data:`serlab.methods.GROUPS`,
        which are replaced by their members.
    baseline : str
        Target-only method, for orientation: what one has without any source.
    primary : tuple of str
        Methods whose gain over their own controls is what the experiment is run for, declared before
        anything is seen: these alone are given a verdict, corrected for each other. Empty: those of
        the baseline, see :data:`serlab.methods.PRIMARY`. What is run beside them changes nothing.
    protocol : str
        See :data:`serlab.protocols.PROTOCOLS`.
    shots : int
        Labelled target utterances per class ("k-shot" only).
    folds : int
        Folds of "speaker-groups", "random" and "joint", draws of "k-shot".
    seeds : tuple of int
        Repeats of the stochastic methods. The first one also seeds random splits. Empty: as many as the
        preset has, see :func:`serlab.methods.repeats`; with "paper" as often as the papers repeat.
    preset : {"demo", "quick", "paper"}
    seconds : float
        Frames only: longer utterances are cut there; 0: nothing is cut.
    augment : tuple of str
        Changed copies of the training utterances (:mod:`serlab.features.augmentation`: "noise-20"), and
        "specaugment", which masks parts of training batches.
    device : {"auto", "cpu", "cuda"}
        Where networks of frames are trained.
    data : str
        Data root; empty for the default, see :func:`serlab.data.data_root`.
    on_bad_file : {"skip", "stop"}
    jobs : int
        Threads. 0: as measured (``benchmarks/threads.py``): one for a fit, since two were not faster, and
        one a processor for features.
    transductive : bool
        Whether methods may use the tested utterances without their labels (to adapt, for statistics of
        the target). If not, they use those of target speakers who are not tested.
    label_sets : {"scheme", "shared", "any"}
        All classes of the scheme, those that occur in every corpus, or those that occur in any.
    studies : tuple of str
        What is asked beside the methods, of :data:`serlab.experiment.further.STUDIES`: curves, sweeps,
        probes. They change no prediction of a method.
    options : mapping of str to value
        What families of methods ask for, see :data:`serlab.methods.OPTIONS` ("trade_off", "encoder" ...);
        what is not given has its default. In notebooks and on the command line they stand beside the rest.

    Raises
    ------
    ParameterError, ProtocolError
        On construction, naming the parameter and what it may be.

    Examples
    --------
    >>> chosen = Parameters(target="urdu", sources=("emodb",), options={"trade_off": 0.3})
    >>> chosen.as_dict()["trade_off"]
    0.3
    """

    target: str
    sources: tuple[str, ...] = ()
    scheme: str = "four"
    features: str = "is10"
    methods: tuple[str, ...] = ("rf-source", "rf-target", "rf-pooled", "rf-source-z")
    baseline: str = "rf-target"
    primary: tuple[str, ...] = ()
    protocol: str = "one-subject"
    shots: int = 5
    folds: int = 5
    transductive: bool = True
    seeds: tuple[int, ...] = (0,)
    preset: str = "quick"
    seconds: float = 7.5
    augment: tuple[str, ...] = ()
    device: str = "auto"
    data: str = ""
    on_bad_file: str = "skip"
    jobs: int = 0
    label_sets: str = "scheme"
    studies: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tidy()
        _require_types(self)
        self._complete()
        _require_known(self)
        _require_sense(self)
        for name in self.augment:
            augmentation.parse(name)
        for name, value in self.options.items():
            OPTIONS[name].check(value)
        _require_fitting_methods(self)
        self.split_protocol()

    def _tidy(self) -> None:
        """One entry for a tuple, a path as text, defaults for options."""
        for name in _SEVERAL:
            object.__setattr__(self, name, values.several(name, getattr(self, name)))
        object.__setattr__(self, "data", values.as_path("data", self.data))
        if not isinstance(self.options, Mapping):
            raise ParameterError(f"options are names with values, not {values.shown(self.options)}")
        for name in self.options:
            if name not in OPTIONS:
                raise ParameterError(f"unknown option {values.shown(name)}; known: {', '.join(OPTIONS)}")
        chosen = {name: self.options.get(name, option.default) for name, option in OPTIONS.items()}
        object.__setattr__(self, "options", chosen)

    def _complete(self) -> None:
        """Members for groups of methods, and what follows where nothing was said."""
        members = (member for name in self.methods for member in methods.GROUPS.get(name, (name,)))
        object.__setattr__(self, "methods", tuple(dict.fromkeys(members)))
        if not self.primary:
            object.__setattr__(self, "primary", methods.PRIMARY.get(self.baseline, ()))
        if not self.seeds:  # written out, so that whoever reads the parameters need not know the preset
            object.__setattr__(self, "seeds", tuple(range(methods.repeats(self.methods, self.preset))))

    @classmethod
    def from_names(cls, names: Mapping[str, Any]) -> Parameters:
        """Pick the parameters out of a notebook's variables: ``from_names(globals())``.

        Raises
        ------
        ParameterError
            In a kernel that has only just begun also for a variable that is almost one: papermill sets what
            it is given, known or not.
        """
        if 0 < len(names.get("In", ())) <= _FIRST_CELLS:
            _refuse_near_misses(names, cls.names())
        own = {name: names[name] for name in _KINDS if name in names}
        return cls(**own, options={name: names[name] for name in OPTIONS if name in names})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """All parameters as notebooks and the command line have them, options among them."""
        return (*_KINDS, *OPTIONS)

    @classmethod
    def default(cls, name: str) -> Any:
        """Default of a parameter or option; None for the target, which has none."""
        return OPTIONS[name].default if name in OPTIONS else getattr(cls, name, None)

    def with_values(self, **changes: Any) -> Parameters:
        """The same with other values, of parameters or of options.

        Raises
        ------
        ParameterError
            If the combination makes no sense.
        """
        for name in changes:
            if name not in self.names():
                raise ParameterError(f"there is no parameter {name!r}{meant(name, self.names())}")
        if "baseline" in changes and self.primary == methods.PRIMARY.get(self.baseline, ()):
            changes.setdefault("primary", ())  # it was that of the baseline
        options = {name: changes.pop(name) for name in list(changes) if name in OPTIONS}
        return dataclasses.replace(self, **changes, options={**self.options, **options})

    def as_dict(self) -> dict[str, Any]:
        """JSON values, as a notebook's parameters cell has them."""
        own = {name: getattr(self, name) for name in _KINDS} | dict(self.options)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}

    def specs(self) -> list[MethodSpec]:
        """The chosen methods."""
        return [methods.get(name) for name in self.methods]

    @property
    def declared(self) -> tuple[str, ...]:
        """The primary methods that can be run at all: without a source, those that need none."""
        return tuple(name for name in self.primary if self.sources or not methods.get(name).uses_source)

    def asked(self) -> list[str]:
        """Options that some chosen method asks for."""
        return list(dict.fromkeys(name for spec in self.specs() for name in spec.options))

    def features_of(self, spec: MethodSpec) -> str:
        """Name of the feature set that a method is fed."""
        return spec.feature_set(self.options) or self.features

    @property
    def threads_of_a_fit(self) -> int:
        """Threads that a method may use: ``jobs``, or one."""
        return self.jobs or 1

    @property
    def threads_of_features(self) -> int | None:
        """Threads that compute features: ``jobs``, or None for one a processor."""
        return self.jobs or None

    def digest(self) -> str:
        """Short hash of everything that may change a prediction."""
        chosen = {name: value for name, value in self.as_dict().items() if name not in _NO_MATTER}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:10]

    def split_protocol(self) -> protocols.SplitProtocol:
        """The protocol these parameters ask for."""
        return protocols.SplitProtocol(
            name=self.protocol,
            target=self.target,
            sources=self.sources,
            shots=self.shots,
            repeats=self.folds,
            seed=self.seeds[0],
            transductive=self.transductive,
        )


_KINDS = {
    "target": str, "sources": str, "scheme": str, "features": str, "methods": str, "baseline": str,
    "primary": str, "protocol": str, "shots": int, "folds": int, "transductive": bool, "seeds": int,
    "preset": str, "seconds": int | float, "augment": str, "device": str, "data": str, "on_bad_file": str,
    "jobs": int, "label_sets": str, "studies": str,
}  # fmt: skip


def choices() -> dict[str, tuple[str, ...]]:
    """Parameters that are one of a few words, and the words."""
    return {
        "scheme": tuple(labels.SCHEMES),
        "methods": tuple(methods.METHODS),
        "baseline": tuple(name for name, spec in methods.METHODS.items() if not spec.uses_source),
        "primary": tuple(name for name, spec in methods.METHODS.items() if spec.control),
        "protocol": tuple(protocols.PROTOCOLS),
        "preset": methods.PRESETS,
        "device": DEVICES,
        "on_bad_file": ON_BAD_FILE,
        "label_sets": LABEL_SETS,
        "studies": tuple(STUDIES),
    }


def _refuse_near_misses(names: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise for a plain variable whose name is a parameter's but for a letter or two."""
    for name, value in names.items():
        if name in known or name.startswith("_") or not isinstance(value, str | int | float | list | tuple):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=_ALMOST)
        if near:
            raise ParameterError(f"there is no parameter {name!r} (did you mean {near[0]!r}?)")


def _entries(parameters: Parameters, name: str) -> tuple[Any, ...]:
    value = getattr(parameters, name)
    return value if name in _SEVERAL else (value,)


def _require_types(parameters: Parameters) -> None:
    for name, value, kind in _typed(parameters):
        if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            expected = getattr(kind, "__name__", "number")
            raise ParameterError(f"parameter {name!r}: {values.shown(value)} is not of type {expected}")
        if isinstance(value, str):
            values.require_text(name, value)
        elif name in OPTIONS and not isinstance(value, bool):
            values.require_between(name, value, -_HUGE, _HUGE, "is no finite number")


def _typed(parameters: Parameters) -> Iterator[tuple[str, Any, Any]]:
    """Name, one value and the type it should have."""
    for name, kind in _KINDS.items():
        for value in _entries(parameters, name):
            yield name, value, kind
    for name, value in parameters.options.items():
        kind = type(OPTIONS[name].default)
        yield name, value, int | float if kind is float else kind


def _require_known(parameters: Parameters) -> None:
    for name, known in choices().items():
        for value in _entries(parameters, name):
            if value not in known:
                groups = methods.GROUPS if name == "methods" else ()
                near = meant(str(value), [*known, *groups])
                if name == "baseline" and value in methods.METHODS:
                    near = "; a baseline learns from the target alone, and this one uses the source"
                raise ParameterError(
                    f"parameter {name!r}: {values.shown(value)} is none of {_listed(known)}{near}"
                )


def _listed(known: Sequence[str]) -> str:
    """Names to choose from; of very many the first, since a long list hides what follows it."""
    if len(known) <= _MOST_LISTED:
        return ", ".join(known)
    return f"{', '.join(known[:_FEW_LISTED])} ... ({len(known)} in all; `serlab methods` lists them)"


def _require_sense(parameters: Parameters) -> None:
    if not parameters.methods:
        raise ParameterError("parameter 'methods' needs at least one entry")
    for name, value, low, high, what in (
        ("jobs", parameters.jobs, 0, MOST_JOBS,
         f"is not a number of threads; choose 1 to {MOST_JOBS}, or 0 for what was measured to be fastest"),
        ("shots", parameters.shots, 1, MOST_SHOTS,
         f"is no number of utterances; it starts at 1, {MOST_SHOTS} at most"),
        ("folds", parameters.folds, 1, MOST_FOLDS, f"is no number of folds; choose 1 to {MOST_FOLDS}"),
        ("seeds", min(parameters.seeds), 0, math.inf, "is below 0"),
        ("seeds", max(parameters.seeds), 0, LAST_SEED, f"is above {LAST_SEED}, the last that libraries take"),
        ("seconds", parameters.seconds, 0, MOST_SECONDS,
         f"is not a length of time; 0 cuts nothing, and no utterance is longer than {MOST_SECONDS} seconds"),
    ):  # fmt: skip
        values.require_between(name, value, low, high, what)


def _require_fitting_methods(parameters: Parameters) -> None:
    """Methods that are installed, have the corpora they need, and get the kind of features they take.

    What a method brings of its own (an encoder on this disk) is asked where it is needed, by
    :func:`serlab.experiment.checks.require_sense` and on preparing: a finished run is read without it.
    """
    try:
        kind = features.get(parameters.features).kind
    except ParameterError as error:
        raise ParameterError(f"parameter 'features': {error}") from error
    specs = parameters.specs()
    for spec in specs:
        methods.require_installed(spec)
    if not parameters.sources:
        needy = [spec.name for spec in specs if spec.uses_source]
        if needy:
            raise ParameterError(f"parameter 'sources' is empty, but {', '.join(needy)} need a source corpus")
    if kind == "vectors":
        needy = [spec.name for spec in specs if spec.input == "frames" and not spec.features]
        if needy:
            known = [name for name, found in features.FEATURE_SETS.items() if found.kind == "frames"]
            raise ParameterError(
                f"{', '.join(needy)} need frames, and feature set {parameters.features!r} has one vector an "
                f"utterance; choose one of {', '.join(known)}"
            )
