"""The command that says which recordings to label next, and whether such plans are worth it: label-plan."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from serlab.cli.command import Command, data_option, print_table, progress_line, words
from serlab.cli.deployment import asked, asked_options
from serlab.errors import ParameterError
from serlab.wording import count

if TYPE_CHECKING:
    import pandas as pd


def _declare(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", nargs="?", help="folder that serlab train has kept")
    add("recordings", metavar="FILE|FOLDER", nargs="*", help="recordings without labels")
    add("-n", metavar="N", type=int, default=20, help="how many to label (default: 20)")
    add(
        "--strategy", metavar="NAME", default="random",
        help="random, uncertain, diverse, spread or both (default: random)",
    )  # fmt: skip
    add("--seed", metavar="N", type=int, default=0, help="of what is drawn (default: 0)")
    add("--csv", metavar="FILE", help="write the list, with an empty column for the label")
    asked_options(parser)
    add("--simulate", metavar="NAMES", type=words, help="judge the strategies on corpora with labels instead")
    add("--features", metavar="NAME", default="egemaps", help="for --simulate (default: egemaps)")
    add("--png", metavar="FILE", help="for --simulate: write the figure")
    data_option(parser)


def _run(options: argparse.Namespace) -> int:
    if options.simulate is not None:
        if options.model or options.recordings:
            raise ParameterError("--simulate takes corpora with labels, and neither a model nor recordings")
        return _simulate(options)
    if not options.model or not options.recordings:
        raise ParameterError("name a model and recordings, or --simulate emodb,nemo,urdu")
    return _plan(options)


def _plan(options: argparse.Namespace) -> int:
    from serlab import deployment, files
    from serlab.evaluation import acquisition

    model = deployment.load_model(options.model)
    # Before anything is read: a name that is wrong is said at once.
    acquisition.require_known(options.strategy, options.n)
    if options.adapt is None:
        options.adapt = options.recordings
    found = asked(model, options)
    rows = acquisition.choose(options.strategy, found.vectors, found.proba, options.n, seed=options.seed)
    plan = found.table.iloc[rows][["file", "answer", "confidence"]].reset_index(drop=True)
    plan.insert(0, "rank", plan.index + 1)
    plan.insert(2, "label", "")
    if options.csv:
        files.write_table(Path(options.csv), plan)
    print_table(
        ("rank", "recording", "answer so far", "confidence"),
        [(str(r.rank), r.file, r.answer, f"{r.confidence:.2f}") for r in plan.itertuples()],
    )
    print(
        f"\n{len(plan)} of {len(found.table)} recordings, {options.strategy}; labels are "
        f"{', '.join(model.classes)}."
    )
    for note in found.notes:
        print(f"Note: {note}")
    if len(found.skipped):
        skipped = count(len(found.skipped), "recording")
        print(f"{skipped} not used; the first: {found.skipped['reason'].iloc[0]}")
    print("Listen before you look at the answer: a label that follows the model teaches it nothing.")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    import pandas as pd

    from serlab.experiment import Parameters, Session
    from serlab.studies import label_plan

    corpora = options.simulate
    if len(corpora) < 2:
        raise ParameterError("--simulate needs two corpora or more: each is the target in turn")
    tables = []
    for target in corpora:
        parameters = Parameters(
            target=target, sources=tuple(name for name in corpora if name != target),
            features=options.features, methods=(label_plan.BEFORE, label_plan.AFTER), baseline="ridge-target",
            data=options.data or "",
        )  # fmt: skip
        session = Session(parameters, progress=progress_line())
        table = label_plan.uar_table(session, label_plan.simulate(session))
        print(f"\n{target}, from {', '.join(parameters.sources)}: UAR on speakers who are not labelled")
        _print_simulated(table)
        if options.png:
            _draw(table, Path(options.png), target)
        tables.append(table)
    means = pd.concat(tables).groupby(["strategy", "labels"], sort=False)[["uar", "over_random"]].mean()
    print(f"\nMean over {len(corpora)} targets")
    rows = [(s, str(n), f"{r.uar:.3f}", _signed(r.over_random)) for (s, n), r in means.iterrows()]
    print_table(("strategy", "labels", "UAR", "over random"), rows)
    return 0


def _print_simulated(table: pd.DataFrame) -> None:
    from serlab.evaluation import intervals

    rows = [
        (
            row.strategy,
            str(row.labels),
            intervals.text(row.uar, row.uar_low, row.uar_high, decimals=3),
            intervals.text(row.over_random, row.over_random_low, row.over_random_high, decimals=3, sign=True)
            if row.over_random == row.over_random
            else "",
        )
        for row in table.itertuples()
    ]
    print_table(("strategy", "labels", f"UAR {intervals.HEADING}", "over random"), rows)


def _signed(value: float) -> str:
    return f"{value:+.3f}" if value == value else ""


def _draw(table: pd.DataFrame, path: Path, target: str) -> None:
    from serlab import files, plotting

    own = path.with_name(f"{path.stem}-{target}{path.suffix}")
    with files.whole(own) as unfinished:
        unfinished.write_bytes(plotting.png(plotting.plot_label_plans(table, title=target)))


COMMANDS = (
    Command(
        name="label-plan",
        help="which recordings to label next, as a list to fill in; or what such plans are worth",
        declare=_declare,
        run=_run,
    ),
)
