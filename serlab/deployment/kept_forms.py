"""A form of a model as JSON values and arrays, and back; each checked when it is read."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np

from serlab import methods, voices
from serlab.deployment.checked import Arrays, Fields
from serlab.deployment.classifiers import Estimator, Kept, Learner, Linear
from serlab.deployment.forms import Form
from serlab.evaluation.calibration import Calibration, Isotonic, Temperature
from serlab.methods.base import Choice
from serlab.samples import Labelled

#: Kinds of classifiers, as they are named in JSON.
KINDS: tuple[str, ...] = ("linear", "estimator", "learner")
#: Between which a temperature, and a penalty, lies.
_BOUNDS = (1e-3, 1e3)
#: More corners than any curve of isotonic regression needs that is learned from utterances.
_MOST_CORNERS = 100_000


def described(form: Form) -> dict[str, Any]:
    """JSON values of a form, besides method and scope."""
    kept, found = form.classifier, {"calibration": _described(form.calibration)}
    if isinstance(kept, Linear):
        return found | {"classifier": "linear", "most": kept.most}
    if isinstance(kept, Learner):
        names = [str(name) for name in np.unique(kept.source.corpus)]
        return found | {"classifier": "learner", "choice": asdict(kept.choice), "corpora": names}
    return found | {"classifier": "estimator"}


def _described(calibration: Calibration) -> dict[str, Any]:
    how = "isotonic" if isinstance(calibration, Isotonic) else "temperature"
    return {"how": how, **asdict(calibration)}  # type: ignore[call-overload]  # both are dataclasses


def arrays(prefix: str, form: Form) -> dict[str, np.ndarray]:
    """Arrays of a form, by names that begin with ``prefix``."""
    kept = form.classifier
    found: dict[str, np.ndarray] = {}
    if isinstance(kept, Linear):
        found |= {"weights": kept.weights, "classes": kept.classes}
    if isinstance(kept, Learner):
        corpus = np.unique(kept.source.corpus, return_inverse=True)[1]
        found |= {"source/X": np.asarray(kept.source.X), "source/y": kept.source.y, "source/corpus": corpus}
    if form.mean is not None and form.scale is not None:
        found |= {"mean": form.mean, "scale": form.scale}
    if form.guesser is not None:
        found |= {
            f"guesser/{entry.name}": getattr(form.guesser, entry.name) for entry in fields(form.guesser)
        }
    return {f"{prefix}/{name}": array for name, array in found.items()}


def read(
    prefix: str,
    values: Fields,
    arrays: Arrays,
    *,
    classes: int,
    features: int,
    estimator: Estimator | None = None,
) -> Form:
    """A form from its values and arrays.

    Parameters
    ----------
    prefix : str
        Of the names of its arrays.
    values : Fields
    arrays : Arrays
    classes, features : int
        Of the model.
    estimator : Estimator, optional
        Where that is its classifier.

    Raises
    ------
    UnusableModel
        Naming the value or array at fault.
    """
    method, scope = values.text("method"), values.text("scope", ("none", "source", "corpus", "voices"))
    mean = scale = guesser = None
    kind = values.text("classifier", KINDS)
    classifier: Kept
    if kind == "linear":
        codes = arrays.codes(f"{prefix}/classes", classes)
        weights = arrays.take(f"{prefix}/weights", (len(codes), features))
        classifier = Linear(weights, codes, classes, values.number("most", float, 0, 1e6))
    elif kind == "learner":
        classifier = _learner(prefix, values, arrays, method, classes, features)
    else:
        assert estimator is not None  # whoever calls has read it
        classifier = estimator
    if scope == "source":
        mean, scale = (arrays.take(f"{prefix}/{name}", (features,)) for name in ("mean", "scale"))
    if scope == "voices":
        codes = arrays.codes(f"{prefix}/guesser/classes", classes)
        guesser = voices.Guesser(
            arrays.take(f"{prefix}/guesser/weights", (features, len(codes))),
            arrays.take(f"{prefix}/guesser/centre", (len(codes),)),
            codes,
        )
    return Form(
        method=method, scope=scope, classifier=classifier, mean=mean, scale=scale, guesser=guesser,
        calibration=_calibration(values.within("calibration"), classes),
    )  # fmt: skip


def _learner(
    prefix: str, values: Fields, arrays: Arrays, method: str, classes: int, features: int
) -> Learner:
    from serlab.deployment.families import FAMILIES
    from serlab.methods.learners.nested import WAYS

    known = {name for family in FAMILIES.values() for name in family.methods.values()}
    if method not in known or methods.get(method).access != "unlabelled":
        raise values.wrong("method", "one that learns beside recordings")
    chosen, names = values.within("choice"), values.texts("corpora")
    choice = Choice(
        way=chosen.text("way", ("", *WAYS)),
        **{name: chosen.number(name, float, *_BOUNDS) for name in ("penalty", "sharp", "temperature")},
    )
    X = arrays.take(f"{prefix}/source/X", (None, features))
    y = arrays.numbers(f"{prefix}/source/y", (len(X),), classes)
    corpus = arrays.numbers(f"{prefix}/source/corpus", (len(X),), max(1, len(names)))
    if len(np.unique(y)) < 2 or not names:
        raise values.wrong("corpora", "sources of two classes or more")
    named = np.array(names)[corpus]
    # Who speaks is in the scale already, and nothing else asks for it.
    source = Labelled(X=X, corpus=named, speaker=np.full(len(X), ""), y=y)
    return Learner(method, source, choice, classes)


def _calibration(values: Fields, classes: int) -> Calibration:
    if values.text("how", ("temperature", "isotonic")) == "temperature":
        return Temperature(values.number("value", float, *_BOUNDS))
    at, value = (values.curves(name, classes, _MOST_CORNERS) for name in ("at", "value"))
    if any(len(one) != len(other) for one, other in zip(at, value, strict=True)):
        raise values.wrong("value", "as many numbers as in 'at'")
    return Isotonic(at, value)
