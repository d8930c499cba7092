"""Tables as HTML, the same in a notebook and in a report."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from pandas.io.formats.style import Styler

from serlab.evaluation import intervals
from serlab.plotting.texts import MISSING, p_value, printable, whole_characters

_CELL = "text-align: left; white-space: normal; line-height: 1.35; padding: 3px 8px;"
_RULES = (
    ("", "border-collapse: collapse; max-width: 100%; font-size: 0.9em"),
    ("caption", "caption-side: top; text-align: left; font-weight: bold; white-space: nowrap"),
    ("th", f"{_CELL} vertical-align: bottom; border-bottom: 1px solid #888"),
    ("td", f"{_CELL} vertical-align: top; overflow-wrap: break-word; max-width: 30em"),
)
#: Rows above which a table scrolls in a frame of its own, and rows that are written at most.
_FRAMED, _MOST = 60, 300
_FRAME = (
    ("", "display: block; max-height: 36em; overflow: auto"),
    ("thead th", "position: sticky; top: 0; background: Canvas"),
)
_NUMBERS = "text-align: right; overflow-wrap: normal; font-variant-numeric: tabular-nums"


class Table(Styler):
    """A table whose headings say, to who hears it read, whether they are of a column or of a row."""

    def to_html(self, *args: Any, **options: Any) -> Any:
        """As that of pandas, with ``scope`` in every heading."""
        page = super().to_html(*args, **options)
        return with_scopes(page) if isinstance(page, str) else page


def with_scopes(page: str) -> str:
    """HTML of pandas with ``scope`` in every heading of a column and of a row.

    Examples
    --------
    >>> with_scopes('<th class="row_heading level0 row0" >')
    '<th scope="row" class="row_heading level0 row0" >'
    """
    page = re.sub(r'<th (?=[^>]*class="row_heading)', '<th scope="row" ', page)
    return re.sub(r'<th (?=[^>]*class="(col_heading|index_name))', '<th scope="col" ', page)


def display_table(
    table: pd.DataFrame,
    caption: str = "",
    *,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    percent: Collection[str] = (),
    decimals: int = 3,
) -> Styler:
    """Format a table for a notebook and for static HTML alike.

    Numbers get ``decimals`` places, counts none, p values below .001 read
    "< .001", missing is a dash, True is "yes"; columns x, x_low and x_high
    become one, "0.560 [0.503, 0.618]"; long text wraps, so that a row is never
    wider than the page; a plain running index is not shown. A long table scrolls
    below its heading; of a very long one the first rows are written, and the caption says so.

    Parameters
    ----------
    columns : mapping or sequence, optional
        Columns to show, in order; a mapping renames them, else they are headed as :func:`heading`
        says. Names that the table lacks are passed over.
    percent : collection of str
        Columns (by their own names) to show as percent.
    """
    n_rows = len(table)
    if n_rows > _MOST:
        table = table.iloc[:_MOST]
        caption = f"{caption} (the first {_MOST} of {n_rows} rows)".strip()
    texts = _texts(table, percent, decimals)
    order = [name for name in (texts if columns is None else columns) if name in texts]
    texts = texts[order]
    numbers = [place for place, name in enumerate(order) if _is_number(table[name])]
    texts = texts.rename(columns=columns if isinstance(columns, Mapping) else _readable(order))
    # The same table gets the same HTML, so that a report can be compared with an older one.
    uuid = hashlib.sha256(texts.to_csv().encode()).hexdigest()[:8]
    style = (
        Table(texts, uuid=uuid, cell_ids=n_rows <= _FRAMED)
        .format(escape="html")
        .format_index(escape="html", axis="columns")
    )
    style = style.hide(axis="index") if isinstance(table.index, pd.RangeIndex) else style
    rules = [
        *_RULES,
        *(_FRAME if n_rows > _FRAMED else ()),
        *((f"td.col{place}, th.col{place}", _NUMBERS) for place in numbers),
    ]
    style = style.set_table_styles([{"selector": selector, "props": props} for selector, props in rules])
    if table.empty:
        caption = f"{caption}: none"
    return style.set_caption(html.escape(whole_characters(caption))) if caption else style


#: Columns of results whose names are no words; others stay as they are: they may be names of corpora.
_HEADINGS = {
    "uar": "UAR", "p_holm": "p (Holm)", "macro_f1": "macro F1", "text_id": "sentence", "mmd2": "squared MMD",
    "a_distance": "A-distance", "uar_fold_sd": "SD over folds", "shared_classes": "shared classes",
    "target_seen": "saw of target", "held_out": "held out", "left_out": "left out", "one_class": "one class",
    "native_label": "native label", "label_scheme": "label scheme", "fold_sd": "SD over folds",
}  # fmt: skip


def heading(name: object) -> object:
    """Name of a column as a reader is shown it: words, not an identifier.

    Examples
    --------
    >>> heading("n_speakers"), heading("uar"), heading("a_corpus")
    ('speakers', 'UAR', 'a_corpus')
    """
    if not isinstance(name, str):
        return name
    return _HEADINGS.get(name, name.removeprefix("n_") if name.startswith("n_") and len(name) > 3 else name)


def latex_table(
    table: pd.DataFrame, *, columns: Mapping[str, str] | Sequence[str] | None = None, decimals: int = 3
) -> str:
    """The same as LaTeX, with the rules of ``booktabs``; parameters are those of :func:`display_table`."""
    texts = _texts(table, (), decimals)
    order = [name for name in (texts if columns is None else columns) if name in texts]
    headings = columns if isinstance(columns, Mapping) else _readable(order)
    sides = "".join("r" if _is_number(table[name]) else "l" for name in order)
    rows = [[headings.get(name, name) for name in order], *texts[order].to_numpy().tolist()]
    lines = [" & ".join(_latex(str(cell)) for cell in row) + r" \\" for row in rows]
    # Behind the end of a row, these two would be its options.
    lines = [f"{{}}{line}" if line.startswith(("[", "*")) else line for line in lines]
    body = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{{sides}}}", *body, r"\end{tabular}", ""])


#: Characters that LaTeX reads as something else.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\N{NO-BREAK SPACE}": "~",
    "\N{MINUS SIGN}": "$-$", "\N{RIGHTWARDS ARROW}": r"$\to$", "\N{EN DASH}": "--", "\N{EM DASH}": "---",
    "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in printable(text))


def _readable(names: Sequence[object]) -> dict[object, object]:
    """Headings of columns; their own names, where two would read the same."""
    found = {name: heading(name) for name in names}
    return {name: text if list(found.values()).count(text) == 1 else name for name, text in found.items()}


def _texts(table: pd.DataFrame, percent: Collection[str], decimals: int) -> pd.DataFrame:
    """Every column as text, those of intervals within the column that they belong to."""
    bounds = {name: (f"{name}_low", f"{name}_high") for name in table}
    bounds = {name: ends for name, ends in bounds.items() if all(end in table for end in ends)}
    within = {end for ends in bounds.values() for end in ends}
    texts = pd.DataFrame(index=table.index)
    for name in table:
        if name in within:
            continue
        columns = [name, *bounds.get(name, ())]
        written = [_column_texts(table[column], name in percent, decimals) for column in columns]
        texts[name] = written[0] if len(columns) == 1 else list(map(_joined, *written))
    return texts


def _joined(value: str, low: str, high: str) -> str:
    if MISSING in (value, low, high):
        return value
    return intervals.joined(value, low, high).replace(", ", ",\N{NO-BREAK SPACE}")


def _is_number(column: pd.Series) -> bool:
    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column)


def _column_texts(column: pd.Series, percent: bool, decimals: int) -> list[str]:
    # Counts that became float only because one of them is missing are still counts.
    known = column.dropna()
    is_count = types.is_integer_dtype(column) or (
        _is_number(column) and bool((known % 1 == 0).all()) and known.abs().max() > 1
    )

    def text(value) -> str:
        if (np.isscalar(value) and pd.isna(value)) or value is None:
            return MISSING
        if isinstance(value, bool | np.bool_):
            return "yes" if value else ""
        if not isinstance(value, int | float | np.number):
            return whole_characters(str(value))
        if percent:
            return f"{value:.1%}"
        if column.name in ("p", "p_holm"):
            return p_value(value)
        return f"{value:.0f}" if is_count else f"{value:.{decimals}f}"

    return [text(value) for value in column]
