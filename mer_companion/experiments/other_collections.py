"""Does it hold on other collections? Methods on each of them, and one trained on another's music.

Design and predictions were written down before the runs (`data/registered/collections.md`).
"""

from dataclasses import replace

from mer_companion.experiments import noise
from mer_companion.experiments.experiment import Experiment
from mer_companion.experiments.pretrained import TOP
from mer_companion.runs.settings import Transfer
from mer_core.datasets.splits import Folds

POOLED = ("4q", "emopia", "emotify_quadrants", "vgmidi")
SYNTHETIC = "synthetic"  # shown beside the others; in no summary
COLLECTIONS = (*POOLED, SYNTHETIC)
METHODS = {name: noise.METHODS[name] for name in (*noise.FEW, "elr")}
PARTITIONS, TRAININGS = (0,), 5
ONE_LEVEL = "musicnn_one_level"  # the setting's name: MSD_musicnn, all clips brought to one level

BASE = replace(noise.BASE, features=TOP, folds=Folds(n=5, by="act", inner=0))
CELLS = noise.cells_of(BASE, ONE_LEVEL, METHODS, [noise.CLEAN], PARTITIONS)
SMOKE_METHODS = {name: METHODS[name] for name in ("inherit", "self_learning")}
SMOKE_CELLS = noise.cells_of(noise.SMOKE, "log_mel", SMOKE_METHODS, [noise.CLEAN], (0,))
PLAIN = METHODS["inherit"]

EXPERIMENTS = {
    "collections": Experiment(
        question="Do the differences between SSSL and other methods on 4Q replicate on other collections?",
        feeds="SSSL's premise, on recorded and rendered music",
        variants={name: {"dataset": name} for name in COLLECTIONS},
        reference="",
        presets=("smoke", "cpu"),
        at_smoke=(SYNTHETIC,),
        bases={
            "smoke": noise.study(SYNTHETIC, SMOKE_CELLS),
            "cpu": noise.study("4q", CELLS, trainings=TRAININGS),
        },
    ),
    "across_collections": Experiment(
        question="How well do networks transfer between collections, and does pooling collections help?",
        feeds="transfer between collections",
        variants={"transfer": {}},
        reference="",
        presets=("smoke", "cpu"),
        bases={
            "smoke": Transfer(
                dataset="synthetic+synthetic:seed=5",
                pooled=("synthetic", "synthetic:seed=5"),
                base=replace(noise.SMOKE, method=PLAIN),
                trainings=1,
            ),
            "cpu": Transfer(
                dataset="+".join(COLLECTIONS),
                pooled=POOLED,
                base=replace(BASE, method=PLAIN),
                trainings=TRAININGS,
            ),
        },
    ),
}
