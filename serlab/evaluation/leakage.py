"""The auditor: what could make a good result mean less than it seems.

It looks at splits before anything is trained. Its findings are printed on
every report; none of them stops a run, because the reader has to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from serlab import normalization
from serlab.corpora.design import speaker_emotion_confound
from serlab.evaluation.comparison import ALPHA
from serlab.evaluation.differences import least_p
from serlab.protocols import SkippedFold, Split, SplitProtocol

COLUMNS = ("check", "severity", "fold", "finding", "remedy", "n")

#: Speaker-clustered intervals from fewer speakers than this are rough.
FEW_SPEAKERS = 6


def audit(
    utterances: pd.DataFrame,
    splits: Sequence[Split],
    *,
    skipped: Iterable[SkippedFold] = (),
    scopes: Iterable[str] = (),
    audio_hash: pd.Series | None = None,
    n_compared: int = 0,
    pretrained_on: Iterable[str] = (),
) -> pd.DataFrame:
    """Audit the splits of one experiment.

    Parameters
    ----------
    utterances : DataFrame
        The table that was split, with ``emotion``.
    splits, skipped
        From :meth:`serlab.protocols.SplitProtocol.plan`.
    scopes : iterable of str
        Normalisation scopes in use.
    audio_hash : Series, optional
        Utterance -> hash of its audio, to find the same recording twice.
    n_compared : int
        Methods that will be compared with a baseline.
    pretrained_on : iterable of str
        Hashes of the audio that a network had heard before, with its words.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`; ``severity`` is "error" (the result is
        invalid), "warning" (it means less than it seems) or "info". Findings
        that repeat over folds are one row, with the folds counted in ``n``.
    """
    findings: list[dict] = []

    def add(check: str, severity: str, finding: str, remedy: str = "", *, fold: str = "", n: int = 0) -> None:
        findings.append(dict(zip(COLUMNS, (check, severity, fold, finding, remedy, n), strict=True)))

    _training_and_test(utterances, splits, audio_hash, add)
    _classes(utterances, splits, add)
    for skip in skipped:
        add("skipped fold", "warning", skip.reason, "report how many folds are left", fold=skip.fold, n=1)
    hears_tested = any(np.isin(split.test, split.adapt).any() for split in splits)
    for scope in sorted(set(scopes)):
        if normalization.is_transductive(scope) and hears_tested:
            add(
                "normalisation",
                "info",
                f"scope {scope!r} takes statistics from the test utterances (without their labels)",
                "compare only with results that saw the same",
            )
    for name, corpus in utterances.groupby("corpus"):
        _confound(name, corpus, "speaker" in set(scopes), add)
    _few_test_speakers(utterances, splits, n_compared, add)
    _heard_before(utterances, splits, audio_hash, set(pretrained_on), add)
    return _merge_folds(pd.DataFrame(findings, columns=list(COLUMNS)))


def badge(protocol: SplitProtocol, audit: pd.DataFrame) -> str:
    """Warning to print beside every number: that of the protocol, and what the audit found shared.

    Parameters
    ----------
    protocol : SplitProtocol
    audit : DataFrame
        From :func:`audit`.

    Returns
    -------
    str
        Empty where none is due.
    """
    found = [protocol.badge] if protocol.badge else []
    if (audit["severity"] == "error").any():
        found.append("tested recordings are trained on")
    if (audit["check"] == "speaker").any() and "speakers are shared" not in protocol.badge:
        found.append("speakers are shared")
    return "; ".join(found)


def _heard_before(utterances, splits, audio_hash, pretrained_on, add) -> None:
    if audio_hash is None or not pretrained_on:
        return
    heard = audio_hash.reindex(utterances.index).isin(pretrained_on).to_numpy()
    for split in splits:
        if heard[split.test].any():
            add("pretraining", "warning", f"{heard[split.test].mean():.0%} of the test utterances were in "
                "the speech that the acoustic model was pretrained on, with their words",
                "pretrain on other corpora; such a result is no evidence for unheard speakers",
                fold=split.fold, n=int(heard[split.test].sum()))  # fmt: skip


def _training_and_test(utterances, splits, audio_hash, add) -> None:
    names = utterances.index.to_numpy()
    speaker = utterances["speaker"].to_numpy()
    text = utterances["text_id"].to_numpy()
    hashes = None if audio_hash is None else audio_hash.reindex(utterances.index).to_numpy()
    for split in splits:
        training = np.concatenate([split.train, split.target_train])
        both = np.intersect1d(training, split.test)
        if len(both):
            add("utterance", "error", f"{names[both[0]]} and others train and are tested",
                "mend the split", fold=split.fold, n=len(both))  # fmt: skip
        shared = np.isin(speaker[split.test], speaker[training])
        if shared.any():
            add("speaker", "warning", f"{shared.mean():.0%} of the test utterances are by a training speaker",
                "use a speaker-independent protocol", fold=split.fold, n=int(shared.sum()))  # fmt: skip
        known = pd.notna(text[split.test])
        repeated = known & np.isin(text[split.test].astype(str), text[training].astype(str))
        if repeated.any():
            add("sentence", "info", f"{repeated.mean():.0%} of the test utterances say a training sentence",
                "the text is fixed in acted corpora: a model may learn the words", fold=split.fold,
                n=int(repeated.sum()))  # fmt: skip
        if hashes is not None:
            twice = pd.notna(hashes[split.test]) & np.isin(
                hashes[split.test].astype(str), hashes[training].astype(str)
            )
            if twice.any():
                add("duplicate audio", "error",
                    f"{names[split.test[twice][0]]}: the same audio is in training and test",
                    "remove one of the two files", fold=split.fold, n=int(twice.sum()))  # fmt: skip
    if hashes is not None:
        known = utterances.loc[pd.notna(hashes)]
        repeats = known.loc[pd.Series(hashes, index=utterances.index)[known.index].duplicated(keep=False)]
        if len(repeats):
            add("duplicate audio", "warning",
                f"{len(repeats)} utterances have the same audio as another: {', '.join(repeats.index[:4])}",
                "remove the copies, or know that they count twice", n=len(repeats))  # fmt: skip


def _classes(utterances, splits, add) -> None:
    emotion = utterances["emotion"]
    classes = set(emotion.cat.categories)
    for split in splits:
        parts = {"source": split.train, "labelled target": split.target_train, "test": split.test}
        for part, rows in parts.items():
            missing = sorted(classes - set(emotion.iloc[rows])) if len(rows) else []
            if missing:
                remedy = (
                    "its recall is undefined in this fold; read the pooled result"
                    if part == "test"
                    else "a method trained on this part alone cannot answer with it"
                )
                add("missing class", "warning", f"no {' or '.join(missing)} in the {part} part",
                    remedy, fold=split.fold, n=len(missing))  # fmt: skip


def _confound(name, corpus, per_speaker, add) -> None:
    confound = speaker_emotion_confound(corpus)
    if confound["explained"] < 0.25:
        return
    add(
        "speaker confound",
        "warning",
        f"{name}: {confound['single']} of {confound['speakers']} speakers have one emotion only; the speaker "
        f"alone explains {confound['explained']:.0%} of the emotion, and naming each speaker's usual "
        f"emotion is right for {confound['lookup']:.0%} (majority: {confound['majority']:.0%})",
        "a random split measures speakers; read the speaker-independent result, with care",
        n=confound["single"],
    )
    if per_speaker:
        add(
            "normalisation",
            "warning",
            f"{name}: per-speaker normalisation removes the emotion of speakers who have only one",
            "use per-corpus normalisation here",
            n=confound["single"],
        )


def _few_test_speakers(utterances, splits, n_compared, add) -> None:
    tested = np.unique(np.concatenate([split.test for split in splits]))
    speakers = utterances["speaker"].iloc[tested].nunique()
    if speakers < FEW_SPEAKERS:
        add(
            "few speakers",
            "warning",
            f"{speakers} speakers are tested: intervals clustered by speaker are rough",
            "use a target with more speakers before concluding",
            n=speakers,
        )
    least = min(1.0, least_p(speakers) * n_compared)
    if n_compared and least >= ALPHA:
        add(
            "few speakers",
            "warning",
            f"with {speakers} test speakers and {n_compared} compared methods no corrected p can be below "
            f"{least:.3f}: no gain can be shown here, however large",
            "compare fewer methods, or use a target with more speakers",
            n=speakers,
        )


def _merge_folds(findings: pd.DataFrame) -> pd.DataFrame:
    """One row for a check that says much the same in several folds."""
    merged = []
    for (check, severity, remedy), group in findings.groupby(["check", "severity", "remedy"], sort=False):
        folds = group.loc[group["fold"] != "", "fold"]
        if len(folds) < 2 or len(folds) < len(group):
            merged.extend(group.to_dict("records"))
            continue
        shown = ", ".join(folds.iloc[:3]) + (f" and {len(folds) - 3} more" if len(folds) > 3 else "")
        merged.append(
            {
                "check": check,
                "severity": severity,
                "fold": f"{len(folds)} folds",
                "finding": f"{group['finding'].iloc[0]} (first of {len(folds)} folds: {shown})",
                "remedy": remedy,
                "n": int(group["n"].sum()),
            }
        )
    table = pd.DataFrame(merged, columns=list(COLUMNS))
    order = table["severity"].map({"error": 0, "warning": 1, "info": 2})
    return table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
