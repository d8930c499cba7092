"""A model as a folder: JSON, safetensors, Parquet, skops; each file checked when it is read.

::

    model.json              what it is, and the hash of every other file
    weights.safetensors     numbers of all forms
    estimator-<form>.skops  of a forest or support vector machine
    left-out.parquet        answers for corpora that were left out
    estimates.parquet       what was estimated of them without their labels
    README.md, card.json    the model card
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serlab import files, voices
from serlab.deployment import classifiers, evidence, familiar
from serlab.deployment.classifiers import Estimator, Linear, UnusableModel
from serlab.deployment.families import FAMILIES, FORMS
from serlab.deployment.forms import Form
from serlab.deployment.model import Model, Source
from serlab.deployment.recordings import Windows
from serlab.errors import ParameterError, SerlabError

#: Raise it when older folders can no longer be read.
VERSION = 1
MANIFEST, WEIGHTS = "model.json", "weights.safetensors"
LEFT_OUT, ESTIMATES = "left-out.parquet", "estimates.parquet"
#: More than any model has; what is beyond is refused before memory is asked for.
_MOST_JSON, _MOST_FEATURES, _MOST_CLASSES = 10_000_000, 1_000_000, 100

_TEXTS = (
    "family",
    "features",
    "features_digest",
    "features_licence",
    "scheme",
    "left_out_are",
    "created",
    "serlab",
)


# --- writing ---------------------------------------------------------------------------


def require_free(out: Path, *, force: bool) -> None:
    """Refuse to write over what is there.

    Raises
    ------
    ParameterError
        If there is a model and it is not to be replaced, or anything else.
    """
    if not out.exists():
        return
    if not (out / MANIFEST).is_file():
        if out.is_dir() and not any(out.iterdir()):
            return
        raise ParameterError(f"{out} exists and is no model of serlab; choose another folder")
    if not force:
        raise ParameterError(f"{out} holds a model already; choose another folder, or --force to replace it")


def write(out: Path, model: Model, *, card: str, card_values: Mapping[str, Any]) -> None:
    """Write a model; a reader finds all of it or nothing.

    Raises
    ------
    SerlabError
        If the folder cannot be written.
    """
    unfinished = out.with_name(f".{out.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        unfinished.mkdir(parents=True)
        _write_into(unfinished, model, card, card_values)
        if out.exists():
            before = out.with_name(f".{out.name}.{uuid.uuid4().hex[:12]}.old")
            out.rename(before)
            unfinished.rename(out)
            shutil.rmtree(before)
        else:
            unfinished.rename(out)
    except OSError as error:
        raise SerlabError(
            f"{out} cannot be written ({error.strerror or error}); choose another folder"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_into(folder: Path, model: Model, card: str, card_values: Mapping[str, Any]) -> None:
    from safetensors.numpy import save

    arrays = {
        **_space_arrays(model),
        **{
            key: value
            for name, form in model.forms.items()
            for key, value in _arrays(f"form/{name}", form).items()
        },
    }
    for number, forms in enumerate(model.members.values()):
        for name, form in forms.items():
            arrays |= _arrays(f"member/{number}/{name}", form)
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    (folder / WEIGHTS).write_bytes(content)
    for name, form in model.forms.items():
        if isinstance(form.classifier, Estimator):
            classifiers.write(folder / _estimator(name), form.classifier)
    files.write_table(folder / LEFT_OUT, model.left_out)
    files.write_table(folder / ESTIMATES, model.estimates)
    files.write_text(folder / "README.md", card)
    files.write_text(folder / "card.json", json.dumps(card_values, indent=1, ensure_ascii=False))
    parts = sorted(path.name for path in folder.iterdir())
    values = {
        "version": VERSION,
        **{name: getattr(model, name) for name in _TEXTS},
        "classes": list(model.classes),
        "n_features": model.n_features,
        "sources": [{**asdict(source), "languages": list(source.languages)} for source in model.sources],
        "windows": asdict(model.windows),
        "members": list(model.members),
        "forms": {
            name: {
                "method": form.method,
                "scope": form.scope,
                "classifier": "linear" if isinstance(form.classifier, Linear) else "estimator",
                "temperature": form.temperature,
            }
            for name, form in model.forms.items()
        },
        "most": next(
            (f.classifier.most for f in model.forms.values() if isinstance(f.classifier, Linear)), 0.0
        ),
        "files": {name: files.sha256(folder / name) for name in parts},
    }
    files.write_text(folder / MANIFEST, json.dumps(values, indent=1, ensure_ascii=False))


def _estimator(form: str) -> str:
    return f"estimator-{form}.skops"


def _space_arrays(model: Model) -> dict[str, np.ndarray]:
    space = {f"space/{entry.name}": getattr(model.space, entry.name) for entry in fields(model.space)}
    return {
        **space,
        "distances": model.distances,
        "heard/low": model.heard.low,
        "heard/high": model.heard.high,
    }


def _arrays(prefix: str, form: Form) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    if isinstance(form.classifier, Linear):
        found |= {"weights": form.classifier.weights, "classes": form.classifier.classes}
    if form.mean is not None and form.scale is not None:
        found |= {"mean": form.mean, "scale": form.scale}
    if form.guesser is not None:
        found |= {
            f"guesser/{entry.name}": getattr(form.guesser, entry.name) for entry in fields(form.guesser)
        }
    return {f"{prefix}/{name}": array for name, array in found.items()}


# --- reading ---------------------------------------------------------------------------


def read(folder: Path) -> Model:
    """Read a model, and check all of it.

    Raises
    ------
    UnusableModel
        Naming the file at fault and what to do.
    """
    manifest = _manifest(folder)
    for name, known in manifest.mapping("files", str).items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise UnusableModel(f"{path} is missing: copy the whole folder of the model, or train it again")
        if files.sha256(path) != known:
            raise UnusableModel(
                f"{path} is not what was kept (another hash): copy it again, or train it again"
            )
    arrays = _Arrays(folder, manifest)
    classes = tuple(manifest.texts("classes"))
    n_features, n_classes = manifest.number("n_features", int, 1, _MOST_FEATURES), len(classes)
    if not 2 <= n_classes <= _MOST_CLASSES or len(set(classes)) < n_classes:
        raise manifest.wrong("classes", "2 to 100 different names")
    described = manifest.mapping("forms", dict)
    if "as-is" not in described or not set(described) <= set(FORMS):
        raise manifest.wrong("forms", f"some of {', '.join(FORMS)}, as-is among them")
    most = manifest.number("most", float, 0, 1e6)

    def form(prefix: str, name: str) -> Form:
        values = _Fields(described[name], f"{folder / MANIFEST}, form {name}")
        scope, guesser = values.text("scope", ("none", "source", "corpus", "voices")), None
        scales: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
        if values.text("classifier", ("linear", "estimator")) == "linear":
            codes = arrays.codes(f"{prefix}/classes", n_classes)
            weights = arrays.take(f"{prefix}/weights", (len(codes), n_features))
            classifier: classifiers.Kept = Linear(weights, codes, n_classes, most)
        else:
            path = folder / _estimator(name)
            if path.name not in manifest.mapping("files", str):
                raise UnusableModel(f"{path} is not among the files of {folder / MANIFEST}; train it again")
            classifier = classifiers.read(path, n_classes=n_classes, n_features=n_features)
        if scope == "source":
            scales = (
                arrays.take(f"{prefix}/mean", (n_features,)),
                arrays.take(f"{prefix}/scale", (n_features,)),
            )
        if scope == "voices":
            codes = arrays.codes(f"{prefix}/guesser/classes", n_classes)
            guesser = voices.Guesser(
                arrays.take(f"{prefix}/guesser/weights", (n_features, len(codes))),
                arrays.take(f"{prefix}/guesser/centre", (len(codes),)),
                codes,
            )
        return Form(
            method=values.text("method"), scope=scope, classifier=classifier, mean=scales[0], scale=scales[1],
            guesser=guesser, temperature=values.number("temperature", float, 1e-3, 1e3),
        )  # fmt: skip

    members = manifest.texts("members")
    windows = _Fields(manifest.get("windows", dict), f"{folder / MANIFEST}, windows")
    centres = arrays.take("space/centres", (None, None))
    return Model(
        name=folder.resolve().name,
        **{name: manifest.text(name, tuple(FAMILIES) if name == "family" else ()) for name in _TEXTS},
        classes=classes,
        sources=tuple(_source(folder, values) for values in manifest.get("sources", list)),
        forms={name: form(f"form/{name}", name) for name in described},
        members={
            member: {name: form(f"member/{number}/{name}", name) for name in described}
            for number, member in enumerate(members)
        },
        space=familiar.Space(
            arrays.take("space/mean", (n_features,)), arrays.take("space/scale", (n_features,)),
            arrays.take("space/components", (centres.shape[1], n_features)), centres,
        ),
        distances=arrays.take("distances", (len(familiar.SHARES),)),
        heard=familiar.Range(
            *(arrays.take(f"heard/{end}", (len(familiar.FACTS),)) for end in ("low", "high"))
        ),
        windows=Windows(
            **{name: windows.number(name, float, 0.01, 1e5) for name in ("longest", "length", "step")}
        ),
        left_out=_table(
            folder / LEFT_OUT,
            ("form", "corpus", "utterance", "y_true", *(f"p_{c}" for c in classes), "agree"),
        ),
        estimates=_table(
            folder / ESTIMATES,
            evidence.ESTIMATE_COLUMNS,
        ),
    )  # fmt: skip


def _manifest(folder: Path) -> _Fields:
    path = folder / MANIFEST
    if not path.is_file():
        raise UnusableModel(f"{folder} holds no model: there is no {MANIFEST}; serlab train keeps one")
    if path.stat().st_size > _MOST_JSON:
        raise UnusableModel(f"{path} is {path.stat().st_size} bytes long, no model's is; train it again")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnusableModel(f"{path} is no JSON ({error}); copy it again, or train it again") from None
    if not isinstance(values, dict):
        raise UnusableModel(f"{path} does not describe a model; train it again")
    fields_ = _Fields(values, str(path))
    version = fields_.number("version", int, 1, 10**6)
    if version != VERSION:
        raise UnusableModel(
            f"{path} is of version {version}, this serlab reads {VERSION}; train it again, or use the serlab "
            f"that kept it ({str(values.get('serlab', 'unknown'))[:40]})"
        )
    return fields_


def _source(folder: Path, described: Any) -> Source:
    where = f"{folder / MANIFEST}, sources"
    if not isinstance(described, dict):
        raise UnusableModel(f"{where}: {str(described)[:40]!r} describes no corpus; train it again")
    own = _Fields(described, where)
    texts = [entry.name for entry in fields(Source) if entry.type == "str"]
    values: dict[str, Any] = {name: own.text(name) for name in texts}
    values |= {name: own.number(name, int, 0, 10**9) for name in ("utterances", "speakers")}
    return Source(**values, languages=tuple(own.texts("languages")))


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = files.read_parquet(path)
    except (files.DamagedFile, OSError) as error:
        raise UnusableModel(f"{error}; copy it again, or train it again") from None
    missing = [name for name in columns if name not in table]
    numbers = [name for name in columns if name not in ("form", "corpus", "utterance", "estimate")]
    if missing or not all(pd.api.types.is_numeric_dtype(table[name]) for name in numbers):
        raise UnusableModel(f"{path} has no column {', '.join(missing) or 'of numbers'}; train it again")
    return table[list(columns)]


class _Fields:
    """Values of a JSON object, taken with their type checked."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values, self._where = values, where

    def wrong(self, name: str, expected: str) -> UnusableModel:
        """The error for a value that is not what it should be."""
        found = repr(self._values.get(name))[:60]
        return UnusableModel(f"{self._where}: {name} is {found}, expected {expected}; train it again")

    def get(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """A value of a type."""
        if name not in self._values:
            raise UnusableModel(f"{self._where}: {name} is missing; train it again")
        value = self._values[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(name, getattr(kind, "__name__", "a number"))
        return value

    def text(self, name: str, known: tuple[str, ...] = ()) -> str:
        """A text, one of those that are known."""
        value = self.get(name, str)
        if known and value not in known:
            raise self.wrong(name, f"one of {', '.join(known)}")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self.get(name, list)
        if not all(isinstance(entry, str) for entry in value):
            raise self.wrong(name, "a list of names")
        return value

    def number(self, name: str, kind: type, low: float, high: float) -> Any:
        """A number within bounds."""
        value = self.get(name, int if kind is int else (int, float))
        if not low <= value <= high:
            raise self.wrong(name, f"{low:g} to {high:g}")
        return kind(value)

    def mapping(self, name: str, kind: type) -> dict[str, Any]:
        """An object with values of a type."""
        value = self.get(name, dict)
        if not all(isinstance(entry, kind) for entry in value.values()):
            raise self.wrong(name, f"an object of {kind.__name__}")
        return value


class _Arrays:
    """Arrays of the weights, taken with their shape checked."""

    def __init__(self, folder: Path, manifest: _Fields) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        self._path = folder / WEIGHTS
        if not {WEIGHTS, LEFT_OUT, ESTIMATES} <= set(manifest.mapping("files", str)):
            raise manifest.wrong("files", f"{WEIGHTS}, {LEFT_OUT} and {ESTIMATES} among them")
        try:
            self._arrays = load_file(self._path)
        except (SafetensorError, ValueError, OSError, KeyError) as error:
            raise UnusableModel(f"{self._path} cannot be read ({error}); train it again") from None

    def take(self, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
        """Finite numbers of a shape, in which None is any length."""
        array = self._arrays.get(name)
        if array is None:
            raise UnusableModel(f"{self._path}: {name} is missing; train it again")
        fits = array.ndim == len(shape) and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype.kind not in "fi":
            raise UnusableModel(
                f"{self._path}: {name} has the shape {array.shape}, expected {shape}; train it again"
            )
        if not np.isfinite(array).all():
            raise UnusableModel(f"{self._path}: {name} holds values that are not finite; train it again")
        return array

    def codes(self, name: str, n_classes: int) -> np.ndarray:
        """Numbers of classes, each once."""
        found = self.take(name, (None,))
        codes = found.astype(int)
        if (
            (codes != found).any()
            or len(set(codes)) < max(1, len(codes))
            or not np.isin(codes, range(n_classes)).all()
        ):
            raise UnusableModel(f"{self._path}: {name} names classes that are not there; train it again")
        return codes
