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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serlab import contents, features
from serlab import data as corpus_data
from serlab.evaluation.shelf import Shelf
from serlab.experiment.parameters import Parameters
from serlab.methods import OPTIONS
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


def root() -> Path | None:
    """Folder of finished fits: ``SERLAB_UNITS``, else ``units`` in the cache; None with "off"."""
    chosen = os.environ.get(VARIABLE, "")
    if chosen == OFF:
        return None
    return Path(chosen).expanduser().resolve() if chosen else corpus_data.cache_root() / "units"


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
