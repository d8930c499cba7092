"""From splits to predictions, and from predictions to every number."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from serlab.evaluation.comparison import Pair, compare, pairs, with_controls
    from serlab.evaluation.differences import Difference, least_p, paired
    from serlab.evaluation.finished import Run
    from serlab.evaluation.fitting import Fitted, Setting, fit
    from serlab.evaluation.material import Material, Samples
    from serlab.evaluation.running import FIT_COLUMNS, run
    from serlab.evaluation.scoring import class_names, score, speaker_counts, summarise, uar
    from serlab.evaluation.verdicts import ALPHA, QUESTIONS, holm

__all__ = [
    "ALPHA",
    "FIT_COLUMNS",
    "QUESTIONS",
    "Difference",
    "Fitted",
    "Material",
    "Pair",
    "Run",
    "Samples",
    "Setting",
    "class_names",
    "compare",
    "fit",
    "holm",
    "least_p",
    "paired",
    "pairs",
    "run",
    "score",
    "speaker_counts",
    "summarise",
    "uar",
    "with_controls",
]

# Scores and tables need no network library: what fits is imported when it is asked for.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submodules=[
        "acquisition",
        "calibration",
        "choices",
        "compact",
        "estimates",
        "comparison",
        "differences",
        "finished",
        "fitting",
        "gaps",
        "giveaways",
        "given_splits",
        "intervals",
        "leakage",
        "material",
        "ranking",
        "recordings",
        "reliability",
        "running",
        "scoring",
        "selection",
        "shelf",
        "shift",
        "units",
        "verdicts",
        "verification",
    ],
    submod_attrs={
        "comparison": ["Pair", "compare", "pairs", "with_controls"],
        "differences": ["Difference", "least_p", "paired"],
        "finished": ["Run"],
        "fitting": ["Fitted", "Setting", "fit"],
        "material": ["Material", "Samples"],
        "running": ["FIT_COLUMNS", "run"],
        "scoring": ["class_names", "score", "speaker_counts", "summarise", "uar"],
        "verdicts": ["ALPHA", "QUESTIONS", "holm"],
    },
)
