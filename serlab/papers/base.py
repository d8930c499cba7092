"""The record of a paper: what it printed, how it measured, and where a run of ours departs from that."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

from serlab.errors import ParameterError
from serlab.papers import departing
from serlab.papers.records import Departure, Features, Pair, Protocol, Split

__all__ = ["Departure", "Features", "Pair", "Paper", "Protocol", "Split"]

if TYPE_CHECKING:
    from serlab.experiment import Outcome, Parameters
    from serlab.methods import MethodSpec

#: Columns that every ``published.csv`` has; a paper may have more.
PUBLISHED: tuple[str, ...] = ("where", "source", "target", "method", "metric", "emotion", "value", "note")
CONTRADICTIONS: tuple[str, ...] = ("subject", "says", "where", "against", "where_against", "our_reading")
CHOICES: tuple[str, ...] = ("open", "printed", "where", "serlab", "why")

#: Columns of :meth:`Paper.beside`.
BESIDE: tuple[str, ...] = (
    "method", "title", "row", "badge", "published", "published_range", "measured", "low", "high",
    "difference",
)  # fmt: skip

#: Badge of a method whose original we know from others or its abstract alone.
REBUILT = "rebuilt from its description"


def _all_cells(published: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    return published


def _nothing(outcome: Outcome, method: str) -> Iterable[Departure]:
    return ()


def _no_tables() -> dict[str, pd.DataFrame]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper whose numbers stand beside ours. See :data:`serlab.papers.PAPERS`.

    Its tables are read from the CSV files of its folder, when they are asked for.

    Attributes
    ----------
    key : str
        Short and stable: "neumann-vu"; its folder has the same name with underscores.
    authors, title : str
    year : int
    notebook : str
        Number of the notebook that follows it: "02".
    rows : mapping
        Row of its tables -> how the paper calls it, in its order.
    nearest : mapping
        Method of serlab -> row that it stands beside. Several may stand beside one.
    measures : mapping
        Metric -> column of an experiment's summary that is that; the first is the paper's own.
    protocol : Protocol
    cells : callable(published, parameters)
        Which published cells an experiment stands beside.
    rebuilt : mapping
        Method -> what it rests on, where the original's text was not at hand.
    weighed : collection of str
        Methods of ``nearest`` in which classes weigh the same here, but with the preset ``paper``: none of
        the papers says so of its own.
    normalized : collection of str
        Methods of ``nearest`` whose normalisation is the paper's, or makes no difference, as to trees.
    changed : mapping
        Method -> departures that it has in every run.
    further : callable(outcome, method)
        Departures that no other paper has.
    tables : callable()
        Caption -> table as printed, for a reader.
    decimals : int
        Of these tables.
    """

    key: str
    authors: str
    title: str
    year: int
    notebook: str
    rows: Mapping[str, str]
    nearest: Mapping[str, str]
    measures: Mapping[str, str]
    protocol: Protocol
    cells: Callable[[pd.DataFrame, Parameters], pd.DataFrame] = _all_cells
    rebuilt: Mapping[str, str]
    weighed: Collection[str] = ()
    normalized: Collection[str] = ()
    changed: Mapping[str, tuple[Departure, ...]]
    further: Callable[[Outcome, str], Iterable[Departure]] = _nothing
    tables: Callable[[], dict[str, pd.DataFrame]] = _no_tables
    decimals: int = 3

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of :data:`serlab.methods.METHODS`, in the order of the paper's rows."""
        return tuple(self.nearest)

    @property
    def citation(self) -> str:
        """For a reader."""
        return f"{self.authors} ({self.year}), {self.title}"

    @property
    def published(self) -> pd.DataFrame:
        """Printed numbers: columns :data:`PUBLISHED`, and what else this paper needs.

        Shares are between 0 and 1; ``method`` is a key of ``rows``, ``emotion`` a class in serlab's
        words. Where a paper prints two numbers for one thing, both are there.
        """
        table = self.read("published")
        numbers = [name for name in ("value", "deviation") if name in table]
        return table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})

    @property
    def contradictions(self) -> pd.DataFrame:
        """What it says twice and differently, or leaves unexplained: columns :data:`CONTRADICTIONS`."""
        return self.read("contradictions", columns=CONTRADICTIONS)

    @property
    def choices(self) -> pd.DataFrame:
        """What it leaves open, and what serlab does: columns :data:`CHOICES`."""
        return self.read("choices", columns=CHOICES)

    def read(self, name: str, *, columns: Sequence[str] = ()) -> pd.DataFrame:
        """Table ``<name>.csv`` of its folder, all text. With ``columns`` it may be missing: then no rows."""
        path = files("serlab.papers") / self.key.replace("-", "_") / f"{name}.csv"
        if columns and not path.is_file():
            return pd.DataFrame(columns=list(columns), dtype=str)
        with path.open(encoding="utf-8") as file:
            return pd.read_csv(file, keep_default_na=False, dtype=str)

    def not_run(self, installed: Sequence[str]) -> pd.DataFrame:
        """Its own experiments, and which corpus each still needs.

        Parameters
        ----------
        installed : sequence of str
            Corpora that can be read.

        Returns
        -------
        DataFrame
            experiment, source, target, status: "can be run" or "not run: ... not installed".
        """
        rows = []
        for pair in self.protocol.pairs:
            missing = [name for name in (pair.source, pair.target) if name and name not in installed]
            status = f"not run: {' and '.join(missing)} not installed" if missing else "can be run"
            rows.append({**pair._asdict(), "status": status})
        return pd.DataFrame(rows, columns=[*Pair._fields, "status"])

    def beside(self, outcome: Outcome, *, metric: str | None = None) -> pd.DataFrame:
        """Published and measured numbers of each method, with every difference named.

        Parameters
        ----------
        outcome : Outcome
            Of an experiment.
        metric : str, optional
            A key of ``measures``; the first by default.

        Returns
        -------
        DataFrame
            method, title, row (the paper's name of it), badge, published, published_range, measured,
            low, high (where the measure has an interval), difference. ``published`` is the paper's
            cell of these corpora, else the mean of those of the same target with its own sources,
            else the mean over its pairs, with the least and the greatest as range; NaN where it
            printed none. There are rows of methods that were run, and where nothing was run beside a
            row of the paper, of the first that would stand there; its ``measured`` is NaN.
            ``difference`` names every departure, and what is to be known of the cell, between
            semicolons.

        Raises
        ------
        ParameterError
            If the paper does not print that metric.
        """
        metric, measure = self._measure(metric)
        cells = self._cells(outcome, metric)
        summary = outcome.summary.set_index("method")
        rows = []
        for method in self._shown(summary.index):
            row, ran = self.nearest[method], method in summary.index
            own = summary.loc[method] if ran else pd.Series(dtype=float)
            rows.append(
                {
                    "method": method,
                    "title": own["title"] if ran else self.rows[row],
                    "row": self.rows[row],
                    "badge": REBUILT if ran and method in self.rebuilt else "",
                    **self._published(cells, outcome, method),
                    "measured": own.get(measure, math.nan),
                    "low": own.get(f"{measure}_low", math.nan),
                    "high": own.get(f"{measure}_high", math.nan),
                    "difference": "; ".join(self._sentences(cells, outcome, method, ran)),
                }
            )
        table = pd.DataFrame(rows, columns=list(BESIDE))
        return table if f"{measure}_low" in summary else table.drop(columns=["low", "high"])

    def departures(self, outcome: Outcome, *, metric: str | None = None) -> pd.DataFrame:
        """In what a run is not what the paper printed.

        Returns
        -------
        DataFrame
            what, printed, here, methods: "all", "all but ..." or the titles of those it is true of. Of
            the methods that were run.
        """
        metric, _ = self._measure(metric)
        cells = self._cells(outcome, metric)
        titles = outcome.summary.set_index("method")["title"]
        ran = [method for method in self.nearest if method in titles.index]
        found: dict[Departure, list[str]] = {}
        for method in ran:
            for departure in self._departures(cells, outcome, method):
                found.setdefault(departure, []).append(titles[method])
        rows = [
            (departure.what, departure.printed, departure.here, _who(of, list(titles[ran])))
            for departure, of in found.items()
        ]
        return pd.DataFrame(rows, columns=["what", "printed", "here", "methods"])

    def _measure(self, metric: str | None) -> tuple[str, str]:
        metric = next(iter(self.measures), "") if metric is None else metric
        if self.measures and metric not in self.measures:
            raise ParameterError(
                f"{self.authors} do not print {metric!r}; they print {', '.join(self.measures)}"
            )
        return metric, self.measures.get(metric, "")

    def _shown(self, ran: Collection[str]) -> list[str]:
        """What was run, and the first that stands beside a row for which nothing was."""
        covered = {row for method, row in self.nearest.items() if method in ran}
        shown = []
        for method, row in self.nearest.items():
            if method in ran or row not in covered:
                shown.append(method)
                covered.add(row)
        return shown

    def _cells(self, outcome: Outcome, metric: str) -> pd.DataFrame:
        chosen = self.cells(self.published, outcome.parameters)
        return chosen[(chosen["metric"] == metric) & chosen["value"].notna()]

    def _beside(self, cells: pd.DataFrame, outcome: Outcome, method: str) -> tuple[pd.DataFrame, str]:
        """Cells that a method stands beside, and how their corpora differ from ours ("": they do not)."""
        target, sources = outcome.parameters.target, outcome.parameters.sources
        alone = not _spec(method).uses_source
        cells = cells[cells["method"] == self.nearest[method]]
        same_target = cells[cells["target"] == target]
        same = same_target if alone else same_target[same_target["source"] == "+".join(sources)]
        if cells.empty or len(same):
            return same, ""
        ours, theirs = _ours(outcome, method), _theirs(cells, method)
        if len(same_target):
            others = " and ".join(dict.fromkeys(same_target["source"]))
            return same_target, f"same target, another source: ours is {ours}, the paper's source is {others}"
        shown = theirs[0]
        if len(theirs) > 1:
            shown = f"the mean of the paper's {len(theirs)} {'corpora' if alone else 'pairs'}"
        return cells, f"other corpora: ours is {ours}, published is {shown}"

    def _published(self, cells: pd.DataFrame, outcome: Outcome, method: str) -> dict[str, object]:
        values = self._beside(cells, outcome, method)[0]["value"]
        spread = f"{values.min():.2f} to {values.max():.2f}" if values.nunique() > 1 else ""
        return {"published": values.mean(), "published_range": spread}

    def _sentences(self, cells: pd.DataFrame, outcome: Outcome, method: str, ran: bool) -> list[str]:
        """The column "difference"."""
        shown, corpora = self._beside(cells, outcome, method)
        if shown.empty:
            return ["no number was published"]
        departures = list(map(str, self._of_run(outcome, method))) if ran else []
        left_open = [f"not printed: {what}" for what in self.protocol.left_open]
        if not corpora or len(shown) == 1:  # notes speak of single cells, not of a mean
            left_open += [note for note in dict.fromkeys(shown["note"]) if note]
        if not (corpora or departures or left_open):
            return ["same corpora and protocol"]
        return [corpora or "same corpora", *departures, *left_open]

    def _departures(self, cells: pd.DataFrame, outcome: Outcome, method: str) -> list[Departure]:
        found = self._of_run(outcome, method)
        shown, corpora = self._beside(cells, outcome, method)
        if not corpora:
            return found
        theirs = ", ".join(_theirs(shown, method))
        return [Departure(what="corpora", printed=theirs, here=_ours(outcome, method)), *found]

    def _of_run(self, outcome: Outcome, method: str) -> list[Departure]:
        """All departures of a method but those of the pair of corpora."""
        found = [
            *departing.of_run(
                self.protocol,
                outcome,
                _spec(method),
                self.nearest[method],
                weighed=self.weighed,
                # That a method is rebuilt is said: how the original was normalised is not known.
                normalized={*self.normalized, *self.rebuilt},
            ),
            *self.changed.get(method, ()),
            *self.further(outcome, method),
        ]
        if method in self.rebuilt:
            found.append(
                Departure(what="method", printed="the original", here=f"{REBUILT} ({self.rebuilt[method]})")
            )
        return found


def _who(of: list[str], ran: list[str]) -> str:
    """Methods that something is true of, as briefly as they can be named."""
    others = [title for title in ran if title not in of]
    if not others:
        return "all"
    return "; ".join(of) if len(of) <= len(others) else f"all but {'; '.join(others)}"


def _spec(method: str) -> MethodSpec:
    from serlab import methods

    return methods.get(method)


def _ours(outcome: Outcome, method: str) -> str:
    """Corpora of a run, as far as a method sees them."""
    return _words(" + ".join(outcome.parameters.sources), outcome.parameters.target, method)


def _theirs(cells: pd.DataFrame, method: str) -> list[str]:
    """Corpora of published cells, likewise."""
    pairs = zip(cells["source"], cells["target"], strict=True)
    return list(dict.fromkeys(_words(*pair, method) for pair in pairs))


def _words(source: str, target: str, method: str) -> str:
    alone = not source or not _spec(method).uses_source
    return f"{target} alone" if alone else f"{source} to {target}"
