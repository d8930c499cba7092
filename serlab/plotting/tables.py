"""Tables as a reader wants them: fewer columns, in the order of the question.

Everything here selects from tables that :mod:`serlab.experiment` made;
nothing is computed anew.
"""

from __future__ import annotations

import pandas as pd

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
    skipped = prepared.skipped_files
    corpus_of = skipped["utterance"].str.split("/").str[0] if len(skipped) else pd.Series(dtype=object)
    lost = corpus_of.value_counts().rename("skipped")
    table = used.join(left_out, how="outer")
    table.index = table.index.set_names(["corpus", "emotion"])
    for corpus, n in lost.items():
        table.loc[(corpus, "(bad files)"), "skipped"] = n
    counts = [name for name in ("used", "left out", "skipped", "speakers") if name in table]
    table[counts] = table[counts].fillna(0).astype(int)
    return table.reset_index()


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
    if summary["badge"].any():
        table["note"] = summary["badge"]
    return table


def comparison_table(outcome: Outcome) -> pd.DataFrame:
    """One row a method: gain over the baseline, corrected p value, verdict."""
    if outcome.comparison.empty:
        return outcome.comparison
    columns = ["title", "n_folds", "gain", "gain_low", "gain_high", "p", "p_holm", "verdict"]
    return outcome.comparison[columns].rename(columns={"title": "method", "n_folds": "folds"})


def recall_table(outcome: Outcome) -> pd.DataFrame:
    """One row a method: recall of each class with its interval."""
    recalls = [column for column in outcome.summary if column.startswith("recall_")]
    return outcome.summary[["title", *recalls]].rename(columns={"title": "method"})


def titles(outcome: Outcome) -> dict[str, str]:
    """Method -> title, for figures of tables that hold names."""
    return dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))


def telling_methods(outcome: Outcome) -> list[str]:
    """Methods whose confusions are worth a figure: baseline, largest gain and largest loss."""
    if outcome.comparison.empty:
        return outcome.summary["method"].head(3).tolist()
    ranked = outcome.comparison.sort_values("gain", ascending=False)["method"]
    return list(dict.fromkeys([outcome.parameters.baseline, ranked.iloc[0], ranked.iloc[-1]]))


def best_transfer(outcome: Outcome) -> str:
    """Method with the largest gain over the baseline; where nothing was compared, the first one."""
    if outcome.comparison.empty:
        return outcome.summary["method"].iloc[0]
    return outcome.comparison.loc[outcome.comparison["gain"].idxmax(), "method"]


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
