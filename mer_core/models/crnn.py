"""Mirable's network: residual convolutions with generalised-mean pooling, then a recurrent layer.

The paper calls it "similar to CRNN" (Choi et al. 2017) with residual blocks and GeM pooling, a branch for mel
and one for HPCP, each ending in 256 numbers, and two linear layers behind (Tan, MediaEval 2021, section 2.2
and Figure 1). The student has stochastic depth: its blocks are skipped at random.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from mer_core.audio.features import Features, MelAndHPCP

DEPTHS = (1, 2, 2)  # channels of the three blocks, in parts of the width; each block halves both axes


@dataclass(frozen=True)
class Settings:
    """How wide the network is, and how noisy while it learns."""

    kind: ClassVar[str] = "crnn.Settings"

    width: int = 64  # channels of the first block
    branch: int = 256  # numbers that each branch ends in (the paper's d)
    head_dropout: float = 0.3  # before each of the two linear layers; from the release, the paper names none
    block_dropout: float = 0.0  # after the block's last ReLU; the student: 0.1
    stochastic_depth: float = 0.0  # probability that a block is skipped for a batch; the student: 0.1
    plain_blocks: bool = False  # no shortcut, maximum pooling: as the student of Mirable's release has them

    def __post_init__(self):
        for name in ("head_dropout", "block_dropout", "stochastic_depth"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a probability in [0, 1), got {getattr(self, name)}")

    def build(self, n_classes: int, features: Features) -> nn.Module:
        return CRNN(n_classes, features, self)


class GeM(nn.Module):
    """Generalised mean of 2 x 2 cells, (mean of x^p)^(1/p), p learned (Radenovic 2019); p = 1: average."""

    def __init__(self, power: float = 3.0, floor: float = 1e-6):
        super().__init__()
        self.power, self.floor = nn.Parameter(torch.tensor(power)), floor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):  # powers of bf16 numbers would lose the small ones
            raised = x.float().clamp_min(self.floor).pow(self.power)
            return F.avg_pool2d(raised, 2, ceil_mode=True).pow(1 / self.power)


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut, then GeM: (batch, channels, n, m) -> (batch, wider, n / 2, m / 2)."""

    def __init__(self, channels: int, wider: int, settings: Settings):
        super().__init__()
        first = [nn.Conv2d(channels, wider, 3, padding=1, bias=False), nn.BatchNorm2d(wider)]
        second = [nn.Conv2d(wider, wider, 3, padding=1, bias=False), nn.BatchNorm2d(wider)]
        self.convolutions = nn.Sequential(*first, nn.ReLU(inplace=True), *second)
        self.shortcut = nn.Conv2d(channels, wider, 1, bias=False)  # also of a block that is skipped
        self.dropout, self.residual = nn.Dropout(settings.block_dropout), not settings.plain_blocks
        self.stochastic_depth = settings.stochastic_depth
        self.pool = nn.MaxPool2d(2, ceil_mode=True) if settings.plain_blocks else GeM()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skipped = self.training and self.stochastic_depth and float(torch.rand(())) < self.stochastic_depth
        shortcut = self.shortcut(x) if skipped or self.residual else 0.0
        return self.pool(self.dropout(F.relu(shortcut if skipped else self.convolutions(x) + shortcut)))


class Branch(nn.Module):
    """Blocks, then the last states of a bidirectional GRU: (batch, 1, rows, steps) -> (batch, d)."""

    def __init__(self, n_rows: int, settings: Settings):
        super().__init__()
        widths = [1, *(settings.width * depth for depth in DEPTHS)]
        self.blocks = nn.Sequential(*(ResidualBlock(a, b, settings) for a, b in pairwise(widths)))
        for _ in DEPTHS:
            n_rows = -(-n_rows // 2)
        n_in, width = widths[-1] * n_rows, settings.branch // 2
        self.recurrent = nn.GRU(n_in, width, batch_first=True, bidirectional=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        steps = self.blocks(x).permute(0, 3, 1, 2).flatten(2)  # (batch, steps, channels * rows)
        _, last = self.recurrent(steps)
        return last.transpose(0, 1).flatten(1)


class CRNN(nn.Module):
    """(batch, 1, features.n_values, n_frames) -> (batch, n_classes) logits; HPCP has a branch of its own."""

    def __init__(self, n_classes: int, features: Features, settings: Settings):
        super().__init__()
        self.features = features
        both = isinstance(features, MelAndHPCP)
        rows = [features.mel.n_mels, features.hpcp.size] if both else [features.n_mels]
        self.branches = nn.ModuleList(Branch(n, settings) for n in rows)
        d, p = settings.branch, settings.head_dropout
        hidden = [nn.Linear(d * len(rows), d), nn.ReLU(inplace=True)]
        self.head = nn.Sequential(nn.Dropout(p), *hidden, nn.Dropout(p), nn.Linear(d, n_classes))

    def trunk(self, x: torch.Tensor) -> torch.Tensor:
        parts = zip(self.branches, inputs_of_branches(x, self.features), strict=True)
        return torch.cat([branch(part) for branch, part in parts], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x))


def inputs_of_branches(x: torch.Tensor, features: Features) -> list[torch.Tensor]:
    """(batch, 1, n_mels, mel steps) and, where frames hold HPCP, (batch, 1, 12, HPCP steps)."""
    if not isinstance(features, MelAndHPCP):
        return [x]
    mel, hpcp = x.tensor_split([features.mel_steps * features.mel.n_mels], dim=2)
    return [unfolded(mel, features.mel_steps), unfolded(hpcp, features.hpcp_steps)]


def unfolded(x: torch.Tensor, steps: int) -> torch.Tensor:
    """(batch, 1, steps * rows, n_frames) -> (batch, 1, rows, n_frames * steps), in the order of time."""
    return x.unflatten(2, (steps, -1)).permute(0, 1, 3, 4, 2).flatten(3)
