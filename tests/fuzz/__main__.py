"""``python -m tests.fuzz [-n CASES] [NAME ...]``: many cases of each target, and a table of what came out."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz import Target, archives, audio, disks, models, parameters, run, strings, tables

_MODULES = (audio, tables, parameters, strings, archives, models, disks)
#: All targets, by name; a module of targets ends in TARGETS.
TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}


def main() -> int:
    """Exit code 1 if any case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"default: {', '.join(TARGETS)}")
    parser.add_argument("-n", type=int, default=1000, help="cases of each target; default: 1000")
    parser.add_argument("--first", type=int, default=0, help="number of the first case; default: 0")
    options = parser.parse_args()
    failures = []
    print(f"{'target':<28}{'cases':>8}{'read':>8}{'refused':>9}{'failed':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names or TARGETS:
            # By name, all of them.
            few = TARGETS[name].costly and not options.names
            n = max(1, options.n // 100) if few else options.n
            out = run(TARGETS[name], n=n, folder=Path(folder), first=options.first)
            read, refused = out.counts["read"], out.counts["refused"]
            print(f"{name:<28}{n:>8}{read:>8}{refused:>9}{len(out.failures):>8}", flush=True)
            failures += out.failures
    print("\n".join(failures))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
