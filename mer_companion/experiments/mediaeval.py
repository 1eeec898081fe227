"""The experiments on the two MediaEval papers: input length, noisy student, co-teaching, leaderboard."""

from dataclasses import asdict

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.presets import MIRABLE, ON_QUADRANTS, PRETRAINED_TAGS, SELAB, TWO_FOLDS
from mer_companion.runs import leaderboard
from mer_core.methods import co_teaching, noisy_student
from mer_core.models import backbones

SEEDS = (0, 1, 2)

# as printed: 80 steps of mel, 200 of HPCP
SHORT = {"window_s": 9.3, "first_window": False, "training.stride": 9, "training.batch_size": 32}
MEL_ONLY = {"features": "mel"}
STUDENT = {"method.iterations": 1}
INPUTS = {"long_mel": MEL_ONLY, "long_hpcp": {}, "short_mel": SHORT | MEL_ONLY, "short_hpcp": SHORT}
HALF = {
    "dataset": "4q_moods:half",
    "unlabelled": ("4q_moods:other_half", "4q_moods:untagged", "pmemo:audible_only"),
}

PRINTED = SHORT | STUDENT
BY_PERCENTILE, MASKS = {"method.sure": noisy_student.PERCENTILE}, {"method.student_masks": (20, 60)}
HPCP_SYSTEM = "long_and_short/short_hpcp"  # the better of Mirable's two networks here
# one frame of pretrained features; as many steps in an epoch as for long input
ONE_FRAME = {"window_s": 3.0, "training.stride": 14, "training.batch_size": 32}
# two heads that begin from other weights, each learning what the other finds easy; both predict
TWO_HEADS = {"method": co_teaching.Settings(forget_rate=0.05, ramp_epochs=0)}
REXNET = {"network": backbones.Settings("rexnet_100")}


def taught_by(peer: str) -> dict:
    """Co-teaching with a network of another kind, which teaches only."""
    own = {"forget_rate": 0.05, "ramp_epochs": 0, "peer": backbones.Settings(peer)}
    return {"method": co_teaching.Settings(**asdict(SELAB["paper"].method) | own)}


def systems(*names: str) -> dict:
    """A submission to the leaderboard: the plain mean of these systems."""
    return {"systems": names}


EXPERIMENTS = {
    "leaderboard": Experiment(
        question="MediaEval's tagging task, scored again: which differences are significant?",
        feeds="Mirable, Tables 1 and 2; SELAB, its ranking",
        presets=("cpu",),
        variants={
            **{name: systems(name) for name in leaderboard.cards()},
            "mean_of_2019_and_2020": systems("cp_jku_ensemble", "sail_usc_ensemble_all_data"),
            "mean_of_three_editions": systems(
                "cp_jku_ensemble", "sail_usc_ensemble_all_data", "mirable_ensemble"
            ),
        },
        reference="",
    ),
    "long_or_short": Experiment(
        question="Is long or short input better?",
        feeds="Mirable, Table 1",
        variants=INPUTS,
        reference="",
        references={"short_mel": "long_mel", "short_hpcp": "long_hpcp"},
        seeds=SEEDS,
        at_smoke=("long_hpcp", "short_hpcp"),
        bases=MIRABLE,
    ),
    "harmony": Experiment(
        question="Does HPCP improve on mel alone?",
        feeds="Mirable, Table 1",
        variants=INPUTS,
        reference="",
        references={"long_hpcp": "long_mel", "short_hpcp": "short_mel"},
        seeds=SEEDS,
        at_smoke=("short_mel", "short_hpcp"),
        bases=MIRABLE,
    ),
    "noisy_student": Experiment(
        question="Does a noisy student, trained on pseudo-labels, exceed its teacher?",
        feeds="Mirable, Table 1 and section 2.5",
        variants=INPUTS | {f"{name}_student": changes | STUDENT for name, changes in INPUTS.items()},
        reference="",
        references={f"{name}_student": name for name in INPUTS},
        seeds=SEEDS,
        at_smoke=("short_hpcp", "short_hpcp_student"),
        bases=MIRABLE,
    ),
    "long_and_short": Experiment(
        question="Is an ensemble of long and short input better than each?",
        feeds="Mirable, Tables 1 and 2 (the ensemble)",
        variants={
            "short_hpcp": SHORT,
            "long_hpcp_student": STUDENT,
            "ensemble": {"tag_members": ("long_and_short/short_hpcp", "long_and_short/long_hpcp_student")},
        },
        reference="short_hpcp",
        references={"ensemble": ("short_hpcp", "long_hpcp_student")},
        seeds=SEEDS,
        bases=MIRABLE,
    ),
    "harmony_on_quadrants": Experiment(
        question="Does HPCP improve on mel alone for the quadrants of 4Q?",
        feeds="Mirable's claim on HPCP, on SSSL's data",
        variants={"mel": MEL_ONLY | TWO_FOLDS, "hpcp": TWO_FOLDS},
        reference="mel",
        presets=("smoke", "cpu"),
        bases=ON_QUADRANTS,
    ),
    "half_the_labels": Experiment(
        question="Noisy student with half of the labels withheld: does it exceed its teacher?",
        feeds="Mirable, section 2.5, with more unlabelled music",
        variants={"teacher": SHORT | HALF, "student": SHORT | HALF | STUDENT},
        reference="teacher",
        presets=("cpu",),
        seeds=SEEDS,
        bases=MIRABLE,
    ),
    "mirable_as_released": Experiment(
        question="Where Mirable's code deviates from its paper: what does each deviation change?",
        feeds="Mirable's release",
        variants={
            "printed": PRINTED,
            "every_answer_counts": PRINTED | {"method.sure": noisy_student.NONE},
            "thresholds_by_percentile": PRINTED | BY_PERCENTILE,
            "plain_student": PRINTED | {"method.plain_student": True},
            "quiet_pseudo_labels": PRINTED | {"method.quiet_pseudo_labels": True},
            "masks_as_released": PRINTED | MASKS,
            "percentile_and_masks": PRINTED | BY_PERCENTILE | MASKS,
            "second_iteration": SHORT | {"method.iterations": 2},
        },
        reference="printed",
        at_smoke=("printed", "every_answer_counts"),
        bases=MIRABLE,
    ),
    "networks_that_teach": Experiment(
        question="SELAB: does co-teaching improve tagging?",
        feeds="SELAB, Table 1",
        variants={
            "efficientnet": {},
            "rexnet": REXNET,
            "efficientnet_co_teaching": taught_by("rexnet_100"),
            "rexnet_co_teaching": REXNET | taught_by("efficientnet_b0"),
            "ensemble": {
                "tag_members": (
                    "networks_that_teach/efficientnet_co_teaching",
                    "networks_that_teach/rexnet_co_teaching",
                ),
                "measure": "pr_auc",
            },
        },
        reference="efficientnet",
        references={
            "rexnet_co_teaching": ("rexnet", "efficientnet_co_teaching"),
            "ensemble": ("efficientnet_co_teaching", "rexnet_co_teaching"),
        },
        seeds=SEEDS,
        at_smoke=("efficientnet", "efficientnet_co_teaching"),
        bases=SELAB,
    ),
    "selab_as_released": Experiment(
        question="Where SELAB's code deviates from its paper or Han et al.: what does each deviation change?",
        feeds="SELAB's release",
        variants={
            "efficientnet": {},
            "efficientnet_focal": {"method.focal": True},
            "several_tags": {"method.single_tags": False},
            "efficientnet_co_teaching": taught_by("rexnet_100"),
            "co_teaching_with_ramp": taught_by("rexnet_100") | {"method.ramp_epochs": 5},
        },
        reference="efficientnet",
        references={"co_teaching_with_ramp": "efficientnet_co_teaching"},
        at_smoke=("efficientnet", "efficientnet_focal"),
        bases=SELAB,
    ),
    "tags_pretrained": Experiment(
        question="Mood tags from pretrained features: do input length, HPCP and co-teaching matter?",
        feeds="Mirable and SELAB, with strong features",
        variants={
            "long": {},
            "short": ONE_FRAME,
            "co_teaching": TWO_HEADS,
            # as recorded: the mean of two copies of one record
            "hpcp": {"tag_members": (HPCP_SYSTEM, "long_or_short/short_hpcp")},
            "with_hpcp": {"tag_members": ("tags_pretrained/long", HPCP_SYSTEM)},
        },
        reference="long",
        references={"long": "hpcp", "hpcp": ""},
        presets=("smoke", "cpu"),
        seeds=SEEDS,
        at_smoke=("long", "short", "co_teaching"),
        bases=PRETRAINED_TAGS,
    ),
}
