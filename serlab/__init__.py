"""serlab: does speech in another language help to recognise emotion here?

>>> import serlab
>>> outcome = serlab.Session(
...     serlab.Parameters(target="synthetic-b", sources=("synthetic-a",), preset="demo")
... ).run()  # doctest: +SKIP

Nothing is loaded before it is used: ``import serlab`` takes no longer than Python's own modules.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from serlab.errors import SerlabError

__all__ = [
    "Parameters",
    "SerlabError",
    "Session",
    "__version__",
    "corpora",
    "data",
    "deployment",
    "evaluation",
    "experiment",
    "features",
    "labels",
    "lessons",
    "load_model",
    "methods",
    "papers",
    "plotting",
    "protocols",
    "reporting",
    "studies",
    "widgets",
]

try:
    __version__ = version("serlab")
except PackageNotFoundError:  # imported from a checkout that is not installed
    __version__ = "0+unknown"

#: Name of the face -> module that has it; every other name is a module itself.
_HOME = {
    "Parameters": "serlab.experiment",
    "Session": "serlab.experiment",
    "load_model": "serlab.deployment",
}


if TYPE_CHECKING:  # the same for type checkers and editors, which then know that there is nothing else
    from serlab import (
        corpora,
        data,
        deployment,
        evaluation,
        experiment,
        features,
        labels,
        lessons,
        methods,
        papers,
        plotting,
        protocols,
        reporting,
        studies,
        widgets,
    )
    from serlab.deployment import load_model
    from serlab.experiment import Parameters, Session
else:

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'serlab' has no attribute {name!r}")
        home = import_module(_HOME.get(name, f"serlab.{name}"))
        value = getattr(home, name) if name in _HOME else home
        globals()[name] = value  # found once
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
