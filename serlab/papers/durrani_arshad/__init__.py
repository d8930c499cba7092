"""Durrani & Arshad: Transfer Learning from High-Resource to Low-Resource Language.

An encoder-decoder with attention, trained within a corpus, across corpora,
and transferred (section 4). ``published.csv`` holds every number that is
printed as a number, each with where it stands. Figures 3-6 (same corpus,
cross-corpus and transfer accuracies of the three approaches) are bar charts
without values, and the text repeats none of them but the abstract's four:
they are not guessed here, so the baselines have no published number.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from serlab import papers

#: What the paper shows as pictures alone, so that no number of it can be set beside ours.
FIGURES_WITHOUT_NUMBERS: dict[str, str] = {
    "figure 3": "same corpus: this model, deep belief network, sparse autoencoder with SVM",
    "figure 4": "cross-corpus, trained on IEMOCAP: the same three",
    "figure 5": "cross-corpus, trained on EMOVO: the same three",
    "figure 6": "transfer from IEMOCAP and URDU: the same three",
}

#: Method -> title beside the paper's numbers. Of all but the first two it prints no number.
SETTINGS: dict[str, str] = {
    "encdec-target": "same corpus",
    "encdec-transfer": "transfer, encoder updated",
    "encdec-source": "cross-corpus",
    "dbn": "deep belief network, transfer",
    "dbn-target": "deep belief network, same corpus",
    "sae-svm": "sparse autoencoder + SVM, transfer",
    "sae-svm-target": "sparse autoencoder + SVM, same corpus",
}
METHODS: tuple[str, ...] = tuple(SETTINGS)


def published() -> pd.DataFrame:
    """Numbers of the paper: where, setting, source, target, method, metric, value, note.

    Shares are between 0 and 1. Numbers that differ in abstract, table and text
    are all there, one row each.
    """
    return papers.read("durrani_arshad", "published")


def published_table() -> pd.DataFrame:
    """All results side by side: one row a target, one column a metric and where it stands."""
    cells = published().query("metric != 'count'")
    column = cells["setting"] + ", " + cells["metric"] + " (" + cells["where"] + ")"
    wide = cells.assign(column=column).pivot(index="target", columns="column", values="value")
    targets = ["savee", "emovo", "urdu", "iemocap"]
    return wide.loc[targets, list(dict.fromkeys(column))].rename_axis(columns=None).reset_index()


def beside_published(
    summary: pd.DataFrame, *, target: str, sources: Sequence[str], metric: str = "UAR"
) -> pd.DataFrame:
    """Published and measured numbers of each method, with the difference named.

    The paper gives accuracy within a corpus (abstract) and UAR after transfer
    (of which table 2 is taken here; see :func:`contradictions`).

    Parameters
    ----------
    summary : DataFrame
        Of an experiment.
    target, sources
        Of that experiment.
    metric : {"UAR", "accuracy"}
        Which of the two to compare.

    Returns
    -------
    DataFrame
        method, title, published, published_range, measured, low, high,
        difference; see :func:`serlab.papers.beside`. Not a number where the
        paper has none.
    """
    cells = published()
    where = {"UAR": "table 2", "accuracy": "abstract"}[metric]
    return papers.beside(
        cells[(cells["metric"] == metric) & (cells["where"] == where)],
        summary,
        titles=SETTINGS,
        measure=metric.lower(),
        target=target,
        sources=sources,
        without_source=("encdec-target",),
        reading="same corpora; classes and speakers of the paper's splits are not printed",
    )


def contradictions() -> pd.DataFrame:
    """What the paper says twice and differently, or leaves open, and how it is read here.

    Returns
    -------
    DataFrame
        subject, says, where, against, where_against, our_reading.
    """
    return papers.read("durrani_arshad", "contradictions")


def choices() -> pd.DataFrame:
    """What the paper leaves open: UAR on speakers held out of one corpus, by epochs of training.

    Returns
    -------
    DataFrame
        corpus, units, learning rate and a column a number of epochs. Made by
        ``benchmarks/choose_encoder_decoder.py``.
    """
    tried = papers.read("durrani_arshad", "choices")
    wide = tried.pivot(index=["corpus", "units", "learning_rate"], columns="epochs", values="uar")
    wide.columns = [f"{epochs} epochs" for epochs in wide.columns]
    return (
        wide.reset_index().astype({"learning_rate": str}).rename(columns={"learning_rate": "learning rate"})
    )


def figures_without_numbers() -> pd.DataFrame:
    """Figures of the paper that cannot be set beside ours: figure, shows, status."""
    table = pd.DataFrame(FIGURES_WITHOUT_NUMBERS.items(), columns=["figure", "shows"])
    return table.assign(status="bars without numbers")


def not_run(installed: Sequence[str]) -> pd.DataFrame:
    """The paper's experiments, and which corpus each still needs: setting, source, target, status."""
    pairs = published().query("metric != 'count'")[["setting", "source", "target"]]
    crossed = [
        {"setting": "cross corpus", "source": source, "target": target}
        for source in ("iemocap", "emovo")
        for target in ("savee", "urdu")
    ]
    return papers.run_status(pd.concat([pairs, pd.DataFrame(crossed)]), installed)
