"""The papers' own protocol, and choices that no tested song has a part in.

Handcrafted features on new partitions, with their kinds chosen inside the training songs; networks with two
outputs for valence and for arousal; the image networks that SELAB names. Designs and predictions were written
down before the runs (`data/registered`).
"""

from dataclasses import replace

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.noise import BASE, SSSL_HERE
from mer_companion.experiments.noise import SMOKE as NOISE_SMOKE
from mer_companion.experiments.presets import BY_ACT, SELAB, SSSL
from mer_companion.experiments.sssl import PLAIN
from mer_companion.song_features import kinds, sources
from mer_core.emotion import HIGH
from mer_core.models import backbones

FRESH = (1, 2, 3)  # their seeds
HANDCRAFTED = tuple(f"{sources.HANDCRAFTED}:{names}" for names in kinds.candidates())
WARMED_UP = {
    preset: replace(run, method=SSSL_HERE) for preset, run in (("smoke", NOISE_SMOKE), ("cpu", BASE))
}
TEN_FOLDS = {"cpu": WARMED_UP["cpu"], "paper": SSSL["paper"]}  # the slim network would take six core-hours
METHODS = {"inherit": PLAIN, "self_learning": {}}
IMAGE_NETWORKS = ("mixnet_s", "resnet18", "regnety_004")


def on(source: str) -> dict:
    return BY_ACT | {"sources": (source,)}


def two_outputs() -> dict[str, dict]:
    """Both methods with four outputs, and with two for each dimension."""
    return {name: BY_ACT | method for name, method in METHODS.items()} | {
        f"{name}_{target}": BY_ACT | method | {"target": target}
        for target in HIGH
        for name, method in METHODS.items()
    }


def ten_folds() -> dict[str, dict]:
    """Both methods in ten folds by song, as printed, and by act."""
    return {
        f"{name}_{protocol}": {"folds.n": 10, "folds.by": by} | method
        for protocol, by in (("artist10", "act"), ("song10", "song"))
        for name, method in METHODS.items()
    }


EXPERIMENTS = {
    "handcrafted": Experiment(
        question="What do handcrafted features reach on new partitions, where their kinds are chosen inside "
        "the training songs?",
        feeds="the best results on 4Q: no choice by tested songs",
        presets=("smoke", "cpu"),
        variants={
            "svm_log_mel": on(sources.LOG_MEL),
            "svm_chosen": BY_ACT | {"sources": HANDCRAFTED, "one_of": True},
            "svm_all_kinds": on(sources.HANDCRAFTED),
            "svm_unchanged_kinds": on(f"{sources.HANDCRAFTED}:{kinds.JOINED_BY.join(kinds.UNCHANGED)}"),
            "svm_top100": on(sources.TOP_100),
            "svm_msd": on(f"{sources.MUSICNN}:MSD_musicnn"),
        },
        reference="svm_log_mel",
        references={
            "svm_chosen": ("svm_log_mel", "svm_all_kinds", "svm_unchanged_kinds", "svm_msd"),
            "svm_all_kinds": ("svm_log_mel", "svm_unchanged_kinds", "svm_msd"),
        },
        seeds=FRESH,
        partitions=True,
        at_smoke=("svm_log_mel",),
    ),
    "two_outputs": Experiment(
        question="Valence and arousal: separate networks with two outputs, or one with four?",
        feeds="SSSL, Tables 2 and 3 (valence, arousal)",
        presets=("smoke", "cpu"),
        variants=two_outputs(),
        reference="inherit",
        references={
            **{f"inherit_{target}": "inherit" for target in HIGH},
            **{f"self_learning_{target}": (f"inherit_{target}", "self_learning") for target in HIGH},
        },
        seeds=(0, 1, 2, 3, 4),
        partitions=True,
        at_smoke=("inherit", "inherit_valence"),
        bases=WARMED_UP,
    ),
    "ten_folds": Experiment(
        question="Does SSSL help in ten folds by song, as printed, and by artist?",
        feeds="SSSL, Table 3 (4Q) and section 4.3: ten-fold cross-validation",
        presets=("cpu", "paper"),
        variants=ten_folds(),
        reference="",
        references={
            "self_learning_artist10": "inherit_artist10",
            "self_learning_song10": "inherit_song10",
            "inherit_song10": "inherit_artist10",
        },
        seeds=(5, 6, 7),
        partitions=True,
        bases=TEN_FOLDS,
    ),
    "image_networks": Experiment(
        question="Do the other image networks named by SELAB learn mood tags from spectrograms?",
        feeds="SELAB, section 2.2",
        presets=("smoke", "cpu"),
        variants={name: {"network": backbones.Settings(name)} for name in IMAGE_NETWORKS},
        reference="",
        at_smoke=IMAGE_NETWORKS[:1],
        bases=SELAB,
    ),
}
