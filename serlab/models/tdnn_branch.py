"""A second output layer of a TDNN, for as long as it learns."""

from __future__ import annotations

from torch import Tensor, nn

from serlab.models import masking
from serlab.models.tdnn import TDNN


class WithBranch(nn.Module):
    """A TDNN, and a second output layer on its prefinal layer.

    The chain systems that Zhou & Beigi follow have one (Povey et al. 2016, section 2.7: cross-entropy
    regularisation), with a prefinal layer of its own, which it shares here.

    Parameters
    ----------
    tdnn : TDNN
        Learns in place.
    """

    def __init__(self, tdnn: TDNN) -> None:
        super().__init__()
        self.tdnn = tdnn
        self.branch = nn.Linear(tdnn.widths[-1], tdnn.n_outputs)

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of both layers, shape (B, t', n_outputs), NaN after the end of an utterance."""
        hidden, mask = masking.split(self.tdnn.frames_at(X, "prefinal"))
        outside = mask[:, :, None]
        return (
            masking.nan_outside(self.tdnn.output(hidden), outside),
            masking.nan_outside(self.branch(hidden), outside),
        )
