"""SSSL: semi-supervised self-learning (Sun et al. 2024), the whole of section 2.1.

After a warm-up on the songs' labels, each epoch
1. measures every training window's loss, without dropout, and fits a mixture: how likely is its label clean?
2. keeps the labels that seem clean, and replaces the others by the sharpened prediction;
3. trains on mixtures of all windows, and makes two dropout passes agree on those whose label was erased.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from mer_core import mixture
from mer_core.device import is_asynchronous
from mer_core.evaluation import metrics
from mer_core.segments import Segments
from mer_core.semi_supervised import (
    divergences,
    linear_ramp,
    mixed_pairs,
    r_drop,
    sharpen,
    soft_cross_entropy,
)
from mer_core.training import Learner, epochs_after_warmup

HISTOGRAM_BINS = 50  # of the scaled losses, kept per epoch so that figures need no retraining
MIXED, PLAIN = "mixed", "plain"
TOGETHER, PER_CLASS, NONE = "together", "per_class", "none"
LINEAR, LOG = "linear", "log"
REPLACE, DROP, WEIGHT = "replace", "drop", "weight"
CHOICES = {
    "consistency_input": (MIXED, PLAIN),
    "separation": (TOGETHER, PER_CLASS, NONE),
    "loss_scale": (LINEAR, LOG),
    "doubtful": (REPLACE, DROP, WEIGHT),
}


@dataclass(frozen=True)
class Settings:
    """What the paper leaves open, each with the reason for its default."""

    kind: ClassVar[str] = "self_learning"

    warmup_epochs: int = (
        5  # of plain training before losses mean anything; DivideMix uses 10 of 300 on images
    )
    clean_threshold: float = 0.5  # tau: a label is kept when clean is the likelier explanation (DivideMix)
    temperature: float = 0.5  # T: DivideMix's and MixMatch's; 0: hard labels
    mixup_alpha: float = 1.0  # of Beta(alpha, alpha); 1: any blend equally likely (mixup on CIFAR); 0: none
    consistency_weight: float = 1.0  # lambda, on the mean divergence over a batch; R-Drop uses 0.3 to 5
    consistency_input: str = (
        PLAIN  # x of U itself (Eq. 8); "mixed": L_MIX's input, whose trunk pass it shares
    )
    least_clean_share: float = 0.1  # of each class that stays labelled whatever the mixture says
    separation: str = TOGETHER  # one mixture, as printed; "per_class": one for each; "none": no label is kept
    loss_scale: str = LINEAR  # the mixture is fitted to the loss (DivideMix); "log": to its logarithm
    # labels of U: replaced by predictions, as printed; "drop": left out with their windows; "weight": none is
    # erased, and every window counts as much as its label is likely to be clean
    doubtful: str = REPLACE
    ramp_epochs: int = 0  # after the warm-up, in which lambda rises linearly (DivideMix: 16); 0: at once

    def __post_init__(self):
        for name in ("clean_threshold", "least_clean_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability or share in [0, 1], got {getattr(self, name)}")
        if min(self.temperature, self.mixup_alpha, self.consistency_weight, self.ramp_epochs) < 0:
            raise ValueError("temperature, mixup_alpha, consistency_weight and ramp_epochs are not negative")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, got {getattr(self, name)!r}")

    def consistency_at(self, epoch: int) -> float:
        """Lambda in an epoch (counted from 0)."""
        return self.consistency_weight * linear_ramp(epoch - self.warmup_epochs, self.ramp_epochs)


@dataclass(frozen=True)
class SoftLabels:
    """What an epoch after the warm-up trains on: windows, their labels, and whose label was erased."""

    index: torch.Tensor  # (n,) windows of the segments
    targets: torch.Tensor  # (n, n_classes): the song's label in X, sharpened prediction in U; or weighted
    noisy: torch.Tensor  # (n,) bool, True in U
    clean_probability: torch.Tensor  # (n,) of the songs' labels, by the mixture

    def only(self, kept: torch.Tensor) -> "SoftLabels":
        """Those of some windows, by a (n,) bool tensor."""
        return SoftLabels(*(values[kept] for values in vars(self).values()))


def train(learner: Learner, segments: Segments, settings: Settings):
    """Warm up on all labels, then separate, refine and mix in every epoch."""
    for epoch, index in epochs_after_warmup(segments, settings.warmup_epochs, learner):
        predictions = learner.predict(segments, index)
        labels = separate(learner, segments, index, predictions, predictions, settings)
        semi_supervised_epoch(learner, segments, labels, settings, settings.consistency_at(epoch))
    return learner.predict


def separate(
    learner: Learner,
    segments: Segments,
    index: torch.Tensor,
    judged_by: torch.Tensor,
    refined_by: torch.Tensor,
    settings: Settings,
) -> SoftLabels:
    """Split the epoch's windows into the clean set X and the noisy set U, and give each a soft label.

    The song's label may be a soft one already, a distribution or a share for each tag: the loss is then what
    the prediction departs from it (`divergences`). A window's label is kept or replaced as a whole.

    Parameters
    ----------
    judged_by : (n, n_classes) predictions whose losses the mixture sees
    refined_by : (n, n_classes) predictions that, sharpened, replace the noisy labels; in SSSL the same
    """
    known, labels = segments.targets(index).to(refined_by), segments.strata(index).cpu().numpy()
    losses = divergences(known, judged_by, segments.tagged)
    fitted = fit(losses.cpu().numpy(), labels, settings)
    clean, note = mixture.partition(fitted, labels, settings.clean_threshold, settings.least_clean_share)
    if settings.separation == NONE:
        clean, note = np.zeros_like(clean), "no label was kept"
    learner.note(**figures_of(fitted, clean, note, segments, index.cpu().numpy()))
    noisy = torch.as_tensor(~clean, device=segments.device)
    probability = torch.as_tensor(fitted.clean_probability, dtype=known.dtype, device=known.device)
    if settings.doubtful == WEIGHT:
        return SoftLabels(index, probability[:, None] * known, torch.zeros_like(noisy), probability)
    refined = sharpen(refined_by, settings.temperature, segments.tagged)
    targets = torch.where(noisy[:, None], refined, known)
    found = SoftLabels(index, targets, noisy, probability)
    return found.only(~noisy) if settings.doubtful == DROP else found


def fit(losses: np.ndarray, labels: np.ndarray, settings: Settings) -> mixture.LossMixture:
    """The mixture over all losses, or one over the losses of each class."""
    if settings.loss_scale == LOG:
        losses = np.log(losses.clip(min=mixture.SMALLEST_SPREAD))
    return mixture.fit_per_class(losses, labels) if settings.separation == PER_CLASS else mixture.fit(losses)


def semi_supervised_epoch(
    learner: Learner, segments: Segments, labels: SoftLabels, settings: Settings, consistency_weight: float
) -> None:
    """One epoch on mixtures of all windows with agreement on U: L = L_MIX + lambda L_KL (Eq. 9)."""
    for batch in learner.batches(torch.arange(len(labels.index), device=segments.device)):
        learner.step(loss(learner, segments, labels, batch, settings, consistency_weight))


def loss(
    learner: Learner,
    segments: Segments,
    labels: SoftLabels,
    batch: torch.Tensor,
    settings: Settings,
    consistency_weight: float,
) -> torch.Tensor:
    """Eq. 9 for one batch, whose entries point into the epoch's windows."""
    levels = segments.spectrograms(labels.index[batch]).float()
    mixed, blended = mixed_pairs(levels, labels.targets[batch], settings.mixup_alpha, learner.generator)
    features = learner.trunk(mixed)
    logits = learner.head(features)
    total = soft_cross_entropy(logits, blended, segments.tagged)
    noisy = labels.noisy[batch]
    if consistency_weight == 0 or not (is_asynchronous(noisy.device) or noisy.any()):
        return total  # where one would wait for the answer, an empty U adds 0
    if settings.consistency_input == MIXED:  # a mixture belongs to the set of its dominant partner, the first
        disagreement = r_drop(logits, learner.head(features), noisy, segments.tagged)
    else:
        features = learner.trunk(levels)
        disagreement = r_drop(learner.head(features), learner.head(features), noisy, segments.tagged)
    return total + consistency_weight * disagreement


def figures_of(
    fitted: mixture.LossMixture, clean: np.ndarray, note: str, segments: Segments, index: np.ndarray
) -> dict:
    """What the log keeps of a separation: sizes, mixture, histogram and, where known, the truth."""
    labels = segments.strata(torch.as_tensor(index, device=segments.device)).cpu().numpy()
    of_class = [clean[labels == k] for k in range(1 if segments.tagged else segments.n_classes)]
    row = {
        "n_clean": int(clean.sum()),
        "n_noisy": int((~clean).sum()),
        "clean_share": [float(own.mean()) if own.size else None for own in of_class],
        "means": fitted.means,
        "deviations": fitted.deviations,
        "weights": fitted.weights,
        "bic_gain": fitted.bic_gain,
        "histogram": np.histogram(fitted.scaled_loss, bins=HISTOGRAM_BINS, range=(0, 1))[0].tolist(),
        "note": note,
    }
    if segments.truly_clean is not None:
        row |= detection(segments.truly_clean[index], fitted.clean_probability, clean)
    return row


def detection(truth: np.ndarray, clean_probability: np.ndarray, clean: np.ndarray) -> dict:
    """How well wrong labels are found, where the truth is known: ranking, kept set and calibration."""
    return {
        "auc": metrics.roc_auc(truth, clean_probability),
        "average_precision": metrics.average_precision(~truth, 1 - clean_probability),  # of wrong labels
        "truly_clean_in_clean_set": float(truth[clean].mean()) if clean.any() else None,
        "truly_clean": float(truth.mean()),
        "calibration_error": metrics.calibration_error(truth, clean_probability),
        "reliability": metrics.reliability(truth, clean_probability),
    }
