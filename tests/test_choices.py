"""Every choice of methods that a panel allows ends in a report: figures say what they cannot show.

Answers are made up, and nothing is fitted: it is about what a notebook shows of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from serlab import data, methods
from serlab.errors import SerlabError
from serlab.evaluation import comparison
from serlab.evaluation.running import FIT_COLUMNS, Run
from serlab.experiment import NotKept, Parameters, Prepared
from serlab.experiment.kept import Kept
from serlab.experiment.labelling import labelled_of
from serlab.reporting import notebooks

#: Those in which most depends on the methods; the others have none of their own.
NOTEBOOKS = ("02", "04", "05", "06")
EMOTIONS = ("anger", "joy", "neutral", "sadness")
#: Groups that notebooks offer.
OFFERED = {
    "01": ("andova-lustrek", "further"),
    "02": ("neumann-vu", "neumann-vu-sizes", "further"),
    "03": ("durrani-arshad", "further"),
    "04": ("adaptation", "baklouti", "vgg16", "target-head"),
    "05": ("tdnn", "zhou-beigi", "encoders", "encoder-top", "encoder-adapters"),
    "06": ("sources", "further", "encoders"),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rows = [
        {
            "utterance": f"{corpus}/{speaker}-{word}-{n}", "corpus": corpus, "path": "x.wav", "sex": sex,
            "speaker": f"{corpus}-{speaker}", "native_label": word, "text_id": f"t{n}", "language": corpus,
        }
        for corpus in ("here", "near", "far")
        for speaker, sex in enumerate("fmfm")
        for word in EMOTIONS
        for n in range(2)
    ]  # fmt: skip
    return data.utterances(rows)


def offered(notebook: str) -> list[str]:
    """Methods that can be ticked without a file of their own."""
    names = dict.fromkeys(name for group in OFFERED[notebook] for name in methods.GROUPS[group])
    return [name for name in names if "encoder" not in methods.get(name).options]


def chosen_of(notebook: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Values of a notebook's parameters with these methods alone."""
    values = {name: p.default for name, p in notebooks.parameters(notebooks.find(notebook)).items()}
    values |= {"target": "here", "sources": ["near", "far"], "methods": list(names), "seeds": [0, 1]}
    values |= {"protocol": "speaker-groups", "folds": 2}
    if not any(methods.get(name).uses_source for name in names):
        values["sources"] = []
    return values


def answers(parameters: Parameters, utterances: pd.DataFrame, folds: dict[str, np.ndarray]) -> Run:
    """What methods might have said, networks with what they show besides."""
    rng = np.random.default_rng(0)
    classes = list(utterances["emotion"].cat.categories)
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in ("predictions", "fits", "history")}
    parts |= {"embeddings": [], "attention": []}
    for name in comparison.with_controls(parameters.methods):
        spec = methods.get(name)
        for fold, test in folds.items():
            for seed in parameters.seeds if spec.stochastic else parameters.seeds[:1]:
                key = {"run": "r", "method": name, "fold": fold, "seed": seed}
                proba = rng.dirichlet(np.ones(len(classes)), len(test))
                own = pd.DataFrame({**key, "utterance": utterances.index[test]})
                own["y_true"] = utterances["emotion"].cat.codes.to_numpy()[test].astype(int)
                own["y_pred"] = proba.argmax(axis=1)
                parts["predictions"].append(
                    own.assign(**{f"p_{c}": proba[:, i] for i, c in enumerate(classes)})
                )
                fit = dict.fromkeys(FIT_COLUMNS, 0) | key | {"skipped": "", "seconds": 0.1}
                fit |= {"access": spec.access, "normalization": spec.normalization}
                fit |= {"transductive": False, "target_seen": "nothing"}
                parts["fits"].append(pd.DataFrame([fit]))
                if spec.input == "frames":
                    epochs = {"epoch": [0, 1], "loss": [1.0, 0.5], "uar": [0.3, 0.5]}
                    parts["history"].append(
                        pd.DataFrame({**key, "stage": "fit", **epochs}).drop(columns="run")
                    )
        if spec.input == "frames":
            head = {"method": name, "fold": next(iter(folds)), "seed": 0, "utterance": utterances.index}
            shown = pd.DataFrame({**head, "part": "test"})
            two = {f"{letter}_{i}": rng.random(len(shown)) for letter in "e" for i in (1, 2)}
            parts["embeddings"].append(shown.assign(**two))
    return Run(**{name: pd.concat(own, ignore_index=True) for name, own in parts.items() if own})


def finished(folder: Path, notebook: str, names: tuple[str, ...], table: pd.DataFrame) -> dict[str, Any]:
    """A run folder that is complete; the values of its notebook's parameters."""
    values = chosen_of(notebook, names)
    parameters = Parameters.from_names(values)
    wanted = (parameters.target, *parameters.sources)
    utterances, left_out = labelled_of(table[table["corpus"].isin(wanted)], parameters)
    splits, _ = parameters.split_protocol().plan(utterances)
    vectors = pd.DataFrame(
        np.random.default_rng(1).random((len(utterances), 3)), index=utterances.index, columns=list("abc")
    )
    hashes = pd.Series(utterances.index, index=utterances.index)
    skipped = pd.DataFrame(columns=["utterance", "path", "reason", "corpus", "emotion"])
    kept = Kept(folder)
    given = {name: value for name, value in parameters.as_dict().items() if name != "data"}
    kept.write_prepared(Prepared(utterances, vectors, (), {}, left_out, hashes, skipped, (), "0" * 12), given)
    kept.write_run("", answers(parameters, utterances, {split.fold: split.test for split in splits}))
    kept.note(state="complete", heard=[], sentences=[], provided={})
    return values | {"run_folder": str(folder)}


def cells(notebook: str) -> Iterator[tuple[str, str]]:
    import nbformat

    for cell in nbformat.read(notebooks.find(notebook), as_version=4).cells:
        if cell.cell_type == "code":
            tags = cell.metadata.get("tags", [])
            yield cell.id, "" if "parameters" in tags else cell.source


def show(notebook: str, values: dict[str, Any]) -> list[str]:
    """Execute the cells of a notebook; what failed, other than what the folder does not keep."""
    shell = InteractiveShell()
    shell.user_ns.update(values)
    failed = []
    for name, source in cells(notebook):
        try:
            exec(compile(source, name, "exec"), shell.user_ns)
        except NotKept:
            continue
        except Exception as error:
            kind = "" if isinstance(error, SerlabError) else f"{type(error).__name__}: "
            failed.append(f"{name}: {kind}{error}")
    return failed


def subsets(notebook: str, n: int) -> list[tuple[str, ...]]:
    """Methods as a person may tick them: one alone, then a few at random; the same ones each time."""
    names, draw = offered(notebook), random.Random(int(notebook))
    return [tuple(draw.sample(names, 1 + number % 4)) for number in range(n)]


#: Subsets of each notebook; further ones were tried by hand, by a larger number here.
N_SUBSETS = 1


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_whatever_methods_are_ticked_there_is_a_report(notebook, table, tmp_path, capsys):
    for number, names in enumerate(subsets(notebook, N_SUBSETS)):
        values = finished(tmp_path / str(number), notebook, names, table)
        assert show(notebook, values) == [], names


def test_what_cannot_be_shown_is_left_out_with_its_reason(table, tmp_path, capsys):
    values = finished(tmp_path, "04", ("svm-source",), table)
    assert show("04", {**values, "studies": ["trade-off"]}) == []
    said = capsys.readouterr().out
    assert "Left out here: no network was run both without and with adaptation" in said
    assert "('target-head' is not among the studies chosen)" in said
    assert "no answer to 'sweep'" in said, "chosen, and this folder does not keep it"
