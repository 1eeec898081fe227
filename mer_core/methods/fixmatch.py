"""FixMatch-style pseudo-labels (Sohn et al., NeurIPS 2020) in place of SSSL's soft labels, mixup and R-Drop.

The mixture separates as in SSSL. Clean windows keep their label. Of the others only those with a confident
prediction count; it is their target when a strip of bands and a strip of time are masked.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from mer_core.methods import self_learning
from mer_core.methods.self_learning import separate
from mer_core.segments import Segments
from mer_core.semi_supervised import mask, soft_cross_entropy
from mer_core.training import Learner, epochs_after_warmup

# SSSL's separation; erased labels become the likeliest class
SEPARATION = self_learning.Settings(temperature=0)


@dataclass(frozen=True)
class Settings:
    """FixMatch's threshold; the rest as in SSSL."""

    kind: ClassVar[str] = "fixmatch"

    warmup_epochs: int = 5
    confidence: float = 0.95  # a pseudo-label counts when its probability reaches this
    longest_masked_share: float = 0.3  # of bands, and of frames

    def __post_init__(self):
        if not 0 <= self.confidence <= 1 or not 0 <= self.longest_masked_share < 1:
            raise ValueError("confidence and longest_masked_share are shares in [0, 1]")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Warm up on all labels, then labels on X and confident pseudo-labels on masked windows of U."""
    for _, index in epochs_after_warmup(segments, settings.warmup_epochs, learner):
        predictions = learner.predict(segments, index)
        labels = separate(learner, segments, index, predictions, predictions, SEPARATION)
        counts = ~labels.noisy | (predictions.amax(dim=1) >= settings.confidence)
        learner.note(n_pseudo_labelled=int((counts & labels.noisy).sum()))
        for batch in learner.batches(torch.nonzero(counts)[:, 0]):
            levels = segments.spectrograms(labels.index[batch]).float()
            masked = mask(levels, settings.longest_masked_share, learner.generator)
            levels = torch.where(labels.noisy[batch][:, None, None, None], masked, levels)
            learner.step(soft_cross_entropy(learner.logits(levels), labels.targets[batch]))
    return learner.predict
