"""What a container says about its own length, and whether that can be true.

libsndfile reads what is left of a cut WAV, RF64, W64, AIFF, AU, SPHERE or Ogg
file without a word, and believes an MP3 file's estimate of its length. So the
few numbers that matter are read here, before it opens the file:

- samples that are promised but not there: *truncated*, an error;
- a promise that is too long by no more than the header itself is a program
  that counted the header among the samples: the file is whole, and noted;
- a promise of nothing, or of less than there is with no further chunk behind
  it, is a recorder that stopped before it wrote the length: what is there is
  read, and noted;
- a promise of "as much as follows" (pipes) is no promise;
- an MP3 file without a table of contents promises nothing: its frames are
  counted.

Nothing is allocated by a number that a header holds. Sources: the formats'
specifications (RIFF/WAVE and RF64: EBU Tech 3306; Wave64: Sony; AIFF-C: Apple;
FLAC: RFC 9639; Ogg: RFC 3533; SPHERE: NIST).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from serlab.audio import mp3
from serlab.errors import AudioError

#: Programs that write a WAV file to a pipe do not know its length beforehand, and
#: put the largest number (or sox: nearly half of it) into the header.
UNKNOWN_LENGTH = 0x7FFFF000
#: Chunks before the samples at most; a real file has a handful.
MOST_CHUNKS = 4_096
#: Bytes behind the samples that are neither samples nor chunks, but no reason to doubt the header:
#: tags of other formats (ID3v1 has 128), padding.
TRAILING = 1_024
#: Samples of a channel that a byte of a FLAC file holds at most: a frame of 65,535 samples takes
#: no less than 10 bytes, however silent it is.
FLAC_DENSITY = 6_554
#: An Ogg page is no longer than this.
OGG_PAGE = 65_307

LENGTH_CORRECTED = "length in the header is wrong: all that is there is read"
END_UNMARKED = "end is not marked: the file may have been cut"

#: The last 12 bytes of the names of chunks in a Wave64 file; the first four are the RIFF name.
_W64 = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_W64_RIFF = bytes.fromhex("2e91cf11a5d628db04c10000")


@dataclass(frozen=True)
class Container:
    """What was found in the header.

    Attributes
    ----------
    kind : str
        "wav", "rf64", "w64", "aiff", "au", "flac", "ogg", "mp3", "sphere".
    notes : tuple of str
        :data:`LENGTH_CORRECTED`, :data:`END_UNMARKED`.
    patches : mapping of int to bytes
        Position -> bytes that libsndfile has to find there instead.
    prefix : bytes
        What libsndfile has to find before the file.
    skipped : int
        Bytes at the beginning that libsndfile has to leave out.
    """

    kind: str
    notes: tuple[str, ...] = ()
    patches: dict[int, bytes] = field(default_factory=dict)
    prefix: bytes = b""
    skipped: int = 0


class Truncated(AudioError):
    """Less is there than the header promises."""


def inspect(file: BinaryIO, size: int) -> Container | None:
    """Read the header of an open file of ``size`` bytes; None for a format that serlab does not read.

    Raises
    ------
    Truncated
        Saying what is there of what; the caller names the file.
    """
    file.seek(0)
    head = file.read(40)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _riff(file, size, name=head[:4])
    if head[:4] == b"riff" and head[4:16] == _W64_RIFF and head[24:40] == b"wave" + _W64:
        return _w64(file, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(file, size)
    if head[:4] in (b".snd", b"dns."):
        return _au(head, size)
    if head[:7] == b"NIST_1A":
        return _sphere(file, size)
    if head[:4] == b"OggS":
        return _ogg(file, size)
    start = mp3.tag_length(head)
    if start:
        file.seek(start)
        head = file.read(40)
    if head[:4] == b"fLaC":
        return _flac(head, size, start=start)
    return _mp3(file, size, start=start)


def _riff(file: BinaryIO, size: int, *, name: bytes) -> Container:
    order = ">" if name == b"RIFX" else "<"
    kind = "rf64" if name in (b"RF64", b"BW64") else "wav"
    file.seek(4)
    whole = 8 + _number(file.read(4), order)
    long_length = None
    long_position = 0
    file.seek(12)
    for _ in range(MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            break
        chunk, length = header[:4], _number(header[4:], order)
        start = file.tell()
        if chunk == b"ds64" and kind == "rf64":
            body = file.read(24)
            if len(body) < 24:
                break
            whole, long_length = 8 + struct.unpack_from("<Q", body)[0], struct.unpack_from("<Q", body, 8)[0]
            long_position = start + 8
        if chunk == b"data":
            if length == 0xFFFFFFFF and long_length is not None:
                return _samples(
                    file, size, kind, start, long_length, whole=whole, at=long_position, form="<Q"
                )
            if length >= UNKNOWN_LENGTH and kind == "wav" and size - start < length:
                return Container(kind)
            return _samples(file, size, kind, start, length, whole=whole, at=start - 4, form=f"{order}I")
        file.seek(start + length + length % 2)  # chunks are padded to even length
    raise Truncated("there are no samples")


def _samples(
    file: BinaryIO, size: int, kind: str, start: int, length: int, *, whole: int, at: int, form: str
) -> Container:
    """Judge the length that stands at ``at``, of samples that begin at ``start`` and should be the last."""
    there = size - start
    right = {at: struct.pack(form, min(there, 2 ** (8 * struct.calcsize(form)) - 1))}
    if length > there:
        if length - there > start or not there:
            raise Truncated(f"{there} of {length} bytes of samples are there")
        return Container(kind, notes=(LENGTH_CORRECTED,), patches=right)
    rest = there - length
    if rest <= 1 or _chunks_follow(file, size, start + length, order=form[0]):
        return Container(kind)
    # Whatever lies behind the end of a file that is whole by its own account, if it is small, is a tag.
    if length and rest <= TRAILING and whole <= start + length + 1:
        return Container(kind)
    return Container(kind, notes=(LENGTH_CORRECTED,), patches=right)


def _chunks_follow(file: BinaryIO, size: int, position: int, *, order: str) -> bool:
    """Whether chunk follows chunk from here to the end of the file."""
    position += position % 2
    for _ in range(MOST_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            return True
        if not re.fullmatch(rb"[ -~]{4}", header[:4]):
            return False
        length = _number(header[4:], order)
        position += 8 + length + length % 2
        if position > size + 1:
            return False
    return False


def _w64(file: BinaryIO, size: int) -> Container:
    position = 40
    for _ in range(MOST_CHUNKS):
        file.seek(position)
        header = file.read(24)
        if len(header) < 24:
            break
        length = struct.unpack_from("<Q", header, 16)[0]  # with these 24 bytes
        if header[:16] == b"data" + _W64:
            start, there = position + 24, size - position - 24
            right = {position + 16: struct.pack("<Q", there + 24)}
            if length > there + 24:
                if length - 24 - there > start or not there:
                    raise Truncated(f"{there} of {length - 24} bytes of samples are there")
                return Container("w64", notes=(LENGTH_CORRECTED,), patches=right)
            if length <= 24 and there > 0:
                return Container("w64", notes=(LENGTH_CORRECTED,), patches=right)
            return Container("w64")
        if length < 24:
            break
        position += length + -length % 8
    raise Truncated("there are no samples")


def _aiff(file: BinaryIO, size: int) -> Container:
    position = 12
    for _ in range(MOST_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            break
        length = _number(header[4:], ">")
        start = position + 8
        if header[:4] == b"SSND":
            there = size - start
            if length > there:
                if length - there > start or there <= 8:
                    raise Truncated(f"{max(there - 8, 0)} of {length - 8} bytes of samples are there")
                right = {start - 4: struct.pack(">I", there)}
                return Container("aiff", notes=(LENGTH_CORRECTED,), patches=right)
            return Container("aiff")
        position = start + length + length % 2
    raise Truncated("there are no samples")


def _au(head: bytes, size: int) -> Container:
    order = ">" if head[:4] == b".snd" else "<"
    if len(head) < 24:
        raise Truncated("the header is not whole")
    start, length = struct.unpack_from(f"{order}II", head, 4)
    there = size - start
    if length in (0, 0xFFFFFFFF):  # "not known", as the format has it
        patches = {8: struct.pack(f"{order}I", 0xFFFFFFFF)}
        return Container("au", patches=patches if length == 0 else {})
    if length > there:
        if length - there > start or there <= 0:
            raise Truncated(f"{max(there, 0)} of {length} bytes of samples are there")
        right = {8: struct.pack(f"{order}I", there)}
        return Container("au", notes=(LENGTH_CORRECTED,), patches=right)
    return Container("au")


def _sphere(file: BinaryIO, size: int) -> Container:
    file.seek(8)
    found = re.match(rb"\s*(\d{1,6})\s", file.read(16))
    start = int(found[1]) if found else 1024
    file.seek(0)
    fields = dict(re.findall(rb"^(\w+) -i (\d{1,15})\s*$", file.read(min(start, 65_536)), re.MULTILINE))
    n, width = fields.get(b"sample_count"), fields.get(b"sample_n_bytes", b"1")
    if n is None:
        return Container("sphere", notes=(END_UNMARKED,))
    length = int(n) * int(width)
    if size - start < length:
        raise Truncated(f"{max(size - start, 0)} of {length} bytes of samples are there")
    return Container("sphere")


def _flac(head: bytes, size: int, *, start: int) -> Container:
    if len(head) < 26:
        raise Truncated("the header is not whole")
    n = ((head[21] & 0xF) << 32) | _number(head[22:26], ">")
    if n > size * FLAC_DENSITY:
        raise Truncated(f"{size} bytes cannot hold the {n} samples that are promised")
    return Container("flac", skipped=start)


def _ogg(file: BinaryIO, size: int) -> Container:
    """The last page must be whole; it should say that it is the last."""
    begin = max(size - 2 * OGG_PAGE, 0)
    file.seek(begin)
    tail = file.read(size - begin)
    for found in reversed(list(re.finditer(rb"OggS\0", tail))):
        page = tail[found.start() :]
        if len(page) < 27 or len(page) < 27 + page[26]:
            raise Truncated("the last page is not whole")
        length = 27 + page[26] + sum(page[27 : 27 + page[26]])
        if length > len(page):
            raise Truncated("the last page is not whole")
        return Container("ogg", notes=() if page[5] & 4 else (END_UNMARKED,))
    raise Truncated("the end is missing")


def _mp3(file: BinaryIO, size: int, *, start: int) -> Container | None:
    counted = mp3.count(file, size, start=start)
    if counted is None:
        return None
    if counted.promised is not None:
        # A frame more or less is a matter of how the encoder counts.
        if counted.frames + 1 < counted.promised:
            raise Truncated(f"{counted.frames} of {counted.promised} frames are there")
        if counted.frames <= counted.promised + 1:
            return Container("mp3", skipped=start)
    notes = [LENGTH_CORRECTED] if counted.promised is not None else []
    notes += [END_UNMARKED] if counted.partial else []
    return Container("mp3", notes=tuple(notes), prefix=counted.information(), skipped=counted.audio_start)


def _number(four: bytes, order: str) -> int:
    return int.from_bytes(four, "big" if order == ">" else "little")
