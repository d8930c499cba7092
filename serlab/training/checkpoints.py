"""The state of a training on disk, to be taken up after a kill.

A file is what torch writes, and the hash of that behind it: what was cut or
changed is never taken up, and never ends the work it was to save.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from serlab import files
from serlab.errors import TrainingError
from serlab.sequences import Sequences

_HASH = 32  # bytes of SHA-256


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One file that is overwritten now and then, and by the next training of that name.

    Attributes
    ----------
    path : Path
    architecture : str
        See :func:`architecture`. A file of another one is refused.
    training : str
        Digest of all else that makes this training the one it is. A file of
        another one is left over from an earlier fit, and not read.
    """

    path: Path
    architecture: str
    training: str

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file; a kill leaves the old one or the new one."""
        made_by = {"architecture": self.architecture, "training": self.training}
        with files.whole(self.path) as unfinished:
            torch.save({**made_by, "state": state}, unfinished)
            with unfinished.open("r+b") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
                file.seek(0, io.SEEK_END)
                file.write(digest)

    def read(self) -> dict[str, Any] | None:
        """The state last written, on the CPU; None if there is none of this training that is whole.

        What is damaged is renamed to ``<name>.damaged``: the training begins again.

        Raises
        ------
        TrainingError
            If the file is of another architecture.
        """
        saved = self._whole()
        if saved is None:
            return None
        made_by = saved["architecture"]
        if made_by != self.architecture:
            ours, theirs = set(self.architecture.splitlines()), set(made_by.splitlines())
            raise TrainingError(
                f"{self.path} is of another architecture (it has {_some(theirs - ours)}, this network "
                f"{_some(ours - theirs)}); delete it or choose another folder for checkpoints"
            )
        return saved["state"] if saved["training"] == self.training else None

    def _whole(self) -> dict[str, Any] | None:
        if not self.path.is_file():
            return None
        content = self.path.read_bytes()
        body, digest = content[:-_HASH], content[-_HASH:]
        try:
            if hashlib.sha256(body).digest() != digest:
                raise ValueError("its hash is another")
            return torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
        except (ValueError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError) as error:
            files.set_aside(self.path, f"not a whole checkpoint ({error}), the training begins again")
            return None


def architecture(module: nn.Module) -> str:
    """A line for each module, with its plain attributes, and for each parameter and buffer."""
    modules = [
        f"{name} {type(part).__qualname__} {_plain(vars(part))}" for name, part in module.named_modules()
    ]
    trained = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    tensors = [
        f"{name} {tuple(value.shape)} {value.dtype} {'trained' if name in trained else 'fixed'}"
        for name, value in module.state_dict().items()
    ]
    return "\n".join(line.strip() for line in (*modules, *tensors))


def content(tensors: Iterable[Tensor | Sequences | None]) -> str:
    """Digest of shapes, types and values."""
    digest = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        if tensor is None:
            digest.update(b"none")
            continue
        if isinstance(tensor, Sequences):
            digest.update(tensor.digest())
            continue
        array = tensor.detach().cpu().contiguous().numpy()
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(array)
    return digest.hexdigest()


def _plain(attributes: dict[str, Any]) -> str:
    kinds = (bool, int, float, str, tuple)
    return " ".join(
        f"{name}={value!r}"
        for name, value in attributes.items()
        if isinstance(value, kinds) and not name.startswith("_") and name != "training"
    )


def _some(lines: set[str]) -> str:
    return f"'{min(lines)}'" if lines else "nothing else"
