"""A notebook over all ordered pairs, and the page of it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from serlab.errors import ParameterError, SerlabError
from serlab.reporting import matrix, matrix_page, notebooks, runs, workers


def test_cells_are_all_ordered_pairs_with_every_combination():
    cells = matrix.cells(["a", "b", "c", "a"], {"scheme": ["arousal", "valence"]})
    assert len(cells) == 12 and len({str(cell.parameters) for cell in cells}) == 12
    assert cells[0].parameters == {"sources": ["a"], "target": "b", "scheme": "arousal"}
    assert cells[0].name == "a to b, scheme arousal"
    with pytest.raises(ParameterError, match="needs two corpora, not 1"):
        matrix.cells(["a", "a"], {})


def run_folder(
    folder: Path, *, uar: float, verdict: str, methods: tuple[str, ...] = ("base", "moved")
) -> Path:
    """Tables as a run leaves them; each method is better by .01 than the one before."""
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    summary = {"target_seen": "nothing", "uar_low": 0.1, "uar_high": 0.9, "badge": ""}
    pd.DataFrame(
        [{"method": m, "title": f"T {m}", "uar": uar + 0.01 * i, **summary} for i, m in enumerate(methods)]
    ).to_csv(folder / "summary.csv", index=False)
    parameters = {"sources": ["a"], "target": "b", "scheme": "arousal", "seeds": [0, 1], "preset": "quick"}
    record = {
        "state": "complete", "notebook": "01_x", "title": "X", "digest": folder.name, "synthetic": False,
        "headline": "", "error": None, "started": "2026-01-01T00:00:00.000Z", "seconds": 1.0,
        "parameters": parameters, "provenance": {},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    gained = {
        "question": "source", "control": methods[0], "control_title": f"T {methods[0]}", "primary": True,
        "gain": 0.1, "gain_low": 0.0, "gain_high": 0.2, "p_holm": 0.01, "verdict": verdict,
    }  # fmt: skip
    rows = [{"method": m, "title": f"T {m}", **gained} for m in methods[1:]]
    aside = {**rows[0], "question": "alignment", "primary": False, "verdict": "exploratory"}
    pd.DataFrame([*rows, aside]).to_csv(folder / "comparison.csv", index=False)
    return folder


def test_the_page_shows_runs_and_names_what_failed(tmp_path):
    cells = matrix.cells(["a", "b"], {"scheme": ["arousal"]})
    done = [
        (cells[0], run_folder(tmp_path / "a-to-b" / "0123", uar=0.61, verdict="helps")),
        (cells[1], SerlabError("no <speakers>")),
    ]
    page = matrix_page.write(tmp_path, done)
    text = page.read_text(encoding="utf-8")
    assert '<a href="a-to-b/0123/report.html">a to b</a>' in text
    assert "0.62 [0.10, 0.90]<br>source: helps" in text and "scheme arousal" in text
    assert "Runs: 1 of 2. seeds 0, 1; preset quick." in text
    assert text.count("data:image/png;base64") == 3, "UAR, gain, and behind a fold what is exploratory"
    assert "<details><summary>Exploratory comparisons</summary><p><img" in text
    assert (
        "What does the source add to the same labels?" in text and "Nothing was declared beforehand" in text
    )
    assert "Not ranked: ranks need two methods in two runs, or more; there are 2 in 1" in text
    assert "b to a, scheme arousal</b>: no &lt;speakers&gt;" in text
    table = pd.read_csv(tmp_path / "matrix.csv")
    assert table["method"].tolist() == ["base", "moved"]
    gains = pd.read_csv(tmp_path / "gains.csv")
    assert gains["verdict"].tolist() == ["helps", "exploratory"] and set(gains["target"]) == {"b"}


def test_many_methods_are_rows_and_ranked(tmp_path):
    """All pairs of three corpora with twenty methods, one of which is in two runs only."""
    names = tuple(f"m{i}" for i in range(20))
    done = []
    for place, cell in enumerate(matrix.cells(["a", "b", "c"], {})):
        methods = names if place < 2 else names[:19]
        done.append((cell, run_folder(tmp_path / str(place), uar=0.5, verdict="helps", methods=methods)))
    text = matrix_page.write(tmp_path, done).read_text(encoding="utf-8")
    assert (
        "<th scope='col'>method</th><th scope='col'><a href=" in text
        and "<tr><td>T m0</td><td>0.50 [0.10, 0.90]</td>" in text
    )
    assert "<td>T m19</td><td>0.69 [0.10, 0.90]<br>source: helps</td>" in text
    assert text.count("data:image/png;base64") == 4, "UAR, gains and ranks"
    assert (
        "19 methods are ranked by UAR in each of 6 runs" in text and "Left out: m19: in 2 of 6 runs." in text
    )
    assert "F = \u221e" in text and "p &lt; .001" in text and "runs are not independent" in text
    # z of 18 ranks is 18 / sqrt(19 x 20 / 36) = 5.54.
    assert "Pairs that are told apart" in text and "5.540" in text


def test_all_failed_is_a_page_too(tmp_path):
    done = [(cell, SerlabError("gone")) for cell in matrix.cells(["a", "b"], {})]
    text = matrix_page.write(tmp_path / "01_x", done).read_text(encoding="utf-8")
    assert "gone" in text
    assert "Runs: 0 of 2.</p>" in text
    assert "matrix.html" not in runs.index(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "01_x" / "matrix.csv").unlink()  # as in a checkout, whose pages have runs
    assert "01_x/matrix.html" in runs.index(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize("failing", [["a"], ["a", "b"]])
def test_a_matrix_with_failed_runs_is_an_error_with_a_page(tmp_path, monkeypatch, failing) -> None:
    def here(function, tasks, *, at_once, on_end) -> None:
        """One after the other, in this process."""
        for number, (_, parameters, *_rest) in enumerate(tasks):
            target = parameters["target"]
            folder = tmp_path / "01_x" / f"to-{target}" / "0"
            failed = SerlabError(f"no {target}")
            on_end(number, failed if target in failing else run_folder(folder, uar=0.5, verdict="helps"))

    monkeypatch.setattr(workers, "run_all", here)
    monkeypatch.setattr(notebooks, "find", lambda name: Path("01_x.ipynb"))
    monkeypatch.setattr(notebooks, "complete", lambda source, given: {})
    monkeypatch.setattr(runs, "index", lambda out: out)
    with pytest.raises(matrix.MatrixIncomplete, match=f"{len(failing)} of 2 runs failed: .*b to a") as caught:
        matrix.run("01", corpora=["a", "b"], out=tmp_path)
    assert f"Runs: {2 - len(failing)} of 2." in caught.value.page.read_text(encoding="utf-8")


def test_a_wrong_parameter_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(ParameterError, match="no parameter 'colour'"):
        matrix.run("01", corpora=["near", "far"], parameters={"colour": "red"}, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_small_matrix(small_corpora, tmp_path):
    # Up to its run: what comes after are figures of one run.
    notebook = nbformat.read(notebooks.find("00"), as_version=4)
    runs_at = next(n for n, cell in enumerate(notebook.cells) if "panel.session.run()" in cell.source)
    notebook.cells = notebook.cells[: runs_at + 1]
    short = tmp_path / "short" / "00_start_here.ipynb"
    short.parent.mkdir()
    nbformat.write(notebook, short)
    steps = []
    page = matrix.run(
        str(short),
        corpora=["near", "far"],
        parameters={"features": "librosa", "methods": "rf-source,rf-target"},
        out=tmp_path / "out",
        data=small_corpora,
        at_once=2,
        progress=lambda done, total, text: steps.append((done, total)),
    )
    assert steps == [(1, 2), (2, 2)]
    table = pd.read_csv(page.with_name("matrix.csv"))
    assert set(zip(table["source"], table["target"], strict=True)) == {("near", "far"), ("far", "near")}
    for report in table["report"].unique():
        assert (page.parent / report).is_file()
    assert '<a href="00_start_here/matrix.html">' in (tmp_path / "out/index.html").read_text(encoding="utf-8")
