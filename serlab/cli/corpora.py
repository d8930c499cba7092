"""Commands about corpora: corpora, validate, download."""

from __future__ import annotations

import argparse
import json

from serlab.cli.command import Command, data_option, print_table, progress_line


def _corpora(options: argparse.Namespace) -> int:
    from serlab import corpora, data

    table = corpora.overview(options.data)
    print_table(list(table.columns), table.to_numpy().tolist())
    print(f"\nData root: {data.data_root(options.data)}. Each corpus lives in a folder of its name.")
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
        help="list corpora, and which are installed",
        declare=data_option,
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
