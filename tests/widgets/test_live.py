"""Progress and curves, alive in a notebook."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serlab.widgets import live


def test_live_curves_draw_the_history_so_far():
    curves = live.LiveCurves()
    history = pd.DataFrame({"loss": [1.0, 0.5], "uar": [0.5, 0.75], "validation_uar": [0.4, np.nan]})
    curves.report("ACNN, fold 1 of 5", history)
    assert "ACNN, fold 1 of 5" in curves.widget.value and "uar 0.750" in curves.widget.value
    assert curves.widget.value.count("<polyline") == 3 and curves.widget.layout.display is None
    curves.report("too soon", history)
    assert "too soon" not in curves.widget.value
    curves.hide()
    assert curves.widget.layout.display == "none"


def test_progress_bar_estimates_what_is_left(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    bar = live.ProgressBar()
    bar.report(0, 100, "features")
    now[0] += 10
    bar.report(20, 100, "features")
    assert bar._bar.value == 0.2
    assert "features &middot; 20 of 100 &middot; about 40 s left" in bar._text.value
    bar.report(21, 100, "too soon after the last")
    assert "20 of 100" in bar._text.value
    now[0] += 1
    bar.report(1, 8, "next stage")
    assert "left" not in bar._text.value  # its speed is not known yet
    bar.report(8, 8, "next stage")
    assert bar.widget.layout.display == "none"


def test_each_cell_gets_a_bar_of_its_own(monkeypatch):
    cell, shown = [1], []
    monkeypatch.setattr(live, "get_ipython", lambda: type("Shell", (), {"execution_count": cell[0]}))
    monkeypatch.setattr(live, "display", lambda *widgets: shown.append(widgets))
    below = live.BelowCell()
    below.progress(1, 4, "features")
    below.progress(2, 4, "features")
    below.on_epoch("ACNN", pd.DataFrame({"loss": [1.0]}))
    assert len(shown) == 1
    cell[0] = 2
    below.progress(1, 4, "fits")
    assert len(shown) == 2 and shown[0] != shown[1]
