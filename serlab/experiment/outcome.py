"""What an experiment leaves behind, and what it says."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

import serlab
from serlab import files
from serlab.evaluation import intervals, verdicts
from serlab.evaluation.material import Features
from serlab.experiment.parameters import Parameters
from serlab.methods import OPTIONS
from serlab.wording import count

#: Classes of which a headline says how many utterances were lost; a table has all.
_MOST_LOST = 6
#: Methods of which a headline says how many folds they skipped; a table has all.
_MOST_SKIPPING = 3


@dataclass(frozen=True, kw_only=True)
class MadeWith:
    """What has made the answers of an experiment; its tables may be made again with others.

    Attributes
    ----------
    device : str
        Where networks of frames were trained; empty where a run folder does not say.
    versions : mapping of str to str
        Of packages, by name.
    """

    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All tables of one experiment. See :mod:`serlab.evaluation` for columns.

    Attributes
    ----------
    parameters : Parameters
    utterances : DataFrame
    X : Features
    left_out, skipped_files, notes
        See :class:`serlab.experiment.Prepared`.
    skipped_folds : DataFrame
        method ("all" where no method could be run), fold, reason.
    audit : DataFrame
        See :func:`serlab.evaluation.leakage.audit`.
    predictions, history, attention, embeddings, shift : DataFrame
        See :class:`serlab.evaluation.Run`.
    results, summary, comparison : DataFrame
        See :func:`serlab.evaluation.score`, :func:`serlab.evaluation.summarise` and
        :func:`serlab.evaluation.compare`.
    sentences : tuple of str
        What families of methods say of their options: which network was pretrained on what.
    facts : mapping of str to mapping
        Name of an option -> what reports say of what methods were given for it, see
        :attr:`serlab.methods.options.Option.facts`.
    made_with : MadeWith
    choices : DataFrame
        See :class:`serlab.evaluation.Run`.
    """

    parameters: Parameters
    utterances: pd.DataFrame
    X: Features | None
    left_out: pd.Series
    skipped_files: pd.DataFrame
    skipped_folds: pd.DataFrame
    audit: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    attention: pd.DataFrame
    embeddings: pd.DataFrame
    shift: pd.DataFrame
    results: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame
    notes: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made_with: MadeWith = field(default_factory=MadeWith)
    choices: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in order."""
        return tuple(self.utterances["emotion"].cat.categories)

    @property
    def chance(self) -> float:
        """UAR of guessing, over the classes that the target has."""
        own = self.utterances["corpus"] == self.parameters.target
        return 1 / self.utterances.loc[own, "emotion"].nunique()

    @property
    def is_synthetic(self) -> bool:
        """Whether any corpus is synthetic: then nothing here is evidence about emotion."""
        names = (self.parameters.target, *self.parameters.sources)
        return any(name.startswith("synthetic-") for name in names)

    @property
    def headline(self) -> str:
        """The answer in a few sentences, from the tables alone: what was declared, and what was left out."""
        pair = f"{' + '.join(self.parameters.sources) or 'no source'} -> {self.parameters.target}"
        badge = self.summary["badge"].iloc[0]
        further = [*([f"[{badge}]"] if badge else []), *self.sentences]
        if self.is_synthetic:
            further.append("Synthetic corpora: not evidence about emotion.")
        left_out = [*_skipped_folds(self), *_skipped_files(self)]
        return " ".join([f"{pair}: {_answer(self)} Chance {self.chance:.2f}.", *left_out, *further])

    @property
    def provenance(self) -> pd.DataFrame:
        """What a reader needs to repeat the result: one row a fact."""
        parameters, results = self.parameters, self.results
        facts = {
            "question": f"does {' + '.join(parameters.sources) or 'the target alone'} help on "
            f"{parameters.target}?",
            "preset": parameters.preset,
            "protocol": parameters.split_protocol().title,
            "declared beforehand": ", ".join(parameters.declared) or "nothing",
            "seeds": ", ".join(map(str, parameters.seeds)),
            "corpora fingerprint": results["corpora"].iloc[0],
            "parameters digest": results["parameters"].iloc[0],
            "seconds of fitting": f"{results['seconds'].sum():.0f}",
            **self.made_with.versions,
        }
        return pd.DataFrame({"value": facts})


def _answer(outcome: Outcome) -> str:
    """What was declared and how it ended; and the highest UAR, with what it saw."""
    summary = outcome.summary.set_index("method")
    best = summary.loc[summary["uar"].idxmax()]
    highest = f"Highest UAR {_uar(best)}: {best['title']}, saw {best['target_seen']}."
    if outcome.comparison.empty:
        return f"nothing to compare. {highest}"
    return f"{verdicts.told(outcome.comparison, seen=summary['target_seen'].to_dict())} {highest}"


def _skipped_folds(outcome: Outcome) -> list[str]:
    """ "26 of 29 folds skipped." """
    skipped = outcome.skipped_folds
    if skipped.empty:
        return []
    of_all = skipped.loc[skipped["method"] == "all", "fold"].nunique()
    n_folds = of_all + outcome.results["fold"].nunique()
    said = [f"{of_all} of {n_folds} folds skipped."] if of_all else []
    own = skipped[skipped["method"] != "all"].groupby("method", sort=False)["fold"].nunique()
    title = outcome.summary.set_index("method")["title"]
    named = [f"{title.get(method, method)} {n}" for method, n in own.head(_MOST_SKIPPING).items()]
    more = f" and {len(own) - _MOST_SKIPPING} more methods" if len(own) > _MOST_SKIPPING else ""
    left = f"the {n_folds - of_all} others" if of_all else f"{n_folds} folds"
    return [*said, f"Of {left}, skipped by single methods: {', '.join(named)}{more}."] if named else said


def _skipped_files(outcome: Outcome) -> list[str]:
    """ "Files that could not be used: urdu anger 127 -> 11." """
    lost = outcome.skipped_files
    if lost.empty:
        return []
    head = f"{count(len(lost), 'file')} could not be used"
    if "emotion" not in lost:  # of a run that did not keep it
        return [f"{head}."]
    left = outcome.utterances.groupby(["corpus", outcome.utterances["emotion"].astype(str)]).size()
    said = []
    # What the label scheme leaves out is lost to no class.
    for (corpus, emotion), n in lost.groupby(["corpus", "emotion"], sort=False, observed=True).size().items():
        now = int(left.get((corpus, emotion), 0))
        said.append(f"{corpus} {emotion} {now + n} -> {now}")
    more = f" and {len(said) - _MOST_LOST} more classes" if len(said) > _MOST_LOST else ""
    return [f"{head}: {', '.join(said[:_MOST_LOST])}{more}." if said else f"{head}, none of a class here."]


def _uar(row: pd.Series) -> str:
    return intervals.text(row["uar"], row["uar_low"], row["uar_high"])


def versions() -> dict[str, str]:
    """Versions of the packages that numbers depend on, of those that are installed."""
    found = {"serlab": serlab.__version__}
    for name in ("opensmile", "scikit-learn", "torch", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # an extra
            continue
    return found


def save(outcome: Outcome, folder: Path) -> None:
    """Write the tables of an experiment; what they are made from is there already."""
    for name in ("results", "summary", "comparison", "audit", "skipped_folds"):
        files.write_table(folder / f"{name}.csv", getattr(outcome, name))
    # File names only: the path on this machine says nothing to a reader.
    files.write_table(
        folder / "skipped_files.csv", outcome.skipped_files.drop(columns="path", errors="ignore")
    )
    record = {
        "headline": outcome.headline,
        "badge": outcome.summary["badge"].iloc[0],
        "synthetic": outcome.is_synthetic,
        "parameters": without_paths(outcome.parameters),
        "corpora": outcome.results["corpora"].iloc[0],
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    files.write_text(folder / "headline.json", json.dumps(record, indent=2))


def without_paths(parameters: Parameters) -> dict[str, Any]:
    """Parameters as others may see them: of a path on this machine, its last part."""
    chosen = {name: value for name, value in parameters.as_dict().items() if name != "data"}
    return chosen | {name: Path(chosen[name]).name for name, option in OPTIONS.items() if option.is_path}
