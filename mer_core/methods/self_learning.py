"""SSSL: semi-supervised self-learning (Sun et al. 2024), the whole of section 2.1.

After a warm-up on the songs' labels, each epoch
1. measures every training window's loss, without dropout, and asks a mixture how likely its label is clean;
2. keeps the labels that seem clean, and replaces the others by the sharpened prediction;
3. trains on mixtures of all windows, and asks two dropout passes to agree on those whose label was erased.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from mer_core import metrics, mixture
from mer_core.methods.inherit import supervised_epoch
from mer_core.semi_supervised import mixup, mixup_weights, r_drop, sharpen, soft_cross_entropy
from mer_core.training import Learner, Segments

HISTOGRAM_BINS = 50  # of the scaled losses, kept per epoch so that figures need no retraining
MIXED, PLAIN = "mixed", "plain"


@dataclass(frozen=True)
class Settings:
    """What the paper leaves open, each with the reason for its default."""

    warmup_epochs: int = 5  # of plain training before losses mean anything; DivideMix uses 10 of 300 on images
    clean_threshold: float = 0.5  # tau: at 0.5 a label is kept when clean is the likelier explanation (DivideMix)
    temperature: float = 0.5  # T: DivideMix's and MixMatch's
    mixup_alpha: float = 1.0  # of Beta(alpha, alpha); 1: any blend equally likely, the mixup paper's choice for CIFAR
    consistency_weight: float = 1.0  # lambda, on the mean divergence over a batch; R-Drop uses 0.3 to 5
    consistency_input: str = PLAIN  # "plain": x of U itself (Eq. 8); "mixed": L_MIX's input, whose trunk pass it shares
    least_clean_share: float = 0.1  # of each class that stays labelled whatever the mixture says

    def __post_init__(self):
        for name in ("clean_threshold", "least_clean_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability or share in [0, 1], got {getattr(self, name)}")
        if self.temperature <= 0 or self.mixup_alpha <= 0:
            raise ValueError("temperature and mixup_alpha must be above 0")
        if self.consistency_input not in (MIXED, PLAIN):
            raise ValueError(f"consistency_input is {MIXED} or {PLAIN}, got {self.consistency_input!r}")


def train(learner: Learner, segments: Segments, settings: Settings) -> None:
    """Warm up on all labels, then separate, refine and mix in every epoch."""
    for epoch in learner.epochs():
        index = segments.in_epoch(epoch, learner.training.stride)
        if epoch < settings.warmup_epochs:
            supervised_epoch(learner, segments, index)
            continue
        targets, noisy = separate(learner, segments, index, settings)
        for batch in learner.batches(torch.arange(len(index), device=segments.device)):
            learner.step(loss(learner, segments, index, batch, targets, noisy, settings))


def separate(learner: Learner, segments: Segments, index: torch.Tensor, settings: Settings) -> tuple[torch.Tensor, torch.Tensor]:
    """Split the epoch's windows into the clean set X and the noisy set U, and give each a soft label.

    One pass without dropout yields the losses for the mixture and the predictions that replace the noisy labels.

    Returns
    -------
    (n, n_classes) soft labels: one-hot in X, sharpened prediction in U; and (n,) bool, True in U
    """
    predictions = learner.predict(segments, index)
    labels = segments.label[index]
    losses = F.nll_loss(predictions.clamp_min(1e-12).log(), labels, reduction="none").cpu().numpy()
    fitted = mixture.fit(losses)
    clean, note = mixture.partition(fitted, labels.cpu().numpy(), settings.clean_threshold, settings.least_clean_share)
    learner.note(**figures_of(fitted, clean, note, segments, index.cpu().numpy()))
    noisy = torch.as_tensor(~clean, device=segments.device)
    known = F.one_hot(labels, segments.n_classes).to(predictions)
    return torch.where(noisy[:, None], sharpen(predictions, settings.temperature), known), noisy


def loss(
    learner: Learner,
    segments: Segments,
    index: torch.Tensor,
    batch: torch.Tensor,
    targets: torch.Tensor,
    noisy: torch.Tensor,
    settings: Settings,
) -> torch.Tensor:
    """L = L_MIX + lambda L_KL (Eq. 9) of one batch; `batch` points into `index`, `targets` and `noisy`."""
    partner = batch[torch.randperm(len(batch), generator=learner.generator).to(batch)]
    weights = mixup_weights(len(batch), settings.mixup_alpha, learner.generator).to(segments.device)
    levels = segments.spectrograms(index[batch]).float()
    mixed = mixup(levels, segments.spectrograms(index[partner]).float(), weights)
    features = learner.trunk(mixed)
    logits = learner.head(features)
    total = soft_cross_entropy(logits, mixup(targets[batch], targets[partner], weights))
    if settings.consistency_weight == 0 or not noisy[batch].any():
        return total
    if settings.consistency_input == MIXED:  # a mixture belongs to the set of its dominant partner, here the first
        disagreement = r_drop(logits, learner.head(features), noisy[batch])
    else:
        features = learner.trunk(levels)
        disagreement = r_drop(learner.head(features), learner.head(features), noisy[batch])
    return total + settings.consistency_weight * disagreement


def figures_of(fitted: mixture.LossMixture, clean: np.ndarray, note: str, segments: Segments, index: np.ndarray) -> dict:
    """What the log keeps of one separation: sizes, mixture, clean share per class, histogram, and the truth where known."""
    labels = segments.label.cpu().numpy()[index]
    row = {
        "n_clean": int(clean.sum()),
        "n_noisy": int((~clean).sum()),
        "clean_share": [float(clean[labels == k].mean()) if (labels == k).any() else None for k in range(segments.n_classes)],
        "means": fitted.means,
        "deviations": fitted.deviations,
        "weights": fitted.weights,
        "bic_gain": fitted.bic_gain,
        "histogram": np.histogram(fitted.scaled_loss, bins=HISTOGRAM_BINS, range=(0, 1))[0].tolist(),
        "note": note,
    }
    if segments.truly_clean is not None:
        truth = segments.truly_clean[index]
        row["auc"] = metrics.roc_auc(truth, fitted.clean_probability)
        row["truly_clean_in_clean_set"] = float(truth[clean].mean()) if clean.any() else None
        row["truly_clean"] = float(truth.mean())
    return row
