"""Durrani & Arshad: Transfer Learning from High-Resource to Low-Resource Language.

An encoder-decoder with attention, trained within a corpus, across corpora,
and transferred (section 4). ``published.csv`` holds every number that is
printed as a number, each with where it stands. Figures 3-6 (same corpus,
cross-corpus and transfer accuracies of the three approaches) are bar charts
without values, and the text repeats none of them but the abstract's four:
they are not guessed here, so the baselines have no published number.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from serlab.papers.base import Features, Pair, Paper, Protocol, Split

if TYPE_CHECKING:
    from serlab.experiment import Parameters

#: What the paper shows as pictures alone, so that no number of it can be set beside ours.
FIGURES_WITHOUT_NUMBERS: dict[str, str] = {
    "figure 3": "same corpus: this model, deep belief network, sparse autoencoder with SVM",
    "figure 4": "cross-corpus, trained on IEMOCAP: the same three",
    "figure 5": "cross-corpus, trained on EMOVO: the same three",
    "figure 6": "transfer from IEMOCAP and URDU: the same three",
}

#: Rows are our methods. Of all but the first two the paper prints no number.
SETTINGS: dict[str, str] = {
    "encdec-target": "same corpus",
    "encdec-transfer": "transfer, encoder updated",
    "encdec-source": "cross-corpus",
    "dbn": "deep belief network, transfer",
    "dbn-target": "deep belief network, same corpus",
    "sae-svm": "sparse autoencoder + SVM, transfer",
    "sae-svm-target": "sparse autoencoder + SVM, same corpus",
}

#: Of numbers that are printed more than once, the one beside ours.
_STANDS_IN = {"accuracy": "abstract", "UAR": "table 2"}

_HARMONIC = Features("chromagram, tonnetz and spectral contrast", ("harmonic",))
_LATIF, _DENG = (
    "Latif et al. 2018: abstract, and sizes as reported",
    "Deng et al. 2013: from those who cite it",
)


def published_table() -> pd.DataFrame:
    """All results side by side: one row a target, one column a metric and where it stands."""
    cells = PAPER.published.query("metric != 'count'")
    column = cells["setting"] + ", " + cells["metric"] + " (" + cells["where"] + ")"
    wide = cells.assign(column=column).pivot(index="target", columns="column", values="value")
    targets = ["savee", "emovo", "urdu", "iemocap"]
    return wide.loc[targets, list(dict.fromkeys(column))].rename_axis(columns=None).reset_index()


def tuning() -> pd.DataFrame:
    """What was tried for the sizes that the paper leaves open: UAR on speakers held out of one corpus.

    Returns
    -------
    DataFrame
        corpus, units, learning rate and a column a number of epochs. Made by
        ``benchmarks/choose_encoder_decoder.py``.
    """
    tried = PAPER.read("tuning").astype({"units": int, "learning_rate": float, "epochs": int, "uar": float})
    wide = tried.pivot(index=["corpus", "units", "learning_rate"], columns="epochs", values="uar")
    wide.columns = [f"{epochs} epochs" for epochs in wide.columns]
    return (
        wide.reset_index().astype({"learning_rate": str}).rename(columns={"learning_rate": "learning rate"})
    )


def figures_without_numbers() -> pd.DataFrame:
    """Figures of the paper that cannot be set beside ours: figure, shows, status."""
    table = pd.DataFrame(FIGURES_WITHOUT_NUMBERS.items(), columns=["figure", "shows"])
    return table.assign(status="bars without numbers")


def _tables() -> dict[str, pd.DataFrame]:
    return {
        "Every number the paper prints, by where it stands": published_table(),
        "Figures that print no number": figures_without_numbers(),
    }


def _cells(published: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    return published[published["where"] == published["metric"].map(_STANDS_IN)]


PAPER = Paper(
    key="durrani-arshad",
    authors="Durrani & Arshad",
    title="Transfer Learning from High-Resource to Low-Resource Language Improves Speech Affect "
    "Recognition Classification Accuracy",
    year=2021,
    notebook="03",
    rows=SETTINGS,
    # Trained on source and target together: section 4.3, where section 2 has one after the other.
    nearest={name: name for name in SETTINGS} | {"encdec-pooled": "encdec-transfer"},
    measures={"UAR": "uar", "accuracy": "accuracy"},
    protocol=Protocol(
        pairs=(
            *(Pair("same corpus", "", target) for target in ("savee", "emovo", "urdu", "iemocap")),
            *(Pair("transfer", "iemocap", target) for target in ("urdu", "emovo", "savee")),
            *(
                Pair("cross-corpus", source, target)
                for source in ("iemocap", "emovo")
                for target in ("savee", "urdu")
            ),
        ),
        classes={"savee": 7, "emovo": 7, "urdu": 4, "iemocap": 5},
        utterances={"savee": 480, "emovo": 588, "urdu": 400, "iemocap": 5531},
        features=dict.fromkeys(("encdec-target", "encdec-transfer", "encdec-source"), _HARMONIC),
        splits={
            "": Split("80 and 20 percent at random", ("random",), 5),
            "encdec-transfer": Split("three folds, speakers not mentioned", ("random", "joint"), 3),
            "encdec-source": Split(
                "the whole target is tested", ("speaker-groups", "session-groups", "loso", "random", "joint")
            ),
        },
        seconds=math.inf,
        left_open=("classes and speakers of the paper's splits", "sizes and settings of the network"),
    ),
    cells=_cells,
    rebuilt={"dbn": _LATIF, "dbn-target": _LATIF, "sae-svm": _DENG, "sae-svm-target": _DENG},
    weighed=(*SETTINGS, "encdec-pooled"),
    changed={},
    tables=_tables,
    decimals=4,
)
