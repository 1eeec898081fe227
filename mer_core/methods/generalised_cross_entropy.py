"""Generalised cross-entropy (Zhang and Sabuncu, NeurIPS 2018): a loss that improbable labels pull less on.

With p_y the predicted probability of a window's label,

    L = mean (1 - p_y^q) / q,    0 < q <= 1

Its gradient is that of cross-entropy times p_y^q. The limit q -> 0 is cross-entropy; q = 1 gives 1 - p_y,
half the absolute error against the one-hot label, which symmetric noise does not mislead but which learns
slowly.
The paper's truncated variant, which also leaves windows out, is not here.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch.nn import functional as F

from mer_core.segments import Segments
from mer_core.training import Learner, minimised


@dataclass(frozen=True)
class Settings:
    """The authors' value for all their data."""

    kind: ClassVar[str] = "generalised_cross_entropy"

    q: float = 0.7

    def __post_init__(self):
        if not 0 < self.q <= 1:
            raise ValueError(f"q is in (0, 1], got {self.q}")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Train on the songs' labels."""
    return minimised(learner, segments, partial(loss, settings=settings))


def loss(logits: torch.Tensor, labels: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Mean over (n, n_classes) logits and (n,) labels; p^q - 1 as expm1(q log p), exact for small q too."""
    log_probability = -F.cross_entropy(logits, labels, reduction="none")
    return -torch.expm1(settings.q * log_probability).mean() / settings.q
