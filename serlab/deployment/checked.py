"""Values and arrays of a kept model, taken with their type, bounds and shape checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serlab.deployment.classifiers import UnusableModel


class Fields:
    """Values of a JSON object, taken with their type checked."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values, self._where = values, where

    def wrong(self, name: str, expected: str) -> UnusableModel:
        """The error for a value that is not what it should be."""
        found = repr(self._values.get(name))[:60]
        return UnusableModel(f"{self._where}: {name} is {found}, expected {expected}; train it again")

    def get(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """A value of a type."""
        if name not in self._values:
            raise UnusableModel(f"{self._where}: {name} is missing; train it again")
        value = self._values[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(name, getattr(kind, "__name__", "a number"))
        return value

    def text(self, name: str, known: tuple[str, ...] = ()) -> str:
        """A text, one of those that are known."""
        value = self.get(name, str)
        if known and value not in known:
            raise self.wrong(name, f"one of {', '.join(known)}")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self.get(name, list)
        if not all(isinstance(entry, str) for entry in value):
            raise self.wrong(name, "a list of names")
        return value

    def number(self, name: str, kind: type, low: float, high: float) -> Any:
        """A number within bounds."""
        value = self.get(name, int if kind is int else (int, float))
        if not low <= value <= high:
            raise self.wrong(name, f"{low:g} to {high:g}")
        return kind(value)

    def mapping(self, name: str, kind: type) -> dict[str, Any]:
        """An object with values of a type."""
        value = self.get(name, dict)
        if not all(isinstance(entry, kind) for entry in value.values()):
            raise self.wrong(name, f"an object of {kind.__name__}")
        return value

    def within(self, name: str) -> Fields:
        """An object in this one."""
        return Fields(self.get(name, dict), f"{self._where}, {name}")

    def curves(self, name: str, n: int, most: int) -> tuple[tuple[float, ...], ...]:
        """``n`` lists of at most ``most`` numbers from 0 to 1, each rising."""
        value = self.get(name, list)
        if len(value) != n or not all(
            isinstance(curve, list)
            and len(curve) <= most
            and all(isinstance(x, int | float) and not isinstance(x, bool) and 0 <= x <= 1 for x in curve)
            and curve == sorted(curve)
            for curve in value
        ):
            raise self.wrong(name, f"{n} lists of rising numbers from 0 to 1")
        return tuple(tuple(map(float, curve)) for curve in value)


class Arrays:
    """Arrays of the weights, taken with their shape checked."""

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        self._path = path
        try:
            self._arrays = load_file(self._path)
        except (SafetensorError, ValueError, OSError, KeyError) as error:
            raise UnusableModel(f"{self._path} cannot be read ({error}); train it again") from None

    def take(self, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
        """Finite numbers of a shape, in which None is any length."""
        array = self._arrays.get(name)
        if array is None:
            raise UnusableModel(f"{self._path}: {name} is missing; train it again")
        fits = array.ndim == len(shape) and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype.kind not in "fi":
            raise UnusableModel(
                f"{self._path}: {name} has the shape {array.shape}, expected {shape}; train it again"
            )
        if not np.isfinite(array).all():
            raise UnusableModel(f"{self._path}: {name} holds values that are not finite; train it again")
        return array

    def numbers(self, name: str, shape: tuple[int | None, ...], n: int) -> np.ndarray:
        """Whole numbers from 0 to below ``n``, as int."""
        found = self.take(name, shape)
        numbers = found.astype(int)
        if (numbers != found).any() or not np.isin(numbers, range(n)).all():
            raise UnusableModel(f"{self._path}: {name} holds numbers that name nothing; train it again")
        return numbers

    def codes(self, name: str, n_classes: int) -> np.ndarray:
        """Numbers of classes, each once."""
        found = self.take(name, (None,))
        codes = found.astype(int)
        if (
            (codes != found).any()
            or len(set(codes)) < max(1, len(codes))
            or not np.isin(codes, range(n_classes)).all()
        ):
            raise UnusableModel(f"{self._path}: {name} names classes that are not there; train it again")
        return codes
