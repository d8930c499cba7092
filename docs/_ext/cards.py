"""One page a published corpus, its card: what is stated, and what was found in a copy.

Cards are written before the build into ``reference/corpora`` (ignored by git).
What was found is measured, not typed: ::

    python docs/_ext/cards.py emodb nemo

validates copies below the data root and keeps what it finds in
``docs/_ext/found/<name>.json``, without paths; those files are committed.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

FOUND = Path(__file__).parent / "found"
#: Most speakers of which a table is shown.
MOST_SPEAKERS = 45

SPEECH: dict[str, str] = {
    "acted": "acted",
    "elicited": "elicited",
    "spontaneous": "spontaneous",
    "synthetic": "made by serlab",
    "unknown": "not said",
}


def card(name: str) -> str:
    """The page of one corpus, as Markdown."""
    from generated import code

    from serlab import corpora

    corpus = corpora.CORPORA[name]
    terms = corpus.terms
    module = importlib.import_module(corpus.reader.__module__)
    about = _plain((module.__doc__ or "").strip())
    scripted = {True: "scripted", False: "not scripted", None: ""}[corpus.scripted]
    sound = [
        " or ".join(f"{rate:,} Hz" for rate in corpus.sampling_rates),
        " or ".join({1: "mono", 2: "stereo"}.get(n, f"{n} channels") for n in corpus.channels),
        "{} to {} s".format(*corpus.seconds) if corpus.seconds else "",
    ]
    sizes = [
        f"{sum(corpus.expected.values()):,} utterances" if corpus.expected else "",
        f"{corpus.expected_speakers} speakers" if corpus.expected_speakers else "",
        f"{corpus.expected_texts} sentences or words" if corpus.expected_texts else "",
    ]
    facts = {
        "Language": corpus.language,
        "Speech": _joined(SPEECH[corpus.speech], scripted),
        "Published": _joined(*sizes),
        "Sound": _joined(*sound),
        "Licence": _text(corpus.license),
        "Allows": f"to pass it on: {terms.redistribution}; to publish what is made from it: "
        f"{terms.derivatives}; commercial use: {terms.commercial}",
        "May a run be published": _joined(terms.publishable, *terms.conditions),
        "Cite": _text(corpus.citation),
        "Where to get it": _text(corpus.how_to_get),
        "Download": f"`serlab download {name}`. {corpus.download.note}" if corpus.download else "",
        "Folder": f"`<data>/{name}/`, with files such as {code(corpus.layout)}",
    }
    lines = [f"# {corpus.title} (`{name}`)", about]
    lines += [f"{term}\n: {text}" for term, text in facts.items() if text]
    if corpus.expected:
        lines += ["## Labels", _labels(corpus)]
    if corpus.caveats:
        lines += ["## Know that", _items(corpus.caveats)]
    return "\n\n".join([*lines, *_copy(name)]) + "\n"


def _plain(text: str) -> str:
    """Roles and double backticks of reStructuredText as Markdown."""
    text = re.sub(r":(\w+):`([^`]+)`", r"{py:\1}`~\2`", text)
    return text.replace("``", "`")


def _text(text: str) -> str:
    """Text with addresses as links, and <data> as it is written."""
    from generated import linked

    return linked(text.replace("<data>", "&lt;data&gt;"))


def _joined(*texts: str) -> str:
    return ", ".join(text for text in texts if text)


def _items(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _labels(corpus: Any) -> str:
    from generated import code, table

    rows = [(code(label), corpus.labels.get(label, label), f"{n:,}") for label, n in corpus.expected.items()]
    return table(("native label", "emotion", "published"), rows)


def _copy(name: str) -> list[str]:
    """What was found in a copy, if one was looked at."""
    path = FOUND / f"{name}.json"
    if not path.is_file():
        return ["## Found in a copy", "No copy was at hand: all above is what was read or told of it."]
    found = json.loads(path.read_text(encoding="utf-8"))
    parts = [
        "## Found in a copy",
        f"By `serlab validate {name}` of serlab {found['version']}, in a copy with {found['utterances']:,} "
        "utterances; yours may differ.",
        _items(f"{row['severity']}, {row['check']}: {row['finding']}" for row in found["findings"]),
    ]
    return parts + _speakers(found["speakers"])


def _speakers(rows: Sequence[dict[str, Any]]) -> list[str]:
    from generated import code, table

    if not rows or len(rows) > MOST_SPEAKERS:
        return []
    emotions = [key for key in rows[0] if key != "speaker"]
    cells = [
        (code(row["speaker"].partition("/")[2]), *(row[emotion] for emotion in emotions)) for row in rows
    ]
    return ["Utterances of each speaker:", table(("speaker", *emotions), cells)]


def names() -> list[str]:
    """Published corpora, in the order of the registry."""
    from serlab import corpora

    return [name for name, corpus in corpora.CORPORA.items() if not corpus.embedded]


def write(app: Any) -> None:
    """Write cards that have changed, remove those of corpora that are gone."""
    folder = Path(app.srcdir) / "reference" / "corpora"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{name}.md": card(name) for name in names()}
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def look(name: str) -> Path:
    """Validate the copy below the data root and keep what is found."""
    import serlab
    from serlab import corpora
    from serlab.corpora import validation

    report = validation.validate(corpora.get(name))
    findings = report.findings.astype({"severity": str})
    found = {
        "version": serlab.__version__,
        "utterances": len(report.files),
        "findings": findings[["severity", "check", "finding"]].to_dict("records"),
        "speakers": report.speakers.reset_index().to_dict("records"),
    }
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{name}.json"
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def setup(app: Any) -> dict[str, Any]:
    app.connect("builder-inited", write, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    for chosen in sys.argv[1:] or names():
        print(look(chosen))
