"""Own recordings: from the browser and from files, kept in one folder, deleted on demand."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from serlab import widgets
from serlab.errors import AudioError, ParameterError
from serlab.widgets.recording import Recorder
from serlab.widgets.recordings import Recordings

SOUND = (0.3 * np.sin(np.arange(24000) / 15)).astype(np.float32)


def test_what_the_browser_sends_is_a_file(tmp_path: Path) -> None:
    pytest.importorskip("anywidget")
    new = []
    recorder = Recorder(tmp_path / "voice", on_recording=new.append)
    assert recorder.paths == [] and not (tmp_path / "voice").exists() and recorder.delete.disabled
    send = recorder.microphone._heard
    send(None, {"kind": "recording", "rate": 48000}, [memoryview(SOUND.astype("<f4").tobytes())])
    (path,) = recorder.paths
    assert new == [path] and path.name == "phrase-1.wav" and "kept" in recorder.message.value
    samples, rate = soundfile.read(path)
    assert rate == 48000
    np.testing.assert_allclose(samples, SOUND, atol=1e-4)
    assert "<audio" in recorder.player.value
    send(None, {"kind": "recording", "rate": 48000}, [memoryview(b"")])
    send(None, {"kind": "recording", "rate": 48000}, [memoryview(np.zeros(48000, "<f4").tobytes())])
    assert len(recorder.paths) == 1 and "silen" in recorder.message.value
    send(None, "something else", [])
    send(None, {"kind": "recording", "rate": 48000}, [memoryview((5 * SOUND).astype("<f4").tobytes())])
    assert "too loud" in recorder.message.value
    recorder.delete.click()
    assert [path.name for path in recorder.paths] == ["phrase-1.wav"]
    # What is saved with a notebook's widgets has no voice in it.
    assert not any(
        isinstance(value, bytes | memoryview) for value in recorder.microphone.get_state().values()
    )


def test_files_can_be_chosen(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    file = io.BytesIO()
    soundfile.write(file, SOUND, 16000, format="WAV")
    chosen = {
        "name": "../my <phrase>.wav",
        "type": "audio/wav",
        "size": 1,
        "content": memoryview(file.getvalue()),
    }
    recorder._uploaded({"new": (chosen,)})
    assert [path.name for path in recorder.paths] == ["my-phrase-1.wav"]
    for name, content in (("text.txt", b"x"), ("broken.wav", b"RIFF")):
        recorder._uploaded({"new": ({"name": name, "content": memoryview(content)},)})
        assert name in recorder.message.value
    assert len(list(tmp_path.iterdir())) == 1, "nothing is kept of what cannot be read"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ParameterError, match="cannot be kept"):
        Recordings(tmp_path / "file").keep(SOUND, 16000)
    with pytest.raises(AudioError, match="choose an audio file"):
        Recordings(tmp_path).take("a.exe", b"")
    Recordings(tmp_path).remove(tmp_path / "file")
    assert (tmp_path / "file").exists(), "only recordings are deleted"


def test_headless_the_recordings_of_before(tmp_path: Path) -> None:
    Recordings(tmp_path).keep(SOUND, 16000)
    recorder = widgets.recorder(tmp_path)
    assert len(recorder.paths) == len(recorder.utterances()) == 1
    assert widgets.recorder(tmp_path / "none").utterances().empty


def test_the_script_asks_nobody_else() -> None:
    script = (Path(widgets.__file__).parent / "recorder.js").read_text(encoding="utf-8")
    assert "http" not in script.replace("on https and on localhost", "") and "import" not in script


@pytest.mark.skipif(find_spec("anywidget") is None, reason="needs anywidget")
def test_without_anywidget_there_is_the_file_picker(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("serlab.widgets.recording.find_spec", lambda name: None)
    recorder = Recorder(tmp_path)
    assert "pip install" in recorder.microphone.value and not recorder.upload.disabled
