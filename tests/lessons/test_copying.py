"""Copies for students and for who teaches; nothing of a student's is lost, nothing of serlab's changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from serlab import cli
from serlab.errors import ParameterError
from serlab.lessons import LESSONS, copying
from serlab.reporting import notebooks


def test_students_get_no_solutions_and_keep_their_work(tmp_path: Path) -> None:
    done = copying.copy(tmp_path / "class")
    assert [path.name for path in done] == [f"{plan.name}.ipynb" for plan in LESSONS]
    assert set(done.values()) == {"copied"}
    assert not any("SOLUTION" in path.read_text(encoding="utf-8") for path in done)
    first = next(iter(done))
    first.write_text("mine", encoding="utf-8")
    again = copying.copy(tmp_path / "class")
    assert again[first] == "kept" and set(list(again.values())[1:]) <= {"same"}
    assert first.read_text(encoding="utf-8") == "mine"
    assert copying.copy(tmp_path / "class", force=True)[first] == "replaced"


def test_who_teaches_gets_a_course(tmp_path: Path) -> None:
    done = copying.copy(tmp_path, instructor=True, corpora=["emodb", "urdu"])
    course = tmp_path / "source" / LESSONS[0].name / f"{LESSONS[0].name}.ipynb"
    assert course in done and "BEGIN SOLUTION" in course.read_text(encoding="utf-8")
    assert notebooks.parameters(course)["corpora"].default == ["emodb", "urdu"]
    config = (tmp_path / "nbgrader_config.py").read_text(encoding="utf-8")
    compile(config, "nbgrader_config.py", "exec")


def test_the_sources_are_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="choose another folder"):
        copying.copy(copying.source_folder())
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="cannot write lessons"):
        copying.copy(tmp_path / "file")


def test_the_command(tmp_path: Path, capsys) -> None:
    assert cli.main(["lessons", str(tmp_path / "class")]) == 0
    assert capsys.readouterr().out.count("copied") == len(LESSONS)
    changed = tmp_path / "class" / f"{LESSONS[0].name}.ipynb"
    changed.write_text("{}", encoding="utf-8")
    assert cli.main(["lessons", str(tmp_path / "class")]) == 1
    assert capsys.readouterr().err.endswith("changed, and kept; --force replaces\n")
    assert cli.main(["lessons", str(tmp_path / "class"), "--force"]) == 0
    assert json.loads(changed.read_text(encoding="utf-8"))["nbformat"] == 4


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


def test_what_is_answered_beside_the_sources_is_kept_elsewhere(monkeypatch) -> None:
    """Somebody opens a lesson of the checkout itself: nothing in it changes."""
    from serlab import lessons

    before = digest(notebooks.own_folder())
    monkeypatch.chdir(copying.source_folder())
    lesson = lessons.open("1")
    lesson.predict("uar", "Which?", answer=0.5)
    assert not lesson.record.path.is_relative_to(notebooks.own_folder())
    assert lesson.record.path.is_file()
    assert digest(notebooks.own_folder()) == before
