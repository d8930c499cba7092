"""Published weights: checked, refused, downloaded from a local server."""

from __future__ import annotations

import functools
import hashlib
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torch import nn

from serlab.errors import Cancelled, ParameterError
from serlab.models.vgg16 import FROM_IMAGENET, VGG16
from serlab.pretrained import imagenet

FILE_NAME = "vgg16-397923af.pth"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address and folder of a local server."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", folder
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))


class Small(nn.Module):
    def __init__(self, *, inputs: int = 2) -> None:
        super().__init__()
        self.features = nn.Linear(inputs, 3)
        self.output = nn.Linear(3, 4)


def save(path: Path, content: object) -> str:
    """Write a file of weights; its SHA-256."""
    torch.save(content, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_begins_as_the_publisher_says():
    published = imagenet.PUBLISHED["vgg16-imagenet"]
    assert published.file_name == FILE_NAME
    assert len(published.sha256) == 64 and published.sha256.startswith("397923af")


def test_nothing_there_is_random_initialisation():
    assert imagenet.find() is None
    assert imagenet.describe(None) == "random initialisation"


def test_local_file_that_the_user_vouches_for(tmp_path: Path):
    tensors = Small().state_dict()
    digest = save(tmp_path / "mine.pth", tensors)
    weights = imagenet.find(tmp_path / "mine.pth", sha256=digest.upper())
    assert weights.path == tmp_path / "mine.pth"
    assert imagenet.describe(weights) == f"ImageNet, SHA-256 {digest[:8]}"
    found = imagenet.read(weights)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_wrong_hash_names_both_and_the_remedy(tmp_path: Path):
    digest = save(tmp_path / "mine.pth", Small().state_dict())
    with pytest.raises(ParameterError) as caught:
        imagenet.find(tmp_path / "mine.pth")
    for part in ("mine.pth", digest, "397923af8e79", "Download https", "hash of a copy that you trust"):
        assert part in str(caught.value)


def test_no_such_file_or_name(tmp_path: Path):
    with pytest.raises(ParameterError, match=r"no file of weights .*absent\.pth; get it from https"):
        imagenet.find(tmp_path / "absent.pth")
    with pytest.raises(ParameterError, match="unknown weights 'vgg19'; known: vgg16-imagenet"):
        imagenet.find(name="vgg19")


def test_download_then_found_without_network(mirror: tuple[str, Path], tmp_path: Path):
    url, folder = mirror
    digest = save(folder / FILE_NAME, Small().state_dict())
    seen: list[tuple] = []
    weights = imagenet.find(
        sha256=digest, download=True, base_url=url, progress=lambda *step: seen.append(step)
    )
    assert weights.path == tmp_path / "cache" / "weights" / FILE_NAME
    assert seen[-1] == (weights.path.stat().st_size,) * 2 + (FILE_NAME,)
    (folder / FILE_NAME).unlink()
    assert imagenet.find(sha256=digest) == weights
    assert imagenet.find(sha256=digest, download=True, base_url=url) == weights


def test_a_download_with_the_wrong_hash_is_not_kept(mirror: tuple[str, Path], tmp_path: Path):
    url, folder = mirror
    save(folder / FILE_NAME, Small().state_dict())
    with pytest.raises(ParameterError, match=r"397923af.*tampered with.*by hand and give its path"):
        imagenet.find(download=True, base_url=url)
    assert not any(path.is_file() for path in (tmp_path / "cache").rglob("*"))


def test_no_network_and_cancelled(mirror: tuple[str, Path], tmp_path: Path):
    url, folder = mirror
    with pytest.raises(ParameterError, match=r"cannot be downloaded .*by hand and give its path"):
        imagenet.find(download=True, base_url=url)  # not there: 404
    digest = save(folder / FILE_NAME, Small().state_dict())
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        imagenet.find(sha256=digest, download=True, base_url=url, cancel=cancel)
    assert imagenet.find(sha256=digest) is None


class Code:
    """What a hostile file would run when it is unpickled."""

    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("content", [{"features.weight": Code()}, [torch.ones(2)], {"a": 1}, None])
def test_something_else_than_tensors(content, tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "bad.pth"
    digest = save(path, content)
    with pytest.raises(ParameterError, match=r"bad\.pth"):
        imagenet.read(imagenet.find(path, sha256=digest))
    assert "executed" not in capsys.readouterr().out


def test_a_file_cut_short(tmp_path: Path):
    path = tmp_path / "bad.pth"
    save(path, Small().state_dict())
    path.write_bytes(path.read_bytes()[:500])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ParameterError, match="cannot be read as weights"):
        imagenet.read(imagenet.find(path, sha256=digest))


def test_safetensors(tmp_path: Path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    tensors = Small().state_dict()
    save_file(tensors, tmp_path / "mine.safetensors")
    digest = hashlib.sha256((tmp_path / "mine.safetensors").read_bytes()).hexdigest()
    found = imagenet.read(imagenet.find(tmp_path / "mine.safetensors", sha256=digest))
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_safetensors_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    weights = imagenet.Weights(tmp_path / "mine.safetensors", sha256="", title="")
    with pytest.raises(ParameterError, match=r"needs the package safetensors; install it, or give a \.pth"):
        imagenet.read(weights)


def test_some_submodules_are_filled():
    theirs, ours = Small(), Small()
    before = ours.output.weight.clone()
    published = {**theirs.state_dict(), "output.weight": torch.zeros(1000, 3)}  # their own classes
    imagenet.load_into(ours, published, only=("features",))
    assert torch.equal(ours.features.weight, theirs.features.weight)
    assert torch.equal(ours.output.weight, before)


def test_weights_of_another_network():
    tensors = Small(inputs=5).state_dict()
    tensors["conv1.weight"] = tensors.pop("features.bias")
    ours = Small()
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(ParameterError) as caught:
        imagenet.load_into(ours, tensors, only=("features",))
    for part in (
        "another network than Small",
        "missing: features.bias",
        "unknown: conv1.weight",
        "features.weight (3, 5) instead of (3, 2)",
    ):
        assert part in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())


def test_imagenet_weights_fill_all_but_the_output_layer():
    """With the published shapes, and constants for numbers; the channels-last layout stays."""
    with torch.device("meta"):
        published = VGG16(1000).state_dict()
        ours = VGG16(4)
    shapes = {name: value.shape for name, value in published.items()}
    tensors = {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}
    narrow = VGG16(4, image_size=32, hidden=8, pooled=1)
    imagenet.load_into(narrow, tensors, only=("features",))
    assert not narrow.features[28].weight.any() and narrow.classifier[0].weight.any()
    assert narrow.features[28].weight.is_contiguous(memory_format=torch.channels_last)
    with pytest.raises(ParameterError, match=r"classifier.0.weight \(4096, 25088\) instead of \(8, 512\)"):
        imagenet.load_into(narrow, tensors, only=FROM_IMAGENET)
    wanted = {name for name in ours.state_dict() if name.startswith(FROM_IMAGENET)}
    assert wanted == {name for name in published if not name.startswith("classifier.6")}
