"""What Durrani & Arshad leave open, chosen on speakers held out of one corpus at a time.

    python benchmarks/choose_encoder_decoder.py --data DATA_ROOT [--corpora emodb ravdess] [--jobs 2]

For each corpus, size and learning rate of the encoder-decoder: train on most
speakers, validate on the others, in turn for two thirds of the speakers, and
follow the validation UAR over epochs. No target of an experiment is looked at
as a target: each corpus only ever predicts itself. One row a corpus, size,
learning rate and number of epochs is added to a table; what it has is not run
again.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from serlab import experiment, files, normalization, training
from serlab.models.encoder_decoder import EncoderDecoder
from serlab.samples import Labelled
from serlab.training import Fitting, Settings

OUT = Path(__file__).parents[1] / "serlab/papers/durrani_arshad/tuning.csv"

UNITS = (64, 32)
LEARNING_RATES = (3e-4, 1e-3, 3e-3)
EPOCHS = (10, 20, 30, 40, 50)
COLUMNS = ("corpus", "units", "learning_rate", "epochs")
N_FOLDS, FOLDS_RUN = 3, 2
SEED = 0


def corpus(name: str, data: str, jobs: int) -> Labelled:
    prepared = experiment.prepare(
        experiment.Parameters(
            target=name, methods=("majority",), scheme="four", features="harmonic", data=data, jobs=jobs
        )
    )
    table = prepared.utterances
    return Labelled(
        X=prepared.X.to_numpy(),
        corpus=table["corpus"].to_numpy(str),
        speaker=table["speaker"].to_numpy(str),
        y=table["emotion"].cat.codes.to_numpy(np.int64),
    )


def curve(part: Labelled, held_out: np.ndarray, *, units: int, settings: Settings, jobs: int) -> np.ndarray:
    """Validation UAR after each epoch."""
    scaled = normalization.normalize(
        "source",
        source=part.take(~held_out),
        target_train=None,
        adapt=None,
        test=part.take(held_out),
    )
    X, y = torch.from_numpy(scaled.source.X), torch.from_numpy(scaled.source.y)
    n_classes = int(part.y.max()) + 1
    with training.threads(jobs):
        with training.seeded(SEED):
            module = EncoderDecoder(X.shape[2], n_classes, channels=units, units=units)
        history = training.train(
            module,
            X,
            y,
            settings=settings,
            seed=SEED,
            class_weight=training.balanced_weight(y, n_classes),
            validation=(torch.from_numpy(scaled.test.X), torch.from_numpy(part.y[held_out])),
            fitting=Fitting(n_jobs=jobs),
        )
    return history["validation_uar"].to_numpy()


def choices(name: str, part: Labelled, units: int, rate: float, jobs: int) -> pd.DataFrame:
    """One row a number of epochs."""
    speakers = np.random.default_rng(SEED).permutation(np.unique(part.speaker))
    settings = Settings(epochs=max(EPOCHS), learning_rate=rate, clip=5.0)
    curves = [
        curve(part, np.isin(part.speaker, speakers[fold::N_FOLDS]), units=units, settings=settings, jobs=jobs)
        for fold in range(FOLDS_RUN)
    ]
    # The mean of five epochs: one epoch goes up and down by some points.
    uar = [round(float(np.mean([values[epochs - 5 : epochs] for values in curves])), 3) for epochs in EPOCHS]
    return pd.DataFrame({"corpus": name, "units": units, "learning_rate": rate, "epochs": EPOCHS, "uar": uar})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--corpora", nargs="+", default=["emodb", "ravdess"])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    table = pd.read_csv(options.out) if options.out.is_file() else pd.DataFrame(columns=COLUMNS)
    for name in options.corpora:
        part = corpus(name, options.data, options.jobs)
        for units, rate in itertools.product(UNITS, LEARNING_RATES):
            found = (table[["corpus", "units", "learning_rate"]] == [name, units, rate]).all(axis=1)
            if not found.any():
                new = choices(name, part, units, rate, options.jobs)
                print(new.to_string(index=False, header=False), flush=True)
                table = pd.concat([table, new]).sort_values(list(COLUMNS), ignore_index=True)
                files.write_table(options.out, table)


if __name__ == "__main__":
    main()
