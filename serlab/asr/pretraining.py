"""Training a TDNN to recognise speech, for what it learns on the way (Zhou & Beigi, section 3.3).

>>> transcribed = transcripts.of_corpus(utterances)  # doctest: +SKIP
>>> model = pretrain(transcribed, architecture="quick", epochs=20)  # doctest: +SKIP
>>> model.save("models/ravdess-tdnn")  # doctest: +SKIP
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from serlab import features, provenance
from serlab.asr import ivectors as speaker_vectors
from serlab.asr import origin, perturbation
from serlab.asr import speech as reading
from serlab.asr.acoustic_model import AcousticModel, with_ivectors
from serlab.asr.criteria import branch_criterion, criterion
from serlab.asr.ctc import frames_needed
from serlab.asr.graphs import Topology, estimate_ngram
from serlab.asr.learning import Lesson, learn
from serlab.asr.settings import PRESETS, Pretraining
from serlab.asr.speech import Speech
from serlab.asr.units import Units, characters
from serlab.errors import ProtocolError, TrainingError
from serlab.models.tdnn import TDNN, Architecture, subsampled
from serlab.models.tdnn import architecture as layers_of
from serlab.progress import Progress
from serlab.training import Fitting, seeded
from serlab.training.checkpoints import Checkpoint
from serlab.training.checkpoints import architecture as structure
from serlab.training.devices import explained_memory, resolve_device


def pretrain(
    transcribed: pd.DataFrame,
    *,
    settings: Pretraining = PRESETS["quick"],
    units: Literal["characters"] | Units = "characters",
    held_out_speakers: int | Sequence[str] | None = None,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
    cache: Path | str | None = None,
    checkpoints: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
    **changed: Any,
) -> AcousticModel:
    """Train on transcribed speech, and measure how wrong it recognises that of other speakers.

    Parameters
    ----------
    transcribed : DataFrame
        See :mod:`serlab.asr.transcripts`.
    settings : Pretraining
        The extractor of i-vectors is trained on the same speech (a sample of 14 hours at most), without
        held-out speakers.
    units : "characters" or Units
        The characters of the transcripts, or given units such as phones.
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
    **changed
        Settings that are otherwise: ``epochs=3``. ``architecture`` may be an
        :class:`serlab.models.tdnn.Architecture`, too.

    Returns
    -------
    AcousticModel
        With the held-out speakers' error rates in ``provenance``, beside those
        of always answering the commonest transcript. "scope" says so where it
        is a mechanism demo: few texts, and the held-out ones among them.

    Raises
    ------
    ParameterError
        If a setting makes no sense, or there is none of that name.
    ProtocolError
        If there are not enough speakers to hold some out.
    CorpusError
        If a transcript is empty or has characters outside the units.
    TrainingError
        If audio is too short for its transcripts, or the loss is no number any more.
    Cancelled
        If ``cancel`` was set; the last checkpoint is kept.
    """
    chosen = settings.with_values(**changed)
    preset = layers_of(chosen.architecture)
    if chosen.subsampling:
        preset = subsampled(preset, chosen.subsampling)
    fitting = Fitting(device=resolve_device(device), progress=progress, cancel=cancel, checkpoint_every=0)
    held_out = _held_out(transcribed["speaker"], held_out_speakers, seed=seed)
    inventory = characters(transcribed["text"]) if units == "characters" else units
    table = perturbation.with_speeds(transcribed, chosen.speed, held_out=held_out)
    targets = inventory.encode_all(table["text"]).targets
    speech = reading.read(table, cache=cache, progress=progress, cancel=cancel)

    rank = chosen.rank if chosen.ivectors else 0
    tdnn = _network(preset, inventory, loss=chosen.loss, rank=rank, seed=seed)
    training, testing, too_short = _divided(speech, targets, held_out, tdnn=tdnn, loss=chosen.loss)
    made = _as_kept(chosen, tdnn, seed=seed)
    identity = [made, inventory.to_json(), held_out, targets, speech.audio_hash.to_dict()]
    digest = hashlib.blake2b(json.dumps(identity).encode(), digest_size=8).hexdigest()
    folder = None if checkpoints is None else Path(checkpoints)

    sample = speech.sample(training, seed=seed)
    extractor = None
    if chosen.ivectors:
        saved = None if folder is None else folder / f"ivectors-{digest}.npz"
        extractor = _extractor(
            sample,
            saved,
            n_components=chosen.n_components,
            rank=rank,
            seed=seed,
            progress=progress,
            cancel=cancel,
        )
    centre, scale = _standard(sample, extractor, window=made["ivector_window"])
    is_mmi = chosen.loss == "lf-mmi"
    model = AcousticModel(
        tdnn=tdnn,
        ivectors=extractor,
        units=inventory,
        loss=chosen.loss,
        centre=centre,
        scale=scale,
        ngram=_ngram(targets, training, inventory, order=chosen.ngram_order) if is_mmi else None,
        settings=made,
    )
    lesson = Lesson(
        speech=speech,
        training=training,
        testing=testing,
        criterion=criterion(model, targets),
        branch=branch_criterion(model, targets) if chosen.cross_entropy else None,
    )
    with explained_memory(f"batch_size ({chosen.batch_size}), or the length of utterances"):
        history = learn(model, lesson, checkpoint=_checkpoint(folder, tdnn, digest), fitting=fitting)
        errors = origin.errors(model, speech, training, testing, fitting)
    tdnn.to("cpu").eval()
    as_recorded = [name for name in training if name in transcribed.index]
    described = {
        **origin.described(transcribed, speech, as_recorded, testing),
        **errors,
        "left_out": {**transcribed.attrs.get("left_out", {}), "too short for the transcript": too_short},
        "history": history,
        "made_with": provenance.describe(code=provenance.package_digest()[:10], corpora=digest),
    }
    return replace(model, provenance=described)


def _as_kept(chosen: Pretraining, tdnn: TDNN, *, seed: int) -> dict[str, Any]:
    """Settings as a model keeps them: JSON values, None where something was not used."""
    kept = chosen.as_dict()
    if not chosen.ivectors:
        kept.update(n_components=None, rank=None)
    if chosen.loss != "lf-mmi":
        kept.update(leaky=None, ngram_order=None)
    kept.update(
        ivector_window=chosen.ivector_window or None,
        subsampling=tdnn.step(),
        features=reading.FEATURES,
        seed=seed,
    )
    return kept


def _network(preset: Architecture, units: Units, *, loss: str, rank: int, seed: int) -> TDNN:
    """Untrained, with an i-vector of ``rank`` numbers beside each frame."""
    n_inputs = features.get(reading.FEATURES).n_features + rank
    n_outputs = len(units) + 1 if loss == "ctc" else Topology(len(units)).n_pdfs
    with seeded(seed):
        return TDNN(n_inputs, n_outputs, layers=preset.layers, prefinal=preset.prefinal)


def _checkpoint(folder: Path | None, tdnn: TDNN, digest: str) -> Checkpoint | None:
    if folder is None:
        return None
    # "learner": what is in the file, see serlab.training.learner; files with another content are not read.
    return Checkpoint(
        path=folder / "pretraining.pt", architecture=structure(tdnn), training=f"learner {digest}"
    )


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
