"""What a file is that cannot be read as audio, and what to do about it."""

from __future__ import annotations

import shlex
from pathlib import Path

#: Endings of what serlab reads, with libsndfile.
SUFFIXES: tuple[str, ...] = (
    ".wav", ".flac", ".aiff", ".aif", ".aifc", ".ogg", ".oga", ".opus", ".mp3", ".au", ".snd", ".w64",
    ".rf64",
)  # fmt: skip
#: Endings of what holds sound and has to be converted.
CONVERTIBLE: tuple[str, ...] = (
    ".m4a", ".mp4", ".aac", ".webm", ".weba", ".mkv", ".mka", ".wma", ".wmv", ".asf", ".avi", ".mov", ".3gp",
    ".amr", ".caf", ".ape", ".wv", ".mpg", ".mpeg", ".ts", ".flv", ".raw", ".pcm", ".sph", ".mp2",
    ".ac3", ".dts",
)  # fmt: skip

#: First bytes -> what it is; of containers that ffmpeg reads.
_MEDIA: tuple[tuple[bytes, str], ...] = (
    (b"\x1a\x45\xdf\xa3", "WebM or Matroska"),
    (bytes.fromhex("3026b2758e66cf11"), "Windows Media"),
    (b"#!AMR", "AMR"),
    (b"caff", "Apple Core Audio"),
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b"TTA1", "True Audio"),
    (b"FLV", "Flash video"),
    (b"\x00\x00\x01\xba", "MPEG video"),
    (b"ADIF", "AAC"),
    (b"\xff\xf1", "AAC"),
    (b"\xff\xf9", "AAC"),
)
#: First bytes -> what it is, and the remedy; of what is no sound at all.
_OTHER: tuple[tuple[bytes, str, str], ...] = (
    (
        b"version https://git-lfs",
        "a pointer of Git LFS",
        "get the file itself with `git lfs pull` in the clone",
    ),
    (b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
)


def conversion(path: Path) -> str:
    """The command that converts a file to WAV, as a shell takes it."""
    target = path.with_suffix(".wav") if path.suffix.lower() != ".wav" else path.with_suffix(".converted.wav")
    source, wanted = shlex.quote(str(path)), shlex.quote(str(target))
    return f"ffmpeg -i {source} -vn -c:a pcm_s16le {wanted}"


def described(path: Path, head: bytes) -> str:
    """One clause on what a file is, by its first bytes, and one on the remedy."""
    what = _media(head)
    if what:
        return f"{what}, which serlab does not read; convert it: {conversion(path)}"
    for start, thing, remedy in _OTHER:
        if head.startswith(start):
            return f"{thing}, no audio; {remedy}"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, no audio; the download brought an error page, get the file again"
    if path.suffix.lower() in (".raw", ".pcm"):
        source, target = shlex.quote(str(path)), shlex.quote(str(path.with_suffix(".wav")))
        return (
            "samples without a header; say rate and format in converting it: "
            f"ffmpeg -f s16le -ar 16000 -ac 1 -i {source} {target}"
        )
    return (
        "it is damaged, cut short or of an unknown format; get it again, or convert it, if it plays "
        f"elsewhere: {conversion(path)}"
    )


def _media(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "MPEG-4 (m4a, mp4, mov, 3gp)"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI video"
    return next((what for start, what in _MEDIA if head.startswith(start)), "")
