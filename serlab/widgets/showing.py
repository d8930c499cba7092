"""What a notebook calls: something to click where somebody can, else a table or a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from IPython import get_ipython
from IPython.display import display

from serlab import plotting
from serlab.deployment import Model, card
from serlab.experiment import Outcome, Parameters
from serlab.plotting import Figure
from serlab.plotting import utterance as pictures
from serlab.widgets.headless import Fixed, Guessed
from serlab.widgets.recordings import Recordings

if TYPE_CHECKING:  # ipywidgets is there only where somebody can click
    from pandas.io.formats.style import Styler

    from serlab.widgets.browsers import Browser, PredictionBrowser
    from serlab.widgets.guessing import Guessing
    from serlab.widgets.panel import Panel
    from serlab.widgets.predictor import Predictor
    from serlab.widgets.recording import Recorder


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
        Both have ``parameters``, ``session`` and ``installed`` for the cells below. A panel that this
        notebook has already, from the same parameters, is shown again with what was chosen in it.
    """
    shown: Panel | Fixed
    if is_headless(run_folder):
        shown = Fixed(parameters, run_folder)
    else:
        from serlab.widgets import stale
        from serlab.widgets.choice import Store
        from serlab.widgets.panel import Panel

        # A cell that runs again (a click into a panel selects it) must not undo what was chosen there.
        known = [value for value in get_ipython().user_ns.values() if isinstance(value, Panel)]
        same = [panel for panel in known if panel.shows(parameters, notebook=notebook, groups=groups)]
        for panel in known:
            panel.marks.unfollow()
        shown = (
            same[0] if same else Panel(parameters, notebook=notebook, groups=groups, store=Store(notebook))
        )
        shown.marks.unfollow = stale.follow(shown.marks, get_ipython())
    display(shown)
    return shown


def guess(
    utterances: pd.DataFrame, *, classes: Sequence[str], path: Path, listener: str
) -> Guessing | Guessed:
    """Let somebody guess how utterances are meant; headless, what was guessed before.

    Parameters
    ----------
    utterances : DataFrame
        In the order in which they are heard, with ``emotion``.
    classes : sequence of str
        A button each.
    path : Path
        CSV that every answer is written to at once.
    listener : str
        A code, so that the answers of many machines can be put together.

    Returns
    -------
    Guessing or Guessed
        Both have ``answers``, one row an answer.

    Raises
    ------
    ParameterError
        If ``path`` holds something else.
    """
    if is_headless(""):
        return Guessed(path)
    from serlab.widgets.guessing import Guessing

    return Guessing(utterances, classes=classes, path=path, listener=listener)


def recorder(folder: Path, *, on_recording: Callable[[Path], None] | None = None) -> Recorder | Recordings:
    """Let somebody record a phrase or choose a file; headless, what was recorded before.

    Parameters
    ----------
    folder : Path
        Where recordings are kept, and nowhere else.
    on_recording : callable(path), optional
        Called with each new one.

    Returns
    -------
    Recorder or Recordings
        Both have ``paths`` and ``utterances()``.
    """
    if is_headless(""):
        return Recordings(Path(folder))
    from serlab.widgets.recording import Recorder

    return Recorder(folder, on_recording=on_recording)


def is_headless(run_folder: str) -> bool:
    """Whether nobody can click: papermill runs the notebook, or there is no kernel at all."""
    return bool(run_folder) or getattr(get_ipython(), "kernel", None) is None


def corpus_browser(utterances: pd.DataFrame, run_folder: str = "") -> Browser | Figure:
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
    if is_headless(run_folder):
        return pictures.picture(utterances.iloc[0])
    from serlab.widgets.browsers import Browser

    return Browser(utterances)


def prediction_browser(
    outcome: Outcome, run_folder: str = "", *, step_seconds: float | None = None
) -> PredictionBrowser | Figure:
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
    if not is_headless(run_folder):
        from serlab.widgets.browsers import PredictionBrowser

        return PredictionBrowser(outcome, step_seconds=step_seconds)
    tested = list(dict.fromkeys(outcome.predictions["method"]))
    attending = [
        name for name in tested if len(outcome.attention) and name in set(outcome.attention["method"])
    ]
    method = [*attending, *tested][0]
    utterance = pictures.most_certain_error(outcome.predictions, method)
    return pictures.explain_outcome(outcome, method, utterance, step_seconds=step_seconds)


def predictor(model: Model, run_folder: str = "") -> Predictor | Styler:
    """Let a reader ask a kept model about recordings.

    Headless it is a table: UAR of the model on each corpus that was left out.

    Parameters
    ----------
    model : Model
        From :func:`serlab.load_model`.
    run_folder : str
        Set by papermill: the run is headless.
    """
    if not is_headless(run_folder):
        from serlab.widgets.predictor import Predictor

        return Predictor(model)
    table = pd.DataFrame(card.uar_by_corpus(model)).T.rename(
        index=lambda form: card.ASKED[form].replace("`", "")
    )
    caption = f"UAR of the kept model on {model.left_out_are} left out, by how it is asked"
    return plotting.display_table(table.rename_axis("asked").reset_index(), caption=caption)
