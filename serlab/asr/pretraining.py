"""Training a TDNN to recognise speech, for what it learns on the way (Zhou & Beigi, section 3.3).

>>> transcribed = transcripts.of_corpus(utterances)  # doctest: +SKIP
>>> model = pretrain(transcribed, architecture="quick", epochs=20)  # doctest: +SKIP
>>> model.save("models/ravdess-tdnn")  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from serlab import features, provenance
from serlab.asr import ivectors as speaker_vectors
from serlab.asr import speech as reading
from serlab.asr.acoustic_model import AcousticModel, with_ivectors
from serlab.asr.ctc import ctc, frames_needed
from serlab.asr.error_rates import error_rates
from serlab.asr.graphs import Topology, estimate_ngram, numerator
from serlab.asr.lfmmi import lf_mmi
from serlab.asr.speech import Speech
from serlab.asr.transcripts import FEW_TEXTS, n_texts
from serlab.asr.units import Units, characters, normalize
from serlab.errors import Cancelled, ParameterError, ProtocolError, TrainingError
from serlab.models.tdnn import TDNN, Architecture
from serlab.models.tdnn import architecture as layers_of
from serlab.progress import Progress
from serlab.training import Fitting, seeded
from serlab.training.checkpoints import Checkpoint
from serlab.training.checkpoints import architecture as structure
from serlab.training.devices import explained_memory, resolve_device

#: Share of the steps in which the learning rate rises; then it falls, both linearly.
WARM_UP = 0.1
#: Greatest norm of the gradient.
CLIP = 5.0

#: Outputs of a batch, steps of its utterances and their names -> loss, shape (B,).
Criterion = Callable[[Tensor, Tensor, Sequence[str]], Tensor]


def pretrain(
    transcribed: pd.DataFrame,
    *,
    architecture: str | Architecture = "quick",
    loss: Literal["ctc", "lf-mmi"] = "ctc",
    units: Literal["characters"] | Units = "characters",
    ivectors: bool = True,
    n_components: int = 64,
    rank: int = 100,
    ivector_window: int | None = None,
    ngram_order: int = 2,
    epochs: int = 20,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    held_out_speakers: int | Sequence[str] | None = None,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
    cache: Path | str | None = None,
    checkpoints: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> AcousticModel:
    """Train on transcribed speech, and measure how wrong it recognises that of other speakers.

    Parameters
    ----------
    transcribed : DataFrame
        See :mod:`serlab.asr.transcripts`.
    architecture : str or Architecture
        See :data:`serlab.models.tdnn.ARCHITECTURES`.
    loss : {"ctc", "lf-mmi"}
        The paper's is LF-MMI.
    units : "characters" or Units
        The characters of the transcripts, or given units such as phones.
    ivectors : bool
        Whether an i-vector stands beside each frame. Its extractor is trained
        on the same speech (a sample of 14 hours at most), without held-out speakers.
    n_components, rank : int
        Of the i-vectors.
    ivector_window : int, optional
        Frames that share an i-vector; default: those of the utterance.
    ngram_order : int
        Of the units in the denominator of LF-MMI.
    epochs, batch_size : int
    learning_rate : float
        The highest, of Adam.
    held_out_speakers : int or sequence of str, optional
        How many (drawn by the seed), or which. Default: a sixth.
    seed : int
    device : {"cpu", "cuda", "auto"}
    cache : path, optional
        Of features.
    checkpoints : path, optional
        Folder in which the state is kept after each epoch, and found again after a kill.
    progress : callable, optional
        ``progress(done, total, text)``.
    cancel : threading.Event, optional

    Returns
    -------
    AcousticModel
        With the held-out speakers' error rates in ``provenance``, beside those
        of always answering the commonest transcript. "scope" says so where it
        is a mechanism demo: few texts, and the held-out ones among them.

    Raises
    ------
    ParameterError
        If an option is none of the choices.
    ProtocolError
        If there are not enough speakers to hold some out.
    CorpusError
        If a transcript is empty or has characters outside the units.
    TrainingError
        If audio is too short for its transcripts, or the loss is no number any more.
    Cancelled
        If ``cancel`` was set; the last checkpoint is kept.
    """
    preset = layers_of(architecture)
    if loss not in ("ctc", "lf-mmi"):
        raise ParameterError(f"unknown loss {loss!r}; known: ctc, lf-mmi")
    if epochs < 1 or batch_size < 2:
        raise ParameterError(f"epochs is {epochs}, batch_size {batch_size}; choose at least 1 and 2")
    fitting = Fitting(device=resolve_device(device), progress=progress, cancel=cancel)
    held_out = _held_out(transcribed["speaker"], held_out_speakers, seed=seed)
    inventory = characters(transcribed["text"]) if units == "characters" else units
    targets = inventory.encode_all(transcribed["text"]).targets
    speech = reading.read(transcribed, cache=cache, progress=progress, cancel=cancel)

    n_outputs = len(inventory) + 1 if loss == "ctc" else Topology(len(inventory)).n_pdfs
    n_inputs = features.get(reading.FEATURES).n_features + (rank if ivectors else 0)
    with seeded(seed):
        tdnn = TDNN(n_inputs, n_outputs, layers=preset.layers, prefinal=preset.prefinal)
    training, testing, too_short = _divided(speech, targets, held_out, tdnn=tdnn, loss=loss)
    settings = {
        "architecture": architecture if isinstance(architecture, str) else asdict(preset),
        "features": reading.FEATURES,
        "n_components": n_components if ivectors else None,
        "rank": rank if ivectors else None,
        "ivector_window": ivector_window,
        "ngram_order": ngram_order if loss == "lf-mmi" else None,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    identity = [settings, loss, inventory.to_json(), held_out, targets, speech.audio_hash.to_dict()]
    digest = hashlib.blake2b(json.dumps(identity).encode(), digest_size=8).hexdigest()
    folder = None if checkpoints is None else Path(checkpoints)

    sample = speech.sample(training, seed=seed)
    extractor = None
    if ivectors:
        saved = None if folder is None else folder / f"ivectors-{digest}.npz"
        extractor = _extractor(
            sample, saved, n_components=n_components, rank=rank, seed=seed, progress=progress, cancel=cancel
        )
    centre, scale = _standard(sample, extractor, window=ivector_window)
    model = AcousticModel(
        tdnn=tdnn,
        ivectors=extractor,
        units=inventory,
        loss=loss,
        centre=centre,
        scale=scale,
        ngram=None if loss == "ctc" else _ngram(targets, training, inventory, order=ngram_order),
        settings=settings,
    )
    checkpoint = None
    if folder is not None:
        path = folder / "pretraining.pt"
        checkpoint = Checkpoint(path=path, architecture=structure(tdnn), training=digest)
    with explained_memory(f"batch_size ({batch_size}), or the length of utterances"):
        history = _train(model, speech, training, testing, _criterion(model, targets), checkpoint, fitting)
        errors = _errors(model, speech, training, testing, fitting)
    tdnn.to("cpu").eval()
    origin = {
        **_origin(transcribed, speech, training, testing),
        **errors,
        "left_out": {**transcribed.attrs.get("left_out", {}), "too short for the transcript": too_short},
        "history": history,
        "made_with": provenance.describe(code=provenance.package_digest()[:10], corpora=digest),
    }
    return replace(model, provenance=origin)


def _held_out(speakers: pd.Series, wanted: int | Sequence[str] | None, *, seed: int) -> list[str]:
    known = sorted(speakers.unique())
    if wanted is None:
        wanted = max(1, round(len(known) / 6))
    if isinstance(wanted, int):
        if not 1 <= wanted < len(known):
            raise ProtocolError(
                f"{wanted} speakers cannot be held out of {len(known)}; error rates need other speakers: "
                "give speech of several (folders, or a column speaker in transcripts.csv, say whose it is)"
            )
        return sorted(np.random.default_rng(seed).permutation(known)[:wanted].tolist())
    unknown = sorted({*wanted} - {*known})
    if unknown or not wanted or {*wanted} == {*known}:
        raise ProtocolError(
            f"held_out_speakers {unknown or list(wanted)}: choose some, but not all, of "
            f"{', '.join(known[:5])}{', ...' if len(known) > 5 else ''}"
        )
    return sorted(wanted)


def _divided(
    speech: Speech, targets: Mapping[str, Sequence[int]], held_out: Sequence[str], *, tdnn: TDNN, loss: str
) -> tuple[list[str], list[str], int]:
    """Utterances to train on, held-out ones, and how many are too short for their transcripts."""
    needed = frames_needed if loss == "ctc" else len
    names = speech.n_frames.index
    enough = [name for name in names if tdnn.n_frames(int(speech.n_frames[name])) >= needed(targets[name])]
    outside = speech.table.loc[enough, "speaker"].isin(held_out)
    training, testing = outside.index[~outside].tolist(), outside.index[outside].tolist()
    if len(training) < 2 or not testing:
        raise TrainingError(
            f"{len(training)} utterances to train on and {len(testing)} held out are long enough for their "
            f"transcripts, {len(names) - len(enough)} are not; check that audio and text belong together, "
            "or choose an architecture that subsamples time less"
        )
    return training, testing, len(names) - len(enough)


def _extractor(
    sample: Sequence[np.ndarray], saved: Path | None, **options: Any
) -> speaker_vectors.IVectorExtractor:
    if saved is not None and saved.is_file():
        return speaker_vectors.load(saved)
    extractor = speaker_vectors.train(sample, **options)
    if saved is not None:
        saved.parent.mkdir(parents=True, exist_ok=True)
        extractor.save(saved)
    return extractor


def _standard(
    sample: Sequence[np.ndarray], extractor: speaker_vectors.IVectorExtractor | None, *, window: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each input over all frames; 1 for what never changes."""
    n, total, squares = 0, 0.0, 0.0
    for sequence in sample:
        values = with_ivectors(sequence[None], extractor, window=window)[0].astype(np.float64)
        n, total, squares = n + len(values), total + values.sum(axis=0), squares + (values**2).sum(axis=0)
    centre = total / n
    scale = np.sqrt(np.maximum(squares / n - centre**2, 0))
    return centre.astype(np.float32), np.where(scale > 1e-8, scale, 1.0).astype(np.float32)


def _ngram(targets: Mapping[str, Sequence[int]], training: Sequence[str], units: Units, *, order: int):
    return estimate_ngram(
        [targets[name] for name in training], n_units=len(units), order=order, silence=units.separator
    )


def _criterion(model: AcousticModel, targets: Mapping[str, tuple[int, ...]]) -> Criterion:
    """Loss of each utterance: of CTC per unit, of LF-MMI per step."""
    if model.loss == "ctc":

        def of_ctc(scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
            wanted = [targets[name] for name in names]
            n_units = torch.tensor([len(target) for target in wanted], device=scores.device)
            return ctc(scores, n_steps, wanted) / n_units

        return of_ctc

    @lru_cache(maxsize=1024)
    def graph(target: tuple[int, ...]):
        return numerator(target, model.ngram, Topology(len(model.units)))

    def of_lf_mmi(scores: Tensor, n_steps: Tensor, names: Sequence[str]) -> Tensor:
        graphs = [graph(targets[name]) for name in names]
        return lf_mmi(scores, n_steps, graphs, model.denominator) / n_steps.to(scores.device)

    return of_lf_mmi


def _train(
    model: AcousticModel,
    speech: Speech,
    training: Sequence[str],
    testing: Sequence[str],
    criterion: Criterion,
    checkpoint: Checkpoint | None,
    fitting: Fitting,
) -> list[dict[str, float]]:
    """Train the network in place; the loss of each epoch."""
    settings, tdnn = model.settings, model.tdnn.to(fitting.device)
    epochs, batch_size = settings["epochs"], settings["batch_size"]
    optimizer = torch.optim.Adam(tdnn.parameters(), lr=settings["learning_rate"])
    generator = torch.Generator().manual_seed(settings["seed"])
    history: list[dict[str, float]] = []
    if checkpoint is not None and (state := checkpoint.read()) is not None:
        tdnn.load_state_dict(state["tdnn"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"])
        history = state["history"]
    n_batches = max(1, len(training) // batch_size)
    for epoch in range(len(history), epochs):
        tdnn.train()
        order = [training[row] for row in torch.randperm(len(training), generator=generator).tolist()]
        losses = []
        for number, (names, X) in enumerate(speech.batches(order, batch_size)):
            if fitting.cancel is not None and fitting.cancel.is_set():
                raise Cancelled(f"pretraining cancelled in epoch {epoch + 1}; the last checkpoint is kept")
            done = (epoch + number / n_batches) / epochs
            for group in optimizer.param_groups:
                group["lr"] = _rate(done, highest=settings["learning_rate"])
            loss = _losses(model, X, names, criterion, fitting).mean()
            if not math.isfinite(loss.item()):
                raise TrainingError(
                    f"the loss became {loss.item()} in epoch {epoch + 1}, at {names[0]} and the others of "
                    f"its batch; lower the learning rate ({settings['learning_rate']:g})"
                )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(tdnn.parameters(), CLIP)
            optimizer.step()
            losses += [loss.item()] * len(names)
        row = {
            "epoch": epoch + 1,
            "loss": float(np.mean(losses)),
            "held_out_loss": _mean_loss(model, speech, testing, criterion, fitting),
        }
        history.append(row)
        if checkpoint is not None:
            checkpoint.write(
                {
                    "tdnn": tdnn.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "generator": generator.get_state(),
                    "history": history,
                }
            )
        if fitting.progress is not None:
            text = f"epoch {epoch + 1}: loss {row['loss']:.3f}, held out {row['held_out_loss']:.3f}"
            fitting.progress(epoch + 1, epochs, text)
    tdnn.eval()
    return history


def _rate(done: float, *, highest: float) -> float:
    """Learning rate when a share of the steps is done: up from a hundredth, down to a hundredth."""
    return highest * max(0.01, min(done / WARM_UP, (1 - done) / (1 - WARM_UP)))


def _losses(
    model: AcousticModel, X: np.ndarray, names: Sequence[str], criterion: Criterion, fitting: Fitting
) -> Tensor:
    inputs = torch.from_numpy(model.inputs(X))
    n_steps = model.tdnn.n_frames((~inputs[:, :, 0].isnan()).sum(dim=1))
    return criterion(model.tdnn(inputs.to(fitting.device)), n_steps, names)


@torch.no_grad()
def _mean_loss(
    model: AcousticModel, speech: Speech, names: Sequence[str], criterion: Criterion, fitting: Fitting
) -> float:
    model.tdnn.eval()
    parts = [
        _losses(model, X, batch, criterion, fitting)
        for batch, X in speech.batches(names, model.settings["batch_size"])
    ]
    return float(torch.cat(parts).mean())


def _errors(
    model: AcousticModel, speech: Speech, training: Sequence[str], testing: Sequence[str], fitting: Fitting
) -> dict[str, Any]:
    """Error rates of the held-out speakers, together and each; and of the commonest answer."""
    heard: dict[str, str] = {}
    quiet = replace(fitting, progress=None)
    for names, X in speech.batches(testing, 64):
        heard |= dict(zip(names, model.transcribe(X, fitting=quiet), strict=True))
    said = speech.table["text"].map(normalize)
    commonest = said[training].mode()[0]
    by_speaker = speech.table.loc[testing].groupby("speaker").groups

    def of(names: Sequence[str]) -> dict[str, float]:
        return asdict(error_rates(said[names].tolist(), [heard[name] for name in names]))

    return {
        "error_rates": of(testing),
        "error_rates_by_speaker": {speaker: of(list(names)) for speaker, names in by_speaker.items()},
        "error_rates_of_commonest_answer": asdict(
            error_rates(said[testing].tolist(), [commonest] * len(testing))
        ),
    }


def _origin(
    transcribed: pd.DataFrame, speech: Speech, training: Sequence[str], testing: Sequence[str]
) -> dict[str, Any]:
    table = transcribed.loc[list(training)]
    texts = n_texts(transcribed)
    known = {*table["text"].map(normalize)}
    seen = float(transcribed.loc[list(testing), "text"].map(normalize).isin(known).mean())
    scope = "speech recognition"
    if texts < FEW_TEXTS:
        scope = f"mechanism demo: {texts} different texts, learned by heart; no recogniser of other speech"
    return {
        "scope": scope,
        "corpora": sorted(transcribed["corpus"].unique().tolist()),
        "languages": sorted({language for language in transcribed["language"] if language}),
        "training_utterances": len(training),
        "training_hours": round(float(speech.n_frames[list(training)].sum()) / 360_000, 3),
        "training_speakers": sorted(table["speaker"].unique().tolist()),
        "training_audio": sorted(speech.audio_hash[list(training)].tolist()),
        "held_out_speakers": sorted(transcribed.loc[list(testing), "speaker"].unique().tolist()),
        "held_out_utterances": len(testing),
        "held_out_texts_seen_in_training": seen,
        "different_texts": texts,
        "skipped_files": len(speech.skipped),
    }
