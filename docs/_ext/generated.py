"""Lists that are read from the package while the site is built, never typed.

In a page::

    ```{generated} methods
    ```

stands for what :data:`LISTS` has under that name, as Markdown.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from api import first_line
from numpydoc.docscrape import ClassDoc
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from serlab import cli, corpora, experiment, features, labels, methods, normalization
from serlab.experiment.further import STUDIES
from serlab.pretrained import heard
from serlab.reporting import notebooks


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    return " ".join(linked(str(value)).replace("|", r"\|").split())


def linked(text: str) -> str:
    """Addresses as links."""
    return re.sub(r"https?://[^\s;,)]+[^\s;,).]", r"<\g<0>>", text)


def code(text: object) -> str:
    return f"`{text}`" if str(text) else ""


def method_list() -> str:
    """Every method, family by family, in the order of the registry."""
    parts = []
    for family in methods.FAMILIES:
        rows = (
            (
                code(spec.name), spec.title, spec.access, spec.normalization, spec.input, code(spec.control),
                spec.reference + (f" (extra `{methods.EXTRAS[spec.requires]}`)" if spec.requires else ""),
            )
            for spec in family.SPECS
        )  # fmt: skip
        header = ("name", "title", "sees of the target", "normalisation", "input", "control", "reference")
        name = family.__name__.rpartition(".")[2].replace("_", " ")
        about = f"{first_line(family)} ({{py:mod}}`{family.__name__}`)."
        parts.append(f"### {name}\n\n{about}\n\n{table(header, rows)}")
    return "\n\n".join(parts)


def group_list() -> str:
    """Names that stand for several methods."""
    return table(
        ("group", "methods"),
        ((code(name), ", ".join(map(code, members))) for name, members in methods.GROUPS.items()),
    )


def access_list() -> str:
    """What ``fit`` is given."""
    return table(
        ("access", "arguments of `fit`", "methods"),
        (
            (code(access), ", ".join(map(code, arguments)), _count(access))
            for access, arguments in methods.FIT_ARGUMENTS.items()
        ),
    )


def scope_list() -> str:
    """Scopes of normalisation, and how many methods use each."""
    used = [spec.normalization for spec in methods.METHODS.values()]
    return table(
        ("scope", "what it does", "methods"),
        ((code(name), text, used.count(name)) for name, text in normalization.SCOPES.items()),
    )


def extra_list() -> str:
    """Extras of the package, with the comment above each in pyproject.toml."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    rows, comment = [], []
    for line in text.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0].splitlines():
        if line.startswith("#"):
            comment.append(line.lstrip("# "))
        elif found := re.match(r"([a-z]+) = ", line):
            rows.append((code(found[1]), " ".join(comment)))
            comment = []
    return table(("extra", "for"), rows)


def heard_list() -> str:
    """What published encoders have heard."""
    found = heard.table()
    rows = (
        (
            code(row.model), row.languages + ("" if row.complete else " and others"), row.pretrained_on,
            row.tuned_on, row.source + ("" if row.checked else " (in part unchecked)"),
        )
        for row in found.itertuples()
    )  # fmt: skip
    return table(
        ("model", "languages", "corpora heard", "corpora whose emotions it learned", "who says so"), rows
    )


def _count(access: str) -> int:
    return sum(spec.access == access for spec in methods.METHODS.values())


def feature_list() -> str:
    """Feature sets with licence."""
    return table(
        ("name", "gives", "what it is", "licence", "reference"),
        (
            (code(name), found.kind, found.title, found.license, found.reference)
            for name, found in features.FEATURE_SETS.items()
        ),
    )


def prefix_list() -> str:
    """Feature sets that are named by a prefix and a model."""
    return table(
        ("name", "what it is"),
        ((code(f"{prefix}:MODEL"), _plain(first_line(make))) for prefix, make in features.PREFIXES.items()),
    )


def scheme_list() -> str:
    """Label schemes: classes, what becomes what, what is left out."""
    parts = []
    for name, scheme in labels.SCHEMES.items():
        becomes = {
            emotion: target for emotion, target in scheme.mapping.items() if target not in (None, emotion)
        }
        lines = [
            f"Classes\n: {', '.join(scheme.classes)}",
            f"Left out\n: {', '.join(scheme.left_out) or 'nothing'}",
        ]
        if becomes:
            lines.append("Becomes\n: " + ", ".join(f"{old} → {new}" for old, new in becomes.items()))
        if scheme.dimension:
            thresholds = ", ".join(
                f"{name} above {corpus.thresholds[scheme.dimension]:g}"
                for name, corpus in corpora.CORPORA.items()
                if scheme.dimension in corpus.thresholds
            )
            lines.append(f"Where a corpus has ratings\n: the second class is {thresholds}")
        lines.append(f"Source\n: {scheme.source}")
        parts.append(f"## `{name}`\n\n" + "\n\n".join(lines))
    return "\n\n".join(parts)


def emotion_list() -> str:
    """The vocabulary."""
    return ", ".join(map(code, labels.EMOTIONS))


def corpus_list() -> str:
    """One row a corpus, with a link to its card."""
    return table(
        ("name", "corpus", "language", "speech", "utterances", "speakers", "licence", "publish a run"),
        (
            (
                code(name) if corpus.embedded else f"[{code(name)}](corpora/{name}.md)",
                corpus.title, corpus.language, corpus.speech, sum(corpus.expected.values()) or "",
                corpus.expected_speakers or "", corpus.license, corpus.terms.publishable,
            )
            for name, corpus in corpora.CORPORA.items()
        ),
    )  # fmt: skip


def parameter_list() -> str:
    """Parameters of a run: name, default, what it may be."""
    texts = {entry.name: entry for entry in ClassDoc(experiment.Parameters)["Attributes"]}
    rows = []
    for field in dataclasses.fields(experiment.Parameters):
        if field.name == "options":  # a list of its own
            continue
        default = "" if field.default is dataclasses.MISSING else code(_shown(field.default))
        entry = texts[field.name]
        kind = entry.type.replace("{", "").replace("}", "")
        rows.append((code(field.name), kind, default, _plain(" ".join(entry.desc))))
    return table(("parameter", "type", "default", "what it says"), rows)


def option_list() -> str:
    """Parameters that families of methods declare."""
    return table(
        ("parameter", "type", "default", "what it says"),
        (
            (code(name), type(option.default).__name__, code(_shown(option.default)), option.help)
            for name, option in methods.OPTIONS.items()
        ),
    )


def study_list() -> str:
    """What may be asked beside the methods, and by which notebooks."""
    found: dict[str, list[str]] = {name: [] for name in STUDIES}
    for notebook, path in notebooks.available().items():
        declared = notebooks.parameters(path).get("studies")
        for name in () if declared is None else declared.default:
            found[name].append(notebook.split("_")[0])
    rows = ((code(name), STUDIES[name].title, ", ".join(own)) for name, own in found.items())
    return table(("study", "what it shows", "notebooks"), rows)


def _shown(value: Any) -> str:
    return (",".join(map(str, value)) if isinstance(value, tuple) else str(value)) or '""'


def _plain(text: str) -> str:
    """Roles and double backticks of reStructuredText as Markdown."""
    text = re.sub(r":(\w+):`([^`]+)`", r"{py:\1}`~\2`", text)
    return text.replace("``", "`")


def command_overview() -> str:
    """``serlab --help``."""
    return f"```text\n{_help()}```"


def command_list() -> str:
    """``serlab COMMAND --help`` of every command."""
    return "\n\n".join(f"## `serlab {one.name}`\n\n```text\n{_help(one.name)}```" for one in cli.COMMANDS)


def _help(*command: str) -> str:
    os.environ["COLUMNS"] = "80"  # argparse breaks lines at the width of a terminal
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
        cli.main([*command, "--help"])
    return written.getvalue()


#: Name in a page -> function that gives Markdown.
LISTS: dict[str, Callable[[], str]] = {
    "access": access_list,
    "command-overview": command_overview,
    "commands": command_list,
    "corpora": corpus_list,
    "emotions": emotion_list,
    "extras": extra_list,
    "features": feature_list,
    "groups": group_list,
    "methods": method_list,
    "options": option_list,
    "parameters": parameter_list,
    "prefixes": prefix_list,
    "schemes": scheme_list,
    "heard": heard_list,
    "scopes": scope_list,
    "studies": study_list,
}


class Generated(SphinxDirective):
    """The directive ``generated``."""

    required_arguments = 1

    def run(self):
        if self.arguments[0] not in LISTS:
            raise self.error(f"unknown list {self.arguments[0]!r}; known: {', '.join(LISTS)}")
        return self.parse_text_to_nodes(LISTS[self.arguments[0]](), allow_section_headings=True)


def reread(app: Sphinx, env, added, changed, removed) -> list[str]:
    """Pages with lists are read at every build: what they are made from is not in them."""
    return [
        name for name in env.found_docs if "```{generated}" in Path(env.doc2path(name)).read_text("utf-8")
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("generated", Generated)
    app.connect("env-get-outdated", reread)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
