"""Dense layers on what is already known of a window (`features.WindowFeatures`)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from mer_core.audio.features import Features


@dataclass(frozen=True)
class Settings:
    """Without hidden layers: multinomial logistic regression on standardised features."""

    kind: ClassVar[str] = "heads.Settings"

    hidden: tuple[int, ...] = ()  # units of each hidden layer
    dropout: float = 0.5  # before the last layer: R-Drop needs some

    def __post_init__(self):
        if not 0 <= self.dropout < 1 or min(self.hidden, default=1) < 1:
            raise ValueError("dropout is a probability in [0, 1), and a hidden layer has units")

    def build(self, n_classes: int, features: Features) -> nn.Module:
        return Head(n_classes, features.n_values, self)


class Head(nn.Module):
    """(batch, 1, n_values, n_frames) -> (batch, n_classes) logits; trunk: the mean over a window's frames."""

    def __init__(self, n_classes: int, n_values: int, settings: Settings):
        super().__init__()
        self.trunk = MeanOverFrames()
        layers, n_in = [], n_values
        for n_out in settings.hidden:
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
            n_in = n_out
        self.head = nn.Sequential(*layers, nn.Dropout(settings.dropout), nn.Linear(n_in, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x))


class MeanOverFrames(nn.Module):
    """(batch, 1, n_values, n_frames) -> (batch, n_values)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=3).flatten(1)
