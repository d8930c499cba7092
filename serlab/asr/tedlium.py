"""TED-LIUM release 2: 207 hours of English talks with transcripts.

Rousseau, Deléglise & Estève (2014), Enhancing the TED-LIUM corpus with selected
data for language modeling and more TED talks; CC BY-NC-ND 3.0. Layout of the
publisher's archive::

    TEDLIUM_release2/{train,dev,test}/stm/AlGore_2009.stm
    TEDLIUM_release2/{train,dev,test}/sph/AlGore_2009.sph

A talk is one long file; only the segment asked for is ever read from it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Literal

import pandas as pd

from serlab import data
from serlab.asr.transcripts import as_table
from serlab.asr.units import normalize
from serlab.audio import SHORTEST
from serlab.corpora import texts
from serlab.errors import AudioError, CorpusError

HOW_TO_GET = (
    "download TEDLIUM_release2.tar.gz from https://www.openslr.org/19 (35 GB) and unpack it, then give the "
    "folder TEDLIUM_release2"
)

_IGNORED = "ignore_time_segment_in_scoring"
#: What is no word: {BREATH}, <sil>, [NOISE], and the number of a pronunciation, as in "the(2)".
_NO_WORD = re.compile(r"\{[^}]*\}|<[^>]*>|\[[^\]]*\]|\(\d+\)")
#: Release 2 writes "it 's" for "it's".
_SUFFIX = re.compile(r"\s+'(?=\w)")
_SPHERE_BYTES = 4096  # of the header that are looked at; it is 1024 long in this corpus


def read(root: Path | str, part: Literal["train", "dev", "test"] = "train") -> pd.DataFrame:
    """Segments of a part that hold speech, with their transcripts.

    Parameters
    ----------
    root : path
        The folder TEDLIUM_release2, or the one it lies in.
    part : {"train", "dev", "test"}

    Returns
    -------
    DataFrame
        See :mod:`serlab.asr.transcripts`. Left out and counted: what the
        publisher excludes from scoring, segments without a word, and those
        shorter than 0.1 s.

    Raises
    ------
    CorpusError
        If folders or files are missing, or a line of an stm file is malformed.
    AudioError
        If an sph file is compressed, or cut short.
    """
    if part not in ("train", "dev", "test"):
        raise CorpusError(f"TED-LIUM has no part {part!r}; choose train, dev or test")
    root = Path(root).expanduser().absolute()
    nested = root / "TEDLIUM_release2"
    folder = (nested if nested.is_dir() else root) / part
    transcripts = sorted((folder / "stm").glob("*.stm"))
    if not transcripts:
        raise CorpusError(f"{folder} has no stm/*.stm; {HOW_TO_GET}")
    rows: list[dict] = []
    left_out: Counter[str] = Counter()
    for stm in transcripts:
        sound = folder / "sph" / f"{stm.stem}.sph"
        if not sound.is_file():
            raise CorpusError(f"{stm} has no {sound}; unpack the archive again")
        check_sphere(sound)
        for row in _segments(stm, left_out):
            rows.append({**row, "corpus": "tedlium", "language": "en", "path": str(sound)})
    if not rows:
        raise CorpusError(f"{folder / 'stm'} has no segment with speech; unpack the archive again")
    return as_table(data.utterances(rows), left_out=left_out)


def check_sphere(path: Path) -> None:
    """Refuse a NIST SPHERE file that is compressed, or shorter than its header says.

    Raises
    ------
    AudioError
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SPHERE_BYTES)
    except OSError as error:
        raise AudioError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from None
    damaged = AudioError(f"{path}: no NIST SPHERE header; the file is damaged, unpack the archive again")
    lines = head.split(b"end_head")[0].decode("latin-1").splitlines()
    if not head.startswith(b"NIST_1A") or b"end_head" not in head or len(lines) < 2:
        raise damaged
    fields = {
        name: value for name, _, value in (line.split(" ", 2) for line in lines[2:] if line.count(" ") > 1)
    }
    coding = fields.get("sample_coding", "pcm")
    if "," in coding:
        raise AudioError(
            f"{path}: compressed ({coding}); uncompress it once with NIST's tool and put the result in its "
            f"place: sph2pipe -p {path.name} uncompressed.sph"
        )
    try:
        n_values = int(fields["sample_count"]) * int(fields.get("channel_count", 1))
        promised = int(lines[1]) + n_values * int(fields.get("sample_n_bytes", 2))
    except (KeyError, ValueError):
        raise damaged from None
    there = path.stat().st_size
    if there < promised:
        raise AudioError(
            f"{path}: truncated: {there} of {promised} bytes are there; unpack the archive again"
        )


def _segments(stm: Path, left_out: Counter[str]) -> list[dict]:
    """Rows of an stm file: talk, channel, speaker, start, end, label, text."""
    rows = []
    for number, line in texts.lines(stm, remedy="unpack the archive again"):
        if not line.strip() or line.startswith(";;"):
            continue
        fields = line.split(maxsplit=6)
        try:
            talk, _, speaker, start, end = fields[0], *fields[1:3], float(fields[3]), float(fields[4])
            text = fields[6] if fields[5].startswith("<") else " ".join(fields[5:])
            if not 0 <= start <= end < math.inf:
                raise ValueError
        except (IndexError, ValueError):
            raise CorpusError(
                f"{stm}, line {number}: not talk, channel, speaker, start, end, <label> and text: "
                f"{line[:60]!r}; unpack the archive again"
            ) from None
        if _IGNORED in text:
            left_out[f"{_IGNORED} (no transcript)"] += 1
        elif end - start < SHORTEST:
            left_out[f"shorter than {SHORTEST} s"] += 1
        elif not normalize(words := _SUFFIX.sub("'", " ".join(_NO_WORD.sub(" ", text).split()))):
            left_out["no word"] += 1
        else:
            rows.append(
                {
                    "utterance": f"tedlium/{talk}-{start:08.2f}-{end:08.2f}",
                    "speaker": f"tedlium/{speaker}",
                    "start": start,
                    "end": end,
                    "text": words,
                }
            )
    return rows
