"""Training methods, one file each: its ``Settings`` and a ``train`` function.

``train(learner, segments, settings)`` trains, leaves figures of every epoch in the learner's log, and returns
a predictor for other windows: a function from segments to (n, n_classes) probabilities.
"""

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

ALL = (inherit, self_learning, co_divide, co_teaching, elr, fixmatch, noisy_student, soft_labels, two_stage)
METHODS = {method.Settings.kind: method for method in ALL}
OF_WHOLE_SONGS = ("two_stage",)  # those without a network that predicts for a window by itself
