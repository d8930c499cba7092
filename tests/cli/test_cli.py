"""The command line: exit codes, one message for an error, tables."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import serlab
from serlab import cli, corpora, extras
from serlab.cli import running
from serlab.cli.command import print_table
from serlab.errors import CorpusError
from serlab.features import FEATURE_SETS
from serlab.labels import SCHEMES
from serlab.methods import METHODS
from serlab.reporting import matrix, records, runs
from tests.corpora import trees


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with one notebook."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    source = 'target: str = ""\nsources: list = ["a"]\nshots: int = 5\npreset: str = "quick"'
    cell = new_code_cell(source, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "notebooks" / "01_first.ipynb")
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Calls of runs.run, which does nothing."""
    calls: list[tuple] = []

    def run(notebook: str, parameters: dict, *, out: str, progress, **options) -> Path:
        calls.append((notebook, parameters, options))
        progress(3, 20, "Which utterances?")
        return Path(out) / "the-run"

    monkeypatch.setattr(runs, "run", run)
    monkeypatch.setattr(records, "read", lambda folder: {"headline": "a -> b: it helps"})
    return calls


def test_run_hands_over_the_parameters_and_prints_the_report(asked: list, capsys) -> None:
    arguments = "run 01 -p target=urdu -p sources=emodb,ravdess --preset quick --data d --out o --force"
    assert cli.main(arguments.split()) == 0
    ((notebook, parameters, options),) = asked
    assert notebook == "01"
    assert parameters == {"target": "urdu", "sources": "emodb,ravdess", "preset": "quick"}
    assert options == {"data": "d", "force": True}
    printed = capsys.readouterr()
    assert printed.out == "o/the-run/report.html\n", "the path alone, so that a script can use it"
    assert printed.err == "[ 3/20] Which utterances?\na -> b: it helps\n"


def test_demo_is_notebook_01_on_synthetic_corpora(asked: list) -> None:
    assert cli.main(["demo"]) == 0
    ((notebook, parameters, options),) = asked
    assert notebook == "01"
    assert parameters == {"target": "synthetic-b", "sources": "synthetic-a", "preset": "demo"}
    assert options == {"data": None, "force": False}


def test_without_opensmile_the_demo_takes_free_features(asked: list, monkeypatch, capsys) -> None:
    monkeypatch.setattr(running, "find_spec", lambda name: None)
    assert cli.main(["demo"]) == 0
    ((_, parameters, _),) = asked
    assert parameters == running.DEMO | {"features": "librosa"}
    assert "openSMILE is not installed" in capsys.readouterr().err


def test_without_opensmile_a_run_says_what_is_free_before_a_kernel_starts(
    asked: list, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert cli.main(["run", "01"]) == 2
    told = capsys.readouterr().err
    assert "pip install 'serlab[opensmile]'" in told and "-p features=librosa" in told
    assert cli.main(["run", "01", "-p", "features=librosa"]) == 0
    assert len(asked) == 1


def test_matrix_hands_over_pairs_and_what_varies(monkeypatch, capsys) -> None:
    calls = []

    def run(notebook: str, **options) -> Path:
        calls.append((notebook, options))
        return Path("matrix.html")

    monkeypatch.setattr(matrix, "run", run)
    arguments = (
        "matrix 02 --corpora synthetic-a,synthetic-b --each scheme=arousal,valence -p jobs=1 --preset quick "
        "--at-once 2"
    )
    assert cli.main(arguments.split()) == 0
    ((notebook, options),) = calls
    assert (notebook, options["corpora"], options["at_once"]) == ("02", ["synthetic-a", "synthetic-b"], 2)
    assert options["each"] == {"scheme": ["arousal", "valence"]}
    assert options["parameters"] == {"jobs": "1", "preset": "quick"}
    assert capsys.readouterr().out == "matrix.html\n"


def test_a_matrix_with_failed_runs_is_exit_code_1_and_its_page_is_printed(monkeypatch, capsys) -> None:
    def run(notebook: str, **options) -> Path:
        raise matrix.MatrixIncomplete("1 of 2 runs failed: urdu to emodb", Path("matrix.html"))

    monkeypatch.setattr(matrix, "run", run)
    assert cli.main(["matrix", "02", "--corpora", "synthetic-a,synthetic-b"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "matrix.html\n"
    assert printed.err == "serlab: 1 of 2 runs failed: urdu to emodb\n"


def test_a_matrix_refuses_wrong_values_before_any_kernel_starts(monkeypatch, capsys) -> None:
    monkeypatch.setattr(matrix, "run", lambda *args, **options: pytest.fail("it was started"))
    assert cli.main(["matrix", "01", "--corpora", "emodb,urdu", "--each", "scheme=four,fore"]) == 2
    assert "parameter 'scheme': 'fore' is none of four" in capsys.readouterr().err
    for names, said in (("emodb,synthetic-a", "'emodb' is not installed"), ("emodb,urdu", "emodb, urdu;")):
        assert cli.main(["matrix", "01", "--corpora", names, "--data", "nowhere"]) == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run 02", "unknown notebook '02'; known notebooks: 01_first"),
        ("run 01 -p shot=3", "did you mean 'shots'?"),
        ("run 01 -p shots=three", "parameter 'shots': expected int, got 'three'"),
        ("run 01 -p shots=3 -p shots=4", "parameter 'shots' is given twice: '3' and '4'"),
        ("run 01 -p preset=demo --preset paper", "parameter 'preset' is given twice"),
        ("run 01 -p sources= --out notebooks/01_first.ipynb", "cannot write reports to notebooks/01_first"),
        ("matrix 01 --corpora a", "a matrix needs two corpora, not 1"),
        ("matrix 01 --corpora a,b --each shots=1,two", "parameter 'shots': expected int, got 'two'"),
        ("index --out notebooks/01_first.ipynb", "cannot write reports to notebooks/01_first"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(here: Path, capsys, arguments: str, message: str) -> None:
    assert cli.main(arguments.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("serlab: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("methods=rf-sorce", "'rf-sorce'"),
        ("scheme=fore", "parameter 'scheme': 'fore' is none of four"),
        ("protocol=los", "parameter 'protocol': 'los' is none of"),
        ("preset=slow", "parameter 'preset': 'slow' is none of demo"),
    ],
)
def test_a_wrong_value_is_wrong_usage_before_a_kernel_starts(
    asked: list, capsys, value: str, message: str
) -> None:
    assert cli.main(["run", "01", "-p", value]) == 2
    assert message in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize("arguments", ["", "runn 01", "run", "run 01 -p shots", "run 01 -p =3", "corpora x"])
def test_a_command_line_that_cannot_be_read_is_exit_code_2(arguments: str, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments.split())
    assert caught.value.code == 2
    assert "usage: serlab" in capsys.readouterr().err


def test_a_failed_run_is_exit_code_1_and_debug_shows_where(here: Path, monkeypatch, capsys) -> None:
    def fail(*args, **options) -> Path:
        raise runs.RunFailed("01_first failed in cell 4 (fit()): ValueError: no", Path("x.partial"))

    monkeypatch.setattr(runs, "run", fail)
    assert cli.main(["run", "01"]) == 1
    assert capsys.readouterr().err == "serlab: 01_first failed in cell 4 (fit()): ValueError: no\n"
    with pytest.raises(runs.RunFailed):
        cli.main(["--debug", "run", "01"])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/out/a"),
            "'/out/a': No space left.*free some space",
        ),
        (PermissionError(errno.EROFS, "Read-only file system"), "Read-only file system; choose a folder"),
        (OSError("odd"), "odd; what is finished is kept"),
        (MemoryError(), "memory ran out"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_exit_code_1(error, said, monkeypatch, capsys) -> None:
    def fail(*args, **options) -> Path:
        raise error

    monkeypatch.setattr(runs, "run", fail)
    assert cli.main(["run", "01"]) == 1
    printed = capsys.readouterr().err
    assert re.match(f"serlab: .*{said}", printed) and printed.count("\n") == 1
    with pytest.raises(type(error)):
        cli.main(["--debug", "run", "01"])


def test_sigterm_is_one_line_in_every_command(monkeypatch, capsys) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def ended(*args) -> pd.DataFrame:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        raise AssertionError("not ended")

    monkeypatch.setattr(corpora, "overview", ended)
    assert cli.main(["corpora"]) == 130
    assert capsys.readouterr().err == "serlab: interrupted; the same command goes on\n"
    assert signal.getsignal(signal.SIGTERM) is before
    done = []
    thread = threading.Thread(target=lambda: done.append(cli.main(["schemes"])))  # hears no signal
    thread.start()
    thread.join()
    assert done == [0]


def test_an_unknown_or_missing_corpus_is_exit_code_1(here: Path, capsys) -> None:
    assert cli.main(["run", "01", "-p", "target=atlantis"]) == 1
    assert "unknown corpus 'atlantis'; known: emodb" in capsys.readouterr().err
    assert cli.main(["run", "01", "-p", "target=emodb", "-p", "sources=", "--data", "nowhere"]) == 1
    assert "'emodb' is not installed" in capsys.readouterr().err
    with pytest.raises(CorpusError):
        cli.main(["--debug", "run", "01", "-p", "target=emodb", "-p", "sources=", "--data", "nowhere"])


def test_corpora_are_listed_with_what_is_installed(here: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    trees.emodb.tree(here / "corpora/emodb", every=50)
    trees.nemo.tree(here / "corpora/nemo", every=1000)
    (here / "corpora/urdu").mkdir()
    (here / "corpora/urdu/master.zip").touch()
    (here / "corpora/savee").mkdir()
    (here / "corpora/savee/readme.txt").touch()
    assert cli.main(["corpora", "--data", "corpora"]) == 0
    there, _, others = capsys.readouterr().out.partition("Not installed")
    lines = {line.split(" ")[0]: line for line in there.splitlines()}
    assert f"Data root: {here / 'corpora'}" in others
    assert "11 of 535 utterances, 6 speakers" in lines["emodb"] and lines["emodb"].rstrip().endswith("yes")
    assert "5 of 4481 utterances" in lines["nemo"] and "CC BY-NC-SA 4.0" in lines["nemo"]
    assert "unreadable" in lines["savee"] and "expected files such as" in there
    (urdu,) = [line for line in others.splitlines() if line.startswith("urdu ")]
    assert "400 utterances, 29 speakers" in urdu and urdu.rstrip().endswith("ask")


def test_corpora_as_json(here: Path, capsys) -> None:
    trees.emodb.tree(here / "corpora/emodb", every=50)
    assert cli.main(["corpora", "--data", "corpora", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["emodb"]["installed"] == "part" and rows["emodb"]["utterances"] == "11 of 535"
    assert rows["tess"]["installed"] == "no" and rows["tess"]["minutes"] == ""


@pytest.mark.parametrize(
    ("command", "names"), [("methods", METHODS), ("features", FEATURE_SETS), ("schemes", SCHEMES)]
)
def test_registries_are_listed(command: str, names, capsys) -> None:
    assert cli.main([command]) == 0
    first_words = {line.split(" ")[0] for line in capsys.readouterr().out.splitlines()}
    assert set(names) <= first_words


@pytest.mark.parametrize("command", ["methods", "corpora", "features", "schemes"])
def test_lists_keep_to_a_narrow_terminal(command: str, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([command]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[: lines.index("")] if "" in lines else lines
    assert max(map(len, table)) <= 80


def test_a_wrapped_table_loses_no_word(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [("a-long-name-that-is-copied", "one two three four", "", "five six seven eight nine ten")]
    print_table(("name", "middle", "none", "last"), rows)
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a-long-name-that-is-copied  one two")
    assert len(lines) > 1 and all(line.startswith(" " * 28) for line in lines[1:])
    words = {word for cell in rows[0] for word in cell.split()}
    assert words == {word for line in lines for word in line.split()}
    assert max(map(len, [head, *lines])) <= 60


def test_the_version_is_printed(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"serlab {serlab.__version__}\n"


def test_download_takes_the_hash_of_a_trusted_copy(monkeypatch, capsys) -> None:
    from serlab.corpora import downloading

    calls = []

    def download(corpus, root, **options) -> Path:
        calls.append((corpus.name, root, options["known_hash"]))
        return Path(root) / corpus.name

    monkeypatch.setattr(downloading, "download", download)
    assert cli.main(["download", "emodb", "--data", "corpora", "--hash", "sha256:0123"]) == 0
    assert calls == [("emodb", "corpora", "sha256:0123")]
    assert capsys.readouterr().out == "corpora/emodb\n"


def test_validate_is_exit_code_1_where_there_are_errors(monkeypatch, capsys) -> None:
    from serlab.corpora import validation

    class Report:
        ok = False

        def text(self) -> str:
            return "two files are empty"

        def as_dict(self) -> dict:
            return {"ok": False}

    monkeypatch.setattr(validation, "validate", lambda corpus, root, progress: Report())
    assert cli.main(["validate", "emodb"]) == 1
    assert capsys.readouterr().out == "two files are empty\n"
    assert cli.main(["validate", "emodb", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"ok": False}
