"""Training methods, one file each: its ``Settings`` and a ``train`` function.

``train(learner, segments, settings)`` trains, leaves figures of every epoch in the learner's log, and returns
a predictor for other windows: a function from segments to (n, n_classes) probabilities.
"""

from mer_core.methods import (
    attention_mil,
    co_divide,
    co_teaching,
    dividemix,
    elr,
    fixmatch,
    forward_correction,
    generalised_cross_entropy,
    inherit,
    mean_teacher,
    mixmatch,
    noisy_student,
    self_learning,
    soft_labels,
    symmetric_cross_entropy,
    two_stage,
)

ALL = (
    *(inherit, self_learning, co_divide, co_teaching, elr, fixmatch, noisy_student, soft_labels, two_stage),
    *(generalised_cross_entropy, symmetric_cross_entropy, forward_correction, mean_teacher),
    *(mixmatch, dividemix, attention_mil),
)
METHODS = {method.Settings.kind: method for method in ALL}
# those that learn from distributions and shares of listeners as from labels
OF_SOFT_LABELS = ("inherit", "co_teaching", "self_learning", "co_divide", "soft_labels")
# those without a network that predicts for a window by itself
OF_WHOLE_SONGS = ("two_stage", "attention_mil")
