"""SAVEE: both releases, and which sentences are shared."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from serlab import corpora
from serlab.corpora import savee
from tests.corpora import trees


def test_older_release_gives_the_same_utterances(full, tmp_path: Path):
    trees.savee.older_release(tmp_path / "savee")
    table = corpora.get("savee").read(tmp_path)
    pd.testing.assert_frame_equal(table.drop(columns="path"), full("savee").drop(columns="path"))


def test_only_the_common_sentences_are_shared_between_emotions(full):
    emotions = full("savee").groupby("text_id")["native_label"].nunique()
    assert emotions[emotions > 1].to_dict() == {f"savee/common-0{n}": 7 for n in (1, 2, 3)}
    assert savee.text_id("sa", "04") == "savee/sa04"
