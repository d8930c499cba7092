"""Work of serlab and of others on the same data, by turns in one process.

Each comparison gives the seconds of both sides in each turn; what is shown of
them are medians of ratios of neighbours, in processor seconds: on a machine that
does other work besides these compare, and wall seconds do not. Other libraries
take part where they are installed; without them their line says so.
"""

from __future__ import annotations

import configparser
import importlib
import io
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import torch

from serlab import audio, corpora, features, training

#: Seconds of a side in one turn -> processor and wall.
Turn = tuple[float, float]


class Absent(Exception):
    """What a comparison needs is not here; says what."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Both sides of one question.

    Attributes
    ----------
    work, ours, theirs : str
        What is done, and by whom.
    goal : float
        Of the ratio ours / theirs: no more than that.
    measure : callable(Setting)
        Callables of ours and theirs, to be timed by turns.
    """

    work: str
    ours: str
    theirs: str
    goal: float
    measure: Callable[[Setting], tuple[Callable[[], object], Callable[[], object]]]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where data and models are, and how often both sides take turns."""

    data: str
    models: str
    turns: int = 7


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Median seconds of either side, and quartiles of the ratio of neighbours, ours / theirs."""

    ours: float
    theirs: float
    low: float
    ratio: float
    high: float


def by_turns(ours: Callable[[], object], theirs: Callable[[], object], n: int) -> Outcome:
    """Time both, first one and then the other in each turn; the first turn warms up."""
    took = []
    for turn in range(n + 1):
        own: dict[str, float] = {}
        for name, task in sorted({"ours": ours, "theirs": theirs}.items(), reverse=turn % 2 == 1):
            began = time.process_time()
            task()
            own[name] = time.process_time() - began
        took.append(own)
    ratios = [own["ours"] / max(own["theirs"], 1e-9) for own in took[1:]]
    low, middle, high = statistics.quantiles(ratios, n=4)
    ours_s, theirs_s = (statistics.median(own[name] for own in took[1:]) for name in ("ours", "theirs"))
    return Outcome(ours=ours_s, theirs=theirs_s, low=low, ratio=middle, high=high)


def package(name: str) -> ModuleType:
    """An installed package.

    Raises
    ------
    Absent
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Absent(f"{name.partition('.')[0]} is not installed ({error})") from None


def utterances(setting: Setting, n: int) -> pd.DataFrame:
    """Some utterances of EmoDB."""
    table = corpora.get("emodb").read(setting.data)
    return table.iloc[np.linspace(0, len(table) - 1, n).astype(int)]


@contextmanager
def quiet() -> Iterator[None]:
    """What others print and log at work is no part of a table."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def speech(setting: Setting, n: int) -> list[str]:
    """Paths of some utterances of EmoDB."""
    return utterances(setting, n)["path"].tolist()


def functionals(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    """openSMILE's own numbers: with reading, checking and keeping, against nothing but openSMILE."""
    opensmile = package("opensmile")
    smile = opensmile.Smile(opensmile.FeatureSet.IS10)
    table = utterances(setting, 24)
    signals = [audio.load(path).samples for path in table["path"]]
    features.get("is10").load_library()

    def ours() -> None:
        with tempfile.TemporaryDirectory() as cache:
            features.extract(table, features="is10", cache=cache, jobs=1)

    return ours, lambda: [smile.process_signal(x, audio.SAMPLE_RATE) for x in signals]


def _egemaps(table: pd.DataFrame) -> Callable[[], object]:
    features.get("egemaps").load_library()

    def ours() -> None:
        with tempfile.TemporaryDirectory() as cache:
            features.extract(table, features="egemaps", cache=cache, jobs=1)

    return ours


def egemaps_nkululeko(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    """Both read files and keep what they extract; one process, one thread."""
    module = package("nkululeko.feat_extract.feats_opensmile")
    context = package("nkululeko.experiment_context").ExperimentContext(config=configparser.ConfigParser())
    table = utterances(setting, 24)
    files = pd.DataFrame(index=pd.Index(table["path"].tolist(), name="file"))

    def theirs() -> None:
        with tempfile.TemporaryDirectory() as folder:
            context.config.read_dict(
                {
                    "EXP": {"root": folder, "name": "own"},
                    "DATA": {},
                    "FEATS": {"set": "eGeMAPSv02", "no_reuse": "True"},
                    "MODEL": {"n_jobs": "1"},
                }
            )
            (Path(folder) / "own" / "store").mkdir(parents=True)
            with quiet(), package("nkululeko.experiment_context").use_context(context):
                module.Opensmileset("own", files.copy(), "os").extract()

    return _egemaps(table), theirs


def egemaps_ertk(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    """Theirs reads files and extracts; it keeps nothing by itself."""
    with quiet():
        module = package("ertk.preprocessing.opensmile")
    extractor = module.OpenSMILEExtractor(module.OpenSMILEExtractorConfig(opensmile_config="eGeMAPSv02"))
    table = utterances(setting, 24)

    return _egemaps(table), lambda: list(extractor.process_files(table["path"].tolist(), batch_size=1))


def log_mel_librosa(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    librosa = package("librosa")
    signals = [audio.load(path).samples for path in speech(setting, 24)]
    chosen = features.get("logmel40")

    def theirs() -> None:
        for x in signals:
            mel = librosa.feature.melspectrogram(
                y=x, sr=audio.SAMPLE_RATE, n_fft=512, win_length=400, hop_length=160, n_mels=40
            )
            librosa.power_to_db(mel, top_db=None)

    return lambda: [chosen.extract(x) for x in signals], theirs


def log_mel_kaldi(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    kaldi = package("kaldi_native_fbank")
    signals = [audio.load(path).samples for path in speech(setting, 24)]
    chosen = features.get("logmel40")
    options = kaldi.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 40

    def theirs() -> None:
        for x in signals:
            bank = kaldi.OnlineFbank(options)
            bank.accept_waveform(audio.SAMPLE_RATE, x.tolist())
            bank.input_finished()
            np.stack([bank.get_frame(frame) for frame in range(bank.num_frames_ready)])

    return lambda: [chosen.extract(x) for x in signals], theirs


def _mmd(theirs: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]) -> tuple:
    """Forward and backward of a Gaussian MMD of two batches of 128 x 4096."""
    from serlab.training import losses

    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(128, 4096, generator=generator).requires_grad_() for _ in range(2))
    h = losses.median_bandwidth(x, y).item()

    def both_ways(loss: Callable[[], torch.Tensor]) -> Callable[[], None]:
        def task() -> None:
            x.grad = y.grad = None
            loss().backward()

        return task

    return both_ways(lambda: losses.mmd2(x, y, h)), both_ways(lambda: theirs(x, y, h))


def mmd_broadcast(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    from bench_losses import broadcast_mmd2

    return _mmd(broadcast_mmd2)


def mmd_geomloss(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    geomloss = package("geomloss")

    def theirs(x: torch.Tensor, y: torch.Tensor, h: float) -> torch.Tensor:
        return 2 * geomloss.SamplesLoss("gaussian", blur=h, backend="tensorized")(x, y)

    return _mmd(theirs)


def mmd_skada(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    losses = package("skada.deep.losses")
    return _mmd(lambda x, y, h: losses.dan_loss(x, y, sigmas=[1 / (2 * h * h)]))


def _rows(n: int = 1500, d: int = 300, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(classes, size=n)
    return (rng.normal(size=(n, d)) + 0.5 * rng.normal(size=(classes, d))[y]).astype(np.float32), y


def _method(name: str) -> Callable[[], object]:
    """Fit a method on the rows as an experiment does it, and answer for the last 500."""
    from serlab import methods
    from serlab.methods.base import FIT_ARGUMENTS
    from serlab.normalization import normalize
    from serlab.samples import Labelled, Unlabelled
    from serlab.training import Fitting

    X, y = _rows()
    corpus, speaker = np.array(["a"] * 1500), np.array([f"s{i % 20}" for i in range(1500)])
    spec = methods.get(name)

    def task() -> object:
        parts = normalize(
            spec.normalization,
            source=None,
            target_train=Labelled(X=X[:1000], corpus=corpus[:1000], speaker=speaker[:1000], y=y[:1000]),
            adapt=None,
            test=Unlabelled(X=X[1000:], corpus=corpus[1000:], speaker=speaker[1000:]),
        )
        method = spec.build(n_classes=4, seed=0, preset="quick", fitting=Fitting())
        method.fit(**{name: getattr(parts, name) for name in FIT_ARGUMENTS[spec.access]})
        return method.predict_proba(parts.test.X)

    return task


def forest(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    from sklearn.ensemble import RandomForestClassifier

    from serlab import methods
    from serlab.training import Fitting

    X, y = _rows()
    ours = _method("rf-target")
    built = methods.get("rf-target").build(n_classes=4, seed=0, preset="quick", fitting=Fitting())
    like = built.classifier.estimator
    chosen = {
        name: getattr(like, name) for name in ("n_estimators", "max_depth", "random_state", "class_weight")
    }
    return ours, lambda: RandomForestClassifier(**chosen).fit(X[:1000], y[:1000]).predict_proba(X[1000:])


def probe(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    from sklearn.base import clone
    from sklearn.preprocessing import StandardScaler

    from serlab import methods
    from serlab.training import Fitting

    X, y = _rows()
    built = methods.get("svm-target").build(n_classes=4, seed=0, preset="quick", fitting=Fitting())
    like = built.classifier.estimator

    def theirs() -> None:
        scaler = StandardScaler().fit(X[:1000])
        estimator = clone(like).fit(scaler.transform(X[:1000]), y[:1000])
        estimator.decision_function(scaler.transform(X[1000:]))

    return _method("svm-target"), theirs


def intervals(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    """Scores with intervals and a paired test of 10,000 predictions, against a loop over 1,000 resamples."""
    import bench_evaluation as scoring

    from serlab import evaluation

    table, speakers = scoring.predictions()
    fits = scoring.fits()

    def ours() -> None:
        evaluation.summarise(table, evaluation.score(table, fits), speakers)
        evaluation.paired(table, speakers, method="b", control="a")

    return ours, lambda: [scoring.plain_loop(table, speakers, scoring.N_RESAMPLES) for _ in range(2)]


def encoder(setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    """Mean of the last layer over an utterance; theirs: extractor and encoder, as a pipeline calls them."""
    package("transformers")
    from transformers import AutoFeatureExtractor
    from transformers.models.whisper import WhisperModel

    from serlab.pretrained import encoders

    folder = Path(setting.models) / "whisper-tiny.en"
    if not folder.is_dir():
        raise Absent(f"there is no {folder.name} in the folder of models")
    ours_model = encoders.load(encoders.look(folder))
    theirs_model = WhisperModel.from_pretrained(folder).get_encoder()
    extractor = AutoFeatureExtractor.from_pretrained(folder)
    signals = [audio.load(path).samples for path in speech(setting, 4)]

    def theirs() -> None:
        with torch.inference_mode():
            for x in signals:
                inputs = extractor(x, sampling_rate=audio.SAMPLE_RATE, return_tensors="pt")
                theirs_model(inputs["input_features"]).last_hidden_state.mean(dim=1)

    return lambda: [ours_model.layers(x)[-1].mean(axis=0) for x in signals], theirs


def _loop(on_disk: bool | None) -> tuple[Callable[[], object], Callable[[], object]]:
    """Two epochs of the attentive CNN, against nothing but forward, backward and step."""
    import copy

    import bench_training as loop

    from serlab.models.acnn import ACNN
    from serlab.sequences import Sequences, Writer
    from serlab.training import Settings, batches

    with training.seeded(0):
        network = ACNN(26, 4)
    X = loop.utterances(320, 750)
    y, of_rows = torch.arange(len(X)) % 4, batches.lengths(X)
    given: batches.Rows = X
    if on_disk is not None:
        writer = Writer(26, in_memory=0 if on_disk else 2**40)
        for utterance in Sequences.of_dense(X.numpy()):
            writer.append(utterance)
        # Scaled as it is read: what normalisation makes of a corpus.
        given = Sequences.of_store(writer.store()).scaled(np.zeros(26), np.ones(26))
    generator = torch.Generator().manual_seed(0)
    parts = [
        (batches.take(X, rows, of_rows), y[rows])
        for _ in range(2)
        for rows in torch.randperm(len(X), generator=generator).split(32)
    ]

    def ours() -> None:
        training.train(copy.deepcopy(network), given, y, settings=Settings(epochs=2), seed=0)

    return ours, lambda: loop.bare(copy.deepcopy(network), parts)


#: In the order of the table.
COMPARISONS: Sequence[Comparison] = (
    Comparison(
        work="1,582 functionals (IS10) of 24 utterances", ours="read, checked, extracted, kept",
        theirs="openSMILE alone", goal=1.15, measure=functionals,
    ),
    Comparison(
        work="88 functionals (eGeMAPS) of 24 utterances", ours="read, checked, extracted, kept",
        theirs="nkululeko (read, extracted, kept)", goal=1.15, measure=egemaps_nkululeko,
    ),
    Comparison(
        work="88 functionals (eGeMAPS) of 24 utterances", ours="read, checked, extracted, kept",
        theirs="ertk (read, extracted)", goal=1.15, measure=egemaps_ertk,
    ),
    Comparison(
        work="log-mel, 40 bands", ours="logmel40", theirs="librosa", goal=1.0, measure=log_mel_librosa
    ),
    Comparison(
        work="log-mel, 40 bands", ours="logmel40", theirs="kaldi-native-fbank", goal=1.0,
        measure=log_mel_kaldi,
    ),
    Comparison(
        work="MMD of 128 x 4096, both ways", ours="mmd2", theirs="differences of all pairs of rows",
        goal=0.05, measure=mmd_broadcast,
    ),
    Comparison(
        work="MMD of 128 x 4096, both ways", ours="mmd2", theirs="geomloss", goal=1.1, measure=mmd_geomloss
    ),
    Comparison(
        work="MMD of 128 x 4096, both ways", ours="mmd2", theirs="skada", goal=1.1, measure=mmd_skada
    ),
    Comparison(
        work="forest of 1,000 x 300", ours="rf-target", theirs="scikit-learn alone", goal=1.1, measure=forest
    ),
    Comparison(
        work="linear classifier of 1,000 x 300", ours="svm-target", theirs="scikit-learn alone", goal=1.1,
        measure=probe,
    ),
    Comparison(
        work="intervals of 10,000 predictions (200 ms at most)", ours="score, summarise, paired",
        theirs="a loop over 1,000 resamples", goal=1.0, measure=intervals,
    ),
    Comparison(
        work="layers of Whisper-tiny, 4 utterances", ours="encoder", theirs="transformers (30 s of input)",
        goal=1.0, measure=encoder,
    ),
    Comparison(
        work="training of the ACNN on a dense array", ours="train", theirs="bare loop", goal=1.10,
        measure=lambda setting: _loop(None),
    ),
    Comparison(
        work="training of the ACNN on sequences in memory", ours="train", theirs="bare loop", goal=1.10,
        measure=lambda setting: _loop(False),
    ),
    Comparison(
        work="training of the ACNN on sequences on disk", ours="train", theirs="bare loop", goal=1.10,
        measure=lambda setting: _loop(True),
    ),
)  # fmt: skip
