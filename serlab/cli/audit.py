"""The command audit: is a given split what it claims?"""

from __future__ import annotations

import argparse
import json

from serlab.cli.command import Command, data_option, print_table, progress_line


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("list", metavar="FILE", help="CSV, JSON or text, or a folder of them, a file a part")
    parser.add_argument("--corpus", metavar="NAME", required=True, help="installed corpus that it divides")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument(
        "--no-audio", action="store_true", help="look at names only: copies of recordings are not found"
    )
    data_option(parser)


def _audit(options: argparse.Namespace) -> int:
    from serlab import corpora
    from serlab.corpora import split_lists
    from serlab.evaluation import given_splits

    table = corpora.get(options.corpus, options.data).read(options.data)
    listed = split_lists.listed(table, options.list)
    found = given_splits.audit(listed, hear=not options.no_audio, progress=progress_line())
    if options.json:
        print(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
        return 0 if found.ok else 1
    print(f"{options.list}: a split of {found.corpus}\n")
    rows = [
        [str(row[0]), *("not heard" if value != value else f"{value:g}" for value in row[1:])]
        for row in found.folds.itertuples(index=False, name=None)
    ]
    print_table([name.replace("shared", "shared*") for name in found.folds.columns], rows)
    print("* tested utterances whose speaker, sentence or recording is in train or validation")
    if found.unlisted:
        print(f"{found.unlisted} utterances of the corpus are in no part")
    if found.unknown:
        print(f"{found.unknown} names are of no utterance that is installed: {listed.unknown[0]} ...")
    print(f"\nBadge: {found.badge or 'none: no speaker and no recording is shared'}\n")
    if len(found.findings):
        columns = ["severity", "check", "fold", "finding", "remedy"]
        print_table(columns, found.findings[columns].astype(str).to_numpy().tolist())
    return 0 if found.ok else 1


COMMANDS = (
    Command(
        name="audit",
        help="say whether a given split shares speakers, sentences or recordings",
        declare=_declare,
        run=_audit,
    ),
)
