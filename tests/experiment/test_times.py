"""How long things took: noted, found again, and summed up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from serlab.experiment import Parameters, times


@pytest.fixture
def parameters() -> Parameters:
    return Parameters(
        target="b", sources=("a",), methods=("rf-source", "rf-target"), seeds=(0, 1), preset="demo"
    )


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path / "cache"))


def test_fits_are_summed_over_folds_and_seeds(parameters) -> None:
    fits = pd.DataFrame({"method": ["rf-source", "rf-source", "majority"], "seconds": [1.0, 3.0, 0.5]})
    times.note(times.of_fits(fits, parameters))
    asked = {
        "methods": ["rf-source", "majority", "dbn"], "n_folds": 5, "stochastic": ["rf-source"],
        "n_utterances": {"a": 300, "b": 200, "c": 100}.get,
    }  # fmt: skip
    found = times.estimate(parameters, **asked)
    assert found.seconds == pytest.approx(5 * (2 * 2.0 + 0.5))
    assert found.unknown == ("dbn",)
    elsewhere = parameters.with_values(target="c")
    assert times.estimate(elsewhere, **asked).seconds == found.seconds, "until it has been run there"
    times.note(times.of_fits(fits.assign(seconds=7.0), elsewhere))
    assert times.estimate(parameters, **asked).seconds == found.seconds
    paper = parameters.with_values(preset="paper")
    assert set(times.estimate(paper, **asked).unknown) == {"rf-source", "majority", "dbn"}


def test_features_that_a_corpus_lacks_are_counted(parameters) -> None:
    def seconds(chosen: Parameters) -> float:
        sizes = {"a": 300, "b": 200, "c": 100}.get
        names = ["rf-source"]
        return times.estimate(chosen, methods=names, n_folds=1, stochastic=[], n_utterances=sizes).seconds

    assert seconds(parameters) == 0
    times.note(times.of_features(parameters.features, ["a"], made=50, seconds=25.0))
    assert seconds(parameters) == pytest.approx(0.5 * 200), "a has them"
    times.note(times.of_features(parameters.features, ["b"], made=2, seconds=60.0))
    assert seconds(parameters) == 0
    assert seconds(parameters.with_values(target="c")) == pytest.approx(0.5 * 100), "two are no rate"


def test_a_study_is_the_sum_of_what_it_keeps(parameters) -> None:
    chosen = parameters.with_values(studies=("few-shot", "trade-off"))
    assert times.study("few-shot", chosen) is None
    for method, seconds in (("a", 3.0), ("b", 4.0)):
        times.note(times.of_study(f"few-shot/{method}", seconds, chosen))
    times.note(times.of_study("probes", 100.0, chosen))
    assert times.study("few-shot", chosen) == 7.0
    assert times.study("few-shot", chosen.with_values(target="c")) == 7.0
    found = times.estimate(chosen, methods=[], n_folds=5, stochastic=[], n_utterances=len)
    assert (found.seconds, found.unknown) == (7.0, ("trade-off",))
    assert times.study_exactly("probes", chosen) == 100.0


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": "b", "c": -1, "d": 2}'])
def test_a_damaged_file_is_no_trouble(tmp_path: Path, text: str) -> None:
    (tmp_path / times.FILE).write_text(text, encoding="utf-8")
    assert times.read(tmp_path) == ({"d": 2.0} if "d" in text else {})
    times.note({"x": 1.0}, tmp_path)
    assert times.read(tmp_path)["x"] == 1.0


def test_where_nothing_can_be_written_nothing_is_noted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    times.note({"x": 1.0}, tmp_path / "file")
    assert times.read(tmp_path / "file") == {}
