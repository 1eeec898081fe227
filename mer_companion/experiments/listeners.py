"""Is the noise that the mixture finds the noise that listeners report?

The design was written down before the runs (`data/registered/listeners.md`).
"""

from dataclasses import replace

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.noise import BASE, CLEAN, METHODS, OWN, SMOKE, cells_of, study
from mer_companion.runs.settings import NoiseMap
from mer_core.audio.features import WindowFeatures
from mer_core.datasets.label_noise import ONE_LISTENER, SONG, SYMMETRIC, LabelNoise
from mer_core.methods import soft_labels

COMPARED = ("inherit", "self_learning", "mixture_per_class", "every_label_trusted", "elr")
WITH_NOISE = {name: METHODS[name] for name in COMPARED} | {
    "soft_labels": soft_labels.Settings(warmup_epochs=METHODS["self_learning"].warmup_epochs)
}
WATCHED = ("inherit", "self_learning")
# What was run of the registered design: three of five partitions, all methods on one listener's answers alone
PARTITIONS = (0, 1, 2)
ONE_ANSWER = LabelNoise(ONE_LISTENER, 1.0, SONG)  # every song has one listener's answer for a label
WRONG_ANSWERS = {"vgmidi:rated": 0.45, "emotify_quadrants": 0.49}  # share of answers that are not the label

ONE_NETWORK = replace(BASE, features=replace(BASE.features, pretrained=WindowFeatures().pretrained))


def listened(dataset: str) -> NoiseMap:
    """All methods on one listener's answers; on labels, and as many symmetric wrong ones, those watched."""
    own = {name: METHODS[name] for name in WATCHED}
    others = [CLEAN, LabelNoise(SYMMETRIC, WRONG_ANSWERS[dataset], SONG)]
    cells = cells_of(ONE_NETWORK, OWN, own, others, PARTITIONS)
    cells += cells_of(ONE_NETWORK, OWN, WITH_NOISE, [ONE_ANSWER], PARTITIONS)
    return study(dataset, cells, windows=WATCHED)


SMOKE_STUDY = study(
    "synthetic",
    cells_of(
        SMOKE,
        "log_mel",
        {name: METHODS[name] for name in WATCHED},
        [CLEAN, LabelNoise(SYMMETRIC, 0.4, SONG)],
        (0,),
    ),
    windows=WATCHED,
)


def experiment(collection: str, dataset: str) -> Experiment:
    return Experiment(
        question=f"Are labels judged noisy by the mixture those on which listeners of {collection} disagree?",
        feeds="the paper's premise, on listeners' answers",
        variants={"map": {}},
        reference="",
        presets=("smoke", "cpu"),
        bases={"smoke": SMOKE_STUDY, "cpu": listened(dataset)},
    )


EXPERIMENTS = {
    "listeners_vgmidi": experiment("VGMIDI", "vgmidi:rated"),
    "listeners_emotify": experiment("Emotify", "emotify_quadrants"),
}
