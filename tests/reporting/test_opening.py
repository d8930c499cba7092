"""What a report opens with, made from tables alone."""

from __future__ import annotations

import pandas as pd
import pytest

from serlab.evaluation.scoring import POOLED
from serlab.reporting import opening


def tables(
    n: int = 3, *, verdicts: tuple[str, ...] = (), declared: int | None = None, findings: tuple[str, ...] = ()
) -> opening.Tables:
    """A control and ``n`` methods, the first the best; the last is worse than the control.

    The first ``declared`` of them were declared beforehand; all, if that is not given.
    """
    declared = n if declared is None else declared
    names = [f"m{number}" for number in range(n)]
    gains = [0.3 - 0.02 * number for number in range(n - 1)] + [-0.2]
    summary = pd.DataFrame(
        {
            "method": ["base", *names],
            "title": ["The <base>", *(f"Title {name}" for name in names)],
            "access": ["target-only"] + ["none"] * n,
            "target_seen": ["20 labelled"] + ["nothing"] * n,
            "uar": [0.5, *(0.5 + gain for gain in gains)],
        }
    ).assign(uar_low=0.1, uar_high=0.9)
    comparison = pd.DataFrame(
        {
            "question": "source",
            "method": names,
            "title": summary["title"].iloc[1:].to_list(),
            "control": "base",
            "control_title": "The <base>",
            "primary": [number < declared for number in range(n)],
            "gain": gains,
            "gain_low": [gain - 0.1 for gain in gains],
            "gain_high": [gain + 0.1 for gain in gains],
            "p_holm": 0.0004,
            "verdict": [*verdicts, *["no difference shown"] * n][:declared]
            + ["exploratory"] * (n - declared),
        }
    )
    audit = pd.DataFrame(
        {"severity": findings, "finding": [f"<{number}> found" for number in range(len(findings))]}
    )
    return opening.Tables(summary, comparison, audit)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (("helps",), "Source: Title m0 helps."),
        (("cannot be decided with 3 speakers",), "Source: Title m0: cannot be decided with 3 speakers."),
        (("helps", "hurts"), "Source: Title m0 helps; Title m1 hurts."),
    ],
)
def test_the_verdict_is_on_what_was_declared(verdicts: tuple[str, ...], said: str) -> None:
    own = tables(verdicts=verdicts, declared=len(verdicts))
    assert opening.verdict(own.comparison) == said


def test_without_a_comparison_there_is_no_verdict_and_uar_is_drawn() -> None:
    own = tables()
    own = opening.Tables(own.summary, pd.DataFrame(), own.audit)
    assert opening.verdict(own.comparison) == ""
    text = opening.write(own)
    assert f"UAR of each method ({POOLED}), 95 % interval" in text
    assert "0.80 [0.10, 0.90]" in text
    assert "The &lt;base&gt;" in text
    assert 'class="zero"' not in text


def test_gains_are_drawn_with_their_numbers_and_marks() -> None:
    text = opening.write(tables(verdicts=("helps", "no difference shown", "hurts")))
    assert "What does the source add to the same labels? UAR gained, 95 % interval" in text
    assert "<td>The &lt;base&gt;</td>" in text
    rows = text.split("<tbody>")[1].split("<tr>")[1:4]
    assert "Title m0" in rows[0]
    assert "\N{BLACK UP-POINTING TRIANGLE} helps" in rows[0]
    assert "+0.30 [+0.20, +0.40]" in rows[0]
    assert "&lt; .001" in rows[0]
    assert "polygon" in rows[0]
    assert "circle" in rows[1]
    assert "\N{BLACK DOWN-POINTING TRIANGLE} hurts" in rows[2]
    assert "\N{MINUS SIGN}0.20 [\N{MINUS SIGN}0.30, \N{MINUS SIGN}0.10]" in rows[2]


def test_what_was_declared_is_shown_and_the_others_are_counted() -> None:
    text = opening.write(tables(20, declared=2))
    assert text.count("<svg") == 3, "and the axis"
    assert "18 exploratory comparisons in the figures below." in text
    assert "Title m1 <" in text and "Title m2<" not in text.split("<figure>")[1].split("</figure>")[0]
    cannot = opening.write(tables(1, verdicts=("cannot be decided with 3 speakers",)))
    assert '<span class="open">cannot be decided with 3 speakers</span>' in cannot


def test_where_nothing_was_declared_all_are_shown_as_far_as_the_page_goes() -> None:
    text = opening.write(tables(20, declared=0))
    assert text.count("<svg") == opening.ROWS + 1
    assert "11 more below" in text and "Title m8<" in text and "Title m9<" not in text
    assert "helps" not in text


def test_what_was_not_run_is_said_without_numbers() -> None:
    own = tables(1, verdicts=("not run",))
    gone = own.comparison.assign(gain=float("nan"), gain_low=float("nan"), gain_high=float("nan"))
    text = opening.write(opening.Tables(own.summary, gone.assign(p_holm=float("nan")), own.audit))
    assert "not run" in text and "nan" not in text


def test_questions_are_figures_of_their_own() -> None:
    own = tables(2)
    both = own.comparison.assign(question=["source", "alignment"])
    text = opening.write(opening.Tables(own.summary, both, own.audit))
    assert text.count("<figure>") == 2
    assert "What does alignment, or self-training, add to normalisation? UAR gained" in text


def test_what_was_seen_begins_with_nothing() -> None:
    text = opening.write(tables()).split("What was seen")[1]
    assert text.index("nothing") < text.index("20 labelled")
    assert "<td>3</td><td>0.80 <small>Title m0</small></td>" in text


def test_grave_findings_are_told_and_remarks_counted() -> None:
    text = opening.write(tables(findings=("error", "warning", "warning", "warning", "info")))
    assert '<span class="badge bad">error</span> &lt;0&gt; found' in text
    assert "&lt;2&gt; found" in text
    assert "&lt;3&gt; found" not in text
    assert "1 more of these and 1 remark in the table below." in text
    assert "Nothing." in opening.write(tables())
    assert "No errors, no warnings." in opening.write(tables(findings=("info",)))


def test_a_run_without_tables_has_no_opening(tmp_path) -> None:
    (tmp_path / "comparison.csv").write_text("\n")
    assert opening.write(opening.Tables.of(tmp_path)) == ""


def test_missing_intervals_are_left_out() -> None:
    own = tables()
    comparison = own.comparison.assign(gain_low=float("nan"), gain_high=float("nan"))
    text = opening.write(opening.Tables(own.summary, comparison, own.audit))
    assert "nan" not in text
    assert 'class="interval"' not in text
