"""VGG16 on mel spectrograms, as Baklouti et al., section 3, use it.

Simonyan & Zisserman (2015), Very deep convolutional networks for large-scale
image recognition, table 1, configuration D. Parameters have the names that
published ImageNet weights have, ``features.0.weight`` to ``classifier.6.bias``;
see :mod:`serlab.pretrained.imagenet`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from serlab.errors import ParameterError
from serlab.models.images import SPAN_DB, as_photographs, spectrogram_images

#: Channels of the 3 x 3 convolutions; each stage ends with max-pooling, which halves the sides.
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
REDUCTION = 2 ** len(STAGES)
#: Submodules that ImageNet weights fill: all but the output layer, whose classes are other ones.
FROM_IMAGENET = ("features", "classifier.0", "classifier.3")

#: Images at a time where no gradient is wanted: 1.3 MB each and channel at 224 x 224.
_AT_A_TIME = 32


class Top(nn.Module):
    """The fully connected part, of what the convolutions give: computed once when they are frozen.

    Parameters
    ----------
    n_inputs, n_classes : int
    hidden : int
        Units of both hidden layers.
    dropout : float
        After both.
    """

    def __init__(self, n_inputs: int, n_classes: int, *, hidden: int = 4096, dropout: float = 0.5) -> None:
        super().__init__()
        self.classifier = nn.Sequential(
            nn.Linear(n_inputs, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, n_classes),
        )  # fmt: skip
        for layer in (self.classifier[0], self.classifier[3]):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.normal_(self.classifier[6].weight, std=0.01)
        for layer in self.classifier[::3]:
            nn.init.zeros_(layer.bias)

    def forward(self, X: Tensor) -> Tensor:
        """Logits, shape (B, n_classes)."""
        return self.classify(self.hidden(X))

    def hidden(self, X: Tensor) -> Tensor:
        """Output of the first fully connected layer, shape (B, hidden): what is aligned."""
        return self.classifier[:2](self.convolved(X))

    def classify(self, hidden: Tensor) -> Tensor:
        """Logits of hidden representations."""
        return self.classifier[2:](hidden)

    def embed(self, X: Tensor) -> Tensor:
        """What the output layer sees, shape (B, hidden)."""
        return self.classifier[2:6](self.hidden(X))

    def layers(self, X: Tensor) -> dict[str, Tensor]:
        """Representations from input to output."""
        convolved = self.convolved(X)
        first = self.classifier[:2](convolved)
        second = self.classifier[2:5](first)
        return {
            "convolution": convolved, "fc1": first, "fc2": second, "output": self.classifier[5:](second)
        }  # fmt: skip

    def convolved(self, X: Tensor) -> Tensor:
        """What the fully connected layers see: here the input itself."""
        return X


class VGG16(Top):
    """The whole network, of log-mel sequences; gives logits.

    Weights are drawn after He et al. (2015), so that activations keep their
    size through the layers; with the published initialisation of 2014 a
    network this deep hardly learns.

    Parameters
    ----------
    n_classes : int
    image_size : int
        224 in the original; time and memory grow with its square.
    hidden, dropout
        See :class:`Top`.
    pooled : int
        The last feature maps are averaged to ``pooled`` x ``pooled``. Images of 224 have 7 x 7 there.
    span : float
        Contrast of the images, see :func:`serlab.models.images.spectrogram_images`.
    freeze_convolutions : bool
        They do not learn; then :meth:`convolved` and :attr:`top` are the fast way.

    Raises
    ------
    ParameterError
        If images are smaller than what five poolings need.
    """

    def __init__(
        self,
        n_classes: int,
        *,
        image_size: int = 224,
        hidden: int = 4096,
        dropout: float = 0.5,
        pooled: int = 7,
        span: float = SPAN_DB,
        freeze_convolutions: bool = False,
    ) -> None:
        if image_size < REDUCTION:
            raise ParameterError(
                f"image_size is {image_size}: nothing would be left of an image, which VGG16 makes "
                f"{REDUCTION} times smaller; choose {REDUCTION} or more"
            )
        super().__init__(STAGES[-1][-1] * pooled**2, n_classes, hidden=hidden, dropout=dropout)
        self.image_size, self.span = image_size, span
        self.features = _convolutions()
        self.features.requires_grad_(not freeze_convolutions)
        self.avgpool = nn.AdaptiveAvgPool2d(pooled)

    @property
    def top(self) -> Top:
        """The fully connected part alone; it shares its parameters with this network."""
        first, *_, last = self.classifier[::3]
        with torch.device("meta"):  # no weights are drawn: they are replaced
            top = Top(first.in_features, last.out_features, hidden=first.out_features)
        top.classifier = self.classifier
        return top

    def convolved(self, X: Tensor) -> Tensor:
        """Pooled feature maps, shape (B, 512 * pooled^2), of sequences (B, t, bands), NaN after their end."""
        if torch.is_grad_enabled():
            return self._convolved(X)
        return torch.cat([self._convolved(part) for part in X.split(_AT_A_TIME)])

    def _convolved(self, X: Tensor) -> Tensor:
        images = as_photographs(spectrogram_images(X, size=self.image_size, span=self.span))
        maps = self.features(images.contiguous(memory_format=torch.channels_last))
        return self.avgpool(maps).flatten(start_dim=1)


def _convolutions() -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for stage in STAGES:
        for channels in stage:
            convolution = nn.Conv2d(before, channels, kernel_size=3, padding=1)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            nn.init.zeros_(convolution.bias)
            layers += [convolution, nn.ReLU(inplace=True)]
            before = channels
        layers.append(nn.MaxPool2d(2))
    # Pixels with their channels side by side: faster on a CPU and on tensor cores.
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)
