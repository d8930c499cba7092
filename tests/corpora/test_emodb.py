"""EmoDB: fields, and the listening test beside the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora, labels
from serlab.corpora import emodb
from serlab.errors import CorpusError
from tests.corpora import trees


def test_fields(full):
    row = full("emodb").loc["emodb/03a01Wa"]
    assert row[["speaker", "sex", "text_id", "native_label", "version"]].to_list() == [
        "emodb/03", "male", "emodb/a01", "W", "a",
    ]  # fmt: skip
    assert row["natural"] == 90.48 and 80 <= row["recognised"] <= 100


def test_without_the_listening_test(tmp_path: Path):
    trees.emodb.tree(tmp_path / "emodb", every=50)
    (tmp_path / "emodb/erkennung.txt").unlink()
    assert corpora.get("emodb").read(tmp_path)["natural"].isna().all()


def test_malformed_listening_test_names_the_line(tmp_path: Path):
    (tmp_path / "erkennung.txt").write_text("Nr.\tSatz\terkannt\tnatuerlich\n1\t03a01Fa.wav\tviel\t75,00\n")
    with pytest.raises(CorpusError, match=r"erkennung.txt, line 2: .*'1\\t03a01Fa.wav"):
        emodb.listening_test(tmp_path)


def test_unknown_speaker(tmp_path: Path):
    trees.emodb.tree(tmp_path / "emodb", every=50)
    (tmp_path / "emodb/wav/07a01Fa.wav").write_bytes(trees.noise(".wav"))
    with pytest.raises(CorpusError, match=r"07a01Fa.wav: EmoDB has no speaker '07'"):
        corpora.get("emodb").read(tmp_path)


@pytest.mark.shared
def test_emodb_has_the_counts_of_andova_and_lustrek(shared: Path):
    table = corpora.get("emodb").read(shared / "corpora")
    four = labels.scheme("four").apply(table)["emotion"].value_counts().to_dict()
    assert four == {"neutral": 79, "anger": 127, "joy": 71, "sadness": 62}
    assert table["speaker"].nunique() == 10
    # Published were recordings that at least 80 % of the listeners recognised.
    assert table["recognised"].min() >= 80
