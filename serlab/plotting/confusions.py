"""What is taken for what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from serlab import metrics
from serlab.evaluation import class_names, compact
from serlab.plotting.marks import cell_texts, cells, panel_figure, require_rows
from serlab.plotting.style import Figure, finished, heading, styled
from serlab.plotting.texts import listing, number, sentences, span, titled, wrapped


def confusion_table(
    predictions: pd.DataFrame, methods: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Count answers by true class, over all folds and seeds.

    Parameters
    ----------
    predictions : DataFrame
        Prediction table; ``y_true`` and ``y_pred`` are class numbers.
    methods, classes : sequence of str, optional
        By default all methods, and the classes of the ``p_<class>`` columns.

    Returns
    -------
    DataFrame
        method, true, predicted, n (predictions) and share of the true class,
        NaN where the class never occurs.
    """
    classes = list(classes or class_names(predictions))
    rows = []
    for method in methods or compact.methods_in(predictions):
        own = compact.of_method(predictions, method)
        counts = metrics.confusion(own["y_true"], own["y_pred"], len(classes))
        share = metrics.ratio(counts, counts.sum(axis=1, keepdims=True))
        for (true, predicted), n in np.ndenumerate(counts):
            rows.append((method, classes[true], classes[predicted], n, share[true, predicted]))
    return pd.DataFrame(rows, columns=["method", "true", "predicted", "n", "share"])


def mean_confusion_table(
    predictions: pd.DataFrame, methods: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Average the confusion matrices of folds, each in shares of the true class.

    As Zhou & Beigi, figure 1. Every fold weighs the same; a fold without a
    true class is left out of its row. :func:`confusion_table` adds the counts
    instead.

    Parameters
    ----------
    predictions : DataFrame
        Prediction table with fold and seed; ``y_true`` and ``y_pred`` are class numbers.
    methods, classes : sequence of str, optional
        By default all methods, and the classes of the ``p_<class>`` columns.

    Returns
    -------
    DataFrame
        method, true, predicted, share (mean over folds and seeds), sd (between
        them; NaN of a single one) and n_fits.
    """
    classes = list(classes or class_names(predictions))
    rows = []
    for method in methods or compact.methods_in(predictions):
        fits = compact.of_method(predictions, method).groupby(["fold", "seed"], sort=False)
        counts = np.array([metrics.confusion(fit["y_true"], fit["y_pred"], len(classes)) for _, fit in fits])
        shares = metrics.ratio(counts, counts.sum(axis=-1, keepdims=True))
        for true, predicted in np.ndindex(len(classes), len(classes)):
            own = shares[:, true, predicted]
            own = own[~np.isnan(own)]
            mean = own.mean() if len(own) else np.nan
            sd = own.std(ddof=1) if len(own) > 1 else np.nan
            rows.append((method, classes[true], classes[predicted], mean, sd, len(own)))
    return pd.DataFrame(rows, columns=["method", "true", "predicted", "share", "sd", "n_fits"])


@styled
def plot_confusions(
    predictions: pd.DataFrame,
    methods: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    *,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show a confusion matrix per method: percent of the true class, and the count.

    The table is :func:`confusion_table`, with the same parameters. Counts of
    all folds and seeds are added; so they are in the summary, whose UAR stands
    above each panel.

    Parameters
    ----------
    titles : mapping, optional
        Method -> title.
    """
    table = confusion_table(predictions, methods=methods, classes=classes)
    return _confusion_grid(
        table,
        write=lambda row: f"{row.share:.0%}\n{row.n}",
        scores=_uar(predictions, methods, classes),
        titles=titles,
        head="Confusions, counts of all folds and seeds added",
        below="answer; percent of the true class and number of predictions",
    )


@styled
def plot_mean_confusions(
    predictions: pd.DataFrame,
    methods: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    *,
    titles: Mapping[str, str] | None = None,
) -> Figure:
    """Show the confusion matrix of each method, averaged over folds.

    The table is :func:`mean_confusion_table`, with the same parameters. The UAR
    above each panel is that of the summary, of the counts of all folds added: the
    mean of a diagonal here is another number.

    Parameters
    ----------
    titles : mapping, optional
        Method -> title.
    """
    table = mean_confusion_table(predictions, methods=methods, classes=classes)
    require_rows(table)
    return _confusion_grid(
        table,
        write=lambda row: f"{row.share:.0%}" + ("" if np.isnan(row.sd) else f"\n\u00b1{100 * row.sd:.0f}"),
        scores=_uar(predictions, methods, classes),
        titles=titles,
        head=f"Confusions, mean of {span(table.loc[table['n_fits'] > 0, 'n_fits'])} fits (folds and seeds)",
        below="answer; percent of the true class, \u00b1 deviation between fits\nUAR: of all counts added",
    )


def _confusion_grid(
    table: pd.DataFrame,
    *,
    write: Callable[[object], str],
    scores: Mapping[str, float],
    titles: Mapping[str, str] | None,
    head: str,
    below: str,
) -> Figure:
    """A matrix of shares a method; ``write`` gives the text of a cell whose share is known."""
    require_rows(table)
    methods, classes = (list(dict.fromkeys(table[name])) for name in ("method", "true"))
    n, shown = len(classes), dict(zip(methods, titled(titles, methods), strict=True))
    side = max(1.95, 0.5 * n)
    figure, panels, columns = panel_figure(
        len(methods), size=(side + 0.3, side + 0.55), most_columns=4, margin=(1.1, 1.5), sharex=True,
        sharey=True,
    )  # fmt: skip
    says = []
    for place, (axes, method) in enumerate(zip(panels, methods, strict=True)):
        own = table[table["method"] == method]
        share = own["share"].to_numpy().reshape(n, n)
        written = np.where(np.isnan(share), cell_texts(share), _by_row(own, write).reshape(n, n))
        cells(axes, share, written, rows=classes, columns=classes, low=0, high=1.1)
        axes.tick_params(
            axis="x", labelrotation=90 if n > 2 else 0, labelbottom=place + columns >= len(methods)
        )
        recall = f"UAR {number(scores[method])}"
        axes.set_title(f"{wrapped(shown[method], int(13 * side))}\n{recall}", fontsize=9.5)
        says.append(f"{shown[method]}: {recall}{_most_confused(share, classes)}")
    figure.supylabel("true class")
    figure.supxlabel(below)
    heading(figure, head)
    return finished(figure, sentences(listing(says)))


def _uar(
    predictions: pd.DataFrame, methods: Sequence[str] | None, classes: Sequence[str] | None
) -> dict[str, float]:
    """Method -> UAR of all folds and seeds together, as in the summary."""
    n_classes = len(classes or class_names(predictions))
    found = {}
    for method in methods or compact.methods_in(predictions):
        own = compact.of_method(predictions, method)
        found[method] = float(metrics.uar(metrics.confusion(own["y_true"], own["y_pred"], n_classes)))
    return found


def _by_row(table: pd.DataFrame, write: Callable[[object], str]) -> np.ndarray:
    return np.array([write(row) for row in table.itertuples()], dtype=object)


def _most_confused(share: np.ndarray, classes: Sequence[str]) -> str:
    """The greatest share of a class that is taken for another."""
    wrong = np.where(np.eye(len(classes), dtype=bool), 0, np.nan_to_num(share))
    if not wrong.any():
        return ""
    true, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    return f", {classes[true]} taken for {classes[answer]} in {wrong[true, answer]:.0%}"
