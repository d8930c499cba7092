"""Emozionalmente as its archive unpacks, and a split in a form of our own."""

from __future__ import annotations

from pathlib import Path

from serlab.corpora import emozionalmente
from tests.corpora.trees.sounds import write


def tree(folder: Path, *, suffix: str = ".wav", every: int = 1, distinct: bool = False) -> None:
    """audio/1613000000000.wav, metadata/samples.csv, users.csv, split_train.csv ..."""
    labels = [label for label, n in emozionalmente.EXPECTED.items() for _ in range(n)]
    samples, users = ["file_name,actor,emotion_expressed,sentence"], ["username,gender,age,mother_tongue"]
    splits: dict[str, list[str]] = {part: ["file_name"] for part in ("train", "dev", "test")}
    names = [f"{1_613_000_000_000 + 7 * k}" for k in range(len(labels))]
    for k, (name, label) in enumerate(zip(names, labels, strict=True)):
        actor = k % emozionalmente.N_SPEAKERS
        samples.append(f"{name}.wav,actor{actor},{label},Frase numero {k % emozionalmente.N_SENTENCES}")
        splits["train" if actor < 300 else "dev" if actor < 360 else "test"].append(f"{name}.wav")
    genders = ("f", "m", "other")
    users += [f"actor{k},{genders[k % 3]},{20 + k % 50},it" for k in range(emozionalmente.N_SPEAKERS)]
    metadata = folder / "metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "samples.csv").write_text("\n".join(samples) + "\n")
    (metadata / "users.csv").write_text("\n".join(users) + "\n")
    for part, lines in splits.items():
        (metadata / f"split_{part}.csv").write_text("\n".join(lines) + "\n")
    write((folder / "audio" / name for name in names), suffix, every, distinct=distinct)
