"""How long things took on this machine, so that the next ones can be estimated: one file in the cache.

Seconds of a fit by method, preset and corpora, of a study by its name, and of an utterance by feature set;
where those corpora are new, what was last seen with any. It is a convenience: what cannot be read or written
is passed over, and two processes that write at once may lose what one of them has seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serlab import data
from serlab.errors import ParameterError
from serlab.experiment.further import STUDIES
from serlab.experiment.parameters import Parameters
from serlab.files import write_text
from serlab.methods import get

FILE = "times.json"
#: Of fewer utterances the start of a library is most of the time.
_ENOUGH = 10
#: More than a class has methods, presets and corpora; the oldest go first.
_MOST = 5000


@dataclass(frozen=True)
class Estimate:
    """Of a run that has not begun.

    Attributes
    ----------
    seconds : float
        Of what is known.
    unknown : tuple of str
        Methods and studies that have not been run here yet.
    """

    seconds: float
    unknown: tuple[str, ...] = ()


def read(cache: Path | None = None) -> dict[str, float]:
    """All that is known: key -> seconds."""
    try:
        found = json.loads(_path(cache).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    good = (int, float)
    return {k: float(v) for k, v in found.items() if isinstance(v, good) and 0 <= v < math.inf}


def note(seconds: Mapping[str, float], cache: Path | None = None) -> None:
    """Add to what is known; the same key is replaced."""
    if not seconds:
        return
    known = {key: value for key, value in read(cache).items() if key not in seconds}
    latest = list((known | {key: round(value, 4) for key, value in seconds.items()}).items())[-_MOST:]
    try:
        _path(cache).parent.mkdir(parents=True, exist_ok=True)
        write_text(_path(cache), json.dumps(dict(latest), indent=0, ensure_ascii=False) + "\n")
    except OSError:
        return


def of_fits(fits: pd.DataFrame, parameters: Parameters) -> dict[str, float]:
    """Seconds of a fit of each method, in entries for :func:`note`.

    Parameters
    ----------
    fits : DataFrame
        With method and seconds, see :class:`serlab.evaluation.Run`.
    parameters : Parameters
    """
    if fits.empty or "seconds" not in fits:
        return {}
    mean = fits.groupby("method")["seconds"].mean()
    return {key: value for name, value in mean.items() for key in _keys(str(name), parameters)}


def of_study(name: str, seconds: float, parameters: Parameters) -> dict[str, float]:
    """Seconds of a whole study, the same way; ``name``: what a session keeps it as."""
    return dict.fromkeys(_keys(f"study {name}", parameters), seconds)


def of_features(name: str, corpora: Iterable[str], *, made: int, seconds: float) -> dict[str, float]:
    """Which corpora have features of a set now, and seconds of an utterance, where some were made.

    Parameters
    ----------
    name : str
        Of the set.
    corpora : iterable of str
    made : int
        Utterances whose features were not found.
    seconds : float
        Of them all.
    """
    found = dict.fromkeys((f"features {name}|{corpus}" for corpus in corpora), 0.0)
    return found | ({f"features {name}": seconds / made} if made >= _ENOUGH else {})


def estimate(
    parameters: Parameters,
    *,
    methods: Iterable[str],
    n_folds: int,
    stochastic: Iterable[str],
    n_utterances: Callable[[str], int],
    cache: Path | None = None,
) -> Estimate:
    """Seconds that features, methods and studies will take, by what earlier ones took.

    Parameters
    ----------
    parameters : Parameters
    methods : iterable of str
        What is still to be fitted.
    n_folds : int
    stochastic : iterable of str
        Those of them that are repeated with every seed.
    n_utterances : callable(corpus) -> int
    """
    known, unknown, repeated, names = read(cache), [], set(stochastic), list(methods)
    total = extraction(((parameters, name) for name in names), n_utterances=n_utterances, cache=cache)
    for name in names:
        took = _found(known, name, parameters)
        if took is None:
            unknown.append(name)
        else:
            total += took * n_folds * (len(parameters.seeds) if name in repeated else 1)
    for name in parameters.studies:
        took = study(name, parameters, known)
        if took is None:
            unknown.append(name)
        else:
            total += took
    return Estimate(total, tuple(unknown))


def extraction(
    asked: Iterable[tuple[Parameters, str]],
    *,
    n_utterances: Callable[[str], int],
    cache: Path | None = None,
) -> float:
    """Seconds until methods have their features: of corpora that have none yet, where a rate is known.

    Parameters
    ----------
    asked : iterable of (Parameters, str)
        Experiments and methods; what several of them need is made once.
    n_utterances : callable(corpus) -> int
    """
    known = read(cache)
    wanted: dict[tuple[str, str], None] = {}
    for parameters, name in asked:
        # What was fitted on these corpora had its features; an encoder that is not named yet has none.
        with suppress(ParameterError):
            if _keys(name, parameters)[0] not in known:
                chosen = parameters.features_of(get(name))
                wanted |= dict.fromkeys(
                    (chosen, corpus) for corpus in (parameters.target, *parameters.sources)
                )
    return sum(
        known[f"features {chosen}"] * n_utterances(corpus)
        for chosen, corpus in wanted
        if f"features {chosen}" in known and f"features {chosen}|{corpus}" not in known
    )


def study(name: str, parameters: Parameters, known: Mapping[str, float] | None = None) -> float | None:
    """Seconds that a study took last; None if it has not been run here."""
    known = read() if known is None else known
    place = _keys("", parameters)[0].removeprefix("|")
    exact, last = 0.0, {}
    for key, seconds in known.items():
        what, _, where = key.partition("|")
        if what.startswith(tuple(f"study {kept}" for kept in STUDIES[name].kept)):
            exact += seconds if where == place else 0.0
            if where == parameters.preset:
                last[what] = seconds
    return exact or sum(last.values()) or None


def study_exactly(name: str, parameters: Parameters) -> float:
    """Seconds that a study, as a session keeps it, took with these corpora; 0 if it has not been run."""
    return read().get(_keys(f"study {name}", parameters)[0], 0.0)


def _keys(name: str, parameters: Parameters) -> tuple[str, str]:
    """For these corpora, and for any."""
    pair = f"{'+'.join(parameters.sources)}>{parameters.target}"
    return f"{name}|{parameters.preset}|{pair}", f"{name}|{parameters.preset}"


def _found(known: Mapping[str, float], name: str, parameters: Parameters) -> float | None:
    return next((known[key] for key in _keys(name, parameters) if key in known), None)


def _path(cache: Path | None) -> Path:
    return (data.cache_root() if cache is None else cache) / FILE
