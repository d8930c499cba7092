"""How figures look, how they are shown, and what they say to who does not see them.

Colours are those of Okabe & Ito (2008, Color Universal Design), which people
with the common colour-vision deficiencies tell apart; marker, hatch or line
style says the same once more, for print in grey.
"""

from __future__ import annotations

import base64
import html
import io
import os
import sys
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure as _Figure
from PIL import Image

from serlab.plotting.texts import printable, whole_characters, wrapped

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#777777"
#: Frames, and what is there to be seen through.
PALE = "#BBBBBB"

#: For categories without an order of their own, with the marker and line style that go with each.
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, YELLOW)
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")

#: Inches; a page of a report shows about 11 at full size.
WIDEST = 10.4

_STYLE = {
    "figure.dpi": 100,
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "figure.labelsize": 9.5,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.06,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "hatch.linewidth": 0.5,
    # Names come from users' tables: two dollar signs in one are no formula.
    "text.parse_math": False,
}
#: Decorator of everything that draws: the style holds inside, and no global setting changes.
styled = matplotlib.rc_context(_STYLE)


class _Renderer(RendererAgg):
    """Every text on its way into a figure: half a character would end the figure, a bell is a box."""

    def get_text_width_height_descent(self, s, prop, ismath):
        return super().get_text_width_height_descent(printable(s), prop, ismath)

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        super().draw_text(gc, x, y, printable(s), prop, angle, ismath, mtext)


class _Canvas(FigureCanvasAgg):
    def get_renderer(self):
        width, height = self.get_width_height(physical=True)
        if self._made_for != (width, height, self.figure.dpi):
            self._made_for = width, height, self.figure.dpi
            self.renderer = _Renderer(*self._made_for)
        return self.renderer

    _made_for: tuple[float, ...] = ()


class Figure(_Figure):
    """A figure that a notebook shows as the last value of a cell, without pyplot.

    Attributes
    ----------
    finding : str
        What is to be seen, in words, from the table that the figure draws.
    """

    finding: str = ""

    @property
    def alt(self) -> str:
        """Alternative text: heading and finding."""
        head = " ".join(self.get_suptitle().split())
        between = " " if head.endswith("?") else ". "
        return whole_characters(between.join(part for part in (head, self.finding) if part))

    def _repr_mimebundle_(self, **_) -> tuple[dict[str, str | bytes], dict[str, dict[str, str]]]:
        # Exporters write the "alt" of these metadata into the <img>; JupyterLab does not, and is given
        # the element itself.
        content = png(self)
        bundle: dict[str, str | bytes] = {"image/png": content, "text/plain": self.alt}
        if _is_live():
            bundle["text/html"] = _element(content, self.alt)
        return bundle, {"image/png": {"alt": self.alt}}


#: With "png" a kernel gives figures once only, as pictures: for reports, which write elements of their own.
FIGURES = "SERLAB_FIGURES"


def _is_live() -> bool:
    """Whether a person's browser shows the figures of this process."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return getattr(shell, "kernel", None) is not None and os.environ.get(FIGURES) != "png"


def png(figure: _Figure) -> bytes:
    """The figure as a PNG file at its own resolution, in 256 colours: a third of the bytes."""
    canvas = _Canvas(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    file = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(file, format="png", optimize=True)
    return file.getvalue()


def img(figure: Figure) -> str:
    """The figure as an HTML element that holds its own data."""
    return _element(png(figure), figure.alt)


def _element(content: bytes, alt: str) -> str:
    data, said = base64.b64encode(content).decode(), html.escape(alt, quote=True)
    return f"<img src='data:image/png;base64,{data}' alt='{said}' style='max-width: 100%'>"


def heading(figure: Figure, text: str, title: str = "") -> None:
    """Write the heading, with ``title`` behind a colon, in lines that are not wider than the figure."""
    text = f"{text}: {title}" if title else text
    figure.suptitle(wrapped(text, int(figure.get_figwidth() / 0.092)), x=0.01, ha="left")


def finished(figure: Figure, finding: str) -> Figure:
    """Say what is to be seen, and lay the figure out while the style holds: ticks are made when drawn."""
    figure.finding = finding
    _Canvas(figure)
    figure.draw_without_rendering()
    return figure


@styled
def note_figure(title: str, text: str) -> Figure:
    """A figure for a report in which the usual one has nothing to show."""
    figure = Figure(figsize=(9, 0.8), layout="constrained")
    heading(figure, title)
    figure.text(0.01, 0.2, text)
    return finished(figure, text)


def legend_below(figure: Figure, handles: Sequence[Artist], *, note: str = "", ncols: int = 4) -> None:
    """Put a legend below all panels, in at most ``ncols`` columns; the figure grows by its lines."""
    for handle in handles:
        handle.set_label(wrapped(handle.get_label(), 60))
    labels = [handle.get_label() for handle in handles]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    width, height = figure.get_size_inches()
    ncols = max(1, min(len(labels), ncols, int(width / (0.066 * longest + 0.5))))
    column = -(-len(labels) // ncols)
    wraps = max(
        sum(text.count("\n") for text in labels[i : i + column]) for i in range(0, len(labels), column)
    )
    lines = note.count("\n") + 1 if note else 0
    figure.set_size_inches(width, height + 0.207 * column + 0.15 * (wraps + lines) + 0.12)
    figure.legend(handles=handles, labels=labels, loc="outside lower left", ncols=ncols, title=note or None,
                  title_fontsize=9, alignment="left")  # fmt: skip


def series(number: int) -> dict[str, str]:
    """Colour, line and marker of a line; beyond eight, colours go round with other lines and markers."""
    turn = number // len(PALETTE)
    return {
        "color": PALETTE[number % len(PALETTE)],
        "linestyle": LINES[(number + turn) % len(LINES)],
        "marker": MARKERS[(number + turn) % len(MARKERS)],
    }
