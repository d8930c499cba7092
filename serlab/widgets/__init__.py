"""Pickers and browsers for notebooks: the only modules that import ipywidgets."""

from serlab.widgets.panel import (
    ALL,
    AUDIT_COLUMNS,
    GAIN_COLUMNS,
    SUMMARY_COLUMNS,
    Browser,
    Fixed,
    LiveCurves,
    Panel,
    PredictionBrowser,
    ProgressBar,
    View,
    command,
    corpus_browser,
    parameter_table,
    prediction_browser,
    show,
)

__all__ = [
    "ALL",
    "AUDIT_COLUMNS",
    "GAIN_COLUMNS",
    "SUMMARY_COLUMNS",
    "Browser",
    "Fixed",
    "LiveCurves",
    "Panel",
    "PredictionBrowser",
    "ProgressBar",
    "View",
    "command",
    "corpus_browser",
    "parameter_table",
    "prediction_browser",
    "show",
]
