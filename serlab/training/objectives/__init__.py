"""What a network minimises while it learns from source and target together: :data:`OBJECTIVES`.

Families of methods (:mod:`serlab.methods`) derive their adapters from this
table: an objective is its own module, and one entry here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serlab.errors import ParameterError

if TYPE_CHECKING:
    from serlab.training.objectives.base import Objective

__all__ = ["OBJECTIVES", "ObjectiveSpec", "require_trade_off"]


@dataclass(frozen=True, kw_only=True)
class ObjectiveSpec:
    """Entry of :data:`OBJECTIVES`; reading it imports nothing.

    Attributes
    ----------
    name : str
        Short and stable: part of the names of methods.
    title : str
        For figures and tables.
    reference : str
        Authors and year, or where in a paper.
    work : str
        Title of that publication, where the reference does not name it.
    where : str
        Class of the :class:`serlab.training.objectives.base.Objective`: "module:name".
    arguments : mapping
        What it is built with.
    options : tuple of str
        Parameters of an experiment that it is built with besides.
    """

    name: str
    title: str
    reference: str
    where: str
    work: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ("trade_off",)

    @property
    def citation(self) -> str:
        """Reference and work."""
        return ", ".join(part for part in (self.reference, self.work) if part)

    def build(self, **options: Any) -> Objective:
        """The objective; ``options`` by name, those left out have the defaults of its class."""
        module, _, name = self.where.partition(":")
        return getattr(importlib.import_module(module), name)(**self.arguments, **options)


def require_trade_off(value: float) -> None:
    """Refuse a weight below 0, with which a network would drive the corpora apart.

    Raises
    ------
    ParameterError
    """
    if not value >= 0:
        raise ParameterError(f"the trade-off (lambda) is {value}; it must be 0 or more")


OBJECTIVES: tuple[ObjectiveSpec, ...] = (
    ObjectiveSpec(
        name="mmd",
        title="MMD",
        reference="Baklouti et al., equations 1 and 2",
        where="serlab.training.objectives.distance:Distance",
        arguments={"distance": "mmd"},
    ),
    ObjectiveSpec(
        name="mkmmd",
        title="multi-kernel MMD",
        reference="Long et al. 2015",
        work="Learning transferable features with deep adaptation networks",
        where="serlab.training.objectives.distance:Distance",
        arguments={"distance": "multi-kernel mmd"},
    ),
    ObjectiveSpec(
        name="lmmd",
        title="local MMD",
        reference="Zhu et al. 2021",
        work="Deep subdomain adaptation network",
        where="serlab.training.objectives.mmd:LocalMMD",
    ),
    ObjectiveSpec(
        name="jmmd",
        title="joint MMD",
        reference="Long et al. 2017",
        work="Deep transfer learning with joint adaptation networks",
        where="serlab.training.objectives.mmd:JointMMD",
    ),
    ObjectiveSpec(
        name="coral",
        title="deep CORAL",
        reference="Sun & Saenko 2016",
        work="Deep CORAL",
        where="serlab.training.objectives.distance:Distance",
        # Differences of covariances of bounded units are small: brought to the size of the others.
        arguments={"distance": "coral", "scale": 1000.0},
    ),
    ObjectiveSpec(
        name="dann",
        title="DANN",
        reference="Ganin et al. 2016",
        work="Domain-adversarial training of neural networks",
        where="serlab.training.objectives.adversarial:DomainAdversarial",
    ),
    ObjectiveSpec(
        name="mdann",
        title="DANN, a domain a corpus",
        reference="Zhao et al. 2018",
        work="Adversarial multiple source domain adaptation, with one discriminator of all domains",
        where="serlab.training.objectives.several:ManyDomains",
    ),
    ObjectiveSpec(
        name="mmmd",
        title="MMD of all pairs of corpora",
        reference="Peng et al. 2019",
        work="Moment matching for multi-source domain adaptation, with MMD",
        where="serlab.training.objectives.several:ManyDistances",
    ),
    ObjectiveSpec(
        name="gan",
        title="GAN",
        reference="Latif et al. 2019",
        where="serlab.training.objectives.adversarial:GAN",
    ),
    ObjectiveSpec(
        name="addi",
        title="ADDi",
        reference="Latif et al. 2022",
        where="serlab.training.objectives.adversarial:ADDi",
    ),
    ObjectiveSpec(
        name="saddi",
        title="sADDi",
        reference="Latif et al. 2022",
        where="serlab.training.objectives.adversarial:SADDi",
    ),
)
