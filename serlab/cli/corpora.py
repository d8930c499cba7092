"""Commands about corpora: corpora, validate, download."""

from __future__ import annotations

import argparse
import json

from serlab.cli.command import Command, data_option, print_table, progress_line

#: Headings of what is installed, and of what is not.
_INSTALLED = ("name", "language", "what is there", "emotions", "licence", "publish")
_OTHERS = ("name", "language", "published", "licence", "publish")


def _declare_corpora(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print all that is known as JSON")
    data_option(parser)


def _corpora(options: argparse.Namespace) -> int:
    from serlab import corpora, data

    rows = corpora.overview(options.data).to_dict("records")
    if options.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    there, others, unread = [], [], []
    for row in rows:
        sizes = {"utterances": row["utterances"], "speakers": row["speakers"], "minutes": row["minutes"]}
        size = ", ".join(f"{n} {what}" for what, n in sizes.items() if n)
        ends = (row["licence"], row["publishable"])
        if row["installed"] == "no":
            others.append((row["name"], row["language"], size, *ends))
        else:
            wrong = row["installed"] == "unreadable"
            unread += [f"{row['name']}: {row['emotions']}"] if wrong else []
            cells = ("unreadable, see below", "") if wrong else (size, row["emotions"])
            there.append((row["name"], row["language"], *cells, *ends))
    print_table(_INSTALLED, there)
    for text in unread:
        print(f"\n{text}")
    if others:
        print("\nNot installed (`serlab validate NAME` says where to get it):\n")
        print_table(_OTHERS, others)
    if folders := corpora.unread(options.data):
        print(
            f"\nFolders of recordings without a table, so no corpora yet: {', '.join(folders)}. "
            "`serlab validate NAME` says how to make one"
        )
    print(f"\nData root: {data.data_root(options.data)}. Each corpus lives in a folder of its name.")
    print("publish: may a run be published, as far as the licence says? yes: with the features it keeps;")
    print("scores only: without them; ask: no terms are known.")
    return 0


def _declare_validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="CORPUS")
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    data_option(parser)


def _validate(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.corpora import validation

    corpus = corpora.get(options.name, options.data)
    report = validation.validate(corpus, options.data, progress=progress_line())
    print(json.dumps(report.as_dict(), indent=1, ensure_ascii=False) if options.json else report.text())
    return 0 if report.ok else 1


def _declare_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="CORPUS")
    parser.add_argument(
        "--hash", metavar="HASH", help="sha256:... of a copy you trust, where the publisher states none"
    )
    data_option(parser)


def _download(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.corpora import downloading

    corpus = corpora.get(options.name, options.data)
    folder = downloading.download(corpus, options.data, known_hash=options.hash, progress=progress_line())
    print(folder)
    return 0


COMMANDS = (
    Command(
        name="corpora",
        help="list corpora: what is installed, how much, and under which licence",
        declare=_declare_corpora,
        run=_corpora,
    ),
    Command(
        name="validate",
        help="compare an installed corpus with what its publisher says",
        declare=_declare_validate,
        run=_validate,
    ),
    Command(
        name="download",
        help="fetch a corpus that has an open address",
        declare=_declare_download,
        run=_download,
    ),
)
