"""The experiments on Emotify: shares of listeners as labels, and the MediaEval papers' findings elsewhere.

Designed before any run: ``data/registered/emotify.md``.
"""

from dataclasses import replace

from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.mediaeval import MEL_ONLY, SEEDS
from mer_companion.experiments.presets import MIRABLE, PRETRAINED_TAGS
from mer_companion.runs.settings import LABELS, SHARES
from mer_core.datasets.splits import Folds
from mer_core.methods import co_teaching, inherit, self_learning
from mer_core.models import crnn
from mer_core.training import Training

WHOLE_S = 60.0  # an excerpt lasts about a minute; one that is a little shorter begins again
# one window of each song in each epoch: as many steps for long input as for short
LONG = Training(epochs=100, batch_size=32, learning_rate=1e-3, stride=0, patience=20)
EVERY_WINDOW = Training(epochs=10, batch_size=32, learning_rate=1e-3, stride=3)
SEGMENTS = {"window_s": 3.0, "training": EVERY_WINDOW}
SSSL = self_learning.Settings(warmup_epochs=2, consistency_input=self_learning.MIXED)

PRETRAINED = {
    "cpu": replace(
        PRETRAINED_TAGS["cpu"],
        dataset="emotify",
        targets=SHARES,
        window_s=WHOLE_S,
        training=LONG,
        folds=Folds(n=5, by="artist", inner=0, parts=False),
    )
}
PRETRAINED["smoke"] = replace(
    PRETRAINED["cpu"],
    dataset="synthetic_moods:listeners=20",
    features=PRETRAINED_TAGS["smoke"].features,
    window_s=14.0,
    training=replace(LONG, epochs=8, learning_rate=5e-3),
    folds=Folds(n=3, by="artist", inner=0, tested=1, parts=False),
)
FROM_SCRATCH = {
    preset: replace(
        MIRABLE[preset],
        method=inherit.Settings(),
        unlabelled=(),
        **{name: getattr(run, name) for name in ("dataset", "targets", "window_s")},
        folds=replace(run.folds, tested=min(run.folds.tested or run.folds.n, 2)),
        # half the channels of the other runs at this preset, and all epochs: long input costs
        network=crnn.Settings(width=width, branch=8 * width),
        training=replace(run.training, epochs=epochs, batch_size=16, patience=0),
    )
    for (preset, run), width, epochs in zip(PRETRAINED.items(), (8, 4), (12, 2), strict=True)
}
SHORT = {"window_s": 9.3, "windows_per_song": 6}  # for the answer: six windows cover the minute


def pair(forget_rate: float) -> dict:
    """Two networks that hand each other their easiest examples, and are averaged; 0: all examples."""
    return {"method": co_teaching.Settings(forget_rate=forget_rate, ramp_epochs=0)}


EXPERIMENTS = {
    "shares": Experiment(
        question="Soft labels (shares of listeners) or tags; do long input, HPCP, co-teaching and SSSL help?",
        feeds="Mirable, SELAB and SSSL, on Emotify with strong features",
        variants={
            "genre": {"mean_of": "genre"},
            "tags": {"targets": LABELS},
            "long": {},
            "short": {"window_s": 3.0},
            "hpcp": {"features.harmony": True},
            "two_networks": pair(0.0),
            "co_teaching": pair(0.05),
            "segments": SEGMENTS,
            "sssl": SEGMENTS | {"method": SSSL},
            "sssl_unsharpened": SEGMENTS | {"method": replace(SSSL, temperature=1.0)},
        },
        reference="long",
        references={
            "long": ("genre", "tags"),
            "genre": "",
            "tags": "",
            "segments": "short",
            "co_teaching": ("two_networks", "long"),
            "sssl": "segments",
            "sssl_unsharpened": "segments",
        },
        presets=("smoke", "cpu"),
        seeds=SEEDS,
        at_smoke=("tags", "long", "short", "two_networks", "co_teaching", "segments", "sssl"),
        bases=PRETRAINED,
    ),
    "shares_from_scratch": Experiment(
        question="Small networks from scratch on a minute of music: long or short input, HPCP, co-teaching?",
        feeds="Mirable and SELAB, on Emotify",
        variants={
            "short_mel": SHORT | MEL_ONLY,
            "long_mel": MEL_ONLY,
            "short_hpcp": SHORT,
            "long_hpcp": {},
            "two_networks": SHORT | MEL_ONLY | pair(0.0),
            "co_teaching": SHORT | MEL_ONLY | pair(0.05),
        },
        reference="",
        references={
            "short_mel": "long_mel",
            "short_hpcp": ("long_hpcp", "short_mel"),
            "long_hpcp": "long_mel",
            "two_networks": "short_mel",
            "co_teaching": ("two_networks", "short_mel"),
        },
        presets=("smoke", "cpu"),
        seeds=SEEDS,
        at_smoke=("short_mel", "long_hpcp"),
        bases=FROM_SCRATCH,
    ),
}
