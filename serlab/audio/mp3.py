"""Counting the frames of an MP3 file, which need not say how many it has.

The decoder estimates the length of a file without a table of contents from its
first frames. Where those are quiet and the bit rate varies, the estimate is far
off, and whatever lies behind it is never decoded. So frames are counted here by
their headers (ISO 11172-3 and 13818-3, clause 2.4.2.3), and the decoder is told
the number in the way that encoders tell it: by a first frame that holds a table
("Xing" or "Info") instead of sound.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import BinaryIO

#: kbit/s by index, of layer III; MPEG-1, then MPEG-2 and 2.5.
_BIT_RATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
#: Hz of MPEG-1 by index; MPEG-2 has half, 2.5 a quarter.
_RATES = (44_100, 48_000, 32_000)
#: Index of 64 kbit/s in each table: such a frame has room for the table of contents at any rate.
_ROOMY = (5, 8)
#: Bytes searched for a frame: at the beginning, and where one is damaged.
_SEARCHED = 65_536


@dataclass(frozen=True)
class Frame:
    """One header: length in bytes, and where a table of contents would begin."""

    length: int
    table: int


@dataclass(frozen=True)
class Counted:
    """Frames of a file.

    Attributes
    ----------
    header : bytes
        Of the first frame, four bytes.
    frames : int
        That hold sound and are whole.
    promised : int or None
        What the file says about that; None if nothing.
    partial : bool
        Whether the file ends within a frame.
    audio_start : int
        Position of the first frame that holds sound.
    """

    header: bytes
    frames: int
    promised: int | None
    partial: bool
    audio_start: int

    def information(self) -> bytes:
        """A frame to put before the others, that says how many they are."""
        old = self.header
        version = 0 if old[1] >> 3 & 3 == 3 else 1
        header = bytes([old[0], old[1] | 1, _ROOMY[version] << 4 | old[2] & 0x0C, old[3]])
        frame = parse(header)
        assert frame is not None  # as the first of the file is one
        content = bytearray(frame.length)
        content[:4] = header
        content[frame.table : frame.table + 12] = b"Info" + struct.pack(">II", 1, self.frames)
        return bytes(content)


def tag_length(head: bytes) -> int:
    """Length of an ID3v2 tag at the beginning of a file; 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10 or max(head[6:10]) > 127:
        return 0
    a, b, c, d = head[6:10]
    return 10 + (a << 21 | b << 14 | c << 7 | d) + (10 if head[5] & 0x10 else 0)


def parse(header: bytes) -> Frame | None:
    """A frame header of layer III, or None."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer != 1 or rate == 3 or bit_rate in (0, 15):
        return None
    newer = version != 3
    hertz = _RATES[rate] >> (0 if version == 3 else 1 if version == 2 else 2)
    length = (72 if newer else 144) * 1000 * _BIT_RATES[newer][bit_rate] // hertz + (header[2] >> 1 & 1)
    mono = header[3] >> 6 == 3
    return Frame(length=length, table=4 + ((9 if mono else 17) if newer else (17 if mono else 32)))


def count(file: BinaryIO, size: int, *, start: int) -> Counted | None:
    """Count the frames of an open file from ``start``; None if it holds none.

    A file is one if two frames follow each other, of which the first begins
    within the first 64 KiB.
    """
    if size <= start:
        return None
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        first = _next(content, start, size)
        if first is None:
            return None
        frame = parse(content[first : first + 4])
        assert frame is not None
        has_table, promised = _promised(content, first, frame)
        position = audio_start = first + frame.length if has_table else first
        header, frames, partial = content[first : first + 4], 0, False
        while position < size:
            frame = parse(content[position : position + 4])
            if frame is None:
                found = _next(content, position, size)
                if found is None:
                    break
                position = found
                continue
            if position + frame.length > size:
                partial = True
                break
            frames += 1
            position += frame.length
        return Counted(header, frames, promised, partial, audio_start)


def _next(content: mmap.mmap, position: int, size: int) -> int | None:
    """Where the next frame begins that another of its kind follows."""
    last = min(position + _SEARCHED, size)
    while True:
        position = content.find(b"\xff", position, last)
        if position < 0:
            return None
        frame = parse(content[position : position + 4])
        if frame is not None:
            following = content[position + frame.length : position + frame.length + 4]
            # Same version, layer and rate; bit rate and padding may change.
            if parse(following) is not None and _kind(following) == _kind(content[position : position + 4]):
                return position
        position += 1


def _kind(header: bytes) -> tuple[int, int]:
    return header[1] & 0xFE, header[2] & 0x0C


def _promised(content: mmap.mmap, first: int, frame: Frame) -> tuple[bool, int | None]:
    """Whether the first frame holds a table of contents, and the frames that it promises."""
    table = first + frame.table
    if content[table : table + 4] in (b"Xing", b"Info"):
        flags, n = struct.unpack(">II", content[table + 4 : table + 12].ljust(8, b"\0"))
        return True, n if flags & 1 else None
    if content[first + 36 : first + 40] == b"VBRI":
        return True, struct.unpack(">I", content[first + 50 : first + 54].ljust(4, b"\0"))[0]
    return False, None
