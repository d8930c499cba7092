"""The panel: pickers for all parameters, a Run button, and the result.

It writes the same :class:`~serlab.experiment.Parameters` that papermill
injects and runs the same :class:`~serlab.experiment.Session`, so a click and
a command give the same predictions.
"""

from __future__ import annotations

import html
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import ipywidgets as w

from serlab import corpora, data, methods
from serlab.errors import Cancelled, ParameterError, SerlabError
from serlab.experiment import Outcome, Parameters, Session, scratch_folder
from serlab.progress import duration
from serlab.protocols import FOLDED, require_speakers
from serlab.widgets import buttons, expected, layout
from serlab.widgets.choice import Store
from serlab.widgets.headless import command, declared, offered_studies, parameter_table
from serlab.widgets.lines import GREEN, RED, write
from serlab.widgets.live import BelowCell, LiveCurves, ProgressBar
from serlab.widgets.pickers import (
    EXPLAINED,
    controls,
    meaning,
    method_boxes,
    shown_as,
    source_boxes,
    study_boxes,
    ticked,
    value_of,
)  # fmt: skip
from serlab.widgets.results import result_widgets
from serlab.widgets.stale import Marks, pair

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
    store : Store, optional
        Where the choice is kept for a restarted kernel; nowhere without.

    Attributes
    ----------
    controls : dict of str to widget
        Parameter -> picker.
    source_boxes, method_boxes, study_boxes : dict of str to Checkbox
        The pickers of ``sources``, ``methods`` and ``studies``.
    marks : Marks
        What cells below describe, and whether that is what is chosen.
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
        store: Store | None = None,
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

        self._store = store
        self.marks = Marks()
        self._inventory = cache(lambda name: expected.inventory_of(name, self._root))

        self.installed = list(corpora.installed(self._root))
        self.source_boxes = source_boxes(parameters, self.installed)
        self.method_boxes = method_boxes(parameters, groups)
        self.study_boxes = study_boxes(offered_studies(notebook), parameters.studies)
        known = declared(notebook)
        pickers = controls(parameters, self.installed, groups)
        self.controls = {name: picker for name, picker in pickers.items() if name in known}
        self._meanings = {name: layout.meaning_line() for name in EXPLAINED if name in self.controls}
        self.run_button = w.Button(
            description="Run", icon="play", button_style="success", tooltip="run what is chosen, here"
        )
        self.cancel_button = w.Button(
            description="Cancel", icon="stop", disabled=True, tooltip="finished pieces are kept"
        )
        self.reset_button = w.Button(
            description="Reset", icon="undo", tooltip="back to what the cell of parameters says"
        )
        self.report_button = w.Button(
            description="Make the report", icon="file", layout=w.Layout(width="auto"),
            tooltip="the whole notebook as one page, from what has just been computed",
        )  # fmt: skip
        self.bar, self.curves = ProgressBar(), LiveCurves()
        self.summary, self.restored, self.stale = w.HTML(), w.HTML(), w.HTML()
        self.problem, self.message, self.command_line = w.HTML(), w.HTML(), w.HTML()
        self.result, self.report = w.VBox(), w.HBox()
        self.run_below = buttons.run_below()
        self.widget = self._layout()
        self._restore()

        boxes = [*self.source_boxes.values(), *self.method_boxes.values(), *self.study_boxes.values()]
        for picker in [*self.controls.values(), *boxes]:
            picker.observe(lambda _: self._refresh(), names="value")
        self.run_button.on_click(lambda _: self.start())
        self.cancel_button.on_click(lambda _: self.cancel())
        self.reset_button.on_click(lambda _: self.reset())
        self.report_button.on_click(lambda _: self.make_report())
        self.marks.changed = self._show_stale
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
            sources=ticked(self.source_boxes, first=self._start.sources),
            methods=self._methods(),
            studies=ticked(self.study_boxes, first=self._start.studies),
            **{name: value_of(name, picker.value) for name, picker in self.controls.items()},
        )
        missing = [name for name in (chosen.target, *chosen.sources) if name not in self.installed]
        if missing:
            folder = data.data_root(self._root)
            raise ParameterError(f"{', '.join(missing)}: not installed in {folder}")
        n_speakers = self._inventory(chosen.target).speakers
        if n_speakers:  # else it cannot be read, and a run says why
            require_speakers(chosen.split_protocol(), n_speakers)
        return chosen

    @property
    def session(self) -> Session:
        """The session of the chosen parameters, for the cells below; progress is shown below them.

        The same one as long as the choice is the same, so that data is prepared once.
        """
        chosen = self.parameters
        self.marks.used = chosen
        if self._session is None or self._session.parameters != chosen:
            below = BelowCell()
            self._session = Session(
                chosen,
                folder=scratch_folder(chosen),
                progress=below.progress,
                on_epoch=below.on_epoch,
            )
        return self._session

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
        self.result.children = self.report.children = ()
        write(self.message, "")
        self.cancel_button.disabled = False
        self._refresh()
        self.bar.report(0, 0, "starting")
        self._thread = threading.Thread(target=self._work, args=(parameters,), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the run at the next piece of work. What the Cancel button does."""
        if not self._running:  # it has ended while the button was on its way
            return
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
            self.result.children = result_widgets(outcome)
            self.outcome = outcome
            self.report.children = [self.report_button]
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

    def reset(self) -> None:
        """Choose what the parameters cell says. What the Reset button does."""
        self._show(self._start.as_dict())
        write(self.restored, "")
        self._refresh()

    def make_report(self) -> None:
        """Run the notebook into a report, in a thread, from what is kept of the last run."""
        if self._running or self.outcome is None:
            return
        self._running = True
        self._refresh()
        self._thread = threading.Thread(target=self._report, args=(self.outcome.parameters,), daemon=True)
        self._thread.start()

    def _report(self, parameters: Parameters) -> None:
        from serlab.reporting import runs  # papermill takes a second, and few ask for it

        write(self.message, "making the report: the notebook is run in a kernel of its own")
        values = {name: value for name, value in parameters.as_dict().items() if name in self._declared()}
        try:
            folder = runs.run(
                self._notebook, values, out="reports", data=self._root, progress=self.bar.report,
                begin_from=scratch_folder(parameters),
            )  # fmt: skip
            page = folder / "report.html"
            self.report.children = [
                buttons.opens("Open the report", page.read_text(encoding="utf-8"), str(page)),
                w.HTML(f"<code>{html.escape(str(page.resolve()))}</code>"),
            ]
            write(self.message, "the report is made", GREEN)
        except SerlabError as error:
            self.error = error
            write(self.message, str(error), RED)
        except Exception as error:  # a thread has no cell to print its traceback below
            self.error = error
            write(self.message, f"no report: {type(error).__name__}: {error}", RED)
        finally:
            self.bar.hide()
            self._running = False
            self._refresh()

    def _declared(self) -> set[str]:
        return declared(self._notebook) - {"data", "run_folder"}

    def _restore(self) -> None:
        """Show the choice that an earlier kernel has kept."""
        kept = {} if self._store is None else self._store.read(self._start.as_dict())
        try:
            chosen = self._start.with_values(**kept)
        except (SerlabError, TypeError):  # of another version, or edited
            return
        self._show(chosen.as_dict())
        different = [name for name, value in chosen.as_dict().items() if value != self._start.as_dict()[name]]
        if different:
            write(self.restored, f"Restored, as it was last chosen here: {', '.join(different)}.")

    def _show(self, values: dict) -> None:
        """Bring the pickers to values; what they do not offer stays as it is."""
        for boxes, name in (
            (self.source_boxes, "sources"), (self.method_boxes, "methods"), (self.study_boxes, "studies")
        ):  # fmt: skip
            for key, box in boxes.items():
                box.value = key in values[name]
        for name, picker in self.controls.items():
            value = shown_as(name, values[name])
            offered = getattr(picker, "options", None)
            if offered is None or value in [o[1] if isinstance(o, tuple) else o for o in offered]:
                picker.value = value

    def _methods(self) -> tuple[str, ...]:
        chosen = ticked(self.method_boxes, first=self._start.methods)
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
        for name, line in self._meanings.items():
            text = html.escape(meaning(name, self.controls[name].value))
            line.value = f"<span style='font-size: 0.9em'>{text}</span>"
        write(self.problem, "")
        self.command_line.value = ""
        try:
            chosen = self.parameters
        except SerlabError as error:
            self.run_button.disabled = True
            write(self.summary, "")
            write(self.problem, str(error), RED)
            return
        self.run_button.disabled = self._running
        if self._store is not None:
            self._store.write(self._start.as_dict(), chosen.as_dict())
        self.reset_button.layout.display = "none" if chosen == self._start else None
        write(self.summary, expected.in_a_line(chosen, self._inventory))
        self.marks.choose(chosen)
        self._show_stale()
        self.command_line.value = (
            "<div style='line-height: 1.4'>The same run without a browser:<br><code style='user-select: all; "
            "white-space: normal; overflow-wrap: anywhere'>"
            f"{html.escape(self._whole_command(chosen))}</code></div>"
        )
        if left := [name for name in chosen.declared if name not in chosen.methods]:
            hint = (
                f"declared as what this is run for, and not ticked: {', '.join(left)}; the others will be "
                "exploratory, with intervals and without verdicts"
            )
            write(self.problem, hint)

    def _whole_command(self, chosen: Parameters) -> str:
        """With the path of this environment's serlab, and the data root of this kernel."""
        own = Path(sys.executable).with_name("serlab")
        program = str(own) if own.is_file() else f"{sys.executable} -m serlab.cli"
        root = data.data_root(self._root)
        where = ["--data", str(root.resolve())] if root.is_dir() else []
        return command(chosen, self._notebook, program=program, more=where)

    def _show_stale(self) -> None:
        described = self.marks.stale
        text = "" if described is None else f"Cells below describe {pair(described)} as it was chosen before."
        write(self.stale, text, RED)

    def _layout(self) -> w.VBox:
        buttons_line = w.HBox(
            [self.run_button, self.cancel_button, self.run_below, self.reset_button, self.bar.widget],
            layout=w.Layout(flex_flow="row wrap"),
        )
        bar = w.VBox(
            [buttons_line, self.summary, self.restored, self.problem, self.stale, self.message],
        )
        bar.add_class("serlab-bar")
        pickers = layout.pickers(
            controls=self.controls,
            meanings=self._meanings,
            sources=self.source_boxes,
            chosen_methods=self.method_boxes,
            studies=self.study_boxes,
            how_to_get=layout.how_to_get(self.installed, self._root),
        )
        panel = w.VBox(
            [
                w.HTML(layout.STYLE, layout=w.Layout(display="none")), bar, self.curves.widget, pickers,
                self.command_line, self.report, self.result,
            ],
            layout=w.Layout(max_width="1000px"),
        )  # fmt: skip
        panel.add_class("serlab-panel")
        return panel

    def _repr_mimebundle_(self, **options) -> dict[str, str]:
        # Where widgets cannot be shown (GitHub, exported HTML), the table stands for them.
        return {
            "text/html": parameter_table(self._start).to_html(),
            **self.widget._repr_mimebundle_(**options),
        }
