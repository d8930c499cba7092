"""Random forests: the baseline of Andova & Lustrek, their multi-task forest and their normalisations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serlab.methods.base import MethodSpec
from serlab.methods.building import SCHULLER, coral, grid, of_preset, trained
from serlab.training import Fitting

if TYPE_CHECKING:
    from serlab.methods.learners.forest import MultiTask
    from serlab.methods.learners.scenarios import Classifier

#: Andova & Lustrek, section 3: 1000 trees.
TREES: dict[str, int] = {"demo": 50, "quick": 1000, "paper": 1000}


def _forest(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> Classifier:
    from serlab.methods.learners.forest import forest
    from serlab.methods.learners.scenarios import Classifier

    return Classifier(forest(n_trees=of_preset(TREES, preset), seed=seed, n_jobs=fitting.n_jobs), n_classes)


def _multi_task(*, n_classes: int, seed: int, preset: str, fitting: Fitting) -> MultiTask:
    from serlab.methods.learners.forest import MultiTask, forest

    trees = forest(n_trees=of_preset(TREES, preset), seed=seed, n_jobs=fitting.n_jobs)
    return MultiTask(trees, n_classes, seed)


_PAPER = "Andova & Lustrek"

SPECS: tuple[MethodSpec, ...] = (
    *grid(
        "rf",
        "RF",
        _forest,
        {
            "source": f"{_PAPER}, section 4, scenario 1",
            "target": f"{_PAPER}, section 4, scenario 2",
            "pooled": f"{_PAPER}, section 4, scenario 3",
            "source-z": SCHULLER,
            "pooled-z": SCHULLER,
            "target-z": SCHULLER,
        },
        normalization="none",
    ),
    MethodSpec(
        name="rf-multitask",
        title="RF, multi-task",
        access="few-shot",
        normalization="none",
        build=_multi_task,
        control="rf-target",
        adds="source",
        reference=f"{_PAPER}, section 3.3",
    ),
    *(
        MethodSpec(
            name=f"rf-{scope}",
            title=f"RF, {title} normalisation",
            access="few-shot",
            normalization=scope,
            build=trained("few-shot", _forest),
            control="rf-pooled",
            adds="normalisation",
            reference=f"{_PAPER}, {section}",
        )
        for scope, title, section in (
            ("neutral", "neutral-speech", "section 3.4"),
            ("distribution", "distribution", "section 3.5"),
        )
    ),
    MethodSpec(
        name="rf-coral",
        title="RF, CORAL",
        access="unlabelled",
        normalization="corpus",
        build=trained("unlabelled", _forest, align=coral),
        control="rf-source-z",
        adds="alignment",
        reference="Sun, Feng & Saenko 2016",
    ),
)
