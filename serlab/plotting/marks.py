"""What several figures are built of: rows with intervals, cells with numbers, panels, points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from serlab.errors import ParameterError
from serlab.plotting.style import BLACK, GREY, MARKERS, PALETTE, WIDEST, Figure
from serlab.plotting.texts import MISSING


def require_rows(table: pd.DataFrame) -> None:
    """Raise ParameterError if there is nothing to draw."""
    if table.empty:
        raise ParameterError("there is nothing to show: the table has no rows")


def known(table: pd.DataFrame, *columns: str) -> np.ndarray:
    """All values of these columns that are not missing; a column may be missing too."""
    values = table.reindex(columns=columns).to_numpy(dtype=float).ravel()
    return values[~np.isnan(values)]


def highest(table: pd.DataFrame, name: str) -> pd.Series:
    """The row with the largest value that is not missing; there must be one."""
    return table.iloc[int(np.nanargmax(table[name].to_numpy(dtype=float)))]


def limits(values: np.ndarray, chance: float | None = None) -> tuple[float, float]:
    """Limits that hold all values and the chance level, on tenths, within 0 and 1."""
    values = np.append(values, [] if chance is None else chance)
    if len(values) == 0:
        return 0.0, 1.0
    low = max(0.0, np.floor((values.min() - 0.02) * 10) / 10)
    high = min(1.0, np.ceil((values.max() + 0.02) * 10) / 10)
    return low - 0.01, high + 0.01


def spread(n: int, height: float) -> np.ndarray:
    """Offsets that part neighbours, in a fixed pattern, so that each is seen."""
    return ((np.arange(n) * 0.618034 + 0.5) % 1 - 0.5) * height


def chance_line(axes: Axes, chance: float, *, upright: bool = False, label: str = "chance") -> Line2D:
    """Draw the level of guessing; gives its handle for a legend."""
    style = {"color": BLACK, "linestyle": ":", "linewidth": 1.3, "zorder": 1}
    (axes.axvline if upright else axes.axhline)(chance, **style)
    return Line2D([], [], **style, label=f"{label}, {chance:.2f}")


# --- more than a figure has room for ------------------------------------------------------------

#: Rows of a figure, and panels, at most: what is taller is not read, and a page of it weighs megabytes.
MOST_ROWS, MOST_PANELS = 40, 16


def thinned(table: pd.DataFrame, name: str, *, groups: pd.Series | None = None) -> tuple[pd.DataFrame, str]:
    """Rows that a figure has room for, in their order: of each group those with the highest values.

    Parameters
    ----------
    table : DataFrame
    name : str
        Column of the values.
    groups : Series, optional
        Of the rows; each group has as many places as the others, as far as it has rows.

    Returns
    -------
    DataFrame, and a note on the others; empty where all are shown.
    """
    if len(table) <= MOST_ROWS:
        return table, ""
    groups = pd.Series(0, index=table.index) if groups is None else groups
    place = table[name].groupby(groups.to_numpy()).rank(ascending=False, method="first", na_option="bottom")
    kept = np.sort(np.argsort(place.to_numpy(), kind="stable")[:MOST_ROWS])
    return table.iloc[kept], f"{len(table) - MOST_ROWS} further rows, with lower values, are in the table"


# --- rows ---------------------------------------------------------------------------------------


def row_figure(labels: Sequence[str], *, groups: Sequence | None = None, gap: float = 0.35):
    """A figure with one line a label; lines of another group than the one above stand apart.

    Returns
    -------
    figure, axes, and the positions of the lines.
    """
    position = np.arange(len(labels), dtype=float)
    if groups is not None:
        groups = pd.Series(list(groups))
        position += gap * (groups.ne(groups.shift()).cumsum().to_numpy() - 1)
    rows = position.max() + 1
    most_lines = max(label.count("\n") + 1 for label in labels)
    figure = Figure(figsize=(9, max(0.4, 0.165 * most_lines + 0.04) * rows + 0.96), layout="constrained")
    axes = figure.subplots()
    axes.set_ylim(rows - 0.4, -0.6)
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(position, labels, linespacing=1.05)
    return figure, axes, position


def right_texts(axes: Axes, position: np.ndarray, columns: Mapping[str, Sequence[str]]) -> None:
    """Write columns of text at the right of the rows: heading -> one text a row."""
    offset = 12
    for head, column in columns.items():
        for y, text in zip([-0.8, *position], [head, *column], strict=True):
            right_text(axes, y, text, offset=offset, size=9, color=GREY if text is head else BLACK)
        offset += 10 + 6 * max(map(len, [head, *column]))


def right_text(axes: Axes, y: float, text: str, *, offset: float, size: float, color: str = BLACK) -> None:
    """Write ``offset`` points to the right of the panel."""
    axes.annotate(
        text, (1, y), xycoords=axes.get_yaxis_transform(), xytext=(offset, 0), textcoords="offset points",
        va="center", fontsize=size, annotation_clip=False, color=color,
    )  # fmt: skip


def interval_mark(
    axes: Axes, y: float, row: Mapping, name: str, colour: str, marker: str, *, ends: Sequence[str] = ()
) -> None:
    """Draw a value of a row and, where it is known, its interval."""
    low, high = (row.get(end) for end in ends or (f"{name}_low", f"{name}_high"))
    if pd.notna(low) and pd.notna(high):
        axes.plot([low, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
        axes.plot([low, high], [y, y], "|", color=colour, markersize=7, markeredgewidth=1.6, zorder=2)
    if pd.notna(row[name]):
        axes.plot(row[name], y, marker, color=colour, markersize=8, zorder=3)


# --- panels -------------------------------------------------------------------------------------


def panel_figure(
    n: int,
    *,
    size: tuple[float, float],
    most_columns: int,
    margin: tuple[float, float] = (0.6, 1.0),
    **shared,
) -> tuple[Figure, list[Axes], int]:
    """A figure with ``n`` panels in lines, not wider than a page.

    Parameters
    ----------
    size, margin : (float, float)
        Width and height of a panel with its title, and of what stands around all (inches).
    **shared
        ``sharex``, ``sharey``; see :meth:`matplotlib.figure.Figure.subplots`.

    Returns
    -------
    figure, axes in reading order, and the number of columns.
    """
    columns = max(1, min(n, most_columns, int((WIDEST - margin[0]) / size[0])))
    lines = -(-n // columns)
    figsize = (max(columns * size[0] + margin[0], 4.8), lines * size[1] + margin[1])
    figure = Figure(figsize=figsize, layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False, **shared).ravel()
    for axes in grid[n:]:
        axes.set_visible(False)
    return figure, list(grid[:n]), columns


# --- cells --------------------------------------------------------------------------------------


def cells(
    axes: Axes,
    values: np.ndarray,
    written: np.ndarray,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    low: float,
    high: float,
    cmap: str = "Blues",
    size: float = 9,
    **lines,
) -> None:
    """Draw a heat map with a text in each cell; what is missing stays white.

    Parameters
    ----------
    values, written : ndarray, shape (rows, columns)
        Numbers with NaN, and their texts.
    low, high : float
        Values of the lightest and the darkest colour.
    **lines
        ``linewidths``, ``linecolor`` between the cells.
    """
    import seaborn  # with pyplot, which this floor does not need elsewhere

    values = np.asarray(values, dtype=float)
    seaborn.heatmap(
        values, ax=axes, cmap=cmap, vmin=low, vmax=high, cbar=False, xticklabels=False, yticklabels=False,
        **lines,
    )  # fmt: skip
    mesh = axes.collections[-1]
    mesh.update_scalarmappable()
    luminance = np.reshape(seaborn.utils.relative_luminance(mesh.get_facecolors()), values.shape)
    for (row, column), value in np.ndenumerate(values):
        # Black and white stand out alike on a luminance of .18.
        colour = GREY if np.isnan(value) else "black" if luminance[row, column] > 0.2 else "white"
        axes.text(column + 0.5, row + 0.5, written[row][column], ha="center", va="center", fontsize=size,
                  linespacing=0.98, color=colour)  # fmt: skip
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def cell_texts(values: np.ndarray, write=lambda value: f"{value:.2f}", missing: str = MISSING) -> np.ndarray:
    """Texts of cells, shape as ``values``."""
    values = np.asarray(values, dtype=float)
    texts = [missing if np.isnan(value) else write(value) for value in values.ravel()]
    return np.array(texts, dtype=object).reshape(values.shape)


# --- points -------------------------------------------------------------------------------------


def scatter(axes: Axes, x: pd.Series, y: pd.Series, groups: pd.Series, names: Sequence[str]) -> list[Line2D]:
    """Points with a colour and marker a group; gives the handles of a legend with counts.

    Points are drawn in a shuffled order (of the same seed), so that no group covers the others.
    Beyond eight groups colours go round with other markers.
    """
    import seaborn

    groups = groups.astype(str).to_numpy()
    order = np.random.default_rng(0).permutation(len(x))
    styles = {name: (PALETTE[i % 8], MARKERS[(i + i // 8) % 8]) for i, name in enumerate(names)}
    look = {"s": 34, "alpha": 0.75, "linewidth": 0.5, "edgecolor": "white"}
    seaborn.scatterplot(
        x=x.to_numpy()[order], y=y.to_numpy()[order], hue=groups[order], style=groups[order],
        hue_order=names, style_order=names, palette={name: colour for name, (colour, _) in styles.items()},
        markers={name: marker for name, (_, marker) in styles.items()}, legend=False, ax=axes, **look,
    )  # fmt: skip
    axes.set(xlabel="", ylabel="")
    return [
        Line2D([], [], linestyle="", marker=marker, color=colour, markeredgecolor="white", markersize=7,
               label=f"{name} ({int((groups == name).sum())})")
        for name, (colour, marker) in styles.items()
    ]  # fmt: skip
