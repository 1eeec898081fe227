"""The papers' runs as data: which question, which runs at which preset, which table or figure they feed."""

from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path

from mer_core import UserError, evaluation, results
from mer_core.datasets import READERS
from mer_core.features import LogMel
from mer_core.methods import inherit, self_learning
from mer_core.models import Network
from mer_core.runs import Run, changed
from mer_core.splits import Folds
from mer_core.training import Training

INHERIT = inherit.Settings()

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
    folds=Folds(n=5, by="artist"),
)
SMOKE = replace(
    CPU,
    dataset="synthetic",
    training=replace(CPU.training, epochs=10, batch_size=16, stride=1),
    method=replace(CPU.method, warmup_epochs=5),  # sooner, a quadrant not yet learned is erased for good
    folds=Folds(n=3, by="artist", tested=1),
)
PRESETS = {"paper": PAPER, "cpu": CPU, "smoke": SMOKE}


@dataclass(frozen=True)
class Experiment:
    """A question and the runs that answer it.

    ``variants`` maps a label to what it changes in the preset's run: ``{"method.temperature": 0.7}`` sets one field of one part.
    """

    question: str
    feeds: str
    variants: dict[str, dict]
    reference: str  # the run from which the others' differences are recorded
    references: dict[str, str] = field(default_factory=dict)  # another one for some
    presets: tuple[str, ...] = tuple(PRESETS)  # where the question makes sense

    def runs(self, preset: str) -> dict[str, Run]:
        """The experiment's runs at a preset, by label.

        Raises
        ------
        UserError : the experiment has no runs at this preset
        """
        if preset not in self.presets:
            raise UserError(f"this experiment has no runs at the preset {preset!r}; it has some at {', '.join(self.presets)}.")
        return {label: changed(PRESETS[preset], changes) for label, changes in self.variants.items()}


EXPERIMENTS = {
    "segments_to_songs": Experiment(
        question="Does it help to doubt the labels that segments inherit from their song?",
        feeds="SSSL, Table 3 (4Q, four classes) and Figure 2",
        variants={"inherit": {"method": INHERIT}, "self_learning": {}},
        reference="inherit",
    ),
    "front_end": Experiment(
        question="What does the small front end of the cpu preset cost against 128 bands and every frame?",
        feeds="the cpu preset",
        presets=("smoke", "cpu"),
        variants={
            "bands128_pool1": {"method": INHERIT, "folds.tested": 1, "features.n_mels": 128, "features.pool_frames": 1},
            "bands64_pool2": {"method": INHERIT, "folds.tested": 1, "features.pool_frames": 2},
            "bands64_pool4": {"method": INHERIT, "folds.tested": 1},  # the preset itself
        },
        reference="bands128_pool1",
    ),
    "why_less": Experiment(
        question="Where SSSL scores less than plain training: is it the budget, a setting, or the method?",
        feeds="the reading of segments_to_songs",
        presets=("smoke", "cpu"),
        variants={
            "inherit": {"method": INHERIT, "folds.tested": 2},
            "self_learning": {"folds.tested": 2},
            "mixup_without_separation": {"folds.tested": 2, "method.clean_threshold": 0.0},
            "inherit_20_epochs": {"method": INHERIT, "folds.tested": 2, "training.epochs": 20},
            "self_learning_20_epochs": {"folds.tested": 2, "training.epochs": 20, "method.warmup_epochs": 4},
            "self_learning_hardly_any_mixup": {"folds.tested": 2, "method.mixup_alpha": 0.05},
        },
        reference="inherit",
        references={"self_learning_20_epochs": "inherit_20_epochs"},
    ),
}


def jobs(name: str, preset: str, dataset: str | None = None, seeds=(0,), changes: dict | None = None) -> list[tuple[str, Run]]:
    """(label, run) pairs of an experiment at a preset: every variant with every seed, on its own data set or another.

    `changes` are settings by dotted name, applied to every run.
    """
    if dataset and dataset not in READERS:
        dataset = str(Path(dataset).resolve())  # the same music has the same runs from any working folder
    changes = (changes or {}) | ({"dataset": dataset} if dataset else {})
    variants = EXPERIMENTS[name].runs(preset)
    return [(label, changed(run, {"seed": seed, **changes})) for seed in seeds for label, run in variants.items()]


def execute(
    name: str,
    preset: str,
    pairs: list[tuple[str, Run]] | None = None,
    chosen: list[tuple[str, Run]] | None = None,
    executor: Executor | None = None,
) -> list[dict]:
    """The records of an experiment's runs, made where they are missing, each with its difference from its reference.

    Parameters
    ----------
    pairs : (label, run) pairs as `jobs` gives them; by default those of the preset
    chosen : the pairs to make, by default all; a reference among `pairs` that has a record already serves the chosen ones
    """
    experiment, made = EXPERIMENTS[name], []
    pairs = pairs or jobs(name, preset)
    for label, run in pairs if chosen is None else chosen:
        wanted = experiment.references.get(label, experiment.reference)
        reference = next((other for its, other in pairs if its == wanted != label and other.seed == run.seed), None)
        against = results.existing(reference, name, preset, wanted) if reference else None
        made.append(evaluation.execute(run, name, preset, label, executor, against))
    return made


def recorded(name: str, preset: str, seed: int = 0) -> list[dict]:
    """The records of an experiment's own runs at a preset; other runs' records are left alone.

    Raises
    ------
    RecordError : none has been made yet
    """
    pairs = [(label, results.existing(run, name, preset, label)) for label, run in jobs(name, preset, seeds=(seed,))]
    found = [record for _, record in pairs if record]
    if not found:
        raise results.RecordError(f"no record of {name} at the preset {preset}. Make it: mer run {name} --preset {preset}")
    return found
