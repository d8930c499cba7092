"""Who does what, whatever becomes of workers and units: by a clock that is not that of the wall."""

from __future__ import annotations

import pytest

from serlab.experiment.work import Done
from serlab.reporting import dispatch
from serlab.reporting.backends import Answer
from serlab.reporting.dispatch import State, Stopped
from tests.reporting.crews import DONE, Simulated, lengths, sleeping


def carry_out(units, crew, **more):
    return dispatch.carry_out(units, crew, state=State(len(units)), clock=crew.clock, **more)


def test_every_unit_is_done_once_by_one_worker_at_a_time():
    units = sleeping(lengths(50), data=("a", "b", "c"))
    crew = Simulated(("one", "two", "three"))
    state = carry_out(units, crew)
    assert sorted(state.done) == list(range(50)) and not state.waiting and not state.running
    assert sorted(unit.name for _, unit in crew.given) == sorted(unit.name for unit in units)


def test_what_is_done_or_failed_before_is_not_done_again():
    units, crew = sleeping([1.0] * 4), Simulated(("one",))
    state = State(4, done={0: DONE.done}, failed={2: "why"})
    dispatch.carry_out(units, crew, state=state, clock=crew.clock)
    assert [unit.name for _, unit in crew.given] == ["unit 1", "unit 3"]


def test_a_failed_unit_does_not_stop_the_others():
    def answer(unit, worker):
        return Answer(kind="failed", reason="no luck") if unit.name == "unit 3" else DONE

    told = []
    state = carry_out(
        sleeping([1.0] * 9), Simulated(("a", "b"), answer=answer), tell=lambda s, t: told.append(t)
    )
    assert state.failed == {3: "no luck"} and len(state.done) == 8
    assert "unit 3: failed: no luck" in told


def test_a_unit_whose_worker_was_lost_is_done_again_a_few_times():
    def answer(unit, worker):
        if unit.name == "unit 1":
            return Answer(kind="lost", reason="killed")
        return Answer(kind="lost", reason="killed") if worker == "w0" else DONE

    crew = Simulated([f"w{n}" for n in range(8)], answer=answer)
    state = carry_out(sleeping([1.0] * 6), crew)
    assert sorted(state.done) == [0, 2, 3, 4, 5]
    assert state.failed == {1: f"killed, {dispatch.ATTEMPTS} times (out of memory?)"}
    assert state.lost >= dispatch.ATTEMPTS


def test_a_refused_worker_is_given_nothing_more_and_the_unit_goes_to_another():
    def answer(unit, worker):
        return Answer(kind="refused", reason="other code") if worker == "old" else DONE

    crew = Simulated(("old", "new"), answer=answer)
    state = carry_out(sleeping([1.0] * 5), crew)
    assert len(state.done) == 5 and state.refused == {"old": "other code"}
    assert [worker for worker, _ in crew.given].count("old") == 1
    with pytest.raises(Stopped, match=r"no worker may do these units: other code \(old\)"):
        carry_out(sleeping([1.0]), Simulated(("old",), answer=answer))


def test_results_that_cannot_be_kept_stop_everything():
    full = Answer(kind="unkept", reason="cannot keep results: No space left on device")
    with pytest.raises(Stopped, match="No space left"):
        carry_out(sleeping([1.0] * 5), Simulated(("a", "b"), answer=lambda unit, worker: full))

    def keep(unit, done):
        raise OSError(28, "No space left on device")

    with pytest.raises(Stopped, match="No space left"):
        carry_out(sleeping([1.0] * 5), Simulated(("a", "b")), keep=keep)


def test_without_workers_nobody_waits_for_ever():
    crew = Simulated(())
    with pytest.raises(Stopped, match="no worker is there"):
        carry_out(sleeping([1.0]), crew, alone=60.0)
    assert 60 <= crew.now < 70


def test_what_another_process_has_is_waited_for_and_then_taken_from_it():
    asked = []

    def finished(unit) -> Done | None:
        asked.append(unit.name)
        return DONE.done if len(asked) > 2 else None

    def answer(unit, worker):
        return Answer(kind="elsewhere", reason="another process") if unit.name == "unit 0" else DONE

    crew = Simulated(("a",), answer=answer)
    state = carry_out(sleeping([1.0] * 3), crew, finished=finished)
    assert sorted(state.done) == [0, 1, 2] and not state.elsewhere and asked == ["unit 0"] * 3
    assert [unit.name for _, unit in crew.given].count("unit 0") == 3


def test_workers_stay_with_their_data():
    units = sleeping([1.0] * 60, data=("a", "b", "c", "d"))
    crew = Simulated(("one", "two"), loading=5.0)
    carry_out(units, crew)
    assert crew.loads <= 4 + 2, "each state of data is loaded once, by one worker as a rule"


def test_networks_wait_for_a_gpu_where_there_is_one_and_for_nothing_where_there_is_none():
    units = sleeping([1.0] * 20, gpu=range(10))
    crew = Simulated(("cpu", "gpu"), with_gpu=("gpu",))
    carry_out(units, crew)
    assert {worker for worker, unit in crew.given if unit.gpu} == {"gpu"}
    assert {unit.gpu for worker, unit in crew.given if worker == "cpu"} == {False}
    assert len(carry_out(units, Simulated(("cpu",))).done) == 20


@pytest.mark.parametrize(("workers", "n"), [(2, 1_000), (100, 10_000)])
def test_workers_are_busy_until_the_end(workers: int, n: int):
    """10,000 units on 100 workers: within 3 % of what no schedule can be better than."""
    seconds = lengths(n)
    units = sleeping(seconds, data=[f"pair {k}" for k in range(30)])
    crew = Simulated([f"w{k}" for k in range(workers)], loading=5.0, latency=0.05)
    carry_out(units, crew, seconds=dict(enumerate(seconds)))
    least = max(max(seconds), sum(seconds) / workers)
    overhead = (crew.loads * 5.0 + n * 0.05) / workers
    assert crew.now <= 1.03 * (least + overhead)
    assert crew.loads <= 3 * max(30, workers)
