"""Small corpora in the exact layout of their publishers, for corpora that cannot be had here.

One module a corpus, each with ``tree(folder)``. Every audio file is a tenth of a
second of noise; only names, folders and label files are true to the original.
``every=k`` keeps each k-th file, ``distinct`` gives each file its own noise.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.corpora.trees import (
    aesdd,
    ased,
    banglaser,
    baved,
    cafe,
    cremad,
    emodb,
    emouerj,
    emovo,
    emozionalmente,
    iemocap,
    jl,
    mesd,
    nemo,
    oreau,
    ravdess,
    recola,
    savee,
    shemo,
    subesco,
    tess,
    turev,
    urdu,
)
from tests.corpora.trees.sounds import RATE, noise

__all__ = [
    "RATE",
    "TREES",
    "aesdd",
    "ased",
    "banglaser",
    "baved",
    "cafe",
    "cremad",
    "emodb",
    "emouerj",
    "emovo",
    "emozionalmente",
    "iemocap",
    "jl",
    "mesd",
    "nemo",
    "noise",
    "oreau",
    "ravdess",
    "recola",
    "savee",
    "shemo",
    "subesco",
    "tess",
    "turev",
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
    "cremad": cremad.tree,
    "subesco": subesco.tree,
    "cafe": cafe.tree,
    "emozionalmente": emozionalmente.tree,
    "turev": turev.tree,
    "shemo": shemo.tree,
    "ased": ased.tree,
    "emouerj": emouerj.tree,
    "aesdd": aesdd.tree,
    "baved": baved.tree,
    "jl": jl.tree,
    "tess": tess.tree,
    "mesd": mesd.tree,
    "oreau": oreau.tree,
    "banglaser": banglaser.tree,
}
