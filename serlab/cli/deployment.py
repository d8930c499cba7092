"""Commands that keep a model and ask it: train, predict."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from serlab.cli.command import Command, data_option, print_table, progress_line, words
from serlab.errors import ParameterError
from serlab.wording import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from serlab.deployment import Model, Predicted

#: Rows of a table that are printed; a CSV has them all.
_MOST_ROWS = 40


# --- train -------------------------------------------------------------------------------


def _declare_train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--sources", metavar="NAMES", type=words, required=True, help="corpora with commas between them")
    add("--out", metavar="DIR", required=True, help="folder of the model")
    add(
        "--method",
        metavar="NAME",
        default="ridge",
        help="ridge, nested, cautious, svm or rf (default: ridge)",
    )
    add("--features", metavar="NAME", default="egemaps", help="feature set of vectors (default: egemaps)")
    add("--encoder", metavar="NAME", default="", help="pretrained speech encoder, instead of --features")
    add("--scheme", metavar="NAME", default="four", help="label scheme (default: four)")
    add(
        "--calibration", metavar="NAME", default="best",
        help="temperature, isotonic, none, or best on corpora that have no part in it (default: best)",
    )  # fmt: skip
    add("--jobs", metavar="N", type=int, default=1, help="threads (default: 1)")
    add("--force", action="store_true", help="replace a model that is there")
    data_option(parser)


def _train(options: argparse.Namespace) -> int:
    from serlab import deployment
    from serlab.progress import Watch

    model = deployment.train(
        options.sources, out=options.out, method=options.method, features=options.features,
        encoder=options.encoder, scheme=options.scheme, data=options.data, force=options.force,
        calibration=options.calibration, jobs=options.jobs, watch=Watch(progress=progress_line()),
    )  # fmt: skip
    _print_train(model, Path(options.out))
    return 0


def _print_train(model: Model, out: Path) -> None:
    from serlab.deployment import card

    values = json.loads((out / "card.json").read_text("utf-8"))
    print(f"{out}: {', '.join(model.classes)}; learned from {', '.join(s.name for s in model.sources)}.")
    print(card.headline(model).replace("**", "").replace("`", ""))
    for sentence in (*values["notes"], *values["terms"]):
        print(sentence)
    print(f"All of it, and what it must not be used for: {out / 'README.md'}")


# --- predict -----------------------------------------------------------------------------


def _declare_predict(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="folder that serlab train has kept")
    add("recordings", metavar="FILE|FOLDER", nargs="+")
    add("--estimate", action="store_true", help="say which UAR to expect on these, without their labels")
    add("--risk", metavar="SHARE", type=float, help="abstain where more than this share would be wrong: 0.2")
    add("--window", metavar="SECONDS", type=float, help="length of the windows of long recordings")
    add("--csv", metavar="FILE", help="write the answers as CSV; windows beside it as FILE-over-time.csv")
    asked_options(parser)


def asked_options(parser: argparse.ArgumentParser) -> None:
    """What is known of recordings that a model is asked about."""
    add = parser.add_argument
    add(
        "--adapt",
        metavar="FOLDER",
        nargs="+",
        help="recordings of the same kind, without labels, to adapt to",
    )
    add(
        "--speakers", metavar="folders|FILE",
        help="who speaks: a folder a speaker, or a CSV with columns file and speaker (with --adapt)",
    )  # fmt: skip
    add("--language", metavar="CODE", default="", help="of the recordings: de, en ...")
    add(
        "--encoder",
        metavar="DIR",
        default="",
        help="the model's encoder, if not under SERLAB_MODELS",
    )
    add("--jobs", metavar="N", type=int, help="recordings read at once (default: one a processor)")


def asked(
    model: Model, options: argparse.Namespace, *, risk: float | None = None, window: float | None = None
) -> Predicted:
    """Ask a model as the options say."""
    from serlab.deployment import predicting
    from serlab.progress import Watch

    return predicting.predict(
        model, options.recordings, adapt=options.adapt, speakers=_speakers(options.speakers),
        language=options.language, encoder=options.encoder, jobs=options.jobs,
        risk=risk, window=window, watch=Watch(progress=progress_line()),
    )  # fmt: skip


def _speakers(given: str | None) -> str | Mapping[str, str] | None:
    if given is None or given == "folders":
        return given
    import pandas as pd

    try:
        table = pd.read_csv(given, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"--speakers {given}: {error}; write folders, or a CSV with columns file and speaker"
        ) from None
    if not {"file", "speaker"} <= set(table):
        raise ParameterError(f"{given} has the columns {', '.join(table)}; it needs file and speaker")
    return dict(zip(table["file"], table["speaker"], strict=True))


def _predict(options: argparse.Namespace) -> int:
    from serlab import deployment, files

    model = deployment.load_model(options.model)
    found = asked(model, options, risk=options.risk, window=options.window)
    if options.csv:
        files.write_table(Path(options.csv), found.table)
        if len(found.over_time):
            path = Path(options.csv)
            files.write_table(path.with_name(f"{path.stem}-over-time{path.suffix}"), found.over_time)
    _print_answers(found)
    if options.estimate:
        _print_estimate(model.estimate(found))
    return 0


def _print_answers(found: Predicted) -> None:
    from serlab.deployment import familiar

    table = found.table
    rows = [
        (
            name,
            row.answer if row.answered else f"- ({row.answer})",
            f"{row.confidence:.2f}",
            row.warnings,
        )
        for name, row in zip(_shortest(table["file"]), table.head(_MOST_ROWS).itertuples(), strict=False)
    ]
    print_table(("recording", "answer", "confidence", "warnings"), rows)
    if len(table) > _MOST_ROWS:
        print(f"... and {len(table) - _MOST_ROWS} more (--csv FILE writes all)")
    if len(table) == 1 and len(found.over_time):
        print()
        _print_over_time(found.over_time)
    given = table[table["answered"]]
    shares = given["answer"].value_counts()
    print(
        f"\n{count(len(table), 'recording')}"
        + (f", {len(table) - len(given)} without an answer" if len(given) < len(table) else "")
    )
    print("; ".join(f"{name} {n / max(len(given), 1):.0%}" for name, n in shares.items()))
    far = (table["stranger_than"] >= familiar.FAR).sum()
    if far:
        lie = "lies" if far == 1 else "lie"
        print(f"{far} of them {lie} far from what it has learned: its card does not speak of such recordings")
    for note in found.notes:
        print(f"Note: {note}")
    if len(found.skipped):
        print(f"{count(len(found.skipped), 'recording')} cannot be used:")
        for row in found.skipped.head(_MOST_ROWS).itertuples():
            print(f"  {row.reason}")


def _shortest(paths: Sequence[str]) -> list[str]:
    """Names of files; with the folders in which they differ, where two have one name."""
    names = [Path(path).name for path in paths]
    if len(set(names)) == len(names):
        return names
    folders = os.path.commonpath([Path(path).absolute().parent for path in paths])
    return [str(Path(path).absolute().relative_to(folders)) for path in paths]


def _print_over_time(table: pd.DataFrame) -> None:
    rows = [
        (f"{row.start:.1f}-{row.end:.1f} s", row.answer, f"{row.confidence:.2f}")
        for row in table.head(_MOST_ROWS).itertuples()
    ]
    print_table(("window", "answer", "confidence"), rows)
    if len(table) > _MOST_ROWS:
        print(f"... and {len(table) - _MOST_ROWS} more windows (--csv FILE writes all)")


def _print_estimate(table: pd.DataFrame) -> None:
    def off(mean: float, worst: float, n: float) -> str:
        return f"{mean:.2f}, at most {worst:.2f}" if n == n else "not known: more sources would tell"

    print("\nWhat to expect here, from answers alone, and how far that was off on corpora left out:")
    rows = [
        (
            row.estimate,
            f"{row.uar:.2f}",
            off(row.uar_error, row.uar_worst, row.corpora),
            f"{row.accuracy:.2f}",
        )
        for row in table.itertuples()
    ]
    print_table(("estimate", "UAR", "off by (UAR)", "accuracy"), rows)


COMMANDS = (
    Command(
        name="train",
        help="keep a model of several corpora as a folder, with a card of how it did on each left out",
        declare=_declare_train,
        run=_train,
    ),
    Command(
        name="predict",
        help="ask a kept model about recordings: calibrated answers, abstention, warnings, expected UAR",
        declare=_declare_predict,
        run=_predict,
    ),
)
