"""How long i-vectors take to train, and how well they and a speaker encoder tell voices apart.

    python benchmarks/bench_ivectors.py --data DATA_ROOT --encoder MODEL_FOLDER
        [--corpus ravdess] [--components 64] [--rank 100] [--thresholds] [--cache CACHE]

Equal error rate of cosine scores over all pairs of utterances, then without
pairs of different sex; chance is 50 %. i-vectors are trained without labels on
half of the speakers and scored on the others; "same speakers": trained on all,
as in a corpus that is described by an extractor of its own. "Independent
frames": each counts as one, not as a tenth. "Speech" leaves out frames 40 dB
below the loudest. The mean of the frames is what one has without any of this.
With ``--encoder`` also the speaker encoder, and with ``--thresholds`` six files
of each speaker for several thresholds of its detector of speech.

Goal (2 cores, RAVDESS, 64 components, rank 100): training under 5 minutes.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from serlab import audio, corpora, features
from serlab.asr import ivectors
from serlab.evaluation.verification import equal_error_rate
from serlab.features import speaker_encoder

SPEECH_DB = 40.0
#: Thresholds of the speaker encoder's detector that are compared, in dB; the last one keeps nearly all.
THRESHOLDS = (20.0, 30.0, 40.0, 200.0)
FILES_PER_SPEAKER = 6


def speech(sequence: np.ndarray) -> np.ndarray:
    """Frames whose loudest band is within 40 dB of the utterance's, from MFCC."""
    from scipy.fft import idct

    loudest = idct(sequence.astype(float), type=2, norm="ortho", axis=1).max(axis=1)
    return sequence[loudest > loudest.max() - SPEECH_DB]


def show(what: str, embeddings: np.ndarray, utterances: pd.DataFrame) -> None:
    speaker, sex = utterances["speaker"].to_numpy(), utterances["sex"].to_numpy()
    found, hard = equal_error_rate(embeddings, speaker), equal_error_rate(embeddings, speaker, sex=sex)
    print(
        f"{what:44} EER {100 * found.rate:5.1f} %, same sex {100 * hard.rate:5.1f} %   "
        f"cosine {found.same:.2f} / {found.different:.2f}",
        flush=True,
    )


def compare_thresholds(folder: str, utterances: pd.DataFrame) -> None:
    some = utterances.groupby("speaker").sample(FILES_PER_SPEAKER, random_state=0)
    samples = [audio.load(path, start=a, end=b).samples for path, a, b in zip(
        some["path"], some["start"], some["end"], strict=True
    )]  # fmt: skip
    chosen = speaker_encoder.speaker_encoder(folder)
    kept = speaker_encoder.SPEECH_DB
    for threshold in THRESHOLDS:
        speaker_encoder.SPEECH_DB = threshold
        embeddings = np.stack([chosen.extract(sound) for sound in samples])
        show(f"speaker encoder, {FILES_PER_SPEAKER} files each, {threshold:g} dB", embeddings, some)
    speaker_encoder.SPEECH_DB = kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--encoder")
    parser.add_argument("--corpus", default="ravdess")
    parser.add_argument("--components", type=int, default=64)
    parser.add_argument("--rank", type=int, default=100)
    parser.add_argument("--thresholds", action="store_true")
    parser.add_argument("--cache")
    options = parser.parse_args()

    utterances = corpora.get(options.corpus).read(options.data)
    frames = features.extract(utterances, features="mfcc40", seconds=None, cache=options.cache).X
    utterances = utterances.loc[frames.index]
    whole = [x[~np.isnan(x[:, 0])] for x in frames.values]
    speakers = utterances["speaker"].unique()
    train = utterances["speaker"].isin(speakers[: len(speakers) // 2]).to_numpy()
    scored = utterances[~train]
    seconds = sum(map(len, whole)) * frames.frame_shift
    print(f"{len(whole)} utterances, {seconds / 3600:.2f} h, {len(speakers)} speakers")
    mean = frames.statistics().to_numpy()[:, : frames.shape[2]]
    standard = (mean - mean[train].mean(axis=0)) / mean[train].std(axis=0)
    show("mean of the frames, z-scored", standard[~train], scored)
    voiced = [speech(x) for x in whole]
    for name, sequences, rows, weight in (
        ("other speakers", whole, train, 0.1),
        ("other speakers, independent frames", whole, train, 1.0),
        ("other speakers, speech", voiced, train, 0.1),
        ("same speakers", whole, np.ones_like(train), 0.1),
    ):
        chosen = [x for x, row in zip(sequences, rows, strict=True) if row]
        wall, processor = time.perf_counter(), time.process_time()
        extractor = ivectors.train(
            chosen, n_components=options.components, rank=options.rank, frame_weight=weight
        )
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(f"{len(chosen)} utterances: {wall / 60:.1f} min, processor {processor / 60:.1f} min")
        tested = extractor.extract([x for x, row in zip(sequences, train, strict=True) if not row])
        show(f"i-vectors, {name}", tested, scored)
    if options.encoder:
        chosen = speaker_encoder.speaker_encoder(options.encoder)
        wall, processor = time.perf_counter(), time.process_time()
        extraction = features.extract(scored, features=chosen, cache=options.cache)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(
            f"speaker encoder: {wall / 60:.1f} min, processor {processor / 60:.1f} min, "
            f"{extraction.from_cache} of {len(scored)} from the cache"
        )
        show("speaker encoder", extraction.X.to_numpy(), scored)
        if options.thresholds:
            compare_thresholds(options.encoder, utterances)


if __name__ == "__main__":
    main()
