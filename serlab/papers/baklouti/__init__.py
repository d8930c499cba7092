"""Baklouti et al.: Cross-Lingual Low-Resources SER with Domain Adaptive Transfer Learning.

VGG16 on log-mel images, trained on a source corpus and then adapted with the
maximum mean discrepancy of its first fully connected layer (section 3).
``published.csv`` holds every cell of tables 1-6; where two tables print
different numbers for the same thing, both are there. The confusion matrices
and t-SNE of figures 2-4 are pictures without numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from serlab import papers

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

#: Classes of every target in the paper.
N_CLASSES = 7

#: What is shown beside ours: table 4, and of table 6 what table 4 lacks.
_COMPARED = "(table == 4) or (table == 6 and method == 'tl')"


def published() -> pd.DataFrame:
    """Cells of tables 1-6: table, task, source, target, method, metric, emotion, value, deviation, note.

    Shares are between 0 and 1; ``method`` is a key of :data:`ROWS`. Of tables
    1, 3 and 5 ``emotion`` is the class, in serlab's words. ``value`` is NaN
    where the paper prints NA. ``task`` is empty within a corpus.
    """
    cells = papers.read("baklouti", "published")
    return cells.assign(**{name: pd.to_numeric(cells[name]) for name in ("value", "deviation")})


def published_table(table: Literal[2, 3, 4, 5, 6] = 4) -> pd.DataFrame:
    """One table of the paper, one row a corpus or task and method.

    Returns
    -------
    DataFrame
        corpus (tables 2 and 3) or task, method; of tables 2, 4 and 6 then one
        column a metric, and its deviation where one is printed; of tables 3
        and 5 the metric and one column an emotion.
    """
    cells = published().query("table == @table").sort_values("task", kind="stable")
    of = "corpus" if table in (2, 3) else "task"
    pair = cells["task"].astype(str) + ": " + cells["source"] + " to " + cells["target"]
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


def beside_published(
    summary: pd.DataFrame,
    *,
    target: str,
    sources: Sequence[str],
    classes: Sequence[str],
    protocol: str,
    metric: Literal["UAR", "accuracy"] = "UAR",
    rows: Mapping[str, str] = NEAREST,
) -> pd.DataFrame:
    """Published and measured numbers of each method, with the difference in protocol named.

    Table 4, with the transfer learning of table 6. For task 3 table 6 prints
    other numbers than table 4; they are named in ``difference``.

    Parameters
    ----------
    summary : DataFrame
        Of an experiment, with ``title``.
    target, sources, classes, protocol
        Of that experiment.
    metric : {"UAR", "accuracy"}
    rows : mapping
        Method of serlab -> key of :data:`ROWS` that it stands beside; in the
        order of the table. Several may stand beside the same, and those that
        were not run are shown only where none of the others was.

    Returns
    -------
    DataFrame
        method, title, published, published_range, measured, low, high,
        difference; see :func:`serlab.papers.beside`.
    """
    run = set(summary["method"])
    covered = {row for method, row in rows.items() if method in run}
    rows = {method: row for method, row in rows.items() if method in run or row not in covered}
    cells = published().query(_COMPARED).query("metric == @metric").dropna(subset="value")
    own = pd.concat(
        [cells[cells["method"] == row].assign(method=method) for method, row in rows.items()]
        or [cells.iloc[:0]]
    )
    titles = dict(zip(summary["method"], summary["title"], strict=True))
    return papers.beside(
        own,
        summary,
        titles={method: titles.get(method, ROWS[row]) for method, row in rows.items()},
        measure=metric.lower(),
        target=target,
        sources=sources,
        without_source=(),
        reading=protocol_difference(classes, protocol),
    )


def protocol_difference(classes: Sequence[str], protocol: str) -> str:
    """How an experiment differs from the paper's even on the same corpora."""
    n = len(classes)
    differences = ["same corpora"]
    if n != N_CLASSES:
        differences.append(
            f"{N_CLASSES} classes there (chance {1 / N_CLASSES:.2f}), {n} here (chance {1 / n:.2f})"
        )
    if protocol != "random":
        differences.append(f"80/20 at random there, {protocol} here")
    return "; ".join([*differences, "how the paper maps classes that the source lacks is not printed"])


def contradictions() -> pd.DataFrame:
    """What the paper says twice and differently, or leaves unexplained, and how it is read here.

    Returns
    -------
    DataFrame
        subject, says, where, against, where_against, our_reading. Numbers of
        the text are as printed, in points of percent where it says so.
    """
    return papers.read("baklouti", "contradictions")


def choices() -> pd.DataFrame:
    """What the paper leaves open, and what serlab does: open, printed, where, serlab, why."""
    return papers.read("baklouti", "choices")


def not_run(installed: Sequence[str]) -> pd.DataFrame:
    """The paper's four tasks, and which corpus each still needs: task, source, target, status."""
    pairs = [{"task": task, "source": source, "target": target} for task, (source, target) in TASKS.items()]
    return papers.run_status(pd.DataFrame(pairs), installed)
