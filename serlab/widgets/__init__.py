"""Pickers and browsers for notebooks; without a screen, tables and figures in their place.

Only :mod:`serlab.widgets.panel` and what it is made of need ipywidgets: a
notebook that runs headless does without.
"""

from serlab.widgets.headless import Fixed, command, parameter_table
from serlab.widgets.parts import LeftOut, study, where_possible
from serlab.widgets.showing import corpus_browser, guess, prediction_browser, predictor, recorder, show

__all__ = [
    "Fixed",
    "LeftOut",
    "command",
    "corpus_browser",
    "guess",
    "parameter_table",
    "prediction_browser",
    "predictor",
    "recorder",
    "show",
    "study",
    "where_possible",
]
