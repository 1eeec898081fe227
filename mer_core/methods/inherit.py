"""Every segment inherits its song's label, or its tags (Sarkar et al. 2020): the baseline of all others.

Labels may be smoothed, and windows augmented as SELAB-HCMUS does for tags: mixed in pairs, partly masked, one
tag at a time.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional as F

from mer_core.audio.features import SILENCE_DB
from mer_core.device import send
from mer_core.segments import Segments
from mer_core.semi_supervised import mask, mixed_pairs
from mer_core.training import Learner, supervised_epoch

FOCUS, POSITIVE_WEIGHT = 2.0, 0.75  # gamma of the focal loss, weight of a positive; in SELAB's release


@dataclass(frozen=True)
class Settings:
    """Labels and windows as they are, unless something is set."""

    kind: ClassVar[str] = "inherit"

    label_smoothing: float = 0.0  # probability spread evenly over all classes (Szegedy et al. 2016); 0: none
    mixup_alpha: float = 0.0  # of Beta(alpha, alpha); SELAB: 1; 0: none
    longest_masked_share: float = 0.0  # of bands, and of frames, in masked windows; SELAB's release: 0.2
    masked_windows: float = 0.5  # share of windows that are masked, where any is
    # each window louder or softer by up to this, so that the recording's level tells less; 0: as it is
    gain_db: float = 0.0
    single_tags: bool = False  # every tag equally often, a window with one of its tags (SELAB, section 2.1.4)
    focal: bool = False  # weighted focal loss, as in SELAB's release, instead of binary cross-entropy

    def __post_init__(self):
        for name in ("label_smoothing", "longest_masked_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a share in [0, 1), got {getattr(self, name)}")
        if min(self.mixup_alpha, self.gain_db) < 0 or not 0 <= self.masked_windows <= 1:
            raise ValueError("mixup_alpha and gain_db are not negative; masked_windows is a share in [0, 1]")

    @property
    def plain(self) -> bool:
        augmented = self.mixup_alpha or self.longest_masked_share or self.gain_db
        return not (augmented or self.single_tags or self.focal)


def train(learner: Learner, segments: Segments, settings: Settings):
    """Train on the songs' labels, trusting every one of them."""
    plain = settings.plain and not (learner.tagged and settings.label_smoothing)
    for epoch in learner.epochs():
        index = segments.in_epoch(epoch, learner.training.stride)
        if plain:
            supervised_epoch(learner, segments, index, settings.label_smoothing)
            continue
        for levels, targets in augmented_batches(learner, segments, index, settings):
            learner.step(window_losses(learner, learner.logits(levels), targets, settings).mean())
    return learner.predict


def augmented_batches(learner: Learner, segments: Segments, index: torch.Tensor, settings: Settings):
    """Shuffled batches of (windows in dB, soft targets), augmented as the settings say."""
    targets = soft_targets(segments, index, settings.label_smoothing)
    if settings.single_tags:
        drawn, tag = one_tag_each(segments.label[index] > 0, learner.generator)
        index, targets = index[drawn.to(index)], F.one_hot(tag.to(index), segments.n_classes).to(targets)
    for batch in learner.batches(torch.arange(len(index), device=index.device)):
        levels, own = segments.spectrograms(index[batch]).float(), targets[batch]
        if settings.gain_db:
            levels = amplified(levels, settings.gain_db, learner.generator)
        if settings.mixup_alpha:
            levels, own = mixed_pairs(levels, own, settings.mixup_alpha, learner.generator)
        if settings.longest_masked_share:
            masked = mask(levels, settings.longest_masked_share, learner.generator)
            drawn = send(torch.rand(len(batch), generator=learner.generator), batch.device)
            levels = torch.where((drawn < settings.masked_windows)[:, None, None, None], masked, levels)
        yield levels, own


def amplified(levels: torch.Tensor, at_most_db: float, generator: torch.Generator) -> torch.Tensor:
    """Windows in dB, each louder or softer as a whole, by a gain uniform in [-at_most_db, at_most_db]."""
    gain = at_most_db * (2 * torch.rand(len(levels), generator=generator) - 1)
    return (levels + send(gain, levels.device)[:, None, None, None]).clamp_min(SILENCE_DB)


def soft_targets(segments: Segments, index: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    """(n, n_classes) probabilities: one-hot, or 1 for every tag; smoothed."""
    targets = segments.targets(index)
    middle = 0.5 if segments.tagged else 1 / segments.n_classes
    return targets + label_smoothing * (middle - targets)


def one_tag_each(has: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows, tags): about as many as there are rows, every tag equally often, on rows drawn among its own."""
    has = has.cpu()
    tags = torch.nonzero(has.any(dim=0))[:, 0]
    each = -(-len(has) // len(tags))
    rows = torch.stack(
        [torch.multinomial(has[:, tag].float(), each, replacement=True, generator=generator) for tag in tags]
    )
    return rows.flatten(), tags.repeat_interleave(each)


def window_losses(
    learner: Learner, logits: torch.Tensor, targets: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """(n,) cross-entropy of each window with label or soft targets; of tags the mean, or the focal loss."""
    if targets.ndim == 1:
        return F.cross_entropy(logits, targets, reduction="none")
    if not learner.tagged:
        return -(targets * F.log_softmax(logits, dim=1)).sum(dim=1)
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    if settings.focal:
        # any share of a tag counts as the tag
        weight = torch.where(targets > 0, POSITIVE_WEIGHT, 1 - POSITIVE_WEIGHT)
        each = weight * (1 - torch.exp(-each)) ** FOCUS * each
    return each.mean(dim=1)
