"""Utterances to look at and listen to, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as w
import pandas as pd
from IPython.display import Audio

from serlab.errors import AudioError
from serlab.experiment import Outcome
from serlab.plotting import Figure, img
from serlab.plotting import utterance as pictures
from serlab.widgets.lines import RED, write

#: First entry of a picker that need not choose.
ALL = "all"


class View:
    """A player and a picture of one utterance, or what is wrong with its file."""

    def __init__(self) -> None:
        self.player, self.picture = w.HTML(), w.HTML()

    def clear(self) -> None:
        """Show nothing."""
        self.player.value = ""
        write(self.picture, "")

    def show(self, utterance: pd.Series, draw: Callable[[], Figure]) -> None:
        """Show a row of the utterance table with the figure that ``draw`` gives."""
        self.clear()
        try:
            loaded, figure = pictures.load(utterance), draw()
        except AudioError as error:
            write(self.picture, str(error), RED)
            return
        self.player.value = Audio(loaded.samples, rate=loaded.sample_rate, normalize=False)._repr_html_()
        self.picture.value = img(figure)
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
        self.view.show(row, lambda: pictures.picture(row))

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
        self._answers = pictures.answers(outcome.predictions)
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
            lambda: pictures.explain_outcome(
                self._outcome, self.method.value, name, step_seconds=self._step_seconds
            ),
        )

    def _repr_mimebundle_(self, **options) -> dict[str, str]:
        return self.widget._repr_mimebundle_(**options)


def _values(column: pd.Series) -> list[str]:
    """Values that occur, in the order of categories where there are some."""
    return [str(value) for value in pd.Series(column.unique()).sort_values()]
