"""Is this copy of a corpus complete and sound, and what could mislead in it?

Every audio file is decoded once. What is found becomes rows of one table of
findings, each with a remedy. "error" is a file that cannot be used, "warning"
something that changes results or is missing, "info" what one should know.

Rules (of whole files, channels averaged unless said otherwise):

- silent: no sample further than -70 dB re full scale from the mean;
- clipped: at least 4 consecutive samples of a channel at full scale;
- DC offset: mean further than 0.5 % of full scale from zero;
- level: RMS around the mean, in dB re full scale;
- duplicate: the decoded samples and the sampling rate are identical;
- overlapping cuts: two utterances of a speaker of which at least 0.75 s
  correlate by 0.6 or more (see :mod:`serlab.corpora.overlaps`).
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from serlab import audio, labels
from serlab.corpora import overlaps
from serlab.corpora.base import AUDIO_SUFFIXES, Corpus
from serlab.corpora.design import speaker_emotion_confound
from serlab.errors import AudioError
from serlab.progress import Progress, stop_if

CLIPPED_RUN = 4
DC_OFFSET = 0.005
#: Difference between the median levels of two classes that loudness alone could separate.
LEVEL_RANGE = 6.0
#: Share of the emotion's entropy that the speaker may explain; balanced corpora stay far below.
CONFOUND = 0.2
#: Files beside the audio that a corpus may hold and serlab does not read.
OTHER_SUFFIXES: tuple[str, ...] = (".mp3", ".ogg", ".m4a", ".mp4", ".avi")

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
    paths = table["path"].drop_duplicates()
    # Cuts can only overlap where speech was running: not where sentences were recorded one by one.
    running = set(table.loc[~with_text, "path"])
    measured: dict[str, dict] = {}
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        results = pool.map(lambda path: _measure(path, running=path in running, cancel=cancel), paths)
        for done, (path, result) in enumerate(zip(paths, results, strict=True), start=1):
            measured[path] = result
            if progress:
                progress(done, len(paths), Path(path).name)
    files = pd.DataFrame([measured[path] for path in table["path"]], index=table.index)

    emotions = labels.emotions(table)
    counts = _counts(corpus, table, emotions, files)
    found = [
        *_remarks(corpus, table),
        *_completeness(corpus, folder, table, counts),
        *_speakers(corpus, table),
        *_further_counts(corpus, table),
        *_binary(table),
        *_broken(corpus, folder, files),
        *_cuts(table, files),
        *_extra(corpus, folder, table),
        *_sound(folder, files),
        *_formats(folder, files),
        *_levels(counts),
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


_UNKNOWN: dict = {
    "sample_rate": math.nan, "channels": math.nan, "channels_differ": False, "format": "",
    "seconds": math.nan, "level_db": math.nan, "dc": math.nan, "clipped": False, "digest": None,
    "low": None,
}  # fmt: skip


def _measure(path: str, *, running: bool, cancel: threading.Event | None) -> dict:
    """Decode one file and measure it; ``problem`` says why it cannot be used."""
    stop_if(cancel, "validation was cancelled")
    unknown = {"path": path, **_UNKNOWN}
    if not Path(path).is_file():
        return {**unknown, "problem": "missing"}
    if Path(path).stat().st_size == 0:
        return {**unknown, "problem": "empty"}
    try:
        info = soundfile.info(path)
    except (soundfile.SoundFileError, OSError):
        return {**unknown, "problem": "unreadable"}
    try:
        audio.refuse_truncated(Path(path))
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (AudioError, soundfile.SoundFileError, OSError):
        return {**unknown, "problem": "truncated"}
    known = {
        **unknown,
        "sample_rate": rate,
        "channels": info.channels,
        "format": info.subtype,
        "seconds": len(samples) / rate,
    }
    if len(samples) < info.frames:
        return {**known, "problem": "truncated"}
    if not len(samples):
        return {**known, "problem": "empty"}
    if not np.isfinite(samples).all():
        return {**known, "problem": "not a number"}
    differ = bool((samples != samples[:, :1]).any())
    mono = samples.mean(axis=1) if differ else samples[:, 0]
    mean = float(mono.mean(dtype=np.float64))
    around = mono - np.float32(mean)
    if np.abs(around).max() < audio.SILENT_PEAK:
        return {**known, "problem": "silent"}
    digest = hashlib.blake2b(samples.tobytes(), digest_size=16, key=f"{rate} {info.channels}".encode())
    return {
        **known,
        "channels_differ": differ,
        "level_db": 10 * math.log10(float(np.mean(np.square(around), dtype=np.float64))),
        "dc": mean,
        "clipped": _is_clipped(samples),
        "digest": digest.hexdigest(),
        "low": overlaps.reduce(mono, rate) if running else None,
        "problem": "",
    }


def _is_clipped(samples: np.ndarray) -> bool:
    """Whether a channel stays at full scale for :data:`CLIPPED_RUN` samples."""
    full = np.abs(samples) >= audio.FULL_SCALE
    if full.sum() < CLIPPED_RUN:
        return False
    runs = full[CLIPPED_RUN - 1 :].copy()
    for back in range(1, CLIPPED_RUN):
        runs &= full[CLIPPED_RUN - 1 - back : len(full) - back]
    return bool(runs.any())


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


def _binary(table: pd.DataFrame) -> list[tuple]:
    """Classes of the schemes by dimension: from ratings where there are any, else from categories."""
    found = []
    for name, scheme in labels.SCHEMES.items():
        if scheme.dimension is not None:
            counts = scheme.counts(table).sum()
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


#: problem -> severity, what it means, remedy
_PROBLEMS: dict[str, tuple[str, str, str]] = {
    "missing": ("warning", "labelled but without audio", "get the missing files"),
    "empty": ("error", "without samples", "get these files again, the copy failed"),
    "unreadable": ("error", "not readable as audio", "get these files again"),
    "truncated": ("error", "shorter than their header promises", "get these files again, the copy broke off"),
    "not a number": ("error", "with NaN or infinite samples", "export these files again, or leave them out"),
    "silent": ("error", "silent (below -70 dB re full scale)", "leave these files out, or record them again"),
}


def _broken(corpus: Corpus, folder: Path, files: pd.DataFrame) -> list[tuple]:
    found = []
    for problem, (severity, meaning, remedy) in _PROBLEMS.items():
        names = _names(folder, files.loc[files["problem"] == problem, "path"])
        if names:
            where = f"{remedy}. {corpus.how_to_get}" if problem == "missing" else remedy
            found.append((severity, f"{problem} files", f"{len(names)} files {meaning}", where, names))
    return found


def _cuts(table: pd.DataFrame, files: pd.DataFrame) -> list[tuple]:
    outside = table["end"] > files["seconds"] + audio.END_TOLERANCE
    if not outside.any():
        return []
    finding = f"{outside.sum()} utterances end after the end of their file"
    return [
        ("warning", "cuts", finding, "correct start and end: they are skipped", tuple(table.index[outside]))
    ]


def _extra(corpus: Corpus, folder: Path, table: pd.DataFrame) -> list[tuple]:
    if corpus.embedded:
        return []
    read = set(table["path"])
    suffixes = AUDIO_SUFFIXES + OTHER_SUFFIXES
    names = _names(
        folder,
        (
            str(path)
            for path in folder.rglob("*")
            if path.suffix.lower() in suffixes and not path.name.startswith(".") and str(path) not in read
        ),
    )
    if not names:
        return []
    finding = f"{len(names)} audio or video files do not belong to the utterances of this corpus"
    return [("info", "extra files", finding, "they are not read; check that none is misnamed", names)]


def _sound(folder: Path, files: pd.DataFrame) -> list[tuple]:
    found = []
    clipped = _names(folder, files.loc[files["clipped"], "path"])
    if clipped:
        found.append(
            ("warning", "clipped",
             f"{len(clipped)} files stay at full scale for {CLIPPED_RUN} or more samples",
             "distortion may tell classes apart: compare with results without these files", clipped)
        )  # fmt: skip
    offset = _names(folder, files.loc[files["dc"].abs() > DC_OFFSET, "path"])
    if offset:
        found.append(
            ("warning", "DC offset", f"{len(offset)} files have a mean beyond {DC_OFFSET:.1%} of full scale",
             "features of level see it; compare with and without high-pass filtering", offset)
        )  # fmt: skip
    for _, same in files.drop_duplicates("path").dropna(subset="digest").groupby("digest"):
        if len(same) > 1:
            found.append(
                ("warning", "duplicates", f"{len(same)} files hold identical samples",
                 "keep one, or never let them part into training and test", _names(folder, same["path"]))
            )  # fmt: skip
    return found


def _formats(folder: Path, files: pd.DataFrame) -> list[tuple]:
    sound = files[files["problem"] == ""].drop_duplicates("path")
    if sound.empty:
        return []
    found = []
    kinds = sound.groupby(["sample_rate", "channels", "format"]).size()
    text = ", ".join(f"{n} x {rate:g} Hz, {c:g} ch, {kind}" for (rate, c, kind), n in kinds.items())
    rates = sound["sample_rate"].nunique()
    found.append(
        (
            "warning" if rates > 1 else "info", "formats", text,
            "rate and bandwidth differ: resampling does not remove that" if rates > 1 else "", (),
        )
    )  # fmt: skip
    differ = _names(folder, sound.loc[sound["channels_differ"], "path"])
    if differ:
        found.append(
            ("warning", "channels differ", f"{len(differ)} files have channels that differ",
             "serlab averages them; check that no channel holds another speaker", differ)
        )  # fmt: skip
    coarse = _names(folder, sound.loc[sound["format"].isin(["PCM_U8", "PCM_S8", "ULAW", "ALAW"]), "path"])
    if coarse:
        found.append(
            ("warning", "8 bit", f"{len(coarse)} files have 8 bits a sample",
             "quantisation noise is audible: expect other features than from 16 bits", coarse)
        )  # fmt: skip
    return found


def _levels(counts: pd.DataFrame) -> list[tuple]:
    levels = counts.dropna(subset="level_db").sort_values("level_db", ascending=False)
    if len(levels) < 2:
        return []
    text = ", ".join(f"{row.emotion} {row.level_db:.1f}" for row in levels.itertuples())
    span = levels["level_db"].max() - levels["level_db"].min()
    return [
        (
            "warning" if span >= LEVEL_RANGE else "info", "level by class",
            f"median level spans {span:.1f} dB (dB re full scale: {text})",
            "loudness tells classes apart: is it acted, or the recording?" if span >= LEVEL_RANGE else "",
            (),
        )
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
    sound = table[(files["problem"].reindex(table.index) == "") & table["start"].isna() & table["end"].isna()]
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


def _names(folder: Path, paths) -> tuple[str, ...]:
    """Sorted paths, relative to the corpus folder where they lie in it."""
    names = {os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else path for path in paths}
    return tuple(sorted(names))
