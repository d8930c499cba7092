"""A lesson that is being done: predictions, checks, and a summary at the end."""

from __future__ import annotations

import html
import textwrap
from pathlib import Path
from types import EllipsisType
from typing import Any

import pandas as pd
from IPython.display import HTML, display
from pandas.io.formats.style import Styler

from serlab import plotting
from serlab.errors import ParameterError, meant
from serlab.lessons.base import Plan
from serlab.lessons.record import Record, open_record
from serlab.lessons.registry import LESSONS
from serlab.widgets.showing import is_headless
from serlab.wording import count


class Wrong(AssertionError):
    """An answer that is not right, with a hint. A notebook shows the hint alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(str(self), 100)


class Lesson:
    """A lesson that is being done; see :func:`open_lesson`.

    Attributes
    ----------
    plan : Plan
        What it is.
    record : Record
        What is kept.
    """

    def __init__(self, plan: Plan, record: Record) -> None:
        self.plan, self.record = plan, record

    @property
    def student(self) -> str:
        """Name or code of whoever does it."""
        return self.record.student

    @property
    def folder(self) -> Path:
        """Where its answers are kept."""
        return self.record.path.parent

    def file(self, name: str) -> Path:
        """A file of this lesson and student in :attr:`folder`, so that those of many can lie in one."""
        stem, dot, suffix = name.rpartition(".")
        return self.folder / f"{self.plan.name}-{stem}-{self.student}{dot}{suffix}"

    def predict(self, key: str, question: str, *, answer: Any = None, numeric: bool = True) -> None:
        """Ask for a prediction, and keep it.

        Where somebody can click a field is shown; elsewhere what is kept. Once its result was seen
        (:meth:`compare`) a prediction is not changed any more.

        Parameters
        ----------
        key : str
            Names it, for :meth:`compare`.
        question : str
        answer : float or str, optional
            Kept as if it had been typed.
        numeric : bool
            Whether the answer is a number; else it is a text.
        """
        kept = self.record.predictions.setdefault(key, {"answer": None, "result": None})
        kept["question"] = question
        if answer is not None:
            self.write(key, answer, numeric=numeric)
        if is_headless(""):
            display(self._shown(key))
            return
        from serlab.lessons.asking import ask

        def keep(value: str) -> None:
            self.write(key, value, numeric=numeric)

        display(ask(question, kept, keep=keep, numeric=numeric))

    def write(self, key: str, answer: Any, *, numeric: bool = True) -> None:
        """Keep a prediction.

        Raises
        ------
        ParameterError
            If it is not a number where one is asked for, or its result is known already.
        """
        kept = self.record.predictions.setdefault(key, {"question": key, "answer": None, "result": None})
        if kept["result"] is not None and kept["answer"] is not None:
            if kept["answer"] == answer:
                return
            raise ParameterError("the result of this prediction was shown: it stays as it was")
        if numeric:
            try:
                answer = float(str(answer).replace(",", "."))
            except ValueError:
                raise ParameterError(f"a number is asked for; {answer!r} is none") from None
        kept["answer"] = answer
        self.record.save()

    def compare(self, key: str, result: float | str | EllipsisType) -> HTML:
        """A prediction beside what came out.

        Parameters
        ----------
        key : str
            Of :meth:`predict`.
        result : float or str

        Raises
        ------
        Wrong
            If it is the placeholder of an exercise.
        """
        if result is ...:
            raise Wrong("Not yet: this needs the exercise above, which is not solved.")
        kept = self.record.predictions.setdefault(key, {"question": key, "answer": None, "result": None})
        kept["result"] = result if isinstance(result, str) else float(result)
        self.record.save()
        return self._shown(key)

    def check(self, name: str, *answer: Any) -> None:
        """Say whether an answer is right; if not, with a hint.

        Parameters
        ----------
        name : str
            Of the exercise.
        *answer : value
            The answer, and what it is computed from.

        Raises
        ------
        Wrong
            With a hint. A grader takes it for a failed test.
        """
        check = self.plan.check(name)
        try:
            hint = check.hint(*answer)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            hint = f"This cannot be compared ({error})."
        kept = self.record.checks.setdefault(name, {"tries": 0, "right": False})
        kept["tries"] += 1
        kept["right"] = not hint
        self.record.save()
        if hint:
            raise Wrong(f"Not yet. {hint} (Asked for: {check.asks}.)")
        display(HTML(f"<p role='status'><b>Right.</b> {html.escape(check.right)}</p>"))

    def summary(self) -> Styler:
        """What was predicted and what came out, which exercises are done, and what should remain."""
        for sentence in self.plan.summary:
            display(HTML(f"<p>{html.escape(sentence)}</p>"))
        rows = [
            (entry["question"], _text(entry["answer"]), _text(entry["result"]))
            for entry in self.record.predictions.values()
        ]
        rows += [("Exercise " + check.name, self._state(check.name), "") for check in self.plan.checks]
        table = pd.DataFrame(rows, columns=["question", "your answer", "what came out"])
        return plotting.display_table(
            table, f"Lesson {self.plan.key}: {self.plan.title}, by {self.record.student}"
        )

    def _state(self, name: str) -> str:
        kept = self.record.checks.get(name)
        if kept is None:
            return "not tried"
        tries = count(kept["tries"], "try", "tries")
        return f"right ({tries})" if kept["right"] else f"not yet ({tries})"

    def _shown(self, key: str) -> HTML:
        kept = self.record.predictions[key]
        says = f"You predicted {_text(kept['answer'])}." if kept["answer"] is not None else (
            "No prediction was written down."
        )  # fmt: skip
        if kept["result"] is not None:
            says += f" It came out as {_text(kept['result'])}."
            if isinstance(kept["result"], float) and isinstance(kept["answer"], float):
                off = kept["result"] - kept["answer"]
                says += (
                    f" That is {abs(off):.2f} {'more' if off > 0 else 'less'}."
                    if round(off, 2)
                    else " Exactly."
                )
        return HTML(f"<p><i>{html.escape(kept['question'])}</i><br>{html.escape(says)}</p>")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def open_lesson(key: str, *, answers: str = "", student: str = "") -> Lesson:
    """Begin a lesson, or go on with it.

    Parameters
    ----------
    key : str
        "1" to "7", or the name of the notebook.
    answers : str
        Folder that predictions and tries are kept in; empty: ``answers`` beside the notebook.
    student : str
        A name or a code; empty: one that is drawn once for the folder.

    Raises
    ------
    ParameterError
        Naming the lessons there are, or if nothing can be written.
    """
    for plan in LESSONS:
        if key in (plan.key, plan.name):
            return Lesson(plan, open_record(plan.name, folder=answers, student=student))
    known = [plan.name for plan in LESSONS]
    raise ParameterError(f"there is no lesson {key!r}{meant(str(key), known)}; there are {', '.join(known)}")
