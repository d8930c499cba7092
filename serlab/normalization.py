"""Bringing features of different corpora and speakers onto one scale.

A *scope* says whose statistics are used. Three scopes ("corpus", "speaker", "voices")
look at unlabelled rows of the target and are therefore transductive when
those include the test utterances: results must say so. In an inductive
protocol "corpus" uses the target speakers that are not tested, and "speaker"
has nothing to use. No scope can see a
test label, because test and adaptation rows are :class:`Unlabelled`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from serlab import voices
from serlab.errors import ParameterError, ProtocolError
from serlab.samples import Labelled, Unlabelled, frames, stacked, without_labels
from serlab.sequences import BLOCK, Sequences

#: Scope -> what it does, in a line.
SCOPES: dict[str, str] = {
    "none": "features as extracted",
    "source": "z-scored by the source (by the labelled target where there is no source)",
    "corpus": "each corpus z-scored by its own utterances, of the target without labels",
    "speaker": "each speaker z-scored by their own utterances, tested ones without labels (transductive)",
    "voices": "each corpus, then each speaker z-scored, unless the voice tells the emotion (transductive)",
    "neutral": "centred on neutral speech, source and target each by their own",
    "distribution": "five bins, the source's shares made equal to the target's per emotion",
}

N_BINS = 5  # Andova & Lustrek, section 3.5


@dataclass(frozen=True)
class Normalized:
    """Parts of a split after normalisation; X is float32, None stays None."""

    source: Labelled | None
    target_train: Labelled | None
    adapt: Unlabelled | None
    test: Unlabelled


def is_transductive(scope: str) -> bool:
    """Whether the scope uses the unlabelled rows of the target, the tested ones where the protocol allows.

    Raises
    ------
    ParameterError
        If the scope is unknown.

    Examples
    --------
    >>> [scope for scope in SCOPES if is_transductive(scope)]
    ['corpus', 'speaker', 'voices']
    """
    _require_known(scope)
    return scope in ("corpus", "speaker", "voices")


def normalize(
    scope: str,
    *,
    source: Labelled | None,
    target_train: Labelled | None,
    adapt: Unlabelled | None,
    test: Unlabelled,
    neutral: int | None = None,
) -> Normalized:
    """Normalise the parts of one split.

    Parameters
    ----------
    scope : str
        One of :data:`SCOPES`:

        - ``"none"``: nothing.
        - ``"source"``: z-scores by mean and SD of the source. Without a source
          (target-only methods) ``target_train`` gives them. The source alone
          decides, so that what is trained on it serves every fold.
        - ``"corpus"``: each corpus z-scored by all its rows in ``source``,
          ``target_train`` and ``adapt``.
        - ``"speaker"``: the same for each speaker. It removes whatever is
          constant in a speaker, also the label: in URDU most speakers have one
          emotion only, and UAR falls from .75 to .155.
        - ``"voices"``: z-scored by corpus, then by speaker, in each corpus whose
          speakers show several emotions: by their labels in the source, by
          guesses of a linear classifier of the source in the target. See
          :mod:`serlab.voices`. Vectors only. Where tested speakers are not
          among ``adapt``, it is ``"corpus"``.
        - ``"neutral"``: Andova & Lustrek, section 3.4. Each source corpus and
          the target on their own: minus the mean of their neutral training
          utterances, divided by the SD of all their training utterances.
          The target's statistics come from ``target_train``.
        - ``"distribution"``: Andova & Lustrek, section 3.5, see
          :func:`match_distribution`.
    source, target_train : Labelled or None
        Vectors, or sequences with NaN after their end.
    adapt : Unlabelled or None
        Target rows without labels; in a transductive protocol the test rows
        are among them. Rows of ``target_train`` are not.
    test : Unlabelled
    neutral : int, optional
        Class of neutral speech, for ``"neutral"``.

    Returns
    -------
    Normalized
        New arrays. A feature that does not vary in the rows that give the
        statistics becomes 0 there.

    Raises
    ------
    ParameterError
        If the scope is unknown.
    ProtocolError
        If a part that the scope needs is missing, or features are not finite.
    """
    _require_known(scope)
    parts = {
        "source": source,
        "target_train": target_train,
        "adapt": None if adapt is None else without_labels(adapt),
        "test": without_labels(test),
    }
    _require_finite(parts)
    if scope == "none":
        scaled = {name: None if part is None else part.X for name, part in parts.items()}
    elif scope == "source":
        scaled = _by_source(parts)
    elif scope == "voices":
        scaled = _by_voices(parts)
    elif scope == "neutral":
        scaled = _by_neutral(parts, neutral)
    elif scope == "distribution":
        scaled = _by_distribution(parts)
    else:
        scaled = _by_group(parts, scope)
    return Normalized(
        **{
            name: None if part is None else replace(part, X=_float32(scaled[name]))
            for name, part in parts.items()
        }
    )


def of_sources(scope: str, source: Labelled) -> Labelled:
    """Normalise sources alone, for a model that meets its target later; vectors only.

    Parameters
    ----------
    scope : {"none", "source", "corpus", "voices"}
    source : Labelled

    Returns
    -------
    Labelled
        As :func:`normalize` gives it beside any target.

    Raises
    ------
    ParameterError
        If the scope is another one: it needs a target, or labels of one.
    ProtocolError
        If features are sequences, or not finite.
    """
    if scope not in ("none", "source", "corpus", "voices"):
        raise ParameterError(f"normalisation {scope!r} is not one of sources alone")
    if not isinstance(source.X, np.ndarray) or source.X.ndim != 2:
        raise ProtocolError("sources alone are normalised as vectors; choose a feature set of vectors")
    _require_finite({"source": source})
    if scope == "none":
        return source
    group = source.corpus if scope in ("corpus", "voices") else np.full(len(source), "")
    every, row = np.unique(group, return_inverse=True)
    scales = [mean_and_scale(source.X[row == number]) for number in range(len(every))]
    X = _scaled_by(source.X, row, scales, float if scope == "voices" else np.float32)
    if scope == "voices":
        X = _voices_of_source(source, X)
    return replace(source, X=_float32(X))


def match_distribution(
    source: Labelled, target_train: Labelled, *target: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Code features by five bins so that the source's shares equal the target's.

    Andova & Lustrek (section 3.5) divide the target's training data into five
    equal bins per feature and emotion, code a target value by its bin, and
    give the lowest x_0 per cent of the source value 0, the next x_1 per cent
    value 1, and so on, x_k being the target's shares. As printed, the bins
    differ between emotions, so that coding a test utterance would take its
    emotion. Our reading does not:

    - the edges of a feature are common to all emotions: five bins of equal
      width over the range of ``target_train``. A target utterance, labelled
      or not, gets the bin its value falls in; values outside the range fall
      in the outer bins;
    - the shares x_0 .. x_4 are counted in ``target_train`` per emotion, and
      the source utterances of that emotion are ranked and coded by them.

    Labels used: those of ``source`` and ``target_train``, no others.

    Readings rejected: edges per emotion (needs the test label, or a predicted
    one, which is circular); bins of equal frequency (all shares would be 20 %
    by construction, and the paper's x_k would say nothing).

    An emotion without target training utterances takes the shares of all
    emotions together. Equal source values get equal codes (mean rank), so
    that the order of rows does not matter. A feature constant in
    ``target_train`` is coded 0 everywhere.

    Parameters
    ----------
    source, target_train : Labelled
    *target : ndarray, shape (n, d)
        Further target rows to code.

    Returns
    -------
    tuple of ndarray of float32
        Codes 0 .. 4 of ``source``, ``target_train`` and each of ``target``.
    """
    from scipy.stats import rankdata

    low, high = target_train.X.min(axis=0).astype(float), target_train.X.max(axis=0).astype(float)
    with np.errstate(divide="ignore"):
        per_unit = np.where(high > low, N_BINS / (high - low), 0.0)

    def code(X: np.ndarray) -> np.ndarray:
        return np.clip(np.floor((X - low) * per_unit), 0, N_BINS - 1).astype(np.float32)

    target_codes = code(target_train.X)
    source_codes = np.zeros(source.X.shape, dtype=np.float32)
    for emotion in np.unique(source.y):
        rows = source.y == emotion
        like = target_codes[target_train.y == emotion]
        if not len(like):
            like = target_codes
        # Row r of n is at share (r - 1/2) / n; it belongs above bin k if that
        # reaches the share of bins 0 .. k. Doubled, both sides are integers.
        position = (2 * rankdata(source.X[rows], axis=0) - 1) * len(like)
        source_codes[rows] = sum(
            position >= 2 * rows.sum() * (like <= k).sum(axis=0) for k in range(N_BINS - 1)
        )
    return source_codes, target_codes, *(code(X) for X in target)


def _require_known(scope: str) -> None:
    if scope not in SCOPES:
        raise ParameterError(f"unknown normalisation {scope!r}; known: {', '.join(SCOPES)}")


def _require_finite(parts: dict[str, Unlabelled | None]) -> None:
    for name, part in parts.items():
        if part is None:
            continue
        if isinstance(part.X, Sequences):
            _require_finite_sequences(part.X, name)
            continue
        finite = np.isfinite(part.X)
        expected = _whole_frames(part.X)[:, :, None] if part.X.ndim == 3 else True
        if not (finite == expected).all():
            row, *_, column = np.argwhere(finite != expected)[0]
            raise ProtocolError(
                f"feature {column} of row {row} in {name} is not finite; "
                "leave the utterance out, or check its audio file"
            )


def _require_finite_sequences(X: Sequences, name: str) -> None:
    """A store knows this of its utterances, once for all folds."""
    bad = np.flatnonzero(~X.finite)
    if len(bad):
        column = np.argwhere(~np.isfinite(X.utterance(bad[0])))[0][1]
        raise ProtocolError(
            f"feature {column} of row {bad[0]} in {name} is not finite; "
            "leave the utterance out, or check its audio file"
        )


def _whole_frames(X: np.ndarray) -> np.ndarray:
    """Frames up to the last one that is not padding (at least the first), shape (n, t)."""
    n_frames = np.maximum((~np.isnan(X).all(axis=2) * np.arange(1, X.shape[1] + 1)).max(axis=1), 1)
    return np.arange(X.shape[1]) < n_frames[:, None]


def _require(part: Unlabelled | None, *, name: str, scope: str) -> Unlabelled:
    if part is None or not len(part):
        raise ProtocolError(
            f"normalisation {scope!r} needs {name}, and there is none; "
            "choose a protocol that provides it, or another normalisation"
        )
    return part


def _float32(X: np.ndarray | Sequences) -> np.ndarray | Sequences:
    return X if isinstance(X, Sequences) else X.astype(np.float32, copy=False)


def _z(
    X: np.ndarray | Sequences, like: np.ndarray | Sequences, *, centre: np.ndarray | Sequences | None = None
) -> np.ndarray | Sequences:
    """``X`` minus the mean of ``centre`` (of ``like``), by the SD of ``like``.

    Statistics of sequences are over all frames; padding stays NaN.
    """
    return on_scale(X, *mean_and_scale(like, centre))


def mean_and_scale(
    like: np.ndarray | Sequences, centre: np.ndarray | Sequences | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and reciprocal of the standard deviation of each feature, of shapes (d,).

    Parameters
    ----------
    like : ndarray, shape (n, d) or (n, t, d), or Sequences
    centre : the same, optional
        Rows whose mean it is instead.

    Returns
    -------
    (ndarray, ndarray)
        A feature that does not vary has the scale 0.
    """
    mean, largest = _mean_and_largest(like)
    sd = np.sqrt(_mean_and_largest(like, less=mean)[0])
    # Rounding leaves a constant feature an SD of about 1e-16 of its size, and
    # float32 features a step of 1e-7.
    scale = np.divide(1.0, sd, out=np.zeros_like(sd), where=sd > 1e-7 * largest)
    return mean if centre is None else _mean_and_largest(centre)[0], scale


def _mean_and_largest(
    X: np.ndarray | Sequences, *, less: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over rows, or over all frames, and largest size; of squared deviations from ``less`` if given.

    In blocks, and added up in the order of rows, so that the size of a block changes nothing.
    """
    total, largest, n = None, np.zeros(X.shape[-1]), 0
    for block in _blocks(X):
        values = block if less is None else (block - less) ** 2
        n += len(values)
        total = np.add.reduce(values if total is None else np.concatenate([total[None], values]), axis=0)
        largest = np.maximum(largest, np.abs(values).max(axis=0))
    return total / n, largest


def _blocks(X: np.ndarray | Sequences) -> Iterator[np.ndarray]:
    """Some rows, or frames, at a time, float64: what is large is never converted as a whole."""
    if isinstance(X, Sequences):
        parts = X.frames()
    else:
        X = X[frames(X)] if X.ndim == 3 else X
        step = max(1, BLOCK // X.shape[1])
        parts = (X[start : start + step] for start in range(0, len(X), step))
    for part in parts:
        yield part.astype(float)


def on_scale(X: np.ndarray | Sequences, mean: np.ndarray, scale: np.ndarray) -> np.ndarray | Sequences:
    """Features minus a mean, times a scale, see :func:`mean_and_scale`."""
    if isinstance(X, Sequences):
        return X.scaled(mean, scale)
    if X.ndim == 3:  # float32 throughout: sequences are large
        return (X - mean.astype(np.float32)) * scale.astype(np.float32)
    return (X - mean) * scale


def _scaled_by(
    X: np.ndarray | Sequences, of: np.ndarray, scales: list[tuple[np.ndarray, np.ndarray]], dtype: type
) -> np.ndarray | Sequences:
    """Each row by one of several means and scales; ``of`` says by which."""
    if isinstance(X, Sequences):
        means, by = (np.stack(part) for part in zip(*scales, strict=True))
        return X.scaled(means, by, of)
    out = np.empty(X.shape, np.float32 if X.ndim == 3 else dtype)
    step = max(1, BLOCK // X[:1].size)
    for number, (mean, scale) in enumerate(scales):
        rows = np.flatnonzero(of == number)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            out[some] = on_scale(X[some], mean, scale)
    return out


def _by_source(parts: dict[str, Unlabelled | None]) -> dict[str, np.ndarray | Sequences]:
    training = parts["target_train"] if parts["source"] is None else parts["source"]
    scales = [mean_and_scale(_require(training, name="source or target_train", scope="source").X)]
    return {
        name: _scaled_by(part.X, np.zeros(len(part), dtype=int), scales, np.float32)
        for name, part in parts.items()
        if part is not None
    }


def _by_group(
    parts: dict[str, Unlabelled | None], scope: str, dtype: type = np.float32
) -> dict[str, np.ndarray | Sequences]:
    """Each corpus or speaker by its rows in source, target_train and adapt."""
    target = parts["target_train"] if parts["adapt"] is None else parts["adapt"]
    _require(target, name="adapt (unlabelled target utterances)", scope=scope)
    given = [parts[name] for name in ("source", "target_train", "adapt") if parts[name] is not None]
    every = np.unique(np.concatenate([getattr(part, scope) for part in (*given, parts["test"])]))
    scales = []
    for value in every:
        like = [part.X[rows] for part in given if (rows := getattr(part, scope) == value).any()]
        if not like:
            raise ProtocolError(
                f"normalisation {scope!r} has no statistics of {scope} {value!r}, which is tested: "
                "its utterances must be in adapt, without labels (the parameter transductive), or choose "
                "another normalisation"
            )
        scales.append(mean_and_scale(stacked(like)))
    return {
        name: _scaled_by(part.X, np.searchsorted(every, getattr(part, scope)), scales, dtype)
        for name, part in parts.items()
        if part is not None
    }


def _by_voices(parts: dict[str, Unlabelled | None]) -> dict[str, np.ndarray]:
    if parts["test"].X.ndim == 3:
        raise ProtocolError(
            "normalisation 'voices' is of vectors and not defined for frames; choose a feature set of "
            "vectors, or another normalisation"
        )
    adapt = _require(parts["adapt"], name="adapt (unlabelled target utterances)", scope="voices")
    by_corpus = _by_group(parts, "corpus", dtype=float)
    if not np.isin(parts["test"].speaker, adapt.speaker).all():
        return by_corpus  # those who are tested would stay as they are, and all others not
    scaled, source = {name: X.copy() for name, X in by_corpus.items()}, parts["source"]
    if source is not None:
        scaled["source"] = _voices_of_source(source, by_corpus["source"])
    seen = [name for name in ("target_train", "adapt") if parts[name] is not None]
    X = np.concatenate([by_corpus[name] for name in seen])
    speaker = np.concatenate([parts[name].speaker for name in seen])
    if not voices.are_kept(speaker, _believed(parts, by_corpus)):
        by = voices.scales(X, speaker)
        for name in (*seen, "test"):
            scaled[name] = voices.scaled(by_corpus[name], parts[name].speaker, by)
    return scaled


def _voices_of_source(source: Labelled, by_corpus: np.ndarray) -> np.ndarray:
    """Voices taken out of each source corpus whose speakers show several emotions."""
    scaled = by_corpus.copy()
    for corpus in np.unique(source.corpus):
        rows = source.corpus == corpus
        X, speaker = by_corpus[rows], source.speaker[rows]
        if not voices.are_kept(speaker, source.y[rows]):
            scaled[rows] = voices.scaled(X, speaker, voices.scales(X, speaker))
    return scaled


def _believed(parts: dict[str, Unlabelled | None], X: dict[str, np.ndarray]) -> np.ndarray:
    """Classes of the target: labels where they may be known, else guesses from those that are."""
    source, train = parts["source"], parts["target_train"]
    known = [name for name in ("source", "target_train") if parts[name] is not None]
    guessed = voices.guesses(
        np.concatenate([X[name] for name in known]),
        np.concatenate([part.y for part in (source, train) if part is not None]),
        np.concatenate([parts[name].corpus for name in known]),
        X["adapt"],
    )
    return guessed if train is None else np.concatenate([train.y, guessed])


def _by_neutral(parts: dict[str, Unlabelled | None], neutral: int | None) -> dict[str, np.ndarray]:
    if neutral is None:
        raise ProtocolError(
            "normalisation 'neutral' needs a label scheme with a class for neutral speech; "
            "choose scheme 'four' or 'seven', or another normalisation"
        )
    target = _require(parts["target_train"], name="target_train", scope="neutral")

    def neutral_rows(part: Labelled, name: str) -> np.ndarray:
        rows = part.X[part.y == neutral]
        if not len(rows):
            raise ProtocolError(
                f"normalisation 'neutral': {name} has no neutral utterance; "
                "choose another speaker or corpus, or another normalisation"
            )
        return rows

    centre = neutral_rows(target, "target_train")
    scaled = {
        name: _z(parts[name].X, target.X, centre=centre)
        for name in ("target_train", "adapt", "test")
        if parts[name] is not None
    }
    source = parts["source"]
    if source is not None:
        every, of = np.unique(source.corpus, return_inverse=True)
        scales = [
            mean_and_scale(part.X, neutral_rows(part, f"source {corpus!r}"))
            for corpus, part in ((corpus, source.take(source.corpus == corpus)) for corpus in every)
        ]
        scaled["source"] = _scaled_by(source.X, of, scales, float)
    return scaled


def _by_distribution(parts: dict[str, Unlabelled | None]) -> dict[str, np.ndarray]:
    if parts["test"].X.ndim == 3:
        raise ProtocolError(
            "normalisation 'distribution' ranks one value an utterance and is not defined for frames; "
            "choose a feature set of vectors, or another normalisation"
        )
    source = _require(parts["source"], name="source", scope="distribution")
    target_train = _require(parts["target_train"], name="target_train", scope="distribution")
    others = [name for name in ("adapt", "test") if parts[name] is not None]
    codes = match_distribution(source, target_train, *(parts[name].X for name in others))
    return dict(zip(("source", "target_train", *others), codes, strict=True))
