"""The panel's logic, without a browser and (but for one test) without computing."""

from __future__ import annotations

import html
import itertools
import json
import shlex
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.events import EventManager, available_events

from serlab import experiment, methods
from serlab.errors import Cancelled, CorpusError, SerlabError
from serlab.experiment import Outcome, Parameters, Session, times
from serlab.methods import OPTIONS
from serlab.widgets import layout, showing, stale
from serlab.widgets import panel as widgets
from serlab.widgets.choice import Store
from serlab.widgets.panel import Panel
from serlab.widgets.pickers import controls

SECONDS = 20


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def parameters(tmp_path: Path) -> Parameters:
    return Parameters(
        target="synthetic-b",
        sources=("synthetic-a",),
        features="librosa",
        methods=("rf-source", "rf-target"),
        seeds=(0, 1),
        preset="demo",
        data=str(tmp_path / "data"),
    )


def outcome(parameters: Parameters) -> Outcome:
    nothing = pd.DataFrame()
    summary = pd.DataFrame(
        {
            "method": ["rf-source", "rf-target"],
            "title": ["RF, source only", "RF, target only"],
            "access": ["none", "target-only"],
            "target_seen": ["nothing", "20 labelled"],
            "transductive": False,
            "badge": "",
            "uar": [0.4, 0.5],
            "uar_low": [0.3, 0.4],
            "uar_high": [0.5, 0.6],
        }
    )
    comparison = pd.DataFrame(
        {
            "method": ["rf-source"],
            "title": ["RF, source only"],
            "question": "source",
            "control": "rf-target",
            "control_title": "RF, target only",
            "primary": True,
            "gain": -0.1,
            "gain_low": -0.2,
            "gain_high": -0.05,
            "p_holm": 0.01,
            "verdict": "hurts",
        }
    )
    audit = pd.DataFrame(
        {"severity": ["warning", "info"], "check": "x", "finding": ["<few>", "fine"], "remedy": ""}
    )
    emotion = pd.Categorical(["anger", "joy", "neutral", "sadness"])
    tested = pd.DataFrame({"corpus": parameters.target, "emotion": emotion})
    return Outcome(
        parameters=parameters,
        utterances=tested,
        X=nothing,
        left_out=pd.Series(dtype=int),
        skipped_files=nothing,
        skipped_folds=nothing,
        audit=audit,
        predictions=nothing,
        history=nothing,
        attention=nothing,
        embeddings=nothing,
        shift=nothing,
        results=nothing,
        summary=summary,
        comparison=comparison,
        notes=(),
    )


def fake_runner(session: Session) -> Outcome:
    session.progress(1, 2, "half")
    return outcome(session.parameters)


def waiting_runner(session: Session) -> Outcome:
    """Works until it is cancelled."""
    session.progress(3, 10, "RF <1>")
    assert session.cancel.wait(SECONDS)
    raise Cancelled("cancelled; finished methods are kept")


# --- pickers ---


def test_a_panel_starts_from_its_parameters_and_gives_them_back(parameters):
    panel = Panel(parameters)
    assert panel.parameters == parameters
    assert not panel.run_button.disabled
    assert panel.cancel_button.disabled


def test_the_order_of_methods_is_no_choice(parameters, tmp_path):
    turned = parameters.with_values(methods=parameters.methods[::-1])
    panel = Panel(turned, store=Store("01", tmp_path))
    assert panel.parameters == turned
    assert panel.reset_button.layout.display == "none"
    assert not Store("01", tmp_path).path.exists()


def test_every_picker_changes_its_parameter(parameters):
    panel = Panel(parameters)
    changes = {
        "target": "synthetic-c",
        "scheme": "arousal",
        "features": "egemaps",
        "protocol": "k-shot",
        "shots": 3,
        "folds": 4,
        "transductive": False,
        "preset": "quick",
        "on_bad_file": "stop",
        "baseline": "svm-target",
    }
    for name, value in changes.items():
        panel.controls[name].value = value
        assert getattr(panel.parameters, name) == value
    panel.controls["seeds"].value = "3 1,4"
    panel.source_boxes["synthetic-b"].value = True
    panel.method_boxes["majority"].value = True
    assert panel.parameters.seeds == (3, 1, 4)
    assert set(panel.parameters.sources) == {"synthetic-a", "synthetic-b"}
    assert set(panel.parameters.methods) == {"majority", "rf-source", "rf-target"}
    panel.controls["seeds"].value = ""
    assert panel.parameters.seeds == (0,), "as many as the preset has"
    assert set(changes) | {"seeds", "label_sets"} == set(panel.controls)
    assert panel.parameters.data == parameters.data  # no picker, kept


def test_a_notebook_of_frames_offers_what_concerns_frames():
    start = Parameters(
        target="synthetic-b", sources=("synthetic-a",), features="logmel26", methods=("acnn-target",),
        baseline="acnn-target", preset="demo", protocol="speaker-groups", scheme="arousal",
    )  # fmt: skip
    panel = Panel(start, notebook="02", groups=("neumann-vu",))
    assert set(panel.method_boxes) == set(methods.GROUPS["neumann-vu"])
    assert "is10" not in panel.controls["features"].options
    panel.controls["augment"].value = "noise-20, specaugment"
    panel.controls["device"].value = "cpu"
    assert (panel.parameters.augment, panel.parameters.device) == (("noise-20", "specaugment"), "cpu")
    assert "augment=noise-20,specaugment" in panel.command
    panel.controls["augment"].value = "echo"
    assert panel.run_button.disabled and "echo" in panel.problem.value


def test_shots_are_asked_for_with_k_shot_only(parameters):
    panel = Panel(parameters)
    assert panel.controls["shots"].disabled
    panel.controls["protocol"].value = "k-shot"
    assert not panel.controls["shots"].disabled


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda panel: setattr(panel.controls["target"], "value", "synthetic-a"),
            "target and source at once",
        ),
        (lambda panel: setattr(panel.source_boxes["synthetic-a"], "value", False), "no source is ticked"),
        (lambda panel: [setattr(box, "value", False) for box in panel.method_boxes.values()], "no method"),
        (lambda panel: setattr(panel.controls["seeds"], "value", "0, one"), "not a list of whole numbers"),
        (
            lambda panel: [
                setattr(panel.controls[name], "value", value)
                for name, value in (("protocol", "speaker-groups"), ("folds", 50))
            ],
            "needs 50 speakers",
        ),
    ],
)
def test_a_wrong_combination_disables_run_and_says_why(parameters, change, reason):
    panel = Panel(parameters, runner=fake_runner)
    change(panel)
    assert panel.run_button.disabled
    assert reason in panel.problem.value
    assert panel.command_line.value == ""
    with pytest.raises(SerlabError, match=reason):
        _ = panel.parameters


def test_a_wrong_combination_can_be_put_right(parameters):
    panel = Panel(parameters)
    panel.controls["target"].value = "synthetic-a"
    panel.controls["target"].value = "synthetic-c"
    assert not panel.run_button.disabled
    assert widgets.RED not in panel.problem.value


def test_target_only_methods_need_no_source(parameters):
    panel = Panel(parameters)
    panel.method_boxes["rf-source"].value = False
    panel.source_boxes["synthetic-a"].value = False
    assert panel.parameters.sources == ()


def test_what_was_declared_and_is_not_ticked_is_pointed_out(parameters):
    panel = Panel(parameters)
    for name in panel.parameters.primary:
        panel.method_boxes[name].value = False
    assert "declared as what this is run for, and not ticked" in panel.problem.value
    assert not panel.run_button.disabled


def test_corpora_that_are_not_installed_are_listed_with_how_to_get_them(parameters):
    panel = Panel(parameters)
    assert "emodb" not in panel.installed and "emodb" not in panel.source_boxes
    chosen = Panel(replace(parameters, sources=("emodb",)))
    assert chosen.source_boxes["emodb"].description == "emodb (missing)"
    assert "emodb" not in panel.controls["target"].options
    page = layout.how_to_get(panel.installed, parameters.data)
    assert "<b>emodb</b>" in page and "synthetic" not in page


def test_a_missing_corpus_among_the_parameters_is_named(tmp_path):
    panel = Panel(Parameters(target="urdu", sources=("emodb", "synthetic-a"), data=str(tmp_path)))
    assert panel.run_button.disabled
    assert "urdu, emodb: not installed in" in panel.problem.value
    assert not panel.source_boxes["emodb"].disabled  # so that it can be unticked


def test_the_command_gives_the_same_parameters(parameters):
    panel = Panel(parameters)
    panel.controls["seeds"].value = "0, 1, 2"
    words = shlex.split(panel.command)
    assert words[:3] == ["serlab", "run", "01"]
    shown = html.unescape(panel.command_line.value)
    assert f"{Path(sys.executable).with_name('serlab')} run 01" in shown, "of this environment"
    given = dict(word.split("=", 1) for flag, word in itertools.pairwise(words) if flag == "-p")
    given["preset"] = words[words.index("--preset") + 1]
    expected = panel.parameters.as_dict()
    for name, value in given.items():
        wanted = expected[name]
        assert value == (",".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted))
    # jobs has no influence, the others none on the methods of notebook 01, or their usual value.
    of_networks = {
        "seconds", "augment", "device", "trade_off", "weights", "encoder", "acoustic_model", "padding",
        "pretraining", "transductive", "fused", "source_weights",
    }  # fmt: skip
    assert set(expected) - set(given) == {"jobs", "studies"} | of_networks
    assert "sources=synthetic-a" in panel.command_line.value


# --- running ---


def test_run_shows_the_result(parameters):
    seen = []
    panel = Panel(parameters, runner=fake_runner, on_result=seen.append)
    panel.run_button.click()
    assert panel.wait(SECONDS)
    assert panel.error is None
    assert seen == [panel.outcome]
    assert panel.outcome.parameters == parameters
    page = "".join(part.value for part in panel.result.children)
    assert "Highest UAR 0.50 [0.40, 0.60]: RF, target only, saw 20 labelled." in page  # the headline
    assert page.count("data:image/png;base64") == 2
    assert "0.400 [0.300,\N{NO-BREAK SPACE}0.500]" in page and "hurts" in page
    assert "&lt;few&gt;" in page and "fine" not in page
    assert "finished in" in panel.message.value
    assert not panel.run_button.disabled and panel.cancel_button.disabled
    assert panel.bar.widget.layout.display == "none"


def test_cancel_stops_the_run_and_says_so(parameters):
    panel = Panel(parameters, runner=waiting_runner)
    panel.run_button.click()
    assert panel.run_button.disabled and not panel.cancel_button.disabled
    assert not panel.wait(0.05)
    assert "RF &lt;1&gt; &middot; 3 of 10" in panel.bar._text.value
    panel.controls["seeds"].value = "5"  # pickers may be moved meanwhile
    assert panel.run_button.disabled
    panel.cancel_button.click()
    assert panel.wait(SECONDS)
    assert "finished methods are kept" in panel.message.value
    assert isinstance(panel.error, Cancelled)
    assert panel.outcome is None and panel.result.children == panel.report.children == ()
    assert not panel.run_button.disabled


def test_a_second_run_is_not_started_beside_the_first(parameters):
    panel = Panel(parameters, runner=waiting_runner)
    panel.start()
    first = panel._thread
    panel.start()
    assert panel._thread is first
    panel.cancel()
    assert panel.wait(SECONDS)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CorpusError("emodb is <empty>"), "emodb is &lt;empty&gt;"),
        (ZeroDivisionError("oops"), "internal error: ZeroDivisionError: oops"),
    ],
)
def test_an_error_is_one_message(parameters, error, text):
    def failing_runner(session):
        raise error

    panel = Panel(parameters, runner=failing_runner)
    panel.run_button.click()
    assert panel.wait(SECONDS)
    assert text in panel.message.value
    assert panel.error is error
    assert not panel.run_button.disabled


def test_a_run_after_an_error_forgets_it(parameters, monkeypatch):
    monkeypatch.setattr(widgets, "result_widgets", lambda outcome: [])
    panel = Panel(parameters, runner=fake_runner)
    panel.error = ValueError()
    panel.run_button.click()
    assert panel.wait(SECONDS)
    assert panel.error is None


def test_the_runner_gets_what_the_panel_shows(parameters, monkeypatch):
    monkeypatch.setattr(widgets, "result_widgets", lambda outcome: [])
    got = []

    def runner(session):
        got.append(session)
        return outcome(session.parameters)

    panel = Panel(parameters, runner=runner)
    panel.controls["seeds"].value = "7"
    panel.start()
    assert panel.wait(SECONDS)
    (session,) = got
    assert session.parameters.seeds == (7,)
    assert isinstance(session.cancel, threading.Event)
    assert session.folder == panel.session.folder == experiment.scratch_folder(panel.parameters)


def test_cells_below_share_one_session_until_the_choice_changes(parameters):
    panel = Panel(parameters)
    session = panel.session
    assert panel.session is session and session.parameters == parameters
    panel.controls["seeds"].value = "3"
    assert panel.session is not session and panel.session.parameters.seeds == (3,)


def test_options_of_families_have_the_pickers_that_they_declare(parameters):
    chosen = {
        "trade_off": 0.3,
        "encoder": "whisper",
        "weights": "",
        "acoustic_model": "mine",
        "pretraining": "epochs=3",
        "padding": "zeros",
    }
    chosen = {name: option.default for name, option in OPTIONS.items()} | chosen
    made = controls(parameters.with_values(**chosen), ["synthetic-a", "synthetic-b"])
    assert set(OPTIONS) <= set(made)
    for name, option in OPTIONS.items():
        assert (made[name].value, made[name].description) == (chosen[name], option.title)
        assert made[name].tooltip == option.help
    assert made["weights"].placeholder == "random" and made["trade_off"].min == 0


def test_a_panel_has_a_table_for_viewers_without_widgets(parameters):
    bundle = Panel(parameters)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "Parameters of this run" in bundle["text/html"]


def test_a_cell_that_runs_again_keeps_what_was_chosen(parameters, monkeypatch):
    names: dict[str, object] = {}
    shell = type(
        "Shell", (), {"kernel": object(), "user_ns": names, "events": EventManager(None, available_events)}
    )
    monkeypatch.setattr(showing, "get_ipython", lambda: shell)
    monkeypatch.setattr(showing, "display", lambda shown: None)
    names["panel"] = showing.show(parameters)
    names["panel"].controls["seeds"].value = "7"
    assert showing.show(parameters) is names["panel"]
    assert showing.show(parameters.with_values(seeds=(9,))) is not names["panel"], (
        "the cell of parameters changed"
    )


# --- the choice is kept ---


def test_the_choice_is_found_again_by_another_kernel_and_can_be_reset(parameters, tmp_path):
    store = Store("01", tmp_path)
    panel = Panel(parameters, store=store)
    assert not store.path.exists(), "nothing was chosen"
    panel.controls["target"].value = "synthetic-c"
    panel.controls["seeds"].value = "3, 4"
    panel.method_boxes["majority"].value = True
    again = Panel(parameters, store=store)
    assert again.parameters == panel.parameters
    assert "Restored, as it was last chosen here: target, methods, seeds." in again.restored.value
    assert Panel(parameters.with_values(preset="quick"), store=store).parameters.target == "synthetic-b", (
        "the cell of parameters says something new"
    )
    again.reset_button.click()
    assert again.parameters == parameters
    assert again.restored.value == "" and again.reset_button.layout.display == "none"
    assert not store.path.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"start": 1, "chosen": {"seeds": 1}}'])
def test_a_damaged_choice_is_no_choice(parameters, tmp_path, text):
    store = Store("01", tmp_path)
    store.path.parent.mkdir()
    store.path.write_text(text, encoding="utf-8")
    assert Panel(parameters, store=store).parameters == parameters
    kept = {"start": parameters.as_dict(), "chosen": {"methods": ["gone"], "target": 3}}
    store.path.write_text(json.dumps(kept), encoding="utf-8")
    assert Panel(parameters, store=store).parameters == parameters


# --- what stands below is older ---


def test_cells_of_an_older_choice_are_marked_until_they_run_again(parameters, monkeypatch):
    shown = []
    monkeypatch.setattr(stale, "display", shown.append)
    panel = Panel(parameters)
    panel.marks.after_cell("1 + 1", {})
    assert shown == [], "it has taken nothing from the panel"
    _ = panel.session
    panel.marks.after_cell("prepared = panel.session.prepare()", {})
    (mark,) = shown
    assert mark.layout.display == "none" and panel.stale.layout.display == "none"
    panel.controls["target"].value = "synthetic-c"
    assert "This describes synthetic-a \u2192 synthetic-b." in html.unescape(mark.value)
    assert mark.layout.display is None and panel.stale.layout.display is None
    panel.controls["target"].value = "synthetic-b"
    assert mark.value == "" and panel.stale.layout.display == "none", "chosen back"
    panel.controls["seeds"].value = "9"
    assert "with other seeds" in mark.value
    assert panel.stale.layout.display is None
    _ = panel.session
    panel.marks.after_cell("prepared = panel.session.prepare()", {})
    assert panel.stale.layout.display == "none", "run again: nothing below is older"


def test_a_cell_that_shows_an_outcome_is_as_old_as_that(parameters, monkeypatch):
    shown = []
    monkeypatch.setattr(stale, "display", shown.append)
    panel = Panel(parameters)
    names = {"outcome": outcome(parameters)}
    panel.controls["target"].value = "synthetic-c"
    _ = panel.session
    panel.marks.after_cell("plotting.plot_uar(outcome.summary)", names)
    panel.marks.after_cell("prepared = panel.session.prepare()", names)
    assert [bool(mark.value) for mark in shown] == [True, False]


# --- what is said before and after ---


def test_what_is_chosen_is_one_line_with_its_time(parameters):
    panel = Panel(parameters)
    line = html.unescape(panel.summary.value)
    assert "synthetic-a \u2192 synthetic-b, 2 methods, one-subject (" in line
    assert "2 seeds, demo: not run here yet, so no time is known" in line
    fits = pd.DataFrame({"method": ["rf-source", "rf-target"], "seconds": [1.0, 2.0]})
    times.note(times.of_fits(fits, parameters))
    panel.controls["protocol"].value = "speaker-groups"
    panel.controls["folds"].value = 4
    assert "speaker-groups (4 folds), 2 seeds, demo: about 24 s" in html.unescape(panel.summary.value)


def test_every_picker_says_what_it_is_for_and_every_method_its_control(parameters):
    panel = Panel(parameters)
    assert all(picker.tooltip for picker in panel.controls.values())
    assert "over RF, target only it adds source" in panel.method_boxes["rf-pooled"].tooltip
    assert "over RF, target only it adds source" in layout.what_methods_are(panel.method_boxes)
    offered = [name for _, name in panel.controls["baseline"].options]
    assert "rf-target" in offered and "acnn-target" not in offered, "of this notebook's methods"
    labels = [box.description for box in panel.method_boxes.values()]
    assert len(set(labels)) == len(labels)


def test_a_finished_run_offers_its_tables_and_a_report(parameters, monkeypatch, tmp_path):
    panel = Panel(parameters, runner=fake_runner)
    panel.start()
    assert panel.wait(SECONDS)
    page = "".join(part.value for part in panel.result.children)
    assert "download='summary.csv'" in page and "download='gain-source.tex'" in page
    asked = {}

    def run(notebook, values, **options):
        asked.update(options, notebook=notebook, values=values)
        (tmp_path / "report.html").write_text("<p>a report", encoding="utf-8")
        return tmp_path

    monkeypatch.setattr("serlab.reporting.runs.run", run)
    panel.report_button.click()
    assert panel.wait(SECONDS)
    assert asked["begin_from"] == experiment.scratch_folder(parameters)
    assert asked["values"]["seeds"] == [0, 1] and "data" not in asked["values"]
    assert panel.report.children[0].page == "<p>a report"
