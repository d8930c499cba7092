"""The panel's logic, without a browser and (but for one test) without computing."""

from __future__ import annotations

import itertools
import shlex
import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from serlab import experiment, methods
from serlab.errors import Cancelled, CorpusError, SerlabError
from serlab.experiment import Outcome, Parameters, Session
from serlab.methods import OPTIONS
from serlab.widgets import panel as widgets
from serlab.widgets import showing
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
    assert panel.as_notebook_parameters() == parameters.as_dict()
    assert not panel.run_button.disabled
    assert panel.cancel_button.disabled


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
    assert not any(name.startswith("is10") for _, name in panel.controls["features"].options)
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
    page = widgets._how_to_get(panel.installed, parameters.data)
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
    given = dict(word.split("=", 1) for flag, word in itertools.pairwise(words) if flag == "-p")
    given["preset"] = words[words.index("--preset") + 1]
    expected = panel.as_notebook_parameters()
    for name, value in given.items():
        wanted = expected[name]
        assert value == (",".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted))
    # jobs has no influence, the others none on the methods of notebook 01, or their usual value.
    of_networks = {
        "seconds", "augment", "device", "trade_off", "weights", "encoder", "acoustic_model", "padding",
        "pretraining", "transductive",
    }  # fmt: skip
    assert set(expected) - set(given) == {"jobs"} | of_networks
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
    assert panel.outcome is None and panel.result.children == ()
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
    monkeypatch.setattr(widgets, "_result_widgets", lambda outcome: [])
    panel = Panel(parameters, runner=fake_runner)
    panel.error = ValueError()
    panel.run_button.click()
    assert panel.wait(SECONDS)
    assert panel.error is None


def test_the_runner_gets_what_the_panel_shows(parameters, monkeypatch):
    monkeypatch.setattr(widgets, "_result_widgets", lambda outcome: [])
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
    shell = type("Shell", (), {"kernel": object(), "user_ns": names})
    monkeypatch.setattr(showing, "get_ipython", lambda: shell)
    monkeypatch.setattr(showing, "display", lambda shown: None)
    names["panel"] = showing.show(parameters)
    names["panel"].controls["seeds"].value = "7"
    assert showing.show(parameters) is names["panel"]
    assert showing.show(parameters.with_values(seeds=(9,))) is not names["panel"], (
        "the cell of parameters changed"
    )
