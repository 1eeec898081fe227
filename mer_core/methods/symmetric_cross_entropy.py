"""Symmetric cross-entropy (Wang et al., ICCV 2019): cross-entropy, and the same with its arguments exchanged.

The reverse asks whether the label is probable under the prediction. Its log 0, for classes that are not the
label, is set to a constant A < 0, so that it is bounded and symmetric noise does not mislead it:

    L = alpha CE(f(x), y) + beta RCE,    RCE = - sum_k f(x)_k log y_k = -A (1 - f(x)_y)
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch.nn import functional as F

from mer_core.segments import Segments
from mer_core.training import Learner, minimised

LOG_ZERO = -4.0  # A, as printed; the authors' code clips labels at 1e-4, whose natural logarithm is -9.2


@dataclass(frozen=True)
class Settings:
    """The authors' values for CIFAR-10; for the hundred classes of CIFAR-100 they take 6 and 0.1."""

    kind: ClassVar[str] = "symmetric_cross_entropy"

    alpha: float = 0.1  # of cross-entropy, which fits fast and overfits to wrong labels
    beta: float = 1.0  # of the reverse

    def __post_init__(self):
        if min(self.alpha, self.beta) < 0 or self.alpha + self.beta == 0:
            raise ValueError("alpha and beta must not be negative, nor both 0")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Train on the songs' labels."""
    return minimised(learner, segments, partial(loss, settings=settings))


def loss(logits: torch.Tensor, labels: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Mean over (n, n_classes) logits and (n,) labels."""
    cross_entropy = F.cross_entropy(logits, labels, reduction="none")
    reverse = -LOG_ZERO * (1 - torch.exp(-cross_entropy))
    return (settings.alpha * cross_entropy + settings.beta * reverse).mean()
