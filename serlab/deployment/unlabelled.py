"""How well a kept model will do on recordings without labels, with the error such estimates had elsewhere."""

from __future__ import annotations

import pandas as pd

from serlab.deployment import evidence
from serlab.deployment.model import Model
from serlab.deployment.predicting import Predicted
from serlab.evaluation import estimates


def errors_table(found: pd.DataFrame) -> pd.DataFrame:
    """How far estimates were off on corpora that were left out.

    Parameters
    ----------
    found : DataFrame
        From :func:`serlab.deployment.evidence.estimate_table`, of one form or more.

    Returns
    -------
    DataFrame
        form, estimate, corpora, uar_error and accuracy_error (mean distance to the truth), uar_worst and
        accuracy_worst.
    """
    columns = ["form", "estimate", "corpora"]
    measures = [f"{measure}_{kind}" for measure in ("uar", "accuracy") for kind in ("error", "worst")]
    if found.empty:
        return pd.DataFrame(columns=[*columns, *measures])
    off = found.assign(
        uar_off=(found["uar"] - found["true_uar"]).abs(),
        accuracy_off=(found["accuracy"] - found["true_accuracy"]).abs(),
    )
    return (
        off.groupby(["form", "estimate"], sort=False)
        .agg(
            corpora=("corpus", "nunique"),
            uar_error=("uar_off", "mean"), uar_worst=("uar_off", "max"),
            accuracy_error=("accuracy_off", "mean"), accuracy_worst=("accuracy_off", "max"),
        )
        .reset_index()[[*columns, *measures]]
    )  # fmt: skip


def estimate(model: Model, predicted: Predicted, *, seed: int = 0) -> pd.DataFrame:
    """Expected UAR and accuracy on the recordings that were asked about.

    Parameters
    ----------
    model : Model
    predicted : Predicted
    seed : int

    Returns
    -------
    DataFrame
        estimate, uar, accuracy, corpora, uar_error, uar_worst, accuracy_error, accuracy_worst (NaN where
        the model has fewer than three sources); the estimate with the least error first.

    Raises
    ------
    ProtocolError
        If there are too few recordings.
    """
    form = model.forms[predicted.form]
    reference = evidence.reference(model.of_form(predicted.form), form.calibration)
    found = estimates.estimate_all(reference, predicted.proba, predicted.agree, seed=seed)
    rows = [(name, own.uar, own.accuracy) for name, own in found.items()]
    table = pd.DataFrame(rows, columns=["estimate", "uar", "accuracy"])
    errors = errors_table(model.estimates[model.estimates["form"] == predicted.form]).drop(columns="form")
    return table.merge(errors, on="estimate", how="left").sort_values(
        "uar_error", kind="stable", ignore_index=True
    )
