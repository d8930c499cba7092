"""Zhou & Beigi: A Transfer Learning Method for SER from Automatic Speech Recognition.

A time-delay network pretrained on TED-LIUM 2, of which a layer gives the
frames that a softmax classifies by emotion (section 3). ``published.csv``
holds every cell of tables 1-3 and the numbers of the text; what tables and
text say differently is there twice. Figure 1, a confusion matrix, is a picture
of which the text repeats one number. Everything is within IEMOCAP: the paper
has no experiment across languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from serlab import papers

#: Row of table 3 -> title.
ROWS: dict[str, str] = {
    "asr-transfer": "transfer from speech recognition (the paper's own)",
    "rnn-elm": "RNN-ELM (Lee & Tashev 2015)",
    "conv-lstm": "Conv-LSTM (Satt et al. 2017)",
    "ctc-blstm": "CTC-BLSTM (Chernykh et al. 2017)",
}

#: Layer of table 2 -> title.
LAYERS: dict[str, str] = {
    "prefinal": "prefinal",
    "tdnn13": "13th TDNN layer",
    "tdnn12": "12th TDNN layer",
}

#: Method of serlab -> row of table 3 that it stands beside. All are trained within the target,
#: as in the paper.
NEAREST: dict[str, str] = {
    "rnnelm-target": "rnn-elm",
    "convlstm-target": "conv-lstm",
    "ctcblstm-target": "ctc-blstm",
}

N_CLASSES = 4
SCHEME = "four-excited"


def published() -> pd.DataFrame:
    """Cells of tables 1-3 and numbers of the text.

    Columns table, source, target, session, model, metric, emotion, value, note.
    Shares are between 0 and 1. ``table`` is "1", "2", "3" or a section of the
    text, ``session`` is "1" to "5", "mean" or "total" (of table 1) or empty;
    ``model`` is a key of :data:`ROWS` or :data:`LAYERS`, or "asr". ``emotion``
    is in serlab's words: excitement is joy.
    """
    return papers.read("zhou_beigi", "published")


def published_table(table: Literal[1, 2, 3] = 3) -> pd.DataFrame:
    """One table of the paper.

    Returns
    -------
    DataFrame
        Of table 1 a row a session and a column an emotion; of table 2 layer
        and accuracy; of table 3 a row a system, its mean and its five sessions.
    """
    cells = published().query("table == @name", local_dict={"name": str(table)})
    if table == 1:
        wide = cells.pivot(index="session", columns="emotion", values="value").astype(int)
        order = list(dict.fromkeys(cells["emotion"]))
        return wide.loc[list(dict.fromkeys(cells["session"])), order].reset_index().rename_axis(columns=None)
    if table == 2:
        rows = cells.assign(layer=cells["model"].map(LAYERS), accuracy=cells["value"])
        return rows[["layer", "accuracy"]].reset_index(drop=True)
    column = cells["session"].where(cells["session"] == "mean", "session " + cells["session"])
    wide = cells.assign(column=column).pivot(index="model", columns="column", values="value")
    wide = wide.loc[list(ROWS), ["mean", *(f"session {n}" for n in range(1, 6))]]
    return wide.rename(index=ROWS).rename_axis("system").reset_index().rename_axis(columns=None)


def beside_published(
    summary: pd.DataFrame,
    *,
    target: str,
    classes: Sequence[str],
    protocol: str,
    rows: Mapping[str, str] = NEAREST,
) -> pd.DataFrame:
    """Means of table 3 and measured UAR of each method, with the difference in protocol named.

    Parameters
    ----------
    summary : DataFrame
        Of an experiment, with ``title``.
    target, classes, protocol
        Of that experiment.
    rows : mapping
        Method of serlab -> key of :data:`ROWS` that it stands beside, in the
        order of the table: :data:`NEAREST`, and what transfers from speech
        recognition -> "asr-transfer".

    Returns
    -------
    DataFrame
        method, title, published, published_range, measured, low, high,
        difference; see :func:`serlab.papers.beside`.
    """
    means = published().query("table == '3' and session == 'mean'")
    own = pd.concat(
        [means[means["model"] == row].assign(method=method) for method, row in rows.items()]
        or [means.iloc[:0].assign(method="")]
    )
    titles = dict(zip(summary["method"], summary["title"], strict=True))
    return papers.beside(
        own,
        summary,
        titles={method: titles.get(method, ROWS[row]) for method, row in rows.items()},
        measure="uar",
        target=target,
        sources=(),
        without_source=tuple(rows),
        reading=protocol_difference(classes, protocol),
    )


def protocol_difference(classes: Sequence[str], protocol: str) -> str:
    """How an experiment differs from the paper's even on the same corpus."""
    n, differences = len(classes), ["same corpus"]
    if n != N_CLASSES:
        differences.append(
            f"{N_CLASSES} classes there (chance {1 / N_CLASSES:.2f}), {n} here (chance {1 / n:.2f})"
        )
    if protocol != "speaker-groups":  # of IEMOCAP its groups are the sessions
        differences.append(f"leave one session out there, {protocol} here")
    return "; ".join(differences)


def contradictions() -> pd.DataFrame:
    """What the paper says twice and differently, or against its sources, and how it is read here.

    Returns
    -------
    DataFrame
        subject, says, where, against, where_against, our_reading. Numbers are
        as printed, in percent.
    """
    return papers.read("zhou_beigi", "contradictions")


def choices() -> pd.DataFrame:
    """What the paper leaves open, and what serlab does: open, printed, where, serlab, why."""
    return papers.read("zhou_beigi", "choices")


def not_run(installed: Sequence[str]) -> pd.DataFrame:
    """The paper's one corpus of emotions, and whether it is there: source, target, status."""
    return papers.run_status(pd.DataFrame([{"source": "", "target": "iemocap"}]), installed)


def beside_the_paper(names: Sequence[str]) -> dict[str, str]:
    """Methods -> the row of the paper's table 3 that they stand beside."""
    rows = {"tdnn-frozen-target": "asr-transfer", "tdnn-tuned-target": "asr-transfer", **NEAREST}
    return {name: row for name, row in rows.items() if name in names}


def compared_layers(names: Sequence[str]) -> list[str]:
    """Methods that ask which layer of the TDNN is best (the paper's table 2)."""
    asked = ("tdnn-frozen-prefinal-target", "tdnn-frozen-13-target", "tdnn-frozen-target")
    return [name for name in asked if name in names]
