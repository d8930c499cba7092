"""Own recordings: files of one folder, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import audio, data
from serlab.errors import AudioError, ParameterError
from serlab.files import whole

#: What an own recording is called as a corpus.
OWN = "own"


@dataclass(frozen=True)
class Recordings:
    """Recordings of a folder.

    Attributes
    ----------
    folder : Path
        Made with the first recording.
    """

    folder: Path

    @property
    def paths(self) -> list[Path]:
        """Files, by name."""
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if path.suffix.lower() in audio.SUFFIXES]
        return sorted(found, key=lambda path: (len(path.stem), path.stem))

    def utterances(self) -> pd.DataFrame:
        """An utterance table of what can be used; empty without a recording.

        Returns
        -------
        DataFrame
            Index ``own/<file>``; corpus ``own``, one speaker, no emotion.
        """
        rows = []
        for path in self.paths:
            try:
                loaded = audio.load(path)
            except AudioError:
                continue
            seconds = len(loaded.samples) / loaded.sample_rate
            rows.append(
                {"utterance": f"{OWN}/{path.name}", "corpus": OWN, "path": str(path), "speaker": f"{OWN}/me",
                 "duration": seconds}
            )  # fmt: skip
        if not rows:
            return pd.DataFrame(columns=list(data.COLUMNS)).rename_axis("utterance")
        return data.utterances(rows)

    def keep(self, samples: np.ndarray, rate: int, name: str = "phrase") -> Path:
        """Write a recording as 16-bit WAV.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            Full scale 1; what is louder is cut off there.
        rate : int
            Hz.
        name : str
            Begins the name of the file; a number follows.

        Raises
        ------
        AudioError
            If it is too short, or nothing but silence; nothing is kept then.
        ParameterError
            If the folder cannot be written to.
        """
        import soundfile

        path = self._free(name, ".wav")
        try:
            with whole(path) as unfinished:
                clipped = np.clip(samples, -1, 32767 / 32768)
                soundfile.write(unfinished, clipped, rate, subtype="PCM_16", format="WAV")
                _check(unfinished, path.name)
        except OSError as error:
            raise self._unwritable(error) from None
        return path

    def take(self, name: str, content: bytes) -> Path:
        """Keep a file that was chosen.

        Raises
        ------
        AudioError
            If it is no audio that can be read; nothing is kept then.
        ParameterError
            If the folder cannot be written to.
        """
        stem, suffix = Path(name).stem, Path(name).suffix.lower()
        if suffix not in audio.SUFFIXES:
            raise AudioError(f"{name}: choose an audio file ({', '.join(sorted(audio.SUFFIXES))})")
        path = self._free(re.sub(r"[^\w-]+", "-", stem)[:40].strip("-") or "file", suffix)
        try:
            with whole(path) as unfinished:
                unfinished.write_bytes(content)
                _check(unfinished, name)
        except OSError as error:
            raise self._unwritable(error) from None
        return path

    def remove(self, path: Path) -> None:
        """Delete a recording of this folder."""
        if path in self.paths:
            path.unlink(missing_ok=True)

    def _free(self, name: str, suffix: str) -> Path:
        number = 1
        while (path := self.folder / f"{name}-{number}{suffix}").exists():
            number += 1
        return path

    def _unwritable(self, error: OSError) -> ParameterError:
        return ParameterError(f"recordings cannot be kept in {self.folder}: {error.strerror}")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": f"{len(self.paths)} recordings in {self.folder.name}"}


def _check(path: Path, name: str) -> None:
    try:
        audio.load(path)
    except AudioError as error:
        raise AudioError(str(error).replace(str(path), name), error.problem) from None
