"""Predictions of other toolkits: read by usual names, measured as serlab's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import cli, labels, metrics
from serlab.errors import CorpusError, ParameterError
from serlab.evaluation import answers, summarise


def table(n: int = 60, *, seed: int = 0, right: float = 0.6) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    truth = np.array(["angry", "Happy", "neutral"])[np.arange(n) % 3]
    wrong = draw.choice(["angry", "Happy", "neutral"], n)
    return pd.DataFrame(
        {
            "file": [f"wav/{k}.wav" for k in range(n)],
            "emotion": truth,
            "Predicted": np.where(draw.random(n) < right, truth, wrong),
            "speaker": [f"s{k // 3 % 5}" for k in range(n)],
        }
    )


def written(path: Path, rows: pd.DataFrame) -> Path:
    rows.to_csv(path, index=False)
    return path


def test_measures_are_those_of_an_experiment(tmp_path: Path):
    rows = table()
    read = answers.read(written(tmp_path / "a.csv", rows))
    assert read.classes == ("anger", "joy", "neutral")
    measured = answers.measure(read).set_index("measure")
    counts = answers.confusion(read).to_numpy()
    assert measured.loc["uar", "value"] == pytest.approx(metrics.uar(counts))
    assert measured.loc["recall_joy", "n"] == 20
    number = {"angry": 0, "Happy": 1, "neutral": 2}
    own = pd.DataFrame(
        {
            "method": "m", "fold": "f", "seed": 0, "utterance": rows["file"],
            "y_true": rows["emotion"].map(number), "y_pred": rows["Predicted"].map(number),
            "p_anger": 0.0, "p_joy": 0.0, "p_neutral": 0.0,
        }
    )  # fmt: skip
    fits = pd.DataFrame(
        {
            "method": ["m"], "fold": ["f"], "seed": [0], "access": ["none"], "skipped": [""],
            "target_seen": ["nothing"], "normalization": ["none"], "transductive": [False], "n_train": [0],
            "n_target": [0], "n_test": [60], "seconds": [0.0], "uar": [0.0], "accuracy": [0.0],
        }
    )  # fmt: skip
    summary = summarise(own, fits, rows.set_index("file")["speaker"]).iloc[0]
    for name in ("uar", "accuracy", "macro_f1", "recall_neutral"):
        assert measured.loc[name, ["value", "low", "high"]].to_list() == pytest.approx(
            summary[[name, f"{name}_low", f"{name}_high"]].to_list()
        )


def test_two_files_are_paired_by_utterance_and_speaker(tmp_path: Path):
    one, other = table(), table(seed=1, right=0.3).sample(frac=1, random_state=0)
    read = [
        answers.read(written(tmp_path / name, rows)) for name, rows in (("a.csv", one), ("b.csv", other[:50]))
    ]
    gain = answers.difference(*read)
    common = one[one["file"].isin(other["file"][:50])]
    assert gain.n_speakers == 5 and gain.least_p == 2 / 2**5
    both = other.set_index("file").loc[common["file"]]
    hits = [
        (rows["Predicted"] == rows["emotion"]).groupby(rows["emotion"]).mean().mean()
        for rows in (common, both)
    ]
    assert gain.gain == pytest.approx(hits[0] - hits[1])
    back = answers.difference(*reversed(read))
    assert (back.gain, back.p) == pytest.approx((-gain.gain, gain.p))


def test_a_corpus_knows_speaker_and_truth(tmp_path: Path):
    corpus = pd.DataFrame(
        {"path": ["/data/x/wav/1.wav", "/data/x/wav/2.wav"], "start": np.nan, "speaker": ["x/a", "x/b"],
         "emotion": ["anger", "joy"]},
        index=["x/wav/1", "x/wav/2"],
    )  # fmt: skip
    for names in (["1", "2"], ["x/wav/1", "x/wav/2"], ["C:\\u\\wav\\1.WAV", "wav/2.flac"]):
        rows = pd.DataFrame({"filename": names, "pred": ["angry", "angry"]})
        read = answers.read(written(tmp_path / "a.csv", rows), corpus=corpus)
        assert read.table[["truth", "predicted", "speaker"]].to_numpy().tolist() == [
            ["anger", "anger", "x/a"], ["joy", "anger", "x/b"],
        ]  # fmt: skip
    with pytest.raises(CorpusError, match="utterance '3' is none of the corpus"):
        answers.read(written(tmp_path / "a.csv", pd.DataFrame({"id": ["3"], "pred": ["joy"]})), corpus=corpus)


def test_labels_stay_apart_that_are_apart(tmp_path: Path):
    rows = table().assign(emotion=lambda t: t["emotion"].replace("neutral", "joy"))
    assert answers.read(written(tmp_path / "a.csv", rows)).classes == ("Happy", "angry", "joy", "neutral")
    numbers = table().replace({"angry": 0, "Happy": 1, "neutral": 2})
    assert answers.read(written(tmp_path / "a.csv", numbers)).classes == ("0", "1", "2")


def test_one_unknown_answer_changes_nothing_but_itself(tmp_path: Path):
    rows = table()
    whole = answers.read(written(tmp_path / "a.csv", rows)).table
    rows.loc[0, "Predicted"] = "unk"
    read = answers.read(written(tmp_path / "b.csv", rows)).table
    assert read["truth"].tolist() == whole["truth"].tolist()
    assert read["predicted"].tolist() == ["unk", *whole["predicted"].tolist()[1:]]


def test_folds_that_are_training_subjects_are_in_the_interval(tmp_path: Path):
    """As a report has it: half as wide where they are left out."""
    rng, good = np.random.default_rng(0), {"a": 0.9, "b": 0.3, "c": 0.3, "d": 0.3}
    rows = [
        (f"{tested}/{number}", trained, tested, number % 2, (number + (rng.random() > right)) % 2)
        for trained, right in good.items()
        for tested in good
        if tested != trained
        for number in range(10)
    ]
    frame = pd.DataFrame(rows, columns=["file", "fold", "speaker", "truth", "predicted"]).astype(str)
    found = answers.read(written(tmp_path / "a.csv", frame))
    assert answers.fold_is(found) == "subject"
    parts = answers.read(written(tmp_path / "b.csv", frame.assign(fold="part " + frame["fold"])))
    assert answers.fold_is(parts) == "part"
    wide, narrow = (answers.measure(one).set_index("measure").loc["uar"] for one in (found, parts))
    assert wide["value"] == narrow["value"] and wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_predictions_of_serlab_name_their_classes_and_methods(tmp_path: Path):
    rows = pd.DataFrame(
        {
            "method": ["a", "a", "b", "b"], "utterance": ["u", "v"] * 2, "y_true": [0, 1, 0, 1],
            "y_pred": [0, 0, 1, 1], "p_anger": 0.5, "p_joy": 0.5, "speaker": ["s", "t"] * 2,
        }
    )  # fmt: skip
    rows.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(ParameterError, match="has several methods; choose one of a, b"):
        answers.read(tmp_path / "p.parquet")
    read = answers.read(tmp_path / "p.parquet", method="b")
    assert read.table["predicted"].to_list() == ["joy", "joy"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.drop(columns="speaker"),
            "no column for speaker among file, emotion, Predicted; name the",
        ),
        (
            lambda t: t.assign(Predicted=t["Predicted"].mask(t.index == 3, "")),
            "line 5, column 'Predicted': empty",
        ),
        (lambda t: pd.concat([t, t[:1]]), "line 62, column 'utterance': 'wav/0.wav' once more"),
        (
            lambda t: pd.concat([t.assign(fold=1), t[:1].assign(fold=2, speaker="x")]),
            "column 'speaker': another speaker of 'wav/0.wav' than above",
        ),
        (lambda t: t[:0], "has a header but no rows"),
    ],
)
def test_what_cannot_be_scored_is_named(tmp_path: Path, change, message: str):
    with pytest.raises(CorpusError, match=message):
        answers.read(written(tmp_path / "a.csv", change(table())))


def test_files_of_other_truth_are_not_compared(tmp_path: Path):
    one, other = (answers.read(written(tmp_path / f"{n}.csv", table())) for n in "ab")
    changed = answers.Answers(
        "c", other.table.assign(truth=other.table["truth"].mask(other.table.index == 0, "joy"))
    )
    with pytest.raises(CorpusError, match=r"differ in the truth of 1 utterances, the first is 'wav/0\.wav'"):
        answers.difference(one, changed)
    strangers = answers.Answers("d", other.table.assign(utterance="x" + other.table["utterance"]))
    with pytest.raises(CorpusError, match="no utterance in common"):
        answers.difference(one, strangers)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture):
    paths = [str(written(tmp_path / f"{n}.csv", table(seed=n))) for n in range(2)]
    assert cli.main(["score", *paths]) == 0
    out = capsys.readouterr().out
    assert "60 answers to 60 utterances of 5 speakers, 3 classes (chance 0.333)" in out
    assert "5 speakers cannot decide it: the smallest p that they can give is 0.062, above 0.05." in out
    assert cli.main(["score", *paths, "--json"]) == 0
    assert '"difference": {' in capsys.readouterr().out
    assert cli.main(["score", paths[0], "-c", "truth=nothing"]) == 2
    assert "has no column 'nothing'; it has file, emotion" in capsys.readouterr().err


def test_a_scheme_is_applied_to_the_truth_of_the_file_and_of_the_corpus(tmp_path: Path):
    """Once it was passed over where the file had a truth."""
    rows = table().replace({"Happy": "excited"})
    rows.loc[0, "Predicted"] = "fear"
    path = written(tmp_path / "a.csv", rows)
    read = answers.read(path, scheme=labels.scheme("four-merged"))
    assert set(read.table["truth"]) == {"anger", "joy", "neutral"} and read.left_out == 0
    assert read.table["predicted"].iloc[0] == "fear", "a wrong answer stays one"
    none = answers.read(path, scheme=labels.scheme("four"))
    assert set(none.table["truth"]) == {"anger", "neutral"} and none.left_out == 20
    high = answers.read(path, scheme=labels.scheme("arousal"))
    assert set(high.table["truth"]) == {"high", "low"}
    own = written(tmp_path / "b.csv", rows.replace({"neutral": "level"}))
    with pytest.raises(ParameterError, match="'four-merged' does not know the truth 'level'"):
        answers.read(own, scheme=labels.scheme("four-merged"))
    known = pd.DataFrame(
        {"path": rows["file"].to_list(), "start": np.nan, "speaker": rows["speaker"].to_list(),
         "emotion": np.where(rows["emotion"] == "angry", None, "joy")},
        index=[f"x/{k}" for k in range(len(rows))],
    )  # fmt: skip
    path = written(tmp_path / "c.csv", rows[["file", "Predicted"]])
    read = answers.read(path, corpus=known, scheme=labels.scheme("four"))
    assert (set(read.table["truth"]), read.left_out) == ({"joy"}, 20), "none in the scheme is no fault"


def test_two_methods_of_one_file_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture):
    both = pd.concat([table(right=0.4).assign(method="a"), table(right=0.9, seed=1).assign(method="b")])
    path = str(written(tmp_path / "both.csv", both))
    assert cli.main(["score", path, "--method", "b", "--method", "a"]) == 0
    out = capsys.readouterr().out
    assert f"UAR of {path} (b) minus that of {path} (a): +0." in out
    other = str(written(tmp_path / "other.csv", both))
    assert cli.main(["score", path, other, "--method", "a", "--method", "b", "--json"]) == 0
    gain = json.loads(capsys.readouterr().out)["difference"]["gain"]
    assert gain < 0
    assert cli.main(["score", path, other, path]) == 2
    assert "one file and --method twice" in capsys.readouterr().err
