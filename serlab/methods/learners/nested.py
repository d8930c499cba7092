"""The way to use several sources, chosen by leaving each of them out: no label of the target is asked for.

Each source corpus in turn is taken for a target without labels, and the others learn. Each candidate, a
penalty and a way to use the unlabelled target, is as good as its mean UAR over the sources left out; the best
is then fitted on all of them. With one source there is no corpus to leave out: what is chosen on its own
speakers says nothing of another corpus, so the penalty alone is chosen and the target not learned from.

Candidates: the classifier as it is; adjusted to the shares of classes that EM finds (Saerens et al. 2002);
prototypes (T3A, Iwasawa & Matsuo 2021); and cautious self-training, see
:mod:`serlab.methods.learners.self_training`, with the believed target weighing as a source or a third of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.special import softmax

from serlab.errors import ParameterError
from serlab.methods.base import Choice, require_classes, spread_proba
from serlab.methods.learners import label_shift, left_out, test_time
from serlab.methods.learners.left_out import spread_scores
from serlab.methods.learners.ridge_of_rows import RidgeOfRows
from serlab.methods.learners.self_training import agreeing
from serlab.methods.learners.weighting import scaled, weights
from serlab.samples import Labelled, Unlabelled

PENALTIES: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
#: Ways to use the unlabelled target, the plainest first: of equals it is taken.
WAYS: tuple[str, ...] = ("as it is", "EM priors", "prototypes", "cautious, a third", "cautious")
#: Rows of all sources together on which is chosen; more are thinned out evenly. The last fit has all.
MOST_ROWS = 4000
_ROUNDS = 5

#: Penalty and way -> part left out -> what was answered there.
_Tried: TypeAlias = dict[tuple[float, str], dict[str, left_out.LeftOut]]


@dataclass(frozen=True)
class Linear:
    """Coefficients and, added to the logits, what is believed of the shares of classes.

    Attributes
    ----------
    coefficients : ndarray, shape (d, k)
    offset : ndarray, shape (k,)
    unit : bool
        Whether rows are brought to length 1 first, as prototypes want them.
    """

    coefficients: np.ndarray
    offset: np.ndarray
    unit: bool = False

    def logits(self, X: np.ndarray) -> np.ndarray:
        """Of scaled rows; shape (n, k)."""
        if self.unit:
            X = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), np.finfo(float).tiny)
        return X @ self.coefficients + self.offset


@dataclass
class NestedChoice:
    """The best candidate on sources left out, fitted on all of them.

    Attributes
    ----------
    n_classes : int
    penalties : sequence of float
    ways : sequence of str
        Of :data:`WAYS`.
    weigh : callable(part) -> ndarray
        Weight of each row of the sources that are learned from; see
        :func:`serlab.methods.learners.weighting.weights`, which is taken if not given.
    chosen : Choice
    chosen_by : DataFrame
        left_out, penalty, way, uar, chosen (bool): what was chosen by; empty where nothing could be left out,
        or nothing was chosen here.
    """

    n_classes: int
    penalties: Sequence[float] = PENALTIES
    ways: Sequence[str] = WAYS
    weigh: Callable[[Labelled], np.ndarray] | None = None
    chosen: Choice = field(init=False, repr=False)
    chosen_by: pd.DataFrame = field(default_factory=pd.DataFrame, init=False, repr=False)

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> NestedChoice:
        """Choose on sources left out, then fit on all.

        Raises
        ------
        ProtocolError
            If the source has fewer than two classes.
        """
        return self.fit_beside(self.choose(source=source), source=source, adapt=adapt)

    def choose(self, *, source: Labelled) -> Choice:
        """The penalty and the way with the highest mean UAR on sources left out; raises as :meth:`fit`."""
        require_classes(source)
        tried, sharp = self._tried(source)
        table = pd.DataFrame(
            [(name, *key, own.uar()) for key, parts in tried.items() for name, own in parts.items()],
            columns=["left_out", "penalty", "way", "uar"],
        )
        penalty, way = self._best(table)
        self.chosen_by = table.assign(chosen=(table["penalty"] == penalty) & (table["way"] == way))
        return Choice(
            penalty=penalty,
            way=way,
            sharp=sharp.get(penalty, 1.0),
            temperature=left_out.joined(tried.get((penalty, way), {}).values()).temperature(),
        )

    def fit_beside(self, choice: Choice, *, source: Labelled, adapt: Unlabelled) -> NestedChoice:
        """Fit on all sources, in the way that was chosen.

        Raises
        ------
        ParameterError
            If there is no such way.
        ProtocolError
            If the source has fewer than two classes.
        """
        if choice.way not in self.ways:
            raise ParameterError(f"{choice.way!r} is no way to use a target; known: {', '.join(self.ways)}")
        require_classes(source)
        self.chosen = choice
        both = np.concatenate([source.X, adapt.X])
        problem = _Problem(
            RidgeOfRows(scaled(both.astype(float))),
            np.arange(len(source)),
            np.arange(len(source), len(both)),
            source,
            {choice.penalty: choice.sharp},
            self.weigh or weights,
        )
        self._answers, self.classes = problem.fitted(choice.penalty, choice.way), problem.classes
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        logits = self._answers.logits(scaled(X.astype(float))) / self.chosen.temperature
        return spread_proba(softmax(logits, axis=1), self.classes, self.n_classes)

    def _tried(self, source: Labelled) -> tuple[_Tried, dict[float, float]]:
        """Logits of each candidate for each part left out, and the temperature of plain scores by penalty."""
        few = source.take(thinned(source, MOST_ROWS))
        rows, weight = RidgeOfRows(scaled(few.X.astype(float))), weights(few)
        ways = self.ways if len(np.unique(few.corpus)) > 1 else self.ways[:1]
        sharp: dict[float, float] = {}
        problems = {
            name: _Problem(
                rows, np.flatnonzero(~out), np.flatnonzero(out), few.take(~out), sharp, self.weigh or weights
            )
            for name, out in left_out.parts(few)
        }

        def of(penalty: float, way: str) -> dict[str, left_out.LeftOut]:
            return {
                name: left_out.LeftOut(
                    spread_scores(
                        problem.fitted(penalty, way).logits(rows.X[problem.target]),
                        problem.classes,
                        self.n_classes,
                    ),
                    few.y[problem.target],
                    weight[problem.target],
                )
                for name, problem in problems.items()
            }

        for penalty in self.penalties:
            sharp[penalty] = left_out.joined(of(penalty, "as it is").values()).temperature()
        tried = {(penalty, way): of(penalty, way) for penalty in self.penalties for way in ways}
        return (tried if problems else {}), sharp

    def _best(self, table: pd.DataFrame) -> tuple[float, str]:
        """Of equals the plainest way, with the largest penalty."""
        if table.empty:
            return 10.0, self.ways[0]
        mean = table.groupby(["penalty", "way"])["uar"].mean()
        return max(mean.index, key=lambda key: (mean[key], -self.ways.index(key[1]), key[0]))


def thinned(part: Labelled, most: int) -> np.ndarray:
    """Rows of a part, about so many at most: the same share of each class of each corpus, evenly spread."""
    if len(part) <= most:
        return np.arange(len(part))
    cell = np.unique([f"{c}/{y}" for c, y in zip(part.corpus, part.y, strict=True)], return_inverse=True)[1]
    kept = []
    for number in range(cell.max() + 1):
        own = np.flatnonzero(cell == number)
        n = max(1, round(len(own) * most / len(part)))
        kept.append(own[np.linspace(0, len(own) - 1, n).round().astype(int)])
    return np.sort(np.concatenate(kept))


@dataclass
class _Problem:
    """Rows that are known, with labels, and rows of a target.

    ``known`` and ``target`` are positions in ``rows``, ``part`` is what is known of the former, and ``sharp``
    has the temperature of plain scores for each penalty, as far as it is known.
    """

    rows: RidgeOfRows
    known: np.ndarray
    target: np.ndarray
    part: Labelled
    sharp: Mapping[float, float]
    weigh: Callable[[Labelled], np.ndarray]
    _plain: dict[float, np.ndarray] = field(default_factory=dict)

    @property
    def classes(self) -> np.ndarray:
        return np.unique(self.part.y)

    def fitted(self, penalty: float, way: str) -> Linear:
        """A candidate."""
        temperature = self.sharp.get(penalty, 1.0)
        plain = self._of_source(penalty)
        calibrated, none = plain / temperature, np.zeros(len(self.classes))
        X = self.rows.X[self.target]
        if way == "as it is":
            return Linear(calibrated, none)
        if way == "EM priors":
            uniform = np.full(len(none), 1 / len(none))
            shares = label_shift.em(softmax(X @ calibrated, axis=1), prior=uniform)
            return Linear(calibrated, np.log(shares / uniform))
        if way == "prototypes":
            found = test_time.prototypes(X, softmax(X @ calibrated, axis=1), plain)
            return Linear(found / temperature, none, unit=True)
        share = 1.0 if way == "cautious" else 1 / 3
        return Linear(self._cautious(penalty, plain, X, share) / temperature, none)

    def _of_source(self, penalty: float) -> np.ndarray:
        if penalty not in self._plain:
            self._plain[penalty] = self._ridge(penalty, self.known, self.part.y, self.weigh(self.part))
        return self._plain[penalty]

    def _cautious(self, penalty: float, plain: np.ndarray, X: np.ndarray, share: float) -> np.ndarray:
        scores, coefficients = X @ plain, plain
        alone = scores.argmax(axis=1)
        of_source = self.weigh(self.part)
        # What a class of a corpus weighs; one of the believed target weighs a ``share`` of that.
        cell = len(of_source) / len(np.unique(np.stack(_cells(self.part), axis=1), axis=0))
        for number in range(1, _ROUNDS + 1):
            rows = agreeing(scores, alone, share=number / _ROUNDS)
            believed = alone[rows]
            weight = share * cell / np.bincount(believed, minlength=len(self.classes))[believed]
            together = np.concatenate([of_source, weight])
            coefficients = self._ridge(
                penalty,
                np.concatenate([self.known, self.target[rows]]),
                np.concatenate([self.part.y, self.classes[believed]]),
                together / together.mean(),
            )
            scores = X @ coefficients
        return coefficients

    def _ridge(self, penalty: float, rows: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return self.rows.coefficients(rows, y, classes=self.classes, weight=weight, penalty=penalty)


def _cells(part: Labelled) -> list[np.ndarray]:
    return [np.unique(part.corpus, return_inverse=True)[1], part.y]
