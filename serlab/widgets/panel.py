"""Pickers for notebooks: the only module that imports ipywidgets.

A panel writes the same :class:`~serlab.experiment.Parameters` that papermill
injects and runs them with the same :func:`serlab.experiment.run`, so a click
and a command give the same predictions. In a headless run there are no
widgets at all, only a static table: exported widgets would be blank offline.
"""

from __future__ import annotations

import dataclasses
import html
import shlex
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as w
import numpy as np
import pandas as pd
from IPython import get_ipython
from IPython.display import Audio, display
from pandas.io.formats.style import Styler

from serlab import (
    corpora,
    data,
    evaluation,
    experiment,
    features,
    labels,
    methods,
    plotting,
    progress,
    protocols,
)
from serlab.errors import AudioError, Cancelled, ParameterError, SerlabError
from serlab.experiment import Outcome, Parameters
from serlab.plotting import utterance as inspection
from serlab.progress import Progress
from serlab.reporting import notebooks
from serlab.training import devices

#: Columns of the summary that a panel shows, with their headings.
SUMMARY_COLUMNS = {
    "title": "method", "target_seen": "sees of the target", "transductive": "transductive",
    "uar": "UAR [95% CI]", "accuracy": "accuracy [95% CI]", "n_folds": "folds", "n_seeds": "seeds",
}  # fmt: skip
GAIN_COLUMNS = {"title": "method", "gain": "gain [95% CI]", "p_holm": "p (Holm)", "verdict": "verdict"}
AUDIT_COLUMNS = ("severity", "check", "finding", "remedy")

_PRESETS = {
    "demo": "small models, seconds to a minute",
    "quick": "the paper's models, fewer epochs, minutes",
    "paper": "the paper's own settings",
}

#: First entry of a picker that need not choose.
ALL = "all"

#: Pickers that mean something with some protocols only.
_ONLY_WITH = {"shots": ("k-shot",), "folds": ("speaker-groups", "random", "k-shot")}

_WIDE = {"description_width": "7em"}
_GREEN, _RED = "#006B3C", "#B00020"


def show(
    parameters: Parameters,
    run_folder: str = "",
    *,
    notebook: str = "01",
    groups: Sequence[str] = ("andova-lustrek", "further"),
) -> Panel | Fixed:
    """Show a panel where somebody can click, else a table of the parameters.

    Parameters
    ----------
    parameters : Parameters
        What the pickers start from.
    run_folder : str
        Set by papermill: the run is headless.
    notebook : str
        Number of this notebook, for the command that repeats the run.
    groups : sequence of str
        Groups of methods to offer, see :data:`serlab.methods.GROUPS`.

    Returns
    -------
    Panel or Fixed
        Both have ``parameters``, ``folder``, ``progress``, ``on_epoch`` and
        ``installed`` for the cells below.
    """
    if _is_headless(run_folder):
        shown: Panel | Fixed = Fixed(parameters, run_folder)
    else:
        shown = Panel(parameters, notebook=notebook, groups=groups)
    display(shown)
    return shown


def _is_headless(run_folder: str) -> bool:
    return bool(run_folder) or getattr(get_ipython(), "kernel", None) is None


def parameter_table(parameters: Parameters) -> Styler:
    """Parameters as a static table."""
    values = parameters.as_dict()
    rows = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in values.items()
        if value not in ("", [])
    }
    table = pd.DataFrame({"parameter": list(rows), "value": list(rows.values())})
    return plotting.display_table(table, "Parameters of this run")


@dataclass(frozen=True)
class Fixed:
    """Parameters that nobody can change any more: the headless stand-in of a panel."""

    parameters: Parameters
    run_folder: str = ""

    @property
    def folder(self) -> Path:
        """Where the run keeps its tables."""
        return Path(self.run_folder) if self.run_folder else experiment.scratch_folder(self.parameters)

    @property
    def progress(self) -> Progress | None:
        """Into the run folder, for the command that waits; None where nobody does."""
        return progress.to_file(self.run_folder) if self.run_folder else None

    @property
    def on_epoch(self) -> None:
        """No live curves where nobody looks; the lines of progress have their numbers."""
        return None

    @property
    def installed(self) -> list[str]:
        """Corpora that can be read now."""
        return list(corpora.installed(self.parameters.data or None))

    def _repr_mimebundle_(self, **_) -> dict[str, str]:
        return {"text/html": parameter_table(self.parameters).to_html(), "text/plain": repr(self.parameters)}


class Panel:
    """Pickers for all parameters, a Run button, progress, Cancel, and the result.

    The run is done by a thread: the kernel stays free. Wrong combinations
    disable Run and say why.

    Parameters
    ----------
    parameters : Parameters
        What the pickers start from; ``data`` and ``jobs`` have no picker.
    root : path, optional
        Data root to look for corpora; by default that of ``parameters``.
    on_result : callable(Outcome), optional
        Called by the thread when a run is complete.
    runner : callable
        As :func:`serlab.experiment.run`.
    notebook : str
        For the command that repeats the run.
    groups : sequence of str
        Groups of methods to offer; the chosen ones are offered in any case.

    Attributes
    ----------
    controls : dict of str to widget
        Parameter -> picker.
    source_boxes, method_boxes : dict of str to Checkbox
        The pickers of ``sources`` and ``methods``.
    installed : list of str
        Corpora that can be read.
    outcome : Outcome or None
        Of the last complete run.
    error : Exception or None
        What ended the last run, with its traceback.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        root: Path | str | None = None,
        on_result: Callable[[Outcome], None] | None = None,
        runner: Callable[..., Outcome] = experiment.run,
        notebook: str = "01",
        groups: Sequence[str] = ("andova-lustrek", "further"),
    ) -> None:
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self._start = parameters
        self._root = root or parameters.data or None
        self._on_result = on_result
        self._runner = runner
        self._notebook = notebook
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._running = False

        self.installed = list(corpora.installed(self._root))
        self.source_boxes = _source_boxes(parameters, self.installed)
        self.method_boxes = _method_boxes(parameters, groups)
        declared = _declared(notebook)
        controls = _controls(parameters, self.installed)
        self.controls = {name: picker for name, picker in controls.items() if name in declared}
        self.run_button = w.Button(description="Run", icon="play", button_style="success")
        self.cancel_button = w.Button(description="Cancel", icon="stop", disabled=True)
        self.bar = ProgressBar()
        self.curves = LiveCurves()
        self.problem = w.HTML()
        self.message = w.HTML()
        self.command_line = w.HTML()
        self.result = w.VBox()
        self.widget = self._layout()

        for picker in [*self.controls.values(), *self.source_boxes.values(), *self.method_boxes.values()]:
            picker.observe(lambda _: self._refresh(), names="value")
        self.run_button.on_click(lambda _: self.start())
        self.cancel_button.on_click(lambda _: self.cancel())
        self._refresh()

    @property
    def parameters(self) -> Parameters:
        """What is chosen at this moment.

        Raises
        ------
        SerlabError
            If the choice makes no sense; the panel shows the same message.
        """
        chosen = dataclasses.replace(
            self._start,
            sources=_ticked(self.source_boxes),
            methods=self._methods(),
            **{name: _chosen(name, picker.value) for name, picker in self.controls.items()},
        )
        missing = [name for name in (chosen.target, *chosen.sources) if name not in self.installed]
        if missing:
            folder = data.data_root(self._root)
            raise ParameterError(f"{', '.join(missing)}: not installed in {folder}")
        return chosen

    def as_notebook_parameters(self) -> dict:
        """The chosen parameters as JSON values, as papermill injects them."""
        return self.parameters.as_dict()

    @property
    def command(self) -> str:
        """Command that does the same run without a browser."""
        return command(self.parameters, self._notebook)

    @property
    def folder(self) -> Path:
        """Where runs with the chosen parameters are kept, between cells and sessions."""
        return experiment.scratch_folder(self.parameters)

    @property
    def progress(self) -> Progress:
        """Progress callback that shows a bar below the running cell."""
        bar = ProgressBar()
        display(bar.widget)
        return bar.report

    @property
    def on_epoch(self) -> evaluation.OnEpoch:
        """Callback that draws live curves below the running cell."""
        curves = LiveCurves()
        display(curves.widget)
        return curves.report

    def start(self) -> None:
        """Run the chosen parameters in a thread. What the Run button does."""
        if self._running:
            return
        parameters = self.parameters
        self._running = True
        self.outcome, self.error = None, None
        self._cancel = threading.Event()
        self.result.children = ()
        _write(self.message, "")
        self.cancel_button.disabled = False
        self._refresh()
        self.bar.report(0, 0, "starting")
        self._thread = threading.Thread(target=self._work, args=(parameters,), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the run at the next piece of work. What the Cancel button does."""
        self._cancel.set()
        self.cancel_button.disabled = True
        _write(self.message, "cancelling: the piece of work in hand is finished first")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the run to end, in seconds at most; whether it did."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self._running

    def _work(self, parameters: Parameters) -> None:
        began = time.monotonic()
        try:
            outcome = self._runner(
                parameters,
                folder=experiment.scratch_folder(parameters),
                progress=self.bar.report,
                on_epoch=self.curves.report,
                cancel=self._cancel,
            )
            self.result.children = _result_widgets(outcome)
            self.outcome = outcome
            _write(self.message, f"finished in {_duration(time.monotonic() - began)}", _GREEN)
            if self._on_result is not None:
                self._on_result(outcome)
        except Cancelled as error:
            self.error = error
            _write(self.message, str(error))
        except SerlabError as error:
            self.error = error
            _write(self.message, str(error), _RED)
        except Exception as error:  # a thread has no cell to print its traceback below
            self.error = error
            _write(
                self.message,
                f"internal error: {type(error).__name__}: {error} (`raise panel.error` shows where)",
                _RED,
            )
        finally:
            self.bar.hide()
            self.curves.hide()
            self.cancel_button.disabled = True
            self._running = False
            self._refresh()

    def _methods(self) -> tuple[str, ...]:
        chosen = _ticked(self.method_boxes)
        if not chosen:
            raise ParameterError("no method is ticked")
        needy = [name for name in chosen if methods.get(name).access != "target-only"]
        if needy and not _ticked(self.source_boxes):
            raise ParameterError(f"no source is ticked, but {', '.join(needy)} need one")
        return chosen

    def _refresh(self) -> None:
        """Bring buttons, command and hints in line with the pickers."""
        for name, kinds in _ONLY_WITH.items():
            if name in self.controls:
                self.controls[name].disabled = self.controls["protocol"].value not in kinds
        _write(self.problem, "")
        self.command_line.value = ""
        try:
            chosen = self.parameters
        except SerlabError as error:
            self.run_button.disabled = True
            _write(self.problem, str(error), _RED)
            return
        self.run_button.disabled = self._running
        self.command_line.value = (
            "<div style='line-height: 1.4'>The same run without a browser:<br><code style='user-select: all; "
            "white-space: normal; overflow-wrap: anywhere'>"
            f"{html.escape(command(chosen, self._notebook))}</code></div>"
        )
        if chosen.baseline not in chosen.methods:
            hint = f"{chosen.baseline}, the one to beat, is not ticked: there will be no transfer gain"
            _write(self.problem, hint)

    def _layout(self) -> w.VBox:
        pick = self.controls
        left = w.VBox(
            [
                _heading("Corpora"),
                pick["target"],
                w.HTML("source(s)"),
                _grid(self.source_boxes.values(), "150px"),
                w.HTML(_how_to_get(self.installed, self._root)),
                _heading("Labels and features"),
                pick["scheme"],
                pick["features"],
                _heading("Protocol"),
                *(pick[name] for name in pick if name not in ("target", "scheme", "features", "baseline")),
            ],
            layout=w.Layout(flex="1 1 330px", min_width="0", margin="0 12px 0 0"),
        )
        groups: list[w.Widget] = [_heading("Methods")]
        for access, (text, colour, _) in plotting.ACCESS.items():
            boxes = [box for name, box in self.method_boxes.items() if methods.get(name).access == access]
            if boxes:
                groups += [
                    w.HTML(f"<span style='color: {colour}'>&#9632;</span> {text}"),
                    _grid(boxes, "235px"),
                ]
        right = w.VBox([*groups, pick["baseline"]], layout=w.Layout(flex="1.5 1 480px", min_width="0"))
        buttons = w.HBox([self.run_button, self.cancel_button, self.bar.widget])
        return w.VBox(
            [
                w.HBox([left, right], layout=w.Layout(flex_flow="row wrap")),
                buttons,
                self.curves.widget,
                self.problem,
                self.message,
                self.command_line,
                self.result,
            ],
            layout=w.Layout(max_width="1000px"),
        )

    def _repr_mimebundle_(self, **options) -> dict[str, str]:
        # Where widgets cannot be shown (GitHub, exported HTML), the table stands for them.
        return {
            "text/html": parameter_table(self._start).to_html(),
            **self.widget._repr_mimebundle_(**options),
        }


def command(parameters: Parameters, notebook: str = "01") -> str:
    """Command line that runs a notebook with these parameters."""
    declared = _declared(notebook) - {"preset"}
    values = {name: value for name, value in parameters.as_dict().items() if name in declared}
    # Named only where they are not the default: what changes no number, or only frames.
    for name in (
        "data",
        "jobs",
        "device",
        "seconds",
        "augment",
        "trade_off",
        "weights",
        "encoder",
        "acoustic_model",
    ):
        if name in values and getattr(parameters, name) == getattr(Parameters, name):
            del values[name]
    words = ["serlab", "run", notebook]
    for name, value in values.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words += ["-p", f"{name}={text}"]
    return shlex.join([*words, "--preset", parameters.preset])


def _declared(notebook: str) -> set[str]:
    """Parameters that a notebook has; all there are, where the package has no notebooks beside it."""
    if not notebooks.available():
        return set(Parameters.__dataclass_fields__)
    return set(notebooks.parameters(notebooks.find(notebook)))


class ProgressBar:
    """A bar with text and remaining time; hidden when there is nothing to show."""

    def __init__(self) -> None:
        self._bar = w.FloatProgress(min=0, max=1, layout=w.Layout(width="240px"))
        self._text = w.HTML()
        self.widget = w.HBox([self._bar, self._text])
        self._began, self._first, self._stage, self._shown = 0.0, 0, 0, -1.0
        self.hide()

    def report(self, done: int, total: int, text: str) -> None:
        """Show that ``done`` of ``total`` pieces are done; at the last one, hide."""
        now = time.monotonic()
        if total != self._stage or done < self._first:  # another stage: its speed is its own
            self._began, self._first, self._stage, self._shown = now, done, total, -1.0
        if total and done >= total:
            self.hide()
            return
        if now - self._shown < 0.1:  # every update is a message to the browser
            return
        self._shown = now
        self._bar.value = done / total if total else 0
        count = f" &middot; {done} of {total}" if total else ""
        self._text.value = html.escape(text) + count + self._remaining(done, total, now)
        self.widget.layout.display = None

    def hide(self) -> None:
        """Take the bar away."""
        self.widget.layout.display = "none"

    def _remaining(self, done: int, total: int, now: float) -> str:
        if done <= self._first or now - self._began < 1:
            return ""
        seconds = (now - self._began) / (done - self._first) * (total - done)
        return f" &middot; about {_duration(seconds)} left"


class LiveCurves:
    """Loss and UAR of the network in training, drawn anew after each epoch; hidden when there is none."""

    _SIZE = (300, 90)

    def __init__(self) -> None:
        self.widget = w.HTML()
        self._shown = 0.0
        self.hide()

    def report(self, text: str, history: pd.DataFrame) -> None:
        """Draw the history of one fit so far; see :func:`serlab.training.train`."""
        now = time.monotonic()
        if now - self._shown < 0.5:  # every update is a message to the browser
            return
        self._shown = now
        panels = "".join(
            self._panel(name, history[[c for c in (name, f"validation_{name}") if c in history]])
            for name in ("loss", "uar")
            if name in history
        )
        self.widget.value = f"<div style='line-height: 1.3'>{html.escape(text)}<br>{panels}</div>"
        self.widget.layout.display = None

    def hide(self) -> None:
        """Take the curves away."""
        self.widget.layout.display = "none"

    def _panel(self, name: str, values: pd.DataFrame) -> str:
        width, height = self._SIZE
        top, n = float(np.nanmax(values.to_numpy(), initial=1e-9)), max(len(values) - 1, 1)
        lines = ""
        for column, dash in zip(values, ("", "4 3"), strict=False):
            points = " ".join(
                f"{10 + (width - 20) * i / n:.1f},{height - 8 - (height - 26) * v / top:.1f}"
                for i, v in enumerate(values[column])
                if np.isfinite(v)
            )
            lines += (
                f"<polyline points='{points}' fill='none' stroke='#0072B2' stroke-width='2' "
                f"stroke-dasharray='{dash}'/>"
            )
        last = ", ".join(f"{column.replace('_', ' ')} {values[column].iloc[-1]:.3f}" for column in values)
        return (
            f"<svg width='{width}' height='{height}' role='img' aria-label='{name} by epoch'>"
            f"<text x='10' y='12' font-size='12'>{last}</text>{lines}</svg>"
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _controls(parameters: Parameters, installed: list[str]) -> dict[str, w.Widget]:
    """Parameter -> picker, for all but sources and methods."""
    wide = w.Layout(width="95%")
    targets = list(dict.fromkeys([*installed, parameters.target]))
    schemes = [(f"{name}: {', '.join(s.classes)}", name) for name, s in labels.SCHEMES.items()]
    kind = features.get(parameters.features).kind
    sets = [(f"{name}: {s.title}", name) for name, s in features.FEATURE_SETS.items() if s.kind == kind]
    kinds = [(f"{name}: {kind.title}", name) for name, kind in protocols.PROTOCOLS.items()]
    baselines = [(spec.title, name) for name, spec in methods.METHODS.items() if spec.access == "target-only"]
    presets = [(f"{name}: {_PRESETS.get(name, '')}", name) for name in methods.PRESETS]
    bad_file = [("skip it, and say so", "skip"), ("stop the run", "stop")]

    def dropdown(label: str, options: list, name: str) -> w.Dropdown:
        value = getattr(parameters, name)
        return w.Dropdown(options=options, value=value, description=label, style=_WIDE, layout=wide)

    return {
        "target": dropdown("target", targets, "target"),
        "scheme": dropdown("label scheme", schemes, "scheme"),
        "features": dropdown("features", sets, "features"),
        "protocol": dropdown("protocol", kinds, "protocol"),
        "shots": w.BoundedIntText(
            value=parameters.shots, min=1, max=1000, description="shots", style=_WIDE,
            layout=w.Layout(width="14em"), tooltip="labelled target utterances per class, for k-shot",
        ),
        "folds": w.BoundedIntText(
            value=parameters.folds, min=1, max=100, description="folds", style=_WIDE,
            layout=w.Layout(width="14em"), tooltip="of speaker-groups and random; draws of k-shot",
        ),
        "augment": w.Text(
            value=", ".join(parameters.augment), description="augment", style=_WIDE, layout=wide,
            placeholder="none", tooltip="changed copies to learn from, as in noise-20, speed-0.9, gain-6",
        ),
        "trade_off": w.BoundedFloatText(
            value=parameters.trade_off, min=0, max=1e6, step=0.1, description="lambda", style=_WIDE,
            layout=w.Layout(width="14em"), tooltip="weight of what draws source and target together",
        ),
        "weights": w.Text(
            value=parameters.weights, description="VGG16 weights", style=_WIDE, layout=wide,
            placeholder="random", tooltip="a file of ImageNet weights, or 'download'; empty: random",
        ),
        "encoder": w.Text(
            value=parameters.encoder, description="encoder", style=_WIDE, layout=wide, placeholder="none",
            tooltip="a folder of Whisper, wav2vec 2.0, HuBERT or WavLM, or a name as openai/whisper-tiny",
        ),
        "acoustic_model": w.Text(
            value=parameters.acoustic_model, description="acoustic model", style=_WIDE, layout=wide,
            placeholder="pretrained on the sources", tooltip="a folder made by serlab pretrain, for the TDNN",
        ),
        "label_sets": dropdown("label sets", list(experiment.LABEL_SETS), "label_sets"),
        "device": dropdown("device", list(devices.DEVICES), "device"),
        "seeds": w.Text(
            value=", ".join(map(str, parameters.seeds)), description="seeds", style=_WIDE, layout=wide,
            tooltip="repeats of the stochastic methods, as in 0, 1, 2",
        ),
        "preset": dropdown("preset", presets, "preset"),
        "on_bad_file": dropdown("a bad file", bad_file, "on_bad_file"),
        "baseline": dropdown("to beat", baselines, "baseline"),
    }  # fmt: skip


def _source_boxes(parameters: Parameters, installed: list[str]) -> dict[str, w.Checkbox]:
    """A checkbox a corpus; what is not installed cannot be ticked."""
    boxes = {}
    for name in dict.fromkeys([*installed, *corpora.CORPORA, *parameters.sources]):
        there = name in installed
        title = corpora.CORPORA[name].title if name in corpora.CORPORA else "your own corpus"
        boxes[name] = _checkbox(name, name if there else f"{name} (missing)", title)
        boxes[name].value = name in parameters.sources
        boxes[name].disabled = not there and not boxes[name].value
    return boxes


def _method_boxes(parameters: Parameters, groups: Sequence[str]) -> dict[str, w.Checkbox]:
    offered = {name for group in groups for name in methods.GROUPS[group]} | set(parameters.methods)
    boxes = {
        name: _checkbox(name, spec.title, f"{name}: {spec.reference}; normalisation: {spec.normalization}")
        for name, spec in methods.METHODS.items()
        if name in offered
    }
    for name in parameters.methods:
        boxes[name].value = True
    return boxes


def _checkbox(name: str, label: str, tooltip: str) -> w.Checkbox:
    return w.Checkbox(description=label, tooltip=tooltip, indent=False, layout=w.Layout(width="auto"))


def _ticked(boxes: Mapping[str, w.Checkbox]) -> tuple[str, ...]:
    return tuple(name for name, box in boxes.items() if box.value)


def _chosen(name: str, value: object) -> object:
    """Value of a parameter from that of its picker."""
    if name == "seeds":
        return _seeds(str(value))
    return tuple(str(value).replace(",", " ").split()) if name == "augment" else value


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ParameterError(f"seeds: {text!r} is not a list of whole numbers such as 0, 1, 2") from None


def _write(line: w.HTML, text: str, colour: str = "inherit") -> None:
    """Show a message; an empty one takes no space."""
    line.value = f"<div style='color: {colour}; line-height: 1.4'>{html.escape(text)}</div>" if text else ""
    line.layout.display = None if text else "none"


def _heading(text: str) -> w.HTML:
    return w.HTML(f"<b>{text}</b>")


def _grid(boxes: Iterable[w.Checkbox], width: str) -> w.GridBox:
    columns = f"repeat(auto-fill, minmax({width}, 1fr))"
    return w.GridBox(list(boxes), layout=w.Layout(grid_template_columns=columns, width="98%"))


def _how_to_get(installed: list[str], root: Path | str | None) -> str:
    missing = [corpus for name, corpus in corpora.CORPORA.items() if name not in installed]
    if not missing:
        return ""
    items = "".join(
        f"<li><b>{corpus.name}</b>: {html.escape(corpus.how_to_get)}"
        + (f" Or: <code>serlab download {corpus.name}</code>" if corpus.download else "")
        + "</li>"
        for corpus in missing
    )
    folder = html.escape(str(data.data_root(root)))
    return (
        f"<details><summary>{len(missing)} missing corpora: how to get them</summary>"
        f"<div style='line-height: 1.3'>Each goes into a folder of its name in <code>{folder}</code>. "
        f"<ul>{items}</ul></div></details>"
    )


def _result_widgets(outcome: Outcome) -> list[w.Widget]:
    """Headline, figures and tables of a finished run."""
    title = f"{' + '.join(outcome.parameters.sources) or 'no source'} to {outcome.parameters.target}"
    titles = dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))
    parts = [
        f"<p style='line-height: 1.4'><b>{html.escape(experiment.headline(outcome))}</b></p>",
        plotting.img(plotting.plot_uar(outcome.summary, n_classes=len(outcome.classes), title=title)),
        plotting.display_table(outcome.summary, "All methods", columns=SUMMARY_COLUMNS).to_html(),
    ]
    if not outcome.comparison.empty:
        parts += [
            plotting.img(plotting.plot_gain(outcome.comparison, title=title, titles=titles)),
            plotting.display_table(outcome.comparison, "Transfer gain", columns=GAIN_COLUMNS).to_html(),
        ]
    findings = outcome.audit[outcome.audit["severity"] != "info"]
    if not findings.empty:
        parts.append(
            plotting.display_table(findings, "The auditor's findings", columns=AUDIT_COLUMNS).to_html()
        )
    return [w.HTML(part) for part in parts]


def corpus_browser(utterances: pd.DataFrame, run_folder: str = "") -> Browser | plotting.Figure:
    """Let a reader look at and listen to single utterances.

    Headless, it is a figure of the first utterance, without its audio: few
    licences of corpora allow to pass recordings on inside a report.

    Parameters
    ----------
    utterances : DataFrame
        With ``emotion``.
    run_folder : str
        Set by papermill: the run is headless.

    Raises
    ------
    AudioError
        Headless, if the file cannot be used.
    """
    if _is_headless(run_folder):
        return _figure(utterances.iloc[0])
    return Browser(utterances)


def prediction_browser(
    outcome: Outcome, run_folder: str = "", *, step_seconds: float | None = None
) -> PredictionBrowser | plotting.Figure:
    """Let a reader look at and listen to what a method answered, and where it attended.

    Headless, it is a figure of one utterance, without its audio: the most
    certain error of the first method with attention (or of the first method).

    Parameters
    ----------
    outcome : Outcome
    run_folder : str
        Set by papermill: the run is headless.
    step_seconds : float, optional
        Seconds an attention weight covers, see :func:`serlab.plotting.utterance.explain`.

    Raises
    ------
    AudioError
        Headless, if the file cannot be used.
    """
    if not _is_headless(run_folder):
        return PredictionBrowser(outcome, step_seconds=step_seconds)
    tested = list(dict.fromkeys(outcome.predictions["method"]))
    attending = [
        name for name in tested if len(outcome.attention) and name in set(outcome.attention["method"])
    ]
    method = [*attending, *tested][0]
    utterance = inspection.most_certain_error(outcome.predictions, method)
    return _explanation(outcome, method, utterance, step_seconds)


class View:
    """A player and a picture of one utterance, or what is wrong with its file."""

    def __init__(self) -> None:
        self.player, self.picture = w.HTML(), w.HTML()

    def clear(self) -> None:
        """Show nothing."""
        self.player.value = ""
        _write(self.picture, "")

    def show(self, utterance: pd.Series, draw: Callable[[], plotting.Figure]) -> None:
        """Show a row of the utterance table with the figure that ``draw`` gives."""
        self.clear()
        try:
            loaded, figure = inspection.load(utterance), draw()
        except AudioError as error:
            _write(self.picture, str(error), _RED)
            return
        self.player.value = Audio(loaded.samples, rate=loaded.sample_rate, normalize=False)._repr_html_()
        self.picture.value = plotting.img(figure)
        self.picture.layout.display = None


def _browser_layout(pickers: Sequence[w.Widget], utterance: w.Select, view: View) -> w.VBox:
    chosen = w.HBox([w.VBox(list(pickers)), utterance], layout=w.Layout(flex_flow="row wrap"))
    return w.VBox([chosen, view.player, view.picture], layout=w.Layout(max_width="1000px"))


class Browser:
    """Pickers for corpus, emotion and speaker, a list, a player and two pictures.

    Attributes
    ----------
    corpus, emotion, speaker, utterance : widget
        The pickers.
    view : View
        What is shown of the utterance.
    message : widget
    """

    def __init__(self, utterances: pd.DataFrame) -> None:
        self._utterances = utterances
        self.corpus = w.Dropdown(options=_values(utterances["corpus"]), description="corpus")
        self.emotion = w.Dropdown(options=[ALL], description="emotion")
        self.speaker = w.Dropdown(options=[ALL], description="speaker")
        self.utterance = w.Select(options=[], rows=9, layout=w.Layout(width="300px"))
        self.view, self.message = View(), w.HTML()
        pickers = [self.corpus, self.emotion, self.speaker, self.message]
        self.widget = _browser_layout(pickers, self.utterance, self.view)
        self._choose_corpus()
        self.corpus.observe(lambda _: self._choose_corpus(), names="value")
        for picker in (self.emotion, self.speaker):
            picker.observe(lambda _: self._list(), names="value")
        self.utterance.observe(lambda _: self._show(), names="value")
        self._show()

    def _choose_corpus(self) -> None:
        own = self._utterances[self._utterances["corpus"] == self.corpus.value]
        self.emotion.options = [ALL, *_values(own["emotion"])]
        self.speaker.options = [ALL, *_values(own["speaker"])]
        self._list()

    def _list(self) -> None:
        chosen = self._utterances[self._utterances["corpus"] == self.corpus.value]
        for column, picker in (("emotion", self.emotion), ("speaker", self.speaker)):
            if picker.value not in (ALL, None):
                chosen = chosen[chosen[column] == picker.value]
        self.message.value = f"{len(chosen)} utterances"
        self.utterance.options = list(chosen.index)
        self.utterance.value = chosen.index[0] if len(chosen) else None

    def _show(self) -> None:
        if self.utterance.value is None:
            self.view.clear()
            return
        row = self._utterances.loc[self.utterance.value]
        self.view.show(row, lambda: _figure(row))

    def _repr_mimebundle_(self, **options) -> dict[str, str]:
        return self.widget._repr_mimebundle_(**options)


class PredictionBrowser:
    """Pickers for method and right or wrong, a list of tested utterances, a player and an explanation.

    Attributes
    ----------
    method, answer, utterance : widget
        The pickers.
    view : View
        What is shown of the utterance.
    message : widget
    """

    def __init__(self, outcome: Outcome, *, step_seconds: float | None = None) -> None:
        self._outcome, self._step_seconds = outcome, step_seconds
        self._answers = inspection.answers(outcome.predictions)
        titles = dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))
        methods_ = [(titles[name], name) for name in dict.fromkeys(self._answers["method"])]
        self.method = w.Dropdown(options=methods_, description="method")
        self.answer = w.Dropdown(options=["wrong", "right", ALL], description="answers")
        self.utterance = w.Select(options=[], rows=9, layout=w.Layout(width="420px"))
        self.view, self.message = View(), w.HTML()
        self.widget = _browser_layout([self.method, self.answer, self.message], self.utterance, self.view)
        for picker in (self.method, self.answer):
            picker.observe(lambda _: self._list(), names="value")
        self.utterance.observe(self._show, names="value")
        self._list()

    def _list(self) -> None:
        chosen = self._answers[self._answers["method"] == self.method.value]
        n = len(chosen)
        if self.answer.value != ALL:
            chosen = chosen[chosen["is_right"] == (self.answer.value == "right")]
        self.message.value = f"{len(chosen)} of {n} utterances"
        classes = self._outcome.classes
        options = [
            (f"{row.utterance}: {classes[row.y_true]}, answer {classes[row.y_pred]}", row.utterance)
            for row in chosen.itertuples()
        ]
        # Another method may have the same first utterance: then the value does not change, but the picture.
        self.utterance.unobserve(self._show, names="value")
        self.utterance.options = options
        self.utterance.value = options[0][1] if options else None
        self.utterance.observe(self._show, names="value")
        self._show()

    def _show(self, _: object = None) -> None:
        name = self.utterance.value
        if name is None:
            self.view.clear()
            return
        self.view.show(
            self._outcome.utterances.loc[name],
            lambda: _explanation(self._outcome, self.method.value, name, self._step_seconds),
        )

    def _repr_mimebundle_(self, **options) -> dict[str, str]:
        return self.widget._repr_mimebundle_(**options)


def _explanation(
    outcome: Outcome, method: str, utterance: str, step_seconds: float | None
) -> plotting.Figure:
    titles = dict(zip(outcome.summary["method"], outcome.summary["title"], strict=True))
    return inspection.explain(
        outcome.utterances.loc[utterance],
        outcome.predictions,
        outcome.attention,
        method=method,
        step_seconds=step_seconds,
        title=titles[method],
    )


def _values(column: pd.Series) -> list[str]:
    """Values that occur, in the order of categories where there are some."""
    return [str(value) for value in pd.Series(column.unique()).sort_values()]


def _figure(utterance: pd.Series) -> plotting.Figure:
    loaded = inspection.load(utterance)
    title = f"{utterance.name}: {utterance['emotion']}, speaker {utterance['speaker']}"
    return plotting.plot_utterance(loaded.samples, sample_rate=loaded.sample_rate, title=title)
