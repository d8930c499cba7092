"""Findings of validation that are about the audio files themselves.

Each function returns rows (severity, check, finding, remedy, files) for
:mod:`serlab.corpora.validation`; ``files`` is the table of what was measured,
one row an utterance (:class:`serlab.corpora.measuring.Measured`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from serlab import audio
from serlab.corpora import bandwidth, walking
from serlab.corpora.base import Corpus
from serlab.corpora.measuring import CLIPPED_RUN
from serlab.wording import count

DC_OFFSET = 0.005
#: Difference between the median levels of two classes that loudness alone could separate.
LEVEL_RANGE = 6.0
#: Share of files of one and the same length from which on they were cut or padded to it.
SAME_LENGTH = 0.25
#: Fewer files than this have the same length by chance.
_FEWEST = 20
#: Seconds by which the shortest and the longest recording may differ from what is published.
_TOLERANCE = 0.05
LOSSY: tuple[str, ...] = ("VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III")

Row = tuple[str, str, str, str, tuple[str, ...]]

#: problem -> severity, what it means, remedy
_PROBLEMS: dict[str, tuple[str, str, str]] = {
    "missing": ("warning", "labelled but without audio", "get the missing files"),
    "empty": ("error", "without samples", "get these files again, the copy failed"),
    "unreadable": ("error", "not readable as audio", "get these files again, or convert them"),
    "damaged": ("error", "damaged or cut short", "get these files again"),
    "truncated": ("error", "shorter than their header promises", "get these files again, the copy broke off"),
    "rate": ("error", "with a sampling rate that no recording of speech has", "get these files again"),
    "not a number": ("error", "with NaN or infinite samples", "export these files again, or leave them out"),
    "silent": ("error", "silent (below -70 dB re full scale)", "leave these files out, or record them again"),
    "too short": ("error", f"shorter than {audio.SHORTEST} s", "leave these files out"),
}


def broken(corpus: Corpus, folder: Path, files: pd.DataFrame) -> list[Row]:
    """Files that cannot be used, by what is wrong with them."""
    found = []
    for problem, (severity, meaning, remedy) in _PROBLEMS.items():
        own = files[files["problem"] == problem]
        if problem == "missing":
            get = corpus.how_to_get if corpus.expected else "Or take their lines out of the table."
            remedy = f"{remedy}. {get}"
        for what, part in own.groupby(own["detail"].map(_kind)):
            names = file_names(folder, part["path"])
            how = part["detail"].iloc[0].partition(f"{what}; ")[2] if what else ""
            text = f"{count(len(names), 'file')} {meaning}{': ' if what else ''}{what}"
            found.append((severity, f"{problem} files", text, how or remedy, names))
    return found


def _kind(detail: str) -> str:
    """What a file is that is no audio, where its error says so; empty of all else."""
    return detail.partition(": cannot be read as audio: ")[2].partition("; ")[0]


def cuts(table: pd.DataFrame, files: pd.DataFrame) -> list[Row]:
    """Utterances that are no part of their file, or a part that cannot be used."""
    found = []
    for problem, meaning, remedy in (
        ("cut", "do not lie in their file", "correct start and end: they are skipped"),
        ("too short", f"are shorter than {audio.SHORTEST} s", "correct start and end: they are skipped"),
        ("silent", "are silent", "correct start and end: they are skipped"),
    ):
        names = tuple(table.index[(files["cut_problem"] == problem).to_numpy()])
        if names:
            finding = f"{len(names)} utterances {meaning}"
            check = "cuts" if problem == "cut" else f"{problem} cuts"
            found.append(("warning", check, finding, remedy, names))
    return found


def extra(corpus: Corpus, folder: Path, table: pd.DataFrame) -> list[Row]:
    """What lies in the folder and is not read."""
    if corpus.embedded:
        return []
    read = set(table["path"])
    suffixes = audio.SUFFIXES + audio.CONVERTIBLE
    by_kind: dict[str, list[str]] = {}
    for path, kind in walking.entries(folder):
        if kind != "file" or (path.suffix.lower() in suffixes and str(path) not in read):
            by_kind.setdefault(kind, []).append(walking.printable(path))
    found: list[Row] = []
    for kind, severity, text, remedy in (
        ("file", "info", "audio or video files do not belong to the utterances of this corpus",
         "they are not read; check that none is misnamed"),
        ("broken link", "warning", "links lead nowhere", "mount what they lead to, or mend them"),
        ("unnameable", "warning", "files or folders have names that are not UTF-8",
         "they are not read; unpack the archive again, or rename them"),
        ("special", "info", "things are neither files nor folders", "they are not read"),
    ):  # fmt: skip
        if kind in by_kind:
            names = file_names(folder, by_kind[kind])
            check = {"file": "extra files", "unnameable": "file names"}.get(kind, f"{kind}s")
            found.append((severity, check, f"{len(names)} {text}", remedy, names))
    return found


def sound(folder: Path, files: pd.DataFrame) -> list[Row]:
    """Clipping, offset, channels, floating point, duplicates: what changes results."""
    once = files.drop_duplicates("path")
    floating = once["format"].isin(["FLOAT", "DOUBLE"])
    notes = once["notes"]
    found: list[Row] = []
    for mask, check, text, remedy in (
        (once["clipped"], "clipped", f"files stay at full scale for {CLIPPED_RUN} or more samples",
         "distortion may tell classes apart: compare with results without these files"),
        (once["dc"].abs() > DC_OFFSET, "DC offset", f"files have a mean beyond {DC_OFFSET:.1%} of full scale",
         "features of level see it; compare with and without high-pass filtering"),
        (notes.map(lambda n: audio.UNSCALED in n), "floating point",
         "files hold whole numbers as floating point, far beyond full scale",
         "they are read by the full scale of these numbers; check that no other file was scaled otherwise"),
        (floating & (once["peak"] > 1), "beyond full scale", "files of floating point go beyond full scale",
         "each is attenuated by its own peak, which changes its level beside others"),
        (notes.map(lambda n: audio.LENGTH_CORRECTED in n), "wrong header",
         "files say a wrong length in their header", "all that is there is read; write them again"),
        (notes.map(lambda n: audio.END_UNMARKED in n), "unmarked end",
         "files do not say where they end", "listen to the end: they may have been cut"),
    ):  # fmt: skip
        names = file_names(folder, once.loc[mask, "path"])
        if names:
            severity = "info" if check in ("wrong header", "unmarked end") else "warning"
            found.append((severity, check, f"{len(names)} {text}", remedy, names))
    for _, same in once.dropna(subset="digest").groupby("digest"):
        if len(same) > 1:
            found.append(
                ("warning", "duplicates", f"{len(same)} files hold identical samples",
                 "keep one, or never let them part into training and test", file_names(folder, same["path"]))
            )  # fmt: skip
    return found


def channels(folder: Path, files: pd.DataFrame) -> list[Row]:
    """Channels that differ, and by how much; channels that cancel."""
    once = files.drop_duplicates("path")
    cancel = once["notes"].map(lambda notes: audio.CHANNELS_CANCEL in notes)
    differ = once["channels_differ"] & ~cancel & (once["problem"] == "")
    found: list[Row] = []
    if cancel.any():
        names = file_names(folder, once.loc[cancel, "path"])
        found.append(
            ("warning", "channels cancel", f"{len(names)} files have channels that cancel each other",
             "the left one is used; was one connected the wrong way round?", names)
        )  # fmt: skip
    if differ.any():
        names = file_names(folder, once.loc[differ, "path"])
        apart = once.loc[differ, "distance_db"]
        text = (
            f"{len(names)} files have channels that differ, by {apart.min():.0f} to {apart.max():.0f} dB re "
            "their mean"
        )
        used = (
            'serlab averages them unless corpus.toml says otherwise (channel = "left"); check that no '
            "channel holds another speaker or another microphone, and compare"
        )
        found.append(("warning", "channels differ", text, used, names))
    return found


def formats(corpus: Corpus, folder: Path, files: pd.DataFrame) -> list[Row]:
    """Rates, channels and codings, beside what is published."""
    usable = files[files["problem"] == ""].drop_duplicates("path")
    if usable.empty:
        return []
    kinds = usable.groupby(["sample_rate", "channels", "format"]).size()
    text = ", ".join(f"{n} x {rate:g} Hz, {c:g} ch, {kind}" for (rate, c, kind), n in kinds.items())
    rates = usable["sample_rate"].nunique()
    remedy = "rate and bandwidth differ: resampling does not remove that" if rates > 1 else ""
    found: list[Row] = [("warning" if rates > 1 else "info", "formats", text, remedy, ())]
    for wanted, check, what, why in (
        (["PCM_U8", "PCM_S8", "ULAW", "ALAW"], "8 bit", "have 8 bits a sample",
         "quantisation noise is audible: expect other features than from 16 bits"),
        (list(LOSSY), "lossy coding", "have passed through a lossy codec",
         "it leaves traces that features see; never let one class or speaker be coded otherwise"),
    ):  # fmt: skip
        names = file_names(folder, usable.loc[usable["format"].isin(wanted), "path"])
        if names:
            found.append(("warning", check, f"{len(names)} files {what}", why, names))
    narrow = usable[usable["bandwidth"] < bandwidth.HIGHEST * usable["sample_rate"] / 2]
    if len(narrow):
        low, high = narrow["bandwidth"].min() / 1000, narrow["bandwidth"].max() / 1000
        finding = (
            f"{len(narrow)} of {len(usable)} files end at {low:.1f} to {high:.1f} kHz like cut with a knife, "
            "though their rate allows more"
        )
        remedy = (
            "they were recorded at a lower rate, or passed through a codec; see that it is so in all classes"
        )
        found.append(("warning", "bandwidth", finding, remedy, file_names(folder, narrow["path"])))
    return found + _as_published(corpus, folder, usable) + _lengths(corpus, files, usable)


def _as_published(corpus: Corpus, folder: Path, usable: pd.DataFrame) -> list[Row]:
    """Rate and channels against the published ones."""
    found: list[Row] = []
    if corpus.sampling_rates:
        published = " or ".join(f"{rate:g} Hz" for rate in corpus.sampling_rates)
        other = usable[~usable["sample_rate"].isin(corpus.sampling_rates)]
        lower = other[other["sample_rate"] < min(corpus.sampling_rates)]
        higher = other.drop(lower.index)
        for part, severity, remedy in (
            (lower, "info", "compare only with results at this rate"),
            (higher, "warning", "it holds no more than it was published with; get the publisher's copy"),
        ):
            if len(part):
                rates = ", ".join(f"{rate:g} Hz" for rate in sorted(part["sample_rate"].unique()))
                text = f"{len(part)} files are at {rates}: resampled, as they were published at {published}"
                found.append((severity, "resampled", text, remedy, file_names(folder, part["path"])))
    if corpus.channels:
        other = usable[~usable["channels"].isin(corpus.channels)]
        if len(other):
            published = " or ".join(map(str, corpus.channels))
            text = f"{len(other)} files have {sorted(other['channels'].astype(int).unique())} channels, "
            text += f"published are {published}"
            remedy = "get the publisher's copy, or say which channel is meant"
            found.append(("warning", "channels", text, remedy, file_names(folder, other["path"])))
    return found


def _lengths(corpus: Corpus, files: pd.DataFrame, usable: pd.DataFrame) -> list[Row]:
    """Durations against the published ones, and against each other."""
    found: list[Row] = []
    shortest, longest = usable["seconds"].min(), usable["seconds"].max()
    agree = False
    if corpus.seconds:
        low, high = corpus.seconds
        outside = shortest < low - _TOLERANCE or longest > high + _TOLERANCE
        whole = len(files) == sum(corpus.expected.values()) and (files["problem"] == "").all()
        inside = whole and (shortest > low + _TOLERANCE or longest < high - _TOLERANCE)
        agree = not outside and not inside
        if not agree:
            text = (
                f"recordings last {shortest:.2f} to {longest:.2f} s, the published ones {low:g} to {high:g} s"
            )
            remedy = "they were cut, padded or taken from elsewhere: get the publisher's copy"
            found.append(("warning", "durations", text, remedy, ()))
    lengths = usable["seconds"].value_counts()
    if len(usable) >= _FEWEST and lengths.iloc[0] >= SAME_LENGTH * len(usable) and lengths.iloc[0] > 1:
        text = f"{lengths.iloc[0]} of {len(usable)} files are exactly {lengths.index[0]:.3f} s long"
        remedy = (
            "so they were published"
            if agree
            else "they were cut or padded to one length, which changes what features see"
        )
        found.append(("info" if agree else "warning", "same length", text, remedy, ()))
    return found


def levels(counts: pd.DataFrame) -> list[Row]:
    """Median level by class."""
    known = counts.dropna(subset="level_db").sort_values("level_db", ascending=False)
    if len(known) < 2:
        return []
    text = ", ".join(f"{row.emotion} {row.level_db:.1f}" for row in known.itertuples())
    span = known["level_db"].max() - known["level_db"].min()
    return [
        (
            "warning" if span >= LEVEL_RANGE else "info", "level by class",
            f"median level spans {span:.1f} dB (dB re full scale: {text})",
            "loudness tells classes apart: is it acted, or the recording?" if span >= LEVEL_RANGE else "",
            (),
        )
    ]  # fmt: skip


def file_names(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Sorted paths, relative to the corpus folder where they lie in it."""
    names = {os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else path for path in paths}
    return tuple(sorted(names))
