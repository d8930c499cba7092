"""Where an experiment's acoustic model comes from: never from its target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from serlab import experiment
from serlab.asr import acoustic_model, for_experiments
from serlab.errors import ParameterError
from tests import toys

#: Corpus -> text_id of all its utterances; of "other" nobody knows what is said.
TEXTS = {"ravdess": "ravdess/01", "emodb": "emodb/a01", "other": "other/1"}


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Corpora of each pretraining, which is none: it takes no time."""
    monkeypatch.setenv("SERLAB_CACHE", str(tmp_path))
    done: list[list[str]] = []

    def read_many(names: tuple[str, ...], root: str | None = None) -> pd.DataFrame:
        table = toys.utterance_table({name: 2 for name in names}, per_emotion=1)
        return table.assign(text_id=table["corpus"].map(TEXTS))

    def pretrain(transcribed: pd.DataFrame, **how):
        names = sorted(transcribed["corpus"].unique())
        done.append(names)
        return replace(toys.acoustic_model(5), provenance={"corpora": names, "scope": "mechanism demo"})

    monkeypatch.setattr(for_experiments.corpora, "read_many", read_many)
    monkeypatch.setattr(for_experiments, "pretrain", pretrain)
    return done


def provided(*sources: str, folder: str = "", **how):
    return for_experiments.provided(folder, sources=sources, **{"preset": "demo", "seed": 0, **how})


def test_an_experiment_pretrains_on_its_sources_and_not_on_its_target(learned):
    parameters = experiment.Parameters(
        target="emodb", sources=("ravdess",), methods=("tdnn-frozen-target", "rf-target"), preset="demo"
    )
    session = experiment.Session(parameters)
    model = session.provided["acoustic_model"]
    assert learned == [["ravdess"]] and model.provenance["corpora"] == ["ravdess"]
    without = experiment.Session(parameters.with_values(methods=("rf-target",)))
    assert "acoustic_model" not in without.provided
    assert session.setting(["rf-target"]).provided == {}
    assert len(learned) == 1, "nothing is pretrained for methods that need none"


def test_what_was_pretrained_is_found_again_for_the_same_only(learned):
    first, again = provided("ravdess"), provided("ravdess")
    assert learned == [["ravdess"]] and again.digest == first.digest
    for sources, how in ((("ravdess",), {"seed": 1}), (("ravdess", "emodb"), {}), (("emodb",), {})):
        provided(*sources, **how)
    assert learned[1:] == [["ravdess"], ["emodb", "ravdess"], ["emodb"]]
    provided("ravdess", preset="quick")
    assert len(learned) == 5


def test_sources_with_unknown_sentences_are_left_out(learned):
    assert provided("other", "ravdess").provenance["corpora"] == ["ravdess"]
    with pytest.raises(ParameterError, match=r"nothing is known of what is said in other: .*serlab pretrain"):
        provided("other")
    with pytest.raises(ParameterError, match="nothing is known of what is said in no source"):
        provided()
    assert len(learned) == 1


def test_a_given_model_is_read_and_nothing_is_pretrained(learned, tmp_path):
    model = toys.acoustic_model(5)
    model.save(tmp_path / "mine")
    assert provided("ravdess", folder=str(tmp_path / "mine")).digest == model.digest
    with pytest.raises(ParameterError, match="no acoustic model"):
        provided("ravdess", folder=str(tmp_path / "elsewhere"))
    assert learned == []


def test_an_interrupted_pretraining_leaves_no_model(learned, monkeypatch):
    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(acoustic_model.AcousticModel, "save", fail)
        with pytest.raises(KeyboardInterrupt):
            provided("ravdess")
    provided("ravdess")
    assert learned == [["ravdess"]] * 2


def test_one_line_for_a_headline():
    model = replace(
        toys.acoustic_model(5),
        provenance={
            "corpora": ["ravdess"], "training_hours": 1.26, "different_texts": 2, "scope": "mechanism demo",
            "error_rates": {"characters": 0.123},
        },
    )  # fmt: skip
    assert for_experiments.describe(model) == (
        "ravdess (1.3 h, 2 texts, character error rate of unseen speakers 0.12; mechanism demo)"
    )
    assert "character error" not in for_experiments.describe(replace(model, provenance={}))
