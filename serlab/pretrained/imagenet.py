"""Weights that others trained and published, checked before they are used.

A file is used if its SHA-256 is the published one, or one that the user gives.
Nothing in it is executed: only tensors are read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from serlab import data, downloads, files
from serlab.errors import DownloadError, ParameterError
from serlab.progress import Progress
from serlab.wording import some


@dataclass(frozen=True, kw_only=True)
class Published:
    """Weights that can be downloaded.

    Attributes
    ----------
    title : str
        What they were trained on.
    url : str
    sha256 : str
        Of the file.
    license : str
    """

    title: str
    url: str
    sha256: str
    license: str

    @property
    def file_name(self) -> str:
        return self.url.rpartition("/")[2]


PUBLISHED: dict[str, Published] = {
    # The publisher states the first 8 digits, in the name; all 64 are as users of the file record them.
    "vgg16-imagenet": Published(
        title="ImageNet",
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        license="BSD-3-Clause (torchvision); trained on ImageNet, whose images are for research only",
    ),
}


@dataclass(frozen=True)
class Weights:
    """A file that was checked."""

    path: Path
    sha256: str
    title: str


def find(
    path: Path | str = "",
    *,
    name: str = "vgg16-imagenet",
    sha256: str = "",
    download: bool = False,
    base_url: str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Weights | None:
    """Check a local file of weights, or fetch the published one.

    Parameters
    ----------
    path : path, optional
        ``.pth``, ``.pt`` or ``.safetensors``. Without it the file that an
        earlier call downloaded is used.
    name : str
        Of :data:`PUBLISHED`.
    sha256 : str, optional
        Of a file that you trust instead of the published one.
    download : bool
        Fetch the published file (VGG16: 528 MB) if it is not there.
    base_url : str, optional
        Mirror that holds the same file name.
    progress : callable, optional
        ``progress(done_bytes, total_bytes, file_name)``.
    cancel : Event, optional

    Returns
    -------
    Weights or None
        None if no path is given, nothing was downloaded, and nothing is to be.

    Raises
    ------
    ParameterError
        If the file is not there, has another hash, or cannot be downloaded.
    Cancelled
    """
    if name not in PUBLISHED:
        raise ParameterError(f"unknown weights {name!r}; known: {', '.join(PUBLISHED)}")
    published = PUBLISHED[name]
    expected = (sha256 or published.sha256).lower()
    file = Path(path).expanduser() if path else data.cache_root() / "weights" / published.file_name
    if not path and download:
        url = f"{base_url.rstrip('/')}/{published.file_name}" if base_url else published.url
        try:
            downloads.fetch(url, file, expected=f"sha256:{expected}", progress=progress, cancel=cancel)
        except (DownloadError, OSError) as error:
            raise ParameterError(
                f"no weights {name}: {error}. Or download {published.url} by hand and give its path"
            ) from error
    if not file.is_file():
        if not path:
            return None
        raise ParameterError(f"there is no file of weights {file}; get it from {published.url}")
    found = files.sha256(file)
    if found != expected:
        raise ParameterError(
            f"{file} has SHA-256 {found}, expected was {expected}: it was cut short, changed, or is another "
            f"file. Download {published.url} again, or pass the hash of a copy that you trust"
        )
    return Weights(path=file, sha256=found, title=published.title)


def describe(weights: Weights | None) -> str:
    """For reports: "ImageNet, SHA-256 397923af", or "random initialisation"."""
    return f"{weights.title}, SHA-256 {weights.sha256[:8]}" if weights else "random initialisation"


def read(weights: Weights) -> dict[str, Tensor]:
    """Tensors by name, on the CPU.

    Raises
    ------
    ParameterError
        If the file holds anything else, or a ``.safetensors`` file is given
        and the package safetensors is not installed.
    """
    path = weights.path
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            tensors = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError as error:
        raise ParameterError(f"{path} needs the package safetensors; install it, or give a .pth") from error
    except Exception as error:  # torch and safetensors have no one error for a damaged file
        raise ParameterError(f"{path} cannot be read as weights; give a .pth of tensors by name") from error
    if not isinstance(tensors, Mapping) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ParameterError(f"{path} holds something else than tensors by name; give a state_dict")
    strange = [name for name, value in tensors.items() if not value.isfinite().all()]
    if strange:
        raise ParameterError(
            f"{path}: {some(strange)} not finite everywhere: the file is damaged; get it again"
        )
    return dict(tensors)


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], *, only: tuple[str, ...]) -> None:
    """Copy published weights into some submodules; the others stay as they are.

    Parameters
    ----------
    module : Module
    tensors : mapping
        From :func:`read`, of the whole network.
    only : tuple of str
        Submodules to fill, such as ``"features"``.

    Raises
    ------
    ParameterError
        If the weights are of another network: names missing, unknown or of
        another shape. The module is unchanged then.
    """
    own = module.state_dict()
    wanted = {name for name in own if name.startswith(tuple(f"{part}." for part in only))}
    problems = {
        "missing": sorted(wanted - tensors.keys()),
        "unknown": sorted(tensors.keys() - own.keys()),
        "of another shape": [
            f"{name} {tuple(tensors[name].shape)} instead of {tuple(own[name].shape)}"
            for name in sorted(wanted & tensors.keys())
            if tensors[name].shape != own[name].shape
        ],
    }
    if any(problems.values()):
        found = "; ".join(f"{what}: {some(names)}" for what, names in problems.items() if names)
        raise ParameterError(f"the weights are of another network than {type(module).__name__} ({found})")
    module.load_state_dict({name: tensors[name] for name in wanted}, strict=False)
