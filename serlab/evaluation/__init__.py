"""From splits to predictions, and from predictions to every number."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from serlab.evaluation.comparison import ALPHA, compare, holm, with_verdicts
    from serlab.evaluation.differences import Difference, least_p, paired
    from serlab.evaluation.fitting import Fitted, Setting, fit
    from serlab.evaluation.material import Material, Samples
    from serlab.evaluation.running import FIT_COLUMNS, Run, run
    from serlab.evaluation.scoring import class_names, score, speaker_counts, summarise

__all__ = [
    "ALPHA",
    "FIT_COLUMNS",
    "Difference",
    "Fitted",
    "Material",
    "Run",
    "Samples",
    "Setting",
    "class_names",
    "compare",
    "fit",
    "holm",
    "least_p",
    "paired",
    "run",
    "score",
    "speaker_counts",
    "summarise",
    "with_verdicts",
]

# Scores and tables need no network library: what fits is imported when it is asked for.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules=[
        "comparison",
        "differences",
        "fitting",
        "intervals",
        "leakage",
        "material",
        "ranking",
        "recordings",
        "running",
        "scoring",
        "selection",
        "shift",
        "units",
        "verification",
    ],
    submod_attrs={
        "comparison": ["ALPHA", "compare", "holm", "with_verdicts"],
        "differences": ["Difference", "least_p", "paired"],
        "fitting": ["Fitted", "Setting", "fit"],
        "material": ["Material", "Samples"],
        "running": ["FIT_COLUMNS", "Run", "run"],
        "scoring": ["class_names", "score", "speaker_counts", "summarise"],
    },
)
