"""One experiment from its parameters to its tables.

Notebooks, widgets and the command line all end here with the same
:class:`Parameters`, which is why they all get the same predictions.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

import serlab
from serlab import corpora, data, evaluation, features, files, labels, methods, protocols
from serlab.asr import for_experiments
from serlab.asr.acoustic_model import AcousticModel
from serlab.errors import AudioError, ParameterError, ProtocolError
from serlab.evaluation import leakage
from serlab.features import Frames, augmentation
from serlab.methods import encoder
from serlab.pretrained import imagenet
from serlab.progress import Progress
from serlab.provenance import package_digest
from serlab.training import devices, objectives

#: What to do with an audio file that cannot be used.
ON_BAD_FILE: tuple[str, ...] = ("skip", "stop")

#: Which classes take part where corpora have different ones.
LABEL_SETS: tuple[str, ...] = ("scheme", "shared", "any")


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What a person chooses; everything in it can be written as JSON.

    Attributes
    ----------
    target : str
        Corpus whose emotions are to be recognised.
    sources : tuple of str
        Corpora that might help; empty for a study within one corpus.
    scheme : str
        Label scheme, see :data:`serlab.labels.SCHEMES`.
    features : str
        Feature set, see :data:`serlab.features.FEATURE_SETS` and :data:`serlab.features.PREFIXES`.
    methods : tuple of str
        Names of :data:`serlab.methods.METHODS`, or of :data:`serlab.methods.GROUPS`,
        which are replaced by their members.
    baseline : str
        Target-only method that transfer has to beat.
    protocol : str
        See :data:`serlab.protocols.PROTOCOLS`.
    shots : int
        Labelled target utterances per class ("k-shot" only).
    folds : int
        Folds of "speaker-groups" and "random", draws of "k-shot".
    seeds : tuple of int
        Repeats of the stochastic methods. The first one also seeds random splits.
    preset : {"demo", "quick", "paper"}
    seconds : float
        Frames only: longer utterances are cut there.
    augment : tuple of str
        Changed copies of the training utterances (:mod:`serlab.features.augmentation`: "noise-20"), and
        "specaugment", which masks parts of training batches.
    device : {"auto", "cpu", "cuda"}
        Where networks of frames are trained.
    data : str
        Data root; empty for the default, see :func:`serlab.data.data_root`.
    on_bad_file : {"skip", "stop"}
    jobs : int
        Threads.
    trade_off : float
        Weight of what draws source and target together (lambda of Baklouti et al., equation 1).
    weights : str
        ImageNet weights for VGG16: a local file, "download", or empty for random initialisation.
    encoder : str
        Pretrained speech encoder: a folder, its name under ``SERLAB_MODELS``, or a name of the hub;
        for the methods that need one.
    acoustic_model : str
        Folder made by ``serlab pretrain``, or its name under ``SERLAB_MODELS``, for the tdnn methods;
        empty: pretrained on the sources.
    label_sets : {"scheme", "shared", "any"}
        All classes of the scheme, those that occur in every corpus, or those that occur in any.

    Raises
    ------
    ParameterError, ProtocolError
        On construction, naming the parameter and what it may be.
    """

    target: str
    sources: tuple[str, ...] = ()
    scheme: str = "four"
    features: str = "is10"
    methods: tuple[str, ...] = ("rf-source", "rf-target", "rf-pooled")
    baseline: str = "rf-target"
    protocol: str = "one-subject"
    shots: int = 5
    folds: int = 5
    seeds: tuple[int, ...] = (0,)
    preset: str = "quick"
    seconds: float = 7.5
    augment: tuple[str, ...] = ()
    device: str = "auto"
    data: str = ""
    on_bad_file: str = "skip"
    jobs: int = 2
    trade_off: float = 1.0
    weights: str = ""
    encoder: str = ""
    acoustic_model: str = ""
    label_sets: str = "scheme"

    def __post_init__(self) -> None:
        for name in ("sources", "methods", "seeds", "augment"):
            value = getattr(self, name)
            value = (value,) if isinstance(value, str | int) else tuple(value)
            if name == "methods":
                value = tuple(method for entry in value for method in methods.GROUPS.get(entry, (entry,)))
            object.__setattr__(self, name, tuple(dict.fromkeys(value)))
        for name, kind in _KINDS.items():
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if not isinstance(value, kind) or isinstance(value, bool):
                    expected = getattr(kind, "__name__", "number")
                    raise ParameterError(f"parameter {name!r}: {value!r} is not of type {expected}")
        for name, known in _known().items():
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if value not in known:
                    raise ParameterError(f"parameter {name!r}: {value!r} is none of {', '.join(known)}")
        if not self.methods or not self.seeds:
            raise ParameterError("parameters 'methods' and 'seeds' need at least one entry each")
        if self.jobs < 1 or self.shots < 1:
            raise ParameterError(f"parameters 'jobs' ({self.jobs}) and 'shots' ({self.shots}) start at 1")
        if not self.seconds > 0:
            raise ParameterError(f"parameter 'seconds': {self.seconds} is not a length of time")
        objectives.require_trade_off(self.trade_off)
        for name in self.augment:
            augmentation.parse(name)
        try:
            features.get(self.features)
        except ParameterError as error:
            raise ParameterError(f"parameter 'features': {error}") from error
        for name in self.methods:
            methods.require_installed(methods.get(name))
            features.get(self.features_of(methods.get(name)))
        if not self.sources:
            needy = [name for name in self.methods if methods.get(name).access != "target-only"]
            if needy:
                raise ParameterError(
                    f"parameter 'sources' is empty, but {', '.join(needy)} need a source corpus"
                )
        if features.get(self.features).kind == "vectors":
            needy = [
                name
                for name, spec in ((name, methods.get(name)) for name in self.methods)
                if spec.input == "frames" and not spec.features
            ]
            if needy:
                known = [name for name, kind in features.FEATURE_SETS.items() if kind.kind == "frames"]
                raise ParameterError(
                    f"{', '.join(needy)} need frames, and feature set {self.features!r} has one vector an "
                    f"utterance; choose one of {', '.join(known)}"
                )
        self.split_protocol()

    @classmethod
    def from_names(cls, names: Mapping[str, object]) -> Parameters:
        """Pick the parameters out of a notebook's variables: ``from_names(globals())``."""
        return cls(
            **{field.name: names[field.name] for field in dataclasses.fields(cls) if field.name in names}
        )

    def as_dict(self) -> dict:
        """JSON values, as a notebook's parameters cell has them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    def features_of(self, spec: methods.MethodSpec) -> str:
        """Name of the feature set that a method is fed."""
        return encoder.feature_set(spec.features, self.encoder) or self.features

    def digest(self) -> str:
        """Short hash of everything that may change a prediction."""
        chosen = {k: v for k, v in self.as_dict().items() if k not in ("data", "jobs", "baseline")}
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:10]

    def split_protocol(self) -> protocols.SplitProtocol:
        """The protocol these parameters ask for."""
        return protocols.SplitProtocol(
            name=self.protocol,
            target=self.target,
            sources=self.sources,
            shots=self.shots,
            repeats=self.folds,
            seed=self.seeds[0],
        )


_KINDS = {
    "target": str, "sources": str, "scheme": str, "features": str, "methods": str, "baseline": str,
    "protocol": str, "shots": int, "folds": int, "seeds": int, "preset": str, "seconds": int | float,
    "augment": str, "device": str, "data": str, "on_bad_file": str, "jobs": int, "trade_off": int | float,
    "weights": str, "encoder": str, "acoustic_model": str, "label_sets": str,
}  # fmt: skip


def _known() -> dict[str, tuple[str, ...]]:
    return {
        "scheme": tuple(labels.SCHEMES),
        "methods": tuple(methods.METHODS),
        "baseline": tuple(name for name, spec in methods.METHODS.items() if spec.access == "target-only"),
        "protocol": tuple(protocols.PROTOCOLS),
        "preset": methods.PRESETS,
        "device": devices.DEVICES,
        "on_bad_file": ON_BAD_FILE,
        "label_sets": LABEL_SETS,
    }


@dataclass(frozen=True)
class Prepared:
    """Utterances with labels and features, and what was left behind.

    Attributes
    ----------
    utterances : DataFrame
        With ``emotion``; only rows that have a class and usable audio.
    X : DataFrame, shape (n, d), or Frames, shape (n, t, d)
        Features, same index.
    copies : tuple of the same
        Features of augmented audio.
    further : mapping of str to tuple of the same
        Feature sets that methods bring along: features, and those of augmented audio.
    left_out : Series
        Utterances the scheme leaves out, by corpus and emotion.
    audio_hash : Series
        Utterance -> hash of its audio.
    skipped_files : DataFrame
        utterance, path, reason.
    notes : tuple of str
        What else a reader should know of the data.
    fingerprint : str
        Of all corpora as read, before labels and bad files.
    """

    utterances: pd.DataFrame
    X: pd.DataFrame | Frames
    copies: tuple[pd.DataFrame | Frames, ...]
    further: Mapping[str, tuple[pd.DataFrame | Frames, ...]]
    left_out: pd.Series
    audio_hash: pd.Series
    skipped_files: pd.DataFrame
    notes: tuple[str, ...]
    fingerprint: str

    @property
    def vectors(self) -> pd.DataFrame:
        """One vector an utterance, for figures: frames by their mean and SD."""
        return self.X if isinstance(self.X, pd.DataFrame) else self.X.statistics()


@dataclass(frozen=True)
class Outcome:
    """All tables of one experiment. See :mod:`serlab.evaluation` for columns."""

    parameters: Parameters
    utterances: pd.DataFrame
    X: pd.DataFrame | Frames
    left_out: pd.Series
    skipped_files: pd.DataFrame
    skipped_folds: pd.DataFrame
    audit: pd.DataFrame
    predictions: pd.DataFrame
    history: pd.DataFrame
    attention: pd.DataFrame
    embeddings: pd.DataFrame
    shift: pd.DataFrame
    results: pd.DataFrame
    summary: pd.DataFrame
    comparison: pd.DataFrame
    notes: tuple[str, ...]
    acoustic_model: AcousticModel | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in order."""
        return tuple(self.utterances["emotion"].cat.categories)

    @property
    def chance(self) -> float:
        """UAR of guessing, over the classes that the target has."""
        own = self.utterances["corpus"] == self.parameters.target
        return 1 / self.utterances.loc[own, "emotion"].nunique()

    @property
    def is_synthetic(self) -> bool:
        """Whether any corpus is synthetic: then nothing here is evidence about emotion."""
        names = (self.parameters.target, *self.parameters.sources)
        return any(name.startswith("synthetic-") for name in names)


def prepare(
    parameters: Parameters,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Prepared:
    """Read the corpora, map their labels, extract (or find) their features.

    Raises
    ------
    CorpusError, LabelError, AudioError
        Audio only with ``on_bad_file="stop"``, or if an augmentation spoils it.
    """
    table = corpora.read_many((parameters.target, *parameters.sources), parameters.data or None)
    scheme = labels.scheme(parameters.scheme)
    labelled = scheme.apply(table)
    left_out = scheme.left_out_counts(table)
    if parameters.label_sets == "shared":
        labelled, alone = _of_shared_classes(labelled)
        left_out = pd.concat([left_out, alone]).sort_index()
    elif parameters.label_sets == "any":
        labelled = labelled.assign(emotion=labelled["emotion"].cat.remove_unused_categories())
    extract = functools.partial(
        features.extract,
        seconds=parameters.seconds,
        on_bad=parameters.on_bad_file,
        jobs=parameters.jobs,
        progress=progress,
        cancel=cancel,
    )
    extraction = extract(labelled, features=parameters.features)
    labelled = labelled.loc[extraction.X.index]
    on_audio = [name for name in parameters.augment if augmentation.parse(name).on_audio]

    def more(name: str, augment: str | None) -> pd.DataFrame | Frames:
        """Further features of the same utterances, none of which may be lost."""
        found = extract(labelled, features=name, augment=augment, seed=parameters.seeds[0])
        if len(found.skipped):
            utterance, reason = found.skipped.iloc[0][["utterance", "reason"]]
            remedy = "the changed audio cannot be used: choose another augmentation"
            if augment is None:
                remedy = f"feature set {name!r} cannot be computed: leave out the methods that need it"
            raise AudioError(f"{utterance}: {reason}; {remedy}")
        return found.X

    copies = tuple(more(parameters.features, augment) for augment in on_audio)
    further = {}
    for spec in map(methods.get, parameters.methods):
        if spec.features and spec.features not in further:
            name = parameters.features_of(spec)
            found = (
                (extraction.X, *copies)
                if name == parameters.features
                else tuple(more(name, augment) for augment in (None, *on_audio))
            )
            further[spec.features] = tuple(encoder.chosen_columns(spec.features, X) for X in found)
    notes = [
        *corpora.remarks(table),
        *(f"{n} files: {note}" for note, n in extraction.notes["note"].value_counts().items()),
    ]
    if extraction.rebuilt:
        notes.append(f"{extraction.rebuilt} damaged cache entries were computed again")
    return Prepared(
        utterances=labelled,
        X=extraction.X,
        copies=copies,
        further=further,
        left_out=left_out,
        audio_hash=extraction.audio_hash,
        skipped_files=extraction.skipped,
        notes=tuple(notes),
        fingerprint=data.fingerprint(table),
    )


def _of_shared_classes(utterances: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Utterances of the classes that every corpus has, and counts of the others by corpus and emotion."""
    found = utterances.groupby("corpus", observed=True)["emotion"].agg(set)
    shared = [name for name in utterances["emotion"].cat.categories if all(name in own for own in found)]
    if len(shared) < 2:
        raise ProtocolError(
            f"{', '.join(found.index)} share {len(shared)} class(es), two are needed; choose another label "
            "scheme, other corpora, or label_sets='scheme'"
        )
    kept = utterances["emotion"].isin(shared)
    others = utterances[~kept]
    alone = others.groupby([others["corpus"], others["emotion"].astype(str)]).size()
    utterances = utterances[kept]
    return utterances.assign(emotion=utterances["emotion"].cat.set_categories(shared)), alone


def evaluate(
    parameters: Parameters,
    prepared: Prepared,
    names: Sequence[str],
    splits: Sequence[protocols.Split],
    *,
    options: Mapping[str, Any] | None = None,
    **how: Any,
) -> evaluation.Run:
    """Fit methods on splits of prepared data, as the parameters say.

    Parameters
    ----------
    names : sequence of str
        Of :data:`serlab.methods.METHODS`.
    options : mapping, optional
        From :func:`options_of`, where they are at hand.
    **how
        ``seeds``, ``folder``, ``checkpoints``, ``details``, ``progress``, ``on_epoch``
        and ``cancel`` of :func:`serlab.evaluation.run`.
    """
    if options is None:
        options = options_of(parameters, names, progress=how.get("progress"), cancel=how.get("cancel"))
    return evaluation.run(
        [methods.get(name) for name in names],
        splits,
        X=prepared.X,
        copies=prepared.copies,
        further=prepared.further,
        options=options,
        utterances=prepared.utterances,
        preset=parameters.preset,
        run_id=parameters.digest(),
        n_jobs=parameters.jobs,
        device=devices.resolve_device(parameters.device),
        augment=_batch_augmentation(parameters),
        **how,
    )


def options_of(
    parameters: Parameters,
    names: Sequence[str],
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """What builders may ask for, see ``MethodSpec.options``."""
    asked = {option for name in names for option in methods.get(name).options}
    found: dict[str, Any] = {"trade_off": parameters.trade_off, "encoder": parameters.encoder}
    if "weights" in asked:
        found["weights"] = _weights(parameters)
    if "acoustic_model" in asked:
        found["acoustic_model"] = for_experiments.provided(
            parameters.acoustic_model,
            sources=parameters.sources,
            preset=parameters.preset,
            seed=parameters.seeds[0],
            data_root=parameters.data or None,
            device=parameters.device,
            progress=progress,
            cancel=cancel,
        )
    return found


def _weights(parameters: Parameters) -> imagenet.Weights | None:
    """None for random initialisation, also where published weights were downloaded before."""
    if not parameters.weights:
        return None
    download = parameters.weights == "download"
    return imagenet.find("" if download else parameters.weights, download=download)


def _batch_augmentation(parameters: Parameters) -> Callable[..., Tensor] | None:
    """What networks apply to their training batches; None where only audio is changed, or nothing."""
    on_batches = any(not augmentation.parse(name).on_audio for name in parameters.augment)
    return augmentation.spec_augment if on_batches else None


def run(
    parameters: Parameters,
    *,
    folder: Path | str | None = None,
    details: bool = True,
    progress: Progress | None = None,
    on_epoch: evaluation.OnEpoch | None = None,
    cancel: threading.Event | None = None,
) -> Outcome:
    """Run an experiment.

    Parameters
    ----------
    parameters : Parameters
    folder : path, optional
        Where predictions.parquet and the other tables go. Finished methods
        are kept there too (``parts-*``), so that the same call resumes, or
        comes back at once when nothing is left to do.
    details : bool
        Whether to keep attention, embeddings and shift, for figures.
    progress : callable(done, total, text), optional
    on_epoch : callable(text, history), optional
        For live curves, see :func:`serlab.evaluation.run`.
    cancel : threading.Event, optional

    Raises
    ------
    SerlabError
        With what is wrong and what to do.
    """
    # A wrong file is told of before features are computed.
    options = options_of(parameters, parameters.methods, progress=progress, cancel=cancel)
    prepared = prepare(parameters, progress=progress, cancel=cancel)
    utterances = prepared.utterances
    protocol = parameters.split_protocol()
    splits, skipped = protocol.plan(utterances)
    specs = [methods.get(name) for name in parameters.methods]
    audit = leakage.audit(
        utterances,
        splits,
        skipped=skipped,
        scopes={spec.normalization for spec in specs},
        audio_hash=prepared.audio_hash,
        n_compared=max(0, len(_compared(parameters)) - 1),
        pretrained_on=getattr(options.get("acoustic_model"), "provenance", {}).get("training_audio", ()),
    )
    parts = parts_folder(folder, parameters, prepared.fingerprint)
    done = evaluate(
        parameters,
        prepared,
        parameters.methods,
        splits,
        options=options,
        seeds=parameters.seeds,
        # Apart, so that a later run with details does not take up what has none.
        folder=parts if details or parts is None else parts / "without-details",
        checkpoints=checkpoints_of(parts),
        details=details,
        progress=progress,
        on_epoch=on_epoch,
        cancel=cancel,
    )
    if folder:
        files.write_table(Path(folder) / "predictions.parquet", done.predictions)
    outcome = _tables(parameters, prepared, options, skipped, audit, done, protocol)
    if folder:
        _save(outcome, Path(folder))
    return outcome


def run_with_random_split(
    parameters: Parameters,
    *,
    methods: Sequence[str],
    folder: Path | str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Outcome:
    """The same experiment with random folds of four fifths to one fifth, as some papers print it.

    To stand beside the speaker-independent one, badged: test speakers have been trained on.

    Parameters
    ----------
    parameters : Parameters
    methods : sequence of str
        Of those of the parameters, which to repeat.
    folder : path, optional
        Of the speaker-independent experiment; this one goes into ``random-split`` there.
    """
    chosen = tuple(name for name in parameters.methods if name in methods)
    return run(
        dataclasses.replace(parameters, protocol="random", folds=5, methods=chosen or parameters.methods),
        folder=None if folder is None else Path(folder) / "random-split",
        details=False,
        progress=progress,
        cancel=cancel,
    )


def scratch_folder(parameters: Parameters) -> Path:
    """Where interactive work on these parameters is kept between cells and sessions."""
    return data.cache_root() / "experiments" / parameters.digest()


def parts_folder(folder: Path | str | None, parameters: Parameters, fingerprint: str) -> Path | None:
    """Where unfinished work is kept: it may only be taken up with the same parameters, data and code."""
    if folder is None:
        return None
    text = f"{parameters.digest()} {fingerprint} {package_digest()}"
    return Path(folder) / f"parts-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def checkpoints_of(parts: Path | None) -> Path | None:
    """Where the networks of an experiment and of its few-shot curve are kept."""
    return None if parts is None else parts / "checkpoints"


def _compared(parameters: Parameters) -> list[str]:
    """Methods of the comparison: the baseline, and what uses a source (or all, where there is none)."""
    if parameters.baseline not in parameters.methods:
        return []
    return [
        name
        for name in parameters.methods
        if name == parameters.baseline or not parameters.sources or methods.get(name).access != "target-only"
    ]


def _tables(parameters, prepared, options, skipped, audit, done, protocol) -> Outcome:
    results = evaluation.score(done.predictions, done.fits)
    results = results.assign(
        paper=results["method"].map(lambda name: methods.get(name).reference),
        source="+".join(parameters.sources) or "none",
        target=parameters.target,
        protocol=parameters.protocol,
        label_scheme=parameters.scheme,
        features=[_shown(parameters.features_of(methods.get(name))) for name in results["method"]],
        preset=parameters.preset,
        device=[
            devices.resolve_device(parameters.device) if methods.get(name).input == "frames" else "cpu"
            for name in results["method"]
        ],
        version=serlab.__version__,
        corpora=prepared.fingerprint,
        parameters=parameters.digest(),
    )
    speakers = prepared.utterances["speaker"]
    summary = evaluation.summarise(done.predictions, results, speakers, pool_folds=protocol.pool_folds)
    titles = {name: methods.get(name).title for name in summary["method"]}
    summary.insert(1, "title", summary["method"].map(titles))
    summary["protocol"], summary["badge"] = parameters.protocol, protocol.badge
    compared = done.predictions[done.predictions["method"].isin(_compared(parameters))]
    if parameters.baseline in set(compared["method"]):
        comparison = evaluation.compare(
            compared, speakers, baseline=parameters.baseline, pool_folds=protocol.pool_folds
        )
        comparison.insert(1, "title", comparison["method"].map(titles))
    else:
        comparison = pd.DataFrame()
    by_method = results.loc[results["skipped"] != "", ["method", "fold", "skipped"]]
    skipped_folds = pd.concat(
        [
            pd.DataFrame([{"method": "all", "fold": s.fold, "reason": s.reason} for s in skipped]),
            by_method.rename(columns={"skipped": "reason"}).drop_duplicates(),
        ],
        ignore_index=True,
    ).reindex(columns=["method", "fold", "reason"])
    return Outcome(
        parameters=parameters,
        utterances=prepared.utterances,
        X=prepared.X,
        left_out=prepared.left_out,
        skipped_files=prepared.skipped_files,
        skipped_folds=skipped_folds,
        audit=audit,
        predictions=done.predictions,
        history=done.history,
        attention=done.attention,
        embeddings=done.embeddings,
        shift=done.shift,
        results=results,
        summary=summary,
        comparison=comparison,
        notes=prepared.notes,
        acoustic_model=options.get("acoustic_model"),
    )


def provenance(outcome: Outcome) -> pd.DataFrame:
    """What a reader needs to repeat the result: one row a fact."""
    results = outcome.results
    facts = {
        "question": f"does {' + '.join(outcome.parameters.sources) or 'the target alone'} help on "
        f"{outcome.parameters.target}?",
        "preset": outcome.parameters.preset,
        "protocol": outcome.parameters.split_protocol().title,
        "seeds": ", ".join(map(str, outcome.parameters.seeds)),
        "corpora fingerprint": results["corpora"].iloc[0],
        "parameters digest": results["parameters"].iloc[0],
        "seconds of fitting": f"{results['seconds'].sum():.0f}",
        **{
            name: importlib.metadata.version(name)
            for name in ("serlab", "opensmile", "scikit-learn", "torch", "numpy")
        },
    }
    return pd.DataFrame({"value": facts})


def headline(outcome: Outcome) -> str:
    """Answer the question in one or two sentences, from the tables alone."""
    parameters, summary = outcome.parameters, outcome.summary.set_index("method")
    pair = f"{' + '.join(parameters.sources) or 'no source'} -> {parameters.target}"
    chance = outcome.chance
    if parameters.baseline not in summary.index or outcome.comparison.empty:
        best = summary["uar"].idxmax()
        text = f"{pair}: highest UAR {_interval(summary.loc[best])} ({summary.loc[best, 'title']})"
    else:
        base = summary.loc[parameters.baseline]
        verdicts = outcome.comparison["verdict"].value_counts()
        best = outcome.comparison.loc[outcome.comparison["gain"].idxmax()]
        text = (
            f"{pair}: target alone UAR {_interval(base)}; of {len(outcome.comparison)} other methods "
            f"{verdicts.get('helps', 0)} help, {verdicts.get('hurts', 0)} hurt, "
            f"{verdicts.get('no difference shown', 0)} show no difference (Holm-corrected); largest gain "
            f"{best['gain']:+.2f} [{best['gain_low']:+.2f}, {best['gain_high']:+.2f}], corrected "
            f"p {best['p_holm']:.3f} ({best['title']})"
        )
    badge = f" [{outcome.summary['badge'].iloc[0]}]" if outcome.summary["badge"].iloc[0] else ""
    synthetic = " Synthetic corpora: not evidence about emotion." if outcome.is_synthetic else ""
    begins = ""
    if any("weights" in methods.get(name).options for name in parameters.methods):
        begins = f" VGG16 begins with {imagenet.describe(_weights(parameters))}."
    if parameters.encoder:
        begins += f" Encoder: {Path(parameters.encoder).name}, a stranger to languages it was not trained on."
    if outcome.acoustic_model is not None:
        begins += f" TDNN pretrained on {for_experiments.describe(outcome.acoustic_model)}."
    return f"{text}. Chance {chance:.2f}.{badge}{begins}{synthetic}"


def _shown(name: str) -> str:
    """Name of a feature set without the folders of this machine."""
    prefix, colon, model = name.partition(":")
    return f"{prefix}{colon}{Path(model).name}" if colon else name


def _interval(row: pd.Series) -> str:
    return f"{row['uar']:.2f} [{row['uar_low']:.2f}, {row['uar_high']:.2f}]"


def _save(outcome: Outcome, folder: Path) -> None:
    files.write_table(folder / "results.csv", outcome.results)
    files.write_table(folder / "summary.csv", outcome.summary)
    files.write_table(folder / "comparison.csv", outcome.comparison)
    files.write_table(folder / "audit.csv", outcome.audit)
    for name in ("history", "attention", "embeddings", "shift"):
        table = getattr(outcome, name)
        if len(table):
            files.write_table(folder / f"{name}.parquet", table)
    files.write_table(folder / "skipped_folds.csv", outcome.skipped_folds)
    # File names only: the path on this machine says nothing to a reader.
    files.write_table(
        folder / "skipped_files.csv", outcome.skipped_files.drop(columns="path", errors="ignore")
    )
    chosen = outcome.parameters.as_dict()
    del chosen["data"]
    for name in ("weights", "encoder", "acoustic_model"):
        chosen[name] = Path(chosen[name]).name
    text = json.dumps(
        {
            "headline": headline(outcome),
            "synthetic": outcome.is_synthetic,
            "parameters": chosen,
            "corpora": outcome.results["corpora"].iloc[0],
            "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
        indent=2,
    )
    files.write_text(folder / "headline.json", text)
