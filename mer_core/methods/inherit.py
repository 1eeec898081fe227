"""Every segment inherits its song's label (Sarkar et al. 2020): the plain way, and the baseline of all others."""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from mer_core.training import Learner, Segments


@dataclass(frozen=True)
class Settings:
    """Nothing to set: labels are taken as they are."""


def supervised_epoch(learner: Learner, segments: Segments, index: torch.Tensor) -> None:
    """One epoch of cross-entropy against the songs' labels."""
    for batch in learner.batches(index):
        learner.step(F.cross_entropy(learner.logits(segments.spectrograms(batch)), segments.label[batch]))


def train(learner: Learner, segments: Segments, settings: Settings) -> None:
    """Train on the songs' labels, believing every one of them."""
    for epoch in learner.epochs():
        supervised_epoch(learner, segments, segments.in_epoch(epoch, learner.training.stride))
