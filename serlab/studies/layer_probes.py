"""Which layer of a network carries emotion, and which carries speaker, sex and corpus.

A linear classifier is trained on one layer after the other (Alain & Bengio
2017, Understanding intermediate layers using linear classifier probes). What
it can read there need not be what the network uses.

Each question is asked where nothing else gives its answer away: emotion, sex
and corpus of speakers who were not in training, the speaker in sentences that
were not. The same probes on permuted labels show what is left to guess from:

- emotions and speakers are exchanged between the utterances of a corpus, so
  that what the corpus alone says about them stays;
- corpora are exchanged between speakers, and sexes between those of a corpus,
  because all utterances of a speaker share them.

Corpora differ in microphone, room and coding, too: that a layer tells them
apart does not say that it tells languages apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serlab import files, methods, metrics
from serlab.data import known
from serlab.errors import ParameterError, ProtocolError
from serlab.evaluation import intervals
from serlab.experiment import Session
from serlab.methods.learners.speech_network import Embeddings
from serlab.progress import UNWATCHED, Watch
from serlab.studies import acoustic_models
from serlab.training import Fitting

N_PERMUTATIONS = 3

COLUMNS = (
    "layer", "what", "uar", "low", "high", "chance", "permuted", "held_out", "n", "n_classes", "n_left_out",
)  # fmt: skip


def layers_of(session: Session) -> dict[str, dict[str, np.ndarray]]:
    """Representations of all utterances, by network and layer.

    Returns
    -------
    dict
        Network -> layer -> ndarray, shape (n, k): of an encoder mean and deviation of each layer, of the
        TDNN the mean of each, and under "voice" what stands for the speaker. Only networks of this session;
        none where it is finished: what was asked of them is kept.
    """
    if session.finished is not None:
        return {}
    prepared, options = session.prepare(), session.parameters.options
    found: dict[str, dict[str, np.ndarray]] = {}
    if options["encoder"]:
        pooled = methods.get("probe-target").feature_set(options)
        if pooled in prepared.further:
            found[Path(options["encoder"]).name or "encoder"] = _encoder_layers(prepared.further[pooled][0])
    model = acoustic_models.of(session)
    if model is not None:
        X = prepared.further[acoustic_models.FEATURES][0].to_numpy(dtype=np.float32)
        found["TDNN"] = Embeddings(model, model.tdnn.names[-1], Fitting()).layers(X)
        found["voice"] = acoustic_models.voices(session)
    return found


def run(
    session: Session, layers: Mapping[str, Mapping[str, np.ndarray]] | None = None
) -> dict[str, pd.DataFrame]:
    """What a linear classifier reads from each layer of each network; emotions in all corpora together.

    Parameters
    ----------
    session : Session
        In its folder: ``probes.csv`` and finished networks.
    layers : mapping, optional
        Of :func:`layers_of`, where it is at hand.

    Returns
    -------
    dict
        Network -> table of :func:`probe_layers`.
    """
    # Of layers at hand nobody knows where they are from.
    also: list[str] | None = None if layers is not None else []
    asked = session.keep_all("probes", lambda: _run(session, layers), also=also)
    if session.folder is not None and asked:
        named = [own.assign(network=network) for network, own in asked.items()]
        files.write_table(Path(session.folder) / "probes.csv", pd.concat(named, ignore_index=True))
    return dict(asked)


def _run(session: Session, layers: Mapping[str, Mapping[str, np.ndarray]] | None) -> dict[str, pd.DataFrame]:
    utterances = session.prepare().utterances
    asked = {}
    for network, own in (layers_of(session) if layers is None else layers).items():
        kept = session.kept(f"probes/{network}.parquet")
        if kept is not None and kept.is_file():
            asked[network] = pd.read_parquet(kept)
            continue
        asked[network] = probe_layers(
            own,
            speaker=known(utterances["speaker"]),
            emotion=known(utterances["emotion"]),
            corpus=known(utterances["corpus"]) if utterances["corpus"].nunique() > 1 else None,
            sex=known(utterances["sex"]) if utterances["sex"].nunique() > 1 else None,
            text=known(utterances["text_id"]),
            folds=min(5, session.parameters.folds),
            seed=session.parameters.seeds[0],
            unaskable="skip",
            watch=session.watch,
        )
        if kept is not None:
            files.write_table(kept, asked[network])
    return asked


def probe_table(probed: pd.DataFrame) -> pd.DataFrame:
    """The same with a row a layer and a column a question; chance in the last row."""
    wide = probed.pivot(index="layer", columns="what", values="uar")
    chance = probed.groupby("what")["chance"].first().to_frame("chance").T
    order = [*dict.fromkeys(probed["layer"])]
    wide = pd.concat([wide.loc[order, list(dict.fromkeys(probed["what"]))], chance])
    return wide.rename_axis(index=None, columns=None)


def probe_layers(
    layers: Mapping[str, np.ndarray],
    *,
    speaker: np.ndarray,
    emotion: np.ndarray | None = None,
    corpus: np.ndarray | None = None,
    sex: np.ndarray | None = None,
    text: np.ndarray | None = None,
    folds: int = 5,
    seed: int = 0,
    unaskable: Literal["stop", "skip"] = "stop",
    watch: Watch = UNWATCHED,
) -> pd.DataFrame:
    """Ask each layer for emotion, speaker, sex and corpus.

    Parameters
    ----------
    layers : mapping of str to ndarray, shape (n, k)
        Representations by name, one vector an utterance; the rows are the same in each.
    speaker : array of str, shape (n,)
        Unique across corpora.
    emotion, corpus, sex : array of str, shape (n,), optional
        What else to ask for; None or NaN is unknown. Where each corpus has a
        language of its own, corpus and language are one question; it is not
        asked of a single corpus.
    text : array of str, shape (n,), optional
        Which sentence is said, unique across corpora. Where it is known, the
        speaker is asked for in other sentences than those of training, and
        elsewhere in other utterances; column ``held_out`` says which.
    folds : int
    seed : int
        Of folds and permutation.
    unaskable : {"stop", "skip"}
        What to do with a question that has fewer than two answers, or fewer than two groups to hold out.
    watch : Watch

    Returns
    -------
    DataFrame
        One row a layer and question: layer, what, uar with low and high (interval
        over speakers), chance (one over the classes), permuted (UAR of
        the control, mean of 3), held_out, n (utterances asked), n_classes, n_left_out
        (answer unknown, or not in the training rows of its fold).

    Raises
    ------
    ParameterError
        If shapes do not fit, or a value is not finite.
    ProtocolError
        If a question is unaskable, and is not to be skipped.
    Cancelled
    """
    table = pd.DataFrame(
        {
            "speaker": np.asarray(speaker, dtype=object),
            **{
                name: None if values is None else np.asarray(values, dtype=object)
                for name, values in (("emotion", emotion), ("corpus", corpus), ("sex", sex), ("text", text))
            },
        }
    )
    _require_usable(layers, table, folds)
    questions = list(_questions(table, folds=folds, seed=seed, unaskable=unaskable))
    rows = []
    for number, (name, X) in enumerate(layers.items()):
        for place, question in enumerate(questions):
            done = number * len(questions) + place
            watch.report(done, len(layers) * len(questions), f"{name}: {question.what}")
            rows.append({"layer": name, **_asked(X, question, seed)})
    watch.report(len(rows), len(rows), "probes of all layers")
    return pd.DataFrame(rows, columns=COLUMNS)


@dataclass(frozen=True)
class _Question:
    """What is asked, of which rows and in which folds.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        With a known answer that is also in the training rows of their fold.
    answer, fold, speaker : ndarray of int, shape (m,)
    permuted : tuple of ndarray of int, shape (m,)
        Answers exchanged at random.
    """

    what: str
    held_out: str
    rows: np.ndarray
    answer: np.ndarray
    permuted: tuple[np.ndarray, ...]
    fold: np.ndarray
    speaker: np.ndarray
    n_left_out: int


def _questions(
    table: pd.DataFrame, *, folds: int, seed: int, unaskable: Literal["stop", "skip"]
) -> Iterator[_Question]:
    by_speaker, by_sentence = (deal(table, folds, seed) for deal in (_speaker_folds, _sentence_folds))
    corpus = table["corpus"].fillna("")
    known = table["text"].notna()
    sentence = "text" if known.all() else "text or utterance" if known.any() else "utterance"
    # what -> fold of each row, what is held out, within what labels are exchanged, and between what
    asked = {
        "emotion": (by_speaker, "speaker", corpus, None),
        "speaker": (by_sentence, sentence, corpus, None),
        "sex": (by_speaker, "speaker", corpus, table["speaker"]),
        "corpus": (by_speaker, "speaker", pd.Series("", index=table.index), table["speaker"]),
    }
    for what, (fold, held_out, within, between) in asked.items():
        if table[what].isna().all() or (what == "corpus" and table["corpus"].nunique() < 2):
            continue
        rows = np.flatnonzero(table[what].notna() & _also_in_training(table[what], fold))
        answer = pd.factorize(table[what].iloc[rows], sort=True)[0]
        if len(np.unique(answer)) < 2 or len(np.unique(fold[rows])) < 2:
            if unaskable == "skip":
                continue
            raise ProtocolError(
                f"the question of the {what} needs two answers, each of them heard in two folds of "
                f"{held_out}s or more; leave it out, or take more speakers"
            )
        unit = np.arange(len(rows)) if between is None else pd.factorize(between.iloc[rows])[0]
        yield _Question(
            what=what,
            held_out=held_out,
            rows=rows,
            answer=answer,
            permuted=_permuted(answer, unit, pd.factorize(within.iloc[rows])[0], seed),
            fold=fold[rows],
            speaker=pd.factorize(table["speaker"].iloc[rows], sort=True)[0],
            n_left_out=len(table) - len(rows),
        )


def _asked(X: np.ndarray, question: _Question, seed: int) -> dict:
    X = X[question.rows]
    hit = _answers(X, question.answer, question.fold) == question.answer
    control = [_uar(_answers(X, fake, question.fold) == fake, fake) for fake in question.permuted]
    low, high = _interval(hit, question)
    n_classes = question.answer.max() + 1
    return {
        "what": question.what,
        "uar": _uar(hit, question.answer),
        "low": low,
        "high": high,
        "chance": 1 / n_classes,
        "permuted": float(np.mean(control)),
        "held_out": question.held_out,
        "n": len(hit),
        "n_classes": n_classes,
        "n_left_out": question.n_left_out,
    }


def _answers(X: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """What the probe of each row's fold answers, shape (m,)."""
    answer = np.empty_like(y)
    for number in np.unique(fold):
        test = fold == number
        # In closed form; a penalty in proportion to the features fits narrow and wide layers alike.
        probe = RidgeClassifier(alpha=X.shape[1], class_weight="balanced")
        answer[test] = make_pipeline(StandardScaler(), probe).fit(X[~test], y[~test]).predict(X[test])
    return answer


def _uar(hit: np.ndarray, y: np.ndarray) -> float:
    n = np.bincount(y)
    return float(metrics.mean_known(metrics.ratio(np.bincount(y, weights=hit), n)))


def _interval(hit: np.ndarray, question: _Question) -> tuple[float, float]:
    """Interval of UAR over speakers."""
    n_speakers = question.speaker.max() + 1
    cell = question.speaker * (question.answer.max() + 1) + question.answer
    shape = (n_speakers, question.answer.max() + 1)
    hits, n = (np.bincount(cell, w, np.prod(shape)).reshape(shape) for w in (hit, None))
    if question.what == "speaker":  # each is a class of its own: UAR is the mean over them
        return intervals.of_ratios(
            metrics.ratio(hits.sum(axis=1), n.sum(axis=1))[:, None], np.ones((n_speakers, 1))
        )
    return intervals.of_ratios(hits, n)


def _also_in_training(answer: pd.Series, fold: np.ndarray) -> np.ndarray:
    """Whether the answer of each row occurs in another fold than its own."""
    return answer.map(pd.Series(fold).groupby(answer.to_numpy()).nunique()).gt(1).to_numpy()


def _permuted(answer: np.ndarray, unit: np.ndarray, within: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """Answers exchanged between units (rows, speakers) of the same group, again and again."""
    rng = np.random.default_rng(seed)
    _, first, of_row = np.unique(unit, return_index=True, return_inverse=True)
    by_group = np.argsort(within[first], kind="stable")
    drawn = []
    for _ in range(N_PERMUTATIONS):
        of_unit = np.empty_like(first)
        of_unit[by_group] = answer[first][np.lexsort((rng.random(len(first)), within[first]))]
        drawn.append(of_unit[of_row])
    return tuple(drawn)


def _speaker_folds(table: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """Fold of each row: speakers, alike ones after each other, are dealt out like cards."""
    alike = table.groupby("speaker")[["corpus", "sex", "emotion"]].agg(_commonest)
    return _dealt(alike, folds, seed).loc[table["speaker"]].to_numpy()


def _sentence_folds(table: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """Fold of each row: sentences, or utterances where these are unknown, are dealt out like cards."""
    known = table["text"].notna()
    sentence = table["text"].where(known, "utterance " + table.index.astype(str).to_series(index=table.index))
    alike = pd.DataFrame(
        {"corpus": table["corpus"].fillna(""), "speaker": table["speaker"].where(~known, "")}
    )
    return _dealt(alike.groupby(sentence).first(), folds, seed).loc[sentence].to_numpy()


def _dealt(alike: pd.DataFrame, folds: int, seed: int) -> pd.Series:
    order = alike.assign(random=np.random.default_rng(seed).random(len(alike))).sort_values(
        [*alike.columns, "random"]
    )
    return pd.Series(np.arange(len(order)) % folds, index=order.index)


def _commonest(values: pd.Series) -> str:
    counts = values.value_counts()
    return str(counts[counts == counts.max()].index.min()) if len(counts) else ""


def _require_usable(layers: Mapping[str, np.ndarray], table: pd.DataFrame, folds: int) -> None:
    if folds < 2:
        raise ParameterError(f"folds ({folds}) start at 2")
    if not layers:
        raise ParameterError("there are no layers to probe")
    if table["speaker"].isna().any():
        raise ParameterError(f"row {table['speaker'].isna().argmax()} has no speaker; leave such rows out")
    for name, X in layers.items():
        if np.ndim(X) != 2 or len(X) != len(table):
            raise ParameterError(
                f"layer {name!r} of shape {np.shape(X)} does not fit {len(table)} utterances; a probe takes "
                "one vector an utterance (of frames: serlab.samples.statistics)"
            )
        bad = np.flatnonzero(~np.isfinite(X).all(axis=1))
        if len(bad):
            raise ParameterError(f"layer {name!r}: row {bad[0]} is not finite ({len(bad)} such)")


def _encoder_layers(X: pd.DataFrame) -> dict[str, np.ndarray]:
    layer = X.columns.str.partition(".").get_level_values(0)
    return {name: X.loc[:, layer == name].to_numpy(dtype=np.float32) for name in dict.fromkeys(layer)}
