"""The acoustic model of an experiment: one that is given, or one pretrained on what is at hand."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

from serlab import corpora, data
from serlab.asr import acoustic_model, settings, transcripts
from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.pretraining import pretrain
from serlab.errors import CorpusError, ParameterError
from serlab.pretrained import encoders
from serlab.progress import Progress


def provided(
    folder: str,
    *,
    sources: Sequence[str],
    preset: str,
    seed: int,
    pretraining: str = "",
    data_root: str | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> AcousticModel:
    """Load an acoustic model, or pretrain one on the sources whose sentences are known.

    What was pretrained is kept in the cache, and an unfinished training goes on
    where it stopped. The target is never among what is learned from.

    Parameters
    ----------
    folder : str
        Made by ``serlab pretrain``, by its path or its name under ``SERLAB_MODELS``; empty: pretrain here.
    sources : sequence of str
        Corpora to pretrain on.
    preset : str
        Of :data:`serlab.asr.settings.PRESETS`.
    seed : int
    pretraining : str
        What is otherwise than in the preset, see :meth:`serlab.asr.settings.Pretraining.with_text`.
    data_root : str, optional
    device : {"cpu", "cuda", "auto"}

    Raises
    ------
    ParameterError
        If the folder holds no acoustic model, no source has known sentences, or both a folder and
        settings are given.
    """
    if folder and pretraining:
        raise ParameterError(
            f"pretraining={pretraining!r} says how to make an acoustic model, and acoustic_model={folder!r} "
            "is one that is made; leave one of them empty"
        )
    if folder:
        return acoustic_model.load(encoders.find_folder(folder) or folder)
    known = []
    if sources:
        table = corpora.read_many(tuple(sources), data_root)
        for _, part in table.groupby("corpus", sort=True):
            try:
                known.append(transcripts.of_corpus(part))
            except CorpusError:  # of another source, or of nobody, they may be known
                continue
    if not known:
        raise ParameterError(
            f"nothing is known of what is said in {', '.join(sources) or 'no source'}: pretrain an acoustic "
            "model with `serlab pretrain` on speech with transcripts, and give its folder as the parameter "
            "acoustic_model, or leave out the tdnn methods"
        )
    transcribed = transcripts.concatenate(known)
    chosen = settings.of_preset(preset).with_text(pretraining)
    names = sorted(transcribed["corpus"].unique())
    identity = [acoustic_model.FORMAT, data.fingerprint(table), names, sorted(chosen.as_dict().items()), seed]
    digest = hashlib.blake2b(repr(identity).encode(), digest_size=5).hexdigest()
    kept = data.cache_root() / "acoustic-models" / f"{'+'.join(names)}-{preset}-{digest}"
    if kept.is_dir():
        return acoustic_model.load(kept)
    model = pretrain(
        transcribed,
        settings=chosen,
        seed=seed,
        device=device,
        checkpoints=Path(f"{kept}-checkpoints"),
        progress=progress,
        cancel=cancel,
    )
    model.save(kept)
    return model


def describe(model: AcousticModel) -> str:
    """One line for a headline: what it was pretrained on, and how well it does that."""
    origin = model.provenance
    wrong = origin.get("error_rates", {}).get("characters")
    errors = "" if wrong is None else f", character error rate of unseen speakers {wrong:.2f}"
    return (
        f"{' + '.join(origin.get('corpora', ['?']))} ({origin.get('training_hours', 0):.1f} h, "
        f"{origin.get('different_texts', '?')} texts{errors}; {origin.get('scope', 'unknown')})"
    )
