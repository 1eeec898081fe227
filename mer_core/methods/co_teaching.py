"""Co-teaching (Han et al., NeurIPS 2018): two networks, each learning from what the other finds easy.

In each batch every network picks the windows of smallest loss and hands them to its peer; the rest teach nobody. How much is left
out rises from nothing to the forget rate, because early on every loss is large.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from mer_core.training import Learner, Segments


@dataclass(frozen=True)
class Settings:
    """The paper sets the forget rate to the noise rate, which nobody knows here."""

    forget_rate: float = 0.1  # share left out; between SELAB's 0.05 and the share that SSSL's mixture calls noisy on 4Q
    ramp_epochs: int = 3  # in which it rises from 0, linearly; the paper: 10 of 200

    def __post_init__(self):
        if not 0 <= self.forget_rate < 1 or self.ramp_epochs < 1:
            raise ValueError("forget_rate is a share in [0, 1), ramp_epochs at least 1")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Two networks side by side; both answer together."""
    pair = (learner, learner.peer(segments))
    for epoch in learner.epochs():
        forget = settings.forget_rate * min(1.0, epoch / settings.ramp_epochs)
        kept = []
        for batch in learner.batches(segments.in_epoch(epoch, learner.training.stride)):
            kept.append(exchange(pair, segments, batch, forget).cpu().numpy())
        if segments.truly_clean is not None:  # the paper's "pure ratio": share of right labels among those kept
            learner.note(truly_clean_in_clean_set=float(segments.truly_clean[np.concatenate(kept)].mean()))
    return lambda others: (pair[0].predict(others) + pair[1].predict(others)) / 2


def exchange(pair: tuple[Learner, Learner], segments: Segments, batch: torch.Tensor, forget: float) -> torch.Tensor:
    """One step of both networks, each on the windows that its peer found easiest; returns what the first one's peer chose."""
    levels, labels = segments.spectrograms(batch), segments.label[batch]
    losses = [F.cross_entropy(one.logits(levels), labels, reduction="none") for one in pair]
    n_kept = max(1, round((1 - forget) * len(batch)))
    easiest = [each.detach().argsort()[:n_kept] for each in losses]
    for one, loss, chosen in zip(pair, losses, reversed(easiest), strict=True):
        one.step(loss[chosen].mean())
    return batch[easiest[1]]
