"""Iterative soft labels (Mao, Ching and Lee, IEEE/ACM TASLP 2022, for speech): labels move to predictions.

After a warm-up every window's label becomes a blend of its song's label and the mean of the network's
predictions so far; no label is judged, none is thrown away. It is SSSL's self-learning without its
separation, mixup and R-Drop.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from mer_core.segments import Segments
from mer_core.semi_supervised import soft_cross_entropy
from mer_core.training import Learner, epochs_after_warmup


@dataclass(frozen=True)
class Settings:
    """How much of the song's label remains."""

    kind: ClassVar[str] = "soft_labels"

    warmup_epochs: int = 5
    label_weight: float = 0.5  # of the song's label in the blend; 1: plain training

    def __post_init__(self):
        if not 0 <= self.label_weight <= 1:
            raise ValueError(f"label_weight is a share in [0, 1], got {self.label_weight}")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Warm up on the songs' labels, then let the predictions of every epoch refine them."""
    known = segments.targets(torch.arange(len(segments), device=segments.device))
    summed, times = torch.zeros_like(known), torch.zeros(len(segments), 1, device=segments.device)
    for _, index in epochs_after_warmup(segments, settings.warmup_epochs, learner):
        summed[index] += learner.predict(segments, index)
        times[index] += 1
        targets = settings.label_weight * known + (1 - settings.label_weight) * summed / times.clamp_min(1)
        moved = (targets[index] - known[index]).abs().sum(dim=1)  # total variation: half of it, or by tag
        learner.note(moved=float(moved.mean() / (segments.n_classes if segments.tagged else 2)))
        for batch in learner.batches(index):
            logits = learner.logits(segments.spectrograms(batch))
            learner.step(soft_cross_entropy(logits, targets[batch], segments.tagged))
    return learner.predict
