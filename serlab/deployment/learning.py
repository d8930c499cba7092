"""Learning the forms of a model from whole corpora, and asking them about corpora that were left out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from serlab import methods, normalization, voices
from serlab.deployment import classifiers
from serlab.deployment.families import AND, Family
from serlab.deployment.forms import Form, vectors
from serlab.errors import ProtocolError
from serlab.evaluation import Material, Setting, fitting
from serlab.progress import UNWATCHED, Watch
from serlab.training import Fitting
from serlab.wording import count

#: Groups of speakers that are left out in turn where there is one corpus.
_GROUPS = 5


def learn(
    material: Material, rows: np.ndarray, family: Family, *, setting: Setting, seed: int = 0
) -> dict[str, Form]:
    """All forms of a family, learned from the same labelled utterances.

    Parameters
    ----------
    material : Material
        Utterances of the sources, with their features.
    rows : ndarray of int
        Those that are learned from.
    family : Family
    setting : Setting
    seed : int

    Returns
    -------
    dict
        Form -> Form, not calibrated.

    Raises
    ------
    ProtocolError
        If there are fewer than two classes.
    """
    found = {}
    for name, method in family.methods.items():
        spec = methods.get(method)
        learned = fitting.fit_sources(
            spec, rows, material=material, setting=setting, seed=seed,
            fitting=Fitting(n_jobs=setting.n_jobs, device=setting.device),
        )  # fmt: skip
        source = material.of(spec, setting.values).labelled(rows)
        assert source is not None  # or nothing had been learned
        scope, mean, scale, guesser = spec.normalization, None, None, None
        if scope == "source":
            mean, scale = normalization.mean_and_scale(source.X)
        elif scope == "voices":
            by_corpus = normalization.of_sources("corpus", source)
            guesser = voices.guesser(vectors(by_corpus), source.y, source.corpus)
        found[name] = Form(
            method=method, scope=scope, mean=mean, scale=scale, guesser=guesser,
            classifier=classifiers.of(learned, name=method, n_classes=len(material.classes)),
            chosen_by=learned.by if isinstance(learned, fitting.Fresh) else None,
        )  # fmt: skip
    return found


def sets_for_evidence(corpora: Sequence[str]) -> list[tuple[str, ...]]:
    """All corpora but one, and all but two: what a model's evidence is made of.

    Examples
    --------
    >>> sets_for_evidence(["a", "b", "c"])
    [('b', 'c'), ('a', 'c'), ('a', 'b'), ('c',), ('b',), ('a',)]
    """
    found = []
    for left_out in (1, 2):
        for without in itertools.combinations(corpora, left_out):
            kept = tuple(name for name in corpora if name not in without)
            found += [kept] if kept else []
    return found


def all_sets(corpora: Sequence[str]) -> list[tuple[str, ...]]:
    """Every set of corpora that leaves one to be asked about."""
    sizes = range(1, len(corpora))
    return [chosen for size in sizes for chosen in itertools.combinations(corpora, size)]


def units_of(utterances: pd.DataFrame) -> np.ndarray:
    """What is left out in turn: corpora; where there is one, groups of its speakers. Of shape (n,).

    Raises
    ------
    ProtocolError
        If there is one corpus of one speaker: nothing can be left out.
    """
    corpus = utterances["corpus"].to_numpy(dtype=str)
    if len(np.unique(corpus)) > 1:
        return corpus
    speaker, names = pd.factorize(utterances["speaker"], sort=True)
    n_groups = min(len(names), _GROUPS)
    if n_groups < 2 or (speaker < 0).any():
        raise ProtocolError(
            f"{corpus[0]} alone has {count(len(names), 'known speaker')}: nobody can be left out to see "
            "how a model does; add a second corpus"
        )
    return np.char.add(f"{corpus[0]}, speakers ", (speaker % n_groups + 1).astype(str))


def ask_left_out(
    material: Material,
    family: Family,
    sets: Sequence[tuple[str, ...]],
    *,
    setting: Setting,
    unit: np.ndarray | None = None,
    watch: Watch = UNWATCHED,
) -> tuple[pd.DataFrame, dict[tuple[str, ...], dict[str, Form]]]:
    """Learn from each set of corpora, and ask about every corpus that is not in it.

    The corpus that is asked about gives its unlabelled utterances, all of them, to adapt to, and the names
    of its speakers to the form that wants them; its labels are only written down.

    Parameters
    ----------
    material : Material
    family : Family
    sets : sequence of tuple of str
        See :func:`sets_for_evidence`.
    setting : Setting
    unit : ndarray of str, shape (n,), optional
        What is left out, see :func:`units_of`; the corpora, if not given.
    watch : Watch

    Returns
    -------
    DataFrame
        sources ("emodb + nemo"), form, corpus, utterance, y_true, and one ``p_<class>`` a class, not
        calibrated.
    dict
        Set -> form -> Form; sets in which one class occurs are passed over.

    Raises
    ------
    ProtocolError
        If no set has two classes.
    """
    unit = material.utterances["corpus"].to_numpy(dtype=str) if unit is None else unit
    tables, learned = [], {}
    for number, chosen in enumerate(sets):
        watch.report(number, len(sets), f"learning from {AND.join(chosen)}")
        rows = np.flatnonzero(np.isin(unit, chosen))
        if material.utterances["emotion"].iloc[rows].nunique() < 2:
            continue  # a corpus of one class teaches nothing alone
        learned[chosen] = learn(material, rows, family, setting=setting)
        for name in dict.fromkeys(unit):
            if name not in chosen:
                asked = np.flatnonzero(unit == name)
                answers = _answers(material, asked, learned[chosen], setting)
                tables += [table.assign(sources=AND.join(chosen), corpus=name) for table in answers]
    watch.report(len(sets), len(sets), "corpora left out")
    if not tables:
        raise ProtocolError("no corpus has two classes; choose another label scheme or other corpora")
    return pd.concat(tables, ignore_index=True), learned


def _answers(
    material: Material, rows: np.ndarray, forms: Mapping[str, Form], setting: Setting
) -> list[pd.DataFrame]:
    tables = []
    for name, form in forms.items():
        samples = material.of(methods.get(form.method), setting.values)
        asked = samples.unlabelled(rows)
        assert asked is not None  # a corpus has utterances
        proba = form.raw(asked, asked)
        table = pd.DataFrame(
            {
                "form": name,
                "utterance": material.utterances.index[rows],
                "y_true": samples.y[rows],
            }
        )
        columns = {f"p_{label}": proba[:, i] for i, label in enumerate(material.classes)}
        tables.append(table.assign(**columns))
    return tables
