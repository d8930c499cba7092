"""Deep belief networks: of Andova & Lustrek, and what Durrani & Arshad compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serlab.methods.base import MethodSpec
from serlab.methods.building import grid, of_preset
from serlab.training import Fitting, Settings

if TYPE_CHECKING:
    from serlab.methods.learners.neural import DBN, DBNClassifier

#: Hidden units: see :class:`serlab.methods.learners.neural.DBN`; the rest was chosen like the FCNN's.
#: ``first`` and ``further`` are epochs and rate of the pretraining, ``alone`` is for a target without a
#: source: with 20 epochs on held-out speakers of EmoDB the UAR was .71, with 60 it was .79.
SETTINGS: dict[str, dict[str, Any]] = {
    preset: {
        "hidden": hidden,
        "first": (epochs, 1e-3),
        "further": (epochs, 0.05),
        "settings": Settings(epochs=epochs, learning_rate=rate, weight_decay=1e-4),
        "alone": Settings(epochs=alone, learning_rate=rate, weight_decay=1e-4),
    }
    for preset, hidden, epochs, alone, rate in (
        ("demo", (100, 100, 200), 40, 80, 1e-3),
        ("quick", (1000, 1000, 2000), 20, 60, 1e-4),
        ("paper", (1000, 1000, 2000), 50, 60, 1e-4),
    )
}


def _classifier(stage: str, *, n_classes: int, seed: int, preset: str, fitting: Fitting) -> DBNClassifier:
    from serlab.methods.learners.neural import DBNClassifier
    from serlab.models.dbn import Pretraining

    chosen = of_preset(SETTINGS, preset)
    first, further = (
        Pretraining(epochs=epochs, learning_rate=rate)
        for epochs, rate in (chosen["first"], chosen["further"])
    )
    return DBNClassifier(
        n_classes,
        seed,
        hidden=chosen["hidden"],
        first=first,
        further=further,
        settings=chosen["alone" if stage == "target" else "settings"],
        balanced=preset != "paper",  # no weights are mentioned
        fitting=fitting,
        stage=stage,
    )


def _fine_tuned(**settings: Any) -> DBN:
    from serlab.methods.learners.neural import DBN

    source = _classifier("source", **settings)
    return DBN(source, on_target=source.settings)


_LATIF = "Latif et al. 2018"

SPECS: tuple[MethodSpec, ...] = (
    MethodSpec(
        name="dbn",
        title="DBN, fine-tuned",
        access="few-shot",
        build=_fine_tuned,
        control="dbn-target",
        adds="source",
        reference=f"Andova & Lustrek, section 3.1; {_LATIF}",
    ),
    *grid(
        "dbn",
        "DBN",
        _classifier,
        {
            "target": f"Durrani & Arshad, section 4.1; {_LATIF}",
            "source": f"Durrani & Arshad, section 4.2; {_LATIF}",
        },
    ),
)
