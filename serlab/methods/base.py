"""What an experiment compares: a method, and what it may see of the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from serlab.errors import ProtocolError
from serlab.samples import Labelled
from serlab.wording import count

Access = Literal["none", "unlabelled", "few-shot", "semi-supervised", "target-only", "target-semi-supervised"]

#: What a method has that its control lacks.
Adds = Literal[
    "", "source", "labels", "unlabelled target", "normalisation", "second stage", "alignment",
    "pretrained weights", "combination", "tuned encoder",
]  # fmt: skip

#: access -> the keyword arguments of ``fit``: what is not listed is never
#: handed over, so it cannot leak.
FIT_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "none": ("source",),
    "unlabelled": ("source", "adapt"),
    "few-shot": ("source", "target_train"),
    "semi-supervised": ("source", "target_train", "adapt"),
    "target-only": ("target_train",),
    "target-semi-supervised": ("target_train", "adapt"),
}


def uses_source(access: str) -> bool:
    """Whether a method of this access learns from another corpus.

    Examples
    --------
    >>> [access for access in FIT_ARGUMENTS if not uses_source(access)]
    ['target-only', 'target-semi-supervised']
    """
    return "source" in FIT_ARGUMENTS[access]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a method has chosen on its sources before it meets a target.

    Attributes
    ----------
    penalty : float
    way : str
        How it uses the unlabelled target, of :data:`serlab.methods.learners.nested.WAYS`; empty where there
        is one way.
    sharp : float
        Temperature of the scores of the sources alone.
    temperature : float
        Of its answers; both on sources that were left out.
    """

    penalty: float
    way: str = ""
    sharp: float = 1.0
    temperature: float = 1.0


class Method(Protocol):
    """A classifier of utterances.

    ``fit`` takes, as keywords, what :data:`FIT_ARGUMENTS` lists for its access
    and returns ``self``. A few-shot method whose expensive part needs the
    source alone may split ``fit`` into ``fit_source(source=...)`` and
    ``fit_target(target_train=...)``: then the first is done once for all folds.
    A method of unlabelled targets may split it into ``choose(source=...)``, which returns a
    :class:`Choice`, and ``fit_beside(choice, source=..., adapt=...)``: then it can be kept as a model
    before there is a target. Its table ``chosen_by`` (left_out, penalty, way, uar, chosen) says by what.

    A network may also have ``history()`` (table of its epochs, see
    :func:`serlab.training.train`, with a column ``stage``), ``embed(X)``
    (what its output layer sees, shape (n, h)) and ``attention(X)`` (weights
    over time, shape (n, steps), NaN after the end, rows sum to 1; None
    without) and ``layers(X)`` (representations by name, from input to output,
    each (n, k)): an experiment keeps them for figures and shift diagnostics.
    ``as_source()`` gives what stands for the method where rows of the source
    are looked at, if that is not the method itself.
    """

    def fit(self, **samples: Any) -> Method: ...

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Class probabilities, shape (n, n_classes), rows sum to 1."""
        ...


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """Entry of the registry :data:`serlab.methods.METHODS`.

    Attributes
    ----------
    name : str
        Short and stable: it is written into predictions.
    title : str
        For figures and tables.
    access : {"none", "unlabelled", "few-shot", "semi-supervised", "target-only", "target-semi-supervised"}
        What of the target ``fit`` receives. A normalisation that reads unlabelled target
        utterances sees them, too: only an access with ``adapt`` may have it.
    normalization : str
        Scope of :func:`serlab.normalization.normalize` applied before ``fit``.
    build : callable
        ``build(n_classes=..., seed=..., preset=..., fitting=...)`` -> Method.
        ``preset`` is "demo", "quick" or "paper"; ``fitting`` is a
        :class:`serlab.training.Fitting`.
    options : tuple of str
        Further parameters of an experiment that ``build`` takes: "trade_off" ...
    control : str
        Method that is the same but for the one thing that this one adds: same classifier, same labels,
        same normalisation. A gain is over it. Empty where there is none.
    adds : {"", "source", "labels", "unlabelled target", "normalisation", "alignment", ...}
        One of :data:`Adds`, the one thing that the control lacks: data of another corpus, labels of the
        target, utterances of the target without labels (their statistics, or what is believed of them),
        another way to one scale, more training that goes on with the source, a loss or mapping that draws
        the corpora together, what was learned on other tasks. Empty without a control.
    further_controls : mapping of str to str
        What else a method adds -> the method that lacks that alone, where there is more than one way to
        take one thing away: a pretrained network that is fine-tuned has a control with fresh weights
        (``control``) and one without the source.
    features : str or callable(options) -> str
        Feature set this method is fed, whatever the others are; empty: the experiment's. Where it
        depends on options of the family, a function of their values by name.
    columns : str
        Regular expression for the columns of that feature set that it is fed; empty: all.
    swept : bool
        Whether a report shows it over a grid of its trade-off.
    requires : str
        Module that must be installed, as an optional extra.
    input : {"vectors", "frames"}
        One vector an utterance, or a sequence of frames. Where the feature
        set gives frames, a method of vectors gets their
        :func:`serlab.samples.statistics`.
    target_limit : int or None
        See at most so many labelled target utterances, drawn at random.
    stochastic : bool
        Whether the seed matters; a deterministic method runs once.
    reference : str
        Paper and section, or textbook source.
    """

    name: str
    title: str
    access: Access
    build: Callable[..., Method] = field(repr=False)
    normalization: str = "source"
    input: Literal["vectors", "frames"] = "vectors"
    target_limit: int | None = None
    options: tuple[str, ...] = ()
    control: str = ""
    adds: Adds = ""
    further_controls: Mapping[Adds, str] = field(default_factory=dict)
    features: str | Callable[[Mapping[str, Any]], str] = ""
    columns: str = ""
    swept: bool = False
    requires: str = ""
    stochastic: bool = True
    reference: str = ""

    @property
    def uses_source(self) -> bool:
        """Whether it learns from another corpus."""
        return uses_source(self.access)

    def feature_set(self, values: Mapping[str, Any]) -> str:
        """Name of the feature set that this method brings; empty for the experiment's.

        Parameters
        ----------
        values : mapping of str to value
            Of the options of all families, by name.
        """
        return self.features if isinstance(self.features, str) else self.features(values)


def one_hot_proba(y: np.ndarray, n_classes: int) -> np.ndarray:
    """Probabilities of a classifier that is certain; shape (n, n_classes)."""
    proba = np.zeros((len(y), n_classes))
    proba[np.arange(len(y)), y] = 1.0
    return proba


def spread_proba(proba: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Put columns for the classes seen in training into all ``n_classes``.

    scikit-learn only has columns for classes that occur in ``y``.
    """
    full = np.zeros((len(proba), n_classes))
    full[:, np.asarray(classes, dtype=int)] = proba
    return full


def require_classes(part: Labelled, at_least: int = 2) -> None:
    """Refuse a training set with too few classes.

    Raises
    ------
    ProtocolError
    """
    found = np.unique(part.y)
    if len(found) < at_least:
        raise ProtocolError(
            f"training data has {count(len(found), 'class', 'classes')}, at least {at_least} are needed; "
            "choose another split, or a speaker with more emotions"
        )
