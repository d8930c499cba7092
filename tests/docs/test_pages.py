"""What pages show has been tried: code runs, commands parse, tables are read, files are named."""

from __future__ import annotations

import argparse
import doctest
import importlib
import pkgutil
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import serlab
from serlab import corpora, methods
from serlab.cli import COMMANDS
from serlab.reporting import notebooks
from tests.corpora.trees import noise
from tests.docs.pages import DOCS, ROOT, blocks

README = ROOT / "README.md"
#: Page -> methods that it adds.
NEW = {"add-a-method.md": {"light-means"}}


def committed() -> list[Path]:
    """Markdown that is part of the repository, not made by a build."""
    known = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "*.md"], capture_output=True, text=True, check=False
    )
    return [ROOT / name for name in known.stdout.split()] or [README, *DOCS.glob("*/*.md")]


PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in committed()]


# --- commands ------------------------------------------------------------------


def commands(page: Path) -> list[list[str]]:
    """Calls of ``serlab`` in a page's shell blocks, as arguments."""
    text = "\n".join(block.text for block in blocks(page) if block.language in ("sh", "bash"))
    indented = re.findall(r"^ {4}(serlab .*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    lines = [*text.replace("\\\n", " ").splitlines(), *indented]
    calls = [shlex.split(line, comments=True) for line in lines]
    return [call[1:] for call in calls if call and call[0] in ("serlab", ".venv/bin/serlab")]


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False)
    added = parser.add_subparsers(dest="command")
    for command in COMMANDS:
        command.declare(added.add_parser(command.name, exit_on_error=False))
    return parser


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_understood(page: Path, parser: argparse.ArgumentParser):
    for call in commands(page):
        options = parser.parse_args(call)
        if options.command not in ("run", "matrix") or "$" in " ".join(call):
            continue
        given = dict(options.parameters)
        values = notebooks.complete(notebooks.find(options.notebook), given)
        chosen = values["methods"] if isinstance(values["methods"], list) else [values["methods"]]
        assert set(chosen) <= {*methods.METHODS, *methods.GROUPS, *NEW.get(page.name, ())}, call
        if "target" in given:
            assert {values["target"], *values["sources"]} <= {*corpora.CORPORA, "mycorpus"}, call


# --- Python ----------------------------------------------------------------------


#: What pages name -> what is run for it.
SMALL = {"emodb": "far", "ravdess": "near", "synthetic-b": "far", "synthetic-a": "near", "quick": "demo"}


@pytest.mark.parametrize(
    "page", ["README.md", "docs/tutorials/first-transfer.md", "docs/reference/api/index.md"]
)
def test_python_of_pages_runs(
    page: str, small_corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = "\n".join(block.text for block in blocks(ROOT / page) if block.language == "python")
    for named, small in SMALL.items():
        text = text.replace(f'"{named}"', f'"{small}"')
    monkeypatch.setenv("SERLAB_DATA", str(small_corpora))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(text, page, "exec"), names)
    outcome = names["outcome"]
    assert outcome.headline.startswith("near -> far")
    assert len(outcome.summary) == len(outcome.parameters.methods)
    assert (tmp_path / "uar.png").is_file() == (page == "README.md")


def modules_with_examples() -> list[str]:
    """Modules of serlab whose source has an example."""
    found = []
    for info in pkgutil.walk_packages(serlab.__path__, "serlab."):
        path = Path(serlab.__file__).parent.joinpath(*info.name.split(".")[1:])
        source = path / "__init__.py" if info.ispkg else path.with_suffix(".py")
        if re.search(r"^ *>>> ", source.read_text(encoding="utf-8"), re.MULTILINE):
            found.append(info.name)
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings(name: str):
    done = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert done.failed == 0


def test_the_face_has_examples():
    assert {"serlab.data", "serlab.labels", "serlab.methods", "serlab.protocols"} <= set(
        modules_with_examples()
    )


# --- data and files ----------------------------------------------------------------


def test_a_corpus_of_your_own(tmp_path: Path):
    page = DOCS / "tutorials" / "own-corpus.md"
    (text,) = (block.text for block in blocks(page) if block.text.startswith("path,speaker,label"))
    folder = tmp_path / "mycorpus"
    (folder / "audio").mkdir(parents=True)
    for number in range(1, 5):
        (folder / "audio" / f"{number:03}.wav").write_bytes(noise(".wav", seed=number))
    (folder / "corpus.csv").write_text(text, encoding="utf-8")
    table = corpora.read_many(["mycorpus"], tmp_path)
    assert list(table["native_label"]) == ["anger", "neutral"] * 2
    assert table["speaker"].nunique() == 2

    (folder / "corpus.csv").write_text(text.replace("anna,neutral", "anna,hapy"), encoding="utf-8")
    (message,) = (block.text for block in blocks(page) if block.text.startswith("serlab: "))
    with pytest.raises(serlab.SerlabError) as error:
        corpora.read_many(["mycorpus"], tmp_path)
    shown = message.removeprefix("serlab: …/mycorpus/").split("…")[0].strip()
    assert str(error.value).removeprefix(f"{folder}/").startswith(shown)


def test_the_citation_is_one():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0"
    assert {"title", "message", "authors"} <= set(cited)
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
    assert f"## {project['version']}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: Path):
    # On the site the build checks them; README and CONTRIBUTING are read elsewhere too.
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_readme_is_short():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert (ROOT / picture).stat().st_size > 10_000
