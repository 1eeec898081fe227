"""SSSL on features of pretrained networks: does it help, which part does what, and how sensitive is it?

A training takes seconds, so that every variant is trained for all folds of several partitions. The design was
written down before the runs (`data/registered/strong_features.md`).
"""

from dataclasses import replace

from mer_companion.experiments.noise import (
    BASE,
    BY_ACT,
    CLEAN,
    METHODS,
    OWN,
    SSSL_HERE,
    cells_of,
    of_one_study,
    study,
)
from mer_core.audio.features import FrontEndMaps
from mer_core.datasets.label_noise import SONG, SYMMETRIC, LabelNoise
from mer_core.methods import attention_mil, co_divide, fixmatch, inherit, self_learning, soft_labels
from mer_core.models import pretrained
from mer_core.training import Training

ON_REAL_LABELS = {name: METHODS[name] for name in ("inherit", "self_learning")}
WARMUP = SSSL_HERE.warmup_epochs

# each leaves out, or changes, one part of SSSL
ABLATIONS = {
    "without_mixup": {"mixup_alpha": 0.0},
    "without_r_drop": {"consistency_weight": 0.0},
    "hard_labels": {"temperature": 0.0},
    "without_sharpening": {"temperature": 1.0},
    "without_separation": {"separation": self_learning.NONE},
    "short_warmup": {"warmup_epochs": 2},
    "log_losses": {"loss_scale": self_learning.LOG},
    "no_least_share": {"least_clean_share": 0.0},
    "r_drop_on_plain_input": {"consistency_input": self_learning.PLAIN},
}
OTHERS = {
    "label_smoothing": inherit.Settings(label_smoothing=0.1),
    "soft_labels": soft_labels.Settings(warmup_epochs=WARMUP),
    "fixmatch": fixmatch.Settings(warmup_epochs=WARMUP),
    "co_divide": co_divide.Settings(warmup_epochs=WARMUP, consistency_input=self_learning.MIXED),
    "attention_mil": attention_mil.Settings(),
}
PARTS = ("inherit", "self_learning", "every_label_trusted", "mixture_per_class", "drop", "weight", "elr")
ABLATED = (
    {name: METHODS[name] for name in PARTS}
    | {name: replace(SSSL_HERE, **change) for name, change in ABLATIONS.items()}
    | OTHERS
)

# one number of SSSL at a time, around the values that stand in `noise`; labels as pages show them
GRID = {
    "clean_threshold": (0.3, 0.4, 0.6, 0.7, 0.9),
    "consistency_weight": (0.3, 3.0, 10.0),
    "temperature": (0.25, 0.75),
    "mixup_alpha": (0.2, 0.5, 4.0),
    "warmup_epochs": (1, 3, 8),
}
AROUND = {
    f"{name}={value:g}": replace(SSSL_HERE, **{name: value})
    for name, values in GRID.items()
    for value in values
}

# of five registered partitions the time sufficed for three, and for two of what asks twice as much
PARTITIONS = (0, 1, 2)
NOISY = LabelNoise(SYMMETRIC, 0.4, SONG)

BOTH = tuple(ON_REAL_LABELS)
TRAININGS = cells_of(BASE, OWN, ON_REAL_LABELS, [CLEAN], (0, 1, 2))
PARTS_REMOVED = cells_of(BY_ACT, OWN, ABLATED, [CLEAN], PARTITIONS)
PARTS_REMOVED += cells_of(BY_ACT, OWN, ABLATED, [NOISY], PARTITIONS[:2])
ONE_NUMBER_MOVED = cells_of(BY_ACT, OWN, ON_REAL_LABELS | AROUND, [CLEAN], PARTITIONS[:2])

# The layers behind MusiCNN's front end learn on, each epoch from one window of each song
FINE_TUNED = replace(
    BY_ACT,
    features=FrontEndMaps(),
    network=pretrained.Settings(trained=pretrained.MIDDLE),
    training=Training(epochs=20, batch_size=32, learning_rate=3e-4, stride=0),
)
DENSE_LAYERS = replace(FINE_TUNED, network=pretrained.Settings(trained=pretrained.HEAD))
TUNED = {"inherit": METHODS["inherit"], "self_learning": replace(SSSL_HERE, warmup_epochs=7)}
FINE_TUNING = cells_of(FINE_TUNED, "fine_tuned", TUNED, [CLEAN], (0,))
FINE_TUNING += cells_of(DENSE_LAYERS, "fine_tuned", {"dense_layers_only": METHODS["inherit"]}, [CLEAN], (0,))

EXPERIMENTS = {
    "strong_features": of_one_study(
        question="Does SSSL help on features of a network that was pretrained on a million songs?",
        feeds="SSSL, Table 3 (4Q), on strong features",
        variant="trainings",
        presets={"cpu": study("4q", TRAININGS, trainings=5, svm=True)},
    ),
    "fine_tuning": of_one_study(
        question="Does MusiCNN do better where its middle layers learn on, and does SSSL help there?",
        feeds="SSSL, Table 3 (4Q), with a fine-tuned network",
        variant="trainings",
        presets={"cpu": study("4q", FINE_TUNING)},
    ),
    "strong_ablations": of_one_study(
        question="Which part of SSSL does what, and do other semi-supervised methods do better?",
        feeds="SSSL, Table 3 (Proposed*), on strong features, with real labels and with known noise",
        variant="trainings",
        presets={"cpu": study("4q", PARTS_REMOVED, references=BOTH)},
    ),
    "strong_sensitivity": of_one_study(
        question="How sensitive is SSSL to its threshold, weights, temperature, mixup and warm-up?",
        feeds="SSSL, values that the paper does not print",
        variant="trainings",
        presets={"cpu": study("4q", ONE_NUMBER_MOVED, references=BOTH)},
    ),
}
