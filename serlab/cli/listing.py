"""Commands that list what there is: methods, features, schemes."""

from __future__ import annotations

import argparse

from serlab.cli.command import Command, print_table


def _methods(options: argparse.Namespace) -> int:
    from serlab.methods import METHODS

    rows = [(m.name, m.title, m.access, m.normalization, m.reference) for m in METHODS.values()]
    print_table(("name", "title", "sees of the target", "normalisation", "reference"), rows)
    return 0


def _features(options: argparse.Namespace) -> int:
    from serlab.features import FEATURE_SETS

    rows = [(f.name, f.kind, str(f.n_features), f.title, f.license) for f in FEATURE_SETS.values()]
    print_table(("name", "gives", "features", "title", "licence"), rows)
    return 0


def _schemes(options: argparse.Namespace) -> int:
    from serlab.labels import SCHEMES

    rows = [
        (s.name, ", ".join(s.classes), f"{s.source}. Left out: {', '.join(s.left_out)}")
        for s in SCHEMES.values()
    ]
    print_table(("name", "classes", "source"), rows)
    return 0


COMMANDS = (
    Command(name="methods", help="list methods, and what each sees of the target", run=_methods),
    Command(name="features", help="list feature sets", run=_features),
    Command(name="schemes", help="list label schemes", run=_schemes),
)
