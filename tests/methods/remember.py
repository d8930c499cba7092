"""Write down what methods answer in the contract test (``python -m tests.methods.remember``).

What is there already stays, and new methods are added. With ``--all`` it is
written anew: for a change that is meant to change numbers, which then shows in
the diff of the test's data.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from serlab.methods import METHODS
from serlab.models import vgg16
from tests import remembered, tiny_encoders
from tests.methods import test_contract as contract


def main(anew: bool) -> None:
    """Fit methods as the contract test does and keep their probabilities."""
    vgg16.STAGES = tuple(tuple(n // 4 for n in stage) for stage in vgg16.STAGES)
    with np.load(contract.REMEMBERED) as found:
        known = {} if anew else {name: found[name] for name in found if name in contract.OWN}
    with tempfile.TemporaryDirectory() as models:
        tiny_encoders.save("whisper", Path(models))
        os.environ["SERLAB_MODELS"] = models
        for name in contract.OWN:
            if name not in known:
                spec = METHODS[name]
                arguments, X = contract.given(spec)
                known[name] = contract.fitted(spec, arguments).predict_proba(X).astype(np.float16)
    np.savez_compressed(contract.REMEMBERED, **known)
    if anew:
        (remembered.DATA / "made_on.txt").write_text(remembered.here() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(anew="--all" in sys.argv[1:])
