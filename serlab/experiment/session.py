"""A session: parameters, where work is kept, and who watches; everything is run through it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

import pandas as pd
from torch import Tensor

from serlab import contents, evaluation, methods
from serlab import data as corpus_data
from serlab.errors import ParameterError
from serlab.evaluation import Material, Setting
from serlab.evaluation.shelf import Shelf
from serlab.experiment import running, sharing, times
from serlab.experiment.kept import Kept, rounded
from serlab.experiment.outcome import Outcome, without_paths
from serlab.experiment.parameters import Parameters
from serlab.experiment.preparation import OF_DATA, NotKept, Prepared, prepare
from serlab.features import augmentation
from serlab.methods import OPTIONS, Asked, MethodSpec
from serlab.progress import OnEpoch, Progress, Watch
from serlab.protocols import Split
from serlab.provenance import package_digest
from serlab.training.devices import resolve_device


@dataclass(frozen=True)
class Session:
    """An experiment that can be prepared, run, and asked further questions.

    Notebooks, panels, the command line and studies all hold one, which is why
    they all get the same predictions.

    Attributes
    ----------
    parameters : Parameters
    folder : path, optional
        Where predictions.parquet and the other tables go. Finished methods
        are kept there too (``parts-*``), so that the same session resumes, or
        comes back at once when nothing is left to do.
    progress : callable(done, total, text), optional
    on_epoch : callable(text, history), optional
        For live curves: what is being fitted, and its epochs so far.
    cancel : threading.Event, optional
    prepared : Prepared, optional
        Utterances and features that are at hand; read from the corpora without.
    units : path, optional
        Folder in which finished fits are shared with all other sessions, reports and plans, see
        :mod:`serlab.experiment.sharing`. Default: that of the user; none for a session that was handed
        its data, since nobody knows where they are from.
    study : str
        Name of the study that this session is part of, for :mod:`serlab.experiment.times`.

    Examples
    --------
    >>> session = Session(Parameters(target="urdu", sources=("emodb",)))
    >>> outcome = session.run()  # doctest: +SKIP
    >>> print(outcome.headline)  # doctest: +SKIP
    """

    parameters: Parameters
    folder: Path | str | None = field(default=None, kw_only=True)
    progress: Progress | None = field(default=None, kw_only=True, repr=False, compare=False)
    on_epoch: OnEpoch | None = field(default=None, kw_only=True, repr=False, compare=False)
    cancel: Event | None = field(default=None, kw_only=True, repr=False, compare=False)
    prepared: Prepared | None = field(default=None, kw_only=True, repr=False, compare=False)
    units: Path | str | None = field(default=None, kw_only=True, repr=False, compare=False)
    study: str = field(default="", kw_only=True, compare=False)
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.parameters, Parameters):
            raise ParameterError(f"a session is of Parameters(target=..., ...), not of {self.parameters!r}")

    def run(
        self, *, with_details: bool = True, with_controls: bool = True, with_giveaways: bool = True
    ) -> Outcome:
        """Fit all methods on all splits, compare them, and write the tables into the folder.

        Parameters
        ----------
        with_details : bool
            Whether to keep attention, embeddings and shift, for figures.
        with_controls : bool
            Whether methods are run, too, that the chosen ones have to be compared with.
        with_giveaways : bool
            Whether it is asked what gives labels away in the corpora themselves (seconds a corpus).

        Raises
        ------
        SerlabError
            With what is wrong and what to do.
        Cancelled
            Finished work stays in the folder.
        """
        return running.run(
            self,
            with_details=with_details,
            with_controls=with_controls,
            with_giveaways=with_giveaways,
        )

    def prepare(self) -> Prepared:
        """Utterances with classes and features, read once.

        Raises
        ------
        CorpusError, LabelError, AudioError
            See :func:`serlab.experiment.prepare`.
        """
        return self._prepared

    @cached_property
    def _prepared(self) -> Prepared:
        if self.finished is not None:
            return self.finished.prepared()
        found = prepare(self.parameters, watch=self.watch) if self.prepared is None else self.prepared
        if self.record is not None:
            self.record.begin(self._basis_of(found))
            self.record.write_prepared(found, without_paths(self.parameters))
        return found

    @cached_property
    def record(self) -> Kept | None:
        """What the folder keeps, to be made again from; None without a folder."""
        return None if self.folder is None else Kept(Path(self.folder))

    @cached_property
    def finished(self) -> Kept | None:
        """The record of a complete run, which answers then, without reading or fitting; None without one.

        Raises
        ------
        NotKept
            If that run is one with other parameters.
        """
        if self.record is None:
            return None
        self.record.mend()
        if not self.record.is_complete:
            return None
        self.record.require(without_paths(self.parameters))
        return self.record

    def keep(self, name: str, compute: Callable[[], pd.DataFrame], *, also: Any = None) -> pd.DataFrame:
        """A table that is kept in the folder; of a finished run it is read from there.

        For what needs features, a network or time, so that a report can be
        made again without them.

        Parameters
        ----------
        name : str
        compute : callable() -> DataFrame
        also : JSON value, optional
            All that the answer depends on beside this session's parameters and data: then it is shared with
            other reports and panels, as fits are. Not shared without.

        Raises
        ------
        NotKept
            If a finished run does not keep it.
        """
        return self.keep_all(name, lambda: {name: compute()}, also=also)[name]

    def keep_all(
        self, name: str, compute: Callable[[], Mapping[str, pd.DataFrame]], *, also: Any = None
    ) -> Mapping[str, pd.DataFrame]:
        """The same for several tables, by their names."""
        record = self.record if self.finished is None else self.finished
        timed = self._timed(name, lambda: self._shared_answers(name, compute, also))
        return timed() if record is None else record.answers(name, timed)

    def _shared_answers(
        self, name: str, compute: Callable[[], Mapping[str, pd.DataFrame]], also: Any
    ) -> Mapping[str, pd.DataFrame]:
        if also is None or self.units_folder is None:
            return compute()
        address = sharing.address_of_study(self._shared, self.parameters, name, also, code=self._code)
        if address is None:
            return compute()
        return sharing.kept_tables(sharing.shelf(self.units_folder, address).folder / "study.zip", compute)

    def _timed(
        self, name: str, compute: Callable[[], Mapping[str, pd.DataFrame]]
    ) -> Callable[[], Mapping[str, pd.DataFrame]]:
        def timed() -> Mapping[str, pd.DataFrame]:
            began = time.monotonic()
            tables = compute()
            seconds = time.monotonic() - began
            # Pieces may have been found: the longest is that of all of them.
            known = times.study_exactly(name, self.parameters)
            times.note(times.of_study(name, max(seconds, known), self.parameters))
            return tables

        return timed

    @property
    def material(self) -> Material:
        """What methods are fed from: the prepared utterances and features."""
        return self.prepare().material

    @cached_property
    def provided(self) -> Mapping[str, Any]:
        """What methods are given for their options, by name; nothing where the session is finished."""
        return {} if self.finished is not None else self._provide(self.parameters.asked())

    def _provide(self, names: Iterable[str]) -> dict[str, Any]:
        parameters = self.parameters
        for name in names:
            if name not in self._known:
                asked = Asked(
                    value=parameters.options[name],
                    sources=parameters.sources,
                    target=parameters.target,
                    preset=parameters.preset,
                    seed=parameters.seeds[0],
                    data=parameters.data,
                    device=parameters.device,
                    options=parameters.options,
                    progress=self.progress,
                    cancel=self.cancel,
                )
                self._known[name] = OPTIONS[name].provide(asked)
        return {name: self._known[name] for name in names}

    @property
    def watch(self) -> Watch:
        """Who looks on."""
        return Watch(progress=self.progress, on_epoch=self.on_epoch, cancel=self.cancel)

    def setting(self, names: Iterable[str], *, seeds: Sequence[int] | None = None) -> Setting:
        """How methods are run.

        Parameters
        ----------
        names : iterable of str
            Of the methods, for what they are given.
        seeds : sequence of int, optional
            Others than the parameters'.
        """
        parameters = self.parameters
        asked = dict.fromkeys(option for name in names for option in methods.get(name).options)
        return Setting(
            seeds=parameters.seeds if seeds is None else tuple(seeds),
            preset=parameters.preset,
            n_jobs=parameters.threads_of_a_fit,
            device=resolve_device(parameters.device),
            augment=_batch_augmentation(parameters),
            values=parameters.options,
            provided=self._provide(asked),
            run_id=parameters.digest(),
        )

    def evaluate(
        self,
        names: Sequence[str],
        splits: Sequence[Split],
        *,
        seeds: Sequence[int] | None = None,
        kept_in: str = "",
        with_details: bool = False,
    ) -> evaluation.Run:
        """Fit methods on splits of the prepared data, as the parameters say.

        Parameters
        ----------
        names : sequence of str
            Of :data:`serlab.methods.METHODS`.
        splits : sequence of Split
        seeds : sequence of int, optional
            Others than the parameters'.
        kept_in : str
            Folder for finished work, see :meth:`kept`.
        with_details : bool
            Whether to keep what figures show besides answers.
        """
        folds = [split.fold for split in splits]
        asked = self.parameters.seeds if seeds is None else tuple(seeds)
        if self.finished is not None:
            return self.finished.run(kept_in, names, folds, asked)
        done = evaluation.run(
            [methods.get(name) for name in names],
            splits,
            material=self.material,
            setting=self.setting(names, seeds=seeds),
            # Apart, so that a later run with details does not take up what has none.
            folder=self.kept(kept_in or ("" if with_details else "without-details")),
            checkpoints=self.kept("checkpoints"),
            shelves=self.shelf,
            with_details=with_details,
            watch=self.watch,
        )
        part = "/".join(filter(None, (self.study, kept_in)))
        seconds = float(done.fits["seconds"].sum())
        times.note(
            times.of_study(f"{part}/{'+'.join(names)}", seconds, self.parameters)
            if part
            else times.of_fits(done.fits, self.parameters)
        )
        if self.record is None:
            return rounded(done)
        self.record.write_run(kept_in, done)
        del done  # of a large corpus two of them are much
        return self.record.run(kept_in, names, folds, asked)

    @cached_property
    def units_folder(self) -> Path | None:
        """Where finished fits are shared; None where they are not."""
        if self.units is not None:
            return Path(self.units)
        return sharing.root() if self.prepared is None else None

    def shelf(self, spec: MethodSpec, seed: int) -> Shelf | None:
        """Where finished folds of a method and seed are shared; None where they are not."""
        if self.units_folder is None or not sharing.of_package(spec):
            return None
        return sharing.shelf(self.units_folder, sharing.address(self._shared, self.parameters, spec, seed))

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return sharing.basis(self.parameters, fingerprint=self.prepare().fingerprint)

    def kept(self, name: str) -> Path | None:
        """Where finished pieces of unfinished work go; None without a folder.

        They may only be taken up with the same parameters, data and code: another state of any of these
        has another place.
        """
        if self.folder is None:
            return None
        return Path(self.folder) / self._parts / name

    @property
    def _parts(self) -> str:
        return f"parts-{self._basis_of(self.prepare())}"

    def _basis_of(self, prepared: Prepared) -> str:
        """Equal where parameters, data and code are."""
        text = f"{self.parameters.digest()} {prepared.fingerprint} {self._code}{self._given}"
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @cached_property
    def _code(self) -> str:
        return package_digest()

    @cached_property
    def _given(self) -> str:
        """What the files hold that options name: weights, an acoustic model."""
        paths = [str(self.parameters.options[name]) for name, option in OPTIONS.items() if option.is_path]
        return contents.of_paths(paths, cache=corpus_data.cache_root())

    def beside(self, name: str, **values: Any) -> Session:
        """A session with other values of some parameters, in a folder of its own below this one.

        Parameters
        ----------
        name : str
            Of that folder.
        **values
            See :meth:`Parameters.with_values`.

        Raises
        ------
        NotKept
            If this session is finished and that folder is not: nothing is fitted to answer.
        """
        parameters = self.parameters.with_values(**values)
        folder = None if self.folder is None else Path(self.folder) / name
        if self.finished is not None and not (folder and Kept(folder).is_complete):
            raise NotKept(f"{self.finished.folder.name} keeps no run {name!r}")
        known = self.__dict__.get("_prepared", self.prepared)
        return Session(
            parameters,
            folder=folder,
            progress=self.progress,
            on_epoch=self.on_epoch,
            cancel=self.cancel,
            prepared=known if known is not None and self._same_data(parameters, known) else None,
            units=self.units_folder,
            study=name,
        )

    def _same_data(self, parameters: Parameters, known: Prepared) -> bool:
        """Whether what is prepared here is what other parameters ask for."""
        brought = {spec.feature_set(parameters.options) for spec in parameters.specs()} - {""}
        # The first seed is that of augmented audio.
        same_copies = not parameters.augment or parameters.seeds[0] == self.parameters.seeds[0]
        return (
            same_copies
            and brought <= set(known.further)
            and all(getattr(parameters, name) == getattr(self.parameters, name) for name in OF_DATA)
        )


def scratch_folder(parameters: Parameters) -> Path:
    """Where interactive work on these parameters is kept between cells and sessions."""
    return corpus_data.cache_root() / "experiments" / parameters.digest()


def _batch_augmentation(parameters: Parameters) -> Callable[..., Tensor] | None:
    """What networks apply to their training batches; None where only audio is changed, or nothing."""
    on_batches = any(not augmentation.parse(name).on_audio for name in parameters.augment)
    return augmentation.spec_augment if on_batches else None
