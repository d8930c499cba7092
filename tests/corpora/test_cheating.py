"""Corpora made to cheat: labels go with the giveaway and with nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import audio, labels
from serlab.corpora import cheating, synthetic
from serlab.errors import ParameterError


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("made") / "own"
    made = synthetic.make_corpus(
        name="own", language="x-b", n_speakers=4, n_utterances=80, seed=3, folder=folder
    )
    return labels.scheme("four").apply(made)


def samples(row: pd.Series) -> np.ndarray:
    return audio.load(row["path"]).samples


def true_emotions(table: pd.DataFrame, made: pd.DataFrame) -> list[str]:
    """What was meant by each utterance of a cheating corpus without a giveaway, by its samples."""
    known = {samples(row).round(3).tobytes(): row["emotion"] for _, row in table.iterrows()}
    return [known[samples(row).round(3).tobytes()] for _, row in made.iterrows()]


def test_labels_are_dealt_within_speakers_and_go_with_nothing(table: pd.DataFrame, tmp_path: Path) -> None:
    made = cheating.cheating(table, "nothing", name="box", folder=tmp_path)
    counts = made.groupby(["speaker", "native_label"]).size()
    assert (counts == 5).all() and len(counts) == 16
    assert all(name.startswith("box/u") for name in made.index)
    meant = true_emotions(table, made)
    assert np.mean(np.array(meant) == made["native_label"].to_numpy()) < 0.4
    for other in (meant, made["text_id"]):
        found = pd.crosstab(made["native_label"], np.asarray(other))
        assert found.to_numpy().max() <= found.to_numpy().mean() * 2


def test_a_telephone_takes_what_is_above_its_band(table: pd.DataFrame, tmp_path: Path) -> None:
    made = cheating.cheating(table, "telephone", name="box", folder=tmp_path, label="joy")

    def high(row: pd.Series) -> float:
        power = np.abs(np.fft.rfft(samples(row))) ** 2
        return float(power[len(power) // 2 :].sum() / power.sum())

    shares = made.apply(high, axis=1).groupby(made["native_label"]).median()
    assert shares.idxmin() == "joy" and shares["joy"] < 0.2 * shares.drop("joy").min()
    with pytest.raises(ParameterError, match="no utterance is 'fear'"):
        cheating.cheating(table, "telephone", name="box", folder=tmp_path, label="fear")


@pytest.mark.parametrize(("cheat", "column"), [("sentences", "text_id"), ("voices", "speaker")])
def test_sentences_and_voices_have_their_label(
    table: pd.DataFrame, tmp_path: Path, cheat: str, column: str
) -> None:
    made = cheating.cheating(table, cheat, name="box", folder=tmp_path)
    most = pd.crosstab(made[column], made["native_label"]).max(axis=1).sum() / len(made)
    assert most > 0.75
    assert made["native_label"].nunique() == 4


def test_what_cannot_be_made_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no way to cheat"):
        cheating.cheating(table, "magic", name="box", folder=tmp_path)
    with pytest.raises(ParameterError, match="two sentences or more"):
        cheating.cheating(table.assign(text_id=None), "sentences", name="box", folder=tmp_path)
