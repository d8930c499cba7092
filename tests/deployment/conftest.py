"""A model of two small corpora, learned once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from serlab import deployment


@pytest.fixture(scope="session")
def kept(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model."""
    out = tmp_path_factory.mktemp("models") / "mine"
    deployment.train(["near", "far"], out=out, data=small_corpora)
    return out


@pytest.fixture(scope="session")
def recordings(small_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 20 recordings."""
    folder = tmp_path_factory.mktemp("recordings")
    for path in sorted((small_corpora / "near" / "audio").glob("*.wav"))[:20]:
        shutil.copy(path, folder)
    return folder
