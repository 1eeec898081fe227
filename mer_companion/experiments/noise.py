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
    co_teaching,
    dividemix,
    elr,
    forward_correction,
    generalised_cross_entropy,
    inherit,
    mean_teacher,
    mixmatch,
    self_learning,
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
MOST = (
    *("inherit", "self_learning", "mixture_per_class", "every_label_trusted", "drop", "weight", "elr"),
    "generalised_cross_entropy",
)
FEW = ("inherit", "self_learning", "mixture_per_class", "weight")

KINDS = (
    (SYMMETRIC, WINDOW),
    (AROUSAL_PRESERVING, WINDOW),
    (SYMMETRIC, SONG),
    (AROUSAL_PRESERVING, SONG),
    (PAIR, SONG),
    (LISTENERS, SONG),
)
CLEAN = LabelNoise()

MUSICNN = WindowFeatures(("MSD_musicnn", "MTT_musicnn"), layers=("penultimate", "tags"))
MLP = heads.Settings(hidden=(256,))
BASE = replace(
    SSSL["cpu"],
    features=MUSICNN,
    network=MLP,
    training=Training(epochs=EPOCHS, batch_size=128, learning_rate=1e-3, stride=3),
    folds=Folds(n=5, by="artist", inner=0),
)
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


def of_one_study(question: str, feeds: str, variant: str, presets: dict[str, NoiseMap]) -> Experiment:
    """An experiment that is one study, whose methods are compared within its record."""
    names = tuple(presets)
    return Experiment(question, feeds, {variant: {}}, reference="", presets=names, bases=presets)


# What was run of the registered design: eight methods in two partitions, six others in one, up to 40 %. Other
# features and networks, ablations, the rate of 10 % and the third partition were left out.
IN_TWO = {name: METHODS[name] for name in MOST}
IN_ONE = {name: method for name, method in METHODS.items() if name not in MOST}
CELLS = cells_of(BASE, OWN, IN_TWO, [CLEAN, *noises(0.2, 0.4, 0.6)], (0, 2))
CELLS += cells_of(BASE, OWN, IN_ONE, [CLEAN, *noises(0.2, 0.4)], (2,))

# What was left out then, in smaller designs of their own; folds by act, in which spellings of one name and
# recordings that lie twice stay together
BY_ACT = replace(BASE, folds=Folds(n=5, by="act", inner=0))
TENTH = cells_of(BY_ACT, OWN, {n: METHODS[n] for n in FEW}, [CLEAN, *noises(0.1)], (0,))
MEMORISING_HEAD = replace(  # learns every training window's label by heart
    BY_ACT,
    network=heads.Settings(hidden=(1024,), dropout=0.1),
    training=replace(BASE.training, epochs=30, learning_rate=3e-3),
)
OF_THREE_KINDS = [
    LabelNoise(kind, rate, unit)
    for rate in (0.2, 0.4)  # 0.6 stands in the design, too; left out for want of time
    for kind, unit in ((SYMMETRIC, WINDOW), (SYMMETRIC, SONG), (AROUSAL_PRESERVING, SONG))
]
MEMORISED = cells_of(
    MEMORISING_HEAD,
    "memorising",
    {n: METHODS[n] for n in ("inherit", "self_learning")},
    [CLEAN, *OF_THREE_KINDS],
    (0,),
)
OTHER_FEATURES = {
    "log_mel": WindowFeatures((), statistics=True),
    "musicnn_and_log_mel": replace(MUSICNN, statistics=True),
}
AT_MEDIUM = [CLEAN, LabelNoise(SYMMETRIC, 0.4, WINDOW), LabelNoise(SYMMETRIC, 0.4, SONG)]
ON_OTHER_FEATURES = [
    cell
    for setting, features in OTHER_FEATURES.items()
    for cell in cells_of(
        replace(BY_ACT, features=features), setting, {n: METHODS[n] for n in FEW}, AT_MEDIUM, (0,)
    )
]

# What the map decided after correction, and SSSL where it just missed that: tested again in partitions and
# with seeds that the map did not see (`data/registered/noise_confirmed.md`)
DECIDED = {
    LabelNoise(): ("mixmatch", "self_learning"),
    LabelNoise(SYMMETRIC, 0.6, WINDOW): ("mixture_per_class", "self_learning"),
    LabelNoise(AROUSAL_PRESERVING, 0.2, WINDOW): ("mixmatch",),
    LabelNoise(AROUSAL_PRESERVING, 0.4, WINDOW): ("mixmatch",),
    LabelNoise(SYMMETRIC, 0.4, SONG): ("weight", "self_learning"),
    LabelNoise(SYMMETRIC, 0.6, SONG): ("drop", "elr", "mixture_per_class"),
    LabelNoise(AROUSAL_PRESERVING, 0.4, SONG): ("elr", "mean_teacher", "mixture_per_class", "weight"),
    LabelNoise(PAIR, 0.4, SONG): ("elr", "forward_correction", "mixture_per_class"),
    LabelNoise(PAIR, 0.6, SONG): ("mixture_per_class", "weight"),
    LabelNoise(LISTENERS, 0.4, SONG): (
        *("dividemix", "drop", "elr", "mixture_per_class", "self_learning"),
        *("symmetric_cross_entropy", "weight"),
    ),
    LabelNoise(LISTENERS, 0.6, SONG): ("drop", "elr"),
}
FRESH, FRESH_SEED = (3, 4), 100  # partitions; seed of the first fold's network and noise
AGAIN = [
    cell
    for noise, decided in DECIDED.items()
    for cell in cells_of(BY_ACT, OWN, {n: METHODS[n] for n in ("inherit", *decided)}, [noise], FRESH)
]

SMOKE = replace(  # without pretrained weights
    BASE,
    dataset="synthetic",
    features=WindowFeatures((), statistics=True),
    training=replace(BASE.training, epochs=WARMUP + 2, batch_size=16, stride=1),
    folds=SSSL["smoke"].folds,
)
SMOKE_CELLS = cells_of(
    SMOKE, "log_mel", {name: METHODS[name] for name in FEW}, [CLEAN, LabelNoise(SYMMETRIC, 0.4)], (0,)
)

EXPERIMENTS = {
    "noise_map": of_one_study(
        question="When do methods for noisy labels help: under which noise, which method?",
        feeds="the paper's premise, on strong features, where every wrong label is known",
        variant="map",
        presets={"smoke": study("synthetic", SMOKE_CELLS), "cpu": study("4q", CELLS)},
    ),
    "noise_tenth": of_one_study(
        question="Does a method gain if one label in ten is wrong?",
        feeds="the map of label noise, at the rate of its registered design that was left out",
        variant="map",
        presets={"cpu": study("4q", TENTH)},
    ),
    "noise_confirmed": of_one_study(
        question="Do the gains and losses of the map hold in new partitions?",
        feeds="the map of label noise: its decided cells, confirmed or not",
        variant="map",
        presets={"cpu": study("4q", AGAIN, seed=FRESH_SEED)},
    ),
    "memorising_head": of_one_study(
        question="Does SSSL help a network that memorises wrong labels?",
        feeds="SSSL, section 2: networks memorise noisy labels",
        variant="map",
        presets={"cpu": study("4q", MEMORISED)},
    ),
    "noise_features": of_one_study(
        question="Does it depend on the features when a method gains?",
        feeds="the map of label noise, on mel statistics and on both kinds of features together",
        variant="map",
        presets={"cpu": study("4q", ON_OTHER_FEATURES)},
    ),
}
