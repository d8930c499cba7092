"""One utterance and what a method made of it: signal, attention over time, answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from serlab import audio, features
from serlab.errors import ParameterError
from serlab.evaluation import class_names, compact
from serlab.experiment import NotKept, Outcome
from serlab.plotting.networks import numbered
from serlab.plotting.style import BLACK, BLUE, GREY, PALE, SKY, Figure, finished, heading, styled
from serlab.plotting.texts import sentences, wrapped
from serlab.wording import count

#: Of the picture; any method may have used others.
LOG_MEL = "logmel40"


def load(utterance: pd.Series) -> audio.Audio:
    """Audio of a row of an utterance table; see :func:`serlab.audio.load`.

    Raises
    ------
    NotKept
        If the row is of a finished run, which does not know where its files lay.
    """
    if utterance["path"] is None:
        raise NotKept("this needs audio, which a run folder does not keep")
    channel = utterance.get("channel")
    return audio.load(
        utterance["path"],
        start=utterance["start"],
        end=utterance["end"],
        channel=channel if isinstance(channel, str) else audio.MIX,
    )


def picture(utterance: pd.Series) -> Figure:
    """Signal and spectrogram of one row of an utterance table with ``emotion``.

    Raises
    ------
    AudioError
        If the file cannot be used.
    NotKept
        If the row is of a finished run.
    """
    loaded = load(utterance)
    title = f"{utterance.name}: {utterance['emotion']}, speaker {utterance['speaker']}"
    return plot_utterance(loaded.samples, sample_rate=loaded.sample_rate, title=title)


def explain_outcome(
    outcome: Outcome, method: str, utterance: str, *, step_seconds: float | None = None
) -> Figure:
    """:func:`explain` for an utterance and a method of an experiment."""
    titles = dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))
    return explain(
        outcome.utterances.loc[utterance],
        outcome.predictions,
        outcome.attention,
        method=method,
        step_seconds=step_seconds,
        title=titles[method],
    )


@styled
def plot_utterance(samples: np.ndarray, *, sample_rate: int, title: str = "") -> Figure:
    """Show the waveform and the spectrogram of one utterance.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        Mono, full scale 1.
    sample_rate : int
        Hz.
    """
    from scipy import signal

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    wave, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=[1, 2])
    seconds = len(samples) / sample_rate
    _wave(wave, samples, sample_rate)
    window = max(2, min(512, len(samples) // 4))  # 512 samples are 32 ms at 16 kHz
    _, _, power = signal.spectrogram(samples, fs=sample_rate, nperseg=window, noverlap=window * 3 // 4)
    level = 10 * np.log10(np.maximum(power, 1e-14))
    image = _picture(spectrum, level, extent=(0, seconds, 0, sample_rate / 2))
    figure.colorbar(image, ax=spectrum, label="level (dB)", pad=0.01)
    spectrum.set(xlabel="time (s)", ylabel="frequency (Hz)", xlim=(0, seconds))
    heading(figure, title)
    return finished(figure, f"{seconds:.2f} s, largest amplitude {np.abs(samples).max(initial=0):.2f} of 1.")


def _wave(axes: Axes, samples: np.ndarray, sample_rate: int) -> None:
    axes.plot(np.arange(len(samples)) / sample_rate, samples, color=BLUE, linewidth=0.5)
    axes.set(ylim=(-1, 1), ylabel="amplitude")


def _picture(axes: Axes, level: np.ndarray, *, extent: tuple[float, float, float, float]) -> AxesImage:
    """Levels (dB) by time, the lowest row at the bottom; 70 dB are told apart."""
    return axes.imshow(
        level, origin="lower", aspect="auto", cmap="magma", vmin=level.max() - 70, vmax=level.max(),
        extent=extent, interpolation="nearest",
    )  # fmt: skip


def answers(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a method and utterance, over its folds and seeds.

    Returns
    -------
    DataFrame
        method, utterance, y_true, y_pred (of the mean probabilities), n_fits,
        n_right (fits that answered rightly), is_right, and p_<class>, means.
    """
    classes = class_names(predictions)
    probabilities = [f"p_{name}" for name in classes]
    right = predictions.assign(n_right=predictions["y_true"] == predictions["y_pred"])
    grouped = right.groupby(["method", "utterance"], sort=False)
    table = grouped[probabilities].mean()
    table.insert(0, "n_right", grouped["n_right"].sum())
    table.insert(0, "n_fits", grouped.size())
    table.insert(0, "y_pred", table[probabilities].to_numpy().argmax(axis=1))
    table.insert(0, "y_true", grouped["y_true"].first())
    table.insert(4, "is_right", table["y_true"] == table["y_pred"])
    return table.reset_index()


def most_certain_error(predictions: pd.DataFrame, method: str) -> str:
    """Utterance that a method got wrong with the highest probability; its surest one if it got none wrong."""
    own = answers(compact.of_method(predictions, method))
    own = own[~own["is_right"]] if not own["is_right"].all() else own
    certain = own[[name for name in own if name.startswith("p_")]].max(axis=1)
    return own.loc[certain.idxmax(), "utterance"]


@styled
def explain(
    utterance: pd.Series,
    predictions: pd.DataFrame,
    attention: pd.DataFrame | None = None,
    *,
    method: str,
    step_seconds: float | None = None,
    title: str = "",
) -> Figure:
    """Show waveform, log-mel, attention over time and class probabilities of one utterance.

    Where several fits (folds, seeds) tested the utterance, their mean is
    shown, and each of them as a dot or thin line.

    Parameters
    ----------
    utterance : Series
        A row of the utterance table; its name is the utterance.
    predictions : DataFrame
        Prediction table.
    attention : DataFrame, optional
        Attention table; without rows of this utterance (part "test") and
        method the panel is left out.
    method : str
    step_seconds : float, optional
        Seconds that one attention weight covers (90 frames of 10 ms for the
        ACNN). By default the utterance is divided evenly, which is wrong at
        its end by up to one step.
    title : str
        The method's title for the heading.

    Raises
    ------
    AudioError
        If the file cannot be used.
    ParameterError
        If the method has no prediction of this utterance.
    """
    own = predictions[(predictions["method"] == method) & (predictions["utterance"] == utterance.name)]
    if own.empty:
        raise ParameterError(f"{method} has no prediction of {utterance.name!r}")
    loaded = load(utterance)
    weights = _weights(attention, method, utterance.name)
    figure = Figure(figsize=(9.5, 4.6 if len(weights) else 3.6), layout="constrained")
    heights = [1, 1.6, 1][: 3 if len(weights) else 2]
    grid = figure.add_gridspec(len(heights), 2, width_ratios=[3, 1], height_ratios=heights)
    wave = figure.add_subplot(grid[0, 0])
    panels = [wave, *(figure.add_subplot(grid[i, 0], sharex=wave) for i in range(1, len(heights)))]
    _signal(panels[0], panels[1], loaded)
    if len(weights):
        step = step_seconds or loaded.duration / weights.shape[1]
        _attention(panels[2], weights, step, loaded.duration)
    for axes in panels[:-1]:
        axes.tick_params(labelbottom=False)
    panels[-1].set_xlabel("time (s)")
    wave.set_xlim(0, loaded.duration)
    _probabilities(figure.add_subplot(grid[:, 1]), own)
    heading(figure, f"{title or method}: {utterance.name}, speaker {utterance['speaker']}")
    attended = _attention_says(weights, loaded.duration, step_seconds)
    return finished(figure, sentences(_answer_says(own), attended))


def _answer_says(own: pd.DataFrame) -> str:
    row, classes = answers(own).iloc[0], class_names(own)
    answer = classes[int(row["y_pred"])]
    says = (
        f"True class {classes[int(row['y_true'])]}, answer {answer} with probability {row[f'p_{answer}']:.2f}"
    )
    return says + ("" if len(own) == 1 else f", right in {row['n_right']} of {count(len(own), 'fit')}")


def _attention_says(weights: np.ndarray, duration: float, step_seconds: float | None) -> str:
    if not len(weights):
        return ""
    mean = weights.mean(axis=0)
    step, most = step_seconds or duration / len(mean), int(mean.argmax())
    return f"Most attention from {most * step:.2f} to {min((most + 1) * step, duration):.2f} s"


def _weights(attention: pd.DataFrame | None, method: str, utterance: str) -> np.ndarray:
    """Attention of each fit that tested the utterance, shape (fits, steps); no rows if there is none."""
    if attention is None or attention.empty:
        return np.empty((0, 0))
    rows = (
        attention["method"].eq(method) & attention["utterance"].eq(utterance) & attention["part"].eq("test")
    )
    weights = attention.loc[rows, numbered(attention, "a")].to_numpy(dtype=float)
    return weights[:, ~np.isnan(weights).all(axis=0)]


def _signal(wave: Axes, spectrum: Axes, loaded: audio.Audio) -> None:
    _wave(wave, loaded.samples, loaded.sample_rate)
    log_mel = features.get(LOG_MEL)
    level, half = log_mel.extract(loaded.samples).T, log_mel.frame_shift / 2
    end = level.shape[1] * log_mel.frame_shift - half
    _picture(spectrum, level, extent=(-half, end, 0.5, len(level) + 0.5))
    spectrum.set_ylabel("mel band")


def _attention(axes, weights: np.ndarray, step: float, duration: float) -> None:
    """Weights as steps of ``step`` seconds; what lies behind the last one was not seen."""
    edges = step * np.arange(weights.shape[1] + 1)
    axes.stairs(weights.mean(axis=0), edges, fill=True, facecolor=SKY, edgecolor=BLUE)
    for fit in weights if len(weights) > 1 else ():
        axes.stairs(fit, edges, color=GREY, linewidth=0.7)
    if edges[-1] < duration:
        axes.axvspan(edges[-1], duration, facecolor="none", edgecolor=PALE, hatch="///", linewidth=0)
    axes.set(ylim=(0, 1.02 * max(weights.max(), 0.01)), ylabel="attention")


def _probabilities(axes, own: pd.DataFrame) -> None:
    """Bars of the mean probabilities; the true class is outlined and named."""
    classes = class_names(own)
    row = answers(own).iloc[0]
    y_true, y_pred = int(row["y_true"]), int(row["y_pred"])
    for place, name in enumerate(classes):
        edge = {"edgecolor": BLACK, "linewidth": 2} if place == y_true else {"edgecolor": BLUE}
        axes.barh(place, row[f"p_{name}"], 0.6, facecolor=BLUE if place == y_pred else SKY, **edge)
        if len(own) > 1:
            values = own[f"p_{name}"]
            axes.plot(values, [place] * len(values), ".", color=BLACK, markersize=4, alpha=0.6, clip_on=False)
    names = [wrapped(name, 18) for name in classes]
    names[y_true] += "\n(true)"
    axes.set_yticks(range(len(classes)), names)
    axes.get_yticklabels()[y_true].set_fontweight("bold")
    axes.set(xlim=(0, 1), ylim=(len(classes) - 0.5, -0.5), xticks=(0, 0.5, 1))
    axes.set_xlabel("probability" + ("" if len(own) == 1 else " (dots: single fits)"))
    axes.grid(True, axis="x")
    axes.tick_params(axis="y", length=0)
    verdict = "right" if row["is_right"] else "wrong"
    fits = "" if len(own) == 1 else f"\nright in {row['n_right']} of {count(len(own), 'fit')}"
    axes.set_title(f"{wrapped(f'answer: {classes[y_pred]} ({verdict})', 34)}{fits}", fontsize=9.5)
