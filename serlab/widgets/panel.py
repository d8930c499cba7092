"""The panel: pickers for all parameters, a Run button, and the result.

It writes the same :class:`~serlab.experiment.Parameters` that papermill
injects and runs the same :class:`~serlab.experiment.Session`, so a click and
a command give the same predictions.
"""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets as w

from serlab import corpora, data, methods, plotting
from serlab.errors import Cancelled, ParameterError, SerlabError
from serlab.evaluation import intervals, verdicts
from serlab.experiment import Outcome, Parameters, Session, scratch_folder
from serlab.protocols import FOLDED
from serlab.widgets.headless import command, declared, parameter_table
from serlab.widgets.lines import GREEN, RED, heading, write
from serlab.widgets.live import BelowCell, LiveCurves, ProgressBar, duration
from serlab.widgets.pickers import controls, grid, method_boxes, source_boxes, ticked, value_of

#: Columns of the summary that a panel shows, with their headings.
SUMMARY_COLUMNS = {
    "title": "method", "target_seen": "sees of the target", "transductive": "transductive",
    "uar": f"UAR {intervals.HEADING}", "accuracy": f"accuracy {intervals.HEADING}", "n_folds": "folds",
    "n_seeds": "seeds",
}  # fmt: skip
GAIN_COLUMNS = {
    "title": "method", "control_title": "over", "gain": f"gain {intervals.HEADING}", "p_holm": "p (Holm)",
    "verdict": "verdict",
}  # fmt: skip
AUDIT_COLUMNS = ("severity", "check", "finding", "remedy")

#: Pickers that mean something with some protocols only.
_ONLY_WITH = {"shots": ("k-shot",), "folds": (*FOLDED, "k-shot", "joint")}


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
    runner : callable(Session) -> Outcome
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
        runner: Callable[[Session], Outcome] = Session.run,
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
        self._groups = tuple(groups)
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._running = False
        self._session: Session | None = None

        self.installed = list(corpora.installed(self._root))
        self.source_boxes = source_boxes(parameters, self.installed)
        self.method_boxes = method_boxes(parameters, groups)
        known = declared(notebook)
        pickers = controls(parameters, self.installed)
        self.controls = {name: picker for name, picker in pickers.items() if name in known}
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

    def shows(self, parameters: Parameters, *, notebook: str, groups: Sequence[str]) -> bool:
        """Whether this panel started from the same."""
        return (self._start, self._notebook, self._groups) == (parameters, notebook, tuple(groups))

    @property
    def parameters(self) -> Parameters:
        """What is chosen at this moment.

        Raises
        ------
        SerlabError
            If the choice makes no sense; the panel shows the same message.
        """
        chosen = self._start.with_values(
            sources=ticked(self.source_boxes),
            methods=self._methods(),
            **{name: value_of(name, picker.value) for name, picker in self.controls.items()},
        )
        missing = [name for name in (chosen.target, *chosen.sources) if name not in self.installed]
        if missing:
            folder = data.data_root(self._root)
            raise ParameterError(f"{', '.join(missing)}: not installed in {folder}")
        return chosen

    @property
    def session(self) -> Session:
        """The session of the chosen parameters, for the cells below; progress is shown below them.

        The same one as long as the choice is the same, so that data is prepared once.
        """
        chosen = self.parameters
        if self._session is None or self._session.parameters != chosen:
            below = BelowCell()
            self._session = Session(
                chosen,
                folder=scratch_folder(chosen),
                progress=below.progress,
                on_epoch=below.on_epoch,
            )
        return self._session

    def as_notebook_parameters(self) -> dict:
        """The chosen parameters as JSON values, as papermill injects them."""
        return self.parameters.as_dict()

    @property
    def command(self) -> str:
        """Command that does the same run without a browser."""
        return command(self.parameters, self._notebook)

    def start(self) -> None:
        """Run the chosen parameters in a thread. What the Run button does."""
        if self._running:
            return
        parameters = self.parameters
        self._running = True
        self.outcome, self.error = None, None
        self._cancel = threading.Event()
        self.result.children = ()
        write(self.message, "")
        self.cancel_button.disabled = False
        self._refresh()
        self.bar.report(0, 0, "starting")
        self._thread = threading.Thread(target=self._work, args=(parameters,), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the run at the next piece of work. What the Cancel button does."""
        self._cancel.set()
        self.cancel_button.disabled = True
        write(self.message, "cancelling: the piece of work in hand is finished first")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the run to end, in seconds at most; whether it did."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self._running

    def _work(self, parameters: Parameters) -> None:
        began = time.monotonic()
        try:
            outcome = self._runner(
                Session(
                    parameters,
                    folder=scratch_folder(parameters),
                    progress=self.bar.report,
                    on_epoch=self.curves.report,
                    cancel=self._cancel,
                )
            )
            self.result.children = _result_widgets(outcome)
            self.outcome = outcome
            write(self.message, f"finished in {duration(time.monotonic() - began)}", GREEN)
            if self._on_result is not None:
                self._on_result(outcome)
        except Cancelled as error:
            self.error = error
            write(self.message, str(error))
        except SerlabError as error:
            self.error = error
            write(self.message, str(error), RED)
        except Exception as error:  # a thread has no cell to print its traceback below
            self.error = error
            write(
                self.message,
                f"internal error: {type(error).__name__}: {error} (`raise panel.error` shows where)",
                RED,
            )
        finally:
            self.bar.hide()
            self.curves.hide()
            self.cancel_button.disabled = True
            self._running = False
            self._refresh()

    def _methods(self) -> tuple[str, ...]:
        chosen = ticked(self.method_boxes)
        if not chosen:
            raise ParameterError("no method is ticked")
        needy = [name for name in chosen if methods.get(name).uses_source]
        if needy and not ticked(self.source_boxes):
            raise ParameterError(f"no source is ticked, but {', '.join(needy)} need one")
        return chosen

    def _refresh(self) -> None:
        """Bring buttons, command and hints in line with the pickers."""
        for name, kinds in _ONLY_WITH.items():
            if name in self.controls:
                self.controls[name].disabled = self.controls["protocol"].value not in kinds
        write(self.problem, "")
        self.command_line.value = ""
        try:
            chosen = self.parameters
        except SerlabError as error:
            self.run_button.disabled = True
            write(self.problem, str(error), RED)
            return
        self.run_button.disabled = self._running
        self.command_line.value = (
            "<div style='line-height: 1.4'>The same run without a browser:<br><code style='user-select: all; "
            "white-space: normal; overflow-wrap: anywhere'>"
            f"{html.escape(command(chosen, self._notebook))}</code></div>"
        )
        if left := [name for name in chosen.declared if name not in chosen.methods]:
            hint = (
                f"declared as what this is run for, and not ticked: {', '.join(left)}; the others will be "
                "exploratory, with intervals and without verdicts"
            )
            write(self.problem, hint)

    def _layout(self) -> w.VBox:
        pick = self.controls
        left = w.VBox(
            [
                heading("Corpora"),
                pick["target"],
                w.HTML("source(s)"),
                grid(self.source_boxes.values(), "150px"),
                w.HTML(_how_to_get(self.installed, self._root)),
                heading("Labels and features"),
                pick["scheme"],
                pick["features"],
                heading("Protocol"),
                *(pick[name] for name in pick if name not in ("target", "scheme", "features", "baseline")),
            ],
            layout=w.Layout(flex="1 1 330px", min_width="0", margin="0 12px 0 0"),
        )
        groups: list[w.Widget] = [heading("Methods")]
        for access, (text, colour, _) in plotting.ACCESS.items():
            boxes = [box for name, box in self.method_boxes.items() if methods.get(name).access == access]
            if boxes:
                groups += [
                    w.HTML(f"<span style='color: {colour}'>&#9632;</span> {text}"),
                    grid(boxes, "235px"),
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
    parts = [
        f"<p style='line-height: 1.4'><b>{html.escape(outcome.headline)}</b></p>",
        plotting.img(plotting.plot_uar(outcome.summary, chance=outcome.chance, title=title)),
        plotting.display_table(outcome.summary, "All methods", columns=SUMMARY_COLUMNS).to_html(),
    ]
    for question in verdicts.asked(outcome.comparison):
        own = outcome.comparison[outcome.comparison["question"] == question]
        parts += [
            plotting.img(plotting.plot_gain(own, question=question, title=title)),
            plotting.display_table(own, verdicts.QUESTIONS[question], columns=GAIN_COLUMNS).to_html(),
        ]
    findings = outcome.audit[outcome.audit["severity"] != "info"]
    if not findings.empty:
        parts.append(
            plotting.display_table(findings, "The auditor's findings", columns=AUDIT_COLUMNS).to_html()
        )
    return [w.HTML(part) for part in parts]
