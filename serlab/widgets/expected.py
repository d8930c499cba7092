"""What a panel says before a run: what is chosen in one line, and how long that takes here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from serlab import corpora, methods
from serlab.corpora.inventory import Inventory
from serlab.evaluation import comparison
from serlab.experiment import NotKept, Parameters, scratch_folder, times
from serlab.experiment.kept import Kept
from serlab.progress import duration
from serlab.wording import count

#: Protocols with a fold a speaker of the target; the others have as many as are asked for.
_A_SPEAKER = ("one-subject", "loso")
#: Names in the line.
_MOST_NAMED = 3
#: Shorter than this is no news.
_AT_ONCE = 2.0


def in_a_line(parameters: Parameters, inventory: Callable[[str], Inventory]) -> str:
    """ "emodb -> urdu, 14 methods (2 controls added), speaker-groups (5 folds), 3 seeds, quick: about 3 min".

    Parameters
    ----------
    parameters : Parameters
    inventory : callable(corpus) -> Inventory
    """
    names = comparison.with_controls(parameters.methods)
    added, n = len(names) - len(parameters.methods), n_folds(parameters, inventory)
    said = [
        f"{' + '.join(parameters.sources) or 'no source'} \N{RIGHTWARDS ARROW} {parameters.target}",
        count(len(parameters.methods), "method") + (f" ({count(added, 'control')} added)" if added else ""),
        f"{parameters.protocol} ({count(n, 'fold')})",
        count(len(parameters.seeds), "seed"),
        parameters.preset,
    ]
    if parameters.studies:
        said.append(f"and {', '.join(parameters.studies)}")
    return f"{', '.join(said)}: {_time(parameters, names, n, inventory)}"


def n_folds(parameters: Parameters, inventory: Callable[[str], Inventory]) -> int:
    """Folds, as far as that is known without reading a corpus."""
    return inventory(parameters.target).speakers if parameters.protocol in _A_SPEAKER else parameters.folds


def inventory_of(name: str, root: Path | str | None) -> Inventory:
    """What there is of a corpus; nothing where it cannot be read."""
    if name not in corpora.installed(root):
        return Inventory()
    return corpora.inventory.take(corpora.get(name, root), root)


def kept_methods(parameters: Parameters) -> set[str]:
    """Methods that are finished in the folder of these parameters."""
    folder = scratch_folder(parameters)
    try:
        found = set(Kept(folder).methods())
    except NotKept:  # damaged: it will be made again
        found = set()
    return found | {path.name.rsplit("-seed", 1)[0] for path in folder.glob("parts-*/*.fits.parquet")}


def _time(
    parameters: Parameters, names: tuple[str, ...], n: int, inventory: Callable[[str], Inventory]
) -> str:
    done = kept_methods(parameters)
    left = [name for name in names if name not in done]
    expected = times.estimate(
        parameters,
        methods=left,
        n_folds=n,
        stochastic=[name for name in left if methods.get(name).stochastic],
        n_utterances=lambda name: inventory(name).utterances,
    )
    kept = f"{len(names) - len(left)} of {len(names)} methods are kept" if len(left) < len(names) else ""
    if not left and not parameters.studies:
        return "kept from an earlier run, comes back at once"
    if len(expected.unknown) == len(left) + len(parameters.studies):
        said = "not run here yet, so no time is known"
    elif expected.seconds < _AT_ONCE:
        said = "a few seconds"
    else:
        said = f"about {duration(expected.seconds)}"
        if expected.unknown:
            unknown = expected.unknown
            named = ", ".join(unknown) if len(unknown) <= _MOST_NAMED else f"{len(unknown)} others"
            said += f", and {named}, not run here yet"
    return f"{said} ({kept})" if kept else said
