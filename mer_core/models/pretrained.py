"""MusiCNN with its released weights as a network that learns on: fine-tuning."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from mer_core.audio.features import Features
from mer_core.models import musicnn, musicnn_weights

ALL, MIDDLE, HEAD = (
    "all",
    "middle",
    "head",
)  # what is trained: everything, all but the front end, dense layers


@dataclass(frozen=True)
class Settings:
    """Which weights, and how much of the network is trained."""

    kind: ClassVar[str] = "pretrained.Settings"

    weights: str = "MSD_musicnn"  # or "MTT_musicnn"
    trained: str = ALL

    def __post_init__(self):
        if self.trained not in (ALL, MIDDLE, HEAD):
            raise ValueError(f"trained is one of {ALL}, {MIDDLE}, {HEAD}, got {self.trained!r}")

    def build(self, n_classes: int, features: Features) -> nn.Module:
        """The network with a new last layer; raises ValueError for other mel bands than it was trained on."""
        if features != musicnn.FEATURES:
            raise ValueError(f"MusiCNN needs the levels that it was trained on: {musicnn.FEATURES}")
        network = musicnn_weights.load(self.weights)
        network.head[-1] = nn.Linear(musicnn.PENULTIMATE, n_classes)
        frozen = {ALL: [], MIDDLE: [network.norm, network.timbral, network.temporal]}
        frozen[HEAD] = [*frozen[MIDDLE], network.middle]
        for part in frozen[self.trained]:
            part.requires_grad_(False)
        return network
