"""How long the auditor takes, and how that grows with the corpus.

    python benchmarks/bench_audit.py [--utterances 1000000] [--protocol speaker-groups]

Goal: 1,000,000 utterances in under 30 s on two cores, and ten times the
utterances in about ten times the time. Two corpora, target and source, with a
speaker for each hundred utterances (50 at most), sentences that all say, hashes
of audio with some copies, and pairs that share a recording. Printed are the
seconds of planning the split, of the audit, and of the fingerprint of data.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from serlab import data
from serlab.evaluation import leakage
from serlab.protocols import PROTOCOLS, SplitProtocol

EMOTIONS = ("neutral", "anger", "joy", "sadness")


def corpora(n: int, *, seed: int = 0) -> pd.DataFrame:
    """A target and a source of half of the utterances each."""
    rng = np.random.default_rng(seed)
    corpus = np.where(np.arange(n) < n // 2, "here", "there")
    speakers = max(4, min(50, n // 200))
    index = pd.Index([f"u{number:07d}" for number in range(n)], name="utterance")
    table = pd.DataFrame(
        {
            "corpus": corpus,
            "path": None,
            "speaker": np.char.add(np.char.add(corpus, "/"), rng.integers(0, speakers, n).astype(str)),
            "sex": None,
            "session": None,
            "text_id": np.char.add(np.char.add(corpus, "/t"), rng.integers(0, 100, n).astype(str)),
            "emotion": pd.Categorical(np.array(EMOTIONS)[rng.integers(0, 4, n)], categories=EMOTIONS),
        },
        index=index,
    )
    return table.astype({"corpus": object, "speaker": object, "text_id": object})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--utterances", type=int, default=1_000_000)
    parser.add_argument("--protocol", choices=tuple(PROTOCOLS), default="one-subject")
    asked = parser.parse_args()
    for n in (asked.utterances // 100, asked.utterances // 10, asked.utterances):
        table = corpora(n)
        rng = np.random.default_rng(1)
        hashes = pd.Series(rng.integers(0, 20 * n, n).astype(str), index=table.index)
        pairs = rng.choice(table.index.to_numpy(), (max(1, n // 1_000), 2))
        copies = pd.DataFrame(pairs, columns=["first", "second"]).assign(correlation=0.9, seconds=1.0)
        began = time.perf_counter()
        protocol = SplitProtocol(name=asked.protocol, target="here", sources=("there",))
        splits, skipped = protocol.plan(table)
        planned = time.perf_counter()
        found = leakage.audit(table, splits, skipped=skipped, audio_hash=hashes, copies=copies)
        audited = time.perf_counter()
        data.fingerprint(table)
        printed = time.perf_counter()
        print(
            f"{n:>9,} utterances, {len(splits)} folds: plan {planned - began:.2f} s, "
            f"audit {audited - planned:.2f} s ({len(found)} findings), "
            f"fingerprint {printed - audited:.2f} s"
        )


if __name__ == "__main__":
    main()
