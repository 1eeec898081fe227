"""MusiCNN with its released weights as a network that learns on: fine-tuning."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from mer_core.audio.features import Features, FrontEndMaps
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
        """The network with a new last layer, on mel levels or on its front end's stored maps.

        Raises
        ------
        ValueError : other mel bands than it was trained on; maps, where the front end itself is to be trained
        """
        on_maps = features == FrontEndMaps(self.weights) and self.trained != ALL
        if not on_maps and features != musicnn.FEATURES:
            raise ValueError(
                f"MusiCNN needs the levels that it was trained on, {musicnn.FEATURES}, or, where its front "
                f"end is not trained, {FrontEndMaps(self.weights)}"
            )
        network = musicnn_weights.load(self.weights)
        network.head[-1] = nn.Linear(musicnn.PENULTIMATE, n_classes)
        frozen = {ALL: [], MIDDLE: [network.norm, network.timbral, network.temporal]}
        frozen[HEAD] = [*frozen[MIDDLE], network.middle]
        for part in frozen[self.trained]:
            part.requires_grad_(False)
        return BehindFrontEnd(network) if on_maps else network


class BehindFrontEnd(nn.Module):
    """The middle and the dense layers of MusiCNN: (n, 1, 561, T) maps of its front end -> (n, n_classes)."""

    takes_decibels = True  # maps as they are: its first layer knows their scale

    def __init__(self, network: musicnn.MusiCNN):
        super().__init__()
        self.network = network
        self.head = network.head

    def trunk(self, maps: torch.Tensor) -> torch.Tensor:
        return self.network.trunk_of_maps(maps[:, 0])

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(maps))
