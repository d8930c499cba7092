"""One run, one folder: complete, found again, failed, killed, interrupted, resumed.

The notebooks here are tiny: no package is imported in their kernels, whose
start is what takes the time.
"""

from __future__ import annotations

import base64
import json
import platform
import re
import signal
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from serlab import cli, provenance
from serlab.errors import CorpusError, ParameterError, SerlabError
from serlab.reporting import notebooks, records, runs

PARAMETERS = """
shots: int = 5
seeds: list = [0]
preset: str = "demo"
jobs: int = 1
data: str = ""
run_folder: str = ""
"""

#: One pixel.
PNG = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/pR8gNwAAAABJRU5ErkJggg=="
    )
).decode()


def code(source: str, *tags: str) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata={"tags": list(tags)})


def write(path: Path, *cells: nbformat.NotebookNode) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = (new_markdown_cell("# A study\n\nIts text."), code(PARAMETERS, "parameters"), *cells)
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


def record(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def the_partial(out: Path) -> Path:
    (folder,) = out.glob("*/*/*.partial")
    return folder


# --- a run that completes -------------------------------------------------

TALKATIVE = (
    new_markdown_cell("## Where are we?\n\n![dot](dot.png)"),
    code(
        "import os, sys, pathlib\n"
        "print(os.getcwd(), os.environ['SERLAB_DATA'], run_folder, pathlib.Path.home(), sys.prefix)\n"
        "pathlib.Path(run_folder, 'python.txt').write_text(sys.executable)\n"
        "print('\\r'.join(f'{part} %' for part in (0, 50, 100)), file=sys.stderr)"
    ),
    new_markdown_cell("## Is *it* shown & is 1 < 2?"),
    code(f"SHOWN = 1\ndisplay({{'image/png': '{PNG}', 'text/plain': 'dot'}}, raw=True)"),
    code("HIDDEN_INPUT = 2\nprint('its output')", "hide-input"),
    code("VANISHED = 3\nprint('its vanished output')", "remove-in-report"),
    code(
        "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'x'}, 'text/plain': 'A_WIDGET'},"
        " raw=True)\n"
        "display({'application/javascript': 'A_SCRIPT'}, raw=True)",
        "hide-input",
    ),
    new_markdown_cell("## Tables"),
    code(
        "import json\n"
        "pathlib.Path(run_folder, 'headline.json').write_text(json.dumps({'headline': 'a -> b: <gain>'}))\n"
        "pathlib.Path(run_folder, 'results.csv').write_text(f'path\\n{run_folder}/x.wav\\n')"
    ),
)


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a complete run, made with a misleading kernelspec and shell."""
    here = tmp_path_factory.mktemp("a user's {folder}")
    decoy = here / "jupyter" / "kernels" / "python3"
    decoy.mkdir(parents=True)
    (decoy / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("JUPYTER_PATH", str(here / "jupyter"))
        patch.setenv("MPLBACKEND", "agg")
        write(here / "notebooks" / "07_study.ipynb", *TALKATIVE)
        (here / "dot.png").write_bytes(base64.b64decode(PNG))
        runs.run("7", {"shots": "3", "jobs": 2}, data=here / "corpora")
        yield here


def only_run(here: Path) -> Path:
    (path,) = (here / "reports").glob("*/*/*/run.json")
    return path.parent


def test_a_complete_run_is_published_whole(talkative: Path) -> None:
    folder = only_run(talkative)
    assert re.fullmatch(r"reports/07_study/all/[0-9a-f]{10}", folder.relative_to(talkative).as_posix())
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "report.html", "report.ipynb", "run.json", "headline.json", "results.csv", "python.txt"
    }  # fmt: skip
    run = record(folder)
    assert run["state"] == "complete"
    assert run["parameters"] == {"shots": 3, "seeds": [0], "preset": "demo", "jobs": 2}
    assert run["headline"] == "a -> b: <gain>"
    assert run["error"] is None
    assert run["seconds"] > 0
    assert run["provenance"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"numpy", "papermill"} <= set(run["provenance"]["packages"])


def test_the_kernel_is_this_python(talkative: Path) -> None:
    assert (only_run(talkative) / "python.txt").read_text() == sys.executable


def test_the_same_parameters_find_it_again(talkative: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(talkative)
    monkeypatch.setattr(notebooks, "execute", None)
    made_by = record(only_run(talkative))["provenance"]["code"]
    monkeypatch.setattr(provenance, "code_digest", lambda notebook: made_by)
    said: list[str] = []
    again = runs.run(
        "07", {"shots": 3, "jobs": 8, "data": "other"}, progress=lambda *args: said.append(args[2])
    )
    assert again.resolve() == only_run(talkative)
    assert "already complete" in said[0]
    assert "other code" not in said[0]
    monkeypatch.setattr(provenance, "code_digest", lambda notebook: "changed")
    runs.run("07", {"shots": 3}, progress=lambda *args: said.append(args[2]))
    assert "other code" in said[1]


def test_nothing_of_this_machine_is_in_the_files(talkative: Path) -> None:
    folder = only_run(talkative)
    home, node = str(Path.home()), rf"\b{re.escape(platform.node())}\b"
    for name in ("report.html", "report.ipynb", "run.json", "results.csv", "../../../index.html"):
        text = (folder / name).read_text(encoding="utf-8")
        text = re.sub(r"data:image/png;base64,[^\"')]+", "", text)
        for secret in (str(talkative), f"{home}/", f"{home} ", sys.prefix):
            assert secret not in text, f"{name} tells {secret}"
        assert name.endswith("html") or not re.search(node, text), f"{name} tells the name of this machine"
    assert (folder / "results.csv").read_text().startswith("path\n[reports]/07_study/all/")
    notebook = nbformat.read(folder / "report.ipynb", as_version=4)
    (injected,) = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert 'run_folder = ""' in injected.source, "who runs the notebook by hand has no run folder"


class Loads(HTMLParser):
    """Collect what a browser would fetch, and the addresses within the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.ids.add(attributes.get("id", ""))
        if tag in ("script", "link", "iframe"):
            self.fetched.append(f"<{tag}> {attributes}")
        if "src" in attributes and not attributes["src"].startswith("data:"):
            self.fetched.append(attributes["src"])
        if tag == "a":
            self.links.append(attributes["href"])


def test_the_page_loads_nothing_and_its_links_lead_somewhere(talkative: Path) -> None:
    folder = only_run(talkative)
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Loads(text)
    assert page.fetched == []
    assert "url(" not in text
    assert "@import" not in text
    for link in page.links:
        if link.startswith("#"):
            assert {link[1:], unquote(link[1:])} & page.ids, link
        else:
            assert (folder / link).is_file(), link
    assert len(text) < 50_000


def test_the_page_shows_what_is_to_be_read(talkative: Path) -> None:
    text = (only_run(talkative) / "report.html").read_text(encoding="utf-8")
    assert text.count("<h1>A study</h1>") == 1
    assert text.count("<h1") == 1
    assert "a -&gt; b: &lt;gain&gt;" in text
    assert text.count("data:image/png;base64") == 2, "the output, and the picture in the text"
    assert "SHOWN" in text
    assert "its output" in text
    assert "100 %" in text
    assert "preset demo" in text
    assert '<th scope="row">shots</th><td>3</td>' in text
    for absent in ("HIDDEN_INPUT", "its vanished", "VANISHED", "A_WIDGET", "A_SCRIPT", "50 %", "Out["):
        assert absent not in text


def test_it_is_listed(talkative: Path) -> None:
    text = (talkative / "reports" / "index.html").read_text(encoding="utf-8")
    assert "Runs: 1, newest first" in text
    assert "a -&gt; b: &lt;gain&gt;" in text
    (link,) = Loads(text).links
    assert (talkative / "reports" / link) == only_run(talkative) / "report.html"


def test_a_second_process_is_kept_off(talkative: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(talkative)
    with (
        records.locked(Path("reports"), only_run(talkative).name),
        pytest.raises(SerlabError, match=r"another process \(\d+ on .* since .*\) is at work"),
    ):
        runs.run("7", {"shots": 3})


# --- runs that do not -----------------------------------------------------

FRAGILE = (
    code(
        "import os, pathlib, signal\n"
        "kept = pathlib.Path(run_folder, 'predictions.parquet')\n"
        "already = kept.read_text() if kept.exists() else ''\n"
        "kept.write_text(already + 'x')"
    ),
    new_markdown_cell("## The fragile cell"),
    code(
        "\nif already == '':\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "if already == 'x':\n"
        "    raise ValueError(f'bad file {run_folder}/a.wav')"
    ),
    code("print('the end')"),
)


def test_a_killed_then_failed_run_resumes_to_its_end(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    notebook = str(write(tmp_path / "fragile.ipynb", *FRAGILE))

    with pytest.raises(runs.RunFailed, match=r"fragile failed in cell 5 \(if already == '':\): DeadKernel"):
        runs.run(notebook, out=out)
    partial = the_partial(out)
    killed = record(partial)
    assert killed["state"] == "failed"
    assert killed["error"]["cell"] == 5
    assert killed["error"]["name"] == "DeadKernelError"
    statuses = [
        cell.metadata.papermill["status"] for cell in nbformat.read(partial / "report.ipynb", 4).cells
    ]
    assert statuses == ["completed"] * 5 + ["failed", "pending"], "one more than in the source: parameters"
    assert [path.name for path in partial.parent.iterdir()] == [partial.name], "nothing is published"

    with pytest.raises(runs.RunFailed, match=r"ValueError: bad file") as caught:
        runs.run(notebook, out=out)
    assert caught.value.folder == partial
    failed = record(partial)
    assert failed["error"]["message"] == f"bad file [reports]/fragile/all/{partial.name}/a.wav"
    assert "ValueError" in failed["error"]["traceback"]
    assert "\x1b" not in failed["error"]["traceback"]
    assert "This run is not complete" in (partial / "report.html").read_text(encoding="utf-8")
    assert ">failed<" in (out / "index.html").read_text(encoding="utf-8")

    folder = runs.run(notebook, out=out)
    complete = record(folder)
    assert complete["state"] == "complete"
    assert complete["error"] is None
    assert [attempt["state"] for attempt in complete["attempts"]] == ["failed", "failed", "complete"]
    assert (folder / "predictions.parquet").read_text() == "xxx", "each attempt found what was kept"
    assert not partial.exists()
    assert "the end" in (folder / "report.html").read_text(encoding="utf-8")
    assert "in 3 attempts" in (folder / "report.html").read_text(encoding="utf-8")


def test_an_ended_run_says_interrupted_and_a_forced_one_starts_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # A batch system's SIGTERM, sent by the notebook to the process that runs it.
    write(
        tmp_path / "notebooks" / "01_ended.ipynb",
        code(
            "import os, pathlib, signal, time\n"
            "if not pathlib.Path('second').exists():\n"
            "    pathlib.Path(run_folder, 'old.csv').write_text('half')\n"
            f"    os.kill(os.getppid(), signal.{signal.SIGTERM.name})\n"
            "    time.sleep(60)"
        ),
    )
    assert cli.main(["run", "01"]) == 130
    said = capfd.readouterr().err
    assert said.endswith("serlab: interrupted; the same command goes on\n")
    assert "Traceback" not in said, "nor does its kernel complain"
    assert record(the_partial(Path("reports")))["state"] == "interrupted"

    Path("second").touch()
    assert cli.main(["run", "01", "--force"]) == 0
    folder = Path(capfd.readouterr().out.strip()).parent
    assert not (folder / "old.csv").exists()
    assert [attempt["state"] for attempt in record(folder)["attempts"]] == ["complete"]


# --- without any kernel ---------------------------------------------------


@pytest.fixture
def no_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with a notebook on corpora; execution writes the source as executed."""
    monkeypatch.chdir(tmp_path)
    asks = 'target: str = "b"\nsources: list = ["a"]\nshots: int = 1\nrun_folder: str = ""'
    nbformat.write(
        new_notebook(cells=[code(asks, "parameters")]), write(tmp_path / "notebooks" / "02_two.ipynb")
    )
    monkeypatch.setattr(
        notebooks, "execute", lambda source, values, output, **_: output.write_bytes(source.read_bytes())
    )
    monkeypatch.setattr(runs, "_corpora_fingerprint", lambda *asked: "0" * 12)
    return tmp_path


def test_the_folder_names_the_question_and_the_digest_all_that_matters(no_kernel: Path, monkeypatch) -> None:
    first = runs.run("02")
    assert first.parent == Path("reports/02_two/a-to-b")
    others = [
        runs.run("02", {"shots": 2}),
        runs.run("02", {"sources": "a,c"}),
        runs.run("02", {"sources": "", "target": "b/../c"}),
    ]
    assert [path.parent.name for path in others] == ["a-to-b", "a+c-to-b", "b_.._c"]
    monkeypatch.setattr(runs, "_corpora_fingerprint", lambda *asked: "1" * 12)
    others.append(runs.run("02"))
    monkeypatch.setattr("serlab.__version__", "99")
    others.append(runs.run("02"))
    assert len({path.name for path in [first, *others]}) == 6


def test_studies_are_part_of_the_digest_where_they_are_not_all_of_the_notebooks() -> None:
    source = notebooks.own_folder() / "06_compare.ipynb"
    usual = list(notebooks.parameters(source)["studies"].default)
    asked = {"target": "b", "studies": usual}
    before = runs._digest(source, {"target": "b"}, "")
    assert runs._digest(source, asked, "") == before, "earlier runs are found again"
    assert runs._digest(source, {**asked, "studies": usual[::-1]}, "") == before
    assert runs._digest(source, {**asked, "studies": []}, "") != before


def test_force_replaces_a_complete_run(no_kernel: Path) -> None:
    folder = runs.run("02")
    (folder / "extra.csv").touch()
    assert runs.run("02") == folder
    assert (folder / "extra.csv").exists()
    assert runs.run("02", force=True) == folder
    assert not (folder / "extra.csv").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_code_that_changed_between_attempts_is_said(no_kernel: Path, monkeypatch) -> None:
    execute = notebooks.execute

    def interrupt(*args, **kwargs) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(notebooks, "execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        runs.run("02")
    monkeypatch.setattr(notebooks, "execute", execute)
    monkeypatch.setattr(provenance, "code_digest", lambda notebook: "changed")
    text = (runs.run("02") / "report.html").read_text(encoding="utf-8")
    assert "in 2 attempts, not all with the same code" in text


def test_a_corpus_that_is_not_there_stops_before_anything_starts(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    cell = code('target: str = "emodb"', "parameters")
    nbformat.write(new_notebook(cells=[cell]), write(tmp_path / "notebooks" / "02_two.ipynb"))
    with pytest.raises(CorpusError, match="'emodb' is not installed"):
        runs.run("02", data=tmp_path / "nothing")
    assert not Path("reports").exists()


@pytest.mark.parametrize("call", [lambda: runs.run("02", out="file"), lambda: runs.index("file")])
def test_a_folder_that_cannot_be_written_is_named(no_kernel: Path, call) -> None:
    Path("file").touch()  # root may write anywhere, but not below a file
    with pytest.raises(ParameterError, match=r"cannot write reports to file: .*choose another folder"):
        call()


def a_run(out: Path, name: str, **changes) -> None:
    folder = out / "01_x" / "a-to-b" / name
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    values = {
        "state": "complete", "notebook": "01_x", "title": "X", "digest": folder.stem,
        "parameters": {"target": "b", "sources": ["a"], "preset": "quick", "seeds": [0, 1]},
        "synthetic": False, "headline": f"headline of {name}", "error": None,
        "started": "2026-01-01T00:00:00.000Z", "seconds": 3671.0, "attempts": [], "provenance": {},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(values | changes))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1]", "{}", '{"state": "complete"}', "[" * 100_000, "\x00\xff"],
    ids=["empty", "torn", "a list", "nothing", "half", "deep", "noise"],
)
def test_a_damaged_record_is_left_out_of_the_list(tmp_path: Path, content: str) -> None:
    a_run(tmp_path, "aaa")
    a_run(tmp_path, "bbb")
    path = tmp_path / "01_x" / "a-to-b" / "bbb" / "run.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.warns(UserWarning, match=r"left out: .*bbb.run\.json is damaged .*makes the run again"):
        text = runs.index(tmp_path).read_text(encoding="utf-8")
    assert "headline of aaa" in text and "Runs: 1" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"started": "<script>alert(1)</script>"},
        {"state": "<b>"},
        {"parameters": {"sources": "x"}},
        {"provenance": None},
        {"seconds": "1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_record_of_somebody_else_is_checked(tmp_path: Path, changes: dict) -> None:
    a_run(tmp_path, "aaa", **changes)
    with pytest.raises(records.DamagedRecord, match="delete its folder"):
        records.read(tmp_path / "01_x" / "a-to-b" / "aaa")


def test_hostile_words_in_a_record_stay_words(tmp_path: Path) -> None:
    bad = "<script>alert('x')</script>\" onmouseover=\"alert(1)"
    error = {"cell": 3, "code": bad, "name": bad, "message": bad, "traceback": bad}
    parameters = {"target": bad, "sources": [bad], "preset": bad, "protocol": bad, "seeds": [bad]}
    a_run(tmp_path, "aaa", title=bad, headline=bad, notebook=bad, digest=bad, parameters=parameters)
    a_run(tmp_path, "bbb.partial", state="failed", error=error, provenance={"code": bad, "corpora": bad})
    text = runs.index(tmp_path).read_text(encoding="utf-8")
    assert Loads(text).fetched == ["<script> {'type': 'application/json', 'id': 'runs'}", "<script> {}"]
    assert "<script>alert" not in text and ' onmouseover="' not in text


def test_the_list_is_newest_first_and_says_what_is_not_complete(tmp_path: Path) -> None:
    error = {"cell": 3, "code": "fit()", "name": "ValueError", "message": "no <b>", "traceback": ""}
    a_run(tmp_path, "aaa", started="2026-03-01T10:00:00.000Z", synthetic=True)
    a_run(tmp_path, "bbb.partial", started="2026-02-01T10:00:00.000Z", state="failed", error=error)
    a_run(tmp_path, "ccc", started="2026-04-01T10:00:00.000Z")
    a_run(tmp_path, "ddd.partial", started="2025-01-01T10:00:00.000Z", state="running", seconds=None)
    a_run(tmp_path, "eee.partial", started="2024-01-01T10:00:00.000Z", state="running", seconds=None)
    with records.locked(tmp_path, "ddd"):
        text = runs.index(tmp_path).read_text(encoding="utf-8")
    assert Loads(text).fetched == ["<script> {'type': 'application/json', 'id': 'runs'}", "<script> {}"]
    rows = text.split("<tbody>")[1].split("</tbody>")[0].split("<tr ")[1:]
    assert len(rows) == 5
    newest, synthetic, failed, running, killed = rows
    assert "headline of ccc" in newest
    assert "a \N{RIGHTWARDS ARROW} b" in newest
    assert "0, 1" in newest
    assert "1 h 01 min" in newest
    assert "badge bad" not in newest
    assert "synthetic: not evidence about emotion" in synthetic
    assert "Cell 3 (fit()): ValueError: no &lt;b&gt;" in failed
    assert ">running<" in running
    assert ">killed<" in killed
    assert "same command resumes it" in killed
