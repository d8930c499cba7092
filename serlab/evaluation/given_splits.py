"""Whether a split that others made tests what it claims: shared speakers, sentences, recordings."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serlab import labels
from serlab.corpora.split_lists import Listed
from serlab.evaluation import giveaways, leakage, recordings
from serlab.progress import Progress
from serlab.protocols import Split, SplitProtocol

#: Columns of :attr:`Audited.folds`.
COLUMNS = (
    "fold", "train", "validation", "test", "speakers tested", "speakers shared", "sentences shared",
    "recordings shared",
)  # fmt: skip


@dataclass(frozen=True)
class Audited:
    """What an audit of a list found.

    Attributes
    ----------
    corpus : str
    folds : DataFrame
        One row a fold: utterances in each part, speakers tested, and how many of the tested utterances
        have a speaker, sentence or recording (by what is heard) in training or validation. Numbers;
        recordings are NaN where audio was not heard.
    findings : DataFrame
        See :func:`serlab.evaluation.leakage.audit`.
    badge : str
        What stands beside every number made with this split.
    unlisted, unknown : int
        Utterances of the corpus that the list does not name, and names that are of no utterance.
    """

    corpus: str
    folds: pd.DataFrame
    findings: pd.DataFrame
    badge: str
    unlisted: int
    unknown: int

    @property
    def ok(self) -> bool:
        """Whether no result of it is invalid; it may mean less than it seems."""
        return not (self.findings["severity"] == "error").any()

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        folds = self.folds.astype(object).where(self.folds.notna(), None)
        return {
            "corpus": self.corpus,
            "ok": self.ok,
            "badge": self.badge,
            "unlisted": self.unlisted,
            "unknown": self.unknown,
            "folds": folds.to_dict("records"),
            "findings": self.findings.to_dict("records"),
        }


def audit(
    listed: Listed,
    *,
    hear: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Audited:
    """Audit a list of who trains and who is tested.

    Parameters
    ----------
    listed : Listed
        From :func:`serlab.corpora.split_lists.listed`.
    hear : bool
        Whether audio is read, for copies and for what recordings give away.
    jobs, progress, cancel
        See :func:`serlab.features.extract`.

    Returns
    -------
    Audited
    """
    table = listed.table
    words = labels.emotions(table).fillna(labels.UNLABELLED)
    table = table.assign(emotion=pd.Categorical(words))
    used = table.index.isin({name for _, name, _ in listed.parts})
    rows = pd.Series(np.arange(len(table)), index=table.index)
    splits = [_split(fold, listed, rows) for fold in listed.folds]
    watch: dict[str, Any] = {"jobs": jobs, "progress": progress, "cancel": cancel}
    copies = recordings.copies(table[used], **watch) if hear else None
    further = giveaways.findings(table[used], **watch) if hear else None
    findings = leakage.audit(table, splits, copies=copies, further=further)
    # Given splits have what classes they have; a list is not asked to be even.
    findings = findings[findings["check"] != "missing class"].reset_index(drop=True)
    corpus = str(table["corpus"].iloc[0])
    return Audited(
        corpus=corpus,
        folds=pd.DataFrame([_row(split, listed, table, copies) for split in splits], columns=list(COLUMNS)),
        findings=findings,
        badge=leakage.badge(SplitProtocol(name="given", target=corpus), findings),
        unlisted=int((~used).sum()),
        unknown=len(listed.unknown),
    )


def _split(fold: str, listed: Listed, rows: pd.Series) -> Split:
    """A fold as it is listed: what is in two parts at once is in both."""
    names: dict[str, list[str]] = {part: [] for part in ("train", "validation", "test")}
    for where, name, part in listed.parts:
        if where == fold:
            names[part].append(name)
    found = {part: np.unique(rows[some].to_numpy(dtype=int)) for part, some in names.items()}
    nothing = np.array([], dtype=int)
    train = np.union1d(found["train"], found["validation"])
    return Split(fold or "given", nothing, train, nothing, nothing, found["test"])


def _row(split: Split, listed: Listed, table: pd.DataFrame, copies: pd.DataFrame | None) -> tuple:
    counts = {part: 0 for part in ("train", "validation", "test")}
    for fold, _, part in listed.parts:
        counts[part] += (fold or "given") == split.fold
    test = table.iloc[split.test]

    def shared(column: pd.Series) -> int:
        trained = set(column.iloc[split.target_train].dropna())
        return int(column.iloc[split.test].isin(trained).sum())

    of = None if copies is None else recordings.groups(table.index, copies)
    return (
        split.fold,
        *counts.values(),
        test["speaker"].nunique(),
        shared(table["speaker"]),
        shared(table["text_id"]),
        float("nan") if of is None else shared(of),
    )
