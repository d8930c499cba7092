"""Commands about what can be made again: units, features."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from serlab import pruning
from serlab.cli.command import Command, print_table
from serlab.errors import ParameterError

#: Headings of ages, and days up to which they go.
_AGES = (("used today", 1.0), ("this week", 7.0), ("this month", 30.0), ("longer ago", float("inf")))


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prune", action="store_true", help="say what would be removed; --yes removes it")
    parser.add_argument(
        "--older-than", metavar="DAYS", type=float, help="with --prune: what was not used for so long"
    )
    parser.add_argument(
        "--above",
        metavar="SIZE",
        help="with --prune: the longest unused, until so much is left: 5GB",
    )
    parser.add_argument("--yes", action="store_true", help="with --prune: remove it")


def _declare_units(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--units", metavar="DIR", help="folder of finished units (default: that of run-plan)")
    _declare(parser)


def _units(options: argparse.Namespace) -> int:
    from serlab.cli.plans import units_folder
    from serlab.experiment.work import Store

    folder = units_folder(options.units)
    items = Store(folder).items()
    return _shown(options, folder, items, by_age, "methods and seeds with finished fits")


def _features(options: argparse.Namespace) -> int:
    from serlab import data
    from serlab.features import cache

    folder = data.cache_root()
    return _shown(options, folder / "features", cache.items(folder), by_title, "feature sets")


def _shown(
    options: argparse.Namespace,
    folder: Path,
    items: Sequence[pruning.Item],
    table: Callable[[Sequence[pruning.Item], float], list[tuple[str, ...]]],
    what: str,
) -> int:
    if not options.prune and (options.yes or options.above or options.older_than is not None):
        raise ParameterError("--older-than, --above and --yes stand beside --prune")
    now, size = time.time(), sum(item.size for item in items)
    print(f"{folder}: {what}: {len(items)}, {pruning.size_text(size)}")
    if not options.prune:
        if items:
            print_table(("what", "number", "files", "size", "last used"), table(items, now))
        return 0
    above = pruning.bytes_of(options.above) if options.above else None
    going = pruning.chosen(items, older_than=options.older_than, above=above)
    kept = [item for item in items if not item.is_free(now)]
    if kept:
        print(f"in use now or within the last hour, and kept: {len(kept)}")
    if not going:
        print("nothing to remove")
        return 0
    print_table(("to remove", "number", "files", "size", "last used"), table(going, now))
    if not options.yes:
        print("nothing was removed; --yes removes it")
        return 0
    n, gone = pruning.remove(going, root=folder)
    print(f"removed: {n}, {pruning.size_text(gone)}; left: {pruning.size_text(size - gone)}")
    return 0


def by_age(items: Sequence[pruning.Item], now: float) -> list[tuple[str, ...]]:
    """Rows of items by when they were last used."""
    rows, since = [], -float("inf")
    for heading, days in _AGES:
        own = [item for item in items if since <= (now - item.used) / 86400 < days]
        rows.append(_row(heading, own, now))
        since = days
    return [row for row in rows if row[1] != "0"]


def by_title(items: Sequence[pruning.Item], now: float) -> list[tuple[str, ...]]:
    """A row an item, the largest first."""
    return [_row(item.title, [item], now) for item in sorted(items, key=lambda item: -item.size)]


def _row(heading: str, items: Sequence[pruning.Item], now: float) -> tuple[str, ...]:
    last = pruning.age_text(max((item.used for item in items), default=now), now=now)
    files, size = sum(item.n_files for item in items), sum(item.size for item in items)
    ago = last if last == "now" else f"{last} ago"
    return heading, str(len(items)), str(files), pruning.size_text(size), ago


COMMANDS = (
    Command(
        name="units",
        help="finished fits that are shared: how many, how large, how old; --prune removes old ones",
        declare=_declare_units,
        run=_units,
    ),
    Command(
        name="features-cache",
        help="features that are kept: of which sets, how large, how old; --prune removes old ones",
        declare=_declare,
        run=_features,
    ),
)
