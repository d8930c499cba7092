"""A model as a folder: JSON, safetensors, Parquet, skops; each file checked when it is read.

::

    model.json              what it is, and the hash of every other file
    weights.safetensors     numbers of all forms; features of the sources, if it learns beside recordings
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

from serlab import files
from serlab.deployment import classifiers, evidence, familiar, kept_forms
from serlab.deployment.checked import Arrays, Fields
from serlab.deployment.classifiers import Estimator, UnusableModel
from serlab.deployment.families import FAMILIES, FORMS
from serlab.deployment.forms import Form
from serlab.deployment.model import Model, Source
from serlab.deployment.recordings import Windows
from serlab.errors import ParameterError, SerlabError

#: Raise it when older folders can no longer be read.
VERSION = 2
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
            for key, value in kept_forms.arrays(f"form/{name}", form).items()
        },
    }
    for number, forms in enumerate(model.members.values()):
        for name, form in forms.items():
            arrays |= kept_forms.arrays(f"member/{number}/{name}", form)
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
            name: {"method": form.method, "scope": form.scope, **kept_forms.described(form)}
            for name, form in model.forms.items()
        },
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
    if not {WEIGHTS, LEFT_OUT, ESTIMATES} <= set(manifest.mapping("files", str)):
        raise manifest.wrong("files", f"{WEIGHTS}, {LEFT_OUT} and {ESTIMATES} among them")
    arrays = Arrays(folder / WEIGHTS)
    classes = tuple(manifest.texts("classes"))
    n_features, n_classes = manifest.number("n_features", int, 1, _MOST_FEATURES), len(classes)
    if not 2 <= n_classes <= _MOST_CLASSES or len(set(classes)) < n_classes:
        raise manifest.wrong("classes", "2 to 100 different names")
    described = manifest.mapping("forms", dict)
    if "as-is" not in described or not set(described) <= set(FORMS):
        raise manifest.wrong("forms", f"some of {', '.join(FORMS)}, as-is among them")

    def form(prefix: str, name: str) -> Form:
        values = Fields(described[name], f"{folder / MANIFEST}, form {name}")
        if values.text("classifier", kept_forms.KINDS) != "estimator":
            return kept_forms.read(prefix, values, arrays, classes=n_classes, features=n_features)
        path = folder / _estimator(name)
        if path.name not in manifest.mapping("files", str):
            raise UnusableModel(f"{path} is not among the files of {folder / MANIFEST}; train it again")
        estimator = classifiers.read(path, n_classes=n_classes, n_features=n_features)
        return kept_forms.read(
            prefix, values, arrays, classes=n_classes, features=n_features, estimator=estimator
        )

    members = manifest.texts("members")
    windows = Fields(manifest.get("windows", dict), f"{folder / MANIFEST}, windows")
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


def _manifest(folder: Path) -> Fields:
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
    fields_ = Fields(values, str(path))
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
    own = Fields(described, where)
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
