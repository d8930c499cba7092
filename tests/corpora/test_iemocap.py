"""IEMOCAP: turns, published counts of recipes, malformed label files."""

from __future__ import annotations

from pathlib import Path

import pytest

from serlab import corpora, data
from serlab.corpora import iemocap
from serlab.errors import CorpusError, LabelError
from tests.corpora import trees


def test_fields(full):
    row = full("iemocap").loc["iemocap/Ses01F_impro01_M001"]
    fields = ["speaker", "sex", "session", "dialogue", "improvised", "text_id"]
    assert row[fields].to_list() == [
        "iemocap/Ses01M", "male", "iemocap/1", "Ses01F_impro01", True, None,
    ]  # fmt: skip
    assert row[["arousal", "valence", "dominance"]].to_list() == [2.5, 2.5, 3.0]


def test_scripted_turns_share_their_scene_across_sessions(full):
    table = full("iemocap")
    scripted = table[~table["improvised"]]
    assert set(scripted["text_id"]) == {"iemocap/script01_1"} and scripted["session"].nunique() == 5
    assert table.loc[table["improvised"], "text_id"].isna().all()


def test_published_counts_of_recipes_and_ratings(full):
    counts = iemocap.further_counts(full("iemocap"))
    assert (counts["found"] == counts["published"]).all(), counts
    assert counts.set_index("what")["published"]["iemocap-5531, all"] == 5531
    assert counts.set_index("what")["published"]["iemocap-4936, all"] == 4936
    assert sum(iemocap.RECIPES["iemocap-4936"].sessions.values()) == 4936


def test_recipe_does_not_hide_a_missing_turn(full):
    table = full("iemocap")
    less = table.drop(table.index[table["native_label"] == "exc"][0])
    counts = iemocap.check_recipe(less, "iemocap-4936").set_index("what")
    assert counts.loc["iemocap-4936, exc", ["published", "found"]].to_list() == [1041, 1040]
    with pytest.raises(CorpusError, match="known: iemocap-5531, iemocap-4936"):
        iemocap.check_recipe(table, "iemocap-1")


def test_folder_may_be_the_release_itself(tmp_path: Path):
    trees.iemocap.tree(tmp_path / "here", every=200)
    (tmp_path / "here/IEMOCAP_full_release").rename(tmp_path / "iemocap")
    assert len(corpora.get("iemocap").read(tmp_path)) == 50


def test_turn_without_audio_stays_with_its_labelled_duration(tmp_path: Path):
    trees.iemocap.tree(tmp_path / "iemocap", every=200)
    before = corpora.get("iemocap").read(tmp_path)
    whole = data.fingerprint(before)
    Path(before["path"].iloc[0]).unlink()
    after = corpora.get("iemocap").read(tmp_path)
    assert after["path"].to_list() == before["path"].to_list()
    assert after["duration"].iloc[0] == pytest.approx(1.9456)
    assert data.fingerprint(after) != whole


def test_a_label_that_nobody_thought_of_is_named(tmp_path: Path):
    trees.iemocap.tree(tmp_path / "iemocap", every=200)
    path = next((tmp_path / "iemocap").glob("*/Session1/dialog/EmoEvaluation/Ses*.txt"))
    path.write_text(path.read_text() + "[1.0 - 2.0]\tSes01F_impro01_F999\tglad\t[2.0, 2.0, 2.0]\n")
    with pytest.raises(LabelError, match=r"F999: unknown label 'glad' of corpus 'iemocap' \(1.*ang, hap"):
        corpora.get("iemocap").read(tmp_path)


def test_labels_without_any_audio(tmp_path: Path):
    trees.iemocap.tree(tmp_path / "iemocap", every=200)
    for path in corpora.get("iemocap").read(tmp_path)["path"]:
        Path(path).unlink()
    with pytest.raises(CorpusError, match="none of their audio"):
        corpora.get("iemocap").read(tmp_path)


def test_malformed_label_line(tmp_path: Path):
    trees.iemocap.tree(tmp_path / "iemocap", every=200)
    path = next((tmp_path / "iemocap").glob("*/Session1/dialog/EmoEvaluation/Ses*.txt"))
    path.write_text(path.read_text() + "[1.0 - 2.0]\tSes01F_impro01_F999\tneu\n")
    with pytest.raises(CorpusError, match=r"Ses01\w+.txt, line \d+: .*F999"):
        corpora.get("iemocap").read(tmp_path)
