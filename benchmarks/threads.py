"""One thread or several, a fit: seconds of the same fit, by family of methods.

    python benchmarks/threads.py --data DATA_ROOT --target urdu --sources emodb [--preset quick]

Why ``jobs`` is 0 by default, one thread a fit. Each method is fitted on the first fold of the protocol, with
each number of threads in turn, twice round, and the faster of the two counts: what else the machine does
then matters less. On a machine with many cores, or with larger networks than these, measure there
(``--threads 1,8``) and give ``-p jobs=N``.

EmoDB to URDU, preset demo, two cores with other work on them, 2 threads over 1: forest 1.08, SVM 0.97, ridge
1.14, FCNN 1.07, attentive CNN 7.3, encoder-decoder 1.02. (DBN 0.75, which takes one thread whatever it is
given: so much is the other work.)
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

from serlab import experiment, methods
from serlab.evaluation import fit
from serlab.training import Fitting

#: A method of each family; feature set of those that bring none.
FAMILIES = {
    "is10": ("rf-pooled", "svm-pooled", "ridge-pooled", "dbn", "fcnn"),
    "logmel26": ("acnn-pooled",),
    "harmonic": ("encdec-pooled",),
    "speechmel40": ("light-mmd",),
    "logmel64": ("vgg16-source",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default="")
    parser.add_argument("--target", default="urdu")
    parser.add_argument("--sources", default="emodb")
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--threads", default="1,2")
    options = parser.parse_args()
    numbers = [int(number) for number in options.threads.split(",")]
    print(f"{'method':16s}" + "".join(f"{f'{n} thread(s)':>14s}" for n in numbers) + f"{'ratio':>8s}")
    for features, names in FAMILIES.items():
        session = experiment.Session(
            experiment.Parameters(
                target=options.target, sources=tuple(options.sources.split(",")), features=features,
                methods=names, protocol="speaker-groups", preset=options.preset, data=options.data,
            )
        )  # fmt: skip
        prepared = session.prepare()
        split = session.parameters.split_protocol().plan(prepared.utterances)[0][0]
        setting = session.setting(names)
        for name in names:
            taken = defaultdict(list)
            for _ in range(2):
                for n in numbers:
                    began = time.perf_counter()
                    fit(
                        methods.get(name), split, material=session.material, setting=setting, seed=0,
                        fitting=Fitting(n_jobs=n),
                    )  # fmt: skip
                    taken[n].append(time.perf_counter() - began)
            best = [min(taken[n]) for n in numbers]
            seconds = "".join(f"{value:12.2f} s" for value in best)
            print(f"{name:16s}{seconds}{best[-1] / best[0]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
