"""Zhou & Beigi: A Transfer Learning Method for SER from Automatic Speech Recognition.

A time-delay network pretrained on TED-LIUM 2, of which a layer gives the
frames that a softmax classifies by emotion (section 3). ``published.csv``
holds every cell of tables 1-3 and the numbers of the text; what tables and
text say differently is there twice. Figure 1, a confusion matrix, is a picture
of which the text repeats one number. Everything is within IEMOCAP: the paper
has no experiment across languages. ``session`` is "1" to "5", "mean" or
"total" (of table 1) or empty, ``method`` a key of :data:`ROWS` or
:data:`LAYERS`, or "asr"; excitement is joy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from serlab.asr.settings import of_preset
from serlab.papers.base import Departure, Features, Pair, Paper, Protocol, Split

if TYPE_CHECKING:
    from serlab.experiment import Outcome, Parameters

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

#: Of TED-LIUM 2 (section 4.2).
HOURS = 207

#: Settings of the pretraining that the paper prints, or the recipe that it refers to has -> words.
SETTINGS: dict[str, str] = {
    "architecture": "layers of the pretrained network",
    "loss": "objective of the pretraining",
    "epochs": "epochs of the pretraining",
    "subsampling": "frames from one output to the next",
    "leaky": "leak of the denominator",
    "cross_entropy": "weight of the cross-entropy branch",
    "n_components": "Gaussians of the i-vectors",
    "rank": "width of the i-vectors",
    "speed": "further speeds of the pretraining speech",
    "volume": "volumes of the pretraining speech",
}
_OF_IVECTORS = ("n_components", "rank")

#: What no setting of ours can be.
ALWAYS: tuple[Departure, ...] = (
    Departure(
        what="optimiser of the pretraining",
        printed="preconditioned stochastic gradient descent",
        here="Adam",
    ),
    Departure(what="units of the pretraining", printed="the recipe's, of phones", here="characters"),
)

#: Method of serlab -> layer of table 2 that it takes.
LAYER_METHODS: dict[str, str] = {
    "tdnn-frozen-prefinal-target": "prefinal",
    "tdnn-frozen-13-target": "tdnn13",
    "tdnn-frozen-target": "tdnn12",
}

#: Method of serlab -> row of table 3 that it stands beside. All are trained within the target,
#: as in the paper.
NEAREST: dict[str, str] = {
    "tdnn-frozen-target": "asr-transfer",
    "tdnn-tuned-target": "asr-transfer",
    "rnnelm-target": "rnn-elm",
    "convlstm-target": "conv-lstm",
    "ctcblstm-target": "ctc-blstm",
}

#: The compared systems are cited only; their texts were not at hand.
REBUILT: dict[str, str] = {
    "rnnelm-target": "Lee & Tashev 2015: abstract, and those who cite it",
    "convlstm-target": "Satt et al. 2017: abstract, and those who cite it",
    "ctcblstm-target": "Chernykh et al. 2017: abstract, and those who cite it",
}


def published_table(table: Literal[1, 2, 3] = 3) -> pd.DataFrame:
    """One table of the paper.

    Returns
    -------
    DataFrame
        Of table 1 a row a session and a column an emotion; of table 2 layer
        and accuracy; of table 3 a row a system, its mean and its five sessions.
    """
    cells = PAPER.published
    cells = cells[cells["where"] == f"table {table}"]
    if table == 1:
        wide = cells.pivot(index="session", columns="emotion", values="value").astype(int)
        order = list(dict.fromkeys(cells["emotion"]))
        return wide.loc[list(dict.fromkeys(cells["session"])), order].reset_index().rename_axis(columns=None)
    if table == 2:
        rows = cells.assign(layer=cells["method"].map(LAYERS), accuracy=cells["value"])
        return rows[["layer", "accuracy"]].reset_index(drop=True)
    column = cells["session"].where(cells["session"] == "mean", "session " + cells["session"])
    wide = cells.assign(column=column).pivot(index="method", columns="column", values="value")
    wide = wide.loc[list(ROWS), ["mean", *(f"session {n}" for n in range(1, 6))]]
    return wide.rename(index=ROWS).rename_axis("system").reset_index().rename_axis(columns=None)


def compared_layers(outcome: Outcome) -> pd.DataFrame:
    """Which layer of the TDNN is best: title, published (accuracy of session 5), uar, its interval."""
    published = PAPER.published.query("where == 'table 2'").set_index("method")["value"]
    summary = outcome.summary
    own = summary[summary["method"].isin(LAYER_METHODS)]
    own = own.assign(published=own["method"].map(LAYER_METHODS).map(published))
    return own[["title", "published", "uar", "uar_low", "uar_high"]]


def _cells(published: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Means of table 3."""
    return published[(published["where"] == "table 3") & (published["session"] == "mean")]


def _pretraining(outcome: Outcome, method: str) -> Iterable[Departure]:
    """What the acoustic model heard, and whether it knows the speaker."""
    model = outcome.facts.get("acoustic_model")
    if NEAREST[method] != "asr-transfer" or model is None:
        return
    heard, hours = model["corpora"], model["training_hours"]
    if heard != ["tedlium"] or hours < HOURS:
        yield Departure(
            what="pretrained on",
            printed=f"TED-LIUM 2, {HOURS} h",
            here=f"{' + '.join(heard)}, {hours:.1f} h",
        )
    if not model["ivectors"]:
        yield Departure(what="i-vectors", printed="appended to each frame", here="none")
    yield from ALWAYS
    used, printed = model.get("settings", {}), of_preset("paper").as_dict()
    for name, what in SETTINGS.items():
        # A model of an earlier version does not say it, and was trained without.
        if used.get(name) != printed[name] and not (name in _OF_IVECTORS and not model["ivectors"]):
            yield Departure(what=what, printed=_words(printed[name]), here=_words(used.get(name)))


def _words(value: Any) -> str:
    """A setting as it is read."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, 0) else str(value)


PAPER = Paper(
    key="zhou-beigi",
    authors="Zhou & Beigi",
    title="A Transfer Learning Method for Speech Emotion Recognition from Automatic Speech Recognition",
    year=2020,
    notebook="05",
    rows=ROWS,
    nearest=NEAREST,
    measures={"UAR": "uar"},
    protocol=Protocol(
        pairs=(Pair("table 3", "", "iemocap"),),
        schemes=("four-excited",),
        classes={"": 4},
        utterances={"iemocap": 4936},
        features={"asr-transfer": Features("40 MFCC", ("mfcc40",))},
        # Groups of speakers keep the five sessions of IEMOCAP together.
        splits={"": Split("leave one session out", ("session-groups", "speaker-groups"), 5)},
        seconds=math.inf,
    ),
    cells=_cells,
    rebuilt=REBUILT,
    weighed=tuple(REBUILT),
    changed={},
    further=_pretraining,
    tables=lambda: {f"Table {n} of the paper, as printed": published_table(n) for n in (1, 2, 3)},
)
