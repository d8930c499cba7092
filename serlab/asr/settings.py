"""How an acoustic model is pretrained: one record, for notebooks and the command line.

>>> chosen = PRESETS["paper"].with_text("epochs=3 speed=0.9,1.1")
>>> chosen.epochs, chosen.speed, chosen.loss
(3, (0.9, 1.1), 'lf-mmi')
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from serlab.errors import ParameterError, meant

LOSSES: tuple[str, ...] = ("ctc", "lf-mmi")


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """Settings of a pretraining. JSON values, but for an architecture that is none of the known ones.

    Attributes
    ----------
    architecture : str
        Of :data:`serlab.models.tdnn.ARCHITECTURES`.
    subsampling : int
        Frames of 10 ms from one output to the next, by the fourth layer; 0: as the architecture has it.
    loss : {"ctc", "lf-mmi"}
    leaky : float
        Coefficient of the leaky hidden Markov model in the denominator of LF-MMI.
    cross_entropy : float
        Weight of a second output layer that learns the occupancies of the numerator of LF-MMI frame by
        frame; it is thrown away afterwards. 0: none.
    ngram_order : int
        Of the units in the denominator of LF-MMI.
    ivectors : bool
        Whether an i-vector stands beside each frame.
    n_components, rank : int
        Gaussians of the background model, and width of an i-vector.
    ivector_window : int
        Frames that share an i-vector; 0: those of the utterance.
    speed : tuple of float
        Copies of the training speech at other speeds, beside it as it is.
    volume : tuple of float
        Least and greatest factor by which a training utterance is made louder, drawn anew in each epoch;
        empty: as it is.
    epochs, batch_size : int
        An epoch is one pass over the training speech with its copies.
    learning_rate : float
        The highest, of Adam.

    Raises
    ------
    ParameterError
        If a value makes no sense, or does with another loss only.
    """

    architecture: Any = "quick"
    subsampling: int = 0
    loss: str = "ctc"
    leaky: float = 1e-5
    cross_entropy: float = 0.0
    ngram_order: int = 2
    ivectors: bool = True
    n_components: int = 64
    rank: int = 100
    ivector_window: int = 0
    speed: tuple[float, ...] = ()
    volume: tuple[float, ...] = ()
    epochs: int = 20
    batch_size: int = 16
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        for name in ("speed", "volume"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, at_least in _LEAST.items():
            if not getattr(self, name) >= at_least:
                raise ParameterError(
                    f"pretraining: {name} is {getattr(self, name)}; choose {at_least} or more"
                )
        if self.loss not in LOSSES:
            raise ParameterError(f"unknown loss {self.loss!r}; known: {', '.join(LOSSES)}")
        if self.cross_entropy and self.loss != "lf-mmi":
            raise ParameterError(
                "pretraining: the cross-entropy branch learns from the numerator of LF-MMI; choose "
                "loss=lf-mmi, or cross_entropy=0"
            )
        if not self.learning_rate > 0:
            raise ParameterError(f"pretraining: learning_rate is {self.learning_rate}; choose above 0")
        if not all(0.5 <= factor <= 2 and factor != 1 for factor in self.speed):
            raise ParameterError(f"pretraining: speed is {self.speed}; choose from 0.5 to 2, without 1")
        if self.volume and not (len(self.volume) == 2 and 0 < self.volume[0] <= self.volume[1]):
            raise ParameterError(
                f"pretraining: volume is {self.volume}; give the least and the greatest factor, as 0.125,2"
            )

    def with_values(self, **changed: Any) -> Pretraining:
        """The same with other values.

        Raises
        ------
        ParameterError
            If there is no such setting, or it makes no sense.
        """
        for name in changed:
            if name not in FIELDS:
                raise ParameterError(f"pretraining has no setting {name!r}{meant(name, FIELDS)}; {_known()}")
        return dataclasses.replace(self, **changed)

    def with_text(self, text: str) -> Pretraining:
        """The same with what a text changes: ``"epochs=3 speed=0.9,1.1"``; an empty one changes nothing.

        Raises
        ------
        ParameterError
            If a part is no NAME=VALUE, a value has another type, or as for :meth:`with_values`.
        """
        changed = {}
        for part in text.split():
            name, equals, value = part.partition("=")
            if not equals:
                raise ParameterError(f"pretraining: {part!r} is not of the form NAME=VALUE; {_known()}")
            changed[name] = _value(name, value)
        return self.with_values(**changed)

    def as_dict(self) -> dict[str, Any]:
        """JSON values, as a model keeps them."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


_LEAST: Mapping[str, int] = MappingProxyType(
    {
        "subsampling": 0, "leaky": 0, "cross_entropy": 0, "ngram_order": 1, "n_components": 1, "rank": 1,
        "ivector_window": 0, "epochs": 1, "batch_size": 2,
    }
)  # fmt: skip

#: Names of all settings.
FIELDS: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Pretraining))

#: ``paper``: Zhou & Beigi's as far as they print it, and where they refer to the Kaldi recipe for TED-LIUM
#: (section 4.2), what its chain systems have: output every 3 frames, leak and weight of the cross-entropy
#: branch .1, three speeds, volumes from .125 to 2, a background model of 512. Six epochs as printed; the
#: recipe counts its epochs over all copies, and so does this. Batches and rate are ours, not tuned.
PRESETS: Mapping[str, Pretraining] = MappingProxyType(
    {
        "demo": Pretraining(architecture="demo", epochs=8, n_components=16, rank=20),
        "quick": Pretraining(),
        "paper": Pretraining(
            architecture="paper",
            subsampling=3,
            loss="lf-mmi",
            leaky=0.1,
            cross_entropy=0.1,
            n_components=512,
            speed=(0.9, 1.1),
            volume=(0.125, 2.0),
            epochs=6,
            batch_size=64,
            learning_rate=1e-3,
        ),
    }
)


def of_preset(preset: str) -> Pretraining:
    """Settings of a preset.

    Raises
    ------
    ParameterError
        Listing the known ones.
    """
    if preset not in PRESETS:
        raise ParameterError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    return PRESETS[preset]


def check(text: str) -> None:
    """Refuse a text that changes nothing that there is, or to what makes no sense with any preset.

    Raises
    ------
    ParameterError
    """
    failures = []
    for settings in PRESETS.values():
        try:
            settings.with_text(text)
        except ParameterError as error:
            failures.append(error)
    if len(failures) == len(PRESETS):
        raise failures[0]


def _known() -> str:
    return f"known: {', '.join(FIELDS)}"


def _value(name: str, text: str) -> Any:
    """Value of a setting from its text."""
    default = getattr(PRESETS["quick"], name, None)
    wrong = ParameterError(f"pretraining: {name}={text!r} is not {_EXPECTED.get(type(default), 'a value')}")
    if isinstance(default, bool):
        if text.lower() not in _YES_NO:
            raise wrong
        return _YES_NO[text.lower()]
    try:
        if isinstance(default, tuple):
            return tuple(float(part) for part in text.split(",") if part)
        return type(default)(text) if isinstance(default, int | float) else text
    except ValueError:
        raise wrong from None


_YES_NO: Mapping[str, bool] = MappingProxyType({"yes": True, "true": True, "no": False, "false": False})
_EXPECTED: Mapping[type, str] = MappingProxyType(
    {bool: "yes or no", int: "a whole number", float: "a number", tuple: "numbers with commas"}
)
