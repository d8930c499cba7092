"""Packages that not every installation has, and what to say where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from serlab.errors import ParameterError


def require(*packages: str, extra: str, purpose: str, instead: str = "") -> None:
    """Refuse to go on where an optional package is not installed.

    Parameters
    ----------
    *packages : str
        Names as they are imported.
    extra : str
        What installs them: ``pip install 'serlab[extra]'``.
    purpose : str
        What needs them, in the singular: "an error rate".
    instead : str, optional
        A sentence about what there is to know, or to do without them.

    Raises
    ------
    ParameterError
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        advice = f". {instead}" if instead else ""
        raise ParameterError(
            f"{purpose} needs {' and '.join(missing)}: pip install 'serlab[{extra}]'{advice}"
        )
