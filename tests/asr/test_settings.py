"""How a pretraining is chosen: one record, the same from a notebook and from the command line."""

from __future__ import annotations

import argparse
import json

import pytest

from serlab.asr.settings import FIELDS, PRESETS, Pretraining, check, of_preset
from serlab.cli import pretraining as command
from serlab.errors import ParameterError
from serlab.experiment import Parameters


def test_the_preset_paper_has_what_is_printed_and_what_the_recipe_has():
    paper = PRESETS["paper"]
    assert (paper.architecture, paper.loss, paper.epochs, paper.rank) == ("paper", "lf-mmi", 6, 100), (
        "printed"
    )
    assert (paper.n_components, paper.subsampling, paper.leaky, paper.cross_entropy) == (512, 3, 0.1, 0.1)
    assert (paper.speed, paper.volume) == ((0.9, 1.1), (0.125, 2.0))
    assert json.loads(json.dumps(paper.as_dict())) == paper.as_dict()


def test_each_setting_can_be_otherwise():
    text = (
        "architecture=demo subsampling=1 loss=lf-mmi leaky=0.2 cross_entropy=0 ngram_order=3 ivectors=no "
        "n_components=8 rank=4 ivector_window=10 speed=0.95 volume=0.5,1.5 epochs=2 batch_size=4 "
        "learning_rate=1e-4"
    )
    changed = PRESETS["paper"].with_text(text)
    assert {part.partition("=")[0] for part in text.split()} == set(FIELDS), "all of them"
    assert changed == Pretraining(
        architecture="demo", subsampling=1, loss="lf-mmi", leaky=0.2, ngram_order=3, ivectors=False,
        n_components=8, rank=4, ivector_window=10, speed=(0.95,), volume=(0.5, 1.5), epochs=2, batch_size=4,
        learning_rate=1e-4,
    )  # fmt: skip
    assert PRESETS["paper"].with_text("speed= volume=").speed == (), "nothing after the sign: none"
    assert PRESETS["paper"].with_text("") == PRESETS["paper"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch=3", r"no setting 'epoch' \(did you mean 'epochs'\?\); known: architecture"),
        ("epochs", "'epochs' is not of the form NAME=VALUE"),
        ("epochs=three", "epochs='three' is not a whole number"),
        ("epochs=2.5", "epochs='2.5' is not a whole number"),
        ("leaky=x", "leaky='x' is not a number"),
        ("leaky=nan", "leaky is nan; choose 0 or more"),
        ("ivectors=maybe", "ivectors='maybe' is not yes or no"),
        ("speed=0.9,fast", "is not numbers with commas"),
        ("speed=1", "choose from 0.5 to 2, without 1"),
        ("speed=3", "choose from 0.5 to 2"),
        ("volume=2", "give the least and the greatest factor"),
        ("volume=2,0.5", "give the least and the greatest factor"),
        ("epochs=0", "epochs is 0; choose 1 or more"),
        ("learning_rate=0", "learning_rate is 0.0; choose above 0"),
        ("loss=mmi", "unknown loss 'mmi'; known: ctc, lf-mmi"),
        ("loss=ctc", "choose loss=lf-mmi, or cross_entropy=0"),
    ],
)
def test_what_makes_no_sense_is_named_with_what_to_do(text, message):
    with pytest.raises(ParameterError, match=message):
        PRESETS["paper"].with_text(text)


def test_an_experiment_refuses_what_no_preset_can_have_before_anything_is_computed():
    for fine in ("", "epochs=3", "loss=ctc", "cross_entropy=0.1"):  # some preset can
        check(fine)
    with pytest.raises(ParameterError, match="no setting 'leak'"):
        Parameters(target="urdu", sources=("ravdess",), options={"pretraining": "leak=0.1"})
    chosen = Parameters(target="urdu", sources=("ravdess",), options={"pretraining": "epochs=3"})
    assert chosen.digest() != chosen.with_values(pretraining="").digest()
    with pytest.raises(ParameterError, match="known: demo, quick, paper"):
        of_preset("fast")


def test_the_command_asks_for_the_same_record():
    parser = argparse.ArgumentParser()
    command.COMMANDS[0].declare(parser)
    words = ["model", "--preset", "paper", "-s", "speed=0.95", "--epochs", "2", "--no-ivectors"]
    asked = command.settings_of(parser.parse_args(words))
    assert asked == PRESETS["paper"].with_text("speed=0.95 epochs=2 ivectors=no")
    assert command.settings_of(parser.parse_args(["model"])) == PRESETS["quick"]
