"""Baklouti et al.: Cross-Lingual Low-Resources SER with Domain Adaptive Transfer Learning.

VGG16 on log-mel images, trained on a source corpus and then adapted with the
maximum mean discrepancy of its first fully connected layer (section 3).
``published.csv`` holds every cell of tables 1-6; where two tables print
different numbers for the same thing, both are there. ``value`` is NaN where the
paper prints NA, ``task`` is empty within a corpus. The confusion matrices
and t-SNE of figures 2-4 are pictures without numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import pandas as pd

from serlab.papers.base import Departure, Features, Pair, Paper, Protocol, Split

if TYPE_CHECKING:
    from serlab.experiment import Outcome, Parameters

#: Row of the tables -> title.
ROWS: dict[str, str] = {
    "senthilkumar": "VGG16 (Senthilkumar et al. 2022)",
    "aggarwal": "VGG16 (Aggarwal et al. 2022)",
    "cnn-lstm": "CNN-LSTM (Parry et al. 2019)",
    "dbn": "DBN (Latif et al. 2018)",
    "autoencoder": "autoencoder (Deng et al. 2013)",
    "gan": "GAN (Latif et al. 2019)",
    "addi": "ADDi (Latif et al. 2022)",
    "saddi": "sADDi (Latif et al. 2022)",
    "mfsc": "MFSC (Singh et al. 2021)",
    "cqt": "CQT (Singh et al. 2021)",
    "source-model": "VGG16 within a corpus (the paper's source model)",
    "tl": "transfer learning without adaptation",
    "da-tl": "adapted with MMD (the paper's own)",
}

#: Task -> source, target (section 4.3.2).
TASKS: dict[int, tuple[str, str]] = {
    1: ("iemocap", "emodb"),
    2: ("emodb", "iemocap"),
    3: ("ravdess", "emodb"),
    4: ("emodb", "ravdess"),
}

#: Method of serlab -> row of the tables that it stands beside.
NEAREST: dict[str, str] = {
    "vgg16-target": "source-model",
    "light-target": "source-model",
    "vgg16-finetuned": "tl",
    "vgg16-mmd": "da-tl",
    "vgg16-mmd-supervised": "da-tl",
    "light-finetuned": "tl",
    "light-mmd": "da-tl",
    "light-mmd-supervised": "da-tl",
    "cnnlstm-source": "cnn-lstm",
    "mfsc-source": "mfsc",
    "cqt-source": "cqt",
    "dbn-source": "dbn",
    "dbn": "dbn",
    "sae-svm-source": "autoencoder",
    "sae-svm": "autoencoder",
    "light-gan": "gan",
    "light-addi": "addi",
    "light-saddi": "saddi",
}

#: What a method that is not the paper's own rests on; no original's text was at hand.
REBUILT: dict[str, str] = {
    "cnnlstm-source": "Parry et al. 2019: abstract",
    "mfsc-source": "Singh et al. 2021: abstract",
    "cqt-source": "Singh et al. 2021: abstract",
    "dbn-source": "Latif et al. 2018: abstract, and sizes as reported",
    "dbn": "Latif et al. 2018: abstract, and sizes as reported",
    "sae-svm-source": "Deng et al. 2013: from those who cite it",
    "sae-svm": "Deng et al. 2013: from those who cite it",
    "light-gan": "Latif et al. 2019: abstract",
    "light-addi": "Latif et al. 2022: abstract",
    "light-saddi": "Latif et al. 2022: abstract",
}

#: Begin with what a network learned from images, as the paper's own; classes weigh as they are.
VGG16: tuple[str, ...] = ("vgg16-target", "vgg16-finetuned", "vgg16-mmd", "vgg16-mmd-supervised")

#: Methods with MMD: lambda of equation 1 is one number throughout, and rises here but for VGG16 with the
#: preset ``paper``, see :class:`serlab.training.objectives.distance.Distance`.
WITH_MMD: tuple[str, ...] = tuple(name for name, row in NEAREST.items() if row == "da-tl")

_LIGHT = Departure(what="network", printed="VGG16", here="the light network")
_IMAGES = Features("images of log-mel spectrograms", ("logmel64",))


def published_table(table: Literal[2, 3, 4, 5, 6] = 4) -> pd.DataFrame:
    """One table of the paper, one row a corpus or task and method.

    Returns
    -------
    DataFrame
        corpus (tables 2 and 3) or task, method; of tables 2, 4 and 6 then one
        column a metric, and its deviation where one is printed; of tables 3
        and 5 the metric and one column an emotion.
    """
    cells = PAPER.published
    cells = cells[cells["where"] == f"table {table}"].sort_values("task", kind="stable")
    of = "corpus" if table in (2, 3) else "task"
    pair = cells["task"] + ": " + cells["source"] + " to " + cells["target"]
    cells = cells.assign(
        method=cells["method"].map(ROWS), **{of: cells["target"] if of == "corpus" else pair}
    )
    keys, column = [of, "method"], "metric"
    if table in (3, 5):
        keys, column = [*keys, "metric"], "emotion"
    spread = cells.assign(value=cells["deviation"], metric=cells["metric"] + " deviation")
    tall = pd.concat([cells, spread.dropna(subset="value")])
    wide = tall.pivot(index=keys, columns=column, values="value")
    names = [name + end for name in dict.fromkeys(cells[column]) for end in ("", " deviation")]
    wide = wide.loc[list(dict.fromkeys(zip(*(cells[key] for key in keys), strict=True)))]
    return wide[[name for name in names if name in wide]].reset_index().rename_axis(columns=None)


def _cells(published: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Table 4, of tables 2 and 6 what it lacks; where two print a number, the note has the other."""
    of_table_2 = (published["where"] == "table 2") & (published["method"] == "source-model")
    of_table_6 = (published["where"] == "table 6") & (published["method"] == "tl")
    return published[(published["where"] == "table 4") | of_table_2 | of_table_6]


def _further(outcome: Outcome, method: str) -> Iterable[Departure]:
    """The paper's network begins with what it learned from images, and its lambda is constant."""
    if method in WITH_MMD and not (method in VGG16 and outcome.parameters.preset == "paper"):
        yield Departure(
            what="lambda",
            printed="the same throughout (equation 1)",
            here=f"rising from 0 to {outcome.parameters.options['trade_off']:g} over the training",
        )
    if method in VGG16 and not outcome.parameters.options["weights"]:
        yield Departure(what="first weights", printed="learned from images", here="random")


PAPER = Paper(
    key="baklouti",
    authors="Baklouti, Ben Ahmed & Fernandez-Maloigne",
    title="Cross-Lingual Low-Resources Speech Emotion Recognition with Domain Adaptive Transfer Learning",
    year=2024,
    notebook="04",
    rows=ROWS,
    nearest=NEAREST,
    measures={"UAR": "uar", "accuracy": "accuracy"},
    protocol=Protocol(
        pairs=tuple(Pair(f"task {task}", *pair) for task, pair in TASKS.items()),
        schemes=("baklouti",),
        classes={"": 7},
        utterances={"iemocap": 9952, "emodb": 535, "ravdess": 1248},
        features={
            "source-model": _IMAGES,
            "tl": _IMAGES,
            "da-tl": _IMAGES,
            "mfsc": Features("MFSC", ("mfsc",)),
            "cqt": Features("constant-Q", ("cqt",)),
        },
        splits={"": Split("80/20 at random", ("random",), 5)},
        seconds=math.inf,
        repeats=10,
        left_open=("how classes that the source lacks are mapped",),
    ),
    cells=_cells,
    rebuilt=REBUILT,
    weighed=tuple(name for name in NEAREST if name not in VGG16),
    changed=dict.fromkeys(
        ("light-target", "light-finetuned", "light-mmd", "light-mmd-supervised"), (_LIGHT,)
    ),
    further=_further,
    tables=lambda: {f"Table {n} of the paper, as printed": published_table(n) for n in (2, 3, 4, 5, 6)},
)
