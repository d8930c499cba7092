"""What all adapters have in common for a person: how much alignment weighs."""

from __future__ import annotations

from serlab.methods.options import Option


def _require_trade_off(value: float) -> None:
    from serlab.training.objectives import require_trade_off

    require_trade_off(value)


#: Parameter of an experiment: lambda of Baklouti et al., equation 1.
OPTIONS: tuple[Option, ...] = (
    Option(
        name="trade_off",
        default=1.0,
        title="lambda",
        help="Weight of what draws source and target together, 0 or more.",
        check=_require_trade_off,
        picker="number",
        bounds=(0.0, 1e6),
    ),
)
