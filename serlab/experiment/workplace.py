"""One process that carries out units, and remembers the data it was given last."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock

import serlab
from serlab import data as corpus_data
from serlab import methods
from serlab.evaluation import running
from serlab.evaluation.finished import Places
from serlab.experiment import times
from serlab.experiment.preparation import Prepared, prepare
from serlab.experiment.session import Session
from serlab.experiment.work import Done, Refused, Store, Unit, unkept
from serlab.progress import UNWATCHED, Watch
from serlab.provenance import fitting_digest


@dataclass
class Workplace:
    """Where units are carried out, one after the other.

    Attributes
    ----------
    folder : Path
        Of finished units; shared with whoever asks for them, or of this machine alone.
    data : str
        Data root; empty for the default of this machine.
    sends : bool
        Whether what was computed is returned, too, and nothing left here.
    most : int
        States of data that are remembered.
    """

    folder: Path
    data: str = ""
    sends: bool = False
    most: int = 2
    _prepared: dict[str, Prepared] = field(default_factory=dict, init=False, repr=False)

    def put(self, name: str, prepared: Prepared) -> None:
        """Remember data that were sent, by :attr:`serlab.experiment.work.Unit.data`."""
        self._prepared[name] = prepared

    def has(self, name: str) -> bool:
        """Whether data are remembered."""
        return name in self._prepared

    def carry_out(self, unit: Unit, *, watch: Watch = UNWATCHED) -> Done:
        """Fit what of a unit is not on its shelf yet, and say that it is finished.

        Raises
        ------
        Refused
            If the code or the corpora here are not those of whoever asks.
        Elsewhere
            If another process is at work on it.
        Unkept
            If it cannot be written.
        SerlabError
            Why it cannot be done.
        """
        store = Store(self.folder)
        begun = time.perf_counter()
        if unit.code != fitting_digest():
            raise Refused(
                f"other code here, or other versions of its libraries (serlab {serlab.__version__}, state "
                f"{fitting_digest()}, asked for {unit.code}); install the same on all machines"
            )
        try:
            with store.claimed(unit):
                done = store.finished(unit)
                if done is None:
                    done = self._fit(unit, store, watch, begun)
                    store.note(unit, done)
                return self._packed(store, unit, done) if self.sends else done
        except OSError as error:
            if self._is_of_the_folder(error):
                raise unkept(self.folder, error) from None
            raise

    def _fit(self, unit: Unit, store: Store, watch: Watch, begun: float) -> Done:
        spec, shelf = methods.get(unit.method), store.shelf(unit)
        prepared = self._data_of(unit, watch)
        preparing = time.perf_counter() - begun
        session = Session(unit.chosen.with_values(data=self.data), prepared=prepared, units=self.folder)
        splits, _ = unit.chosen.split_protocol().plan(prepared.utterances)
        own = splits[unit.group :: unit.groups]
        run = running.run_folds(
            spec,
            unit.seed,
            splits,
            [split.fold for split in own],
            material=session.material,
            setting=session.setting([unit.method]),
            shelf=shelf,
            checkpoints=store.training(unit),
            watch=watch,
        )
        places = Places(
            stem=None, shelf=shelf, with_details=unit.seed == unit.chosen.seeds[0], looked_into=splits[0].fold
        )
        times.note(times.of_fits(run.fits, unit.chosen))
        pieces = shelf.holding(places.digests(own))
        return Done(
            seconds=time.perf_counter() - begun,
            preparing=preparing,
            fitting=float(run.fits["seconds"].sum()) if len(run.fits) else 0.0,
            folds=len(own),
            skipped=tuple(sorted(set(run.fits["skipped"]) - {""})) if len(run.fits) else (),
            pieces=tuple(pieces),
            size=sum((shelf.folder / piece).stat().st_size for piece in pieces),
        )

    def _data_of(self, unit: Unit, watch: Watch) -> Prepared:
        """Utterances and features, as remembered or read; of the corpora that were meant."""
        if unit.data not in self._prepared:
            # Beside each other, workers would extract the same features twice.
            turn = corpus_data.cache_root() / "preparing" / unit.data
            turn.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(turn):
                found = prepare(unit.chosen.with_values(data=self.data), watch=watch, with_copies=False)
            if found.fingerprint != unit.fingerprint:
                names = ", ".join((unit.chosen.target, *unit.chosen.sources))
                raise Refused(
                    f"other data here: {names} have the fingerprint {found.fingerprint}, asked for "
                    f"{unit.fingerprint}; copy the same corpora to all machines, or send them (--send-audio)"
                )
            while len(self._prepared) >= self.most:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[unit.data] = found
        self._prepared[unit.data] = self._prepared.pop(unit.data)  # the last one used stays longest
        return self._prepared[unit.data]

    def _is_of_the_folder(self, error: OSError) -> bool:
        """Whether the folder of results is at fault, and so every further unit would be lost, too."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return True
        return isinstance(error.filename, str) and self.folder in Path(error.filename).parents

    def _packed(self, store: Store, unit: Unit, done: Done) -> Done:
        folder = store.shelf(unit).folder
        content: Mapping[str, bytes] = {name: (folder / name).read_bytes() for name in done.pieces}
        shutil.rmtree(folder, ignore_errors=True)
        return replace(done, files=content)
