"""A linear classifier of many features, and what it learns from its own answers for the target.

**Self-training.** It trains on what is known, then on that and what it believes
of the target, again and again. In each round the surest answers for the target
are taken for labels: as many of each class, in the first round a fifth of them,
in the last all that fit (Zou et al. 2018). They weigh as much as a source. It is
assumed that classes are about equally frequent in the target; where speakers
show one emotion each, voices may be what is learned, and where they show all of
them, that is what does harm.

**Cautious self-training** believes less. What it has come to think of an
utterance has also to be what the source alone thinks of it: two views, one of
which never learns from itself, so that an answer which self-training has turned
is not taken for a label. No share of classes is assumed: as many of each are
taken as it answers, and scores are not standardised over the target. Where the
two views agree on nothing it stays the classifier of the source.

References
----------
Zou, Yu, Kumar & Wang (2018), Unsupervised domain adaptation for semantic
segmentation via class-balanced self-training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import GroupKFold

from serlab import metrics
from serlab.methods.base import Choice, require_classes, spread_proba
from serlab.methods.learners.ridge_of_rows import RidgeOfRows
from serlab.methods.learners.weighting import scaled, weights
from serlab.samples import Labelled, Unlabelled, concatenate

#: From which a penalty is chosen, for features of variance 1.
PENALTIES: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0)
#: With one speaker there is nobody to hold out.
_UNVALIDATED = 10.0
_FOLDS = 5


@dataclass
class BalancedRidge:
    """Ridge regression on +1 for an utterance's class and -1 for the others.

    For thousands of z-scored features and hundreds of utterances. Every class
    of every corpus weighs the same, so that twenty labelled target utterances
    count beside a whole source. The penalty is the one with the best UAR on
    held-out speakers of what it is trained on.

    Attributes
    ----------
    n_classes : int
    penalties : sequence of float
        With features divided by the square root of their number, so that a
        penalty means the same for any number of them.
    penalty : float or None
        What was chosen; given, it is not chosen again.
    weigh : callable(part) -> ndarray
        Weight of each row, 1 on average; :func:`serlab.methods.learners.weighting.weights` if not given.
    scale : callable(X) -> ndarray
        What is done to z-scored features; :func:`serlab.methods.learners.weighting.scaled` if not given.
    classes : ndarray of int
        That training has; the others are never predicted.
    coefficients : ndarray, shape (d, len(classes))
        Of features on the scale.
    """

    n_classes: int
    penalties: Sequence[float] = PENALTIES
    penalty: float | None = None
    weigh: Callable[[Labelled], np.ndarray] | None = None
    scale: Callable[[np.ndarray], np.ndarray] | None = None

    def fit(self, part: Labelled) -> BalancedRidge:
        """Fit on all rows, with the penalty that held-out speakers prefer; the larger one of equals.

        Raises
        ------
        ProtocolError
            If there are fewer than two classes.
        """
        require_classes(part)
        self.classes = np.unique(part.y)
        rows = RidgeOfRows((self.scale or scaled)(part.X))
        if self.penalty is None:
            self.penalty = self._chosen(part, rows)
        weight = (self.weigh or weights)(part)
        # Without intercept: features have mean 0, and by their weights so have all classes.
        self.coefficients = rows.coefficients(
            np.arange(len(part)), part.y, classes=self.classes, weight=weight, penalty=self.penalty
        )
        return self

    def scores(self, X: np.ndarray) -> np.ndarray:
        """One number for each of :attr:`classes`, shape (n, len(classes)): larger is likelier."""
        return (self.scale or scaled)(X) @ self.coefficients

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Softmax of the scores: right in order, not calibrated."""
        return self.spread(softmax(self.scores(X), axis=1))

    def spread(self, proba: np.ndarray) -> np.ndarray:
        """Probabilities of :attr:`classes` among those of all ``n_classes``."""
        return spread_proba(proba, self.classes, self.n_classes)

    def _chosen(self, part: Labelled, rows: RidgeOfRows) -> float:
        speakers = np.char.add(np.char.add(part.corpus.astype(str), "/"), part.speaker.astype(str))
        n_folds = min(_FOLDS, len(np.unique(speakers)))
        if n_folds < 2:
            return _UNVALIDATED
        answers = np.zeros((len(self.penalties), len(part)), dtype=int)
        for train, held_out in GroupKFold(n_folds).split(part.y, groups=speakers):
            weight = (self.weigh or weights)(part.take(train))
            found = rows.scores(
                train, part.y[train], held_out, classes=self.classes, weight=weight, penalties=self.penalties
            )
            for number, scores in enumerate(found):
                answers[number, held_out] = self.classes[scores.argmax(axis=1)]
        uar = [float(metrics.uar(metrics.confusion(part.y, own, self.n_classes))) for own in answers]
        return max(zip(uar, self.penalties, strict=True))[1]


@dataclass
class _Rounds:
    """Rounds of self-training: a class below says what is known, another what is believed."""

    classifier: BalancedRidge
    rounds: int = 5

    def _go_through_the_rounds(self, known: Labelled, adapt: Unlabelled) -> None:
        raise NotImplementedError


class _OfSource(_Rounds):
    """Known is the source."""

    def fit(self, *, source: Labelled, adapt: Unlabelled) -> Self:
        """Choose the penalty on speakers of the source, then go through the rounds.

        Raises
        ------
        ProtocolError
            If the source has fewer than two classes.
        """
        self._go_through_the_rounds(source, adapt)
        return self


class _OfBoth(_Rounds):
    """Known is the source, and some of the target, which counts as a corpus beside it."""

    def fit(self, *, source: Labelled, target_train: Labelled, adapt: Unlabelled) -> Self:
        """Choose the penalty on speakers of both, then go through the rounds.

        Raises
        ------
        ProtocolError
            If source and labelled target together have fewer than two classes.
        """
        self._go_through_the_rounds(concatenate(source, target_train), adapt)
        return self


@dataclass
class _Surest(_Rounds):
    """As many of each class are believed: the surest."""

    _centre: np.ndarray = field(default=0.0, init=False, repr=False)
    _scale: np.ndarray = field(default=1.0, init=False, repr=False)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.classifier.spread(softmax(self._standardised(X), axis=1))

    def _go_through_the_rounds(self, known: Labelled, adapt: Unlabelled) -> None:
        self._learn(known, adapt)
        for number in range(1, self.rounds + 1):
            scores = self._standardised(adapt.X)
            rows = surest(scores, share=number / self.rounds)
            believed = _believed(adapt, rows, self.classifier.classes[scores[rows].argmax(axis=1)])
            self._learn(concatenate(known, believed), adapt)

    def _learn(self, part: Labelled, adapt: Unlabelled) -> None:
        scores = self.classifier.fit(part).scores(adapt.X)
        spread = scores.std(axis=0)
        self._centre, self._scale = scores.mean(axis=0), np.where(spread > 0, spread, 1.0)

    def _standardised(self, X: np.ndarray) -> np.ndarray:
        """Scores, standardised over the unlabelled target: no class is favoured by its size in the source."""
        return (self.classifier.scores(X) - self._centre) / self._scale


class SelfTrained(_Surest, _OfSource):
    """Self-training of a target without labels.

    Attributes
    ----------
    classifier : BalancedRidge
    rounds : int
    """


class SemiSupervised(_Surest, _OfBoth):
    """Self-training of a target some of which is labelled: these count as a corpus beside the source.

    Attributes
    ----------
    classifier : BalancedRidge
    rounds : int
    """


@dataclass
class _Agreed(_Rounds):
    """Believed is what the classifier of the known alone says, too."""

    believed: float = field(default=0.0, init=False)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.classifier.predict_proba(X)

    def _go_through_the_rounds(self, known: Labelled, adapt: Unlabelled) -> None:
        scores = self.classifier.fit(known).scores(adapt.X)
        alone = scores.argmax(axis=1)
        for number in range(1, self.rounds + 1):
            rows = agreeing(scores, alone, share=number / self.rounds)
            part = _believed(adapt, rows, self.classifier.classes[alone[rows]])
            scores = self.classifier.fit(concatenate(known, part)).scores(adapt.X)
            self.believed = len(rows) / len(alone)


class CautiouslySelfTrained(_Agreed, _OfSource):
    """Self-training of a target without labels, where the source alone has to agree.

    Attributes
    ----------
    classifier : BalancedRidge
    rounds : int
    believed : float
        Share of the target that it learned from in the last round; 0: it has declined.
    """

    def choose(self, *, source: Labelled) -> Choice:
        """The penalty that held-out speakers of the source prefer; raises as :meth:`fit`."""
        penalty = replace(self.classifier).fit(source).penalty
        assert penalty is not None  # it is fitted
        return Choice(penalty=penalty)

    def fit_beside(self, choice: Choice, *, source: Labelled, adapt: Unlabelled) -> CautiouslySelfTrained:
        """What :meth:`fit` does with what is chosen already."""
        self.classifier = replace(self.classifier, penalty=choice.penalty)
        return self.fit(source=source, adapt=adapt)


class CautiouslySemiSupervised(_Agreed, _OfBoth):
    """The same where some of the target is labelled: these count as a corpus beside the source.

    What has to agree is what source and labels say without the rest. Attributes as those of
    :class:`CautiouslySelfTrained`.
    """


def agreeing(scores: np.ndarray, alone: np.ndarray, *, share: float) -> np.ndarray:
    """Rows whose best class is what the source alone says, the surest of them, of each class a share.

    Parameters
    ----------
    scores : ndarray, shape (n, k)
    alone : ndarray of int, shape (n,)
        Best class by the source alone.
    share : float
        Of the utterances that the source alone takes for a class.

    Returns
    -------
    ndarray of int
    """
    agreed = np.flatnonzero(scores.argmax(axis=1) == alone)
    most = np.ceil(share * np.bincount(alone, minlength=scores.shape[1])).astype(int)
    return agreed[_surest(scores[agreed], most)]


def surest(scores: np.ndarray, *, share: float) -> np.ndarray:
    """Rows whose best class leads by most, as many of each class.

    Parameters
    ----------
    scores : ndarray, shape (n, k)
        Of k classes.
    share : float
        Of the rows, over all classes; a class that is the best of fewer rows gives all of them.

    Returns
    -------
    ndarray of int
        In order.
    """
    n, n_classes = scores.shape
    return _surest(scores, np.full(n_classes, int(np.ceil(share * n / n_classes))))


def _surest(scores: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Rows whose best class leads by most, at most so many of each class; in order."""
    best, ordered = scores.argmax(axis=1), np.sort(scores, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    rows = [np.flatnonzero(best == label) for label in range(scores.shape[1])]
    taken = [own[np.argsort(-lead[own], kind="stable")][:n] for own, n in zip(rows, most, strict=True)]
    return np.sort(np.concatenate(taken))


def _believed(adapt: Unlabelled, rows: np.ndarray, y: np.ndarray) -> Labelled:
    """Rows of the target with what is believed of them."""
    return Labelled(
        X=adapt.X[rows],
        # A corpus of its own: it does not outweigh what is known of the same target.
        corpus=np.char.add(adapt.corpus[rows].astype(str), ", believed"),
        speaker=adapt.speaker[rows],
        row=None if adapt.row is None else adapt.row[rows],
        y=y,
    )
