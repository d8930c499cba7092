"""A network that learned to recognise speech, with all that it needs to be used: one folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch

from serlab import files, samples
from serlab.asr import ivectors
from serlab.asr.error_rates import best_path, greedy
from serlab.asr.graphs import Graph, NGram, Topology, denominator
from serlab.asr.units import Units
from serlab.errors import ParameterError
from serlab.models.corpus_norm import take_statistics
from serlab.models.tdnn import TDNN, TDNNLayer
from serlab.pretrained import documents
from serlab.training import PLAIN, Fitting, predict, seeded
from serlab.training.checkpoints import content

FORMAT = "serlab acoustic model 1"
_CONFIG, _WEIGHTS, _UNITS = "config.json", "model.safetensors", "units.json"
_IVECTORS, _NGRAM = "ivectors.npz", "ngram.npz"
_BATCH = 32  # utterances that are transcribed at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class AcousticModel:
    """A TDNN that was trained on transcribed speech.

    Attributes
    ----------
    tdnn : TDNN
    ivectors : IVectorExtractor or None
    units : Units
        Of the transcripts.
    loss : {"ctc", "lf-mmi"}
    centre, scale : ndarray of float32, shape (d,)
        Mean and deviation of each input over all frames of training: one
        constant for all speech, no normalisation of an utterance or speaker.
    ngram : NGram or None
        Of the units, for the denominator of LF-MMI.
    settings : mapping
        How it was trained (JSON values); "ivector_window": frames, or None
        for one i-vector an utterance.
    provenance : mapping
        Where it comes from (JSON values): corpora, hashes of the training
        utterances' audio, error rates, versions.
    """

    tdnn: TDNN
    ivectors: ivectors.IVectorExtractor | None
    units: Units
    loss: Literal["ctc", "lf-mmi"]
    centre: np.ndarray
    scale: np.ndarray
    ngram: NGram | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """What the network sees.

        Parameters
        ----------
        X : ndarray, shape (n, t, 40)
            Feature set "mfcc40", NaN after the end of an utterance.

        Returns
        -------
        ndarray of float32, shape (n, t, 40 + rank)
            With the i-vector beside each frame, standardised by ``centre`` and ``scale``.

        Raises
        ------
        ParameterError
            If the features are of another number.
        """
        appended = with_ivectors(X, self.ivectors, window=self.settings.get("ivector_window"))
        if appended.shape[2] != len(self.centre):
            raise ParameterError(
                f"{X.shape[2]} features a frame make {appended.shape[2]} inputs, the acoustic model takes "
                f"{len(self.centre)}; extract the feature set 'mfcc40'"
            )
        return ((appended - self.centre) / self.scale).astype(np.float32, copy=False)

    def untrained(self, seed: int, X: np.ndarray | None = None) -> AcousticModel:
        """The control: the same inputs and architecture, with fresh weights.

        Parameters
        ----------
        seed : int
        X : ndarray, shape (n, t, 40), optional
            Speech by which batch normalisation takes its statistics, so that
            fresh weights that stay frozen give features of a common size; no
            label is used.
        """
        with seeded(seed):
            tdnn = TDNN(
                self.tdnn.n_features,
                self.tdnn.n_outputs,
                layers=self.tdnn.specs,
                prefinal=self.tdnn.widths[-1],
            )
        if X is not None:
            take_statistics(tdnn, torch.from_numpy(self.inputs(X)))
        return replace(
            self, tdnn=tdnn.eval(), provenance={"untrained": True, "seed": seed, "control of": self.digest}
        )

    def transcribe(self, X: np.ndarray, *, fitting: Fitting = PLAIN) -> list[str]:
        """What is said: the best path through CTC's outputs, or through the denominator graph of LF-MMI.

        Parameters
        ----------
        X : ndarray, shape (n, t, 40)
            Feature set "mfcc40", NaN after the end of an utterance.
        """
        inputs = self.inputs(X)
        n_steps = self.tdnn.n_frames(torch.from_numpy(samples.frames(inputs).sum(axis=1)))
        texts: list[str] = []
        for start in range(0, len(inputs), _BATCH):
            rows = slice(start, start + _BATCH)
            scores = torch.from_numpy(predict(self.tdnn, inputs[rows], batch_size=_BATCH, fitting=fitting))
            if self.loss == "ctc":
                found = greedy(scores, n_steps[rows])
            else:
                found = best_path(scores, n_steps[rows], self.denominator)
            texts += map(self.units.decode, found)
        return texts

    @cached_property
    def denominator(self) -> Graph:
        """Graph of all sequences of units, weighed by the n-gram."""
        return denominator(self.ngram, Topology(len(self.units)))

    def describe(self) -> dict[str, Any]:
        """What a reader wants to know of it first."""
        return {
            "layers": len(self.tdnn.specs),
            "parameters": self.tdnn.n_parameters,
            "receptive field (frames of 10 ms)": self.tdnn.receptive_field(),
            "i-vectors": f"rank {self.ivectors.rank}" if self.ivectors else "none",
            "units": len(self.units),
            "loss": self.loss,
            **{
                name: value
                for name, value in self.provenance.items()
                if isinstance(value, str | int | float | bool)
            },
        }

    @property
    def digest(self) -> str:
        """Short hash of all that decides what the layers compute."""
        arrays = [self.centre, self.scale]
        if self.ivectors is not None:
            ubm = self.ivectors.ubm
            arrays += [ubm.weights, ubm.means, ubm.variances, self.ivectors.means, self.ivectors.factors]
            arrays.append(np.array(self.ivectors.frame_weight))
        tensors = [*self.tdnn.state_dict().values(), *map(torch.as_tensor, arrays)]
        identity = [_architecture(self.tdnn), self.settings.get("ivector_window"), content(tensors)]
        return hashlib.blake2b(json.dumps(identity).encode(), digest_size=8).hexdigest()

    def save(self, folder: Path | str) -> None:
        """Write a folder of JSON, safetensors and npz files; it appears whole or not at all.

        An acoustic model that is there already is replaced.

        Raises
        ------
        ParameterError
            If ``folder`` holds anything else.
        """
        from safetensors.torch import save_file

        folder = Path(folder).absolute()
        refuse_foreign(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".partial", dir=folder.parent))
        try:
            unfinished.chmod(0o755)  # mkdtemp makes it private
            weights = {f"tdnn.{name}": value.contiguous() for name, value in self.tdnn.state_dict().items()}
            weights |= {"centre": torch.from_numpy(self.centre), "scale": torch.from_numpy(self.scale)}
            save_file(weights, unfinished / _WEIGHTS)
            (unfinished / _UNITS).write_text(self.units.to_json(), encoding="utf-8")
            if self.ivectors is not None:
                self.ivectors.save(unfinished / _IVECTORS)
            if self.ngram is not None:
                self.ngram.save(unfinished / _NGRAM)
            config = {
                "format": FORMAT,
                "tdnn": {"n_features": self.tdnn.n_features, "n_outputs": self.tdnn.n_outputs}
                | _architecture(self.tdnn),
                "loss": self.loss,
                "settings": dict(self.settings),
                "provenance": dict(self.provenance),
                "files": {path.name: files.sha256(path) for path in sorted(unfinished.iterdir())},
            }
            (unfinished / _CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")
            if folder.exists():
                os.replace(folder, unfinished / "old")
            os.replace(unfinished, folder)
            shutil.rmtree(folder / "old", ignore_errors=True)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def error_table(model: AcousticModel) -> pd.DataFrame:
    """Word and character error rates of the held-out speakers, and of always giving the commonest answer."""
    made = model.provenance
    rows = {
        **made["error_rates_by_speaker"],
        "all held-out speakers": made["error_rates"],
        "commonest answer": made["error_rates_of_commonest_answer"],
    }
    return pd.DataFrame.from_dict(rows, orient="index").round(3)


def with_ivectors(
    X: np.ndarray, extractor: ivectors.IVectorExtractor | None, *, window: int | None
) -> np.ndarray:
    """Frames (n, t, d) with the i-vector of their utterance, or window of frames, behind the features."""
    return X if extractor is None else extractor.append(X, window=window)


def load(folder: Path | str) -> AcousticModel:
    """Read what :meth:`AcousticModel.save` wrote; only JSON and arrays are read, nothing is executed.

    Raises
    ------
    ParameterError
        If the folder is missing, holds another kind of model, or a file of it
        is missing or changed.
    """
    from safetensors.torch import load_file

    folder = Path(folder)
    config = _config(folder)
    wrong = [name for name in ("settings", "provenance") if not isinstance(config.get(name), dict)]
    if wrong:
        raise ParameterError(
            f"{folder / _CONFIG}: {' and '.join(wrong)} hold no names; copy the folder again"
        )
    listed = config.get("files")
    if not isinstance(listed, dict) or not {_WEIGHTS, _UNITS} <= listed.keys():
        raise ParameterError(f"{folder / _CONFIG} names no files; copy the whole folder again")
    for name, expected in listed.items():
        path = folder / name
        if not path.is_file():
            raise ParameterError(f"{folder}: {name} is missing; copy the whole folder again")
        if files.sha256(path) != expected:
            raise ParameterError(
                f"{path} is not the file that was saved: it is damaged, or of another model; "
                "copy the whole folder again"
            )
    try:
        shape = config["tdnn"]
        tdnn = TDNN(
            shape["n_features"],
            shape["n_outputs"],
            layers=[TDNNLayer(**layer) for layer in shape["layers"]],
            prefinal=shape["prefinal"],
        )
        weights = load_file(folder / _WEIGHTS)
        if not all(value.isfinite().all() for value in weights.values()):
            raise ValueError("weights that are not finite")
        centre, scale = (weights.pop(name).numpy() for name in ("centre", "scale"))
        loss = config["loss"]
        if loss not in ("ctc", "lf-mmi") or (loss == "lf-mmi" and _NGRAM not in listed):
            raise ValueError(f"loss {loss!r}, with the files {', '.join(listed)}")
        tdnn.load_state_dict({name.removeprefix("tdnn."): value for name, value in weights.items()})
        return AcousticModel(
            tdnn=tdnn.eval(),
            ivectors=ivectors.load(folder / _IVECTORS) if _IVECTORS in config["files"] else None,
            ngram=NGram.load(folder / _NGRAM) if _NGRAM in config["files"] else None,
            units=Units.from_json((folder / _UNITS).read_text(encoding="utf-8")),
            loss=loss,
            centre=centre,
            scale=scale,
            settings=config["settings"],
            provenance=config["provenance"],
        )
    except Exception as error:  # whatever a changed configuration makes of networks and tables
        raise ParameterError(
            f"{folder} is damaged or of another version of serlab ({error}); pretrain again"
        ) from error


def _architecture(tdnn: TDNN) -> dict[str, Any]:
    return {"layers": [asdict(layer) for layer in tdnn.specs], "prefinal": tdnn.widths[-1]}


def _config(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    if not path.is_file():
        raise ParameterError(
            f"{folder} is no acoustic model: there is no {_CONFIG}; make one with `serlab pretrain`"
        )
    config = documents.read(path)
    found = config.get("format", config.get("model_type"))
    if found != FORMAT:
        raise ParameterError(
            f"{folder} is not an acoustic model of serlab (it says {found!r}, not {FORMAT!r}); "
            "a pretrained encoder is used through serlab.pretrained.encoders"
        )
    return config


def refuse_foreign(folder: Path) -> None:
    """Refuse to replace anything that is not an acoustic model.

    Raises
    ------
    ParameterError
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        try:
            _config(folder)
        except ParameterError as error:
            raise ParameterError(f"{error}; choose an empty or a new folder to save to") from error
