"""A corpus that was sent is read as it is read here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from serlab import corpora, data
from serlab.errors import CorpusError
from serlab.experiment import sending


def test_what_arrives_has_the_fingerprint_of_what_was_sent(small_corpora, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sending, "PART", 50_000)
    name = sorted(path.name for path in Path(small_corpora).iterdir())[0]
    (tmp_path / "here").mkdir()
    here = Path(shutil.copytree(Path(small_corpora) / name, tmp_path / "here" / name)).parent
    (here / name / "sent.zip").write_bytes(b"an archive")
    parcel = sending.parcel(name, data=str(here))
    parts = list(parcel.parts())
    assert len(parts) > 1 and sum(len(content) for part in parts for content in part.values()) == parcel.size
    there = tmp_path / "there"
    assert not sending.is_there(there, name, parcel.digest)
    for part in parts[:-1]:
        sending.unpack(there, name, part)
    assert not sending.is_there(there, name, parcel.digest)  # a part of it counts as nothing
    for part in parts:
        sending.unpack(there, name, part)
    sending.note_whole(there, name, parcel.digest)
    assert sending.is_there(there, name, parcel.digest) and not (there / name / "sent.zip").exists()
    one, other = (data.fingerprint(corpora.read_many([name], root)) for root in (here, there))
    assert one == other
    (here / name / "corpus.csv").touch()
    assert sending.parcel(name, data=str(here)).digest != parcel.digest
    assert not sending.is_there(there, name, "another state") and not (there / name).exists()


def test_what_lies_elsewhere_is_refused(small_corpora, tmp_path) -> None:
    name = sorted(path.name for path in Path(small_corpora).iterdir())[0]
    table = corpora.read_many([name], small_corpora)
    own = tmp_path / "own"
    own.mkdir()
    rows = [f"{path},a,anger" for path in table["path"][:3]]
    (own / "corpus.csv").write_text("\n".join(["path,speaker,label", *rows]), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"is no file in .*; put its recordings there"):
        sending.parcel("own", data=str(tmp_path))
    assert sending.parcel("synthetic-a") is None  # made by whoever needs it


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../../b", "..\\a"])
def test_nothing_is_written_outside_the_folder(tmp_path, name: str) -> None:
    with pytest.raises(CorpusError, match="not its own"):
        sending.unpack(tmp_path, "own", {name: b""})
