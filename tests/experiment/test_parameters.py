"""What a person chooses is checked at once."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from serlab import experiment, methods, papers
from serlab.errors import ParameterError
from serlab.experiment import checks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scheme": "five"}, "'scheme': 'five' is none of four"),
        ({"methods": ("rf",)}, "'methods': 'rf' is none of majority"),
        ({"baseline": "rf-pooled"}, "'baseline': 'rf-pooled' is none of majority"),
        ({"protocol": "lopo"}, "'protocol'"),
        ({"preset": "fast"}, "'preset'"),
        ({"features": "is09"}, "'features'"),
        ({"on_bad_file": "ignore"}, "'on_bad_file'"),
        ({"shots": "5"}, "'shots': '5' is not of type int"),
        ({"seeds": (True,)}, "'seeds': True is not of type int"),
        ({"methods": ()}, "at least one entry"),
        ({"seconds": -1.0}, "not a length of time; 0 cuts nothing"),
        ({"seconds": float("inf")}, "not a length of time; 0 cuts nothing"),
        ({"jobs": -1}, "'jobs': -1 is not a number of threads"),
        ({"jobs": 1_000_000}, "choose 1 to 1024"),
        ({"shots": 0}, "starts at 1"),
        ({"folds": 10**9}, "'folds': 1000000000 is no number of folds"),
        ({"seeds": (2**32,)}, "the last that libraries take"),
        ({"scheme": ("four",)}, "is not of type str"),
        ({"methods": None}, "is no list"),
        ({"data": 3}, "is no path"),
        ({"options": [1]}, "names with values"),
        ({"options": {"trade_off": float("inf")}}, "'trade_off': inf is no finite number"),
        ({"methods": ("adaptatoin",)}, "did you mean 'adaptation'"),
        ({"baseline": "rf-source"}, "learns from the target alone"),
    ],
)
def test_parameters_are_checked(parameters, change, message):
    with pytest.raises(ParameterError, match=message):
        replace(parameters, **change)


def test_groups_of_methods_and_digests(parameters):
    paper = replace(parameters, methods=("andova-lustrek",))
    assert paper.methods == papers.get("andova-lustrek").methods
    assert json.loads(json.dumps(paper.as_dict()))["methods"] == list(paper.methods)
    assert replace(parameters, jobs=2, data="").digest() == parameters.digest(), "where and how fast"
    assert replace(parameters, seeds=(3,)).digest() != parameters.digest()
    names = {**parameters.as_dict(), "something_else": 1}
    assert experiment.Parameters.from_names(names) == parameters


def test_threads_are_as_measured_unless_somebody_says_how_many(parameters):
    chosen = replace(parameters, jobs=0)
    assert (chosen.threads_of_a_fit, chosen.threads_of_features) == (1, None)
    chosen = replace(parameters, jobs=3)
    assert (chosen.threads_of_a_fit, chosen.threads_of_features) == (3, 3)


def test_a_name_that_papermill_sets_and_is_almost_a_parameter_is_refused(parameters):
    names = {**parameters.as_dict(), "In": ["", "a", "b", "c"], "targte": "urdu", "run_folder": ""}
    with pytest.raises(ParameterError, match=r"no parameter 'targte' \(did you mean 'target'"):
        experiment.Parameters.from_names(names)
    # A notebook that has run has names of its own.
    assert experiment.Parameters.from_names({**names, "In": [""] * 9}).target == parameters.target


@pytest.mark.parametrize(
    ("names", "preset", "seeds"),
    [
        (("acnn-source", "rf-source"), "paper", range(5)),
        (("vgg16-mmd",), "paper", range(10)),
        (("rf-source",), "paper", range(1)),
        (("acnn-source",), "quick", range(1)),
    ],
)
def test_without_seeds_there_are_as_many_as_the_preset_has(parameters, names, preset, seeds):
    chosen = replace(parameters, methods=names, preset=preset, seeds=(), features="logmel26")
    assert chosen.seeds == tuple(seeds) and chosen.as_dict()["seeds"] == list(seeds)
    assert chosen.digest() == replace(chosen, seeds=tuple(seeds)).digest()


def test_repeats_are_those_that_the_papers_print():
    for paper in papers.PAPERS.values():
        own = [name for name, row in paper.nearest.items() if methods.METHODS[name].input == "frames"]
        if paper.protocol.repeats is not None:
            assert {methods.repeats([name], "paper") for name in own} == {paper.protocol.repeats}


def test_what_is_cut_changes_the_digest(parameters):
    lengths = {replace(parameters, seconds=seconds).digest() for seconds in (0.0, 3.0, 7.5)}
    sets = {replace(parameters, label_sets=sets).digest() for sets in ("scheme", "shared", "any")}
    assert len(lengths) == 3 and len(sets) == 3


def test_inductive_is_a_choice_that_splits_follow(parameters):
    inductive = parameters.with_values(transductive=False)
    assert parameters.split_protocol().transductive and not inductive.split_protocol().transductive
    assert inductive.digest() != parameters.digest()
    with pytest.raises(ParameterError, match="'transductive': 0 is not of type bool"):
        parameters.with_values(transductive=0)
    with pytest.raises(ParameterError, match="'folds': True is not of type int"):
        parameters.with_values(folds=True)


def test_a_missing_library_is_named_with_what_to_install(parameters, monkeypatch):
    monkeypatch.setitem(sys.modules, "skada", None)
    with pytest.raises(ParameterError, match=r"'svm-tca' needs skada: pip install 'serlab\[adap"):
        replace(parameters, methods=("svm-tca",))


@pytest.mark.parametrize("value", [-1.0, float("nan"), "1", True])
def test_a_trade_off_below_zero_is_refused(parameters, value):
    with pytest.raises(ParameterError, match=r"trade-off|'trade_off'"):
        parameters.with_values(trade_off=value)


def test_methods_are_fed_the_features_of_the_encoder(parameters, tiny_encoder):
    pytest.importorskip("transformers", reason="the optional extra encoders is not installed")
    chosen = parameters.with_values(encoder="whisper")
    used = {
        name: chosen.features_of(methods.get(name))
        for name in ("probe-source", "layer2-source", "top-source", "tdnn-frozen-source", "rf-source")
    }
    assert used == {
        "probe-source": "encoder-speech:whisper",
        "layer2-source": "encoder-speech:whisper",
        "top-source": "encoder-frames:whisper@1",  # of three layers the upper two learn
        "tdnn-frozen-source": "mfcc40",
        "rf-source": "librosa",
    }
    assert chosen.digest() != parameters.digest()
    assert chosen.with_values(acoustic_model="mine").digest() != chosen.digest()


@pytest.mark.parametrize(
    ("encoder", "message"),
    [("", "'encoder' is empty: name the folder"), ("elsewhere", r"elsewhere.*SERLAB_MODELS")],
)
def test_a_missing_encoder_is_told_of_before_anything_is_computed(parameters, encoder, message):
    pytest.importorskip("transformers", reason="the optional extra encoders is not installed")
    for name in ("probe-source", "layer2-source", "encoder-mmd", "top-source"):
        chosen = parameters.with_values(methods=(name,), encoder=encoder)
        with pytest.raises(ParameterError, match=message):
            checks.require_sense(chosen.as_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sede": 1}, r"there is no parameter 'sede' \(did you mean 'seeds'\?\)"),
        ({"methods": ("rf-tagret",)}, r"did you mean 'rf-target'\?"),
        ({"seeds": (0, -1)}, "'seeds': -1 is below 0"),
        ({"trade_of": 1.0}, r"did you mean 'trade_off'\?"),
    ],
)
def test_what_was_meant_is_said(parameters, change, message):
    with pytest.raises(ParameterError, match=message):
        parameters.with_values(**change)


def test_a_path_is_a_data_root_too(parameters, tmp_path):
    assert parameters.with_values(data=tmp_path).data == str(tmp_path)


def test_a_session_is_of_parameters():
    with pytest.raises(ParameterError, match="a session is of Parameters"):
        experiment.Session("emodb")
