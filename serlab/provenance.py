"""Where a result comes from: code, packages, data; but nothing about the machine's owner."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import serlab
from serlab import data

#: Folder of the package: in a checkout, or where it is installed.
PACKAGE = Path(serlab.__file__).resolve().parent
#: Checkout this package is imported from; None where it is installed.
CHECKOUT: Path | None = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None

#: Extras whose libraries cannot change a result.
_NO_RESULTS = ("app", "cluster", "docs", "lab", "teaching", "test")
#: Packages that show what was computed, and those that fetch and keep it.
_NO_FITS = (
    "filelock", "ipykernel", "ipython", "jupyter-client", "lazy-loader", "matplotlib", "nbclient",
    "nbconvert", "nbformat", "papermill", "platformdirs", "pooch", "pygments", "requests", "seaborn", "tqdm",
    "urllib3",
)  # fmt: skip


def describe(*, code: str, corpora: str) -> dict[str, Any]:
    """Versions of everything that may change a result, as JSON values.

    Parameters
    ----------
    code : str
        From :func:`code_digest`.
    corpora : str
        From :func:`serlab.data.fingerprint`; empty if no corpus is involved.
    """
    return {
        "serlab": serlab.__version__,
        "commit": commit(),
        "code": code,
        "corpora": corpora,
        "python": platform.python_version(),
        # Not platform.platform() or node(): no names of machines.
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "packages": _versions(),
    }


def _versions() -> dict[str, str]:
    """Installed versions of what serlab depends on, and of its extras that are there."""
    versions: dict[str, str] = {}
    try:
        requirements = metadata.requires("serlab") or []
    except metadata.PackageNotFoundError:  # a checkout that is not installed
        requirements = []
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
        if name == "serlab" or (extra and extra[1] in _NO_RESULTS):
            continue
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def commit() -> str | None:
    """Commit of the checkout ("+": edited since), or of what was installed from git; None otherwise."""
    if CHECKOUT is None:
        return _installed_commit()
    if not (CHECKOUT / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(CHECKOUT), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        edited = git("status", "--porcelain", "--untracked-files=no", "--", "serlab", "notebooks")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if edited else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _installed_commit() -> str | None:
    """Commit that ``pip install git+https://...`` noted."""
    try:
        noted = metadata.distribution("serlab").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    commit_id = json.loads(noted or "{}").get("vcs_info", {}).get("commit_id")
    return str(commit_id)[:12] if commit_id else None


def package_digest() -> str:
    """Hash of the package's own code, whatever its version says."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


#: Floors that no fit depends on: what stands on experiments, and shows them.
_ABOVE_FITS = ("deployment", "studies", "papers", "plotting", "reporting", "widgets", "lessons", "cli")


@cache
def fitting_digest() -> str:
    """Hash of all code that answers of methods may depend on: the package's, and versions of its libraries.

    A floor imports only floors below it, so those above experiments change no answer. Read once a process.
    """
    libraries = {name: version for name, version in _versions().items() if name not in _NO_FITS}
    digest = hashlib.sha256(json.dumps(libraries, sort_keys=True).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE)
        if part.parts[0] not in _ABOVE_FITS:
            digest.update(part.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def code_digest(notebook: Path) -> str:
    """Short hash of what runs: the package and the notebook's code cells."""
    import nbformat  # not before it is needed: takes seconds, and experiments do without

    digest = hashlib.sha256(package_digest().encode())
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode())
    return digest.hexdigest()[:10]


def hider(named: Mapping[Path, str] | None = None) -> Callable[[str], str]:
    """Make a function that takes this machine's folders out of a text.

    Parameters
    ----------
    named : mapping of Path to str, optional
        Folder -> what stands for it, before the working, home, temporary,
        cache and Python folders.

    Returns
    -------
    callable(str) -> str
    """
    folders = {
        **(named or {}),
        Path.cwd(): ".",
        data.cache_root(): "[cache]",
        CHECKOUT or PACKAGE: "[serlab]",
        Path(sys.prefix): "[python]",
        Path(sys.base_prefix): "[python]",
        Path(tempfile.gettempdir()): "[tmp]",
        Path.home(): "~",
    }
    names: dict[str, str] = {}
    for folder, name in folders.items():
        for spelling in (folder.absolute(), folder.resolve()):
            if len(spelling.parts) > 1:  # not the root of the file system
                names.setdefault(str(spelling), name)
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, longest_first))})(?![\w-])")
    return lambda text: pattern.sub(lambda match: names[match[1]], text)
