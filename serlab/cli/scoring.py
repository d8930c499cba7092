"""The command that measures anybody's predictions: score."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from serlab.cli.command import Command, assignment, data_option, print_table
from serlab.errors import ParameterError

if TYPE_CHECKING:
    from serlab.evaluation.answers import Answers
    from serlab.evaluation.differences import Difference


def _declare(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="CSV or Parquet: utterance, truth, predicted, speaker")
    add(
        "-c", "--column", metavar="NAME=COLUMN", action="append", default=[], type=assignment,
        help="which column is utterance, truth, predicted, speaker, fold or seed, where it has another name",
    )  # fmt: skip
    add("--corpus", metavar="NAME", help="corpus that knows speakers (and truth), where the file does not")
    add("--scheme", metavar="NAME", help="label scheme that truth and answers are brought to")
    add(
        "--method", metavar="NAME", action="append", default=[],
        help="whose answers, where a file has a column method with several; twice to compare two",
    )  # fmt: skip
    add("--json", action="store_true", help="print as JSON")
    data_option(parser)


def _score(options: argparse.Namespace) -> int:
    from serlab import corpora, labels
    from serlab.evaluation import answers

    asked = _asked(options.files, options.method)
    known, scheme = None, labels.scheme(options.scheme) if options.scheme else None
    if options.corpus:
        known = corpora.get(options.corpus, options.data).read(options.data)
        said = scheme.apply(known)["emotion"].astype(object) if scheme else labels.emotions(known)
        known = known.assign(emotion=said.reindex(known.index))
    columns = dict(options.column)
    read = [
        answers.read(file, columns=columns, corpus=known, method=method, scheme=scheme)
        for file, method in asked
    ]
    names = [f"{file} ({method})" if method else file for file, method in asked]
    gain = answers.difference(*read) if len(read) == 2 else None
    if options.json:
        print(json.dumps(_values(names, read, gain), indent=1, ensure_ascii=False))
        return 0
    for name, own in zip(names, read, strict=True):
        _print(name, own)
    if gain is not None:
        _print_gain(names, gain)
    return 0


def _asked(files: Sequence[str], methods: Sequence[str]) -> list[tuple[str, str | None]]:
    """File and method of each set of answers, one or two."""
    if len(files) > 2 or len(methods) > 2:
        raise ParameterError(
            f"{len(files)} files and {len(methods)} methods; give one, or two to compare: two files, or "
            "one file and --method twice"
        )
    if len(files) == 1 < len(methods):
        return [(files[0], method) for method in methods]
    if len(methods) == len(files):
        return list(zip(files, methods, strict=True))
    return [(file, methods[0] if methods else None) for file in files]


def _values(files: Sequence[str], read: Sequence[Answers], gain: Difference | None) -> dict:
    from serlab.evaluation import answers

    return {
        "files": [
            {
                "file": file,
                "answers": len(own.table),
                "left_out": own.left_out,
                "utterances": own.table["utterance"].nunique(),
                "speakers": own.table["speaker"].nunique(),
                "measures": json.loads(answers.measure(own).to_json(orient="records")),
                "confusion": answers.confusion(own).to_dict("index"),
            }
            for file, own in zip(files, read, strict=True)
        ],
        "difference": None if gain is None else json.loads(json.dumps(asdict(gain)).replace("NaN", "null")),
    }


def _print(file: str, own: Answers) -> None:
    from serlab.evaluation import answers, intervals

    table, counts = own.table, answers.confusion(own)
    occur = int((counts.sum(axis=1) > 0).sum())
    print(
        f"{file}: {len(table)} answers to {table['utterance'].nunique()} utterances of "
        f"{table['speaker'].nunique()} speakers, {occur} classes (chance "
        f"{intervals.number(1 / occur, decimals=3)})"
    )
    if own.left_out:
        print(f"{own.left_out} answers are left out: their truth has no class in the scheme.")
    print()
    rows = [
        (
            row.measure.replace("recall_", "recall, ").replace("macro_f1", "macro F1").replace("uar", "UAR"),
            intervals.text(row.value, row.low, row.high, decimals=3),
            str(row.n),
        )
        for row in answers.measure(own).itertuples()
    ]
    print_table(("measure", f"value {intervals.HEADING}", "answers"), rows)
    print("\nHow often each truth (row) got each answer (column):")
    print_table(("truth", *counts.columns), [(name, *map(str, row)) for name, *row in counts.itertuples()])
    print()


def _print_gain(files: Sequence[str], gain: Difference) -> None:
    from serlab.evaluation import ALPHA, intervals

    text = intervals.text(gain.gain, gain.low, gain.high, decimals=3, sign=True)
    print(f"UAR of {files[0]} minus that of {files[1]}: {text}, p = {gain.p:.2g}")
    print(f"Over what both answered, paired by {gain.n_speakers} speakers.")
    if gain.least_p >= ALPHA:
        print(
            f"{gain.n_speakers} speakers cannot decide it: the smallest p that they can give is "
            f"{gain.least_p:.2g}, above {ALPHA:g}."
        )


COMMANDS = (
    Command(
        name="score",
        help="measure predictions of any toolkit, with intervals over speakers; compare two files",
        declare=_declare,
        run=_score,
    ),
)
