"""The experiments on SSSL (Sun et al. 2024): segments under label noise, and its open questions."""

import re
from dataclasses import replace

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.presets import SSSL, TWO_FOLDS
from mer_companion.runs.settings import LOGISTIC, RATED
from mer_companion.song_features import sources
from mer_core.datasets import label_noise
from mer_core.methods import self_learning

CPU, SMOKE = SSSL["cpu"], SSSL["smoke"]
SEEDS = (0, 1, 2, 3, 4)  # of a headline comparison

WITH_INNER = {"folds.inner": 2}
PLAIN = {"method": "inherit"}
PER_CLASS = {"method.separation": self_learning.PER_CLASS}


def around(name: str, values: tuple, stem: str) -> dict[str, dict]:
    """Variants of SSSL that set one number to each of these values."""
    return {f"{stem}_{value:g}": TWO_FOLDS | {f"method.{name}": value} for value in values}


def with_noise(kind: str, rate: float, unit: str = label_noise.WINDOW) -> dict[str, dict]:
    """Plain training, SSSL, and SSSL with a mixture per class, on labels with known noise in them."""
    noise = {"noise": label_noise.LabelNoise(kind, rate, unit)} | TWO_FOLDS
    name = f"{kind}_{rate:.0%}".rstrip("%") + ("_songs" if unit == label_noise.SONG else "")
    methods = {"inherit": PLAIN, "self_learning": {}, "mixture_per_class": PER_CLASS}
    return {f"{method}_{name}": noise | changes for method, changes in methods.items()}


def two_trials(first: str, settings: dict, second: str, change: dict) -> dict[str, dict]:
    """A method as usual, a trial nearer to plain training, and a choice in each fold's training songs."""
    both = TWO_FOLDS | WITH_INNER | settings
    members = {"members": (f"alternatives/{first}", f"alternatives/{second}"), "chosen_for": "emotion"}
    return {first: both, second: both | change, f"{first}_chosen": TWO_FOLDS | members}


def gentler(method: str, change: dict) -> dict[str, dict]:
    return two_trials(method, {"method": method}, f"{method}_gentle", change)


ALTERNATIVES = ("soft_labels", "elr", "co_teaching", "fixmatch", "two_stage", "self_learning")

KNOWN_NOISE = (
    with_noise(label_noise.SYMMETRIC, 0.2)
    | with_noise(label_noise.SYMMETRIC, 0.4)
    | with_noise(label_noise.AROUSAL_PRESERVING, 0.2)
    | with_noise(label_noise.SYMMETRIC, 0.2, label_noise.SONG)
)
# what SELAB's co-teaching keeps, where one can tell; its inventors set the forget rate to the noise rate
KNOWN_NOISE["co_teaching_symmetric_40"] = TWO_FOLDS | {
    "noise": label_noise.LabelNoise(label_noise.SYMMETRIC, 0.4),
    "method": "co_teaching",
    "method.forget_rate": 0.4,
}
DRIFTS = {
    f"{rate:.0%}".rstrip("%"): {"dataset": f"synthetic:drift={rate:g},n_songs=96,n_artists=48"}
    for rate in (0.1, 0.2, 0.3, 0.4, 0.5)
}
# as at smoke: the corpus is as small
SYNTHETIC = {"training": SMOKE.training, "method": SMOKE.method, "folds": SMOKE.folds}

DURATIONS_S = (1, 2, 3, 4, 5)
DURATION_MEMBERS = tuple(f"durations/seconds_{s}" for s in DURATIONS_S)
HANDCRAFTED_MEMBERS = ("baselines/svm_hand_made_artist", "baselines/logistic_hand_made_artist")
NETWORK_MEMBERS = ("segments_to_songs/inherit", "segments_to_songs/self_learning")

# to print, on the same test songs; half the epochs: a GPU lent by the hour
NEARER = {"folds": CPU.folds, "training.epochs": 16}
# epochs enough for VGG16 to memorise every label; the small front end: a GPU lent by the minute
# the cpu preset's front end; four of five folds: what a GPU lent for a quarter of an hour had time for
MEMORISED = {
    "features": CPU.features,
    "training.epochs": 16,
    "learning_curve": True,
    "folds": replace(CPU.folds, tested=4),
}
TWENTY_EPOCHS = TWO_FOLDS | {"training.epochs": 20, "method.warmup_epochs": 2 * CPU.method.warmup_epochs}
OTHER_METHODS = "self_learning|mixture_per_class|co_teaching"
THETAS = (0.25, 0.4, 0.6, 0.75)
FROM_4Q = {"folds.tested": 1, "external_tests": ("synthetic", "pmemo:audible_only")}
FROM_SYNTHETIC = SYNTHETIC | DRIFTS["30"] | {"external_tests": ("4q",)}
OTHER_ARTISTS = SYNTHETIC | {"dataset": "synthetic", "external_tests": ("synthetic:seed=1,spread=2",)}
SMALL_FRONT_END = {**PLAIN, "folds.tested": 1}

EXPERIMENTS = {
    "segments_to_songs": Experiment(
        question="Does SSSL raise accuracy over a baseline that trusts inherited labels?",
        feeds="SSSL, Table 3 (4Q) and Figure 2",
        variants={"inherit": PLAIN, "self_learning": {}},
        reference="inherit",
        seeds=SEEDS,
    ),
    "paper_network": Experiment(
        question="Does SSSL help with the paper's own network, front end and windows?",
        feeds="SSSL, Table 3 (4Q), nearer to print",
        variants={"inherit": NEARER | PLAIN, "self_learning": NEARER | {"method.warmup_epochs": 4}},
        reference="inherit",
        presets=("paper",),
    ),
    "memorisation": Experiment(
        question="Does SSSL help a network that memorises its training labels (overfitting)?",
        feeds="SSSL, Table 3 (4Q) and section 2: overfitting",
        variants={"inherit": MEMORISED | PLAIN, "self_learning": MEMORISED | {"method.warmup_epochs": 4}},
        reference="inherit",
        presets=("paper",),
        seeds=(0, 1),
    ),
    "song_decision": Experiment(
        question="Should the song-level SVM be fitted in sample or out of fold, and with which threshold?",
        feeds="SSSL, section 2.2 (the second stage) and its threshold theta",
        variants={
            "inherit": WITH_INNER | PLAIN,
            "self_learning": WITH_INNER,
            **{f"theta_{theta:g}": WITH_INNER | {"song.share_threshold": theta} for theta in THETAS},
        },
        reference="self_learning",
        at_smoke=("self_learning", "theta_0.25"),
    ),
    "durations": Experiment(
        question="How long should a segment be?",
        feeds="SSSL, Table 2 (4Q)",
        variants={
            **{f"seconds_{s}": WITH_INNER | {"window_s": float(s)} for s in DURATIONS_S},
            **{
                f"chosen_for_{target}": {"members": DURATION_MEMBERS, "chosen_for": target}
                for target in ("emotion", "valence", "arousal")
            },
        },
        reference="seconds_3",
        at_smoke=("seconds_1", "seconds_3"),
    ),
    "baselines": Experiment(
        question="What do classifiers of whole songs reach, and what do shared artists add?",
        feeds="SSSL, Table 3 (SVM [17], Audio Embedding [24])",
        presets=("smoke", "cpu"),
        variants={
            "svm_top100_artist": {"sources": (sources.TOP_100,)},
            "svm_top100_song": {"sources": (sources.TOP_100,), "folds.by": "song"},
            "svm_log_mel_artist": {"sources": (sources.LOG_MEL,)},
            "svm_log_mel_song": {"sources": (sources.LOG_MEL,), "folds.by": "song"},
            "logistic_log_mel_artist": {"sources": (sources.LOG_MEL,), "classifier": LOGISTIC},
            "svm_hand_made_artist": {"sources": (sources.HANDCRAFTED,)},
            "logistic_hand_made_artist": {"sources": (sources.HANDCRAFTED,), "classifier": LOGISTIC},
            "svm_top100_and_hand_made_artist": {"sources": (sources.TOP_100, sources.HANDCRAFTED)},
        },
        reference="svm_top100_artist",
        references={
            "svm_log_mel_song": "svm_log_mel_artist",
            "logistic_log_mel_artist": "svm_log_mel_artist",
        },
        at_smoke=("svm_log_mel_artist", "logistic_log_mel_artist"),  # one fold by song would test other songs
    ),
    "ablations": Experiment(
        question="Ablation: which component of SSSL contributes?",
        feeds="SSSL, Table 3 (Proposed*), and the components that the paper does not remove",
        variants={
            "self_learning": {},
            "without_separation": {"method.separation": self_learning.NONE},
            "every_label_trusted": {"method.clean_threshold": 0.0},
            "without_mixup": {"method.mixup_alpha": 0.0},
            "without_consistency": {"method.consistency_weight": 0.0},
            "hard_labels": {"method.temperature": 0.0},
            "co_divide": {"method": "co_divide"},
            "two_networks": {"members": ("segments_to_songs/self_learning",), "member_seeds": (0, 1)},
            "inherit": PLAIN,
        },
        reference="self_learning",
        at_smoke=("self_learning", "without_consistency"),
    ),
    "attempts": Experiment(
        question="Does longer training or another setting let SSSL exceed plain training?",
        feeds="interpretation of the headline comparison",
        presets=("smoke", "cpu"),
        variants={
            "inherit": PLAIN,
            "self_learning": {},
            "mixture_per_class": PER_CLASS,
            "mixture_of_log_losses": {"method.loss_scale": self_learning.LOG},
            "longer_warmup_and_ramp": {"method.warmup_epochs": 4, "method.ramp_epochs": 4},
            "agreement_on_plain_windows": {"method.consistency_input": self_learning.PLAIN},
            "inherit_10_epochs": TWO_FOLDS | PLAIN,
            "self_learning_10_epochs": TWO_FOLDS,
            "inherit_5_epochs": TWO_FOLDS | {**PLAIN, "training.epochs": 5},
            "self_learning_5_epochs": TWO_FOLDS | {"training.epochs": 5, "method.warmup_epochs": 1},
            "inherit_20_epochs": TWO_FOLDS | {**PLAIN, "training.epochs": 20},
            "self_learning_20_epochs": TWENTY_EPOCHS,
            "mixture_per_class_20_epochs": TWENTY_EPOCHS | PER_CLASS,
        },
        reference="inherit",
        references={
            **{f"inherit_{n}_epochs": "inherit_10_epochs" for n in (5, 10, 20)},
            "self_learning_10_epochs": "inherit_10_epochs",
            "self_learning_5_epochs": "inherit_5_epochs",
            "self_learning_20_epochs": "inherit_20_epochs",
            "mixture_per_class_20_epochs": "inherit_20_epochs",
        },
        at_smoke=("inherit", "mixture_per_class"),
    ),
    "learning_curves": Experiment(
        question="How do plain training and SSSL learn, epoch by epoch?",
        feeds="interpretation of the headline comparison",
        variants={
            label: TWO_FOLDS | {"learning_curve": True} | method
            for label, method in (("inherit", PLAIN), ("self_learning", {}))
        },
        reference="inherit",
    ),
    "alternatives": Experiment(
        question="Do other methods for noisy labels do better?",
        feeds="SSSL, Table 3, and baselines that it lacks",
        variants={
            **two_trials("inherit", PLAIN, "label_smoothing", {"method.label_smoothing": 0.1}),
            **gentler("soft_labels", {"method.label_weight": 0.75}),
            **gentler("elr", {"method.weight": 1.0}),
            **gentler("co_teaching", {"method.forget_rate": 0.05}),
            **gentler("fixmatch", {"method.confidence": 0.8}),
            **gentler("two_stage", {"method.longest_masked_share": 0.25}),
            **two_trials("self_learning", {}, "self_learning_gentle", {"method.clean_threshold": 0.3}),
            "two_networks": TWO_FOLDS | {"members": ("segments_to_songs/inherit",), "member_seeds": (0, 1)},
        },
        reference="inherit",
        references={f"{method}_chosen": "inherit_chosen" for method in ALTERNATIVES},
        at_smoke=("elr",),
    ),
    "sensitivity": Experiment(
        question="How sensitive is SSSL to its hyperparameters?",
        feeds="the paper's open questions: τ, T, α and λ are not stated",
        variants={
            "self_learning": TWO_FOLDS,
            **around("clean_threshold", (0.3, 0.7), "tau"),
            **around("temperature", (0.25, 1.0), "T"),
            **around("mixup_alpha", (0.2, 4.0), "alpha"),
            **around("consistency_weight", (0.3, 3.0), "lambda"),
        },
        reference="self_learning",
        at_smoke=("self_learning", "T_1"),
    ),
    "known_noise": Experiment(
        question="Known label noise: does the mixture detect it, and does SSSL help?",
        feeds="the paper's mechanism (section 2.1.2)",
        presets=("smoke", "cpu"),
        variants=KNOWN_NOISE,
        reference="",
        references={label: re.sub(f"^({OTHER_METHODS})", "inherit", label) for label in KNOWN_NOISE},
        at_smoke=("inherit_symmetric_40", "self_learning_symmetric_40"),
    ),
    "drift": Experiment(
        question="Synthetic songs that depart from their label: does the mixture detect these windows?",
        feeds="the paper's mechanism (section 2.1.2), with the truth of every second",
        presets=("smoke", "cpu"),
        variants={
            **{f"inherit_{rate}": SYNTHETIC | corpus | PLAIN for rate, corpus in DRIFTS.items()},
            **{f"self_learning_{rate}": SYNTHETIC | corpus for rate, corpus in DRIFTS.items()},
        },
        reference="",
        references={f"self_learning_{rate}": f"inherit_{rate}" for rate in DRIFTS},
        seeds=(0, 1, 2),
        at_smoke=("self_learning_30",),
    ),
    "annotation_noise": Experiment(
        question="How much segment-label noise do listeners' own ratings show?",
        feeds="the paper's premise: emotion is not constant during a clip",
        presets=("cpu",),
        variants={name: {"ratings": name} for name in RATED},
        reference="",
    ),
    "elsewhere": Experiment(
        question="How accurate are networks on another collection?",
        feeds="open question: transfer",
        presets=("smoke", "cpu"),
        variants={
            "inherit_from_4q": FROM_4Q | PLAIN,
            "self_learning_from_4q": FROM_4Q,
            "inherit_from_synthetic": FROM_SYNTHETIC | PLAIN,
            "self_learning_from_synthetic": FROM_SYNTHETIC,
            "inherit_from_synthetic_to_other_artists": OTHER_ARTISTS | PLAIN,
        },
        reference="inherit_from_4q",
        references={
            "self_learning_from_synthetic": "inherit_from_synthetic",
            "inherit_from_synthetic": "",
            "inherit_from_synthetic_to_other_artists": "",
        },
        at_smoke=("inherit_from_synthetic_to_other_artists",),
    ),
    "beyond": Experiment(
        question="What is the best result with audio alone on 4Q, and what does each component add?",
        feeds="beyond the paper: audio only, artist folds",
        presets=("smoke", "cpu"),
        variants={
            "one_network": {"members": ("segments_to_songs/inherit",), "member_seeds": (0,)},
            "networks": {"members": NETWORK_MEMBERS},
            "networks_of_five_durations": {"members": DURATION_MEMBERS},
            "hand_made": {"members": HANDCRAFTED_MEMBERS},
            "hand_made_and_networks": {"members": ("beyond/hand_made", "beyond/networks")},
            "top100": {"members": ("baselines/svm_top100_artist",)},
            "top100_and_networks": {"members": ("beyond/top100", "beyond/networks")},
            "top100_and_hand_made": {"members": ("beyond/top100", "beyond/hand_made")},
            "everything": {"members": ("beyond/top100", "beyond/hand_made", "beyond/networks")},
            "log_mel_and_network": {"members": ("baselines/svm_log_mel_artist", "segments_to_songs/inherit")},
            # whose songs had no part in the choice of the kinds of features
            "hand_made_first_fold": {"members": HANDCRAFTED_MEMBERS, "folds.tested": 1},
            "networks_first_fold": {"members": NETWORK_MEMBERS, "folds.tested": 1},
        },
        reference="hand_made",
        references={"hand_made_first_fold": "networks_first_fold", "networks_first_fold": ""},
        at_smoke=("log_mel_and_network",),
    ),
    "front_end": Experiment(
        question="What does the small front end of the cpu preset cost against 128 bands and every frame?",
        feeds="the cpu preset",
        presets=("smoke", "cpu"),
        variants={
            "bands128_pool1": SMALL_FRONT_END | {"features.n_mels": 128, "features.pool_frames": 1},
            "bands64_pool2": SMALL_FRONT_END | {"features.pool_frames": 2},
            "bands64_pool4": SMALL_FRONT_END,  # the preset itself
        },
        reference="bands128_pool1",
        at_smoke=("bands64_pool4",),
    ),
    "loudness": Experiment(
        question="Does training with random gain (data augmentation) cost accuracy?",
        feeds="the shipped model",
        presets=("cpu",),
        seeds=(0, 1, 2),
        variants={"inherit": PLAIN, "louder_and_softer": {**PLAIN, "method.gain_db": 10.0}},
        reference="inherit",
    ),
}
