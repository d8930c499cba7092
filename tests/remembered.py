"""Numbers that tests remember: exact where they were made, as alike elsewhere as rounding leaves them.

Processors and libraries round differently, and a network that learns for many
epochs carries that far.
"""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).parent / "data"


def here() -> str:
    """Processor and libraries, in a line."""
    said = Path("/proc/cpuinfo")
    lines = said.read_text(errors="replace").splitlines() if said.is_file() else []
    facts = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    processor = " ".join(facts.get(name, "?") for name in ("model name", "cpu family", "model", "stepping"))
    return f"{platform.machine()}, {processor}, torch {torch.__version__}, numpy {np.__version__}"


def made_here() -> bool:
    """Whether the numbers in ``tests/data`` were made on a machine like this one."""
    return (DATA / "made_on.txt").read_text(encoding="utf-8").strip() == here()
