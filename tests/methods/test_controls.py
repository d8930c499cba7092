"""What is aligned has a control that does all it does but align."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from serlab.methods import METHODS
from serlab.training.learner import Learner
from tests.methods import test_contract as contract

pytestmark = pytest.mark.usefixtures("thin_vgg16", "tiny_encoder")

#: Whatever the family, so that no new one is forgotten.
ALIGNED = [name for name, spec in METHODS.items() if spec.adds == "alignment"]
SMALL = {
    "source": contract.corpus("a", 24, seed=0),
    "target_train": contract.corpus("t", 6, seed=1, speakers=1, shift=0.3),
    "test": contract.corpus("t", 10, seed=2, shift=0.3),
}

#: Method and options -> optimisation steps of its fit, and its answers.
Fit = Callable[..., tuple[int, np.ndarray]]


@pytest.fixture(scope="module")
def fit() -> Iterator[Fit]:
    known: dict[tuple, tuple[int, np.ndarray]] = {}
    with pytest.MonkeyPatch.context() as patch:
        steps, step = [], Learner.step
        patch.setattr(Learner, "step", lambda *args, **given: (steps.append(1), step(*args, **given)))

        def fitted(name: str, **options: float) -> tuple[int, np.ndarray]:
            what = (name, *options.items())
            if what not in known:
                spec, before = METHODS[name], len(steps)
                arguments, X = contract.given(spec, **SMALL)
                proba = contract.build(spec, **options).fit(**arguments).predict_proba(X)
                known[what] = (len(steps) - before, proba)
            return known[what]

        yield fitted


@pytest.mark.parametrize("name", ALIGNED)
def test_without_its_alignment_a_method_is_its_control(name: str, fit: Fit) -> None:
    """As many steps; and with lambda 0, where there is one, the same answers to the last bit."""
    spec = METHODS[name]
    traded = "trade_off" in spec.options
    steps, answers = fit(name, **({"trade_off": 0.0} if traded else {}))
    of_control, expected = fit(spec.control)
    assert steps == of_control, "the gain of more training is not one of alignment"
    assert bool(steps) == traded, "what is trained in steps has a lambda"
    if traded:
        np.testing.assert_array_equal(answers, expected)
