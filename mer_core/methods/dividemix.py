"""DivideMix (Li, Socher and Hoi, ICLR 2020): two networks divide each other's data and refine the labels.

In every epoch each network's losses split the windows for the other, with w the probability that a label is
clean. In every batch the network in training refines labels by the mean p of its dropout passes, and both
guess the erased ones; q is the mean of p and the peer's prediction:

    X: sharpen(w y + (1 - w) p)  (co-refinement)        U: sharpen(q)  (co-guessing)
    L = MixMatch's + sum_k prior_k log(prior_k / mean prediction_k),    prior_k = 1 / n_classes

The last term keeps all windows from being put into one class. `co_divide` is SSSL with the first step alone.
Unlike the paper: batches hold X and U as they come (`mixmatch`), of every class a share of labels is kept
(`mixture.partition`), and the warm-up has no penalty for confidence, which the authors add for noise known to
be asymmetric.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch

from mer_core.methods import mixmatch
from mer_core.methods.mixmatch import mean_prediction
from mer_core.methods.self_learning import SoftLabels, separate
from mer_core.segments import Segments
from mer_core.semi_supervised import sharpen
from mer_core.training import Learner, LearnerEnsemble, epochs_after_warmup


@dataclass(frozen=True)
class Settings(mixmatch.Settings):
    """The authors' values for CIFAR-10, but for the weight of U.

    Theirs is 0 with a fifth of the labels wrong, 25 with half of them, for 300 epochs; MixMatch's here lies
    between.
    """

    kind: ClassVar[str] = "dividemix"

    mixup_alpha: float = 4.0
    prior_weight: float = 1.0  # of the last term

    def __post_init__(self):
        super().__post_init__()
        if self.prior_weight < 0:
            raise ValueError(f"prior_weight must not be negative, got {self.prior_weight}")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Two networks side by side; the mean of both predicts."""
    pair = (learner, learner.peer(segments))
    for epoch, index in epochs_after_warmup(segments, settings.warmup_epochs, *pair):
        judges = [one.predict(segments, index) for one in reversed(pair)]
        for one, peer, judge in zip(pair, reversed(pair), judges, strict=True):
            labels = separate(one, segments, index, judge, judge, settings.separation)
            for batch in one.batches(torch.arange(len(index), device=segments.device)):
                levels, noisy = segments.spectrograms(index[batch]).float(), labels.noisy[batch]
                targets = refined(one, peer, segments, levels, labels, batch, settings)
                weight = settings.unlabelled_weight_at(epoch)
                total, logits = mixmatch.loss(one, levels, targets, noisy, settings, weight)
                one.step(total + settings.prior_weight * divergence_from_uniform(logits))
    return LearnerEnsemble(*pair)


def refined(
    one: Learner,
    peer: Learner,
    segments: Segments,
    levels: torch.Tensor,
    labels: SoftLabels,
    batch: torch.Tensor,
    settings: Settings,
) -> torch.Tensor:
    """(n, n_classes) labels of a batch: refined by one network in X, guessed by both in U; all sharpened."""
    own = mean_prediction(one, levels, settings.passes)
    both = (own + peer.predict(segments, labels.index[batch])) / 2  # the peer without dropout
    trust, noisy = labels.clean_probability[batch][:, None], labels.noisy[batch][:, None]
    return sharpen(
        torch.where(noisy, both, trust * labels.targets[batch] + (1 - trust) * own), settings.temperature
    )


def divergence_from_uniform(logits: torch.Tensor) -> torch.Tensor:
    """KL divergence of the mean prediction from the uniform prior."""
    mean = logits.softmax(dim=1).mean(dim=0)
    return -(len(mean) * mean).log().mean()
