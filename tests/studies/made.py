"""A session on made features, for studies that fit."""

from __future__ import annotations

import pandas as pd

from serlab import experiment
from tests.toys import separable_features, utterance_table


def prepared_session(*, methods: tuple[str, ...], **more) -> experiment.Session:
    """Corpus "here" of five speakers as target, "there" of four as source."""
    table = utterance_table({"here": 5, "there": 4}, per_emotion=2)
    prepared = experiment.Prepared(
        utterances=table,
        X=separable_features(table, noise=0.6),
        copies=(),
        further={},
        left_out=pd.Series(dtype=int),
        audio_hash=pd.Series(dtype=object),
        skipped_files=pd.DataFrame(),
        notes=(),
        fingerprint="toy",
    )
    parameters = experiment.Parameters(
        target="here", sources=("there",), methods=methods, baseline="svm-target", preset="demo"
    )
    return experiment.Session(parameters, prepared=prepared, **more)
