"""Small corpora in the exact layout of their publishers, for corpora that cannot be had here.

One module a corpus, each with ``tree(folder)``. Every audio file is a tenth of a
second of noise; only names, folders and label files are true to the original.
``every=k`` keeps each k-th file, ``distinct`` gives each file its own noise.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.corpora.trees import emodb, emovo, iemocap, nemo, ravdess, recola, savee, urdu
from tests.corpora.trees.sounds import RATE, noise

__all__ = [
    "RATE",
    "TREES",
    "emodb",
    "emovo",
    "iemocap",
    "nemo",
    "noise",
    "ravdess",
    "recola",
    "savee",
    "urdu",
]

#: Corpus -> function that writes its tree into a folder. A corpus that is
#: missing here fails the contract test.
TREES: dict[str, Callable[..., None]] = {
    "emodb": emodb.tree,
    "emovo": emovo.tree,
    "savee": savee.tree,
    "ravdess": ravdess.tree,
    "urdu": urdu.tree,
    "iemocap": iemocap.tree,
    "recola": recola.tree,
    "nemo": nemo.tree,
}
