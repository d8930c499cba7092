"""Units on workers of Dask: in threads here, since what is theirs is tested and not Dask itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from serlab.errors import ParameterError
from serlab.experiment import work, workplace
from serlab.experiment.work import Done
from serlab.reporting import backends, carrying, dispatch, plans
from serlab.reporting.backends import Place, on_dask
from serlab.reporting.dispatch import State
from tests.reporting.test_carrying import ROWS, predictions

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1",
        protocol="tcp", silence_logs=50,
    ) as cluster:  # fmt: skip
        yield cluster


@pytest.fixture
def place(tmp_path, small_corpora, cluster) -> Place:
    address = cluster.scheduler_address
    return Place(units=tmp_path / "units", data=str(small_corpora), scheduler=address)


@pytest.fixture
def plan() -> plans.Plan:
    return plans.of_rows(ROWS, name="small")


@pytest.mark.parametrize("sends", ["", "features", "audio", "audio where it is read"])
def test_a_plan_ends_as_on_this_machine_whatever_is_shared(
    plan, place, tmp_path, sends, cluster, small_corpora, monkeypatch
):
    said = []
    monkeypatch.setattr(work.Unit, "reads_audio", property(lambda unit: sends == "audio where it is read"))
    sending = replace(place, sends=bool(sends), sends_audio=sends == "audio")
    done = carrying.run(
        plan, place=sending, backend="dask", out=tmp_path, say=lambda line, text: said.append(text)
    )
    told = [text for text in said if text.startswith("sent to ")]
    assert all("MB)" in text for text in told) and len(told) == len(set(told))  # once a worker
    if sends == "audio":
        roots = [Path(own.local_directory) / "serlab-data" for own in cluster.workers.values()]
        there = {path.name for root in roots for path in root.glob("*/*")}
        assert told and there == {path.name for path in Path(small_corpora).iterdir()}
    elif not sends.startswith("audio"):
        assert not told
    assert len(done.state.done) == len(plan.units(data=place.data)) and not done.state.failed
    here = workplace.Workplace(tmp_path / "here", data=place.data)
    for unit in plan.units(data=place.data):
        here.carry_out(unit)
    local = predictions(Place(units=here.folder, data=place.data), plan)
    pd.testing.assert_frame_equal(predictions(place, plan), local)


def test_other_data_are_refused_by_worker_and_named(plan, place, tmp_path, monkeypatch):
    units = [replace(unit, fingerprint="another") for unit in plan.units(data=place.data)]
    with backends.get("dask").open(place) as crew, pytest.raises(dispatch.Stopped, match="other data here"):
        dispatch.carry_out(units, crew, state=State(len(units)))


class Sleeps:
    """Stands for a workplace: waits a little, and sometimes fails."""

    def __init__(self, folder, data="", sends=False):
        self.folder, self.data, self.sends = folder, data, sends

    def has(self, name):
        return True

    def carry_out(self, unit) -> Done:
        if unit.method == "unit 7":
            raise ValueError("a bug")
        return Done(seconds=0.0, preparing=0.0, fitting=0.0, folds=0)


def test_a_bug_fails_its_unit_alone(place, monkeypatch, plan):
    monkeypatch.setattr(workplace, "Workplace", Sleeps)
    (unit, *_) = plan.units(data=place.data)
    units = [replace(unit, method=f"unit {n}") for n in range(12)]
    monkeypatch.setattr(type(unit), "data", "same")
    monkeypatch.setattr(type(unit), "wants_gpu", False)
    monkeypatch.setattr(type(unit), "name", "same")
    with backends.get("dask").open(replace(place, units=place.units / "others")) as crew:
        state = dispatch.carry_out(units, crew, state=State(len(units)))
    assert state.failed == {7: "ValueError: a bug"} and len(state.done) == 11


def test_a_scheduler_that_is_not_there_is_named_with_what_to_start(place, plan, tmp_path, monkeypatch):
    monkeypatch.setattr(on_dask, "_ANSWERS", 0.2)
    with pytest.raises(
        ParameterError, match=r"no scheduler answers at tcp://127.0.0.1:9 .*start one: dask scheduler"
    ):
        carrying.run(plan, place=replace(place, scheduler="tcp://127.0.0.1:9"), backend="dask", out=tmp_path)


def test_a_scheduler_that_goes_ends_the_plan_with_a_sentence(place, plan):
    units = plan.units(data=place.data)
    with backends.get("dask").open(place) as crew:
        crew.client.close()
        with pytest.raises(backends.CrewLost, match=r"scheduler \(tcp://.*\) is gone; what is finished"):
            dispatch.carry_out(units, crew, state=State(len(units)))


def test_an_answer_that_a_killed_worker_took_with_it_is_not_waited_for(place, plan):
    """Dask says that it is ready, its worker dies, and nobody makes it again."""

    class Lost:
        status = "finished"

        def add_done_callback(self, done) -> None:
            done(self)

        def result(self, timeout=None) -> None:
            assert timeout is not None, "forever"
            raise distributed.TimeoutError

        def cancel(self) -> None:
            pass

    class Client:
        status = "running"

        def submit(self, *arguments, **options) -> Lost:
            return Lost()

        def scheduler_info(self, **options) -> dict:
            return {"workers": {}}

    crew = on_dask.Workers(Client(), place)
    crew.give("tcp://127.0.0.1:9", plan.units(data=place.data)[0])
    (event,) = crew.wait(0.1)
    assert (event.worker, event.answer.kind, event.answer.reason) == (
        "tcp://127.0.0.1:9", "lost", "the worker is gone",
    )  # fmt: skip
