"""Three papers at three presets: the run that an experiment's variants change.

`paper` is as printed, for a GPU; `cpu` is real audio on two cores; `smoke` is a synthetic corpus in seconds,
for tests, continuous integration and first visitors. Each is written as a difference from the one before.
"""

from dataclasses import replace

from mer_companion.runs.settings import Run
from mer_core.audio.features import LogMel, MelAndHPCP, StoredMel, WindowFeatures
from mer_core.audio.hpcp import HPCP
from mer_core.datasets.splits import Folds
from mer_core.methods import inherit, noisy_student, self_learning
from mer_core.models import Network, backbones, crnn, heads
from mer_core.training import Training

PAPER = Run()
CPU = replace(
    PAPER,
    features=LogMel(n_mels=64, pool_frames=4),  # an eighth of a window's values: see the front_end experiment
    network=Network("vgg_slim"),
    training=Training(epochs=10, batch_size=32, learning_rate=1e-3, stride=3),
    # the agreement term on mixtures shares their trunk: the second pass through the convolutions is saved
    method=self_learning.Settings(warmup_epochs=2, consistency_input=self_learning.MIXED),
    folds=Folds(n=5, by="artist", inner=0),  # inner networks double the cost
)
SMOKE = replace(
    CPU,
    dataset="synthetic",
    training=replace(CPU.training, epochs=10, batch_size=16, stride=1),
    method=replace(CPU.method, warmup_epochs=5),  # sooner, a quadrant not yet learned is erased for good
    folds=replace(CPU.folds, n=3, tested=1),
)
SSSL = {"paper": PAPER, "cpu": CPU, "smoke": SMOKE}

# What a model for sound files is by default: dense layers on features of a network that was pretrained on a
# million songs, every recording brought to the level that is usual in 4Q (median -12.7 dB); chosen by the
# experiment pretrained_heads.
LOUDNESS_DB = -13.0
OWN_MUSIC = {
    preset: replace(
        run,
        features=WindowFeatures(loudness_db=LOUDNESS_DB),
        network=heads.Settings(hidden=(256,)),
    )
    for preset, run in SSSL.items()
}

BY_ACT = {"folds.by": "act"}  # of partitions that no earlier experiment has used
TWO_FOLDS = {"folds.tested": 2}  # a change where a question does not decide the verdict
BY_PART = Folds(n=2, by="artist", inner=0, tested=1)  # tagged data sets bring their parts: one network
MIRABLE = {
    "paper": Run(
        dataset="mtg_jamendo",
        features=MelAndHPCP(),
        window_s=185.8,  # 1,600 steps of mel, 4,000 of HPCP
        network=crnn.Settings(),
        method=noisy_student.Settings(iterations=0),
        unlabelled=("music:folder=mtg_jamendo/without_moods",),  # tracks of MTG-Jamendo that have no mood tag
        first_window=True,  # "long" is the first three minutes; variants with short input take all windows
        # a constant rate
        training=Training(epochs=100, batch_size=32, weight_decay=0.0, patience=5, plateau=100),
        repeat_short=True,
        folds=BY_PART,
    )
}
MIRABLE["cpu"] = replace(
    MIRABLE["paper"],
    dataset="4q_moods",
    first_window=False,
    unlabelled=("4q_moods:untagged", "pmemo:audible_only"),
    features=MelAndHPCP(
        LogMel(n_mels=64, pool_frames=10), HPCP(sample_rate=22050, window_samples=2048, hop_samples=1024)
    ),
    window_s=25.0,  # nearly the whole clip
    network=crnn.Settings(width=16, branch=128),
    # short windows are twice as many: half the batch, and an epoch has as many steps for long as for short
    training=Training(epochs=30, batch_size=16, learning_rate=1e-3, stride=5, patience=8),
)
MIRABLE["smoke"] = replace(
    MIRABLE["cpu"],
    dataset="synthetic_moods",
    unlabelled=("synthetic:seed=5",),
    window_s=14.0,
    network=crnn.Settings(width=4, branch=16),
    training=Training(epochs=4, batch_size=16, learning_rate=5e-3, stride=3, patience=4),
)
PRETRAINED_TAGS = {  # a head on MusiCNN's features, which are frozen; at smoke on statistics, without weights
    preset: replace(
        MIRABLE[preset],
        unlabelled=(),
        features=features,
        window_s=window_s,
        network=heads.Settings(hidden=(256,)),
        method=inherit.Settings(),
    )
    for preset, features, window_s in (
        ("cpu", WindowFeatures(), 25.0),
        ("smoke", WindowFeatures((), statistics=True), 10.0),
    )
}
ON_QUADRANTS = {  # Mirable's network with its short input, where every song has one label
    preset: replace(
        MIRABLE[preset],
        dataset=SSSL[preset].dataset,
        unlabelled=(),
        window_s=window_s,
        method=inherit.Settings(),
        training=replace(MIRABLE[preset].training, epochs=10, stride=stride, patience=0),
        folds=SSSL[preset].folds,
    )
    for preset, window_s, stride in (("cpu", 9.3, 9), ("smoke", 6.0, 3))
}

SELAB = {
    "paper": Run(
        dataset="mtg_jamendo:mels",
        features=StoredMel(),
        window_s=20.48,  # 960 frames
        network=backbones.Settings("efficientnet_b0"),
        method=inherit.Settings(mixup_alpha=1.0, longest_masked_share=0.2, single_tags=True),
        training=Training(
            epochs=100, batch_size=32, learning_rate=1e-3, weight_decay=0.0, stride=0, patience=10, plateau=5
        ),
        windows_per_song=16,
        folds=BY_PART,
    )
}
SELAB["cpu"] = replace(
    SELAB["paper"],
    dataset="4q_moods",
    windows_per_song=0,
    features=LogMel(
        sample_rate=12000, window_samples=512, hop_samples=256, n_mels=64, high_hz=6000.0, pool_frames=8
    ),
    training=Training(epochs=15, batch_size=32, learning_rate=1e-3, stride=7, patience=15, plateau=3),
)
SELAB["smoke"] = replace(
    SELAB["cpu"],
    dataset="synthetic_moods",
    features=LogMel(n_mels=32, pool_frames=8),
    window_s=6.0,
    training=Training(epochs=2, batch_size=16, learning_rate=1e-3, stride=9),
)
