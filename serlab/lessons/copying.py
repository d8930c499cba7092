"""Copies of the lessons, for students and for who teaches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from serlab.errors import ParameterError
from serlab.files import write_text
from serlab.lessons.registry import LESSONS
from serlab.lessons.slides import slides as as_slides
from serlab.lessons.versions import student_version, text, with_corpora
from serlab.reporting import notebooks
from serlab.reporting.notebooks import Copied

#: Beside ``source/`` of a course: nbgrader reads it where it is started.
_CONFIG = """\
# The course as nbgrader sees it; written by `serlab lessons --instructor`.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "serlab"
c.CourseDirectory.root = {root!r}
# What a student was asked to predict, and the tries of each exercise, lie beside the notebook.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__"]
c.ExecutePreprocessor.timeout = 120
"""


def copy(
    folder: Path | str,
    *,
    instructor: bool = False,
    slides: bool = False,
    corpora: Sequence[str] = (),
    force: bool = False,
) -> dict[Path, Copied]:
    """Write the lessons into a folder, where whoever does them works.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    instructor : bool
        With solutions, as a course of nbgrader: ``source/<lesson>/<lesson>.ipynb`` and its settings.
        Else for students: one notebook a lesson.
    slides : bool
        Slides instead, one page of HTML a lesson, that needs no network.
    corpora : sequence of str
        Written into the first cell: the same lessons on these. Empty: on synthetic ones.
    force : bool
        Replace what is there and differs; a student's work is lost.

    Returns
    -------
    dict of Path to str
        Each file, and what has happened to it: "copied", "same", "replaced" or "kept".

    Raises
    ------
    ParameterError
        If the folder cannot be written, or is where serlab keeps the sources.
    """
    folder = Path(folder)
    own = source_folder()
    if folder.resolve() == own.resolve():
        raise ParameterError(f"{folder} is where the lessons come from; choose another folder")
    done: dict[Path, Copied] = {}
    try:
        for path, content in _files(folder, own, instructor, slides, corpora):
            there = path.exists()
            if there and path.read_text(encoding="utf-8") == content:
                done[path] = "same"
            elif there and not force:
                done[path] = "kept"
            else:
                write_text(path, content)
                done[path] = "replaced" if there else "copied"
    except OSError as error:
        raise ParameterError(
            f"cannot write lessons to {folder}: {error.strerror}; choose another folder"
        ) from None
    return done


def source_folder() -> Path:
    """Where the lessons are, with solutions."""
    return notebooks.own_folder() / "lessons"


def _files(
    folder: Path, own: Path, instructor: bool, slides: bool, corpora: Sequence[str]
) -> Iterator[tuple[Path, str]]:
    for plan in LESSONS:
        source = json.loads((own / f"{plan.name}.ipynb").read_text(encoding="utf-8"))
        if corpora:
            source = with_corpora(source, corpora)
        if slides:
            yield folder / f"{plan.name}.html", as_slides(source)
        elif instructor:
            yield folder / "source" / plan.name / f"{plan.name}.ipynb", text(source)
        else:
            yield folder / f"{plan.name}.ipynb", text(student_version(source))
    if instructor and not slides:
        yield folder / "nbgrader_config.py", _CONFIG.format(root=str(folder.resolve()))
