"""A card a corpus: stated facts from the registry, found ones from a validation that was kept."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from serlab import corpora
from tests.corpora import trees
from tests.docs.pages import DOCS

pytest.importorskip("sphinx")
pytest.importorskip("numpydoc")

PUBLISHED = [name for name, corpus in corpora.CORPORA.items() if not corpus.embedded]
FOUND = sorted((DOCS / "_ext/found").glob("*.json"))


@pytest.fixture(scope="module")
def cards() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS / "_ext")
        yield importlib.import_module("cards")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_card_says_what_the_registry_says(cards: ModuleType, name: str):
    corpus, text = corpora.get(name), cards.card(name)
    assert text.startswith(f"# {corpus.title} (`{name}`)\n")
    assert corpus.license.split(";")[0].split("(")[0].strip() in text
    assert f"May a run be published\n: {corpus.terms.publishable}" in text
    assert all(
        f"| `{label}` | {corpus.labels[label]} | {n:,} |" in text for label, n in corpus.expected.items()
    )
    assert all(caveat in text for caveat in corpus.caveats)
    assert "<data>/" not in re.sub(r"`[^`]*`", "", text)  # a browser would take it for a tag


def test_what_was_not_looked_at_says_so(cards: ModuleType):
    assert "No copy was at hand" in cards.card("iemocap")


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_of_a_corpus_and_names_no_folder(cards: ModuleType, path: Path):
    found = json.loads(path.read_text(encoding="utf-8"))
    text = cards.card(path.stem)
    assert f"in a copy with {found['utterances']:,} utterances" in text
    assert all(row["finding"] in text for row in found["findings"])
    assert not re.search(r"(?<![\w.)])/(?:home|work|tmp|mnt|Users)/", json.dumps(found))


def test_findings_are_measured(cards: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cards, "FOUND", tmp_path / "found")
    monkeypatch.setenv("SERLAB_DATA", str(tmp_path))
    trees.emodb.tree(tmp_path / "emodb", every=50)
    found = json.loads(cards.look("emodb").read_text(encoding="utf-8"))
    assert found["utterances"] == 11 and sum(row["anger"] for row in found["speakers"]) == 3
    assert "| speaker | anger | boredom |" in cards.card("emodb") and "| `14` | 0 | 0 |" in cards.card(
        "emodb"
    )


def test_pages_follow_the_registry(cards: ModuleType, tmp_path: Path):
    folder = tmp_path / "reference/corpora"
    folder.mkdir(parents=True)
    (folder / "gone.md").touch()
    cards.write(SimpleNamespace(srcdir=tmp_path))
    assert sorted(path.stem for path in folder.iterdir()) == sorted(PUBLISHED)
