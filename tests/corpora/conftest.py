"""Trees that several tests read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from serlab import corpora
from tests.corpora import trees


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory):
    """Read the full-size tree of a corpus, once; ``full.roots[name]`` is the data root it lies in."""
    tables: dict[str, pd.DataFrame] = {}
    roots: dict[str, Path] = {}

    def read(name: str) -> pd.DataFrame:
        if name not in tables:
            root = roots[name] = tmp_path_factory.mktemp("full")
            trees.TREES[name](root / name)
            tables[name] = corpora.get(name).read(root)
        return tables[name]

    read.roots = roots
    return read
