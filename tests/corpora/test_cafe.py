"""CaFE: fields; both sampling rates side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("cafe").loc["cafe/06-P-2-5"]
    assert row[["speaker", "sex", "native_label", "text_id", "intensity"]].to_list() == [
        "cafe/06",
        "female",
        "P",
        "cafe/5",
        "strong",
    ]


def test_neutral_has_no_intensity(full):
    table = full("cafe")
    assert table.loc[table["native_label"] == "N", "intensity"].isna().all()


def test_two_sampling_rates_are_not_two_recordings(tmp_path: Path):
    for name in ("CaFE_48k", "CaFE_192k"):
        (tmp_path / "cafe" / name).mkdir(parents=True)
        (tmp_path / "cafe" / name / "01-N-1-1.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"occurs twice: .*CaFE_192k.*CaFE_48k"):
        corpora.get("cafe").read(tmp_path)
