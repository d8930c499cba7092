"""What a lesson works with: utterances of two corpora that share their classes, and models of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serlab import corpora, evaluation, features, methods
from serlab.errors import ParameterError
from serlab.evaluation import Material, Setting
from serlab.labels import scheme
from serlab.protocols import Split

#: At most so many utterances are learned from: a lesson has twenty seconds for a cell.
MOST = 400

#: A feature set that needs no further package.
FEATURES = "librosa"


@dataclass(frozen=True)
class Room:
    """Utterances of a known and of a foreign corpus.

    Attributes
    ----------
    known, foreign : DataFrame
        With ``emotion``, over the classes that both have.
    """

    known: pd.DataFrame
    foreign: pd.DataFrame

    @property
    def classes(self) -> list[str]:
        """Classes that both corpora have, in order."""
        return [str(name) for name in self.known["emotion"].cat.categories]


def open_room(names: Sequence[str], *, data: str = "", labels: str = "four") -> Room:
    """Read two corpora.

    Parameters
    ----------
    names : sequence of str
        The known corpora, and last the foreign one.
    data : str
        Data root; empty for the default. Synthetic corpora need none.
    labels : str
        Label scheme.

    Raises
    ------
    ParameterError
        If there are not two, or they share fewer than two classes.
    CorpusError, LabelError
    """
    if len(set(names)) < 2:
        raise ParameterError(f"corpora: two are needed, one known and one foreign; given: {', '.join(names)}")
    table = scheme(labels).apply(corpora.read_many(tuple(names), data or None))
    is_foreign = table["corpus"] == names[-1]
    shared = [
        name
        for name in table["emotion"].cat.categories
        if all((table.loc[part, "emotion"] == name).any() for part in (is_foreign, ~is_foreign))
    ]
    if len(shared) < 2:
        raise ParameterError(
            f"{', '.join(names)} share {len(shared)} of the classes of {labels!r}; choose other corpora"
        )
    table = table[table["emotion"].isin(shared)]
    table["emotion"] = table["emotion"].cat.set_categories(shared)
    is_foreign = table["corpus"] == names[-1]
    return Room(known=balanced(table[~is_foreign], MOST), foreign=table[is_foreign])


def balanced(utterances: pd.DataFrame, n: int, *, seed: int = 0) -> pd.DataFrame:
    """At most ``n`` utterances, as many of each class and speaker as there are to be had.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"emotion": list("aaab"), "speaker": list("1123")})
    >>> sorted(balanced(table, 2)["emotion"])
    ['a', 'b']
    """
    shuffled = utterances.sample(frac=1, random_state=seed)
    # Rounds: the first of each speaker and class, then the second ...; within a round, classes in turn.
    once = shuffled.groupby(["emotion", "speaker"], observed=True, dropna=False).cumcount()
    ordered = shuffled.assign(_round=once.to_numpy()).sort_values("_round", kind="stable")
    turn = ordered.groupby("emotion", observed=True).cumcount()
    order = np.argsort(turn.to_numpy(), kind="stable")[:n]
    return ordered.iloc[order].drop(columns="_round").sort_index()


def answers(
    known: pd.DataFrame,
    tested: pd.DataFrame,
    *,
    names: Sequence[str] = ("rf-source",),
    jobs: int | None = None,
) -> pd.DataFrame:
    """What models answer that have learned from the known corpus alone.

    Parameters
    ----------
    known : DataFrame
        Learned from.
    tested : DataFrame
        Their labels are not read by any model.
    names : sequence of str
        Methods of :data:`serlab.methods.METHODS` that see no target.
    jobs : int
        Threads, for features; None: one a processor.

    Returns
    -------
    DataFrame
        A prediction table, see :class:`serlab.evaluation.Run`.

    Raises
    ------
    ParameterError
        If a method sees the target: there is none to learn from.
    """
    specs = [methods.METHODS[name] for name in names]
    for spec in specs:
        if spec.access != "none":
            raise ParameterError(f"{spec.name} sees the target; here models see the known corpus only")
    table = pd.concat([known, tested])
    extraction = features.extract(table, features=FEATURES, jobs=jobs)
    table = table.loc[extraction.X.index]
    rows = np.arange(len(table))
    is_known = table.index.isin(known.index)
    nothing = np.array([], dtype=int)
    split = Split("the known corpus", rows[is_known], nothing, nothing, nothing, rows[~is_known])
    material = Material(utterances=table, features={"": (extraction.X,)})
    done = evaluation.run(
        specs,
        [split],
        material=material,
        setting=Setting(seeds=(0,), preset="demo"),
        with_details=False,
        rounded=False,
    )
    return done.predictions
