"""What a report opens with: the answer, and what it rests on, in one screen.

Made from the tables of a run folder, not from what a notebook showed: it can
be made again without running anything.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab.evaluation import intervals, verdicts
from serlab.evaluation.scoring import POOLED
from serlab.experiment.kept import Kept
from serlab.methods.base import FIT_ARGUMENTS
from serlab.wording import count

#: More rows of a figure do not fit one screen; the report's own figure has all.
ROWS = 9
#: Findings that are told at once; the report's own table has all.
_FINDINGS = 3

_SIGNS = {"helps": "\N{BLACK UP-POINTING TRIANGLE}", "hurts": "\N{BLACK DOWN-POINTING TRIANGLE}"}
_WIDTH, _HEIGHT, _MARGIN = 200, 16, 6


@dataclass(frozen=True)
class Tables:
    """Tables of a run, empty where there are none.

    Attributes
    ----------
    summary, comparison, audit : DataFrame
        As :mod:`serlab.experiment` writes them.
    """

    summary: pd.DataFrame
    comparison: pd.DataFrame
    audit: pd.DataFrame

    @classmethod
    def none(cls) -> Tables:
        """Of a run that has not got that far."""
        return cls(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())

    @classmethod
    def of(cls, folder: Path) -> Tables:
        """Read what a run left in its folder; where it left predictions alone, tables are made first.

        Raises
        ------
        SerlabError
            If they cannot be made: of methods that are no longer there.
        """
        if not (folder / "summary.csv").is_file() and Kept(folder).is_complete:
            from serlab.reporting import rebuilding

            rebuilding.tables(folder)
        return cls(*(_checked(folder / f"{name}.csv") for name in ("summary", "comparison", "audit")))


#: What pages need of each table: columns of text, and of numbers.
_NEEDED = {
    "summary": (("method",), ("uar", "uar_low", "uar_high")),
    "comparison": (
        ("question", "method", "control", "primary", "verdict"),
        ("gain", "gain_low", "gain_high"),
    ),
    "audit": (("severity", "finding"), ()),
}  # fmt: skip


def table(path: Path) -> pd.DataFrame:
    """A table of a run folder; empty where the run did not get that far, or had nothing to write."""
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return pd.DataFrame()


def _checked(path: Path) -> pd.DataFrame:
    """The same of a run of anybody: what is not as serlab writes it is left out, with a warning."""
    texts, numbers = _NEEDED[path.stem]
    try:
        found = table(path)
        if found.empty:
            return found
        missing = [name for name in (*texts, *numbers) if name not in found]
        if missing:
            raise ValueError(f"no column {missing[0]!r}")
        for name in numbers:
            found[name] = pd.to_numeric(found[name])
    except (ValueError, TypeError, OSError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(f"left out: {path} is damaged ({what}); `serlab rebuild` makes it again", stacklevel=3)
        return pd.DataFrame()
    return found.astype(dict.fromkeys(texts, object)).fillna(dict.fromkeys(texts, ""))


def write(tables: Tables) -> str:
    """HTML of the opening below the headline; empty without a summary."""
    if tables.summary.empty:
        return ""
    return (
        f'<div class="opening">\n<div class="asked">\n{_figures(tables)}\n</div>\n'
        f'<div class="beside">\n{_seen(tables.summary)}\n{_found(tables.audit)}\n</div>\n</div>\n'
    )


def verdict(comparison: pd.DataFrame) -> str:
    """The answer in a few words: how what was declared ended; empty where nothing was compared."""
    return verdicts.answer(comparison)


def _figures(tables: Tables) -> str:
    """What was declared, a figure a question; UAR where there is nothing to compare."""
    comparison = tables.comparison
    if comparison.empty:
        rows = tables.summary.sort_values("uar", ascending=False)
        return _forest(
            rows,
            "uar",
            caption=f"UAR of each method ({POOLED}), {intervals.LABEL}",
            columns={},
            zero=None,
            extra={},
        )
    declared = comparison[comparison["primary"].astype(bool)]
    rows = comparison if declared.empty else declared
    figures = [
        _gains(rows[rows["question"] == question], tables.summary, question)
        for question in verdicts.asked(rows)
    ]
    n = len(comparison) - len(rows)
    others = f"<p>{count(n, 'exploratory comparison')} in the figures below.</p>" if n else ""
    return "\n".join(figures) + others


def _gains(rows: pd.DataFrame, summary: pd.DataFrame, question: str) -> str:
    uar = summary.set_index("method")["uar"].reindex(rows["method"])
    columns = {
        "over": [html.escape(str(over)) for over in rows.get("control_title", rows["control"])],
        "UAR": [f"{value:.2f}" if pd.notna(value) else "" for value in uar],
    }
    extra = {"p (Holm)": [verdicts.p_text(p) for p in rows["p_holm"]]}
    caption = f"{verdicts.QUESTIONS[question]} UAR gained, {intervals.LABEL}"
    return _forest(rows, "gain", caption=caption, columns=columns, zero=0.0, extra=extra)


def _forest(
    rows: pd.DataFrame,
    name: str,
    *,
    caption: str,
    columns: dict[str, Sequence[str]],
    zero: float | None,
    extra: dict[str, Sequence[str]],
) -> str:
    """A table with an interval drawn in each row; text says what is drawn."""
    values = rows[[name, f"{name}_low", f"{name}_high"]].to_numpy(dtype=float)
    chosen = list(range(min(len(rows), ROWS)))
    shown = np.append(values[chosen], np.nan if zero is None else zero)
    shown = shown[~np.isnan(shown)]
    low, high = (shown.min(), shown.max()) if len(shown) else (0.0, 1.0)
    scale = _Scale(low, high if high > low else low + 1.0)
    sign = name == "gain"
    heads = ["method", *columns, "", f"{'gain' if sign else 'UAR'} {intervals.HEADING}", *extra]
    body = []
    for number in chosen:
        row = rows.iloc[number]
        said = str(row["verdict"]) if "verdict" in rows else ""
        cells = [
            html.escape(str(row.get("title", row["method"]))) + _mark(said),
            *(texts[number] for texts in columns.values()),
            _drawn(values[number], scale, zero, said),
            "" if np.isnan(values[number][0]) else intervals.text(*values[number], sign=sign),
            *(html.escape(texts[number]) for texts in extra.values()),
        ]
        body.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    if len(rows) > len(chosen):
        body.append(
            f'<tr class="gap"><td colspan="{len(heads)}">{len(rows) - len(chosen)} more below</td></tr>'
        )
    ticks = "".join("<td></td>" for _ in ["method", *columns])
    body.append(f'<tr class="axis">{ticks}<td>{_axis(scale, sign)}</td></tr>')
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    return (
        f"<figure><figcaption>{html.escape(caption)}</figcaption>\n"
        f'<div class="scroll"><table class="forest"><thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(body)
        + "\n</tbody></table></div></figure>"
    )


def _mark(said: str) -> str:
    """The verdict behind a title."""
    if not said or said == verdicts.EXPLORATORY:
        return ""
    sign = f"{_SIGNS[said]} " if said in _SIGNS else ""
    return f' <span class="{said if said in _SIGNS else "open"}">{sign}{html.escape(said)}</span>'


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def x(self, value: float) -> float:
        return _MARGIN + (_WIDTH - 2 * _MARGIN) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round numbers within the limits, three to six of them."""
        span = self.high - self.low
        step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if span / s <= 5), 0.5)
        first = int(np.ceil(self.low / step - 1e-9))
        return [round(i * step, 2) for i in range(first, int(np.floor(self.high / step + 1e-9)) + 1)]


def _drawn(value: np.ndarray, scale: _Scale, zero: float | None, said: str) -> str:
    middle = _HEIGHT / 2
    parts = [] if zero is None else [_line(scale.x(zero), 0, scale.x(zero), _HEIGHT, "zero")]
    centre, low, high = value
    if not np.isnan([low, high]).any():
        parts.append(_line(scale.x(low), middle, scale.x(high), middle, "interval"))
    if not np.isnan(centre):
        x, r = scale.x(centre), 4.5
        if said in _SIGNS:
            up = -1 if said == "helps" else 1
            points = f"{x:.1f},{middle + up * r:.1f} {x - r:.1f},{middle - up * r:.1f} "
            parts.append(f'<polygon points="{points}{x + r:.1f},{middle - up * r:.1f}"/>')
        else:
            parts.append(f'<circle cx="{x:.1f}" cy="{middle}" r="{r - 0.5}"/>')
    return _svg(parts, said if said in _SIGNS else "no")


def _axis(scale: _Scale, sign: bool) -> str:
    parts = []
    for tick in scale.ticks():
        text = "0" if tick == 0 else f"{tick:{'+' if sign else ''}.2f}"
        parts.append(f'<text x="{scale.x(tick):.1f}" y="11" text-anchor="middle">{text}</text>')
    return _svg(parts, "ticks")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _svg(parts: Sequence[str], kind: str) -> str:
    # Hidden from readers of text: the cell beside it says the same in numbers.
    return (
        f'<svg class="{kind}" aria-hidden="true" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}">{"".join(parts)}</svg>'
    )


def _seen(summary: pd.DataFrame) -> str:
    """One row for each thing that methods saw of the target: how many did, and the best of them."""
    rows = []
    rank = {access: place for place, access in enumerate(FIT_ARGUMENTS)}
    summary = summary.sort_values("access", key=lambda access: access.map(rank), kind="stable")
    for seen, own in summary.groupby(summary["target_seen"].fillna("nothing"), sort=False):
        best = own.loc[own["uar"].idxmax()] if own["uar"].notna().any() else own.iloc[0]
        rows.append((seen, len(own), best.get("title", best["method"]), best["uar"]))
    body = "".join(
        f"<tr><td>{html.escape(str(seen))}</td><td>{n}</td>"
        f"<td>{uar:.2f} <small>{html.escape(str(title))}</small></td></tr>\n"
        for seen, n, title, uar in rows
    )
    return (
        "<section><h2>What was seen of the target</h2>\n<table><thead><tr><th scope='col'>seen</th>"
        "<th scope='col'>methods</th><th scope='col'>highest UAR</th></tr></thead>"
        f"<tbody>\n{body}</tbody></table></section>"
    )


def _found(audit: pd.DataFrame) -> str:
    """Errors and warnings of the auditor; remarks are counted."""
    head = "<section><h2>What the auditor found</h2>\n"
    if audit.empty:
        return f"{head}<p>Nothing.</p></section>"
    grave = audit[audit["severity"].isin(["error", "warning"])]
    items = "".join(
        f'<li><span class="badge {"bad" if row.severity == "error" else "warn"}">'
        f"{html.escape(row.severity)}</span> {html.escape(row.finding)}</li>\n"
        for row in grave.head(_FINDINGS).itertuples()
    )
    more, remarks = max(0, len(grave) - _FINDINGS), len(audit) - len(grave)
    rest = [f"{more} more of these"] if more else []
    rest += [count(remarks, "remark")] if remarks else []
    further = " and ".join(rest)
    none = "" if len(grave) else "<p>No errors, no warnings.</p>"
    also = f"<p>{further} in the table below.</p>" if further else ""
    return f"{head}{none}<ul>{items}</ul>{also}</section>" if items else f"{head}{none}{also}</section>"
