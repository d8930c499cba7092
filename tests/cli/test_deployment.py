"""train and predict on the command line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from serlab import cli
from serlab.cli.deployment import _shortest
from tests.deployment.conftest import kept, recordings

__all__ = ["kept", "recordings"]


def test_train_says_what_came_of_it_and_refuses_to_write_over_it(
    kept: Path, small_corpora: Path, capsys: pytest.CaptureFixture
):
    again = f"train --sources near,far --out {kept} --data {small_corpora}"
    assert cli.main(again.split()) == 2
    assert "--force to replace it" in capsys.readouterr().err
    assert (
        cli.main(f"train --sources near --out {kept}x --features logmel26 --data {small_corpora}".split())
        == 2
    )
    assert "takes one vector" in capsys.readouterr().err


def test_predict_prints_answers_and_writes_them(
    kept: Path, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture
):
    out = tmp_path / "answers.csv"
    code = cli.main(
        f"predict {kept} {recordings} --adapt {recordings} --risk 0.3 --estimate --csv {out}".split()
    )
    told = capsys.readouterr().out
    assert code == 0
    assert "20 recordings" in told and "What to expect here" in told and "not known: more sources" in told
    table = pd.read_csv(out)
    assert len(table) == 20 and {"file", "answer", "answered", "stranger_than", "p_joy"} <= set(table)


def test_speakers_come_from_a_table(kept: Path, recordings: Path, tmp_path: Path, capsys):
    names = sorted(path.name for path in recordings.iterdir())
    table = pd.DataFrame({"file": names, "speaker": [name[:2] for name in names]})
    table.to_csv(tmp_path / "who.csv", index=False)
    ask = f"predict {kept} {recordings} --adapt {recordings} --speakers"
    assert cli.main([*ask.split(), str(tmp_path / "who.csv")]) == 0
    table.rename(columns={"speaker": "who"}).to_csv(tmp_path / "who.csv", index=False)
    assert cli.main([*ask.split(), str(tmp_path / "who.csv")]) == 2
    assert "it needs file and speaker" in capsys.readouterr().err


def test_a_plan_for_labels_is_a_list_to_fill_in(kept: Path, recordings: Path, tmp_path: Path, capsys):
    ask = f"label-plan {kept} {recordings} -n 5 --csv {tmp_path / 'plan.csv'}"
    assert cli.main(ask.split()) == 0
    plan = pd.read_csv(tmp_path / "plan.csv")
    assert list(plan["rank"]) == [1, 2, 3, 4, 5] and plan["label"].isna().all() and plan["file"].is_unique
    assert "Listen before you look" in capsys.readouterr().out
    assert cli.main([*ask.split(), "--strategy", "divers"]) == 2
    assert "did you mean 'diverse'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("predict nowhere x.wav", 1, "holds no model"),
        ("train --sources atlantis --out m", 1, "unknown corpus 'atlantis'"),
        ("train --sources emodb --out m --method svn", 2, "did you mean 'svm'"),
        ("train --sources emodb,emodb --out m", 2, "named twice"),
        ("label-plan", 2, "name a model and recordings"),
        ("label-plan --simulate emodb", 2, "two corpora or more"),
        ("label-plan m r --simulate emodb,nemo", 2, "neither a model nor recordings"),
        ("train --sources emodb --out m --features egemap", 2, "unknown feature set"),
    ],
)
def test_wrong_usage_is_one_message(
    tmp_path: Path, monkeypatch, capsys, arguments: str, code: int, message: str
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments.split()) == code
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_recordings_of_one_name_are_told_apart_by_their_folders():
    assert _shortest(["a/b/1.wav", "a/c/2.wav"]) == ["1.wav", "2.wav"]
    assert _shortest(["a/b/1.wav", "a/c/1.wav"]) == ["b/1.wav", "c/1.wav"]
