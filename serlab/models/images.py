"""Mel spectrograms as images, for networks made for photographs.

Baklouti et al., section 3.1, turn log-mel spectrograms into images and print
neither their size nor how utterances of different length get one width, nor
how decibels become colours. Our choices:

- the utterance's own frames are stretched or shrunk to the width, bands to the
  height: linear interpolation, with a wider triangle where it shrinks (so that
  no frame is skipped), as image libraries do it;
- low bands are at the bottom, time goes to the right;
- grey, in three equal channels; a colour map would add nothing but its own curve;
- white is the loudest value of the utterance, black what lies ``span`` below it:
  80 decibels, as is usual for pictures of librosa's spectrograms. The level of
  a recording does not matter then.

Every utterance is looked at by itself, so its image does not depend on the
others of its batch, nor on the length to which they are padded.
"""

from __future__ import annotations

import torch
from torch import Tensor

from serlab.models import masking

#: Decibels between white and black.
SPAN_DB = 80.0

#: Mean and deviation of ImageNet's red, green and blue in [0, 1], which its networks expect removed.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_SD = (0.229, 0.224, 0.225)


def spectrogram_images(X: Tensor, *, size: int, span: float = SPAN_DB) -> Tensor:
    """Grey images of log-mel sequences.

    Parameters
    ----------
    X : Tensor, shape (B, t, d)
        Decibels, NaN after the end of an utterance. Z-scores will do, with a ``span`` to match
        (about 6).
    size : int
        Pixels of both sides.
    span : float
        Difference between white and black.

    Returns
    -------
    Tensor of float32, shape (B, 1, size, size)
        In [0, 1]; row 0 is the highest band, column 0 the first frame.
    """
    filled, mask = masking.split(X)
    lengths = mask.sum(dim=1)
    # Half precision would round every pixel.
    with torch.autocast(X.device.type, enabled=False):
        peak = filled.masked_fill(~mask[:, :, None], -torch.inf).amax(dim=(1, 2), keepdim=True)
        grey = (1 + (filled.float() - peak) / span).clamp(min=0)
        time = _interpolation(lengths, X.shape[1], size)
        bands = _interpolation(torch.tensor([X.shape[2]], device=X.device), X.shape[2], size)
        image = bands @ (time @ grey).transpose(1, 2)
    return image.flip(1)[:, None]


def as_photographs(grey: Tensor) -> Tensor:
    """What networks trained on ImageNet expect: three channels, centred and scaled by its colours.

    Parameters
    ----------
    grey : Tensor, shape (B, 1, height, width)
        In [0, 1].

    Returns
    -------
    Tensor, shape (B, 3, height, width)
    """
    mean, sd = (grey.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_SD))
    return (grey - mean) / sd


def _interpolation(lengths: Tensor, longest: int, size: int) -> Tensor:
    """Matrices that resample the first ``lengths`` of ``longest`` points to ``size``.

    Pixel i lies at ``(i + .5) length / size``, point j at ``j + .5``. Weights fall linearly
    with their distance, over one point where it stretches and over ``length / size`` points
    where it shrinks; each row sums to 1.

    Returns
    -------
    Tensor of float32, shape (len(lengths), size, longest)
    """
    step = lengths[:, None, None] / size
    pixel = (torch.arange(size, device=lengths.device)[:, None] + 0.5) * step
    point = torch.arange(longest, device=lengths.device) + 0.5
    weight = (1 - (point - pixel).abs() / step.clamp(min=1)).clamp(min=0)
    weight = weight * (point < lengths[:, None, None])
    return weight / weight.sum(dim=2, keepdim=True)
