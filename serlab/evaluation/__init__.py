"""From splits to predictions, and from predictions to every number."""

from serlab.evaluation.running import (
    ALPHA,
    EXACT_SPEAKERS,
    FIT_COLUMNS,
    OnEpoch,
    Run,
    Samples,
    class_names,
    compare,
    holm,
    least_p,
    run,
    score,
    source_view,
    speaker_counts,
    summarise,
    with_verdicts,
)

__all__ = [
    "ALPHA",
    "EXACT_SPEAKERS",
    "FIT_COLUMNS",
    "OnEpoch",
    "Run",
    "Samples",
    "class_names",
    "compare",
    "holm",
    "least_p",
    "run",
    "score",
    "source_view",
    "speaker_counts",
    "summarise",
    "with_verdicts",
]
