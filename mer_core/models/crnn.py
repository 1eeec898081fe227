"""Mirable's network: residual convolutions with generalised-mean pooling, then a recurrent layer; a branch
for mel, one for HPCP.

The paper calls it "similar to CRNN" (Choi et al. 2017) with residual blocks and GeM pooling, each branch
ending in 256 numbers, and two linear layers behind (Tan, MediaEval 2021, section 2.2 and Figure 1). The
student's blocks may be bypassed (stochastic depth)."""

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
    head_dropout: float = (
        0.3  # before each of the two linear layers; the paper names none, its release has 0.3
    )
    block_dropout: float = 0.0  # after the block's last ReLU; the student: 0.1
    stochastic_depth: float = 0.0  # probability that a block is skipped for a batch; the student: 0.1
    plain_blocks: bool = (
        False  # no shortcut and maximum pooling, as the student in Mirable's release has them
    )

    def __post_init__(self):
        for name in ("head_dropout", "block_dropout", "stochastic_depth"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a probability in [0, 1), got {getattr(self, name)}")

    def build(self, n_classes: int, features: Features) -> nn.Module:
        return CRNN(n_classes, features, self)


class GeM(nn.Module):
    """Generalised mean over 2 x 2 cells: (mean of x^p)^(1/p), p learned; 1: average, infinity: maximum
    (Radenovic 2019).
    """

    def __init__(self, power: float = 3.0, floor: float = 1e-6):
        super().__init__()
        self.power, self.floor = nn.Parameter(torch.tensor(power)), floor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False):  # powers of bf16 numbers would lose the small ones
            raised = x.float().clamp_min(self.floor).pow(self.power)
            return F.avg_pool2d(raised, 2, ceil_mode=True).pow(1 / self.power)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, then GeM: (batch, channels, rows, steps) -> (batch, wider, rows /
    2, steps / 2).
    """

    def __init__(self, channels: int, wider: int, settings: Settings):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, wider, 3, padding=1, bias=False), nn.BatchNorm2d(wider), nn.ReLU(inplace=True),
            nn.Conv2d(wider, wider, 3, padding=1, bias=False), nn.BatchNorm2d(wider),
        )  # fmt: skip
        self.shortcut = nn.Conv2d(
            channels, wider, 1, bias=False
        )  # the way around a block that is bypassed, too
        self.dropout, self.stochastic_depth, self.residual = (
            nn.Dropout(settings.block_dropout),
            settings.stochastic_depth,
            not settings.plain_blocks,
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True) if settings.plain_blocks else GeM()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skipped = self.training and self.stochastic_depth and float(torch.rand(())) < self.stochastic_depth
        around = self.shortcut(x) if skipped or self.residual else 0.0
        return self.pool(self.dropout(F.relu(around if skipped else self.convolutions(x) + around)))


class Branch(nn.Module):
    """Blocks, then a recurrent layer in both directions, its last states as d numbers: (batch, 1, rows,
    steps) -> (batch, d).
    """

    def __init__(self, n_rows: int, settings: Settings):
        super().__init__()
        widths = [1, *(settings.width * depth for depth in DEPTHS)]
        self.blocks = nn.Sequential(*(ResidualBlock(a, b, settings) for a, b in pairwise(widths)))
        for _ in DEPTHS:
            n_rows = -(-n_rows // 2)
        self.recurrent = nn.GRU(
            widths[-1] * n_rows, settings.branch // 2, batch_first=True, bidirectional=True
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        steps = self.blocks(x).permute(0, 3, 1, 2).flatten(2)  # (batch, steps, channels * rows)
        _, last = self.recurrent(steps)
        return last.transpose(0, 1).flatten(1)


class CRNN(nn.Module):
    """(batch, 1, features.n_values, n_frames) -> (batch, n_classes) logits; a second branch hears HPCP where
    there is any.
    """

    def __init__(self, n_classes: int, features: Features, settings: Settings):
        super().__init__()
        self.features = features
        rows = (
            [features.mel.n_mels, features.hpcp.size]
            if isinstance(features, MelAndHPCP)
            else [features.n_mels]
        )
        self.branches = nn.ModuleList(Branch(n, settings) for n in rows)
        d, p = settings.branch, settings.head_dropout
        self.head = nn.Sequential(
            nn.Dropout(p),
            nn.Linear(d * len(rows), d),
            nn.ReLU(inplace=True),
            nn.Dropout(p),
            nn.Linear(d, n_classes),
        )

    def trunk(self, x: torch.Tensor) -> torch.Tensor:
        parts = zip(self.branches, heard_by_branch(x, self.features), strict=True)
        return torch.cat([branch(part) for branch, part in parts], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x))


def heard_by_branch(x: torch.Tensor, features: Features) -> list[torch.Tensor]:
    """Stored frames taken apart: (batch, 1, n_mels, mel steps), and (batch, 1, 12, HPCP steps) where the
    features hold them.
    """
    if not isinstance(features, MelAndHPCP):
        return [x]
    n_mel = features.mel_steps * features.mel.n_mels
    return [
        unfolded(x[:, :, :n_mel], features.mel_steps),
        unfolded(x[:, :, n_mel:], features.hpcp_steps),
    ]


def unfolded(x: torch.Tensor, steps: int) -> torch.Tensor:
    """(batch, 1, steps * rows, n_frames) -> (batch, 1, rows, n_frames * steps): the steps of a frame after
    one another.
    """
    return x.unflatten(2, (steps, -1)).permute(0, 1, 3, 4, 2).flatten(3)
