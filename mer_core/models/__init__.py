"""The networks: VGG by name here, others in files of their own, each with ``Settings`` that can ``build``."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from mer_core.audio.features import Features
from mer_core.models.vgg import VGG16, VGGSlim

ARCHITECTURES = {"vgg16": VGG16, "vgg_slim": VGGSlim}


@dataclass(frozen=True)
class Network:
    """Which network, and how much dropout its head has."""

    kind: ClassVar[str] = "models.Network"

    architecture: str = "vgg16"
    dropout: float = 0.5  # as in VGG16's dense layers

    def __post_init__(self):
        if self.architecture not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise ValueError(f"unknown architecture {self.architecture!r}; known are {known}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is a probability in [0, 1), got {self.dropout}")

    def build(self, n_classes: int, features: Features | None = None) -> nn.Module:
        """A randomly initialised network with a ``trunk`` and a ``head``, for any number of bands."""
        return ARCHITECTURES[self.architecture](n_classes, self.dropout)
