"""MixMatch (Berthelot et al., NeurIPS 2019) on the two sets that SSSL's mixture finds.

X keeps its labels. U gets, anew for every batch, the sharpened mean prediction of K dropout passes. Both are
mixed with each other, a mixture belonging to the set of its dominant partner:

    L = CE over X' + w(t) mean over U' and classes of (f(x) - q)^2

Unlike cross-entropy the squared error is bounded, so that wrong guesses cost little. The paper draws as many
windows from U as from X and perturbs pictures by moving them; here a batch holds both sets as they come, and
dropout perturbs.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional as F

from mer_core.methods import self_learning
from mer_core.methods.self_learning import separate
from mer_core.segments import Segments
from mer_core.semi_supervised import linear_ramp, mixed_pairs, sharpen, soft_cross_entropy
from mer_core.training import Learner, epochs_after_warmup


@dataclass(frozen=True)
class Settings:
    """The authors' values for CIFAR-10, but for the weight; the mixture as in SSSL."""

    kind: ClassVar[str] = "mixmatch"

    warmup_epochs: int = 5  # as in SSSL
    clean_threshold: float = 0.5  # as in SSSL: a label is kept when clean is the likelier explanation
    temperature: float = 0.5  # T
    passes: int = 2  # K
    mixup_alpha: float = 0.75  # of Beta(alpha, alpha); 0: no mixing
    # w, of a mean over classes; the authors' 75 is for far longer training and outweighs the labels in a
    # short one: on synthetic songs it ended near chance after 24 epochs
    unlabelled_weight: float = 10.0
    ramp_epochs: int = 16  # after the warm-up, in which w rises linearly (16 of 1,024; DivideMix: 16 of 300)

    def __post_init__(self):
        if not 0 <= self.clean_threshold <= 1:
            raise ValueError(f"clean_threshold is a probability in [0, 1], got {self.clean_threshold}")
        if min(self.temperature, self.mixup_alpha, self.unlabelled_weight, self.ramp_epochs) < 0:
            raise ValueError("temperature, mixup_alpha, unlabelled_weight and ramp_epochs are not negative")
        if self.passes < 1:
            raise ValueError(f"passes is at least 1, got {self.passes}")

    @property
    def separation(self) -> self_learning.Settings:
        """What `self_learning.separate` asks for."""
        return self_learning.Settings(clean_threshold=self.clean_threshold, temperature=self.temperature)

    def unlabelled_weight_at(self, epoch: int) -> float:
        """The weight w in an epoch (counted from 0)."""
        return self.unlabelled_weight * linear_ramp(epoch - self.warmup_epochs, self.ramp_epochs)


def train(learner: Learner, segments: Segments, settings: Settings):
    """Warm up on all labels, then separate in every epoch, guess and mix in every batch."""
    for epoch, index in epochs_after_warmup(segments, settings.warmup_epochs, learner):
        predictions = learner.predict(segments, index)
        labels = separate(learner, segments, index, predictions, predictions, settings.separation)
        for batch in learner.batches(torch.arange(len(index), device=segments.device)):
            levels, noisy = segments.spectrograms(labels.index[batch]).float(), labels.noisy[batch]
            guessed = sharpen(mean_prediction(learner, levels, settings.passes), settings.temperature)
            targets = torch.where(noisy[:, None], guessed, labels.targets[batch])
            total, _ = loss(learner, levels, targets, noisy, settings, settings.unlabelled_weight_at(epoch))
            learner.step(total)
    return learner.predict


@torch.no_grad()
def mean_prediction(learner: Learner, levels: torch.Tensor, passes: int) -> torch.Tensor:
    """(n, n_classes) mean probabilities of passes under dropout; only the head drops, so one trunk."""
    features = learner.trunk(levels)
    return sum(learner.head(features).softmax(dim=1) for _ in range(passes)) / passes


def loss(
    learner: Learner,
    levels: torch.Tensor,
    targets: torch.Tensor,
    noisy: torch.Tensor,
    settings: Settings,
    unlabelled_weight: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """MixMatch's loss of one batch, and the logits of its mixtures.

    Parameters
    ----------
    targets : (n, n_classes) soft labels
    noisy : (n,) bool, True in U; a set that is empty costs nothing
    """
    mixed, blended = mixed_pairs(levels, targets, settings.mixup_alpha, learner.generator)
    logits = learner.logits(mixed)
    total = logits.new_zeros(())
    if not noisy.all():
        total = total + soft_cross_entropy(logits[~noisy], blended[~noisy])
    if noisy.any():
        squared = F.mse_loss(logits[noisy].softmax(dim=1), blended[noisy])
        total = total + unlabelled_weight * squared
    return total, logits
