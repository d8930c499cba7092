"""Where torch computes, and what to do when it does not fit there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from serlab.errors import ParameterError, TrainingError
from serlab.training.settings import DEVICES


def resolve_device(device: str) -> str:
    """The device to use; "auto" is a GPU where there is one.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}

    Returns
    -------
    str
        "cpu" or "cuda".

    Raises
    ------
    ParameterError
        If the name is unknown, or a GPU is asked for and there is none.
    """
    if device not in DEVICES:
        raise ParameterError(f"unknown device {device!r}; known: {', '.join(DEVICES)}")
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise ParameterError('device "cuda": torch finds no GPU here; use device="auto" or "cpu"')
    return "cuda" if found and device != "cpu" else "cpu"


@contextmanager
def explained_memory(knob: str) -> Iterator[None]:
    """Turn torch's out-of-memory errors into one that says what to lower.

    Parameters
    ----------
    knob : str
        Such as "batch_size (32)".

    Raises
    ------
    TrainingError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        raise TrainingError(f"out of memory: lower {knob}") from error


def _out_of_memory(error: Exception) -> bool:
    # On a CPU torch has no class of its own for it, only the allocator's name in the text.
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
