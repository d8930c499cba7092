"""Tables made for figures, and one figure of every kind: what tests of this floor share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import pandas as pd

from serlab import data, plotting
from serlab.plotting import utterance as one_utterance
from serlab.studies import robustness as study

FOUR = ("neutral", "anger", "joy", "sadness")
SEVEN = ("neutral", "anger", "disgust", "fear", "joy", "sadness", "surprise")


# --- what is seen of a figure -------------------------------------------------------------------


def texts(figure) -> str:
    """Everything written on a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text())


def width(figure) -> int:
    """Pixels."""
    return round(figure.get_figwidth() * figure.dpi)


def is_within_page(figure) -> bool:
    """Whether nothing that is drawn reaches over the edge (by 0.02 inch or more)."""
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return min(drawn.x0, drawn.y0) > -0.02 and drawn.x1 < width + 0.02 and drawn.y1 < height + 0.02


# --- tables -------------------------------------------------------------------------------------


def utterances(corpora: Mapping[str, int], classes=FOUR, per_cell: int = 4) -> pd.DataFrame:
    """Corpus -> number of speakers; each has ``per_cell`` utterances of every class."""
    rows = [
        (f"{corpus}/{speaker}-{emotion}-{number}", corpus, f"{corpus}/S{speaker}", emotion)
        for corpus, n_speakers in corpora.items()
        for speaker, emotion, number in itertools.product(range(1, n_speakers + 1), classes, range(per_cell))
    ]
    table = pd.DataFrame(rows, columns=["utterance", "corpus", "speaker", "emotion"]).set_index("utterance")
    return table.assign(emotion=pd.Categorical(table["emotion"], categories=classes))


def features(table: pd.DataFrame, d: int = 6) -> pd.DataFrame:
    X = np.random.default_rng(0).normal(size=(len(table), d))
    return pd.DataFrame(X, index=table.index, columns=[f"f{i}" for i in range(d)])


def summary(n: int = 5, classes=FOUR) -> pd.DataFrame:
    access = list(plotting.ACCESS)
    table = pd.DataFrame(
        {
            "method": [f"m{i}" for i in range(n)],
            "title": [f"Method number {i}, with a title of some length" for i in range(n)],
            "access": [access[i % 4] for i in range(n)],
            "transductive": [i % 4 == 1 for i in range(n)],
            "badge": ["random split" if i == 0 else "" for i in range(n)],
            "uar": np.linspace(0.2, 0.8, n),
        }
    )
    table["uar_low"], table["uar_high"] = table["uar"] - 0.05, table["uar"] + 0.05
    return table.assign(**{f"recall_{name}": 0.5 for name in classes})


def groups(*methods: str, values: Sequence[str] = ("female", "male")) -> pd.DataFrame:
    """Gaps between two groups by sex, and between fourteen sentences."""
    rows = [
        {"method": method, "title": method, "attribute": attribute, "group": group, "n_utterances": 40,
         "n_speakers": 5, "uar": 0.3 + 0.04 * place, "uar_low": 0.2 + 0.04 * place,
         "uar_high": 0.4 + 0.04 * place, "gap": 0.04, "gap_low": -0.1, "gap_high": 0.2, "p": 0.2,
         "p_holm": 0.4, "verdict": "no difference shown" if place else "lower than the others"}
        for method in methods
        for attribute, every in (("sex", values), ("text_id", [f"c/t{number}" for number in range(14)]))
        for place, group in enumerate(every)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def reliability(*methods: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points and errors of methods, as they answered and with a temperature."""
    both = [(method, name) for method in methods for name in ("as answered", "with temperature")]
    sure = np.linspace(0.3, 0.95, 10)
    curves = pd.concat(
        pd.DataFrame({"bin": range(10), "n": 20, "confidence": sure, "right": sure - 0.1 * (name[0] == "a"),
                      "method": method, "title": method, "probabilities": name})
        for method, name in both
    )  # fmt: skip
    errors = pd.DataFrame(both, columns=["method", "probabilities"]).assign(
        ece=[0.1, 0.02] * len(methods), ece_low=0.01, ece_high=0.2, by_luck=0.03, confidence=0.6, right=0.5,
    )  # fmt: skip
    errors.insert(1, "title", errors["method"])
    return curves, errors


def robustness(*methods: str) -> pd.DataFrame:
    """Methods under every condition; the second of them scaled in two ways."""
    rows = []
    for number, method in enumerate(methods):
        scales = ["target as recorded", "changed target"][: 1 + number % 2]
        for scale, kind in itertools.product(scales, study.KINDS):
            severities = [study.CLEAN, *(c.severity for c in study.CONDITIONS if c.kind == kind)]
            for place, severity in enumerate(severities):
                uar, change = 0.7 - 0.1 * place, -0.1 * place
                rows.append(
                    {"method": method, "title": method, "kind": kind, "severity": severity, "scale": scale,
                     "n_utterances": 40, "uar": uar, "uar_low": uar - 0.1, "uar_high": uar + 0.1,
                     "change": change, "change_low": change - 0.05, "change_high": change + 0.05, "p": 0.01}
                )  # fmt: skip
    return pd.DataFrame(rows)


def comparison() -> pd.DataFrame:
    """One question: three that were declared and one exploratory."""
    return pd.DataFrame(
        {
            "question": "source",
            "method": ["a", "b", "c", "d"],
            "control": "rf-target",
            "control_title": "Forest",
            "primary": [True, True, True, False],
            "gain": [0.1, -0.2, 0.001, 0.3],
            "gain_low": [0.05, -0.3, -0.1, 0.2],
            "gain_high": [0.15, -0.1, 0.1, 0.4],
            "n_speakers": 10,
            "n_folds": 3,
            "n_seeds": 1,
            "p_holm": [0.0002, 0.01, 0.8, np.nan],
            "verdict": ["helps", "hurts", "no difference shown", "exploratory"],
        }
    )


def predictions(methods=("m0",), classes=FOUR, n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "method": np.repeat(methods, n),
            "y_true": rng.integers(0, len(classes), n * len(methods)),
            "y_pred": rng.integers(0, len(classes), n * len(methods)),
        }
    )
    return table.assign(**{f"p_{name}": 1 / len(classes) for name in classes})


def results(methods: Mapping[str, str], *, folds: int = 10) -> pd.DataFrame:
    """Method -> access; one row a fold, the last fold skipped."""
    rng = np.random.default_rng(2)
    rows = [
        {"method": method, "access": access, "fold": f"f{fold}", "seed": 0,
         "uar": np.nan if fold == folds - 1 else rng.uniform(0.3, 0.8)}
        for method, access in methods.items()
        for fold in range(folds)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def published(*titles: str) -> pd.DataFrame:
    """The last title was not run here."""
    n = len(titles)
    measured = np.append(np.linspace(0.3, 0.7, n)[:-1], np.nan)
    return pd.DataFrame(
        {"title": titles, "published": np.linspace(0.5, 0.6, n), "measured": measured,
         "low": measured - 0.1, "high": measured + 0.1, "difference": "other speakers"}
    )  # fmt: skip


def confounds(*titles: str) -> pd.DataFrame:
    """Random split, unseen speakers and a probe of each."""
    row = {"metric": "UAR", "value": 0.8, "low": 0.7, "high": 0.9, "chance": 0.25}
    rows = []
    for title in titles:
        rows += [
            {**row, "measure": "random split", "title": title},
            {**row, "measure": "speaker-disjoint split", "title": title, "value": 0.4},
            {**row, "measure": "speaker recognised", "metric": "accuracy", "low": np.nan},
        ]
    return pd.DataFrame(rows)


def runs(n_methods: int, *, n_corpora: int = 3) -> pd.DataFrame:
    """All ordered pairs; the first method is the worst everywhere."""
    rows = [
        {"run": f"{a} to {b}", "source": a, "target": b, "method": f"m{i}", "title": f"Method {i}",
         "uar": 0.3 + 0.02 * i, "uar_low": 0.2, "uar_high": 0.8, "gain": 0.01 * i if i else np.nan,
         "gain_low": -0.1, "gain_high": 0.2, "verdict": "helps" if i == n_methods - 1 else np.nan,
         "question": "source"}
        for a, b in itertools.permutations("abcde"[:n_corpora], 2)
        for i in range(n_methods)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def history(epochs: Mapping[tuple[str, str], int], *, folds: int = 3, validation: bool = False):
    """(method, stage) -> epochs; the loss of fold f in epoch e is f + 1/e."""
    rows = [
        {"method": method, "fold": fold, "seed": 0, "stage": stage, "epoch": epoch, "loss": fold + 1 / epoch,
         "uar": 1 - 0.5 / epoch}
        for (method, stage), n in epochs.items()
        for fold, epoch in itertools.product(range(folds), range(1, n + 1))
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    return table.assign(validation_loss=table["loss"] + 1, validation_uar=0.5) if validation else table


def loss_terms(**terms: tuple[str, ...]) -> pd.DataFrame:
    """Method -> terms; term number i of fold f is i + f + 1/epoch."""
    rows = [
        {"method": method, "fold": fold, "seed": 0, "stage": "adaptation", "epoch": epoch, "loss": 1.0,
         **{f"loss_{name}": number + fold + 1 / epoch for number, name in enumerate(names)}}
        for method, names in terms.items()
        for fold, epoch in itertools.product(range(3), range(1, 6))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def attention(
    *weights: list[float], names: list[str], method: str = "m", part: str = "train"
) -> pd.DataFrame:
    """One row of weights an utterance."""
    table = pd.DataFrame(weights, columns=[f"a_{i + 1}" for i in range(len(weights[0]))])
    return table.assign(method=method, fold="f0", seed=0, utterance=names, part=part)


def embeddings(table: pd.DataFrame, E: np.ndarray, method: str = "m", fold: str = "f0") -> pd.DataFrame:
    """One row of ``E`` an utterance of ``table``."""
    columns = [f"e_{i + 1}" for i in range(E.shape[1])]
    key = {"method": method, "fold": fold, "seed": 0, "utterance": table.index}
    return pd.DataFrame(E, columns=columns).assign(**key)


def apart(table: pd.DataFrame, method: str, *, apart: float, fold: str = "f0") -> pd.DataFrame:
    """Embeddings: classes lie apart by 1 on the first axis, corpora by ``apart`` on the second."""
    E = np.random.default_rng(0).normal(scale=0.1, size=(len(table), 3))
    E[:, 0] += table["emotion"].cat.codes
    E[:, 1] += apart * (table["corpus"] == table["corpus"].iloc[0])
    return embeddings(table, E, method, fold)


def shift(**methods: Mapping[str, float]) -> pd.DataFrame:
    """Method -> layer -> A-distance; two fits that differ by .2, the first one told apart."""
    rows = [
        {"method": method, "fold": fold, "seed": 0, "layer": layer, "mmd2": distance / 10,
         "p": 0.01 + fold * 0.5, "a_distance": distance + 0.2 * fold, "n_source": 40, "n_target": 40}
        for method, layers in methods.items()
        for layer, distance in layers.items()
        for fold in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def scored(*methods: str) -> pd.DataFrame:
    """Summary with methods, UAR and interval only."""
    uar = np.linspace(0.4, 0.6, len(methods))
    return pd.DataFrame({"method": methods, "uar": uar, "uar_low": uar - 0.05, "uar_high": uar + 0.05})


def sweep(
    uar: Mapping[float, float], score: Mapping[float, float], *, method: str = "m", title: str = ""
) -> pd.DataFrame:
    """Two fits with the same curve and the same score of one selector."""
    rows = [
        {"method": method, "title": title or f"Method {method}", "trade_off": value, "fold": fold, "seed": 0,
         "uar": uar[value], "source_validation": score[value], "entropy": np.nan}
        for value, fold in itertools.product(uar, ("f0", "f1"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def few_shot(**curves: Mapping[int, float]) -> pd.DataFrame:
    """Method -> shots -> UAR; bands of .02 to either side."""
    rows = [
        {"method": name, "title": f"Method {name}", "shots": shots, "uar": uar, "uar_low": uar - 0.02,
         "uar_high": uar + 0.02, "n_draws": 3}
        for name, curve in curves.items()
        for shots, uar in curve.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def few_shot_gains(**curves: Mapping[int, float]) -> pd.DataFrame:
    """Method -> shots -> gain; intervals of .02 to either side."""
    rows = [
        {"method": name, "title": f"Method {name}", "control": "alone", "over": "Alone", "shots": shots,
         "gain": gain, "gain_low": gain - 0.02, "gain_high": gain + 0.02, "n_speakers": 9, "n_draws": 3}
        for name, curve in curves.items()
        for shots, gain in curve.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def source_sets(*titles: str, sources: Sequence[str] = ("a", "b")) -> pd.DataFrame:
    """Each source alone, then both: better by .1."""
    rows = [
        {"method": title, "title": title, "sources": name, "n_sources": 1 + (" + " in name),
         "uar": 0.4 + 0.01 * i + 0.1 * (" + " in name), "uar_low": 0.3, "uar_high": 0.6}
        for i, title in enumerate(titles)
        for name in (*sources, " + ".join(sources))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def source_worth(*titles: str, sources: Sequence[str] = ("a", "b")) -> pd.DataFrame:
    """The first source adds .05, the others nothing."""
    rows = [
        {"method": title, "title": title, "source": name, "alone": 0.4, "adds": 0.05 * (name == sources[0]),
         "adds_low": -0.02, "adds_high": 0.08}
        for title in titles
        for name in sources
    ]  # fmt: skip
    return pd.DataFrame(rows)


def left_out(*titles: str, targets: Sequence[str] = ("a", "b", "c")) -> pd.DataFrame:
    """Each corpus left out: .5, and .05 more for each that follows; the mean; later methods a little less."""
    rows = [
        {"method": title, "title": title, "target_seen": "nothing", "target": name,
         "uar": uar - 0.02 * i, "uar_low": 0.2, "uar_high": 0.9}
        for i, title in enumerate(titles)
        for name, uar in [*((t, 0.5 + 0.05 * j) for j, t in enumerate(targets)), ("mean", 0.55)]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def left_out_curve(*titles: str, targets: Sequence[str] = ("a", "b", "c")) -> pd.DataFrame:
    """One source or two: better by .1."""
    rows = [
        {"method": title, "title": title, "target": name, "n_sources": n, "sets": 3 - n, "uar": 0.4 + 0.1 * n}
        for title in titles
        for name in (*targets, "mean")
        for n in (1, 2)
    ]
    return pd.DataFrame(rows)


def helping(*titles: str, targets: Sequence[str] = ("a", "b", "c")) -> pd.DataFrame:
    """The first helps the second by .05, all others nothing."""
    rows = [
        {"target": target, **row, "adds": 0.05 * (row["source"] == targets[0] and target == targets[-1])}
        for target in targets
        for row in source_worth(*titles, sources=[t for t in targets if t != target] or ["x"]).to_dict(
            "records"
        )
    ]
    return pd.DataFrame(rows)


def known_before(targets: Sequence[str] = ("a", "b", "c")) -> pd.DataFrame:
    rows = [
        {"target": target, "source": source, "a_distance": 1.0 + 0.1 * i, "mmd2": 0.1, "shared_classes": 1.0,
         "same_branch": float("nan"), "same_speech": 1.0, "utterances": 100, "speakers": 4,
         "alone": 0.4 + 0.1 * i, "adds": 0.0}
        for target in targets
        for i, source in enumerate(t for t in (*targets, "x") if t != target)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def probes(layers: list[str]) -> pd.DataFrame:
    rows = [
        {"layer": layer, "what": what, "uar": 0.3 + 0.05 * number, "low": 0.25, "high": 0.9,
         "chance": chance, "permuted": chance + 0.01, "held_out": held_out, "n": 40, "n_classes": 4,
         "n_left_out": 0}
        for number, layer in enumerate(layers)
        for what, chance, held_out in (("emotion", 0.25, "speaker"), ("speaker", 0.1, "text"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def layer_weights(**methods: list[list[float]]) -> pd.DataFrame:
    """Method -> weights of each fit."""
    rows = [
        {"method": method, "fold": f"f{fold}", "seed": 0, "layer": f"layer{layer}", "weight": weight}
        for method, fits in methods.items()
        for fold, fit in enumerate(fits)
        for layer, weight in enumerate(fit)
    ]
    return pd.DataFrame(rows)


def answers(classes=FOUR, **methods: list[list[tuple[int, int]]]) -> pd.DataFrame:
    """Method -> (true, answer) of each fold."""
    rows = [
        {"method": method, "fold": f"f{fold}", "seed": 0, "y_true": true, "y_pred": predicted}
        for method, folds in methods.items()
        for fold, pairs in enumerate(folds)
        for true, predicted in pairs
    ]
    return pd.DataFrame(rows).assign(**{f"p_{name}": 0.25 for name in classes})


def heard(path: str, *emotions: str) -> pd.DataFrame:
    """An utterance of each emotion, all of one file."""
    rows = [
        {"utterance": f"x/{i}", "corpus": "x", "speaker": "x/s", "path": path, "native_label": name}
        for i, name in enumerate(emotions)
    ]
    return data.utterances(rows).assign(emotion=list(emotions))


def among(*who: str, word: str = "F0") -> pd.DataFrame:
    """Everybody in the middle of one feature, and outside in another."""
    return pd.DataFrame(
        [{"feature": f"{word} {i}", "who": one, "value": 50 + 49 * i} for one in who for i in range(2)]
    )


# --- one figure of every kind -------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """How things are called in a figure."""

    methods: tuple[str, ...] = ("RF, source only", "RF, target only", "RF, source + target")
    corpora: tuple[str, ...] = ("emodb", "urdu")
    classes: tuple[str, ...] = FOUR
    speaker: str = "S"
    word: str = "layer"


def _labelled(names: Names, per_cell: int = 2) -> pd.DataFrame:
    table = utterances(dict.fromkeys(names.corpora, 3), names.classes, per_cell)
    return table.assign(speaker=table["speaker"].str.replace("/S", f"/{names.speaker}", regex=False))


def _heard(names: Names, tone: str) -> pd.DataFrame:
    return heard(tone, *names.classes[:3])


def _summary(names: Names) -> pd.DataFrame:
    return summary(len(names.methods), names.classes).assign(method=names.methods, title=names.methods)


def _gain(names: Names) -> pd.DataFrame:
    table = comparison().iloc[[i % 4 for i in range(len(names.methods))]].reset_index(drop=True)
    return table.assign(method=names.methods, title=names.methods, control_title=names.methods[0])


def _runs(names: Names) -> pd.DataFrame:
    table = runs(len(names.methods), n_corpora=max(2, len(names.corpora)))
    corpora = dict(zip("abcde", names.corpora, strict=False))
    title = dict(zip(dict.fromkeys(table["method"]), names.methods, strict=True))
    titles = table["method"].map(title)
    source, target = table["source"].map(corpora), table["target"].map(corpora)
    return table.assign(title=titles, method=titles, source=source, target=target)


def estimated(names: Names) -> pd.DataFrame:
    """Estimates of each corpus, beside the truth."""
    kinds = ("held out", "confidence", "thresholded", "difference", "disagreement", "importance")
    rows = [
        (corpus, kind, 0.4 + 0.05 * i, 0.45 + 0.04 * j)
        for j, corpus in enumerate(names.corpora)
        for i, kind in enumerate(kinds)
    ]
    return pd.DataFrame(rows, columns=["target", "estimate", "uar", "true_uar"])


def planned() -> pd.DataFrame:
    """UAR of strategies that choose what is labelled."""
    rows = [("none", 0, 0.5, np.nan)]
    rows += [
        (name, n, 0.5 + n / 200, gain)
        for name, gain in (("random", np.nan), ("both", 0.02))
        for n in (10, 20)
    ]
    table = pd.DataFrame(rows, columns=["strategy", "labels", "uar", "over_random"])
    return table.assign(uar_low=table["uar"] - 0.1, uar_high=table["uar"] + 0.1)


def over_time(names: Names) -> pd.DataFrame:
    """Windows of a long recording, with a pause."""
    start = np.array([0.0, 1.0, 2.0, 9.0, 10.0])
    table = pd.DataFrame({"start": start, "end": start + 2, "answer": names.classes[0]})
    share = 1 / len(names.classes)
    return table.assign(**{f"p_{name}": share for name in names.classes})


def _few_shot(names: Names) -> pd.DataFrame:
    curve = {0: 0.5, 1: 0.52, 5: 0.6, 50: 0.7}
    parts = [
        few_shot(m={shots: uar + 0.03 * i for shots, uar in curve.items()}).assign(method=name, title=name)
        for i, name in enumerate(names.methods)
    ]
    return pd.concat(parts)


def _sweep(names: Names) -> pd.DataFrame:
    parts = [
        sweep({0: 0.5, 0.1: 0.7, 1: 0.6}, {0: 0.1, 0.1: 0.2, 1: 0.9}, method=name, title=name)
        for name in names.methods
    ]
    return pd.concat(parts)


def _answers(names: Names) -> pd.DataFrame:
    n = len(names.classes)
    pairs = [[(i % n, (i * j) % n) for i in range(20)] for j in (1, 2)]
    return answers(names.classes, **{name: list(pairs) for name in names.methods})


def _attention(names: Names) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = _labelled(names).assign(duration=1.0)
    weights = [[0.6, 0.3, 0.1]] * len(table)
    parts = [attention(*weights, names=list(table.index), method=name) for name in names.methods]
    return pd.concat(parts), table


def _before_after(names: Names) -> plotting.Figure:
    table, (before, after) = _labelled(names), names.methods[:2]
    both = pd.concat([apart(table, before, apart=5), apart(table, after, apart=0)])
    return plotting.plot_before_after(both, table, before=before, after=after, kind="pca")


def _explanation(names: Names, path: str) -> plotting.Figure:
    method = names.methods[0]
    name = f"{names.corpora[0]}/1"
    P = np.full((2, len(names.classes)), 1 / len(names.classes))
    table = pd.DataFrame(P, columns=[f"p_{name}" for name in names.classes])
    table = table.assign(method=method, fold=["f0", "f1"], seed=0, utterance=name, y_true=0, y_pred=0)
    row = {"path": path, "start": np.nan, "end": np.nan, "speaker": f"x/{names.speaker}"}
    weights = attention([0.6, 0.3, 0.1], names=[name], method=method, part="test")
    return one_utterance.explain(pd.Series(row, name=name), table, weights, method=method)


#: Function that draws -> a figure of it with these names; ``path`` is that of an audio file.
FIGURES: dict[str, Callable[[Names, str], plotting.Figure]] = {
    "plot_counts": lambda names, _: plotting.plot_counts(
        _labelled(names).query("speaker != @lone or emotion == @names.classes[0]",
                               local_dict={"lone": f"{names.corpora[0]}/{names.speaker}1", "names": names})
    ),
    "plot_feature_distribution": lambda names, _: plotting.plot_feature_distribution(
        features(_labelled(names)).rename(columns={"f0": names.word}), _labelled(names), names.word,
        sources=names.corpora[1:], target=names.corpora[0],
    ),
    "plot_shift": lambda names, _: plotting.plot_shift(features(_labelled(names)), _labelled(names)),
    "plot_shift_change": lambda names, _: plotting.plot_shift_change(
        shift(**{name: {names.word: 1.8, "output": 1.6 - 0.2 * i} for i, name in enumerate(names.methods)}),
        scored(*names.methods),
    ),
    "plot_uar": lambda names, _: plotting.plot_uar(_summary(names), title=" to ".join(names.corpora)),
    "plot_gain": lambda names, _: plotting.plot_gain(_gain(names), title=" to ".join(names.corpora)),
    "plot_folds": lambda names, _: plotting.plot_folds(
        results({name: list(plotting.ACCESS)[i % 5] for i, name in enumerate(names.methods)})
    ),
    "plot_confounds": lambda names, _: plotting.plot_confounds(confounds(*names.methods), title=names.word),
    "plot_published": lambda names, _: plotting.plot_published(
        published(*names.methods).assign(difference=f"other {names.word}"), chance=0.25, title=names.word
    ),
    "plot_matrix": lambda names, _: plotting.plot_matrix(_runs(names)),
    "plot_methods_by_run": lambda names, _: plotting.plot_methods_by_run(_runs(names)),
    "plot_ranks": lambda names, _: plotting.plot_ranks(_runs(names), title=names.word),
    "plot_groups": lambda names, _: plotting.plot_groups(
        groups(*names.methods, values=(names.word, f"other {names.word}")), chance=0.25, title=names.word
    ),
    "plot_reliability": lambda names, _: plotting.plot_reliability(
        *reliability(*names.methods), title=names.word
    ),
    "plot_robustness": lambda names, _: plotting.plot_robustness(
        robustness(*names.methods), chance=0.25, title=names.word
    ),
    "plot_confusions": lambda names, _: plotting.plot_confusions(_answers(names)),
    "plot_mean_confusions": lambda names, _: plotting.plot_mean_confusions(_answers(names)),
    "plot_training": lambda names, _: plotting.plot_training(
        history({(name, stage): 4 for name in names.methods for stage in (names.word, "target")})
    ),
    "plot_loss_terms": lambda names, _: plotting.plot_loss_terms(
        loss_terms(**dict.fromkeys(names.methods, ("classification", names.word)))
    ),
    "plot_attention_positions": lambda names, _: plotting.plot_attention_positions(*_attention(names)),
    "plot_embedding": lambda names, _: plotting.plot_embedding(
        apart(_labelled(names), names.methods[0], apart=1), _labelled(names), method=names.methods[0]
    ),
    "plot_before_after": lambda names, _: _before_after(names),
    "plot_sweep": lambda names, _: plotting.plot_sweep(_sweep(names), chance=0.25),
    "plot_source_sets": lambda names, _: plotting.plot_source_sets(
        source_sets(*names.methods, sources=names.corpora[1:] or ("a",)), chance=0.25, title=names.word
    ),
    "plot_source_worth": lambda names, _: plotting.plot_source_worth(
        source_worth(*names.methods, sources=names.corpora), title=names.word
    ),
    "plot_left_out": lambda names, _: plotting.plot_left_out(
        left_out(*names.methods, targets=names.corpora), chance=0.25, title=names.word
    ),
    "plot_left_out_curve": lambda names, _: plotting.plot_left_out_curve(
        left_out_curve(*names.methods, targets=names.corpora), chance=0.25, title=names.word
    ),
    "plot_helping": lambda names, _: plotting.plot_helping(
        helping(*names.methods, targets=names.corpora), title=names.word
    ),
    "plot_known_before": lambda names, _: plotting.plot_known_before(
        known_before(names.corpora), title=names.word
    ),
    "plot_estimates": lambda names, _: plotting.plot_estimates(estimated(names), title=names.word),
    "plot_label_plans": lambda names, _: plotting.plot_label_plans(planned(), chance=0.25, title=names.word),
    "plot_over_time": lambda names, _: plotting.plot_over_time(over_time(names), title=names.word),
    "plot_few_shot": lambda names, _: plotting.plot_few_shot(_few_shot(names), title=names.word),
    "plot_few_shot_gains": lambda names, _: plotting.plot_few_shot_gains(
        pd.concat(
            few_shot_gains(m={1: 0.1 - 0.03 * i, 50: -0.1}).assign(method=name, title=name, over=name)
            for i, name in enumerate(names.methods)
        ),
        title=names.word,
    ),
    "plot_probes": lambda names, _: plotting.plot_probes(
        probes([f"{names.word}{i}" for i in range(4)]), title=names.word
    ),
    "plot_layer_weights": lambda names, _: plotting.plot_layer_weights(
        layer_weights(**{name: [[0.2, 0.8], [0.4, 0.6]] for name in names.methods})
    ),
    "plot_utterance": lambda names, _: plotting.plot_utterance(
        np.sin(np.arange(16000) / 10).astype(np.float32), sample_rate=16000, title=names.word
    ),
    "plot_heard": lambda names, tone: plotting.plot_heard(_heard(names, tone)),
    "plot_among": lambda names, _: plotting.plot_among(among(*names.methods, word=names.word)),
    "explain": _explanation,
}  # fmt: skip
