"""Where finished fits are shared, and what makes a fit the same as another one.

All sessions of a user look into one folder, and those of a plan into one that
all its workers can write. In it each method and seed has a shelf
(:mod:`serlab.evaluation.shelf`) named by a hash of all that its answers depend
on: the data as they were read, how features were computed, the code, the
packages. Where any of these differs the shelf is another one, so nothing has
to be cleared, and nothing out of date is found.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from serlab import contents, features, files, pruning
from serlab import data as corpus_data
from serlab.evaluation.shelf import Shelf
from serlab.experiment.parameters import Parameters
from serlab.methods import METHODS, OPTIONS
from serlab.methods.base import MethodSpec
from serlab.provenance import PACKAGE, fitting_digest

#: Environment variable: the folder, or "off".
VARIABLE = "SERLAB_UNITS"
OFF = "off"


#: Parameters that say how fits are put together or where and how fast they are made; what a fold is, and a
#: method's own seed, is said by whoever looks for one.
_NO_MATTER = (
    "methods", "baseline", "primary", "protocol", "shots", "folds", "transductive", "seeds", "data", "jobs",
    "studies",
)  # fmt: skip
#: Parameters that change no answer of a study.
_OF_PLACE = ("data", "jobs", "studies")


def root() -> Path | None:
    """Folder of finished fits: ``SERLAB_UNITS``, else ``units`` in the cache; None with "off"."""
    chosen = os.environ.get(VARIABLE, "")
    if chosen == OFF:
        return None
    return Path(chosen).expanduser().resolve() if chosen else corpus_data.cache_root() / "units"


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Sessions of this process, and of those it starts meanwhile, share fits in a folder."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def of_package(spec: MethodSpec) -> bool:
    """Whether a method's code is that of the package; of another one nobody knows when it changes."""
    build: Any = spec.build
    while hasattr(build, "func"):  # a partial
        build = build.func
    return str(getattr(build, "__module__", "")).split(".")[0] == PACKAGE.name


def basis(parameters: Parameters, *, fingerprint: str) -> dict[str, Any]:
    """What the answers of all methods of an experiment depend on, whichever they are.

    Parameters
    ----------
    parameters : Parameters
    fingerprint : str
        Of the corpora, see :func:`serlab.data.fingerprint`.
    """
    values = parameters.as_dict()
    return {
        # All but what is known to change no answer: a parameter of tomorrow is in it.
        **{name: value for name, value in values.items() if name not in _NO_MATTER and name not in OPTIONS},
        "code": fitting_digest(),
        "corpora": fingerprint,
        "computed": features.get(parameters.features).digest,
        # The first seed draws augmented audio and what options provide.
        "first_seed": parameters.seeds[0],
    }


def address(common: Mapping[str, Any], parameters: Parameters, spec: MethodSpec, seed: int) -> str:
    """Name of the shelf of a method and seed.

    Parameters
    ----------
    common : mapping
        From :func:`basis`.
    parameters : Parameters
    spec : MethodSpec
    seed : int
    """
    brought = spec.feature_set(parameters.options)
    own: dict[str, Any] = {"method": spec.name, "seed": seed if spec.stochastic else 0}
    if brought:
        own["brought"] = [brought, features.get(brought).digest]
    if spec.options:  # what provides one of them may look at the others
        own["options"] = dict(parameters.options) | given(parameters)
    return digest({**common, **own})


def address_of_study(
    common: Mapping[str, Any], parameters: Parameters, name: str, also: Any, *, code: str
) -> str | None:
    """Name of the place where the answers of a study are shared; None where nobody knows what is in them.

    Parameters
    ----------
    common : mapping
        From :func:`basis`.
    parameters : Parameters
        All of them count, but those that say where and how fast.
    name : str
        Of the study.
    also : JSON value
        What else was asked.
    code : str
        State of the whole package, since studies are above what methods depend on.
    """
    if not all(map(of_package, METHODS.values())):
        return None
    values = {key: value for key, value in parameters.as_dict().items() if key not in _OF_PLACE}
    sets = sorted({parameters.features_of(spec) for spec in parameters.specs()})
    own = {
        "study": name, "also": also, "package": code, "parameters": values, "given": given(parameters),
        "features": {one: features.get(one).digest for one in sets},
    }  # fmt: skip
    return digest({**common, **own})


def kept_tables(path: Path, compute: Callable[[], Mapping[str, pd.DataFrame]]) -> Mapping[str, pd.DataFrame]:
    """Tables by their names: those that are in a file, else computed, and kept there if that can be done."""
    try:
        found, names = files.read_tables(path), files.read_facts(path)["names"]
        pruning.touched(path)
        return {name: found[str(number)] for number, name in enumerate(names)}
    except FileNotFoundError:
        pass
    except (files.DamagedFile, KeyError, TypeError) as error:
        with suppress(FileNotFoundError):  # somebody else was quicker
            files.set_aside(path, f"of a study, which is made again: {error}")
    tables = compute()
    try:
        numbered = {str(number): table for number, table in enumerate(tables.values())}
        files.write_tables(path, numbered, facts={"names": list(tables)})
    except OSError as error:
        warnings.warn(f"a study cannot be kept for others in {path.parent} ({error.strerror})", stacklevel=2)
    return tables


def given(parameters: Parameters) -> dict[str, str]:
    """What the files hold that options name, by name of the option; wherever they lie."""
    found = {}
    for name, option in OPTIONS.items():
        if option.is_path and parameters.options[name]:
            held = contents.of_paths([str(parameters.options[name])], cache=corpus_data.cache_root())
            if held:
                found[name] = held
    return found


def digest(what: Any) -> str:
    """Short hash of JSON values."""
    text = json.dumps(what, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def shelf(folder: Path, name: str, *, strict: bool = False) -> Shelf:
    """The shelf of an address; a folder of its first two digits keeps listings short."""
    return Shelf(folder / name[:2] / name, strict=strict)
