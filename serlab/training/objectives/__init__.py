"""What a network minimises while it learns from source and target together."""

from serlab.training.objectives.base import (
    DISTANCES,
    Batch,
    CrossEntropy,
    Distance,
    DomainAdversarial,
    Joint,
    JointMMD,
    LocalMMD,
    LossOf,
    Objective,
    WithHead,
    classified,
    classified_target,
    ramp,
    require_trade_off,
)

__all__ = [
    "DISTANCES",
    "Batch",
    "CrossEntropy",
    "Distance",
    "DomainAdversarial",
    "Joint",
    "JointMMD",
    "LocalMMD",
    "LossOf",
    "Objective",
    "WithHead",
    "classified",
    "classified_target",
    "ramp",
    "require_trade_off",
]
