"""Every segment inherits its song's label (Sarkar et al. 2020): the plain way, and the baseline of all others."""

from dataclasses import dataclass

import torch

from mer_core.training import Learner, Segments


@dataclass(frozen=True)
class Settings:
    """Labels are taken as they are, or a little less surely."""

    label_smoothing: float = 0.0  # probability spread evenly over all classes (Szegedy et al. 2016); 0: none

    def __post_init__(self):
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing is a share in [0, 1), got {self.label_smoothing}")


def supervised_epoch(learner: Learner, segments: Segments, index: torch.Tensor, label_smoothing: float = 0.0) -> None:
    """One epoch of cross-entropy against the songs' labels."""
    for batch in learner.batches(index):
        logits = learner.logits(segments.spectrograms(batch))
        learner.step(learner.loss(logits, segments.label[batch], label_smoothing))


def train(learner: Learner, segments: Segments, settings: Settings):
    """Train on the songs' labels, believing every one of them."""
    for epoch in learner.epochs():
        supervised_epoch(learner, segments, segments.in_epoch(epoch, learner.training.stride), settings.label_smoothing)
    return learner.predict
