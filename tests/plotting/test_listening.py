from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import plotting
from serlab.errors import AudioError
from tests.plotting.made import among, heard, texts


@pytest.fixture
def tone(tmp_path: Path) -> str:
    """One second of 200 Hz with a harmonic, then half a second of next to nothing."""
    time = np.arange(16000) / 16000
    sound = 0.2 * np.sin(2 * np.pi * 200 * time) + 0.1 * np.sin(2 * np.pi * 400 * time)
    soundfile.write(tmp_path / "tone.wav", np.concatenate([sound, 1e-5 * sound[:8000]]), 16000)
    return str(tmp_path / "tone.wav")


def test_pitch_and_level_are_those_of_the_sound(tone: str) -> None:
    row = plotting.heard_table(heard(tone, "joy")).iloc[0]
    assert row["emotion"] == "joy" and row["seconds"] == pytest.approx(1.5)
    assert row["f0"] == pytest.approx(200, abs=1)
    assert row["f0_range"] < 0.5
    assert row["level"] == pytest.approx(10 * np.log10((0.2**2 + 0.1**2) / 2 * 2 / 3), abs=0.1)
    assert row["voiced"] == pytest.approx(2 / 3, abs=0.03), "what is 40 dB below the loudest is no voice"


def test_utterances_stand_side_by_side(tone: str) -> None:
    figure = plotting.plot_heard(heard(tone, "neutral", "joy"))
    assert len(figure.axes) == 4
    assert "neutral" in texts(figure) and "F0 200 Hz" in figure.alt
    pitch = figure.axes[2].lines[-1].get_ydata()
    assert np.nanmedian(pitch) == pytest.approx(0.5 + 40 * np.log10(200 / 60), abs=0.3), "60 to 600 Hz"


def test_a_voice_that_is_not_there_has_no_pitch(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=16000)
    soundfile.write(tmp_path / "noise.wav", noise, 16000)
    row = plotting.heard_table(heard(str(tmp_path / "noise.wav"), "joy")).iloc[0]
    assert row["voiced"] < 0.2
    with pytest.raises(AudioError, match="missing"):
        plotting.heard_table(heard(str(tmp_path / "missing.wav"), "joy"))


def test_what_lies_outside_the_corpus_is_counted() -> None:
    figure = plotting.plot_among(among("my voice", "another"))
    assert "2 of 4 values lie outside" in figure.alt
