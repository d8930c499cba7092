"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from serlab.corpora import synthetic
from serlab.corpora.synthesis import Shift
from serlab.models import vgg16


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real corpora beside the repository; a clone elsewhere has none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "corpora").is_dir():
        pytest.skip("no ../shared beside the repository: the real corpora are not here")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep all tests away from the user's data root and cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SERLAB_DATA", raising=False)
        patch.setenv("SERLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        # What one test has fitted another one does not find: many replace parts of the package.
        patch.setenv("SERLAB_UNITS", "off")
        yield


@pytest.fixture(autouse=True)
def same_environment(own_folders: None) -> Iterator[None]:
    """What a command says to its own process does not stay for the next test."""
    before = {name: value for name, value in os.environ.items() if name.startswith("SERLAB_")}
    yield
    after = {name: value for name, value in os.environ.items() if name.startswith("SERLAB_")}
    for name in after.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
    assert after == before, "a test has changed the environment of those that follow"


@pytest.fixture(scope="session")
def small_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data root with two small CSV corpora, ``near`` and ``far``: 4 speakers, 32 utterances each."""
    root = tmp_path_factory.mktemp("data")
    for name, language, shift in (("near", "x-a", Shift()), ("far", "x-b", Shift(channel=0.3))):
        table = synthetic.make_corpus(
            name=name, language=language, n_speakers=4, n_utterances=32, seed=7, shift=shift,
            folder=root / name / "audio",
        )  # fmt: skip
        rows = table.assign(
            label=table["native_label"], path=[f"audio/{Path(p).name}" for p in table["path"]]
        )
        rows = rows[["path", "speaker", "label", "sex", "text_id"]]
        rows.to_csv(root / name / "corpus.csv", index=False)
    return root


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Whisper of three layers and random weights by the name "whisper"; nothing without transformers."""
    with pytest.MonkeyPatch.context() as patch:
        if find_spec("transformers"):
            from tests import tiny_encoders

            root = tmp_path_factory.mktemp("models")
            tiny_encoders.save("whisper", root)
            patch.setenv("SERLAB_MODELS", str(root))
        yield


@pytest.fixture(scope="module")
def thin_vgg16() -> Iterator[None]:
    """VGG16 with a quarter of its channels, for methods; tests/models/test_vgg16.py has the whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vgg16, "STAGES", tuple(tuple(n // 4 for n in stage) for stage in vgg16.STAGES))
        yield
