"""A plan carried out: its units on a backend, then the reports that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serlab.errors import SerlabError
from serlab.experiment.work import Store, Unit
from serlab.progress import Progress
from serlab.reporting import backends, dispatch, estimates, records, runs
from serlab.reporting.backends import Place
from serlab.reporting.dispatch import State
from serlab.reporting.plan_page import Page
from serlab.reporting.plans import Plan


class PlanIncomplete(SerlabError):
    """Some of a plan has failed; all else is done.

    Attributes
    ----------
    page : Path
        Which says what and why.
    """

    def __init__(self, message: str, page: Path) -> None:
        super().__init__(message)
        self.page = page


@dataclass(frozen=True)
class Carried:
    """What has become of a plan.

    Attributes
    ----------
    state : State
    page : Path
    reports : tuple of Path
        Folders of runs.
    """

    state: State
    page: Path
    reports: tuple[Path, ...]


def run(
    plan: Plan,
    *,
    place: Place,
    backend: str = "local",
    out: Path | str = "reports",
    retry_failed: bool = False,
    with_reports: bool = True,
    say: Callable[[str, str], None] = lambda line, text: None,
    progress: Progress | None = None,
) -> Carried:
    """Carry out a plan; the same call goes on where an earlier one stopped, on any backend.

    Parameters
    ----------
    plan : Plan
    place : Place
        Where its units are kept, and with what they are computed.
    backend : str
        Of :data:`serlab.reporting.backends.BACKENDS`.
    out : path
        Folder of all reports; the plan's page is ``<out>/plans/<name>/index.html``.
    retry_failed : bool
        Try again what has failed before.
    with_reports : bool
        Whether the notebooks that the plan names are run when their units are done.
    say : callable(line, text)
        Told how far it is and what has happened.
    progress : callable(done, total, text), optional
        Of the notebooks.

    Returns
    -------
    Carried

    Raises
    ------
    ParameterError
        Before anything is computed.
    Stopped
        If it cannot go on at all.
    PlanIncomplete
        At the end, if units or reports failed.
    KeyboardInterrupt
        When the workers have ended, too.
    """
    open_crew = backends.get(backend).open
    store, out = Store(place.units), Path(out)
    store.require_writable()
    by_experiment = plan.by_experiment(data=place.data)
    units = list({unit.name: unit for own in by_experiment for unit in own}.values())
    state = _begun(units, store, retry_failed=retry_failed)
    known = estimates.of(store, out)
    expected = {n: s for n, unit in enumerate(units) if (s := known.seconds(unit)) is not None}
    page = Page(
        out / "plans" / plan.name / "index.html", plan.name, units, expected=expected, workers=place.workers
    )
    noted = set(state.failed)

    def tell(now: State, text: str) -> None:
        for number in now.failed.keys() - noted:
            noted.add(number)
            store.note_failure(units[number], now.failed[number])
        page.show(now)
        say(page.line(now), text)

    try:
        page.show(state)
    except OSError as error:
        raise records.unwritable(out, error) from None
    over = "stopped"
    try:
        if state.waiting:
            with open_crew(place) as crew:
                page.dashboard = crew.dashboard
                say(
                    page.line(state),
                    f"progress: {page.path}" + (f", {crew.dashboard}" if crew.dashboard else ""),
                )
                dispatch.carry_out(
                    units,
                    crew,
                    state=state,
                    seconds=expected,
                    tell=tell,
                    keep=store.take if place.sends else lambda unit, done: None,
                    finished=store.finished,
                )
        over = "incomplete" if state.failed else "complete"
    except KeyboardInterrupt:
        over = "interrupted"
        raise
    except OSError as error:
        raise records.unwritable(out, error) from None
    finally:
        state.running.clear()
        _show_end(page, state, over)
    made, not_made = (
        _reports(plan, by_experiment, units, state, out=out, data=place.data, progress=progress)
        if with_reports
        else ([], [])
    )
    if state.failed or not_made:
        raise PlanIncomplete(_what_failed(state, units, not_made), page.path)
    store.tidy(units)
    return Carried(state, page.path, tuple(made))


def _begun(units: Sequence[Unit], store: Store, *, retry_failed: bool) -> State:
    """What is finished, or has failed, before anything is done."""
    state = State(len(units))
    for number, unit in enumerate(units):
        done = store.finished(unit)
        if done is not None:
            state.done[number] = done
        elif retry_failed:
            store.forget_failure(unit)
        elif reason := store.failure(unit):
            state.failed[number] = reason
    return state


def _show_end(page: Page, state: State, over: str) -> None:
    try:
        page.show(state, over=over)
    except OSError:  # the disk is full, and there is a better message on its way
        return


def _reports(
    plan: Plan,
    by_experiment: Sequence[Sequence[Unit]],
    units: Sequence[Unit],
    state: State,
    *,
    out: Path,
    data: str,
    progress: Progress | None,
) -> tuple[list[Path], list[str]]:
    """Folders of the reports that were made, and why others were not."""
    failed = {units[number].name for number in state.failed}
    made, not_made = [], []
    for experiment, own in zip(plan.experiments, by_experiment, strict=True):
        if not experiment.notebook:
            continue
        lacking = [unit for unit in own if unit.name in failed]
        if lacking:
            not_made.append(f"{experiment.title}: {len(lacking)} of its units failed")
            continue
        try:
            made.append(
                runs.run(experiment.notebook, experiment.given, out=out, data=data or None, progress=progress)
            )
        except SerlabError as error:
            not_made.append(f"{experiment.title}: {error}")
    return made, not_made


def _what_failed(state: State, units: Sequence[Unit], not_made: Sequence[str]) -> str:
    said = []
    if state.failed:
        first, reason = next(iter(state.failed.items()))
        said.append(
            f"{len(state.failed)} of {len(units)} units failed, as {units[first].title}: {reason}; "
            "--retry-failed tries them again"
        )
    if not_made:
        said.append(f"reports that were not made: {'; '.join(not_made)}")
    return ". ".join(said)
