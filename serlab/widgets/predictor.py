"""A kept model at hand: name recordings, or drop them, and see what it says and what it does not know."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path
from typing import Any

import ipywidgets as w
import pandas as pd

from serlab import plotting
from serlab.deployment import Model, Predicted
from serlab.errors import SerlabError
from serlab.widgets.lines import RED, write
from serlab.wording import count

#: Rows of answers that are shown.
_MOST_ROWS = 200
_WIDE = w.Layout(width="520px")
_WORDS = {"description_width": "150px"}


class Predictor:
    """Fields for recordings and what is known of them, a button, and the answers.

    Attributes
    ----------
    recordings, adapt, language, risk, speakers, upload, run : widget
    answers, picture, message : widget
        What came of it.
    predicted : Predicted or None
        The answers as tables.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.predicted: Predicted | None = None

        def field(text: str, hint: str) -> w.Text:
            return w.Text(description=text, placeholder=hint, layout=_WIDE, style=_WORDS)

        self.recordings = field("recordings", "a file or a folder")
        self.upload = w.FileUpload(
            multiple=True, description="or choose files", accept=".wav,.flac,.ogg,.mp3"
        )
        self.adapt = field("adapt to", "a folder of the same kind; empty: each for itself")
        self.speakers = w.Checkbox(description="a folder a speaker", value=False, style=_WORDS)
        self.language = field("language", "de, en ...; empty: not known")
        self.risk = w.FloatSlider(
            description="wrong at most", value=1.0, min=0.05, max=1.0, step=0.05, readout_format=".0%",
            layout=_WIDE, style=_WORDS,
        )  # fmt: skip
        self.run = w.Button(description="Ask", button_style="primary")
        self.message, self.answers, self.picture = w.HTML(), w.HTML(), w.HTML()
        self.run.on_click(lambda _: self.ask())
        heard = ", ".join(source.name for source in model.sources)
        title = w.HTML(f"<b>{html.escape(model.name)}</b>, learned from {html.escape(heard)}")
        fields = [self.recordings, self.upload, self.adapt, self.speakers, self.language, self.risk, self.run]
        self.widget = w.VBox([title, *fields, self.message, self.answers, self.picture])

    def ask(self) -> None:
        """Ask the model, and show what it says, or what is wrong."""
        self.run.disabled = True
        write(self.message, "listening ...")
        try:
            with tempfile.TemporaryDirectory() as folder:
                found = self._model.predict(
                    self._named(Path(folder)),
                    adapt=self.adapt.value.strip() or None,
                    speakers="folders" if self.speakers.value and self.adapt.value.strip() else None,
                    language=self.language.value.strip(),
                    risk=self.risk.value if self.risk.value < self.risk.max else None,
                )
        except SerlabError as error:
            self.predicted = None
            self.answers.value = self.picture.value = ""
            write(self.message, str(error), RED)
            return
        finally:
            self.run.disabled = False
        self.predicted = found
        skipped = [f"cannot be used: {reason}" for reason in found.skipped["reason"]]
        write(self.message, "; ".join([count(len(found.table), "recording"), *found.notes, *skipped]))
        self.answers.value = _table(found.table.head(_MOST_ROWS))
        long = found.over_time[found.over_time["file"] == found.table["file"].iloc[0]]
        self.picture.value = plotting.img(plotting.plot_over_time(long)) if len(long) else ""

    def _named(self, folder: Path) -> list[Path]:
        """Files that were dropped, written into a folder, and the one that is named."""
        names = [Path(self.recordings.value.strip())] if self.recordings.value.strip() else []
        for number, file in enumerate(self.upload.value):
            # Of a name that a browser sends only the end is taken: it leads nowhere else.
            path = folder / f"{number}-{Path(file['name']).name}"
            path.write_bytes(bytes(file["content"]))
            names.append(path)
        if not names:
            raise SerlabError("name a recording or a folder, or choose files")
        return names

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)


def _table(table: pd.DataFrame) -> str:
    shown = pd.DataFrame(
        {
            "recording": [Path(name).name for name in table["file"]],
            "answer": table["answer"].where(table["answered"], "-"),
            "confidence": table["confidence"].map("{:.2f}".format),
            "warnings": table["warnings"],
        }
    )
    return shown.to_html(index=False, escape=True, border=0).replace("<th>", "<th scope='col'>")
