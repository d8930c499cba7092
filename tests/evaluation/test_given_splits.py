"""An audit of a list says on one page what its folds share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import cli, corpora
from serlab.corpora import split_lists
from serlab.evaluation import given_splits


@pytest.fixture
def root(small_corpora: Path, tmp_path: Path) -> Path:
    """A copy of a small corpus in which one utterance of a speaker is there again, as another's."""
    shutil.copytree(small_corpora / "near", tmp_path / "near")
    lines = (tmp_path / "near/corpus.csv").read_text().splitlines()
    path, speaker, *rest = lines[1].split(",")
    other = next(line.split(",")[1] for line in lines[1:] if line.split(",")[1] != speaker)
    samples, rate = soundfile.read(tmp_path / "near" / path)
    soundfile.write(tmp_path / "near/audio/again.wav", 0.7 * samples, rate)
    again = ",".join(["audio/again.wav", other, *rest])
    (tmp_path / "near/corpus.csv").write_text("\n".join([*lines, again]) + "\n")
    return tmp_path


def test_shared_speakers_sentences_and_recordings_are_counted(root: Path, tmp_path: Path, capsys) -> None:
    table = corpora.get("near", root).read(root)
    first = table.loc["near/audio/again", "speaker"]
    of_first = table["speaker"] == first
    apart = {"train": table.index[~of_first].tolist(), "test": table.index[of_first].tolist()}
    mixed = {"train": table.index[::2].tolist(), "test": table.index[1::2].tolist()}
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"fold_a": apart, "fold_b": mixed}))
    found = given_splits.audit(split_lists.listed(table, path), jobs=1)
    rows = found.folds.set_index("fold")
    assert rows.loc["a", ["speakers shared", "recordings shared"]].tolist() == [0, 1]
    trained = set(table["speaker"].iloc[::2])
    assert rows.loc["b", "speakers shared"] == table["speaker"].iloc[1::2].isin(trained).sum()
    assert rows["test"].tolist() == [len(apart["test"]), len(mixed["test"])]
    assert not found.ok and found.badge == "tested recordings are trained on; speakers are shared"

    asked = ["audit", str(path), "--corpus", "near", "--data", str(root)]
    assert cli.main(asked) == 1
    page = capsys.readouterr().out
    assert "Badge: tested recordings are trained on; speakers are shared" in page
    assert cli.main([*asked, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["folds"][0]["recordings shared"] == 1
    assert cli.main([*asked, "--no-audio"]) == 0, "unheard, only names are shared"
    assert "not heard" in capsys.readouterr().out


def test_an_utterance_in_two_parts_is_an_error(root: Path, tmp_path: Path) -> None:
    table = corpora.get("near", root).read(root)
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"train": table.index.tolist(), "test": table.index[:3].tolist()}))
    found = given_splits.audit(split_lists.listed(table, path), hear=False)
    assert "utterance" in set(found.findings.loc[found.findings["severity"] == "error", "check"])
    assert np.isnan(found.folds["recordings shared"].item())
