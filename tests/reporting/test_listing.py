"""The list of runs: whole without its script, and numbers that no title can break out of."""

from __future__ import annotations

import json
import re

from serlab.reporting import listing, opening
from tests.reporting.test_opening import tables


def listed(**changes) -> listing.Listed:
    record = {
        "state": "complete", "notebook": "01_x", "title": "X", "digest": "0", "parameters": {
            "target": "b", "sources": ["a"], "preset": "quick", "seeds": [0, 1]
        },
        "synthetic": False, "headline": "says", "error": None, "started": "2026-01-01T00:00:00.000Z",
        "seconds": 1.0, "attempts": [], "provenance": {"code": "c0de", "corpora": "f00d"},
    }  # fmt: skip
    return listing.Listed(record | changes, "01_x/a-to-b/0/report.html", tables(verdicts=("helps",)))


def embedded(text: str) -> list[dict]:
    (found,) = re.findall(r'<script type="application/json" id="runs">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_numbers_for_the_comparison_are_in_the_page() -> None:
    (run,) = embedded(listing.write([listed()]))
    assert run["pair"] == "a \N{RIGHTWARDS ARROW} b"
    assert run["parameters"]["seeds"] == "0, 1"
    assert run["parameters"]["code"] == "c0de"
    assert run["methods"][0] == ["base", "The <base>", "0.50 [0.10, 0.90]"]
    assert run["methods"][1][2:] == ["0.80 [0.10, 0.90]"]
    key, compared, gain, verdict = run["gains"][0]
    assert (key, compared) == ("source/m0/base", "Source: Title m0 over The <base>")
    assert (gain, verdict) == ("+0.30 [+0.20, +0.40]", "helps")


def test_no_title_ends_the_script() -> None:
    title = "</script><script>alert(1)</script><!-- & \u2028"
    text = listing.write([listed(title=title)])
    assert embedded(text)[0]["title"] == title
    assert text.count("</script>") == 2
    assert "<!--" not in text
    assert "alert(1)</script>" not in text


def test_rows_say_what_they_are_filtered_and_sorted_by() -> None:
    text = listing.write([listed()])
    (row,) = re.findall(r"<tr data-.*?</tr>", text, re.DOTALL)
    for attribute in ('data-notebook="01_x"', 'data-preset="quick"', 'data-state="complete"'):
        assert attribute in row
    assert 'data-sort-uar="0.8"' in row
    assert 'data-sort-gain="0.3"' in row
    assert "<strong>Source: Title m0 helps; Title m1: no difference shown;" in row
    assert "Title m0 over The &lt;base&gt;" in row
    assert 'aria-label="Compare X, a \N{RIGHTWARDS ARROW} b"' in row
    for name in ("notebook", "pair", "preset", "state", "words"):
        assert f'data-filter="{name}"' in text


def test_a_run_without_tables_is_listed_too() -> None:
    empty = opening.Tables.none()
    run = listing.Listed(listed(state="failed").record, None, empty)
    text = listing.write([run])
    assert embedded(text)[0]["methods"] == []
    assert ">failed<" in text
    assert "data-sort-uar" not in text


def test_nothing_moves_while_runs_are_ticked() -> None:
    """A row that grows or shifts under the mouse takes the tick away from the one that is meant."""
    says = 'says <"much">'
    text = listing.write([listed(headline=says)])
    assert text.index("</table>") < text.index('<section class="compare"')
    assert 'title="says &lt;&quot;much&quot;&gt;"' in text, "a headline that is cut is whole on its title"
    screen = text.split("@media print")[0]
    assert not re.search(r"[^}]*:(hover|focus|active)[^{]*headline-in-list[^{]*\{", screen)
    assert not re.search(r"headline-in-list:(hover|focus|active)", screen)


def test_nothing_is_loaded() -> None:
    text = listing.write([listed()])
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"https?:", text)


def test_a_badge_is_what_the_run_says_else_what_its_protocol_says() -> None:
    given = {"target": "b", "sources": ["a"], "protocol": "given"}
    assert "speakers are shared" not in listing.write([listed(parameters=given)])
    assert "speakers are shared" in listing.write([listed(parameters=given, badge="speakers are shared")])
    assert "random split: speakers" in listing.write([listed(parameters={**given, "protocol": "random"})])
