"""Several lines of one recording: a mistake, or one line an annotator.

A recording with two labels would be two utterances, and one of them could be
trained on while the other is tested. So it is refused, unless it is said by
name how several lines become one:

``majority``
    The label that most annotators gave; where several are equally frequent,
    the emotion is "ambiguous". Ratings are averaged.
``mean``
    Ratings are averaged; labels must not differ.

How far annotators disagree stays in the table: ``n_annotators``, ``votes``
("anger 2, joy 1"), ``agreement`` (share of those who gave a label that gave
the most frequent one) and ``<rating>_sd`` (standard deviation, n - 1).
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from serlab.corpora.settings import ANNOTATORS, RATINGS
from serlab.corpora.texts import Problem

#: What has to be the same in all lines of a recording.
SAME: tuple[str, ...] = ("utterance", "speaker", "sex", "language", "text_id", "session", "split", "channel")
TIE = "ambiguous"

#: A row, and the line that it begins in.
Row = tuple[int, dict[str, Any]]


def merged(rows: Sequence[Row], how: str) -> tuple[list[Row], list[Problem]]:
    """One row for each recording.

    Parameters
    ----------
    rows : sequence of (int, dict)
        Line and values; a recording is a ``path`` with ``start`` and ``end``.
    how : {"", "majority", "mean"}
        Empty: several lines of one recording are a problem each.

    Returns
    -------
    rows : list of (int, dict)
        In the order of each recording's first line.
    problems : list of Problem
    """
    groups: dict[tuple, list[Row]] = {}
    for line, row in rows:
        groups.setdefault(recording(row), []).append((line, row))
    if len(groups) == len(rows):
        return list(rows), []
    if not how:
        return list(rows), [problem for same in groups.values() for problem in _repeats(same)]
    together, problems = [], []
    for same in groups.values():
        found = _differences(same, how)
        problems += found
        if not found:
            together.append((same[0][0], _merged([row for _, row in same])))
    return together, problems


def recording(row: Mapping[str, Any]) -> tuple:
    """What two lines have in common that are of one recording: file, start and end."""
    times = (None if math.isnan(row[column]) else row[column] for column in ("start", "end"))
    return (row["path"], *times)


def _repeats(same: Sequence[Row]) -> list[Problem]:
    first, row = same[0]
    word = row["native_label"]
    ask = f"annotators = {' or '.join(map(repr, ANNOTATORS))} in corpus.toml"
    return [
        Problem(
            line,
            f"the recording of line {first} once more"
            + ("" if other["native_label"] == word else f", as {other['native_label']} instead of {word}")
            + f"; keep one line, or write {ask} if each line is an annotator",
            "path",
        )
        for line, other in same[1:]
    ]


def _differences(same: Sequence[Row], how: str) -> list[Problem]:
    """What forbids to merge lines of one recording."""
    first, row = same[0]
    problems = []
    for line, other in same[1:]:
        for column in (*SAME, *(("native_label",) if how == "mean" else ())):
            if other.get(column) != row.get(column):
                name = "label" if column == "native_label" else column
                why = f"{other.get(column)!r}, but {row.get(column)!r} for the same recording in line {first}"
                advice = '; annotators = "majority" takes a vote' if name == "label" else ""
                problems.append(Problem(line, why + advice, name))
    return problems


def _merged(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    row = {column: _joined([other.get(column) for other in rows]) for column in rows[0]}
    votes = Counter(other["native_label"] for other in rows if other["native_label"])
    row["n_annotators"] = len(rows)
    if votes:
        (word, most), *others = votes.most_common()
        tied = any(n == most for _, n in others)
        row["native_label"] = row["native_emotion"] = TIE if tied else word
        if not tied:
            row["label"] = next(other["label"] for other in rows if other["native_label"] == word)
        row["votes"] = ", ".join(f"{word} {n}" for word, n in votes.most_common())
        row["agreement"] = most / votes.total()
    for rating in RATINGS:
        known = [other[rating] for other in rows if not math.isnan(other[rating])]
        row[rating] = statistics.fmean(known) if known else math.nan
        if any(not math.isnan(other[rating]) for other in rows):
            row[f"{rating}_sd"] = statistics.stdev(known) if len(known) > 1 else math.nan
    return row


def _joined(values: Sequence[Any]) -> Any:
    """The value that all have, else their texts one behind the other, each once."""
    first = values[0]
    if all(value == first or value is first for value in values):
        return first
    if all(isinstance(value, float) for value in values):
        return first if all(math.isnan(value) for value in values) else next(v for v in values if v == v)
    return "; ".join(dict.fromkeys(str(value) for value in values if value)) or None
