"""Tables as a reader wants them: fewer columns, in the order of the question.

Everything here selects from tables that :mod:`serlab.experiment` made;
nothing is computed anew.
"""

from __future__ import annotations

import pandas as pd

from serlab import methods
from serlab.evaluation import choices, verdicts
from serlab.experiment import Outcome, Prepared
from serlab.labels import EMOTIONS, LabelScheme


def data_table(prepared: Prepared) -> pd.DataFrame:
    """Utterances used, left out by the scheme and skipped, by corpus and emotion."""
    used = prepared.utterances.groupby(["corpus", "emotion"], observed=True).agg(
        used=("speaker", "size"),
        speakers=("speaker", "nunique"),
        minutes=("duration", lambda s: s.sum() / 60),
    )
    left_out = prepared.left_out.rename("left out")
    table = used.join(left_out, how="outer")
    table.index = table.index.set_names(["corpus", "emotion"])
    table = table.join(_lost(prepared.skipped_files), how="outer")
    counts = [name for name in ("used", "left out", "skipped", "speakers") if name in table]
    table[counts] = table[counts].fillna(0).astype(int)
    return table.reset_index()


def _lost(skipped: pd.DataFrame) -> pd.Series:
    """Files that could not be used, by corpus and emotion, as far as a run has kept that."""
    if skipped.empty:
        index = pd.MultiIndex.from_arrays([[], []], names=["corpus", "emotion"])
        return pd.Series(dtype=float, index=index, name="skipped")
    if "emotion" not in skipped:
        skipped = skipped.assign(
            corpus=skipped["utterance"].str.split("/").str[0], emotion="(of unknown emotion)"
        )
    return skipped.groupby(["corpus", "emotion"]).size().rename("skipped")


def notes_table(prepared: Prepared) -> pd.DataFrame:
    """What was done to files so that they could be used, one row a note."""
    return pd.DataFrame({"note": list(prepared.notes)})


def scheme_table(scheme: LabelScheme) -> pd.DataFrame:
    """Emotion -> class of a scheme, and what it leaves out."""
    rows = [{"emotion": word, "class": scheme.mapping.get(word) or "left out"} for word in EMOTIONS]
    return pd.DataFrame(rows)


def skipped_table(outcome: Outcome) -> pd.DataFrame:
    """Folds that could not be run, one row a reason."""
    grouped = outcome.skipped_folds.groupby(["method", "reason"], sort=False)["fold"]
    table = grouped.agg(folds=lambda names: ", ".join(dict.fromkeys(names)), n="nunique").reset_index()
    return table[["method", "n", "folds", "reason"]]


def summary_table(outcome: Outcome) -> pd.DataFrame:
    """One row a method: what it saw of the target, then how well it did."""
    summary = outcome.summary
    skipped = summary["n_skipped"].map(lambda n: f", {n} skipped" if n else "")
    table = pd.DataFrame(
        {
            "method": summary["title"],
            "saw of target": summary["target_seen"],
            "normalisation": summary["normalization"],
            "transductive": summary["transductive"],
            "folds": summary["n_folds"].astype(str) + skipped,
            "seeds": summary["n_seeds"],
        }
    )
    for name, heading in (("uar", "UAR"), ("accuracy", "accuracy"), ("macro_f1", "macro F1")):
        for end in ("", "_low", "_high"):
            table[heading + end] = summary[name + end]
    notes = [
        "; ".join(filter(None, both))
        for both in zip(summary["badge"], summary.get("note", [""] * len(summary)), strict=True)
    ]
    return table.assign(note=notes) if any(notes) else table


def choices_table(outcome: Outcome) -> pd.DataFrame:
    """What methods have chosen on sources left out: each way, and the UAR that it reached there."""
    table = choices.by_way(outcome.choices)
    return table.assign(method=table["method"].map(titles(outcome)))


def questions(outcome: Outcome) -> list[str]:
    """What the comparisons of an outcome ask, see :data:`serlab.evaluation.verdicts.QUESTIONS`."""
    return verdicts.asked(outcome.comparison)


def comparison_table(outcome: Outcome, question: str) -> pd.DataFrame:
    """One row a comparison of a question: gain over the control, corrected p value, verdict."""
    own = outcome.comparison[outcome.comparison["question"] == question]
    columns = {
        "title": "method", "control_title": "over", "n_speakers": "speakers", "n_folds": "folds",
        "n_seeds": "seeds", "gain": "gain", "gain_low": "gain_low", "gain_high": "gain_high",
        "p_holm": "p (Holm)", "verdict": "verdict",
    }  # fmt: skip
    table = own[list(columns)].rename(columns=columns)
    counts = ["speakers", "folds", "seeds"]
    return table.astype(dict.fromkeys(counts, "Int64")).reset_index(drop=True)


def recall_table(outcome: Outcome) -> pd.DataFrame:
    """One row a method: recall of each class with its interval."""
    recalls = [column for column in outcome.summary if column.startswith("recall_")]
    return outcome.summary[["title", *recalls]].rename(columns={"title": "method"})


def titles(outcome: Outcome) -> dict[str, str]:
    """Method -> title, for figures of tables that hold names."""
    return dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))


#: Panels that can be read side by side.
_MOST_TELLING = 4


def telling_methods(outcome: Outcome) -> list[str]:
    """Methods whose confusions are worth a figure: what was declared, each behind its control."""
    declared = _declared(outcome)
    names = [name for _, row in declared.iterrows() for name in (row["control"], row["method"])]
    return list(dict.fromkeys(names or outcome.summary["method"]))[:_MOST_TELLING]


def best_transfer(outcome: Outcome) -> str:
    """The method to look into: the first declared one that uses a source; without one, the first of all."""
    declared = _declared(outcome)
    names = [name for name in declared["method"] if methods.get(name).access != "target-only"]
    return next(iter([*names, *outcome.summary["method"]]))


def _declared(outcome: Outcome) -> pd.DataFrame:
    """Declared comparisons that were run."""
    table = outcome.comparison
    if table.empty:
        return pd.DataFrame(columns=["method", "control"])
    return table[table["primary"].astype(bool) & table["gain"].notna()]


def protocols_table(independent: Outcome, random: Outcome) -> pd.DataFrame:
    """Methods on unseen speakers and, badged, with a random split; and what the second adds."""
    own = independent.summary.set_index("method")
    other = random.summary.set_index("method")
    both = [name for name in own.index if name in other.index]
    table = pd.DataFrame({"method": [own.loc[name, "title"] for name in both]})
    for heading, summary in (("UAR, unseen speakers", own), ("UAR, random split", other)):
        for end in ("", "_low", "_high"):
            table[heading + end] = [summary.loc[name, f"uar{end}"] for name in both]
    table["difference"] = table["UAR, random split"] - table["UAR, unseen speakers"]
    table["note"] = f"second: {random.summary['badge'].iloc[0]}"
    return table
