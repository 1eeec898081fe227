"""ELR, early-learning regularisation (Liu et al., NeurIPS 2020): stay with early predictions.

A running mean t of each window's past predictions is kept; the loss rewards agreement with it, no label is
ever thrown away:

    L = CE(f(x), y) + lambda * mean log(1 - <t, f(x)>),    t <- beta t + (1 - beta) f(x)
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional as F

from mer_core.segments import Segments
from mer_core.training import Learner

LEAST_PROBABILITY = 1e-4  # predictions stay off 0 and 1, so that logarithms stay finite (the authors' code)


@dataclass(frozen=True)
class Settings:
    """The authors' values for CIFAR-10."""

    kind: ClassVar[str] = "elr"

    weight: float = 3.0  # lambda
    momentum: float = 0.7  # beta

    def __post_init__(self):
        if self.weight < 0 or not 0 <= self.momentum < 1:
            raise ValueError("weight must not be negative, momentum is a share in [0, 1)")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Train on the songs' labels, drawn back to the windows' own past predictions."""
    past = torch.zeros(len(segments), segments.n_classes, device=segments.device)
    for epoch in learner.epochs():
        for batch in learner.batches(segments.in_epoch(epoch, learner.training.stride)):
            logits = learner.logits(segments.spectrograms(batch))
            predicted = logits.softmax(dim=1).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
            now = (predicted / predicted.sum(dim=1, keepdim=True)).detach()
            past[batch] = settings.momentum * past[batch] + (1 - settings.momentum) * now
            agreement = (past[batch] * predicted).sum(dim=1)
            plain = F.cross_entropy(logits, segments.label[batch])
            learner.step(plain + settings.weight * (1 - agreement).log().mean())
    return learner.predict
