"""Corpora recorded again: what is turned moves, all else stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serlab import audio, labels
from serlab.corpora import synthesis, synthetic, variants
from serlab.corpora.synthesis import Shift
from serlab.errors import AudioError, ParameterError


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("made") / "own"
    made = synthetic.make_corpus(
        name="own", language="x-b", n_speakers=4, n_utterances=80, seed=3, folder=folder
    )
    return labels.scheme("four").apply(made)


def samples(row: pd.Series) -> np.ndarray:
    return audio.load(row["path"]).samples


def test_without_a_shift_everything_is_as_it_was(table: pd.DataFrame, tmp_path: Path) -> None:
    made = variants.recorded(table, Shift(), name="own-plain", folder=tmp_path)
    assert list(made.index) == [name.replace("own/", "own-plain/") for name in table.index]
    assert set(made["corpus"]) == {"own-plain"}
    assert list(made["speaker"]) == [name.replace("own/", "own-plain/") for name in table["speaker"]]
    again = labels.scheme("four").apply(made)
    assert list(again["emotion"]) == list(table["emotion"])
    assert list(made["text_id"]) == list(table["text_id"])
    first = table.index[0]
    assert np.allclose(
        samples(made.loc[first.replace("own/", "own-plain/")]), samples(table.loc[first]), atol=2**-15
    )
    # It is found, not made again, and the argument stays as it is.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")}
    assert variants.recorded(table, Shift(), name="own-plain", folder=tmp_path).equals(made)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.wav")} == before
    assert not list(tmp_path.glob(".*"))


def test_level_and_channel_are_those_of_the_synthesiser(table: pd.DataFrame, tmp_path: Path) -> None:
    softer = variants.recorded(table, Shift(level=-6), name="own-softer", folder=tmp_path)
    one, other = samples(table.iloc[0]), samples(softer.iloc[0])
    assert 20 * np.log10(other.std() / one.std()) == pytest.approx(-6, abs=0.05)
    dull = variants.recorded(table, Shift(channel=1), name="own-dull", folder=tmp_path)
    bands = np.fft.rfftfreq(len(one), 1 / 16_000)
    high = (bands > 2000) & (bands < 4000)
    before, after = (np.abs(np.fft.rfft(found))[high] ** 2 for found in (one, samples(dull.iloc[0])))
    assert after.sum() < 0.2 * before.sum()


def test_a_skewed_prior_leaves_utterances_out(table: pd.DataFrame, tmp_path: Path) -> None:
    skewed = variants.recorded(table, Shift(prior=1), name="own-skewed", folder=tmp_path)
    shares = skewed["native_label"].value_counts(normalize=True)
    for emotion, share in synthesis.SKEWED_PRIOR.items():
        assert shares[emotion] == pytest.approx(share, abs=0.05)
    with pytest.raises(ParameterError, match="nobody can turn the prosody"):
        variants.recorded(table, Shift(style=1), name="own-styled", folder=tmp_path)


def test_synthetic_variants_say_the_same(tmp_path: Path) -> None:
    made = {
        name: synthetic.variant(
            "synthetic-b",
            name=f"synthetic-b-{name}",
            shift=shift,
            folder=tmp_path / name,
            n_speakers=2,
            n_utterances=8,
        )
        for name, shift in (("plain", Shift()), ("softer", Shift(level=-12)))
    }
    one, other = (samples(found.iloc[0]) for found in made.values())
    assert np.allclose(other, one * 10 ** (-12 / 20), atol=2**-14)
    with pytest.raises(ParameterError, match="begins with"):
        synthetic.variant("synthetic-b", name="emodb", shift=Shift(), folder=tmp_path)
    with pytest.raises(ParameterError, match="no synthetic corpus"):
        synthetic.variant("emodb", name="synthetic-x", shift=Shift(), folder=tmp_path)


def test_files_that_cannot_be_used_are_left_out(table: pd.DataFrame, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    few = table.iloc[:3].assign(path=[str(broken), *table["path"].iloc[1:3]])
    with pytest.warns(UserWarning, match="1 of 3 files cannot be used"):
        made = variants.recorded(few, Shift(), name="own-few", folder=tmp_path / "made")
    assert list(made.index) == [name.replace("own/", "own-few/") for name in few.index[1:]]
    assert variants.recorded(few, Shift(), name="own-few", folder=tmp_path / "made").equals(made)
    with pytest.raises(AudioError, match="broken"):
        variants.recorded(few.iloc[:1], Shift(), name="own-none", folder=tmp_path / "made")


def test_what_cannot_be_made_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    both = pd.concat([table, table.assign(corpus="other")])
    with pytest.raises(ParameterError, match="one corpus"):
        variants.recorded(both, Shift(), name="box", folder=tmp_path)
    assert not list(tmp_path.iterdir())
