"""Co-teaching (Han et al., NeurIPS 2018): two networks, each learning from what the other finds easy.

In each batch every network picks the windows of smallest loss and hands them to its peer; the rest teach
nobody. How much is left out rises from nothing to the forget rate, because early on every loss is large.
SELAB-HCMUS lets networks of two kinds teach each other tags.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from mer_core.methods import inherit
from mer_core.segments import Segments
from mer_core.training import Learner, LearnerEnsemble


@dataclass(frozen=True)
class Settings(inherit.Settings):
    """The paper sets the forget rate to the noise rate, which nobody knows here."""

    kind: ClassVar[str] = "co_teaching"

    forget_rate: float = 0.1  # share left out; between SELAB's 0.05 and what SSSL's mixture finds noisy on 4Q
    ramp_epochs: int = 3  # in which it rises linearly from 0; the paper: 10 of 200; SELAB's release: 0
    # Settings of the other network, which then only teaches; None: of the same kind, and both predict
    peer: object = None

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.forget_rate < 1 or self.ramp_epochs < 0:
            raise ValueError("forget_rate is a share in [0, 1), ramp_epochs not negative")
        if self.label_smoothing:
            raise ValueError("co-teaching takes labels as they are: leave label_smoothing at 0")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Two networks side by side."""
    pair = (learner, learner.peer(segments, settings.peer))
    for epoch in learner.epochs():
        ramp = min(1.0, epoch / settings.ramp_epochs) if settings.ramp_epochs else 1.0
        kept = []
        for levels, targets, windows in batches(learner, segments, epoch, settings):
            chosen = exchange(pair, levels, targets, settings, settings.forget_rate * ramp)
            kept += [] if windows is None else [windows[chosen]]
        if segments.truly_clean is not None and kept:  # the paper's "pure ratio": share of right labels kept
            kept = torch.cat(kept).cpu().numpy()
            learner.note(truly_clean_in_clean_set=float(segments.truly_clean[kept].mean()))
    if settings.peer is not None:
        return learner.predict
    return LearnerEnsemble(*pair)


def batches(learner: Learner, segments: Segments, epoch: int, settings: Settings):
    """(levels in dB, labels or soft targets, window indices) of an epoch; augmented windows have no index."""
    index = segments.in_epoch(epoch, learner.training.stride)
    if settings.plain:
        for batch in learner.batches(index):
            yield segments.spectrograms(batch), segments.label[batch], batch
    else:
        for levels, targets in inherit.augmented_batches(learner, segments, index, settings):
            yield levels, targets, None


def exchange(
    pair: tuple[Learner, Learner],
    levels: torch.Tensor,
    targets: torch.Tensor,
    settings: Settings,
    forget: float,
) -> torch.Tensor:
    """One step of both networks, each on its peer's easiest windows; returns those that the first one saw."""
    losses = [inherit.window_losses(one, one.logits(levels), targets, settings) for one in pair]
    n_kept = max(1, round((1 - forget) * len(levels)))
    easiest = [each.detach().argsort()[:n_kept] for each in losses]
    for one, loss, chosen in zip(pair, losses, reversed(easiest), strict=True):
        one.step(loss[chosen].mean())
    return easiest[1]
