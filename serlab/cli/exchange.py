"""Commands that bring corpora from and to the formats of others: import, export."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from serlab.cli.command import Command, assignment, data_option
from serlab.errors import ParameterError, SerlabError
from serlab.wording import count

FORMATS = ("audformat", "huggingface")
READ = (*FORMATS, "table", "names")


def _declare_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("format", metavar="FORMAT", choices=READ, help=", ".join(READ))
    add("folder", metavar="PATH", help="folder of the database, dataset or recordings, or the table")
    add("name", metavar="NAME", help="of the corpus that it becomes")
    add(
        "-c", "--column", metavar="NAME=COLUMN", action="append", default=[], type=assignment,
        help="which column is label, speaker, text_id ..., where it has an unusual name; path may be a "
        "pattern: path='{speaker}/{label}/{text_id}'",
    )  # fmt: skip
    add(
        "-l", "--label", metavar="LABEL=EMOTION", action="append", default=[], type=assignment,
        help="what a label means, such as wut=anger; repeatable",
    )  # fmt: skip
    add("--language", metavar="TAG", default="", help="of all recordings: de, fr-CA, zh")
    add("--table", metavar="NAME", action="append", default=[], help="read this table or file only")
    add("--copy", action="store_true", help="copy the audio, too (default: it stays where it is)")
    add("--force", action="store_true", help="replace a corpus.csv that is there")
    data_option(parser)


def _import(options: argparse.Namespace) -> int:
    from serlab.corpora import csv_corpus, exchange
    from serlab.corpora.exchange import base

    target = base.default_folder(options.name, options.data)
    if (target / csv_corpus.FILE_NAME).exists() and not options.force:
        raise ParameterError(f"{target / csv_corpus.FILE_NAME} is there already; --force replaces it")
    source = Path(options.folder).expanduser().absolute()
    imported = exchange.READ[options.format].read(
        source, columns=dict(options.column), tables=tuple(options.table), into=target
    )
    imported = base.with_settings(imported, labels=dict(options.label), language=options.language)
    table = base.write_corpus(imported, target, copy=options.copy, force=options.force)
    print(f"{table}: {count(len(imported.rows), 'utterance')}")
    for note in (*imported.notes, *base.counted(imported)):
        print(f"- {note}")
    try:
        read = csv_corpus.from_csv(table, options.name)
    except SerlabError as error:
        raise type(error)(f"written, but it has to be completed before it can be used:\n{error}") from None
    for note in csv_corpus.remarks(read):
        print(f"- {note}")
    print(f"Next: serlab validate {options.name}")
    return 0


def _declare_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("format", metavar="FORMAT", choices=FORMATS, help=" or ".join(FORMATS))
    add("name", metavar="CORPUS")
    add("folder", metavar="DIR", help="new or empty")
    add("--no-audio", action="store_true", help="tables only: recordings may not always be passed on")
    data_option(parser)


def _export(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.corpora import exchange
    from serlab.corpora.exchange import base

    folder = Path(options.folder).expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ParameterError(f"{folder} is there already; give a new or empty folder")
    corpus = corpora.get(options.name, options.data)
    table = corpus.read(options.data)
    absent = [] if options.no_audio else base.absent(table)
    print(exchange.FORMATS[options.format].write(table, folder, corpus=corpus, audio=not options.no_audio))
    print(f"{count(len(table), 'utterance')}. Licence: {corpus.license}")
    if absent:
        print(
            f"Recordings that tables name and that are not there to be copied: {len(absent)}, the first is "
            f"{absent[0]}. Get them again, or take their rows out",
            file=sys.stderr,
        )
        return 1
    return 0


COMMANDS = (
    Command(
        name="import",
        help="make a corpus of a table, of names of files, of audformat, of a dataset folder of Hugging Face",
        declare=_declare_import,
        run=_import,
    ),
    Command(
        name="export",
        help="write a corpus as audformat database or as dataset folder of Hugging Face",
        declare=_declare_export,
        run=_export,
    ),
)
