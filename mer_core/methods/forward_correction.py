"""Forward loss correction (Patrini et al., CVPR 2017): predict the true label, then what noise makes of it.

T_ij is the probability that a window of class i is labelled j. With f(x) the prediction of the true class,

    L = mean -log (T^T f(x))_y

T is estimated from a first network g trained on the labels as they are. Let x_i be the window at the 97 %
quantile of g(x)_i over all training windows, taken for a certain example of class i (the very surest are
often outliers); then T_ij = g(x_i)_j.

The authors train a second network anew. Here the first goes on with the corrected loss, so that every method
has as many epochs; after its few it has hardly memorised wrong labels.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional as F

from mer_core.segments import Segments
from mer_core.training import Learner, epochs_after_warmup

LEAST_PROBABILITY = 1e-7  # of a label, so that its logarithm stays finite (Keras, the authors' library)


@dataclass(frozen=True)
class Settings:
    """The authors' quantile."""

    kind: ClassVar[str] = "forward_correction"

    warmup_epochs: int = 5  # of plain training before T is estimated, as in SSSL
    quantile: float = 0.97  # of g(x)_i, where x_i lies; 1: the window that is surest

    def __post_init__(self):
        if self.warmup_epochs < 1:
            raise ValueError("warmup_epochs is at least 1: an untrained network knows nothing of the noise")
        if not 0 < self.quantile <= 1:
            raise ValueError(f"quantile is a share in (0, 1], got {self.quantile}")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Warm up on the songs' labels, estimate T once, go on with the corrected loss."""
    for epoch, index in epochs_after_warmup(segments, settings.warmup_epochs, learner):
        if epoch == settings.warmup_epochs:
            transition = estimated_transition(learner.predict(segments), settings.quantile)
            learner.note(transition=transition.tolist())
        for batch in learner.batches(index):
            logits = learner.logits(segments.spectrograms(batch))
            learner.step(loss(logits, segments.label[batch], transition))
    return learner.predict


def estimated_transition(predicted: torch.Tensor, quantile: float) -> torch.Tensor:
    """T, (n_classes, n_classes), rows sum to 1, from (n, n_classes) predictions of the first network."""
    examples = predicted.argsort(dim=0)[int(quantile * (len(predicted) - 1))]
    return predicted[examples]


def loss(logits: torch.Tensor, labels: torch.Tensor, transition: torch.Tensor) -> torch.Tensor:
    """Mean over (n, n_classes) logits and (n,) labels; T = identity gives cross-entropy."""
    observed = logits.softmax(dim=1) @ transition
    return F.nll_loss(observed.clamp_min(LEAST_PROBABILITY).log(), labels)
