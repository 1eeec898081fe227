"""All kinds of run as settings, which are a run's identity.

Settings of which there are several kinds (methods, features, networks) carry their ``kind``, a name that
stands in run ids and records and therefore never changes, whatever becomes of modules and classes.
"""

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import ClassVar

from mer_companion.runs.annotation_noise import MARGIN, WINDOW_S
from mer_companion.runs.tag_scoring import MEASURES
from mer_companion.song_features.sources import LOG_MEL
from mer_core.audio.features import Features, LogMel, WindowFeatures, frames_within
from mer_core.datasets.label_noise import NONE, LabelNoise
from mer_core.datasets.splits import Folds
from mer_core.emotion import HIGH
from mer_core.evaluation.song_decision import SongDecision
from mer_core.methods import OF_SOFT_LABELS, self_learning
from mer_core.models import Network
from mer_core.training import Training

RECORDED_AS = {  # fields that had another name when records began
    "external_tests": "also_heard",
    "stochastic_depth": "bypass",
    "windows_per_song": "asked_windows",
}
SVM, LOGISTIC = "svm", "logistic"  # classifiers of whole songs
PMEMO, EIM, DEAM_LATER = "pmemo", "eim", "deam_later"  # rated by listeners
EIM_OFFSET_KEPT, DEAM_LATER_OFFSET_KEPT = (
    "eim_offset_kept",
    "deam_later_offset_kept",
)  # columns put right only
EIM_AS_DISTRIBUTED = "eim_as_distributed"  # neither columns nor the slider's offset put right
LABELS, SHARES = "labels", "shares"  # what networks learn: a label (or tags), or the shares of listeners
RATED = (PMEMO, EIM, DEAM_LATER, EIM_OFFSET_KEPT, DEAM_LATER_OFFSET_KEPT, EIM_AS_DISTRIBUTED)


@dataclass(frozen=True)
class Run:
    """A run that trains networks; the defaults are SSSL as printed, where it is printed."""

    dataset: str = "4q"  # a registered name, or the path of your own music
    features: Features = LogMel()
    window_s: float = 3.0  # segment duration in seconds; a window starts every second
    # "shares": of the listeners who named each class or tag, as soft labels; where listeners were asked
    targets: str = LABELS
    windows_per_song: int = 0  # of test and validation songs, evenly spread; 0: all
    repeat_short: bool = False  # clips shorter than a window begin again; else they are refused
    noise: LabelNoise = LabelNoise()  # put into the labels of training windows; test songs keep theirs
    method: object = self_learning.Settings()  # the Settings of one of mer_core.methods
    network: object = Network()  # or the Settings of another file of mer_core.models
    training: Training = Training()
    folds: Folds = Folds()
    song: SongDecision = SongDecision()
    unlabelled: tuple[str, ...] = ()  # data sets that a method may learn from without their labels
    external_tests: tuple[str, ...] = ()  # other data sets, for which the networks predict only
    target: str = ""  # "valence" or "arousal": networks with two outputs, low and high; "": all labels
    first_window: bool = False  # of every song the first window alone, in training too
    learning_curve: bool = False  # log the accuracy of each epoch's network; nothing is chosen by it
    skip_unreadable: bool = False  # leave out files that cannot be decoded; the record counts them
    seed: int = 0

    def __post_init__(self):
        if frames_within(self.window_s, self.features) < 1:
            raise ValueError(f"window_s is a length in seconds, of at least one frame, got {self.window_s:g}")
        if min(self.windows_per_song, self.seed) < 0:
            raise ValueError("windows_per_song and seed must not be negative")
        if getattr(self.method, "warmup_epochs", 0) >= self.training.epochs:
            raise ValueError(f"{self.training.epochs} epochs are all warm-up: the method would never begin")
        if isinstance(self.features, WindowFeatures) and getattr(self.method, "gain_db", 0):
            raise ValueError(
                "method.gain_db changes levels in dB, and these features are none: leave it at 0"
            )
        self._check_labels()

    def _check_labels(self) -> None:
        if self.target not in ("", *HIGH):
            raise ValueError(f"target is {', '.join(HIGH)} or empty, got {self.target!r}")
        if self.target and self.noise.kind != NONE:
            raise ValueError("noise is put into quadrants: it is for runs without a target of their own")
        if self.learning_curve and self.noise.kind != NONE:
            raise ValueError("a learning curve takes labels for right: it is for runs without label noise")
        if self.targets not in (LABELS, SHARES):
            raise ValueError(f"targets is {LABELS} or {SHARES}, got {self.targets!r}")
        if self.targets == SHARES and (self.noise.kind != NONE or self.learning_curve):
            raise ValueError(
                "label noise and learning curves are for hard labels, not for shares of listeners"
            )
        if self.targets == SHARES and self.method.kind not in OF_SOFT_LABELS:
            known = ", ".join(OF_SOFT_LABELS)
            raise ValueError(f"{self.method.kind} takes one label for each song; shares are for {known}")

    @property
    def method_name(self) -> str:
        return self.method.kind

    def config(self) -> dict:
        """All settings as plain values, as JSON has them."""
        parts = {"features": self.features, "network": self.network}
        kinds = {name: {"kind": part.kind, **recorded(part)} for name, part in parts.items()}
        return plain(recorded(self) | kinds | {"method": {"name": self.method_name, **recorded(self.method)}})

    @property
    def training_id(self) -> str:
        """Name of the networks, shared by runs that differ only in tested folds or the song decision."""
        folds = replace(self.folds, tested=None, inner=Folds.inner)
        return replace(self, folds=folds, song=SongDecision()).run_id

    @property
    def run_id(self) -> str:
        return name_of(differences(self) | {"method": [self.method_name, differences(self.method)]})


class Named:
    """Frozen settings of a run that trains no network by itself; like a `Run`, they are its identity."""

    method_name: ClassVar[str]

    def config(self) -> dict:
        """All settings as plain values, as JSON has them."""
        return plain(recorded(self) | {"method": {"name": self.method_name}})

    @property
    def run_id(self) -> str:
        return name_of(differences(self) | {"method": [self.method_name, {}]})


@dataclass(frozen=True)
class SongClassifier(Named):
    """A song-level baseline: a classifier of whole songs on frozen features."""

    method_name: ClassVar[str] = "probes"

    dataset: str = "4q"
    sources: tuple[str, ...] = (LOG_MEL,)  # of mer_companion.song_features.sources, concatenated
    one_of: bool = False  # one of the sources instead, in each fold that of the best inner validation
    classifier: str = SVM  # radial basis functions; or "logistic" regression, which bears many features
    features: LogMel = LogMel()  # from which log_mel_statistics are computed
    folds: Folds = Folds()
    skip_unreadable: bool = False
    seed: int = 0

    def __post_init__(self):
        if self.classifier not in (SVM, LOGISTIC):
            raise ValueError(f"classifier is {SVM} or {LOGISTIC}, got {self.classifier!r}")


@dataclass(frozen=True)
class GroupMean(Named):
    """A baseline for tags: every song has the mean share of its group's songs in the training folds."""

    method_name: ClassVar[str] = "group_mean"

    dataset: str = "emotify"
    mean_of: str = "genre"  # a column of the tracks
    folds: Folds = Folds()
    seed: int = 0


@dataclass(frozen=True)
class NoiseMap(Named):
    """Many cells of a map of label noise (`runs.noise_map`), each a run with a name."""

    method_name: ClassVar[str] = "noise_map"

    dataset: str = "4q"
    cells: tuple[Run, ...] = ()  # their folds and seeds are those of the map
    names: tuple[tuple[str, str], ...] = ()  # method and setting of each cell, in the map's words
    partitions: tuple[tuple[int, ...], ...] = ()  # of each cell: seeds of its divisions into folds
    trainings: int = 1  # of each fold's network, from as many seeds
    svm: bool = False  # whether SSSL's support vector machine decides, too
    references: tuple[str, ...] = ("inherit",)  # methods that the others are compared with
    windows: tuple[str, ...] = ()  # methods whose losses of all windows are kept, without noise (`listeners`)
    seed: int = 0  # of the first fold's networks and of their noise; the next fold's is one more

    def described(self) -> list[dict]:
        """What names each cell, as plain values."""
        return [
            {"method": method, "noise": run.noise.kind, "unit": run.noise.unit, "rate": run.noise.rate}
            | {"setting": setting, "training_id": run.training_id, "partitions": list(partitions)}
            for (method, setting), run, partitions in zip(
                self.names, self.cells, self.partitions, strict=True
            )
        ]

    def config(self) -> dict:
        common = {"dataset": self.dataset, "seed": self.seed, "trainings": self.trainings, "svm": self.svm}
        if self.references != NoiseMap.references:
            common["references"] = self.references
        common |= {"windows": self.windows} if self.windows else {}  # newer than the first records' names
        return plain(common | {"cells": self.described(), "method": {"name": self.method_name}})

    @property
    def run_id(self) -> str:
        return name_of(self.config())


@dataclass(frozen=True)
class Transfer(Named):
    """Networks of several collections, alone and joined, each tested on all of them (`runs.transfer`)."""

    method_name: ClassVar[str] = "transfer"

    dataset: str = ""  # the collections, with a plus between them
    pooled: tuple[str, ...] = ()  # those that are also joined, all and all but each
    base: Run = (
        Run()
    )  # its data set, folds' number and seed aside: those are the collections' and the study's
    trainings: int = 5  # of each network, from as many seeds
    seed: int = 0

    def __post_init__(self):
        if missing := set(self.pooled) - set(self.collections):
            raise ValueError(f"pooled collections must be among those tested; {sorted(missing)} are not")

    @property
    def collections(self) -> tuple[str, ...]:
        return tuple(self.dataset.split("+"))

    @property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """What networks learn from, by name: each collection, all joined but one, and all joined."""
        without = {f"all but {one}": tuple(c for c in self.pooled if c != one) for one in self.pooled}
        several = without | {"all": self.pooled} if len(self.pooled) > 2 else {"all": self.pooled}
        return {name: (name,) for name in self.collections} | (several if self.pooled else {})

    def config(self) -> dict:
        return super().config() | {"base": self.base.config()}


@dataclass(frozen=True)
class Fusion(Named):
    """Several predictions for the same songs made into one: averaged, or chosen between in each fold."""

    method_name: ClassVar[str] = "fusion"

    dataset: str = "4q"
    members: tuple[str, ...] = ()  # experiment/label; the seeds of a member are averaged first
    member_seeds: tuple[int, ...] = ()  # which of them; none named: all
    chosen_for: str = ""  # the target for which each fold takes its best member; "": all are averaged
    folds: Folds = Folds()
    seed: int = 0


@dataclass(frozen=True)
class TagEnsemble(Named):
    """A weighted mean of two systems' probabilities of tags; members are records of the same seed."""

    method_name: ClassVar[str] = "tag_ensemble"

    dataset: str = "4q_moods"
    members: tuple[str, ...] = ()  # two, as experiment/label
    measure: str = "roc_auc"  # or "pr_auc": what the weight is chosen by
    seed: int = 0

    def __post_init__(self):
        if self.measure not in MEASURES:
            raise ValueError(f"measure is one of {', '.join(MEASURES)}, got {self.measure!r}")


@dataclass(frozen=True)
class Ratings(Named):
    """A measurement of the segment-label noise that listeners' ratings show."""

    method_name: ClassVar[str] = "ratings"

    dataset: str = PMEMO
    window_s: float = WINDOW_S
    margin: float = MARGIN  # of the scale: a clip nearer than this to the midpoint is ambiguous
    seed: int = 0


@dataclass(frozen=True)
class Submission(Named):
    """One line of the leaderboard: a published system, a matrix of your own, or the plain mean of several."""

    method_name: ClassVar[str] = "submission"

    dataset: str = "mtg_jamendo"
    systems: tuple[str, ...] = ()  # names of the registry's card, or paths of matrices
    seed: int = 0


def recorded(settings) -> dict:
    """The fields of a settings object, and of those within it, under the names that records have."""
    found = {RECORDED_AS.get(f.name, f.name): getattr(settings, f.name) for f in fields(settings)}
    return {name: recorded(value) if is_dataclass(value) else value for name, value in found.items()}


def plain(settings: dict) -> dict:
    return json.loads(json.dumps(settings))


def name_of(changes: dict) -> str:
    """Same settings, same name. Only what differs from its default counts: a new field changes no name."""
    return hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:10]


def differences(settings) -> dict:
    """The fields of a settings object that differ from the defaults of its class."""
    found = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        if value == f.default:
            continue
        if is_dataclass(value):
            kind = {"kind": value.kind} if type(value) is not type(f.default) else {}
            value = kind | differences(value)
        found[RECORDED_AS.get(f.name, f.name)] = value
    return found
