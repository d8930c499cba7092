"""Who says what in the corpora."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from serlab.errors import ParameterError
from serlab.plotting.marks import cells
from serlab.plotting.style import VERMILLION, Figure, finished, styled
from serlab.plotting.texts import names, natural, sentences, speaker_name, wrapped
from serlab.wording import count

SPEAKERS_PER_ROW = 30
#: Speakers of a corpus that are drawn: of more, those with the most utterances.
MOST_SPEAKERS = 150

#: Inches: height of a line of cells; above and below them.
_LINE, _ABOVE, _BELOW = 0.28, 0.3, 0.25


def emotions(utterances: pd.DataFrame) -> list[str]:
    """Classes of labelled utterances, in their order.

    Raises
    ------
    ParameterError
        If there are no utterances, or they have no labels.
    """
    if "emotion" not in utterances:
        raise ParameterError("the utterances have no column 'emotion'; apply a label scheme first")
    if utterances.empty:
        raise ParameterError("there are no utterances to show")
    return names(utterances["emotion"])


def counts_table(utterances: pd.DataFrame) -> pd.DataFrame:
    """Count utterances by speaker and emotion.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``, see :meth:`serlab.labels.LabelScheme.apply`.

    Returns
    -------
    DataFrame
        Index (corpus, speaker); one column an emotion, ``all``, and
        ``only``: the speaker's one emotion where there is just one. Such a
        speaker's voice says the emotion, so a model may learn the voice.
    """
    shown = emotions(utterances)
    counts = (
        utterances.groupby(["corpus", "speaker", "emotion"], observed=True)
        .size()
        .unstack("emotion", fill_value=0)
        .reindex(columns=shown, fill_value=0)
        .sort_index(key=lambda names: names.map(natural))
    )
    counts.columns = [str(name) for name in counts.columns]
    one = (counts > 0).sum(axis=1) == 1
    only = counts.idxmax(axis=1).where(one, "")
    return counts.assign(all=counts.sum(axis=1), only=only)


@styled
def plot_counts(utterances: pd.DataFrame) -> Figure:
    """Show how many utterances each speaker has of each emotion, a panel a corpus.

    Speakers with one emotion only are outlined and starred: for them, speaker
    and emotion are confounded. The table is :func:`counts_table`.
    """
    table = counts_table(utterances)
    shown = table.columns[:-2]
    strips = list(_strips(table))
    widest = max(len(part) for *_, part in strips)
    cell = min(0.45, 8.0 / widest)
    longest = 0.09 * (1 + max(len(speaker_name(name)) for name in table.index.get_level_values("speaker")))
    upright = longest > cell
    above = [_ABOVE + 0.16 * title.count("\n") for title, *_ in strips]
    grid = _LINE * len(shown)
    below = _BELOW + (longest if upright else 0.15)
    left, head, foot = 0.65 + 0.085 * max(map(len, shown)), 0.4, 0.35
    total = sum(above) + len(strips) * (grid + below) + head + foot
    width = max(7.0, left + cell * widest + 0.2)
    figure = Figure(figsize=(width, total))
    top = total - head
    for (title, corpus, part), over in zip(strips, above, strict=True):
        top -= over + grid
        axes = figure.add_axes((left / width, top / total, cell * len(part) / width, grid / total))
        _count_cells(axes, part, corpus[shown], upright)
        axes.set_title(title)
        top -= below
    figure.suptitle("Utterances per speaker and emotion", x=0.01, y=1 - 0.1 / total, ha="left", va="top")
    if (table["only"] != "").any():
        figure.text(
            0.15 / width, 0.1 / total, color=VERMILLION, fontsize=9,
            s="* outlined: a speaker with one emotion only; the voice gives the label away",
        )  # fmt: skip
    says = [_corpus_says(name, part) for name, part in table.groupby(level="corpus")]
    return finished(figure, sentences(*says))


def _strips(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Title, counts of a corpus, and the speakers of one row of cells; the first row has the title."""
    for corpus, part in table.groupby(level="corpus"):
        says, shown = _corpus_says(corpus, part), part
        if len(part) > MOST_SPEAKERS:
            most = np.sort(np.argsort(-part["all"].to_numpy(), kind="stable")[:MOST_SPEAKERS])
            says, shown = f"{says}; the {MOST_SPEAKERS} with the most are shown", part.iloc[most]
        n_strips = -(-len(shown) // SPEAKERS_PER_ROW)
        for number, rows in enumerate(np.array_split(np.arange(len(shown)), n_strips)):
            yield "" if number else wrapped(says, 105), part, shown.iloc[rows]


def _corpus_says(corpus: str, part: pd.DataFrame) -> str:
    """Numbers of utterances and speakers, and how many of these are confounded."""
    n_only = int((part["only"] != "").sum())
    text = f"{corpus}: {part['all'].sum()} utterances, {count(len(part), 'speaker')}"
    return text + (f", {n_only} of them with one emotion only" if n_only else "")


def _count_cells(axes, part: pd.DataFrame, corpus: pd.DataFrame, upright: bool) -> None:
    """Draw the speakers of ``part``; ``corpus`` has the counts of the whole corpus."""
    shown, totals, most = list(corpus.columns), corpus.sum(), int(corpus.to_numpy().max())
    counts = part[shown].to_numpy().T
    only = part["only"].to_numpy()
    speakers = part.index.get_level_values("speaker")
    cells(
        axes, counts, np.where(counts > 0, counts.astype(str), ""),
        rows=[f"{name} ({n})" for name, n in totals.items()],
        columns=[speaker_name(name) + ("*" if one else "") for name, one in zip(speakers, only, strict=True)],
        low=0, high=most * 1.15, size=9 if most < 1000 else 8, linewidths=0.6, linecolor="#CCCCCC",
    )  # fmt: skip
    axes.tick_params(axis="x", labelrotation=90 if upright else 0)
    axes.set_xlabel("speaker", labelpad=1)
    for column, emotion in enumerate(only):
        if emotion:
            corner = (column + 0.04, shown.index(emotion) + 0.06)
            axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor=VERMILLION, linewidth=1.8))
            axes.get_xticklabels()[column].set(color=VERMILLION, fontweight="bold")
