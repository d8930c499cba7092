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
from serlab.evaluation import recordings
from serlab.evaluation.differences import least_p
from serlab.evaluation.verdicts import ALPHA
from serlab.pretrained.heard import Heard
from serlab.protocols import SkippedFold, Split, SplitProtocol
from serlab.wording import count, some

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
    copies: pd.DataFrame | None = None,
    further: pd.DataFrame | None = None,
    n_compared: int = 0,
    pretrained_on: Iterable[str] = (),
    networks: Iterable[Heard] = (),
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
        Utterance -> hash of its audio, to find the same bytes twice.
    copies : DataFrame, optional
        Pairs that share a recording by what is heard, from :func:`serlab.evaluation.recordings.copies`.
    further : DataFrame, optional
        Findings about the corpora (check, severity, finding, remedy, n), from
        :func:`serlab.evaluation.giveaways.findings`.
    n_compared : int
        Comparisons that were declared beforehand, of the question that has most of them: so many are
        corrected together.
    pretrained_on : iterable of str
        Hashes of the audio that a network had heard before, with its words.
    networks : iterable of Heard
        What is known of the pretrained encoders in use, from :func:`serlab.pretrained.heard.of`.

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

    _training_and_test(utterances, splits, audio_hash, copies, add)
    _repeats(utterances, audio_hash, copies, add)
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
    for name, corpus in utterances.groupby("corpus", observed=True):
        _confound(name, corpus, "speaker" in set(scopes), add)
    for finding in [] if further is None else further.to_dict("records"):
        add(**finding)
    _few_test_speakers(utterances, splits, n_compared, add)
    _heard_before(utterances, splits, audio_hash, set(pretrained_on), add)
    for network in networks:
        _pretrained(network, utterances, splits, add)
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


def _pretrained(network: Heard, utterances, splits, add) -> None:
    """What a published network brings along, of the corpora and languages that are tested."""
    tested = np.zeros(len(utterances), dtype=bool)
    for split in splits:
        tested[split.test] = True
    corpora = utterances["corpus"].astype(str).to_numpy()[tested]
    said = f" ({network.source})" if network.source else ""
    for corpus in sorted(set(corpora)):
        n = int((corpora == corpus).sum())
        if corpus in network.tuned_on:
            add("fine-tuned on the test corpus", "error",
                f"{network.name} has learned the emotions of {corpus}, which is tested{said}",
                "take an encoder that was not tuned on it: this result is no evidence", n=n)  # fmt: skip
        elif corpus in network.pretrained_on:
            add("heard the test corpus", "warning",
                f"{network.name} has heard {corpus}, which is tested, without its emotions{said}",
                "take an encoder that has not heard it before claiming unheard speakers", n=n)  # fmt: skip
    if network.tuned:
        add("fine-tuned on unknown recordings", "warning",
            f"{network.name} was tuned to answer {network.tuned}; on which recordings is not known",
            "ask its makers, and say it in a heard.json in its folder: the test corpus may be among them",
            n=len(corpora))  # fmt: skip
    elif not network.source:
        add("pretraining not known", "info",
            f"which languages and corpora {network.name} has heard is not known",
            "say it in a heard.json in its folder, with who says so", n=len(corpora))  # fmt: skip
    if "language" in utterances and network.source:
        languages = {str(one) for one in utterances["language"][tested].dropna()}
        for language in sorted(one for one in languages if network.is_strange(one)):
            add("language of the encoder", "info",
                f"{language} is a language that {network.name} was not trained on{said}",
                "a gain here is across languages for the encoder, too", n=0)  # fmt: skip


def _training_and_test(utterances, splits, audio_hash, copies, add) -> None:
    names = utterances.index.to_numpy()
    kinds = _codes(utterances, audio_hash, copies)
    for split in splits:
        training = np.concatenate([split.train, split.target_train])
        rows = _codes_in(np.arange(len(names)), training)[split.test]
        if rows.any():
            add("utterance", "error", f"{names[split.test[rows][0]]} and others train and are tested",
                "mend the split", fold=split.fold, n=int(rows.sum()))  # fmt: skip
        both = {kind: _codes_in(codes, training)[codes[split.test]] for kind, codes in kinds.items()}
        shared, repeated = both["speaker"], both["text_id"]
        if shared.any():
            add("speaker", "warning", f"{shared.mean():.0%} of the test utterances are by a training speaker",
                "use a speaker-independent protocol", fold=split.fold, n=int(shared.sum()))  # fmt: skip
        if repeated.any():
            add("sentence", "info", f"{repeated.mean():.0%} of the test utterances say a training sentence",
                "the text is fixed in acted corpora: a model may learn the words", fold=split.fold,
                n=int(repeated.sum()))  # fmt: skip
        twice = both.get("hash", np.zeros(len(split.test), dtype=bool))
        if twice.any():
            add("duplicate audio", "error",
                f"{names[split.test[twice][0]]}: the same audio is in training and test",
                "remove one of the two files", fold=split.fold, n=int(twice.sum()))  # fmt: skip
        heard = both.get("recording", twice) & ~twice & ~rows
        if heard.any():
            one = split.test[heard][0]
            codes = kinds["recording"]
            other = training[codes[training] == codes[one]][0]
            add("recording", "error",
                f"{names[one]} and {names[other]} are, or share, one recording, and one of them trains while "
                f"the other is tested ({heard.mean():.1%} of the test utterances are such)",
                "leave one of them out", fold=split.fold, n=int(heard.sum()))  # fmt: skip


def _codes(
    utterances: pd.DataFrame, audio_hash: pd.Series | None, copies: pd.DataFrame | None
) -> dict[str, np.ndarray]:
    """What may be shared, as whole numbers by utterance; -1 where it is not known."""
    columns = {name: utterances[name] for name in ("speaker", "text_id")}
    if audio_hash is not None:
        columns["hash"] = audio_hash.reindex(utterances.index)
    if copies is not None and len(copies):
        columns["recording"] = recordings.groups(utterances.index, copies)
    return {kind: pd.factorize(column.to_numpy(dtype=object))[0] for kind, column in columns.items()}


def _codes_in(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Whether each code occurs in rows: one bool a code, and False at the end for what is not known (-1)."""
    seen = np.zeros(codes.max(initial=-1) + 2, dtype=bool)
    seen[codes[rows]] = True
    seen[-1] = False
    return seen


def _repeats(utterances, audio_hash, copies, add) -> None:
    """The same sound twice, wherever the parts of a split lie."""
    if audio_hash is not None:
        hashes = audio_hash.reindex(utterances.index)
        repeats = utterances.index[hashes.notna() & hashes.duplicated(keep=False)]
        if len(repeats):
            add("duplicate audio", "warning",
                f"{len(repeats)} utterances have the same audio as another: {', '.join(repeats[:4])}",
                "remove the copies, or know that they count twice", n=len(repeats))  # fmt: skip
    if copies is None:
        return
    known = copies["first"].isin(utterances.index) & copies["second"].isin(utterances.index)
    if audio_hash is not None:
        known &= copies["first"].map(audio_hash) != copies["second"].map(audio_hash)
    pairs = copies[known]
    if len(pairs):
        one = pairs.iloc[0]
        add("recording", "warning",
            f"{len(pairs)} pairs of utterances share a stretch of one recording: {one['first']} and "
            f"{one['second']} {one['seconds']:.1f} s of it",
            "keep each pair on one side of a split, or leave one of the two out", n=len(pairs))  # fmt: skip
    speaker = utterances["speaker"]
    apart = pairs[pairs["first"].map(speaker).to_numpy() != pairs["second"].map(speaker).to_numpy()]
    if len(apart):
        one = apart.iloc[0]
        add("speaker names", "warning",
            f"{len(apart)} of these pairs go by two speakers: {one['first']} ({speaker[one['first']]}) and "
            f"{one['second']} ({speaker[one['second']]})",
            "one voice has two names: a speaker-independent split may test a speaker it was trained on",
            n=len(apart))  # fmt: skip


def _classes(utterances, splits, add) -> None:
    codes, classes = utterances["emotion"].cat.codes.to_numpy(), utterances["emotion"].cat.categories
    corpus = utterances["corpus"]
    for split in splits:
        parts = {"source": split.train, "labelled target": split.target_train, "test": split.test}
        for part, rows in parts.items():
            found = np.bincount(codes[rows], minlength=len(classes)) > 0
            missing = sorted(classes[~found]) if len(rows) else []
            if missing:
                remedy = "a method trained on this part alone cannot answer with it"
                if part == "test":
                    of_target = utterances["emotion"][corpus.isin(corpus.iloc[rows].unique())]
                    remedy = (
                        "its recall is undefined in this fold; read the pooled result"
                        if of_target.isin(missing).any()
                        else "the target has none of it, and a method that learned it elsewhere is wrong "
                        "each time it answers with it: label_sets=shared leaves it out everywhere"
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
    tested = np.zeros(len(utterances), dtype=bool)
    for split in splits:
        tested[split.test] = True
    speakers = utterances["speaker"][tested].nunique()
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
            f"with {count(speakers, 'test speaker')} and {count(n_compared, 'declared comparison')} "
            f"of a question no corrected p can be below "
            f"{least:.3f}: it cannot be decided here, however large the difference",
            "use a target with more speakers",
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
        shown = some(list(folds))
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
