"""Noisy student (Xie et al., CVPR 2020) for tags, as Mirable uses it: a teacher labels music for a student.

The student learns under more noise than the teacher: longer masks, Gaussian noise, stochastic depth, dropout.
Of the teacher's predictions only confident ones count, tag by tag (Tan, MediaEval 2021, section 2.5).
"""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from mer_core import UserError
from mer_core.audio.features import band_of_row
from mer_core.device import send
from mer_core.segments import Segments
from mer_core.semi_supervised import strips
from mer_core.training import Learner

THRESHOLDS, PERCENTILE, NONE = "thresholds", "percentile", "none"
BANDS, STEP_S = 128, 0.1161  # units of the paper's masks: bands of mel, steps of ten hops of 512 at 44.1 kHz


@dataclass(frozen=True)
class Settings:
    """The paper's values. A mask's greatest length is drawn between two, in BANDS bands and STEP_S steps."""

    kind: ClassVar[str] = "noisy_student"

    # which predictions count; "percentile": the rule the thresholds came from; "none": all, as released
    sure: str = THRESHOLDS
    positive: float = 0.1  # a prediction above it is a pseudo-label 1
    negative: float = 1e-6  # one below it is a 0
    percentile: float = 0.05  # of known positives above, and of known negatives below, their threshold
    teacher_masks: tuple[float, float] = (20, 60)  # drawn anew for every batch
    student_masks: tuple[float, float] = (30, 90)
    noise: float = 0.01  # standard deviation, in parts of a band's own
    block_dropout: float = 0.1
    stochastic_depth: float = 0.1
    iterations: int = 1  # in a further one the student teaches; 0: the teacher predicts
    plain_student: bool = False  # as released: a student without shortcuts and with maximum pooling
    quiet_pseudo_labels: bool = (
        False  # as released: pseudo-labels without dropout, batch norm in evaluation mode
    )

    def __post_init__(self):
        if self.sure not in (THRESHOLDS, PERCENTILE, NONE):
            raise ValueError(f"sure is {THRESHOLDS}, {PERCENTILE} or {NONE}, got {self.sure!r}")
        if not 0 <= self.negative < self.positive <= 1 or not 0 < self.percentile < 1 or self.iterations < 0:
            shares = "negative lies below positive, both in [0, 1]; percentile in (0, 1)"
            raise ValueError(f"{shares}; iterations are not negative")


def first_stage(settings: Settings) -> Settings:
    """The settings of the teacher alone: all students that learn under it share it."""
    return Settings(teacher_masks=settings.teacher_masks, iterations=0)


def train(learner: Learner, segments: Segments, settings: Settings):
    """Teacher, then students; the last one predicts.

    Raises
    ------
    UserError : students, but no music without labels for them
    """
    if settings.iterations and segments.unlabelled is None:
        raise UserError(
            "a noisy student needs music without labels: name some, say --set "
            "'unlabelled=[music:folder=path/to/music]', or ask for the teacher alone with "
            "method.iterations=0."
        )
    if not learner.load_first_stage():
        for epoch in learner.epochs():
            learner.note(stage=0)
            for batch in learner.batches(segments.in_epoch(epoch, learner.training.stride)):
                levels = augmented(learner, segments, batch, settings.teacher_masks, noise=0.0)
                learner.step(learner.loss(learner.logits(levels), segments.label[batch]))
        learner.save_first_stage()
    teacher = learner
    noise = {"block_dropout": settings.block_dropout, "stochastic_depth": settings.stochastic_depth}
    for iteration in range(settings.iterations):
        network = replace(learner.network, **noise, plain_blocks=settings.plain_student)
        student = teacher.peer(segments, network)
        teach(student, teacher, segments, settings, stage=iteration + 1)
        teacher = student
    return teacher.predict


def teach(student: Learner, teacher: Learner, segments: Segments, settings: Settings, stage: int) -> None:
    """Train a student on labelled windows and on the teacher's confident predictions for unlabelled ones."""
    other = segments.unlabelled
    above_below = thresholds(teacher, segments, settings)
    targets, counts = pseudo_labels(teacher.predict(other), *above_below, settings)
    share, positive = float(counts.float().mean()), float((counts & (targets > 0.5)).float().mean())
    for epoch in student.epochs():
        student.note(stage=stage, sure_share=share, sure_positive_share=positive)
        unlabelled = iter(student.batches(other.in_epoch(epoch, student.training.stride)))
        for batch in student.batches(segments.in_epoch(epoch, student.training.stride)):
            levels = augmented(student, segments, batch, settings.student_masks, settings.noise)
            loss = student.loss(student.logits(levels), segments.label[batch])
            if (more := next(unlabelled, None)) is not None:
                levels = augmented(student, other, more, settings.student_masks, settings.noise)
                with evaluating(student.model) if settings.quiet_pseudo_labels else nullcontext():
                    loss = loss + masked_loss(student.logits(levels), targets[more], counts[more])
            student.step(loss)


@contextmanager
def evaluating(model: nn.Module):
    """Evaluation mode during a training step; not of GRUs: cuDNN's learn in training mode only."""
    modules = [module for module in model.modules() if not isinstance(module, nn.GRU)]
    for module in modules:
        module.training = False
    yield
    for module in modules:
        module.training = True


def thresholds(teacher: Learner, segments: Segments, settings: Settings) -> tuple[float, float]:
    """Above and below which a prediction is confident: as printed, or by the paper's rule on known tags."""
    if settings.sure != PERCENTILE:
        return settings.positive, settings.negative
    known = [segments, *([teacher.validation] if teacher.validation is not None else [])]
    predicted = torch.cat([teacher.predict(part) for part in known]).cpu().numpy()
    truth = torch.cat([part.label for part in known]).cpu().numpy() > 0
    positive = np.quantile(predicted[truth], 1 - settings.percentile)
    return float(positive), float(np.quantile(predicted[~truth], settings.percentile))


def pseudo_labels(
    predicted: torch.Tensor, positive: float, negative: float, settings: Settings
) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets for every window and tag, and which of them count; as released, all predictions as they are."""
    if settings.sure == NONE:
        return predicted, torch.ones_like(predicted, dtype=torch.bool)
    return (predicted > positive).to(predicted), (predicted > positive) | (predicted < negative)


def masked_loss(logits: torch.Tensor, targets: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, mean over the entries that count."""
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (each * counts).sum() / counts.sum().clamp_min(1)


def augmented(
    learner: Learner, segments: Segments, index: torch.Tensor, masks: tuple[float, float], noise: float
) -> torch.Tensor:
    """Windows with a strip of mel bands and one of time masked by the rows' means, and noise in every value.

    HPCP is masked along time only: to mask a pitch class is to change the chord.
    """
    levels, features = segments.spectrograms(index).float(), segments.features
    shortest, longest = masks
    drawn = shortest + (longest - shortest) * float(torch.rand((), generator=learner.generator))
    of_row = torch.tensor(band_of_row(features))
    n_bands = int(of_row.max()) + 1
    bands = strips(len(levels), n_bands, drawn / BANDS * n_bands, learner.generator)
    bands = F.pad(bands, (0, 1))[:, of_row]  # the added one, never masked, is that of rows without a band
    longest_frames = drawn * STEP_S * features.frames_per_second
    times = strips(len(levels), levels.shape[3], longest_frames, learner.generator)
    masked = send(bands[:, None, :, None] | times[:, None, None, :], levels.device)
    levels = torch.where(masked, learner.model.mean, levels)
    if noise == 0:
        return levels
    gaussian = send(torch.randn(levels.shape, generator=learner.generator), levels.device)
    return levels + noise * learner.model.deviation * gaussian
