"""What can be seen of what is heard: waveform, mel spectrogram and pitch of utterances side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab import features
from serlab.features.librosa_functionals import HOP, pitch
from serlab.plotting.style import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    PALE,
    PALETTE,
    SKY,
    Figure,
    finished,
    heading,
    legend_below,
    styled,
)
from serlab.plotting.texts import sentences, wrapped
from serlab.plotting.utterance import LOG_MEL, load

#: Frames lower than this below the loudest are no speech, for the pitch.
_QUIET = 40.0  # dB


def heard_table(utterances: pd.DataFrame) -> pd.DataFrame:
    """What can be measured of single utterances.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``; few, each is read.

    Returns
    -------
    DataFrame
        Index utterance; speaker, emotion, seconds, level (dB below full scale, RMS), f0 (median over
        voiced frames, Hz), f0_range (from the 10th to the 90th percentile, semitones) and voiced (share
        of frames). NaN where nothing is voiced.

    Raises
    ------
    AudioError
        If a file cannot be used.
    """
    rows = [_measured(row) for _, row in utterances.iterrows()]
    table = pd.DataFrame(rows, index=utterances.index)
    return pd.concat([utterances[["speaker", "emotion"]], table], axis=1)


@styled
def plot_heard(utterances: pd.DataFrame) -> Figure:
    """Show utterances side by side: waveform, mel spectrogram and the pitch drawn into it.

    The table is :func:`heard_table`, with the same parameters.
    """
    table = heard_table(utterances)
    n = len(table)
    figure = Figure(figsize=(min(10.4, 1.2 + 2.6 * max(n, 2)), 4.6), layout="constrained")
    panels = figure.subplots(2, n, sharex="col", sharey="row", height_ratios=[1, 2], squeeze=False)
    for (_, row), wave, mel in zip(utterances.iterrows(), *panels, strict=True):
        _draw(row, wave, mel)
    panels[0, 0].set_ylabel("amplitude")
    panels[1, 0].set_ylabel("mel band; line: F0, 60 to 600 Hz")
    figure.supxlabel("time (s)")
    heading(figure, "What is heard, and what can be seen of it")
    says = [f"{row.emotion}: F0 {row.f0:.0f} Hz, level {row.level:.0f} dB" for row in table.itertuples()]
    return finished(figure, sentences("; ".join(says)))


@styled
def plot_among(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Show single utterances among those of a corpus, feature by feature.

    Parameters
    ----------
    table : DataFrame
        feature, who (whose dots), value (percent of the corpus that is lower), see
        :func:`serlab.lessons.speaking.among_table`.
    """
    shown, who = list(dict.fromkeys(table["feature"])), list(dict.fromkeys(table["who"]))
    figure = Figure(figsize=(8, 0.42 * len(shown) + 1.1), layout="constrained")
    axes = figure.subplots()
    everybody, middle = [0, 100], [5, 95]
    for place in range(len(shown)):
        axes.plot(everybody, [place, place], color=PALE, linewidth=6, solid_capstyle="butt", zorder=1)
        axes.plot(middle, [place, place], color=SKY, linewidth=6, solid_capstyle="butt", zorder=1)
    handles = []
    for number, one in enumerate(who):
        own = table[table["who"] == one]
        places = [shown.index(name) for name in own["feature"]]
        look = {"marker": MARKERS[number % len(MARKERS)], "color": PALETTE[number % len(PALETTE)]}
        handles += axes.plot(
            own["value"], places, linestyle="", markersize=9, markeredgecolor=BLACK, label=one, **look
        )
    axes.set_yticks(range(len(shown)), [wrapped(name, 30) for name in shown])
    axes.axvline(50, color=GREY, linewidth=0.8, zorder=2)
    axes.set(xlim=(-2, 102), xlabel="percent of the corpus that is lower; blue: its middle 90 percent")
    axes.invert_yaxis()
    legend_below(figure, handles)
    heading(figure, "Among the corpus", title)
    outside = table[(table["value"] < 5) | (table["value"] > 95)]
    says = f"{len(outside)} of {len(table)} values lie outside the middle 90 percent of the corpus"
    return finished(figure, sentences(says))


def _measured(utterance: pd.Series) -> dict[str, float]:
    loaded = load(utterance)
    f0 = _pitch(loaded.samples)
    voiced = f0[~np.isnan(f0)]
    low, middle, high = np.percentile(voiced, [10, 50, 90]) if len(voiced) else (np.nan,) * 3
    power = float(np.mean(np.square(loaded.samples, dtype=float)))
    return {
        "seconds": len(loaded.samples) / loaded.sample_rate,
        "level": 10 * np.log10(max(power, 1e-12)),
        "f0": middle,
        "f0_range": 12 * np.log2(high / low) if len(voiced) else np.nan,
        "voiced": len(voiced) / max(len(f0), 1),
    }


def _pitch(samples: np.ndarray) -> np.ndarray:
    """Hz every 10 ms, NaN where nothing is voiced or nobody speaks."""
    f0, _, voiced = pitch(samples)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (HOP, HOP)), 2 * HOP)[::HOP]
    level = 10 * np.log10(np.maximum(np.mean(np.square(frames, dtype=float), axis=1), 1e-12))
    n = min(len(f0), len(level))
    f0, voiced, level = f0[:n], voiced[:n], level[:n]
    return np.where(voiced & (level > level.max() - _QUIET), f0, np.nan)


def _draw(utterance: pd.Series, wave, mel) -> None:
    loaded = load(utterance)
    seconds = len(loaded.samples) / loaded.sample_rate
    wave.plot(np.arange(len(loaded.samples)) / loaded.sample_rate, loaded.samples, color=BLUE, linewidth=0.5)
    wave.set_title(wrapped(str(utterance["emotion"]), 18))
    level = features.get(LOG_MEL).extract(loaded.samples).T
    mel.imshow(
        level, origin="lower", aspect="auto", cmap="magma", vmin=level.max() - 70, vmax=level.max(),
        extent=(0, seconds, 0.5, len(level) + 0.5), interpolation="nearest",
    )  # fmt: skip
    f0 = _pitch(loaded.samples)
    # Octaves from 60 to 600 Hz over the height of the picture: pitch and bands have scales of their own.
    height = 0.5 + len(level) * np.log2(f0 / 60) / np.log2(600 / 60)
    mel.plot(np.arange(len(f0)) * HOP / loaded.sample_rate, height, color="white", linewidth=3)
    mel.plot(np.arange(len(f0)) * HOP / loaded.sample_rate, height, color=BLUE, linewidth=1.4)
    mel.set_xlim(0, seconds)
