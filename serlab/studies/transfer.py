"""Questions of notebook 05, asked of an experiment: what do networks trained on speech know of emotion?"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from serlab import experiment, features, files, methods, normalization
from serlab.asr import acoustic_model
from serlab.asr.acoustic_model import AcousticModel
from serlab.asr.ivectors import unit_length
from serlab.errors import Cancelled, ProtocolError
from serlab.evaluation import verification
from serlab.experiment import Outcome, Parameters, Prepared
from serlab.methods import encoder
from serlab.methods.asr_transfer import Embeddings
from serlab.papers import zhou_beigi
from serlab.pretrained import encoders
from serlab.progress import Progress
from serlab.samples import Labelled
from serlab.studies import controls, few_shot, layer_probes
from serlab.training import Fitting

#: Name, under ``SERLAB_MODELS``, of a speaker encoder that stands beside the i-vectors.
SPEAKER_ENCODER = "speaker-encoder"
#: Linear classifiers, and the network with learned layer weights.
ON_ENCODER = few_shot.Curves(
    target_only="probe-target",
    finetuned="encoder-finetuned",
    pooled="probe-pooled-z",
    source_only="probe-source-z",
    semi_supervised="probe-selftrained-pooled",
    unlabelled="probe-selftrained",
)
ON_TDNN = few_shot.Curves(
    target_only="tdnn-frozen-target",
    finetuned="tdnn-frozen-finetuned",
    pooled=None,
    source_only="tdnn-frozen-source",
)
#: Pretrained -> the same with fresh weights.
_FRESH = {"frozen": "random", "tuned": "scratch"}
_WEIGHED = ("encoder-target", "encoder-source", "encoder-linear-target", "encoder-linear-source")


def model_of(parameters: Parameters) -> AcousticModel | None:
    """The acoustic model of an experiment; None if no method asks for one."""
    asks = any("acoustic_model" in methods.get(name).options for name in parameters.methods)
    return experiment.options_of(parameters, parameters.methods)["acoustic_model"] if asks else None


def pretraining_tables(model: AcousticModel | None) -> dict[str, pd.DataFrame]:
    """By caption: what the acoustic model is, and how wrong it recognises speakers it has not heard."""
    if model is None:
        return {}
    facts = {**model.describe(), "learned from": " + ".join(model.provenance.get("corpora", ["?"]))}
    return {
        "The network pretrained on speech recognition": pd.DataFrame({"value": facts}).astype(str),
        "Word and character error rates of speakers it has not heard": acoustic_model.error_table(model),
    }


def layers_of(
    parameters: Parameters, prepared: Prepared, model: AcousticModel | None
) -> dict[str, dict[str, np.ndarray]]:
    """Representations of all utterances, by network and layer.

    Returns
    -------
    dict
        Network -> layer -> ndarray, shape (n, k): of an encoder mean and
        deviation of each layer, of the TDNN the mean of each, and under
        "voice" what stands for the speaker. Only networks of this experiment.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    if encoder.POOLED in prepared.further:
        found[Path(parameters.encoder).name or "encoder"] = _encoder_layers(
            prepared.further[encoder.POOLED][0]
        )
    if model is not None:
        X = prepared.further["mfcc40"][0].to_numpy(dtype=np.float32)
        found["TDNN"] = Embeddings(model, model.tdnn.names[-1], Fitting()).layers(X)
        found["voice"] = dict(_voices(parameters, prepared, model, X))
    return found


def probes(
    parameters: Parameters,
    prepared: Prepared,
    layers: Mapping[str, Mapping[str, np.ndarray]],
    *,
    folder: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, pd.DataFrame]:
    """What a linear classifier reads from each layer of each network of :func:`layers_of`.

    Emotions are asked in all corpora together. See
    :func:`serlab.studies.layer_probes.probe_layers`; finished networks are kept in ``folder``.
    """
    table = prepared.utterances
    parts = experiment.parts_folder(folder, parameters, prepared.fingerprint)
    asked = {}
    for network, own in layers.items():
        path = None if parts is None else parts / "probes" / f"{network}.parquet"
        if path is not None and path.is_file():
            asked[network] = pd.read_parquet(path)
            continue
        asked[network] = layer_probes.probe_layers(
            own,
            speaker=_words(table["speaker"]),
            emotion=_words(table["emotion"]),
            corpus=_words(table["corpus"]) if table["corpus"].nunique() > 1 else None,
            sex=_words(table["sex"]) if table["sex"].nunique() > 1 else None,
            text=_words(table["text_id"]),
            folds=min(5, parameters.folds),
            seed=parameters.seeds[0],
            unaskable="skip",
            progress=progress,
            cancel=cancel,
        )
        if path is not None:
            files.write_table(path, asked[network])
    if folder is not None and asked:
        named = [own.assign(network=network) for network, own in asked.items()]
        files.write_table(Path(folder) / "probes.csv", pd.concat(named, ignore_index=True))
    return asked


def probe_table(probed: pd.DataFrame) -> pd.DataFrame:
    """The same with a row a layer and a column a question; chance in the last row."""
    wide = probed.pivot(index="layer", columns="what", values="uar")
    chance = probed.groupby("what")["chance"].first().to_frame("chance").T
    order = [*dict.fromkeys(probed["layer"])]
    wide = pd.concat([wide.loc[order, list(dict.fromkeys(probed["what"]))], chance])
    return wide.rename_axis(index=None, columns=None)


def verification_table(prepared: Prepared, voices: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How well speakers are told apart, by corpus and representation: equal error rates of cosine scores.

    i-vectors are centred on the mean of the corpus first. A corpus in which
    nobody speaks twice is left out.
    """
    rows = []
    for corpus, own in prepared.utterances.groupby("corpus", observed=True):
        at = prepared.utterances.index.get_indexer(own.index)
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


def layer_weights(
    parameters: Parameters, prepared: Prepared, *, cancel: threading.Event | None = None
) -> pd.DataFrame:
    """Weights that the layers of an encoder get, learned on each corpus by itself.

    For the figure alone: trained on all utterances of a corpus, tested on none.

    Returns
    -------
    DataFrame
        method (what was trained, and on which corpus), fold, seed, layer, weight; empty without an encoder.
    """
    columns = ["method", "fold", "seed", "layer", "weight"]
    names = [name for name in _WEIGHED if name in parameters.methods]
    if encoder.POOLED not in prepared.further or not names:
        return pd.DataFrame(columns=columns)
    # With or without a hidden layer; on which part does not matter here.
    spec = methods.get(names[0])
    X = prepared.further[encoder.POOLED][0].to_numpy(dtype=np.float32)
    utterances = prepared.utterances
    rows = []
    for corpus, own in utterances.groupby("corpus", observed=True):
        at = utterances.index.get_indexer(own.index)
        part = Labelled(
            X=X[at],
            corpus=_words(own["corpus"]),
            speaker=_words(own["speaker"]),
            y=own["emotion"].cat.codes.to_numpy().astype(np.int64),
        )
        scaled = normalization.normalize("source", source=part, target_train=None, adapt=None, test=part)
        argument = "target_train" if spec.access == "target-only" else "source"
        for seed in parameters.seeds:
            if cancel is not None and cancel.is_set():
                raise Cancelled("learning the weights of layers was cancelled")
            n_classes = len(utterances["emotion"].cat.categories)
            method = spec.build(
                n_classes=n_classes, seed=seed, preset=parameters.preset, fitting=Fitting(),
                encoder=parameters.encoder,
            ).fit(**{argument: scaled.source})  # fmt: skip
            weights = method.classifier.module.weights().tolist()
            rows += [(corpus, "all", seed, f"layer{layer}", value) for layer, value in enumerate(weights)]
    return pd.DataFrame(rows, columns=columns)


def curves_of(parameters: Parameters) -> few_shot.Curves:
    """Methods of the few-shot curve: on the encoder if there is one, else on the TDNN."""
    return ON_ENCODER if parameters.encoder else ON_TDNN


def gain_over_controls(outcome: Outcome) -> pd.DataFrame:
    """Gain by pretraining (fresh weights are the control), and by the unlabelled target (without it).

    See :func:`serlab.studies.controls.gains_over`.
    """
    names = outcome.predictions["method"].unique()
    control = {name: control_of(name) for name in names}
    control = {name: other for name, other in control.items() if other is not None}
    return controls.gains_over(outcome, control)


def control_of(name: str) -> str | None:
    """What shows the worth of a method: the same with fresh weights, or without the unlabelled target."""
    if methods.get(name).access == "unlabelled":
        return controls.control_of(name)
    family, weights, *rest = [*name.split("-"), ""]
    if family == "tdnn" and weights in _FRESH:
        return f"tdnn-{_FRESH[weights]}-{rest[-2]}"
    return None


def beside_the_paper(parameters: Parameters) -> dict[str, str]:
    """Methods of these parameters -> the row of the paper's table 3 that they stand beside."""
    rows = {"tdnn-frozen-target": "asr-transfer", "tdnn-tuned-target": "asr-transfer", **zhou_beigi.NEAREST}
    return {name: row for name, row in rows.items() if name in parameters.methods}


def compared_layers(parameters: Parameters) -> list[str]:
    """Methods of these parameters that ask which layer of the TDNN is best (the paper's table 2)."""
    asked = ("tdnn-frozen-prefinal-target", "tdnn-frozen-13-target", "tdnn-frozen-target")
    return [name for name in asked if name in parameters.methods]


def _encoder_layers(X: pd.DataFrame) -> dict[str, np.ndarray]:
    layer = X.columns.str.partition(".").get_level_values(0)
    return {name: X.loc[:, layer == name].to_numpy(dtype=np.float32) for name in dict.fromkeys(layer)}


def _voices(
    parameters: Parameters, prepared: Prepared, model: AcousticModel, X: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    yield "mean MFCC", np.nanmean(X, axis=1)
    if model.ivectors is not None:
        yield "i-vector", model.ivectors.extract(X).astype(np.float32)
    if encoders.find_folder(SPEAKER_ENCODER) is not None:
        found = features.extract(
            prepared.utterances, features=f"speaker-encoder:{SPEAKER_ENCODER}", jobs=parameters.jobs
        )
        if not len(found.skipped):
            yield SPEAKER_ENCODER, found.X.to_numpy(dtype=np.float32)


def _equal_error_rate(X: np.ndarray, speaker: pd.Series, sex: pd.Series | None = None) -> float | None:
    """None where no two utterances can be compared, or the sex of somebody is not known."""
    if sex is not None and sex.isna().any():
        return None
    try:
        return verification.equal_error_rate(
            X, _words(speaker), sex=None if sex is None else _words(sex)
        ).rate
    except ProtocolError:
        return None


def _words(column: pd.Series) -> np.ndarray:
    return column.astype(object).where(column.notna(), None).to_numpy()
