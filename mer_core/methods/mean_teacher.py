"""Mean Teacher (Tarvainen and Valpola, NeurIPS 2017): agree with the running mean of one's own weights.

The student theta learns by gradient; the teacher theta' follows it. Every label is used, as the paper does
for labelled data, and on every window the two shall agree, each under its own dropout:

    L = CE(f(x; theta), y) + w(t) mean (f(x; theta) - f(x; theta'))^2
    theta' <- a theta' + (1 - a) theta,    a = min(1 - 1 / (t + 1), decay) in step t
    w(t) = weight exp(-5 (1 - t / t_ramp)^2) up to t_ramp, then weight

The teacher predicts. The paper also moves and mirrors pictures; windows are left as they are. Batch norm of
student and teacher keeps running statistics of its own, as in the authors' code.
"""

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from mer_core.segments import Segments
from mer_core.training import Learner


@dataclass(frozen=True)
class Settings:
    """The authors' ramp for CIFAR-10; weight and decay for fewer steps than theirs."""

    kind: ClassVar[str] = "mean_teacher"

    # of a mean over classes; the authors' 100 outweighs the labels where epochs are few: on synthetic songs
    # it learned half of what 10 did in 24 epochs
    weight: float = 10.0
    decay: float = 0.99  # a mean over about 100 steps; the authors', who go on with 0.999 after the ramp
    ramp_epochs: int = 5  # t_ramp, as in their residual network; 0: the whole weight at once

    def __post_init__(self):
        if min(self.weight, self.ramp_epochs) < 0 or not 0 <= self.decay < 1:
            raise ValueError("weight and ramp_epochs must not be negative, decay is a share in [0, 1)")


def train(learner: Learner, segments: Segments, settings: Settings):
    """One network by gradient, whose mean takes its place in the learner, and so validates and predicts."""
    student, learner.model = learner.model, deepcopy(learner.model)  # the optimiser keeps the student's
    teacher, step = learner.model, 0
    for epoch in learner.epochs():
        index = segments.in_epoch(epoch, learner.training.stride)
        steps = -(-len(index) // learner.training.batch_size)
        for i, batch in enumerate(learner.batches(index)):
            levels = segments.spectrograms(batch)
            with learner.autocast():
                logits = student(levels)
            with torch.no_grad():
                taught = learner.probabilities(learner.logits(levels))
            weight = settings.weight * sigmoid_ramp(epoch + i / steps, settings.ramp_epochs)
            disagreement = F.mse_loss(learner.probabilities(logits), taught)
            learner.step(learner.loss(logits, segments.label[batch]) + weight * disagreement)
            step += 1
            follow(teacher, student, min(1 - 1 / (step + 1), settings.decay))
    return learner.predict


def sigmoid_ramp(epoch: float, ramp_epochs: int) -> float:
    """exp(-5 (1 - epoch / ramp_epochs)^2), and 1 from there on.

    >>> round(sigmoid_ramp(0, 5), 4), sigmoid_ramp(5, 5), sigmoid_ramp(0, 0)
    (0.0067, 1.0, 1.0)
    """
    return math.exp(-5 * (1 - epoch / ramp_epochs) ** 2) if epoch < ramp_epochs else 1.0


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """Move the teacher's weights towards the student's: theta' <- decay theta' + (1 - decay) theta."""
    for mean, own in zip(teacher.parameters(), student.parameters(), strict=True):
        mean.lerp_(own, 1 - decay)
