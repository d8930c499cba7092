"""Trees that several tests read."""

from __future__ import annotations

import pandas as pd
import pytest

from serlab import corpora
from tests.corpora import trees


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory):
    """Read the full-size tree of a corpus, once."""
    tables: dict[str, pd.DataFrame] = {}

    def read(name: str) -> pd.DataFrame:
        if name not in tables:
            root = tmp_path_factory.mktemp("full")
            trees.TREES[name](root / name)
            tables[name] = corpora.get(name).read(root)
        return tables[name]

    return read
