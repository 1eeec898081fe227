"""How segment labels are trusted: one file per method, each with its ``Settings`` and a ``train`` function.

``train(learner, segments, settings)`` trains, leaves figures of every epoch in the learner's log, and returns
what answers for other windows: a function from segments to (n, n_classes) probabilities."""

from mer_core.methods import (
    co_divide,
    co_teaching,
    elr,
    fixmatch,
    inherit,
    noisy_student,
    self_learning,
    soft_labels,
    two_stage,
)

METHODS = {
    "inherit": inherit,
    "self_learning": self_learning,
    "co_divide": co_divide,
    "co_teaching": co_teaching,
    "elr": elr,
    "fixmatch": fixmatch,
    "noisy_student": noisy_student,
    "soft_labels": soft_labels,
    "two_stage": two_stage,
}
OF_WHOLE_SONGS = ("two_stage",)  # those that leave no network which answers for a window by itself
