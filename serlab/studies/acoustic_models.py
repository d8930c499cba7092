"""The network of an experiment that was pretrained on speech recognition, and what it knows of voices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from serlab import features
from serlab.asr.acoustic_model import AcousticModel, error_table
from serlab.asr.ivectors import unit_length
from serlab.data import known
from serlab.errors import ProtocolError
from serlab.evaluation.verification import equal_error_rate
from serlab.experiment import Session
from serlab.pretrained import encoders

#: Name, under ``SERLAB_MODELS``, of a speaker encoder that stands beside the i-vectors.
SPEAKER_ENCODER = "speaker-encoder"
#: What the network is fed.
FEATURES = "mfcc40"


def of(session: Session) -> AcousticModel | None:
    """The acoustic model of an experiment; None if no method asks for one."""
    return session.provided.get("acoustic_model")


def pretraining_tables(session: Session) -> Mapping[str, pd.DataFrame]:
    """By caption: what the acoustic model is, and how wrong it recognises speakers it has not heard.

    Kept in the session's folder; empty without an acoustic model.
    """
    return session.keep_all("pretraining", lambda: _pretraining_tables(of(session)))


def _pretraining_tables(model: AcousticModel | None) -> dict[str, pd.DataFrame]:
    if model is None:
        return {}
    facts = {**model.describe(), "learned from": " + ".join(model.provenance.get("corpora", ["?"]))}
    return {
        "The network pretrained on speech recognition": pd.DataFrame({"value": facts}).astype(str),
        "Word and character error rates of speakers it has not heard": error_table(model),
    }


def voices(session: Session) -> dict[str, np.ndarray]:
    """What stands for the speaker, by name, shape (n, k): mean MFCC, i-vectors, a speaker encoder if at hand.

    Empty without an acoustic model.
    """
    model = of(session)
    return {} if model is None else dict(_voices(session, model))


def _voices(session: Session, model: AcousticModel) -> Iterator[tuple[str, np.ndarray]]:
    prepared = session.prepare()
    X = prepared.further[FEATURES][0].to_numpy(dtype=np.float32)
    yield "mean MFCC", np.nanmean(X, axis=1)
    if model.ivectors is not None:
        yield "i-vector", model.ivectors.extract(X).astype(np.float32)
    if encoders.find_folder(SPEAKER_ENCODER) is not None:
        found = features.extract(
            prepared.utterances,
            features=f"speaker-encoder:{SPEAKER_ENCODER}",
            jobs=session.parameters.threads_of_features,
        )
        if not len(found.skipped):
            yield SPEAKER_ENCODER, found.X.to_numpy(dtype=np.float32)


def verification(session: Session, voices: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """:func:`verification_table` of a session's utterances, kept in its folder."""
    return session.keep("verification", lambda: verification_table(session.prepare().utterances, voices))


def verification_table(utterances: pd.DataFrame, voices: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How well speakers are told apart, by corpus and representation: equal error rates of cosine scores.

    i-vectors are centred on the mean of the corpus first. A corpus in which
    nobody speaks twice is left out.
    """
    rows = []
    for corpus, own in utterances.groupby("corpus", observed=True):
        at = utterances.index.get_indexer(own.index)
        for name, values in voices.items():
            X = (
                values[at]
                if name == SPEAKER_ENCODER
                else unit_length(values[at], centre=values[at].mean(axis=0))
            )
            rate = _equal_error_rate(X, own["speaker"])
            if rate is None:
                continue
            rows.append(
                {
                    "corpus": corpus,
                    "representation": name,
                    "equal error rate": rate,
                    "of the same sex": _equal_error_rate(X, own["speaker"], own["sex"]),
                    "speakers": own["speaker"].nunique(),
                    "utterances": len(own),
                }
            )
    return pd.DataFrame(rows)


def _equal_error_rate(X: np.ndarray, speaker: pd.Series, sex: pd.Series | None = None) -> float | None:
    """None where no two utterances can be compared, or the sex of somebody is not known."""
    if sex is not None and sex.isna().any():
        return None
    try:
        return equal_error_rate(X, known(speaker), sex=None if sex is None else known(sex)).rate
    except ProtocolError:
        return None
