"""Which head on a pretrained network's features the model for sound files should be.

The candidates were named before any was run. Each outer fold takes the one that does best on its training
songs, by networks that were not trained on them; what that reaches on test songs is what the choice is worth.
"""

from dataclasses import replace

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.presets import BY_ACT, LOUDNESS_DB, OWN_MUSIC
from mer_companion.experiments.sssl import HANDCRAFTED_MEMBERS, PLAIN
from mer_core.audio.features import WindowFeatures
from mer_core.models import heads

ALL = WindowFeatures(loudness_db=LOUDNESS_DB)
TOP = replace(ALL, layers=("penultimate", "tags"))
LINEAR, MLP = heads.Settings(), heads.Settings(hidden=(256,))
MIXED = {"method.mixup_alpha": 1.0, "method.label_smoothing": 0.1}

CHOICES = {
    "linear_all_layers": {"features": ALL, "network": LINEAR},
    "mlp_all_layers": {"features": ALL, "network": MLP},
    "mlp_all_layers_mixed": {"features": ALL, "network": MLP} | MIXED,
    "linear_top_layers": {"features": TOP, "network": LINEAR},
    "mlp_top_layers": {"features": TOP, "network": MLP},
    "mlp_top_layers_mixed": {"features": TOP, "network": MLP} | MIXED,
}
# not to be chosen: what bringing every recording to one level costs
REPORTED = {"mlp_top_layers_any_level": {"features": replace(TOP, loudness_db=None), "network": MLP}}
SHIPPED = ("shipped_model/heads",)
SONGS = (12, 24, 60, 120, 240, 480)  # labelled songs of your own to train on
LONGER = 60  # epochs, which the README advises for few songs and training from scratch
WITH_INNER = PLAIN | {"folds.inner": 2}

EXPERIMENTS = {
    "pretrained_heads": Experiment(
        question="Which head on a pretrained network's features predicts quadrants best?",
        feeds="the shipped model",
        variants={
            **{label: WITH_INNER | changes for label, changes in (CHOICES | REPORTED).items()},
            "chosen": {
                "members": tuple(f"pretrained_heads/{label}" for label in CHOICES),
                "chosen_for": "emotion",
            },
            "model_before": {"members": ("loudness/louder_and_softer",)},
            "three_seeds": {"members": SHIPPED},
            "with_handcrafted": {"members": (*SHIPPED, *HANDCRAFTED_MEMBERS)},
        },
        reference="mlp_all_layers",
        references={"three_seeds": "model_before", "with_handcrafted": "three_seeds"},
        presets=("cpu",),
        bases=OWN_MUSIC,
    ),
    "shipped_model": Experiment(
        question="How accurate is the shipped model?",
        feeds="the shipped model",
        variants={"heads": PLAIN},
        reference="",
        presets=("cpu",),
        seeds=(0, 1, 2),
        bases=OWN_MUSIC,
    ),
    "fewer_songs": Experiment(
        question="How many labelled songs does training your own model take?",
        feeds="training on your own music",
        variants={
            "all_training_songs": PLAIN | BY_ACT,
            **{f"training_songs_{n}": PLAIN | BY_ACT | {"folds.training_songs": n} for n in SONGS},
            **{
                f"training_songs_{n}_{LONGER}_epochs": PLAIN
                | BY_ACT
                | {"folds.training_songs": n, "training.epochs": LONGER}
                for n in SONGS[:3]
            },
        },
        reference="all_training_songs",
        references={f"training_songs_{n}_{LONGER}_epochs": f"training_songs_{n}" for n in SONGS[:3]},
        presets=("cpu",),
        seeds=(1, 2, 3),
        partitions=True,
        bases=OWN_MUSIC,
    ),
}
