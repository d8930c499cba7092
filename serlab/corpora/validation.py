"""Is this copy of a corpus complete and sound, and what could mislead in it?

Every audio file is decoded once. What is found becomes rows of one table of
findings, each with a remedy. "error" is a file that cannot be used, "warning"
something that changes results or is missing, "info" what one should know.

Rules (of whole files, channels as serlab reads them unless said otherwise):

- silent: no sample further than -70 dB re full scale from the mean;
- clipped: at least 4 consecutive samples of a channel at full scale;
- DC offset: mean further than 0.5 % of full scale from zero;
- level: RMS around the mean, in dB re full scale;
- bandwidth: where the mean spectrum falls by 26 dB or more (see :mod:`serlab.corpora.bandwidth`);
- duplicate: the decoded samples and the sampling rate are identical;
- overlapping cuts: two utterances of a speaker of which at least 0.75 s
  correlate by 0.6 or more (see :mod:`serlab.corpora.overlaps`).

A file is refused here exactly if :func:`serlab.audio.load` refuses it.
"""

from __future__ import annotations

import dataclasses
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from serlab import audio, labels
from serlab.corpora import overlaps, soundness
from serlab.corpora.base import Corpus
from serlab.corpora.design import speaker_emotion_confound
from serlab.corpora.measuring import Measured, measure
from serlab.errors import LabelError
from serlab.progress import Progress, stop_if

#: Share of the emotion's entropy that the speaker may explain; balanced corpora stay far below.
CONFOUND = 0.2
#: Speakers below which a target says little, see docs/explanation/intervals.md.
FEWEST_SPEAKERS = 6
#: What is told of each file, in this order.
_MEASURED: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Measured) if f.name != "cuts")

COLUMNS: tuple[str, ...] = ("severity", "check", "finding", "remedy", "files")
_SEVERITIES: tuple[str, ...] = ("error", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """What :func:`validate` found.

    Attributes
    ----------
    corpus : Corpus
    folder : Path
    findings : DataFrame
        Columns severity, check, finding, remedy, files (tuple of str); worst first.
    counts : DataFrame
        Index native_label; columns emotion, found, published (NaN: not published), level_db.
    speakers : DataFrame
        Speakers x emotions, number of utterances.
    files : DataFrame
        Index utterance; what was measured in each file, ``problem`` empty where it is sound.
    """

    corpus: Corpus
    folder: Path
    findings: pd.DataFrame = field(repr=False)
    counts: pd.DataFrame = field(repr=False)
    speakers: pd.DataFrame = field(repr=False)
    files: pd.DataFrame = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether every file that is there can be used."""
        return not (self.findings["severity"] == "error").any()

    def as_dict(self) -> dict:
        """The report as plain values for JSON; missing numbers are None."""
        counts = self.counts.reset_index().astype(object).where(self.counts.reset_index().notna(), None)
        return {
            "corpus": self.corpus.name,
            "title": self.corpus.title,
            "license": self.corpus.license,
            "folder": str(self.folder),
            "ok": self.ok,
            "utterances": len(self.files),
            "counts": counts.to_dict("records"),
            "findings": self.findings.astype({"severity": str}).to_dict("records"),
            "caveats": list(self.corpus.caveats),
        }

    def text(self, *, names: int = 5) -> str:
        """The report for a terminal, with at most ``names`` file names a finding."""
        lines = [
            f"{self.corpus.title}: {len(self.files)} utterances in {self.folder}",
            f"Citation: {self.corpus.citation}",
            f"Licence:  {self.corpus.license}",
            "",
            self.counts.to_string(float_format="{:.1f}".format, na_rep="-"),
            "",
        ]
        for finding in self.findings.itertuples():
            lines.append(f"{finding.severity.upper():8}{finding.check}: {finding.finding}")
            lines += [f"        - {name}" for name in finding.files[:names]]
            if len(finding.files) > names:
                lines.append(f"        - and {len(finding.files) - names} more")
            if finding.remedy:
                lines.append(f"        -> {finding.remedy}")
        lines += ["", *(f"Known of this corpus: {caveat}" for caveat in self.corpus.caveats)]
        return "\n".join(lines).rstrip()


def validate(
    corpus: Corpus,
    root: Path | str | None = None,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> ValidationReport:
    """Check a copy of a corpus against what was published, file by file.

    Parameters
    ----------
    corpus : Corpus
    root : path, optional
        Data root, see :func:`serlab.data.data_root`.
    jobs : int, optional
        Threads that decode; one a core by default.
    progress : callable, optional
        ``progress(done, total, text)``.
    cancel : Event, optional
        Checked between files.

    Returns
    -------
    ValidationReport

    Raises
    ------
    CorpusError
        If the corpus is not there or its label files are malformed.
    Cancelled
    """
    table = corpus.read(root)
    folder = corpus.folder(root)
    with_text = table["text_id"].notna()
    # Cuts can only overlap where speech was running: not where sentences were recorded one by one.
    files = _measured(table, running=~with_text, jobs=jobs, progress=progress, cancel=cancel)

    emotions = labels.emotions(table)
    counts = _counts(corpus, table, emotions, files)
    found = [
        *_remarks(corpus, table),
        *_completeness(corpus, folder, table, counts),
        *_speakers(corpus, table),
        *_design(corpus, table, emotions),
        *_further_counts(corpus, table),
        *_binary(table),
        *soundness.broken(corpus, folder, files),
        *soundness.cuts(table, files),
        *soundness.extra(corpus, folder, table),
        *soundness.sound(folder, files),
        *soundness.channels(folder, files),
        *soundness.formats(corpus, folder, files),
        *soundness.levels(counts),
        *_confound(table.assign(emotion=emotions)),
        *_overlaps(table[~with_text], files, cancel),
    ]
    findings = pd.DataFrame(found, columns=list(COLUMNS))
    findings["severity"] = pd.Categorical(findings["severity"], categories=_SEVERITIES, ordered=True)
    return ValidationReport(
        corpus=corpus,
        folder=folder,
        findings=findings.sort_values("severity", kind="stable").reset_index(drop=True),
        counts=counts,
        speakers=pd.crosstab(table["speaker"], emotions.rename("emotion")),
        files=files.drop(columns="low"),
    )


def _measured(
    table: pd.DataFrame,
    *,
    running: pd.Series,
    jobs: int | None,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> pd.DataFrame:
    """What :class:`Measured` says of the file of each utterance; every file is decoded once.

    Of an utterance that is a part of its file, ``level_db`` is its own, and ``cut_problem`` says why
    it cannot be used.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    places = zip(table["path"], audio.channel_of(table), strict=True)
    for position, (path, channel) in enumerate(places):
        rows.setdefault((path or "", channel), []).append(position)
    times = list(zip(table["start"], table["end"], strict=True))

    def one(key: tuple[str, str]) -> Measured:
        stop_if(cancel, "validation was cancelled")
        path, channel = key
        if not path:
            return Measured(path=path, problem="missing")
        own = rows[key]
        cuts = [times[position] for position in own if not all(map(math.isnan, times[position]))]
        return measure(path, channel=channel, cuts=cuts, running=bool(running.iloc[own].any()))

    found: list[dict] = [{}] * len(table)
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        for done, (key, result) in enumerate(zip(rows, pool.map(one, rows), strict=True), start=1):
            known = {name: getattr(result, name) for name in _MEASURED}
            cuts = iter(result.cuts)
            for position in rows[key]:
                own = {"cut_problem": ""}
                if not all(map(math.isnan, times[position])):
                    level, problem = next(cuts, (math.nan, ""))
                    own = {"cut_problem": problem, "level_db": level}
                found[position] = {**known, **own}
            if progress:
                progress(done, len(rows), Path(key[0]).name)
    return pd.DataFrame(found, index=table.index)


def _counts(corpus: Corpus, table: pd.DataFrame, emotions: pd.Series, files: pd.DataFrame) -> pd.DataFrame:
    native = table["native_label"].fillna("(rating only)")
    found = native.value_counts()
    names = [*corpus.expected, *sorted(set(found.index) - set(corpus.expected))]
    words = dict(zip(native, emotions, strict=True))
    return pd.DataFrame(
        {
            "emotion": [words.get(n) or corpus.labels.get(n, n) for n in names],
            "found": [int(found.get(name, 0)) for name in names],
            "published": [corpus.expected.get(name, math.nan) for name in names],
            "level_db": [files["level_db"][native == name].median() for name in names],
        },
        index=pd.Index(names, name="native_label"),
    )


def _remarks(corpus: Corpus, table: pd.DataFrame) -> list[tuple]:
    remarks = corpus.remarks(table) if corpus.remarks is not None else ()
    return [("info", "this copy", remark, "", ()) for remark in remarks]


def _speakers(corpus: Corpus, table: pd.DataFrame) -> list[tuple]:
    found = []
    for what, column, published in (
        ("speakers", "speaker", corpus.expected_speakers),
        ("sentences", "text_id", corpus.expected_texts),
    ):
        n = table[column].nunique()
        if published and n != published:
            text = f"{n} {what}, {published} were published"
            found.append(("warning", what, text, corpus.how_to_get, ()))
    return found


def _design(corpus: Corpus, table: pd.DataFrame, emotions: pd.Series) -> list[tuple]:
    """What a corpus of one's own is too small for; of published ones it is known."""
    if corpus.expected or corpus.embedded:
        return []
    found = []
    if (n := table["speaker"].nunique()) < FEWEST_SPEAKERS:
        text = f"{n}; splits keep speakers apart, and intervals and verdicts are over speakers"
        remedy = f"as a target it should have {FEWEST_SPEAKERS} at least" + (
            "" if n > 1 else "; is one name given to all? With one speaker it is a source only"
        )
        found.append(("warning" if n == 1 else "info", "few speakers", text, remedy, ()))
    if emotions.nunique() == 1:
        text = f"all utterances are {emotions.dropna().iloc[0]}"
        found.append(
            ("warning", "one emotion", text, "nothing can be told apart in it; are labels read as meant?", ())
        )
    return found


def _binary(table: pd.DataFrame) -> list[tuple]:
    """Classes of the schemes by dimension: from ratings where there are any, else from categories."""
    found = []
    for name, scheme in labels.SCHEMES.items():
        if scheme.dimension is not None:
            try:
                counts = scheme.counts(table).sum()
            except LabelError as error:  # ratings without a scale: other schemes do without
                found.append(("warning", f"{name} classes", str(error), "", ()))
                continue
            text = ", ".join(f"{n} {side}" for side, n in counts.items())
            found.append(("info", f"{name} classes", text, "", ()))
    return found


def _completeness(corpus: Corpus, folder: Path, table: pd.DataFrame, counts: pd.DataFrame) -> list[tuple]:
    if not corpus.expected:
        return []
    n, published = len(table), sum(corpus.expected.values())
    found = []
    fewer = counts[counts["found"] < counts["published"]]
    if len(fewer):
        labels_short = ", ".join(
            f"{row.emotion} ({label}) {row.found} of {int(row.published)}" for label, row in fewer.iterrows()
        )
        missing = corpus.expected_names(folder) - set(table.index) if corpus.expected_names else ()
        found.append(
            (
                "warning", "missing utterances",
                f"{n} of the {published} published utterances are here; too few: {labels_short}",
                f"results do not compare with those on the whole corpus. {corpus.how_to_get}",
                tuple(sorted(missing)),
            )
        )  # fmt: skip
    more = counts[counts["found"] > counts["published"].fillna(math.inf)]
    if len(more):
        found.append(
            (
                "warning", "more than published",
                ", ".join(f"{row.emotion} ({label}) {row.found} instead of {int(row.published)}"
                          for label, row in more.iterrows()),
                "move files of other origin away", (),
            )
        )  # fmt: skip
    if not found:
        found.append(("info", "counts", f"all {published} published utterances are here", "", ()))
    return found


def _further_counts(corpus: Corpus, table: pd.DataFrame) -> list[tuple]:
    if corpus.further_counts is None:
        return []
    counts = corpus.further_counts(table)
    if counts.empty:  # nothing that can be compared; the corpus' remarks say why
        return []
    off = counts[counts["found"] != counts["published"]]
    if off.empty:
        sources = "; ".join(dict.fromkeys(counts["source"]))
        return [("info", "counts in papers", f"all {len(counts)} agree ({sources})", "", ())]
    return [
        (
            "warning", "counts in papers",
            f"{row.what}: {row.found} instead of {row.published} ({row.source})",
            "results do not compare with that paper's", (),
        )
        for row in off.itertuples()
    ]  # fmt: skip


def _confound(table: pd.DataFrame) -> list[tuple]:
    table = table[table["emotion"].notna()]
    if table["emotion"].nunique() < 2:
        return []
    confound = speaker_emotion_confound(table)
    speakers, single = int(confound["speakers"]), int(confound["single"])
    text = (
        f"{single} of {speakers} speakers have one emotion only; the speaker explains "
        f"{confound['explained']:.0%} of the emotion, and naming each speaker's most frequent emotion is "
        f"{confound['lookup']:.0%} correct (majority: {confound['majority']:.0%})"
    )
    if not single and confound["explained"] < CONFOUND:
        return [("info", "speakers x emotions", text, "", ())]
    remedy = (
        "split by speaker, do not normalise by speaker, and read results of random splits as speaker results"
    )
    return [("warning", "speakers x emotions", text, remedy, ())]


def _overlaps(table: pd.DataFrame, files: pd.DataFrame, cancel: threading.Event | None) -> list[tuple]:
    """Overlapping cuts among utterances without a fixed text."""
    here = files.loc[table.index]
    searched = (here["problem"] == "") & here["low"].notna()  # what is very long is no cut
    sound = table[searched & table["start"].isna() & table["end"].isna()]
    sound = sound[~files.loc[sound.index, "digest"].duplicated()]  # what is there twice is told as that
    pairs = int(sum(n * (n - 1) // 2 for n in sound["speaker"].value_counts()))
    if not pairs:
        return []
    if pairs > overlaps.MOST_PAIRS:
        text = f"not searched: {pairs} pairs of one speaker are more than {overlaps.MOST_PAIRS}"
        return [("info", "overlapping cuts", text, "", ())]
    found = overlaps.find(files["low"].reindex(sound.index), sound["speaker"], cancel=cancel)
    if found.empty:
        return []
    text = f"{len(found)} pairs of one speaker look like overlapping cuts of one recording"
    names = tuple(
        f"{row.first} and {row.second}: {row.seconds:.1f} s, r = {row.correlation:.2f}"
        for row in found.itertuples()
    )
    return [("warning", "overlapping cuts", text, "keep each pair on one side of a split", names)]
