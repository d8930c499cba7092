"""Utterances to look at and listen to, without a browser."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import plotting, widgets
from serlab.data import utterances
from serlab.labels import scheme
from serlab.widgets import browsers


@pytest.fixture
def tones(tmp_path: Path) -> pd.DataFrame:
    rows = []
    time = np.arange(8000) / 16000
    for corpus, speaker, emotion in [("x", "1", "anger"), ("x", "2", "joy"), ("y", "3", "neutral")]:
        path = tmp_path / f"{corpus}{speaker}.wav"
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * 220 * time), 16000)
        rows.append(
            {
                "utterance": f"{corpus}/{speaker}", "corpus": corpus, "speaker": f"{corpus}/{speaker}",
                "path": str(path), "native_label": emotion,
            }
        )  # fmt: skip
    return scheme("four").apply(utterances(rows))


def test_browser_lists_plays_and_draws(tones):
    browser = browsers.Browser(tones)
    assert browser.utterance.options == ("x/1", "x/2")
    assert "<audio" in browser.view.player.value and "data:image/png" in browser.view.picture.value
    browser.emotion.value = "joy"
    assert browser.utterance.options == ("x/2",)
    assert browser.utterance.value == "x/2"
    browser.speaker.value = "x/1"
    assert browser.utterance.options == () and browser.view.player.value == ""
    browser.corpus.value = "y"
    assert browser.utterance.options == ("y/3",)
    assert browser.emotion.options == (browsers.ALL, "neutral")


def test_browser_says_what_is_wrong_with_a_file(tones):
    Path(tones.loc["x/1", "path"]).write_bytes(b"")
    browser = browsers.Browser(tones)
    assert "x1.wav" in browser.view.picture.value and browser.view.player.value == ""


def seen_outcome(tones: pd.DataFrame, with_attention: bool = True) -> SimpleNamespace:
    """What an experiment with two methods leaves behind: the second is wrong about x/2."""
    classes = tuple(tones["emotion"].cat.categories)
    y_true = tones["emotion"].cat.codes.to_numpy()
    parts = []
    for method, wrong in (("svm", []), ("acnn", ["x/2"])):
        y = np.where(tones.index.isin(wrong), (y_true + 1) % len(classes), y_true)
        proba = np.where(np.eye(len(classes))[y] > 0, 0.7, 0.1)
        part = pd.DataFrame(proba, columns=[f"p_{name}" for name in classes])
        key = {"method": method, "fold": "1", "seed": 0, "utterance": tones.index}
        parts.append(part.assign(y_true=y_true, y_pred=y, **key))
    weights = pd.DataFrame(
        {"a_1": 0.8, "a_2": 0.2, "utterance": tones.index, "method": "acnn", "part": "test"}
    )
    return SimpleNamespace(
        classes=classes,
        utterances=tones,
        predictions=pd.concat(parts, ignore_index=True),
        attention=weights if with_attention else pd.DataFrame(),
        summary=pd.DataFrame({"method": ["svm", "acnn"], "title": ["SVM", "ACNN, target only"]}),
    )


def test_prediction_browser_lists_wrong_and_right_answers(tones):
    browser = browsers.PredictionBrowser(seen_outcome(tones), step_seconds=0.25)
    assert browser.message.value == "0 of 3 utterances", "the SVM made no error"
    assert browser.view.player.value == ""
    browser.method.value = "acnn"
    assert browser.utterance.options == (("x/2: joy, answer sadness", "x/2"),)
    assert "<audio" in browser.view.player.value
    assert "ACNN, target only: x/2" in browser.view.picture.value
    browser.answer.value = "right"
    assert browser.message.value == "2 of 3 utterances"
    assert "ACNN, target only: x/1" in browser.view.picture.value
    browser.method.value = "svm"
    assert "SVM: x/1" in browser.view.picture.value, "the same utterance, the other method"


def test_headless_prediction_browser_is_a_figure_of_the_most_certain_error(tones):
    figure = widgets.prediction_browser(seen_outcome(tones), run_folder="runs/1", step_seconds=0.25)
    assert isinstance(figure, plotting.Figure)
    assert figure.get_suptitle() == "ACNN, target only: x/2, speaker x/2"
    plain = widgets.prediction_browser(seen_outcome(tones, with_attention=False), run_folder="runs/1")
    assert plain.get_suptitle().startswith("SVM: ")


def test_headless_browser_is_a_figure(tones):
    figure = widgets.corpus_browser(tones, run_folder="runs/1")
    assert isinstance(figure, plotting.Figure)
    assert figure.get_suptitle() == "x/1: anger, speaker x/1"
