"""Damaged audio files through every way of reading them: all agree, and no length is wrong."""

from __future__ import annotations

import functools
import io
import json
import math
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from serlab import audio
from serlab.corpora import measuring
from serlab.errors import AudioError
from tests.fuzz import Target, damaged

RATE = 16_000
N = 6_400


class Format(NamedTuple):
    """How a sound file is made, and where in it a length stands."""

    suffix: str
    format: str
    subtype: str
    # A file that is cut anywhere, by more than the header is long, is refused.
    promises: bool = True
    # (position, struct format) of the length of the samples in bytes.
    length: tuple[int, str] | None = None
    n_channels: int = 1
    change: Callable[[bytes], bytes] = lambda content: content


def without_table(content: bytes) -> bytes:
    """An MP3 file without the frame that tells how many there are."""
    return content[content.index(b"\xff\xf3", 4) :]


def sphere(_: bytes) -> bytes:
    """A SPHERE file: a header of text and 16-bit samples."""
    head = f"NIST_1A\n   1024\nsample_count -i {N}\nsample_n_bytes -i 2\nchannel_count -i 1\n"
    head += f"sample_byte_format -s2 01\nsample_rate -i {RATE}\nsample_coding -s3 pcm\nend_head\n"
    return head.encode().ljust(1024) + (sound()[:, 0] * 32767).astype("<i2").tobytes()


FORMATS: dict[str, Format] = {
    "wav": Format(".wav", "WAV", "PCM_16", length=(40, "<I")),
    "wav, 24 bit stereo": Format(".wav", "WAVEX", "PCM_24", n_channels=2),
    "wav, float": Format(".wav", "WAV", "FLOAT"),
    "wav, ADPCM": Format(".wav", "WAV", "IMA_ADPCM"),
    "rf64": Format(".wav", "RF64", "PCM_16"),
    "w64": Format(".w64", "W64", "PCM_16"),
    "aiff": Format(".aiff", "AIFF", "PCM_16"),
    "au": Format(".au", "AU", "PCM_16"),
    "flac": Format(".flac", "FLAC", "PCM_16"),
    "vorbis": Format(".ogg", "OGG", "VORBIS", promises=False),
    "opus": Format(".opus", "OGG", "OPUS", promises=False),
    "mp3": Format(".mp3", "MP3", "MPEG_LAYER_III"),
    "mp3, no table": Format(".mp3", "MP3", "MPEG_LAYER_III", promises=False, change=without_table),
    "sphere": Format(".sph", "WAV", "PCM_16", change=sphere),
}


def sound(n_channels: int = 1) -> np.ndarray:
    """Noise that grows: quiet at first, as speech is."""
    noise = np.random.default_rng(3).standard_normal((N, n_channels))
    return 0.05 * noise * np.linspace(0.001, 1, N)[:, None] + 0.01


@functools.cache
def whole(name: str) -> tuple[bytes, int]:
    """Bytes of an intact file, and how many samples it holds."""
    made = FORMATS[name]
    buffer = io.BytesIO()
    soundfile.write(buffer, sound(made.n_channels), RATE, format=made.format, subtype=made.subtype)
    content = made.change(buffer.getvalue())
    if name == "mp3, no table":  # whole frames of 576 samples, less the decoder's own delay
        return content, -(-(N + 576) // 576) * 576 + 576 - 529
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        return content, len(file.read())


def write(folder: Path, *, name: str) -> None:
    (folder / f"a{FORMATS[name].suffix}").write_bytes(whole(name)[0])


def damage(folder: Path, draw: random.Random, *, name: str) -> str:
    """Damage the file, or what lies in its place; ``truth.json`` says what has to come out."""
    made, (content, n) = FORMATS[name], whole(name)
    (path,) = folder.iterdir()
    truth: dict[str, int | bool] = {}
    what = draw.random()
    if what < 0.2:
        at = draw.randrange(len(content))
        content, told = content[:at], f"cut at {at}"
        truth = {"refused": made.promises and len(whole(name)[0]) - at > 600}
    elif what < 0.4 and made.length is not None:
        at, form = made.length
        there = len(content) - at - struct.calcsize(form)
        length = draw.choice(
            (0, there + 1, there + 44, draw.randrange(there), there - 2000, draw.randrange(2**32))
        )
        content = content[:at] + struct.pack(form, length) + content[at + struct.calcsize(form) :]
        told = f"length {length} for {there}"
        # A promise that is kept by nothing is a truncated file; the header's own length is forgiven.
        truth = {"frames": n} if length <= there + 44 else {}
    elif what < 0.9:
        content, told = damaged(content, draw)
    else:
        told = draw.choice(("pipe", "folder", "link", "loop", "device", "name", "suffix"))
        if told in ("pipe", "folder", "link", "loop", "device"):
            path.unlink()
            {
                "pipe": lambda: os.mkfifo(path),
                "folder": path.mkdir,
                "link": lambda: path.symlink_to("nothing.wav"),
                "loop": lambda: path.symlink_to(path),
                "device": lambda: path.symlink_to("/dev/zero"),
            }[told]()
            content, truth = b"", {"refused": True}
        else:
            path.unlink()
            path = folder / ("a.raw" if told == "suffix" else os.fsdecode(b"\xff\xfe a.wav"))
            truth = {"frames": n}
    if content or told.startswith("cut") or path.is_file():
        path.write_bytes(content)
    (folder / "truth.json").write_text(json.dumps(truth))
    return told


class Read(NamedTuple):
    """What each way of reading makes of a file."""

    truth: dict[str, int | bool]
    loaded: audio.Audio
    header: audio.Header
    measured: measuring.Measured


def read(folder: Path) -> Read:
    """All three; they have to refuse the same files."""
    truth = json.loads((folder / "truth.json").read_text())
    (path,) = (path for path in folder.iterdir() if path.name != "truth.json")
    measured = measuring.measure(path)
    try:
        loaded = audio.load(path)
    except AudioError as error:
        assert measured.problem == error.problem, f"measure: {measured.problem!r}, load: {error.problem!r}"
        assert "frames" not in truth, f"refused: {error}"
        str(error).encode()
        raise
    assert not measured.problem, measured.detail
    cut = audio.load(path, start=0.05, end=loaded.duration - 0.05) if loaded.duration > 0.25 else None
    assert cut is None or abs(cut.duration - (loaded.duration - 0.1)) < 1e-3
    return Read(truth, loaded, audio.header(path), measured)


def check(result: Read) -> None:
    """The three agree about the length, and it is the true one where that is known."""
    truth, loaded, header, measured = result
    assert not truth.get("refused"), "a cut file passes as whole"
    frames = round(measured.seconds * loaded.native_rate)
    assert math.isclose(header.seconds, measured.seconds, abs_tol=1e-9)
    assert abs(loaded.duration - measured.seconds) <= 1.5 / min(loaded.sample_rate, loaded.native_rate)
    assert truth.get("frames") in (None, frames), f"{frames} samples instead of {truth['frames']}"
    # One step of float32 above full scale is still 32767 to openSMILE.
    assert np.isfinite(loaded.samples).all() and np.abs(loaded.samples).max() <= audio.FULL_SCALE + 1e-6


TARGETS: tuple[Target, ...] = tuple(
    Target(
        name=f"audio: {name}",
        write=functools.partial(write, name=name),
        damage=functools.partial(damage, name=name),
        read=read,
        check=check,
    )
    for name in FORMATS
)
