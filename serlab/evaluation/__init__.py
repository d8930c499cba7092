"""From splits to predictions, and from predictions to every number."""

from serlab.evaluation.comparison import ALPHA, compare, holm, least_p, with_verdicts
from serlab.evaluation.fitting import Fitted, Setting, fit
from serlab.evaluation.material import Material, Samples
from serlab.evaluation.running import FIT_COLUMNS, Run, run
from serlab.evaluation.scoring import class_names, score, speaker_counts, summarise

__all__ = [
    "ALPHA",
    "FIT_COLUMNS",
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
    "run",
    "score",
    "speaker_counts",
    "summarise",
    "with_verdicts",
]
