"""The papers' runs as data: which question, which runs at which preset, which table or figure they feed."""

from dataclasses import dataclass, replace

from mer_core.features import LogMel
from mer_core.methods import inherit, self_learning
from mer_core.models import Network
from mer_core.runs import Run
from mer_core.splits import Folds
from mer_core.training import Training

# Presets are written as differences: `paper` is SSSL as printed, for a GPU; `cpu` is real audio on two cores; `smoke` is the
# synthetic corpus in seconds, for tests, continuous integration and first visitors.
PAPER = Run()
CPU = replace(
    PAPER,
    features=LogMel(n_mels=64, pool_frames=4),  # an eighth of a window's values: see the front_end experiment
    network=Network("vgg_slim"),
    training=Training(epochs=10, batch_size=32, learning_rate=1e-3, stride=3),
    method=self_learning.Settings(warmup_epochs=2),
    folds=Folds(n=5, by="artist"),
)
SMOKE = replace(
    CPU,
    dataset="synthetic",
    training=replace(CPU.training, epochs=8, stride=1),
    folds=Folds(n=3, by="artist", tested=1),
)
PRESETS = {"paper": PAPER, "cpu": CPU, "smoke": SMOKE}


@dataclass(frozen=True)
class Experiment:
    """A question and the runs that answer it; ``variants`` maps a label to what it changes in the preset's run."""

    question: str
    feeds: str
    variants: dict[str, dict]

    def runs(self, preset: str) -> dict[str, Run]:
        """The experiment's runs at a preset, by label."""
        return {label: replace(PRESETS[preset], **changes) for label, changes in self.variants.items()}


EXPERIMENTS = {
    "segments_to_songs": Experiment(
        question="Does it help to doubt the labels that segments inherit from their song?",
        feeds="SSSL, Table 3 (4Q, four classes) and Figure 2",
        variants={"inherit": {"method": inherit.Settings()}, "self_learning": {}},
    ),
}


def jobs(name: str, preset: str, dataset: str | None = None, seeds=(0,), skip_unreadable: bool = False) -> list[tuple[str, Run]]:
    """(label, run) pairs of an experiment at a preset: every variant with every seed, on its own data set or another."""
    changes = {"skip_unreadable": skip_unreadable} | ({"dataset": dataset} if dataset else {})
    runs = EXPERIMENTS[name].runs(preset)
    return [(label, replace(run, seed=seed, **changes)) for seed in seeds for label, run in runs.items()]
