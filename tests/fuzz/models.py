"""Damaged folders of models: what is read computes finite numbers, all else is refused at the door."""

from __future__ import annotations

import functools
import json
import os
import random
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save, save_file

from serlab.asr import acoustic_model
from serlab.features.speaker_encoder import speaker_encoder
from serlab.pretrained import conversion, encoders, heard
from tests import tiny_encoders, toys
from tests.features.test_speaker_encoder import CONFIG as SPEAKER
from tests.features.test_speaker_encoder import network
from tests.fuzz import Target, damaged

#: What a value in a configuration may be instead.
VALUES: tuple[Any, ...] = (
    None, "", "x", "16", -1, 0, 1, 3, 7, 10**9, 10**30, -(10**18), 0.5, 1e308, float("nan"), float("inf"),
    True, False, [], {}, [10**9] * 8, [1, "x"], {"a": {"b": []}}, "../../etc/passwd", "sdpa",
    "flash_attention_2", "a/b", "\ud800", "x" * 10**5,
)  # fmt: skip
#: Names that are put in: of code, of precision, of sizes.
NAMES = (
    "auto_map", "_attn_implementation", "attn_implementation", "quantization_config", "dtype", "torch_dtype",
    "num_labels", "id2label", "model_type", "hidden_act", "add_adapter", "num_adapter_layers", "layerdrop",
    "x",
)  # fmt: skip


# --- sound folders -----------------------------------------------------------------


def _encoder(name: str, root: Path, *, parts: bool = False) -> Path:
    folder = tiny_encoders.save(name, root)
    if parts:
        weights = load_file(folder / encoders.WEIGHTS)
        (folder / encoders.WEIGHTS).unlink()
        index = {key: f"part-{i % 2}.safetensors" for i, key in enumerate(weights)}
        for file in sorted(set(index.values())):
            save_file({key: weights[key] for key in weights if index[key] == file}, folder / file)
        (folder / encoders.INDEX).write_text(json.dumps({"weight_map": index}))
    (folder / heard.FILE).write_text(json.dumps({"languages": ["de"], "tuned_on": ["emodb"], "source": "x"}))
    return folder


def _published(root: Path) -> Path:
    torch.save({"model": tiny_encoders.published_emotion2vec(), "epoch": 3}, root / "model.pt")
    return root


def _speaker(root: Path) -> Path:
    (root / "config.json").write_text(json.dumps(SPEAKER))
    save_file(network().state_dict(), root / "model.safetensors")
    return root


def _acoustic(root: Path) -> Path:
    toys.acoustic_model(5).save(root / "model")
    return root / "model"


@functools.cache
def whole(make: Callable[[Path], Path]) -> dict[str, bytes]:
    """Files of a sound folder, by name."""
    with tempfile.TemporaryDirectory() as root, torch.random.fork_rng():
        return {path.name: path.read_bytes() for path in sorted(make(Path(root)).iterdir())}


def write(folder: Path, *, make: Callable[[Path], Path]) -> None:
    for name, content in whole(make).items():
        (folder / name).write_bytes(content)


# --- damage ------------------------------------------------------------------------


def damage(folder: Path, draw: random.Random) -> str:
    """One to three faults, each in one file of the folder."""
    told = []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        files = sorted(path for path in folder.iterdir() if path.is_file())
        if not files:
            break
        path = draw.choice(files)
        kind = _weights if path.suffix == ".safetensors" else _json if path.suffix == ".json" else _bytes
        kind = draw.choices((kind, _bytes, _place), (7, 2, 1))[0]
        told.append(f"{path.name}: {kind(path, draw)}")
    return "; ".join(told)


def _bytes(path: Path, draw: random.Random) -> str:
    content, told = damaged(path.read_bytes(), draw)
    path.write_bytes(content)
    return told


def _place(path: Path, draw: random.Random) -> str:
    """Something else where a file is expected."""
    told = draw.choice(("missing", "folder", "loop", "nothing", "device", "pipe", "large", "renamed"))
    if told == "large":
        os.truncate(path, 30 * 2**20)
        return told
    if told == "renamed":
        path.rename(path.with_suffix(".bin"))
        return told
    path.unlink()
    make: dict[str, Callable[[], Any]] = {
        "missing": lambda: None,
        "folder": path.mkdir,
        "loop": lambda: path.symlink_to(path),
        "nothing": lambda: path.symlink_to("nowhere"),
        "device": lambda: path.symlink_to("/dev/zero"),
        "pipe": lambda: os.mkfifo(path),
    }
    make[told]()
    return told


def _json(path: Path, draw: random.Random) -> str:
    """A value of another type or size, a name that is missing, one that is put in; or no object at all."""
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return _bytes(path, draw)
    if draw.random() < 0.08 or not isinstance(values, dict):
        text = draw.choice(("[" * 100_000, "null", "[]", "{}", "1", '"x"', "{", '{"a": 1e999}', "NaN"))
        path.write_text(text)
        return text[:12]
    here = values
    while True:
        inner = [value for value in here.values() if isinstance(value, dict) and value]
        if not inner or draw.random() < 0.4:
            break
        here = draw.choice(inner)
    value, names = draw.choice(VALUES), [*here, "x"]
    what = draw.random()
    if what < 0.25:
        name = draw.choice(names)
        here.pop(name, None)
        told = f"without {name}"
    elif what < 0.4:
        name = draw.choice(NAMES)
        here[name], told = value, f"{name} = {value!r:.40}"
    else:
        name = draw.choice(names)
        if isinstance(here.get(name), list) and here[name] and draw.random() < 0.7:
            here[name][draw.randrange(len(here[name]))] = value
        else:
            here[name] = value
        told = f"{name} -> {value!r:.40}"
    path.write_text(json.dumps(values))
    return told


def _weights(path: Path, draw: random.Random) -> str:
    """Tensors that are not finite, missing, of another shape, name or type; or a header that lies."""
    content = path.read_bytes()
    try:
        tensors = load_file(path)
    except Exception:
        return _bytes(path, draw)
    if not tensors:
        return _bytes(path, draw)
    name, told = (
        draw.choice(sorted(tensors)),
        draw.choice(("number", "gone", "shape", "name", "type", "header")),
    )
    tensor = tensors[name].clone()
    if told == "number":
        value = draw.choice((float("nan"), float("inf"), -float("inf"), 1e38, 0.0))
        if not tensor.is_floating_point():
            return told
        tensor.view(-1)[draw.randrange(tensor.numel()) :] = value
        tensors[name], told = tensor, f"{name} from somewhere on {value}"
    elif told == "gone":
        del tensors[name]
    elif told == "shape":
        tensors[name] = draw.choice(
            (tensor.reshape(-1), tensor.reshape(-1)[:-1].contiguous(), tensor[None].contiguous())
        )
    elif told == "name":
        tensors[draw.choice((*sorted(tensors), "x"))] = tensor
    elif told == "type":
        kind = draw.choice(
            (torch.int8, torch.bool, torch.float16, torch.bfloat16, torch.float64, torch.complex64)
        )
        tensors[name] = tensor.to(kind)
    else:
        length = struct.unpack("<Q", content[:8])[0]
        head = json.loads(content[8 : 8 + length])
        entry = head[draw.choice(sorted(head))]
        key = draw.choice(sorted(entry))
        entry[key] = draw.choice((*VALUES, [2**40, 2**40], [0, 0], [0, 2**62], "F8_E4M3", "I64"))
        text = json.dumps(head).encode("utf-8")
        size = draw.choice((len(text), len(text), 0, 2**63, len(text) - 1))
        path.write_bytes(struct.pack("<Q", size) + text + content[8 + length :])
        return f"header, {key}"
    path.write_bytes(save({key: value.contiguous() for key, value in tensors.items()}))
    return told


# --- reading -----------------------------------------------------------------------


def read_encoder(folder: Path) -> np.ndarray:
    heard.of("tiny", folder)
    model = encoders.Encoder(encoders.look(folder))
    return np.concatenate([layer.ravel() for layer in model.layers(tiny_encoders.voice(0.3))])


def read_converted(folder: Path) -> np.ndarray:
    conversion.convert(folder)
    return read_encoder(folder)


def read_speaker(folder: Path) -> np.ndarray:
    return speaker_encoder(folder).extract(tiny_encoders.voice(0.5))


def read_acoustic(folder: Path) -> np.ndarray:
    model = acoustic_model.load(folder)
    model.describe()
    X = np.random.default_rng(0).standard_normal((1, 40, 5)).astype(np.float32)
    return np.asarray([len(text) for text in model.transcribe(X)])


def check(values: np.ndarray) -> None:
    assert len(values) and np.isfinite(values).all(), "what was read gives no finite numbers"


MADE: dict[str, tuple[Callable[[Path], Path], Callable[[Path], np.ndarray]]] = {
    **{
        name: (functools.partial(_encoder, name), read_encoder)
        for name in ("whisper", "wav2vec2", "wavlm", "hubert", "w2v-bert", "emotion2vec")
    },
    "emotion2vec to be converted": (_published, read_converted),
    "xls-r in parts": (functools.partial(_encoder, "xls-r", parts=True), read_encoder),
    "speaker encoder": (_speaker, read_speaker),
    "acoustic model": (_acoustic, read_acoustic),
}

TARGETS: tuple[Target, ...] = tuple(
    Target(
        name=f"models: {name}",
        write=functools.partial(write, make=make),
        damage=damage,
        read=read,
        check=check,
    )
    for name, (make, read) in MADE.items()
)
