"""TED-LIUM 2 on a generated tree: transcripts cleaned, segments cut out of long files, bad files named."""

import numpy as np
import pytest
import soundfile

from serlab import audio
from serlab.asr import tedlium
from serlab.errors import AudioError, CorpusError

RATE = 16000
STM = """;; a comment
AlGore_2009 1 inter_segment_gap 0 1.00 <o,,unknown> ignore_time_segment_in_scoring
AlGore_2009 1 AlGore 1.00 2.50 <o,f0,male> thank you(2) {BREATH} it 's <sil> an honor
AlGore_2009 1 AlGore 2.50 3.00 <o,f0,male> {NOISE}
AlGore_2009 1 AlGore 3.00 3.05 <o,f0,male> uh
AlGore_2009 1 AlGore 3.25 5.00 <o,f0,male> the end
"""


def sphere(path, samples, *, order="<", coding="pcm", n=None):
    """NIST SPHERE as the publisher writes it: text header of 1024 bytes, then 16-bit samples."""
    header = (
        f"NIST_1A\n   1024\nsample_count -i {n or len(samples)}\nsample_n_bytes -i 2\nchannel_count -i 1\n"
        f"sample_byte_format -s2 {'01' if order == '<' else '10'}\nsample_rate -i {RATE}\n"
        f"sample_coding -s{len(coding)} {coding}\nend_head\n"
    )
    values = np.round(samples * 32767).astype(f"{order}i2")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode().ljust(1024) + values.tobytes())


@pytest.fixture
def samples():
    return 0.4 * np.sin(2 * np.pi * np.cumsum(np.linspace(100, 2000, 5 * RATE)) / RATE)


@pytest.fixture
def root(tmp_path, samples):
    folder = tmp_path / "TEDLIUM_release2"
    (folder / "train/stm").mkdir(parents=True)
    (folder / "train/stm/AlGore_2009.stm").write_text(STM)
    sphere(folder / "train/sph/AlGore_2009.sph", samples)
    return folder


def test_segments_with_their_words(root):
    table = tedlium.read(root)
    assert table["text"].tolist() == ["thank you it's an honor", "the end"]
    assert table[["start", "end"]].to_numpy().tolist() == [[1.0, 2.5], [3.25, 5.0]]
    assert set(table["speaker"]) == {"tedlium/AlGore"} and set(table["language"]) == {"en"}
    assert table.index[0] == "tedlium/AlGore_2009-00001.00-00002.50"
    assert table.attrs["left_out"] == {
        "ignore_time_segment_in_scoring (no transcript)": 1,
        "no word": 1,
        "shorter than 0.1 s": 1,
    }
    assert tedlium.read(root.parent).equals(table)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_segment_is_cut_out_of_the_talk(root, samples, order):
    sphere(root / "train/sph/AlGore_2009.sph", samples, order=order)
    row = tedlium.read(root).iloc[1]
    sound = audio.load(row["path"], start=row["start"], end=row["end"])
    np.testing.assert_allclose(sound.samples, samples[int(3.25 * RATE) :], atol=1e-4)


def test_mu_law(root, samples):
    path = root / "train/sph/AlGore_2009.sph"
    soundfile.write(path, samples, RATE, format="NIST", subtype="ULAW")
    row = tedlium.read(root).iloc[0]
    sound = audio.load(row["path"], start=row["start"], end=row["end"])
    np.testing.assert_allclose(sound.samples, samples[RATE : int(2.5 * RATE)], atol=0.02)


def test_only_the_segment_is_read(root, samples, monkeypatch):
    row = tedlium.read(root).iloc[0]
    n_read = []
    original = soundfile.SoundFile.read

    def counted(self, frames=-1, *arguments, **options):
        n_read.append(frames)
        return original(self, frames, *arguments, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    audio.load(row["path"], start=row["start"], end=row["end"])
    assert n_read == [int(1.5 * RATE)]


def test_shorten_is_refused_with_the_remedy(root, samples):
    sphere(root / "train/sph/AlGore_2009.sph", samples, coding="pcm,embedded-shorten-v2.00")
    with pytest.raises(AudioError, match=r"AlGore_2009.sph: compressed .*sph2pipe -p"):
        tedlium.read(root)


def test_truncated_and_damaged_talks_are_named(root, samples):
    path = root / "train/sph/AlGore_2009.sph"
    sphere(path, samples, n=2 * len(samples))
    with pytest.raises(AudioError, match=r"truncated: 161024 of 321024 bytes"):
        tedlium.read(root)
    path.write_bytes(b"RIFF" + bytes(2000))
    with pytest.raises(AudioError, match="no NIST SPHERE header"):
        tedlium.read(root)
    path.unlink()
    with pytest.raises(CorpusError, match=r"AlGore_2009.stm has no .*sph"):
        tedlium.read(root)


def test_bad_layout_and_lines_are_named(root):
    with pytest.raises(CorpusError, match=r"dev has no stm/\*.stm; download"):
        tedlium.read(root, "dev")
    with pytest.raises(CorpusError, match="choose train, dev or test"):
        tedlium.read(root, "all")
    stm = root / "train/stm/AlGore_2009.stm"
    stm.write_text("AlGore_2009 1 AlGore one 2.50 <o,f0,male> hello\n")
    with pytest.raises(CorpusError, match=r"AlGore_2009.stm, line 1: not talk"):
        tedlium.read(root)
    stm.write_text("AlGore_2009 1 x 0 1.00 <o,,unknown> ignore_time_segment_in_scoring\n")
    with pytest.raises(CorpusError, match="no segment with speech"):
        tedlium.read(root)
