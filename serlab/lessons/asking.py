"""A field for a prediction."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as w

from serlab.errors import ParameterError
from serlab.widgets.lines import GREEN, RED, write


def ask(question: str, kept: Mapping[str, Any], *, keep: Callable[[str], None], numeric: bool) -> w.VBox:
    """A question, a field with what was answered before, and a button that keeps it.

    Parameters
    ----------
    question : str
    kept : mapping
        "answer" and "result" so far, or None.
    keep : callable(answer)
        Writes it down; raises ``ParameterError`` where it cannot.
    numeric : bool
        Whether a number is asked for.
    """
    before = kept["answer"]
    known = kept["result"] is not None and before is not None
    field = (w.Text if numeric else w.Textarea)(
        value="" if before is None else f"{before:g}" if numeric else str(before),
        placeholder="a number" if numeric else "a sentence or two",
        tooltip=question,
        disabled=known,
        continuous_update=False,
        layout=w.Layout(width="10em" if numeric else "min(100%, 50em)"),
    )
    button = w.Button(description="Write it down", tooltip="Keep this prediction", disabled=known)
    line = w.HTML()
    if known:
        write(line, "Its result was shown: it stays as it was.")
    elif before is not None:
        write(line, "kept", GREEN)

    def on_keep(_: object) -> None:
        answer = field.value.strip()
        try:
            if not answer:
                raise ParameterError("write something first")
            keep(answer)
        except ParameterError as error:
            write(line, str(error), RED)
        else:
            write(line, "kept", GREEN)

    button.on_click(on_keep)
    field.observe(on_keep, names="value")
    return w.VBox([w.HTML(f"<b>{html.escape(question)}</b>"), field, w.HBox([button, line])])
