"""Bidirectional LSTM trained by CTC on one emotion an utterance, after Chernykh et al. (2017).

Chernykh, Sterling & Prihodko (2017), Emotion recognition from speech with
recurrent neural networks, arXiv 1701.08071. Its text was not at hand. Known,
from its abstract and from those who cite it: 34 features of frames of 200 ms,
a BLSTM, and connectionist temporal classification (Graves et al. 2006) over
the emotions and a blank, because an utterance has frames without its emotion.
Ours: all sizes, and the decision by exact path sums instead of a search.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from serlab.models import masking, recurrent
from serlab.models.recurrent import BLSTM


class CTCBLSTM(nn.Module):
    """Emotion or blank in each frame; an utterance scores each emotion as CTC's only label.

    Parameters
    ----------
    n_features, n_classes : int
    units : int
        Of each direction.
    n_layers : int
    dropout : float
        Between layers, and before the output layer.
    """

    def __init__(
        self, n_features: int, n_classes: int, *, units: int = 64, n_layers: int = 2, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.blstm = BLSTM(n_features, units, n_layers=n_layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * units, n_classes + 1)

    def forward(self, X: Tensor) -> Tensor:
        """Log-probability that the frames say a class and nothing else, shape (B, n_classes).

        Of sequences (B, t, n_features), NaN after their end. The softmax over
        classes is the posterior of an utterance that has one emotion.
        """
        steps, mask = self._steps(X)
        return single_label_scores(self._log_posteriors(steps), mask)

    def embed(self, X: Tensor) -> Tensor:
        """Mean over time of what the output layer sees, shape (B, 2 * units)."""
        return recurrent.mean(*self._steps(X))

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output."""
        steps, mask = self._steps(X)
        scores = single_label_scores(self._log_posteriors(steps), mask)
        return {"blstm": recurrent.mean(steps, mask), "output": scores}

    def _steps(self, X: Tensor) -> tuple[Tensor, Tensor]:
        filled, mask = masking.split(X)
        return self.blstm(filled, mask), mask

    def _log_posteriors(self, steps: Tensor) -> Tensor:
        return self.output(self.dropout(steps)).float().log_softmax(dim=2)


def single_label_scores(log_posteriors: Tensor, mask: Tensor) -> Tensor:
    """CTC's log-probability of each label alone, for all labels at once.

    A path that collapses to one label is blanks, a run of the label, blanks.
    With B and C the sums of log-posteriors of blank and label up to a frame,
    the sum over runs from s to e is that of ``B[s-1] - C[s-1]`` over s, and of
    ``C[e] - B[e]`` plus that over e: two cumulative sums instead of a trellis.

    Parameters
    ----------
    log_posteriors : Tensor, shape (B, t, n_classes + 1)
        The blank last.
    mask : Tensor of bool, shape (B, t)
        True up to the end of each sequence.

    Returns
    -------
    Tensor, shape (B, n_classes)
        What ``-torch.nn.CTCLoss`` gives for each label as the target.

    References
    ----------
    Graves et al. (2006), Connectionist temporal classification, section 3.
    """
    # Frames after the end have probability 1 whatever they say, and no run ends there.
    log_posteriors = log_posteriors.masked_fill(~mask[:, :, None], 0.0)
    blank = log_posteriors[:, :, -1:].cumsum(dim=1)
    label = log_posteriors[:, :, :-1].cumsum(dim=1)
    advantage = label - blank
    before = nn.functional.pad(advantage[:, :-1], (0, 0, 1, 0))
    runs = advantage + torch.logcumsumexp(-before, dim=1)
    return blank[:, -1] + runs.masked_fill(~mask[:, :, None], -torch.inf).logsumexp(dim=1)
