"""The map of label noise: when does it help to doubt labels? Its design was written down before it was run
(`data/registered/noise_map.md`).
"""

from dataclasses import replace

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.presets import SSSL
from mer_companion.runs.settings import NoiseMap, Run
from mer_core.audio.features import WindowFeatures
from mer_core.datasets.label_noise import (
    AROUSAL_PRESERVING,
    LISTENERS,
    PAIR,
    SONG,
    SYMMETRIC,
    WINDOW,
    LabelNoise,
)
from mer_core.datasets.splits import Folds
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
    self_learning,
    soft_labels,
    symmetric_cross_entropy,
)
from mer_core.models import heads
from mer_core.training import Training

EPOCHS, WARMUP = 15, 5
SSSL_HERE = self_learning.Settings(warmup_epochs=WARMUP, consistency_input=self_learning.MIXED)

METHODS = {
    "inherit": inherit.Settings(),
    "self_learning": SSSL_HERE,
    "mixture_per_class": replace(SSSL_HERE, separation=self_learning.PER_CLASS),
    "every_label_trusted": replace(SSSL_HERE, clean_threshold=0.0),  # mixup alone
    "drop": replace(SSSL_HERE, doubtful=self_learning.DROP),
    "weight": replace(SSSL_HERE, doubtful=self_learning.WEIGHT),
    "elr": elr.Settings(),
    "generalised_cross_entropy": generalised_cross_entropy.Settings(),
    "symmetric_cross_entropy": symmetric_cross_entropy.Settings(),
    "forward_correction": forward_correction.Settings(warmup_epochs=WARMUP),
    "co_teaching": co_teaching.Settings(),
    "mean_teacher": mean_teacher.Settings(),
    "mixmatch": mixmatch.Settings(warmup_epochs=WARMUP, ramp_epochs=WARMUP),
    "dividemix": dividemix.Settings(warmup_epochs=WARMUP, ramp_epochs=WARMUP),
}
ABLATIONS = {
    "warmup_2": replace(SSSL_HERE, warmup_epochs=2),  # as in the cpu preset
    "hard_labels": replace(SSSL_HERE, temperature=0.0),
    "without_mixup": replace(SSSL_HERE, mixup_alpha=0.0),
    "without_consistency": replace(SSSL_HERE, consistency_weight=0.0),
    "without_separation": replace(SSSL_HERE, separation=self_learning.NONE),
    "co_divide": co_divide.Settings(warmup_epochs=WARMUP, consistency_input=self_learning.MIXED),
    "soft_labels": soft_labels.Settings(warmup_epochs=WARMUP),
    "fixmatch": fixmatch.Settings(warmup_epochs=WARMUP),
    "label_smoothing": inherit.Settings(label_smoothing=0.1),
    "attention_mil": attention_mil.Settings(),
}
MOST = (
    *("inherit", "self_learning", "mixture_per_class", "every_label_trusted", "drop", "weight", "elr"),
    "generalised_cross_entropy",
)
ON_REAL_LABELS = {
    "inherit": METHODS["inherit"],
    "every_label_trusted": METHODS["every_label_trusted"],
    "self_learning": METHODS["self_learning"],
    "mixture_per_class": METHODS["mixture_per_class"],
}
FEW = ("inherit", "self_learning", "mixture_per_class", "weight")  # on other features and networks

KINDS = (
    (SYMMETRIC, WINDOW),
    (AROUSAL_PRESERVING, WINDOW),
    (SYMMETRIC, SONG),
    (AROUSAL_PRESERVING, SONG),
    (PAIR, SONG),
    (LISTENERS, SONG),
)
CLEAN = LabelNoise()
MEDIUM = 0.4  # the rate at which other features and networks are tried
ON_OTHERS = [CLEAN, *(LabelNoise(kind, MEDIUM, unit) for kind, unit in (KINDS[0], KINDS[2], KINDS[3]))]

MUSICNN = WindowFeatures(("MSD_musicnn", "MTT_musicnn"), layers=("penultimate", "tags"))
MLP, LINEAR = heads.Settings(hidden=(256,)), heads.Settings()
LARGE = heads.Settings(hidden=(1024,), dropout=0.1)
BASE = replace(
    SSSL["cpu"],
    features=MUSICNN,
    network=MLP,
    training=Training(epochs=EPOCHS, batch_size=128, learning_rate=1e-3, stride=3),
    folds=Folds(n=5, by="artist", inner=0),
)
SETTINGS = {  # what else the map looks at, beside its own front end and network
    "log_mel": {"features": WindowFeatures((), statistics=True)},
    "both": {"features": replace(MUSICNN, statistics=True)},
    "linear": {"network": LINEAR},
    "memorising": {
        "network": LARGE,
        "training": replace(BASE.training, epochs=2 * EPOCHS, learning_rate=3e-3),
    },
}
OWN = "musicnn"  # the map's own setting


def noises(*rates: float) -> list[LabelNoise]:
    """Every kind of noise at these rates."""
    return [LabelNoise(kind, rate, unit) for rate in rates for kind, unit in KINDS]


def cells_of(
    base: Run, setting: str, methods: dict, conditions: list[LabelNoise], partitions: tuple[int, ...]
) -> list[tuple]:
    """((method, setting), run, partitions) of every method under every noise."""
    return [
        ((name, setting), replace(base, method=method, noise=noise), partitions)
        for noise in conditions
        for name, method in methods.items()
    ]


def study(dataset: str, cells: list[tuple], **rest) -> NoiseMap:
    names, runs, partitions = zip(*cells, strict=True)
    return NoiseMap(dataset=dataset, cells=runs, names=names, partitions=partitions, **rest)


# What was run of the registered design: the main table's methods in three partitions or two, other features
# and networks under four conditions in one; ablations and the rate of 10 % were left out.
IN_ALL = {name: METHODS[name] for name in MOST}
IN_TWO = {name: method for name, method in METHODS.items() if name not in MOST}
MAIN = [CLEAN, *noises(0.2, MEDIUM, 0.6)]
CELLS = cells_of(BASE, OWN, IN_ALL, MAIN, (0, 1, 2)) + cells_of(BASE, OWN, IN_TWO, MAIN, (0, 2))
for name, parts in SETTINGS.items():
    own = {method: METHODS[method] for method in FEW}
    CELLS += cells_of(replace(BASE, **parts), name, own, ON_OTHERS, (0,))

SMOKE = replace(  # without pretrained weights
    BASE,
    dataset="synthetic",
    features=SETTINGS["log_mel"]["features"],
    training=replace(BASE.training, epochs=WARMUP + 2, batch_size=16, stride=1),
    folds=SSSL["smoke"].folds,
)
SMOKE_CELLS = cells_of(
    SMOKE, "log_mel", {name: METHODS[name] for name in FEW}, [CLEAN, LabelNoise(SYMMETRIC, MEDIUM)], (0,)
)

EXPERIMENTS = {
    "noise_map": Experiment(
        question="When does it help to doubt labels: under which noise, with which method?",
        feeds="the paper's premise, on strong features, where every wrong label is known",
        variants={"map": {}},
        reference="",
        presets=("smoke", "cpu"),
        bases={"smoke": study("synthetic", SMOKE_CELLS), "cpu": study("4q", CELLS)},
    ),
    "strong_features": Experiment(
        question="Does SSSL help on features of a network that was pretrained on a million songs?",
        feeds="SSSL, Table 3 (4Q), on strong features",
        variants={"trainings": {}},
        reference="",
        presets=("cpu",),
        bases={
            "cpu": study("4q", cells_of(BASE, OWN, ON_REAL_LABELS, [CLEAN], (0, 1, 2)), trainings=5, svm=True)
        },
    ),
}
