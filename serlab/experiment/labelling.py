"""From native labels to the classes of an experiment; without audio, so that it is known at once."""

from __future__ import annotations

import pandas as pd

from serlab import labels
from serlab.errors import ProtocolError
from serlab.experiment.parameters import Parameters
from serlab.wording import count


def labelled_of(table: pd.DataFrame, parameters: Parameters) -> tuple[pd.DataFrame, pd.Series]:
    """Utterances that have a class, and counts of the others by corpus and emotion.

    Parameters
    ----------
    table : DataFrame
        Utterances of all corpora of the experiment, see :mod:`serlab.data`.
    parameters : Parameters

    Raises
    ------
    LabelError
        If a native label is one that nobody thought of.
    ProtocolError
        With ``label_sets="shared"``, if the corpora share fewer than two classes.
    """
    scheme = labels.scheme(parameters.scheme)
    labelled = scheme.apply(table)
    left_out = scheme.left_out_counts(table)
    if parameters.label_sets == "shared":
        labelled, alone = _of_shared_classes(labelled)
        left_out = pd.concat([left_out, alone]).sort_index()
    elif parameters.label_sets == "any":
        labelled = labelled.assign(emotion=labelled["emotion"].cat.remove_unused_categories())
    return labelled, left_out


def _of_shared_classes(utterances: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Utterances of the classes that every corpus has, and counts of the others by corpus and emotion."""
    found = utterances.groupby("corpus", observed=True)["emotion"].agg(set)
    shared = [name for name in utterances["emotion"].cat.categories if all(name in own for own in found)]
    if len(shared) < 2:
        raise ProtocolError(
            f"{', '.join(found.index)} share {count(len(shared), 'class', 'classes')}, two are needed; "
            "choose another label scheme, other corpora, or label_sets='scheme'"
        )
    kept = utterances["emotion"].isin(shared)
    others = utterances[~kept]
    alone = others.groupby([others["corpus"], others["emotion"].astype(str)]).size()
    utterances = utterances[kept]
    return utterances.assign(emotion=utterances["emotion"].cat.set_categories(shared)), alone
