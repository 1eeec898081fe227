"""Co-divide (Li, Socher and Hoi, "DivideMix", ICLR 2020): SSSL with two networks, each judging the labels for
the other.

A network that splits its own training data confirms its own errors; a peer from other random numbers errs
elsewhere. The erased labels become the sharpened mean prediction of both, and the prediction is the mean of
both. SSSL does not say that it does this.
"""

from dataclasses import dataclass
from typing import ClassVar

from mer_core.methods import self_learning
from mer_core.methods.self_learning import semi_supervised_epoch, separate
from mer_core.segments import Segments
from mer_core.training import Learner, LearnerEnsemble, epochs_after_warmup


@dataclass(frozen=True)
class Settings(self_learning.Settings):
    """SSSL's own settings."""

    kind: ClassVar[str] = "co_divide"


def train(learner: Learner, segments: Segments, settings: Settings):
    """Two networks side by side: twice SSSL's compute."""
    pair = (learner, learner.peer(segments))
    for epoch, index in epochs_after_warmup(segments, settings.warmup_epochs, *pair):
        predictions = [one.predict(segments, index) for one in pair]
        mean = (predictions[0] + predictions[1]) / 2
        for one, judge in zip(pair, reversed(predictions), strict=True):
            labels = separate(one, segments, index, judge, mean, settings)
            semi_supervised_epoch(one, segments, labels, settings, settings.consistency_at(epoch))
    return LearnerEnsemble(*pair)
