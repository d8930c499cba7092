"""A long recording over time."""

from __future__ import annotations

import pandas as pd

from serlab import plotting


def test_pauses_break_the_lines_of_a_long_recording():
    starts = [0.0, 1.0, 2.0, 9.0, 10.0]
    table = pd.DataFrame({"start": starts, "end": [s + 2 for s in starts], "answer": list("aabab")})
    table = table.assign(p_a=0.6, p_b=0.4)
    figure = plotting.plot_over_time(table)
    assert sorted(len(line.get_xdata()) for line in figure.axes[0].get_lines()) == [2, 2, 3, 3]
    assert "a in 60% of 5 windows" in figure.alt
