from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from serlab import plotting
from serlab.data import utterances
from serlab.errors import AudioError, ParameterError
from serlab.labels import scheme
from serlab.plotting import utterance as inspection
from tests.plotting.made import texts


@pytest.fixture
def utterance(tmp_path: Path) -> pd.Series:
    """One second of a file of two, so that the cut is seen."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 220 * np.arange(32000) / 16000), 16000)
    row = {"utterance": "x/1", "corpus": "x", "speaker": "x/s", "path": str(path), "native_label": "joy"}
    return scheme("four").apply(utterances([{**row, "start": 0.5, "end": 1.5}])).iloc[0]


def predictions(*probabilities: list[float], utterance: str = "x/1", y_true: int = 2) -> pd.DataFrame:
    """One row a fold."""
    P = np.array(probabilities)
    table = pd.DataFrame(P, columns=["p_neutral", "p_anger", "p_joy", "p_sadness"])
    folds = [f"f{i}" for i in range(len(P))]
    return table.assign(
        method="m", fold=folds, seed=0, utterance=utterance, y_true=y_true, y_pred=P.argmax(axis=1)
    )


def attention(*weights: list[float], part: str = "test") -> pd.DataFrame:
    table = pd.DataFrame(weights, columns=[f"a_{i + 1}" for i in range(len(weights[0]))])
    return table.assign(method="m", fold="f0", seed=0, utterance="x/1", part=part)


def panel(figure, ylabel: str):
    return next((axes for axes in figure.axes if axes.get_ylabel() == ylabel), None)


def test_attention_is_aligned_in_seconds(utterance):
    figure = inspection.explain(
        utterance,
        predictions([0.1, 0.2, 0.6, 0.1]),
        attention([0.6, 0.3, 0.1, np.nan]),
        method="m",
        step_seconds=0.3,
        title="Network",
    )
    assert figure.get_suptitle() == "Network: x/1, speaker x/s"
    axes = panel(figure, "attention")
    stairs = next(patch for patch in axes.patches if hasattr(patch, "get_data"))
    np.testing.assert_allclose(stairs.get_data().edges, [0, 0.3, 0.6, 0.9])
    np.testing.assert_allclose(stairs.get_data().values, [0.6, 0.3, 0.1])
    for other in ("amplitude", "mel band"):
        assert panel(figure, other).get_xlim() == axes.get_xlim() == (0, 1)
        assert panel(figure, other).get_position().bounds[::2] == axes.get_position().bounds[::2]
    assert len(axes.patches) == 2, "what the network did not see is hatched"


def test_without_a_step_the_utterance_is_divided_evenly(utterance):
    figure = inspection.explain(utterance, predictions([0, 0, 1, 0]), attention([0.7, 0.3]), method="m")
    stairs = panel(figure, "attention").patches[0]
    np.testing.assert_allclose(stairs.get_data().edges, [0, 0.5, 1])


@pytest.mark.parametrize("weights", [None, pd.DataFrame(), attention([1.0], part="train")])
def test_a_method_without_attention_has_no_such_panel(utterance, weights):
    figure = inspection.explain(utterance, predictions([0, 0, 1, 0]), weights, method="m")
    assert panel(figure, "attention") is None
    assert panel(figure, "mel band") is not None


def test_the_true_class_and_the_answer_are_named(utterance):
    figure = inspection.explain(
        utterance, predictions([0.7, 0, 0.3, 0], [0, 0, 1, 0], [0.9, 0, 0.1, 0]), method="m"
    )
    written = texts(figure)
    assert "joy\n(true)" in written
    assert "answer: neutral (wrong)\nright in 1 of 3 fits" in written
    assert "answer: joy (right)" in texts(
        inspection.explain(utterance, predictions([0, 0, 1, 0]), method="m")
    )
    assert isinstance(figure, plotting.Figure)


def test_answers_are_those_of_the_mean_probability():
    table = pd.concat(
        [predictions([0.6, 0.4, 0, 0], [0.1, 0, 0.9, 0]), predictions([1, 0, 0, 0], utterance="x/2")]
    )
    answers = inspection.answers(table).set_index("utterance")
    assert answers.loc["x/1", ["y_pred", "n_fits", "n_right", "is_right"]].tolist() == [2, 2, 1, True]
    assert answers.loc["x/1", "p_joy"] == pytest.approx(0.45)
    assert not answers.loc["x/2", "is_right"]


def test_the_most_certain_error():
    table = pd.concat(
        [
            predictions([0.6, 0.4, 0, 0], utterance="unsure"),
            predictions([0.9, 0.1, 0, 0], utterance="sure"),
            predictions([0, 0, 1, 0], utterance="right"),
        ]
    )
    assert inspection.most_certain_error(table, "m") == "sure"
    assert inspection.most_certain_error(table[table["utterance"] == "right"], "m") == "right"


def test_bad_input_is_named(utterance):
    with pytest.raises(ParameterError, match="other has no prediction of 'x/1'"):
        inspection.explain(utterance, predictions([0, 0, 1, 0]), method="other")
    gone = utterance.copy()
    gone["path"] = str(Path(gone["path"]).with_name("gone.wav"))
    with pytest.raises(AudioError, match=r"gone\.wav"):
        inspection.explain(gone, predictions([0, 0, 1, 0]), method="m")


def test_plot_utterance_of_any_length():
    for n in (100, 16000):
        figure = plotting.plot_utterance(np.zeros(n, dtype=np.float32), sample_rate=16000, title="silence")
        assert "frequency (Hz)" in texts(figure)
