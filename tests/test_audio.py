"""Reading audio: what comes out is one channel at 16 kHz below full scale, or a clear error."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.errors import AudioError


def tone(
    frequency: float = 440.0, *, seconds: float = 0.5, rate: int = 16_000, level: float = 0.5
) -> np.ndarray:
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def save(path: Path, samples: np.ndarray, *, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def test_16_bit_16_khz_samples_are_unchanged(tmp_path):
    recorded = np.random.default_rng(0).integers(-30_000, 30_000, 4000).astype(np.int16)
    loaded = audio.load(save(tmp_path / "a.wav", recorded))
    assert loaded.samples.dtype == np.float32
    assert np.array_equal(loaded.samples * 32768, recorded)
    assert (loaded.sample_rate, loaded.native_rate, loaded.channels, loaded.notes) == (16_000, 16_000, 1, ())


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate"),
    [
        (".wav", "PCM_U8", 16_000),
        (".wav", "PCM_24", 44_100),
        (".wav", "FLOAT", 96_000),
        (".wav", "DOUBLE", 48_000),
        (".flac", "PCM_16", 44_100),
        (".flac", "PCM_24", 96_000),
        (".wav", "PCM_16", 8_000),
    ],
)
def test_formats_and_rates_give_the_same_tone(tmp_path, suffix, subtype, rate):
    path = save(tmp_path / f"tone{suffix}", tone(rate=rate), rate=rate, subtype=subtype)
    loaded = audio.load(path)
    assert loaded.duration == pytest.approx(0.5, abs=1e-3)
    step = 2 / 256 if subtype == "PCM_U8" else 1e-3
    middle = slice(1000, 7000)  # a resampling filter rings at the edges
    assert np.abs(loaded.samples[middle] - tone()[middle]).max() < step
    assert loaded.notes == ((audio.UPSAMPLED,) if rate < 16_000 else ())


def test_path_with_spaces_and_unicode(tmp_path):
    folder = tmp_path / "Äußerungen, اردو"
    folder.mkdir()
    assert audio.load(save(folder / "è una prova.flac", tone())).duration == 0.5


def test_start_and_end_cut_the_file(tmp_path):
    recorded = tone(seconds=1.0) * np.linspace(0.1, 1, 16_000)
    path = save(tmp_path / "a.wav", recorded)
    whole = audio.load(path).samples
    assert np.array_equal(audio.load(path, start=0.25, end=0.75).samples, whole[4000:12_000])
    assert np.array_equal(audio.load(path, start=0.25).samples, whole[4000:])
    assert np.array_equal(audio.load(path, end=1.01).samples, whole)  # rounded by a label file


@pytest.mark.parametrize(("start", "end"), [(-0.1, 0.5), (0.5, 1.1), (2.0, 3.0), (0.6, 0.4)])
def test_start_and_end_outside_of_the_file(tmp_path, start, end):
    path = save(tmp_path / "a.wav", tone(seconds=1.0))
    with pytest.raises(AudioError, match=r"a\.wav.*not a part of the file.*1\.000 s long; correct"):
        audio.load(path, start=start, end=end)


def test_identical_channels_are_one(tmp_path):
    mono = audio.load(save(tmp_path / "mono.wav", tone()))
    stereo = audio.load(save(tmp_path / "stereo.wav", np.stack([tone(), tone()], axis=1)))
    assert np.array_equal(stereo.samples, mono.samples)
    assert (stereo.channels, stereo.notes) == (2, ())


def test_channels_that_differ_are_averaged_and_noted(tmp_path):
    left, right = tone(300), tone(1000, level=0.1)
    loaded = audio.load(save(tmp_path / "a.wav", np.stack([left, right], axis=1)))
    swapped = audio.load(save(tmp_path / "b.wav", np.stack([right, left], axis=1)))
    assert np.allclose(loaded.samples, (left + right) / 2, atol=1e-4)
    assert np.array_equal(loaded.samples, swapped.samples)
    (note,) = loaded.notes
    assert note == "channels differ (-10 to 0 dB re their mean): their mean is used"


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_channels_in_opposite_phase_are_not_averaged(tmp_path, noise):
    """Their mean is what the microphones' noise differs by; speech is in each of them."""
    left = tone()
    right = noise * np.random.default_rng(0).standard_normal(len(left)) - left
    loaded = audio.load(save(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT"))
    assert loaded.notes == (audio.CHANNELS_CANCEL,)
    assert np.array_equal(loaded.samples, left.astype(np.float32))


def test_peak_is_kept_below_full_scale(tmp_path):
    """openSMILE's conversion to 16 bits turns +1.0 into -1.0."""
    path = save(tmp_path / "a.wav", tone(level=1.0), subtype="FLOAT")
    assert np.float32(1.0) in np.abs(soundfile.read(path, dtype="float32")[0])
    loaded = audio.load(path)
    as_opensmile = (loaded.samples * 32768).astype(np.int16)
    assert np.array_equal(np.sign(as_opensmile), np.sign(np.trunc(loaded.samples * 32768)))
    assert np.abs(as_opensmile.astype(int)).max() == 32767
    assert loaded.notes == (audio.ATTENUATED,)


def test_resampling_a_clipped_recording_stays_below_full_scale(tmp_path):
    clipped = np.clip(tone(150, rate=44_100, level=5.0), -1, 1)
    loaded = audio.load(save(tmp_path / "a.wav", clipped, rate=44_100))
    assert np.abs(loaded.samples).max() <= audio.FULL_SCALE
    assert loaded.notes == (audio.ATTENUATED,)


def test_offset_and_level_stay_as_recorded(tmp_path):
    loaded = audio.load(save(tmp_path / "a.wav", tone(level=0.01) + 0.2))
    assert loaded.samples.mean() == pytest.approx(0.2, abs=1e-3)
    assert loaded.samples.std() == pytest.approx(0.01 / np.sqrt(2), rel=1e-2)


def write_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def first_bytes(path: Path, n: int) -> Path:
    return write_bytes(path, path.read_bytes()[:n])


def half_of(path: Path) -> Path:
    return first_bytes(path, path.stat().st_size // 2)


def with_a_sample(value: float) -> np.ndarray:
    samples = tone()
    samples[100] = value
    return samples


BAD_FILES = {
    "missing": (lambda p: p / "none.wav", "no such file"),
    "a folder": (lambda p: p, "no such file"),
    "zero bytes": (lambda p: write_bytes(p / "a.wav", b""), "zero bytes"),
    "not audio": (lambda p: write_bytes(p / "a.wav", b"Lorem ipsum " * 99), "cannot be read as audio"),
    "truncated WAV": (lambda p: half_of(save(p / "a.wav", tone())), "truncated: .* of 16000 bytes"),
    "truncated float WAV": (lambda p: half_of(save(p / "a.wav", tone(), subtype="FLOAT")), "truncated"),
    "truncated header": (lambda p: first_bytes(save(p / "a.wav", tone()), 30), "truncated"),
    "truncated FLAC": (lambda p: half_of(save(p / "a.flac", tone())), "cannot be read as audio"),
    "NaN": (lambda p: save(p / "a.wav", with_a_sample(np.nan), subtype="FLOAT"), "NaN or infinite"),
    "infinity": (lambda p: save(p / "a.wav", with_a_sample(-np.inf), subtype="FLOAT"), "NaN or infinite"),
    "silent": (lambda p: save(p / "a.wav", np.zeros(8000)), "silent"),
    "an offset, else silent": (lambda p: save(p / "a.wav", np.full(8000, 0.3)), "silent"),
    "noise of the converter": (lambda p: save(p / "a.wav", tone(level=2e-4)), "silent"),
    "no samples": (lambda p: save(p / "a.wav", np.zeros(0)), "too short"),
    "short": (lambda p: save(p / "a.wav", tone(seconds=0.09)), r"0\.090 s is too short"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_FILES)
def test_bad_file_is_named(tmp_path, kind):
    make, message = BAD_FILES[kind]
    path = make(tmp_path)
    with pytest.raises(AudioError, match=message) as raised:
        audio.load(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("length", [0x7FFFF000, 0xFFFFFFFF])
def test_wav_of_unknown_length_is_not_truncated(tmp_path, length):
    path = save(tmp_path / "a.wav", tone())
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", length)
    assert audio.load(write_bytes(path, bytes(content))).duration == 0.5


def test_content_hash(tmp_path):
    first, second = save(tmp_path / "a.wav", tone()), save(tmp_path / "b.wav", tone())
    other = save(tmp_path / "c.wav", tone(441))
    assert audio.content_hash(first) == audio.content_hash(second) == audio.file_hash(first)
    cuts = {
        (audio.content_hash(first, start=start, end=end)) for start, end in [(0, 0.2), (0.1, 0.2), (0.1, 0.3)]
    }
    assert len(cuts | {audio.content_hash(first), audio.content_hash(other)}) == 5
    assert audio.content_hash(first, start=0.1, end=0.2) == audio.content_hash(second, start=0.1, end=0.2)
    with pytest.raises(AudioError, match="no such file"):
        audio.content_hash(tmp_path / "none.wav")


@pytest.mark.shared
def test_published_stereo_files_of_ravdess(shared):
    """Four of the six originals have two channels, which are identical."""
    loaded = [
        audio.load(path) for path in sorted((shared / "corpora/ravdess-original-sample").glob("*/*.wav"))
    ]
    assert sorted(sound.channels for sound in loaded) == [1, 1, 2, 2, 2, 2]
    assert {sound.native_rate for sound in loaded} == {48_000}
    assert not any(sound.notes for sound in loaded)
