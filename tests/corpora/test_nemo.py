"""nEMO: fields, its list of recordings, and the part that is really here."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora
from serlab.corpora import nemo
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("nemo").loc["nemo/KS0_happiness_7"]
    assert row[["speaker", "sex", "native_label", "native_emotion", "text_id", "age"]].to_list() == [
        "nemo/KS0", "male", "happiness", "joy", "nemo/07", 23,
    ]  # fmt: skip


def test_the_whole_has_nothing_to_remark(full):
    assert nemo.remarks(full("nemo")) == ()


def test_unknown_speaker(tmp_path: Path):
    (tmp_path / "nemo").mkdir()
    (tmp_path / "nemo/AB1_anger_1.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"AB1_anger_1.wav: nEMO has no speaker 'AB1'"):
        corpora.get("nemo").read(tmp_path)


def test_without_its_list_nothing_is_expected_by_name(tmp_path: Path):
    assert nemo.expected_names(tmp_path) == set()


def test_malformed_list_names_the_line(tmp_path: Path):
    (tmp_path / "data.tsv").write_text("file_id\temotion\nEB0_anger_1.wav\tanger\n\nEB0.wav\tanger\n")
    with pytest.raises(CorpusError, match=r"data.tsv, line 4: 'EB0.wav' is no recording"):
        nemo.expected_names(tmp_path)


@pytest.mark.shared
def test_the_part_that_is_here(shared: Path):
    table = corpora.get("nemo").read(shared / "corpora")
    assert len(table) == 892 and table["speaker"].nunique() == 9 and table["text_id"].nunique() == 18
    assert nemo.remarks(table)[0].startswith("of the 90 sentences 18 are here: 01, 06, 11, 16")
    published = nemo.expected_names(shared / "corpora/nemo")
    assert len(published) == 4481 and {*table.index} <= published
