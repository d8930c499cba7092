"""The microphone's script in a real browser, with the browser's own false microphone; no Jupyter."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serlab import widgets
from serlab.widgets.recording import Recorder

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("anywidget")

SCRIPT = Path(widgets.__file__).parent / "recorder.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

#: Stands for the notebook: what is sent is kept.
PAGE = """<!doctype html><html lang="en"><title>recorder</title><div id="here"></div><script type="module">
import recorder from "/recorder.js";
window.sent = [];
const model = { send: (content, callbacks, buffers) => window.sent.push(
  { ...content, samples: Array.from(new Float32Array(buffers[0])) }) };
recorder.render({ model, el: document.getElementById("here") });
</script>"""

MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *MICROPHONE])
        page = browser.new_page()
        page.errors = []
        page.on("console", lambda line: page.errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        # What a browser takes for this computer may use a microphone; anything else is refused.
        page.route("**/*", answer)
        page.goto("http://localhost/")
        yield page
        browser.close()


def answer(route: Any) -> None:
    path = route.request.url.removeprefix("http://localhost")
    if path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    elif path == "/recorder.js":
        route.fulfill(body=SCRIPT.read_text(encoding="utf-8"), content_type="text/javascript")
    elif path == "/favicon.ico":
        route.fulfill(status=204)
    else:
        route.abort()


def test_a_phrase_goes_from_the_microphone_to_a_file(page, tmp_path: Path) -> None:
    button = page.get_by_role("button", name="Record")
    button.focus()
    page.keyboard.press("Enter")  # no mouse is needed
    stop = page.get_by_role("button", name="Stop")
    stop.wait_for()
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('1 s')")
    stop.click()
    page.wait_for_function("window.sent.length == 1")
    assert "recorded" in page.get_by_role("status").text_content()
    (sent,) = page.evaluate("window.sent")
    samples = np.array(sent["samples"], dtype="<f4")
    assert sent["rate"] >= 8000 and len(samples) > 0.5 * sent["rate"]
    assert np.abs(samples).max() > 0.01, "the false microphone beeps"
    recorder = Recorder(tmp_path)
    recorder.microphone._heard(None, sent, [memoryview(samples.tobytes())])
    assert len(recorder.utterances()) == 1
    assert page.errors == []


def test_without_a_microphone_there_is_a_way_out(page) -> None:
    for name, says in (("NotAllowedError", "allow it beside"), ("NotFoundError", "no microphone")):
        page.evaluate(
            "name => { navigator.mediaDevices.getUserMedia ="
            " () => Promise.reject(new DOMException('x', name)) }",
            name,
        )
        page.get_by_role("button", name="Record").click()
        page.wait_for_function(
            "text => document.querySelector('[role=status]').textContent.includes(text)", arg=says
        )
    assert page.get_by_role("button", name="Record").is_enabled()
    assert len(page.evaluate("window.sent")) == 1
