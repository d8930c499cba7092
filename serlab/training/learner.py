"""A network under training: the step, and what lives on from one epoch to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from serlab.training.settings import Settings

#: For each of :data:`serlab.training.settings.OPTIMIZERS`. Fused steps are three times as fast on a CPU.
_OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


def optimizer_of(parameters: Sequence[nn.Parameter], settings: Settings) -> torch.optim.Optimizer:
    """What changes parameters as settings ask."""
    return _OPTIMIZERS[settings.optimizer](
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )


@dataclass
class Learner:
    """A network, what changes it, and the state that a checkpoint keeps.

    Attributes
    ----------
    module : Module
        On ``device``.
    optimizer : Optimizer
    scaler, autocast
        Of mixed precision; without effect where it is off.
    generator : Generator
        Of the order of rows, and of whatever else an epoch draws.
    device : str
    history : list of dict
        A row an epoch.
    good : dict of str to Tensor
        Weights after the last whole epoch.
    best : dict of str to Tensor, optional
        Weights of the epoch with the least ``validation_loss``.
    """

    module: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    autocast: torch.autocast
    generator: torch.Generator
    device: str
    history: list[dict[str, float]]
    good: dict[str, Tensor]
    best: dict[str, Tensor] | None

    @classmethod
    def start(
        cls,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        seed: int,
        device: str,
        mixed_precision: bool = False,
    ) -> Learner:
        """Before the first epoch.

        Parameters
        ----------
        module : Module
            On ``device`` already, as the optimizer holds its parameters.
        optimizer : Optimizer
        seed : int
            Of ``generator``.
        device : str
            From :func:`serlab.training.devices.resolve_device`.
        mixed_precision : bool
            Only has an effect on a GPU.
        """
        mixed = mixed_precision and device == "cuda"
        # bfloat16 (from Ampere on) has the range of float32; float16 needs its loss scaled.
        small_range = mixed and torch.cuda.get_device_capability() < (8, 0)
        return cls(
            module=module,
            optimizer=optimizer,
            scaler=torch.amp.GradScaler(device, enabled=small_range),
            autocast=torch.autocast(
                device, dtype=torch.float16 if small_range else torch.bfloat16, enabled=mixed
            ),
            generator=torch.Generator().manual_seed(seed),
            device=device,
            history=[],
            good=_copy(module),
            best=None,
        )

    @property
    def epoch(self) -> int:
        """Number of the epoch under way."""
        return len(self.history) + 1

    def step(self, loss: Tensor, *, clip: float | None = None, first: bool = True, last: bool = True) -> None:
        """Change the weights by the gradient of a loss, clipped to a norm.

        Of a batch in parts the gradients are added: the ``first`` forgets those of before, and after the
        ``last`` the weights change.
        """
        if first:
            self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        if not last:
            return
        if clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def end_epoch(self, row: dict[str, float]) -> None:
        """Note what an epoch came to, and keep its weights."""
        self.history.append({"epoch": self.epoch, **row})
        self.good = _copy(self.module)
        if best_epoch(self.history) == len(self.history):
            self.best = self.good

    def take_back(self) -> None:
        """Give the module the weights of the last whole epoch again."""
        self.module.load_state_dict(self.good)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on, random numbers of dropout included."""
        return {
            "history": self.history,
            "module": self.good,
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generator": self.generator.get_state(),
            "dropout": torch.get_rng_state(),
            "dropout on GPU": torch.cuda.get_rng_state() if self.device == "cuda" else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state; torch's global generator is set to it, see :func:`serlab.training.seeded`."""
        self.history, self.best = state["history"], state["best"]
        self.module.load_state_dict(state["module"])
        self.good = _copy(self.module)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["dropout"])
        if self.device == "cuda":
            torch.cuda.set_rng_state(state["dropout on GPU"])


def best_epoch(history: list[dict[str, float]]) -> int:
    """Epoch (from 1) with the least validation loss, the first of equals; 0 without."""
    losses = [row["validation_loss"] for row in history if "validation_loss" in row]
    return 1 + losses.index(min(losses)) if losses else 0


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
