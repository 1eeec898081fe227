"""The papers' runs as data: which question, which runs at which preset, which table or figure they feed."""

from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from mer_core import UserError, evaluation, label_noise, leaderboard, results, song_features, tag_evaluation
from mer_core.datasets import READERS
from mer_core.features import HPCP, LogMel, MelAndHPCP
from mer_core.fusion import Fusion
from mer_core.leaderboard import Submission
from mer_core.methods import METHODS, co_teaching, inherit, noisy_student, self_learning
from mer_core.models import Network, backbones, crnn
from mer_core.probes import LOGISTIC, Probe
from mer_core.ratings import SETS, Ratings
from mer_core.runs import Run, changed
from mer_core.splits import Folds
from mer_core.tag_ensemble import TagEnsemble
from mer_core.training import Training

# Presets are written as differences: `paper` is SSSL as printed, for a GPU; `cpu` is real audio on two cores; `smoke` is the
# synthetic corpus in seconds, for tests, continuous integration and first visitors.
PAPER = Run()
CPU = replace(
    PAPER,
    features=LogMel(n_mels=64, pool_frames=4),  # an eighth of a window's values: see the front_end experiment
    network=Network("vgg_slim"),
    training=Training(epochs=10, batch_size=32, learning_rate=1e-3, stride=3),
    # the agreement term on mixtures shares their trunk: the second pass through the convolutions is saved
    method=self_learning.Settings(warmup_epochs=2, consistency_input=self_learning.MIXED),
    folds=Folds(n=5, by="artist", inner=0),  # inner networks double the cost: only where the question needs them
)
SMOKE = replace(
    CPU,
    dataset="synthetic",
    training=replace(CPU.training, epochs=10, batch_size=16, stride=1),
    method=replace(CPU.method, warmup_epochs=5),  # sooner, a quadrant not yet learned is erased for good
    folds=replace(CPU.folds, n=3, tested=1),
)
PRESETS = {"paper": PAPER, "cpu": CPU, "smoke": SMOKE}
SEEDS = (0, 1, 2, 3, 4)  # of a headline comparison

TWO_FOLDS = {"folds.tested": 2}  # where a question does not decide the verdict
WITH_INNER = {"folds.inner": 2}
PLAIN = {"method": "inherit"}


@dataclass(frozen=True)
class Experiment:
    """A question and the runs that answer it.

    ``variants`` maps a label to what it changes in the preset's run: ``{"method.temperature": 0.7}`` sets one field of one part,
    ``{"method": "elr"}`` takes another method, with the preset's warm-up where it has one. Those with ``sources`` are no networks
    but probes, song-level baselines on these features; those with ``members`` join the answers of other experiments' runs; those
    with ``ratings`` measure listeners' annotations and hear nothing; those with ``systems`` score published predictions.
    """

    question: str
    feeds: str
    variants: dict[str, dict]
    reference: str  # the run from which the others' differences are taken
    references: dict[str, str] = field(default_factory=dict)  # another one for some
    presets: tuple[str, ...] = tuple(PRESETS)  # where the question makes sense
    seeds: tuple[int, ...] = (0,)  # at smoke the first only
    at_smoke: tuple[str, ...] = ()  # the labels that smoke makes; none named: all
    bases: dict[str, Run] = field(default_factory=lambda: PRESETS)  # the runs that variants change, by preset

    def runs(self, preset: str) -> dict[str, Run | Probe | Fusion | Ratings | Submission | TagEnsemble]:
        """The experiment's runs at a preset, by label.

        Raises
        ------
        UserError : the experiment has no runs at this preset
        """
        if preset not in self.presets:
            raise UserError(f"this experiment has no runs at the preset {preset!r}; it has some at {', '.join(self.presets)}.")
        labels = self.at_smoke if preset == "smoke" and self.at_smoke else self.variants
        return {label: run_of(self.bases[preset], self.variants[label]) for label in labels}

    def seeds_at(self, preset: str) -> tuple[int, ...]:
        return self.seeds[:1] if preset == "smoke" else self.seeds

    def reference_of(self) -> dict[str, str]:
        """The label that each label is compared with."""
        return {label: self.references.get(label, self.reference) for label in self.variants}


def run_of(preset: Run, changes: dict) -> Run | Probe | Fusion | Ratings | Submission | TagEnsemble:
    """A preset's run with these changes; or a probe, joined answers or listeners' ratings in its place."""
    if "ratings" in changes:
        return Ratings(dataset=changes["ratings"])
    if "tag_members" in changes:
        return TagEnsemble(dataset=preset.dataset, members=changes["tag_members"])
    if "systems" in changes:
        return Submission(systems=changes["systems"])
    if "members" in changes:
        return changed(Fusion(dataset=preset.dataset, folds=preset.folds), changes)
    if "sources" in changes:
        return changed(Probe(dataset=preset.dataset, features=preset.features, folds=preset.folds), changes)
    if changes.get("features") == "mel":
        changes = changes | {"features": preset.features.mel}
    if isinstance(changes.get("method"), str):
        changes = changes | {"method": settings_of(changes["method"], preset.method)}
    return changed(preset, changes)


def settings_of(method: str, preset: self_learning.Settings) -> object:
    """Settings of a method that differ from its defaults only where they must agree with the preset's SSSL."""
    of = METHODS[method].Settings
    shared = [f.name for f in fields(of)] if issubclass(of, self_learning.Settings) else ["warmup_epochs"]
    return of(**{name: getattr(preset, name) for name in shared if name in {f.name for f in fields(of)}})


def around(name: str, values: tuple, stem: str) -> dict[str, dict]:
    """Variants of SSSL that set one number to each of these values."""
    return {f"{stem}_{value:g}": TWO_FOLDS | {f"method.{name}": value} for value in values}


def with_noise(kind: str, rate: float, unit: str = label_noise.WINDOW) -> dict[str, dict]:
    """Plain training, SSSL, and SSSL with a mixture per class, on labels with known noise in them."""
    noise = {"noise": label_noise.LabelNoise(kind, rate, unit)} | TWO_FOLDS
    name = f"{kind}_{rate:.0%}".rstrip("%") + ("_songs" if unit == label_noise.SONG else "")
    per_class = {"method.separation": self_learning.PER_CLASS}
    return {f"inherit_{name}": noise | PLAIN, f"self_learning_{name}": noise, f"mixture_per_class_{name}": noise | per_class}


def two_trials(first: str, settings: dict, second: str, change: dict) -> dict[str, dict]:
    """A method as usually set, a second trial nearer to plain training, and the choice inside each fold's training songs."""
    both = TWO_FOLDS | WITH_INNER | settings
    members = {"members": (f"alternatives/{first}", f"alternatives/{second}"), "chosen_for": "emotion"}
    return {first: both, second: both | change, f"{first}_chosen": TWO_FOLDS | members}


ALTERNATIVES = ("soft_labels", "elr", "co_teaching", "fixmatch", "two_stage", "self_learning")

# Tags: Mirable and SELAB-HCMUS as printed, on MTG-Jamendo, and as two cores can bear them, on the moods of 4Q
BY_PART = Folds(n=2, by="artist", inner=0, tested=1)  # tagged data sets bring their parts: one network
MIRABLE = {
    "paper": Run(
        dataset="mtg_jamendo",
        features=MelAndHPCP(),
        window_s=185.8,  # 1,600 steps of mel, 4,000 of HPCP
        network=crnn.Settings(),
        method=noisy_student.Settings(iterations=0),
        training=Training(epochs=100, weight_decay=0.0, patience=5),
        folds=BY_PART,
    )
}
MIRABLE["cpu"] = replace(
    MIRABLE["paper"],
    dataset="4q_moods",
    unlabelled=("4q_moods:untagged", "pmemo:audible_only"),
    features=MelAndHPCP(LogMel(n_mels=64, pool_frames=10), HPCP(sample_rate=22050, window_samples=2048, hop_samples=1024)),
    window_s=25.0,  # nearly the whole clip
    network=crnn.Settings(width=32, branch=128),
    training=Training(epochs=30, batch_size=32, learning_rate=1e-3, stride=5, patience=10),
)
MIRABLE["smoke"] = replace(
    MIRABLE["cpu"],
    dataset="synthetic_moods",
    unlabelled=("synthetic:seed=5",),
    window_s=14.0,
    network=crnn.Settings(width=4, branch=16),
    training=Training(epochs=4, batch_size=16, learning_rate=5e-3, stride=3, patience=4),
)
SHORT = {"window_s": 9.3, "training.stride": 9}  # 80 steps of mel, 200 of HPCP
MEL_ONLY = {"features": "mel"}
STUDENT = {"method.iterations": 1}
HALF = {"dataset": "4q_moods:half", "unlabelled": ("4q_moods:other_half", "4q_moods:untagged", "pmemo:audible_only")}

SELAB = {
    "paper": Run(
        dataset="mtg_jamendo",
        features=LogMel(n_mels=96),
        window_s=22.3,  # 960 frames
        network=backbones.Settings("efficientnet_b0"),
        method=inherit.Settings(mixup_alpha=1.0, longest_masked_share=0.2, single_tags=True),
        training=Training(epochs=100, batch_size=32, learning_rate=1e-3, weight_decay=0.0, stride=11, patience=10),
        folds=BY_PART,
    )
}
SELAB["cpu"] = replace(
    SELAB["paper"],
    dataset="4q_moods",
    features=LogMel(n_mels=96, pool_frames=4),
    training=Training(epochs=20, batch_size=32, learning_rate=1e-3, stride=7, patience=8),
)
SELAB["smoke"] = replace(
    SELAB["cpu"],
    dataset="synthetic_moods",
    features=LogMel(n_mels=32, pool_frames=8),
    window_s=6.0,
    training=Training(epochs=2, batch_size=16, learning_rate=1e-3, stride=9),
)
REXNET = {"network": backbones.Settings("rexnet_100")}


def taught_by(peer: str) -> dict:
    """Co-teaching with a network of another kind, which teaches and is not asked."""
    settings = asdict(SELAB["paper"].method) | {"forget_rate": 0.05, "ramp_epochs": 0, "peer": backbones.Settings(peer)}
    return {"method": co_teaching.Settings(**settings)}


KNOWN_NOISE = (
    with_noise(label_noise.SYMMETRIC, 0.2)
    | with_noise(label_noise.SYMMETRIC, 0.4)
    | with_noise(label_noise.AROUSAL_PRESERVING, 0.2)
    | with_noise(label_noise.SYMMETRIC, 0.2, label_noise.SONG)
)
DRIFTS = {
    f"{rate:.0%}".rstrip("%"): {"dataset": f"synthetic:drift={rate:g},n_songs=96,n_artists=48"}
    for rate in (0.1, 0.2, 0.3, 0.4, 0.5)
}
SYNTHETIC = {"training": SMOKE.training, "method": SMOKE.method, "folds": SMOKE.folds}  # as at smoke: the corpus is as small

DURATIONS_S = (1, 2, 3, 4, 5)
DURATION_MEMBERS = tuple(f"durations/seconds_{s}" for s in DURATIONS_S)
HAND_MADE_MEMBERS = ("baselines/svm_hand_made_artist", "baselines/logistic_hand_made_artist")
NETWORK_MEMBERS = ("segments_to_songs/inherit", "segments_to_songs/self_learning")

EXPERIMENTS = {
    "segments_to_songs": Experiment(
        question="Does it help to doubt the labels that segments inherit from their song?",
        feeds="SSSL, Table 3 (4Q) and Figure 2",
        variants={"inherit": PLAIN, "self_learning": {}},
        reference="inherit",
        seeds=SEEDS,
    ),
    "song_decision": Experiment(
        question="Which features should the song-level SVM learn from, and how is its threshold to be set?",
        feeds="SSSL, section 2.2 (the second stage) and its threshold theta",
        variants={
            "inherit": WITH_INNER | PLAIN,
            "self_learning": WITH_INNER,
            **{f"theta_{theta:g}": WITH_INNER | {"song.share_threshold": theta} for theta in (0.25, 0.4, 0.6, 0.75)},
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
        question="What do plain classifiers of whole songs reach, and what does an artist on both sides add?",
        feeds="SSSL, Table 3 (SVM [17], Audio Embedding [24])",
        presets=("smoke", "cpu"),
        variants={
            "svm_top100_artist": {"sources": (song_features.TOP_100,)},
            "svm_top100_song": {"sources": (song_features.TOP_100,), "folds.by": "song"},
            "svm_log_mel_artist": {"sources": (song_features.LOG_MEL,)},
            "svm_log_mel_song": {"sources": (song_features.LOG_MEL,), "folds.by": "song"},
            "logistic_log_mel_artist": {"sources": (song_features.LOG_MEL,), "classifier": LOGISTIC},
            "svm_hand_made_artist": {"sources": (song_features.HAND_MADE,)},
            "logistic_hand_made_artist": {"sources": (song_features.HAND_MADE,), "classifier": LOGISTIC},
            "svm_top100_and_hand_made_artist": {"sources": (song_features.TOP_100, song_features.HAND_MADE)},
        },
        reference="svm_top100_artist",
        references={"svm_log_mel_song": "svm_log_mel_artist", "logistic_log_mel_artist": "svm_log_mel_artist"},
        at_smoke=("svm_log_mel_artist", "logistic_log_mel_artist"),  # one fold by song would test other songs
    ),
    "ablations": Experiment(
        question="Which part of SSSL helps?",
        feeds="SSSL, Table 3 (Proposed*), and the parts that the paper does not take out",
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
        question="Where SSSL scores less than plain training: is it the budget, a setting, or the method?",
        feeds="the reading of segments_to_songs",
        presets=("smoke", "cpu"),
        variants={
            "inherit": PLAIN,
            "self_learning": {},
            "mixture_per_class": {"method.separation": self_learning.PER_CLASS},
            "mixture_of_log_losses": {"method.loss_scale": self_learning.LOG},
            "longer_warmup_and_ramp": {"method.warmup_epochs": 4, "method.ramp_epochs": 4},
            "agreement_on_plain_windows": {"method.consistency_input": self_learning.PLAIN},
            "inherit_10_epochs": TWO_FOLDS | PLAIN,
            "self_learning_10_epochs": TWO_FOLDS,
            "inherit_5_epochs": TWO_FOLDS | {**PLAIN, "training.epochs": 5},
            "self_learning_5_epochs": TWO_FOLDS | {"training.epochs": 5, "method.warmup_epochs": 1},
            "inherit_20_epochs": TWO_FOLDS | {**PLAIN, "training.epochs": 20},
            "self_learning_20_epochs": TWO_FOLDS | {"training.epochs": 20, "method.warmup_epochs": 2 * CPU.method.warmup_epochs},
            "mixture_per_class_20_epochs": TWO_FOLDS
            | {
                "training.epochs": 20,
                "method.warmup_epochs": 2 * CPU.method.warmup_epochs,
                "method.separation": self_learning.PER_CLASS,
            },
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
        feeds="the reading of segments_to_songs",
        variants={
            label: TWO_FOLDS | {"learning_curve": True} | method for label, method in (("inherit", PLAIN), ("self_learning", {}))
        },
        reference="inherit",
    ),
    "alternatives": Experiment(
        question="Do other ways to learn from doubtful labels do better?",
        feeds="SSSL, Table 3, and the baselines it should have had",
        variants={
            **two_trials("inherit", PLAIN, "label_smoothing", {"method.label_smoothing": 0.1}),
            **two_trials("soft_labels", {"method": "soft_labels"}, "soft_labels_gentle", {"method.label_weight": 0.75}),
            **two_trials("elr", {"method": "elr"}, "elr_gentle", {"method.weight": 1.0}),
            **two_trials("co_teaching", {"method": "co_teaching"}, "co_teaching_gentle", {"method.forget_rate": 0.05}),
            **two_trials("fixmatch", {"method": "fixmatch"}, "fixmatch_gentle", {"method.confidence": 0.8}),
            **two_trials("two_stage", {"method": "two_stage"}, "two_stage_gentle", {"method.longest_masked_share": 0.25}),
            **two_trials("self_learning", {}, "self_learning_gentle", {"method.clean_threshold": 0.3}),
            "two_networks": TWO_FOLDS | {"members": ("segments_to_songs/inherit",), "member_seeds": (0, 1)},
        },
        reference="inherit",
        references={f"{method}_chosen": "inherit_chosen" for method in ALTERNATIVES},
        at_smoke=("inherit", "elr"),
    ),
    "sensitivity": Experiment(
        question="How much do SSSL's open settings matter?",
        feeds="the paper's open questions: tau, T, alpha and lambda are never stated",
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
        question="Labels with known noise: does the mixture find it, and does SSSL then help?",
        feeds="the paper's mechanism (section 2.1.2)",
        presets=("smoke", "cpu"),
        variants=KNOWN_NOISE,
        reference="",
        references={
            label: label.replace("self_learning", "inherit").replace("mixture_per_class", "inherit") for label in KNOWN_NOISE
        },
        at_smoke=("inherit_symmetric_40", "self_learning_symmetric_40"),
    ),
    "drift": Experiment(
        question="Music that leaves its label for a while: does the mixture find the seconds?",
        feeds="the paper's mechanism (section 2.1.2), where every second is known",
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
        variants={name: {"ratings": name} for name in SETS},
        reference="",
    ),
    "elsewhere": Experiment(
        question="Trained on one collection, what is left on another?",
        feeds="open question: does it carry over?",
        presets=("smoke", "cpu"),
        variants={
            "inherit_from_4q": {"folds.tested": 1, **PLAIN, "also_heard": ("synthetic", "pmemo:audible_only")},
            "self_learning_from_4q": {"folds.tested": 1, "also_heard": ("synthetic", "pmemo:audible_only")},
            "inherit_from_synthetic": SYNTHETIC | DRIFTS["30"] | {**PLAIN, "also_heard": ("4q",)},
            "self_learning_from_synthetic": SYNTHETIC | DRIFTS["30"] | {"also_heard": ("4q",)},
            "inherit_from_synthetic_to_other_artists": SYNTHETIC
            | {"dataset": "synthetic", **PLAIN, "also_heard": ("synthetic:seed=1,spread=2",)},
        },
        reference="inherit_from_4q",
        references={
            "self_learning_from_synthetic": "inherit_from_synthetic",
            **{label: label for label in ("inherit_from_synthetic", "inherit_from_synthetic_to_other_artists")},
        },
        at_smoke=("inherit_from_synthetic_to_other_artists",),
    ),
    "beyond": Experiment(
        question="What is the best honest result on 4Q, and what does each part add?",
        feeds="beyond the paper: audio only, artist folds",
        presets=("smoke", "cpu"),
        variants={
            "one_network": {"members": ("segments_to_songs/inherit",), "member_seeds": (0,)},
            "networks": {"members": NETWORK_MEMBERS},
            "networks_of_five_durations": {"members": DURATION_MEMBERS},
            "hand_made": {"members": HAND_MADE_MEMBERS},
            "hand_made_and_networks": {"members": ("beyond/hand_made", "beyond/networks")},  # every kind counts alike
            "top100": {"members": ("baselines/svm_top100_artist",)},
            "top100_and_networks": {"members": ("beyond/top100", "beyond/networks")},
            "top100_and_hand_made": {"members": ("beyond/top100", "beyond/hand_made")},
            "everything": {"members": ("beyond/top100", "beyond/hand_made", "beyond/networks")},
            "log_mel_and_network": {"members": ("baselines/svm_log_mel_artist", "segments_to_songs/inherit")},
        },
        reference="hand_made",
        at_smoke=("log_mel_and_network",),
    ),
    "leaderboard": Experiment(
        question="MediaEval's tagging task, scored again: which differences are more than chance?",
        feeds="Mirable, Tables 1 and 2; SELAB, its ranking",
        presets=("cpu",),
        variants={
            **{name: {"systems": (name,)} for name in leaderboard.cards()},
            "mean_of_2019_and_2020": {"systems": ("cp_jku_ensemble", "sail_usc_ensemble_all_data")},
            "mean_of_three_editions": {"systems": ("cp_jku_ensemble", "sail_usc_ensemble_all_data", "mirable_ensemble")},
        },
        reference="",
    ),
    "long_or_short": Experiment(
        question="Mirable: is it better to hear long or short, to hear harmony too, and to learn from what a teacher says?",
        feeds="Mirable, Table 1",
        variants={
            "long_mel": MEL_ONLY,
            "long_hpcp": {},
            "long_mel_student": MEL_ONLY | STUDENT,
            "long_hpcp_student": STUDENT,
            "short_mel": SHORT | MEL_ONLY,
            "short_hpcp": SHORT,
            "short_mel_student": SHORT | MEL_ONLY | STUDENT,
            "short_hpcp_student": SHORT | STUDENT,
            "ensemble": {"tag_members": ("long_or_short/short_hpcp", "long_or_short/long_hpcp_student")},
        },
        reference="long_mel",
        references={
            "short_hpcp": "short_mel",
            **{f"{name}_student": name for name in ("long_mel", "long_hpcp", "short_mel", "short_hpcp")},
            "ensemble": "short_hpcp",
        },
        seeds=(0, 1, 2),
        at_smoke=("short_hpcp", "short_hpcp_student"),
        bases=MIRABLE,
    ),
    "half_the_labels": Experiment(
        question="Noisy student with as much music without labels as with them: does it make up for the labels that are missing?",
        feeds="Mirable, section 2.5, where there is something to learn from",
        variants={
            "teacher": SHORT | HALF,
            "student": SHORT | HALF | STUDENT,
            "student_by_percentile": SHORT | HALF | STUDENT | {"method.sure": noisy_student.PERCENTILE},
        },
        reference="teacher",
        presets=("cpu",),
        seeds=(0, 1, 2),
        bases=MIRABLE,
    ),
    "as_released": Experiment(
        question="Where Mirable's and SELAB's code does otherwise than their papers: what does each difference change?",
        feeds="the papers' releases",
        variants={
            "printed": SHORT | STUDENT,
            "every_answer_counts": SHORT | STUDENT | {"method.sure": noisy_student.NONE},
            "thresholds_by_percentile": SHORT | STUDENT | {"method.sure": noisy_student.PERCENTILE},
            "plain_student": SHORT | STUDENT | {"method.plain_student": True},
            "quiet_pseudo_labels": SHORT | STUDENT | {"method.quiet_pseudo_labels": True},
            "second_iteration": SHORT | {"method.iterations": 2},
        },
        reference="printed",
        at_smoke=("printed", "every_answer_counts"),
        bases=MIRABLE,
    ),
    "networks_that_teach": Experiment(
        question="SELAB: does a network learn better from what another finds easy?",
        feeds="SELAB, Table 1",
        variants={
            "efficientnet": {},
            "rexnet": REXNET,
            "efficientnet_focal": {"method.focal": True},  # as released
            "efficientnet_co_teaching": taught_by("rexnet_100"),
            "efficientnet_co_teaching_ramp": taught_by("rexnet_100") | {"method.ramp_epochs": 5},  # as Han et al. have it
            "rexnet_co_teaching": REXNET | taught_by("efficientnet_b0"),
            "ensemble": {
                "tag_members": ("networks_that_teach/efficientnet_co_teaching", "networks_that_teach/rexnet_co_teaching")
            },
        },
        reference="efficientnet",
        references={
            "rexnet_co_teaching": "rexnet",
            "efficientnet_co_teaching_ramp": "efficientnet_co_teaching",
            "ensemble": "efficientnet_co_teaching",
        },
        seeds=(0, 1, 2),
        at_smoke=("efficientnet",),
        bases=SELAB,
    ),
    "front_end": Experiment(
        question="What does the small front end of the cpu preset cost against 128 bands and every frame?",
        feeds="the cpu preset",
        presets=("smoke", "cpu"),
        variants={
            "bands128_pool1": {**PLAIN, "folds.tested": 1, "features.n_mels": 128, "features.pool_frames": 1},
            "bands64_pool2": {**PLAIN, "folds.tested": 1, "features.pool_frames": 2},
            "bands64_pool4": {**PLAIN, "folds.tested": 1},  # the preset itself
        },
        reference="bands128_pool1",
        at_smoke=("bands64_pool4",),
    ),
}


def jobs(
    name: str, preset: str, dataset: str | None = None, seeds: tuple[int, ...] | None = None, changes: dict | None = None
) -> list[tuple[str, Run]]:
    """(label, run) pairs of an experiment at a preset: every variant with every seed, on its own data set or another.

    `changes` are settings by dotted name, applied to every run.
    """
    if dataset and dataset.partition(":")[0] not in READERS:
        dataset = str(Path(dataset).resolve())  # the same music has the same runs from any working folder
    changes = (changes or {}) | ({"dataset": dataset} if dataset else {})
    variants = EXPERIMENTS[name].runs(preset)
    seeds = seeds or EXPERIMENTS[name].seeds_at(preset)
    return [(label, changed(run, {"seed": seed, **changes})) for seed in seeds for label, run in variants.items()]


def execute(
    name: str,
    preset: str,
    pairs: list[tuple[str, Run]] | None = None,
    chosen: list[tuple[str, Run]] | None = None,
    executor: Executor | None = None,
) -> list[dict]:
    """The records of an experiment's runs, made where they are missing; then all that there are of `pairs` are compared.

    Parameters
    ----------
    pairs : (label, run) pairs as `jobs` gives them; by default those of the preset
    chosen : the pairs to make, by default all
    """
    pairs = pairs or jobs(name, preset)
    made = [make(run, name, preset, label, executor) for label, run in (pairs if chosen is None else chosen)]
    known = [
        record for label, run in pairs
        if not isinstance(run, Ratings) and (record := results.existing(run, name, preset, label))
    ]  # fmt: skip
    if known and isinstance(pairs[0][1], Submission):
        leaderboard.compare(name, preset, known)
    elif known and "prevalence" in known[0]["data"]:
        tag_evaluation.compare(name, preset, EXPERIMENTS[name].reference_of(), known)
    elif known:
        evaluation.compare(name, preset, EXPERIMENTS[name].reference_of(), known)
    return made


def make(run, name: str, preset: str, label: str, executor: Executor | None) -> dict:
    """The record of one run, made where it is missing; joined answers need their members' records first."""
    if not isinstance(run, (Fusion, TagEnsemble)):
        return evaluation.execute(run, name, preset, label, executor)
    members = {}
    for member in run.members:
        experiment, _, wanted = member.partition("/")
        pairs = [pair for pair in jobs(experiment, preset) if pair[0] == wanted]
        if isinstance(run, TagEnsemble):
            pairs = [pair for pair in pairs if pair[1].seed == run.seed]
        members[member] = [make(one, experiment, preset, wanted, executor) for _, one in pairs]
    if isinstance(run, TagEnsemble):
        return evaluation.ensemble(run, name, preset, label, [record for (record,) in members.values()])
    return evaluation.fuse(run, name, preset, label, members)


def recorded(name: str, preset: str) -> list[dict]:
    """The records of an experiment's own runs at a preset; other runs' records are left alone.

    Raises
    ------
    RecordError : none has been made yet
    """
    found = [record for label, run in jobs(name, preset) if (record := results.existing(run, name, preset, label))]
    if not found:
        raise results.RecordError(f"no record of {name} at the preset {preset}. Make it: mer run {name} --preset {preset}")
    return found
