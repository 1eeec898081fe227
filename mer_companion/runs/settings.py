"""A run: all its settings, which are its identity.

Settings of which there are several kinds (methods, features, networks) carry their ``kind``, a name that
stands in run ids and records and therefore never changes, whatever becomes of modules and classes."""

import hashlib
import json
import math
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import ClassVar, get_args, get_origin

from mer_core import AskedError
from mer_core.audio.features import Features, LogMel
from mer_core.datasets.label_noise import NONE, LabelNoise
from mer_core.datasets.splits import Folds
from mer_core.evaluation.aggregation import SongDecision
from mer_core.methods import self_learning
from mer_core.models import Network
from mer_core.training import Training


@dataclass(frozen=True)
class Run:
    """Everything that distinguishes one run from another; the defaults are SSSL as printed, where it is
    printed.
    """

    dataset: str = "4q"  # a registered name, or the path of your own music
    features: Features = LogMel()
    window_s: float = 3.0  # segment duration in seconds; a window starts every second
    asked_windows: int = 0  # of each song that is asked about, evenly spread; 0: all
    repeat_short: bool = False  # clips shorter than a window begin again; else they are refused
    noise: LabelNoise = LabelNoise()  # put into the labels of training windows; tested songs keep theirs
    method: object = self_learning.Settings()  # the Settings of one of mer_core.methods
    network: object = Network()  # or the Settings of another file of mer_core.models
    training: Training = Training()
    folds: Folds = Folds()
    song: SongDecision = SongDecision()
    unlabelled: tuple[str, ...] = ()  # data sets that a method may learn from without their labels
    external_tests: tuple[str, ...] = ()  # other data sets that the networks answer for, never learn from
    learning_curve: bool = (
        False  # note in the log how well each epoch's network does; nothing is chosen by it
    )
    skip_unreadable: bool = False  # leave out files that cannot be decoded; the record counts them
    seed: int = 0

    def __post_init__(self):
        if round(self.window_s * self.features.frames_per_second) < 1:
            raise ValueError(f"window_s is a length in seconds, of at least one frame, got {self.window_s:g}")
        if self.asked_windows < 0 or self.seed < 0:
            raise ValueError(
                f"asked_windows and seed must not be negative, got {self.asked_windows} and {self.seed}"
            )
        if getattr(self.method, "warmup_epochs", 0) >= self.training.epochs:
            raise ValueError(f"{self.training.epochs} epochs are all warm-up: the method would never begin")
        if self.learning_curve and self.noise.kind != NONE:
            raise ValueError(
                "a learning curve takes labels for right: it is for runs without noise put into them"
            )

    @property
    def method_name(self) -> str:
        return self.method.kind

    def config(self) -> dict:
        """All settings as plain values, as JSON has them."""
        kinds = {
            name: {"kind": part.kind, **recorded(part)}
            for name, part in (("features", self.features), ("network", self.network))
        }
        return plain(recorded(self) | kinds | {"method": {"name": self.method_name, **recorded(self.method)}})

    @property
    def training_id(self) -> str:
        """Name of the networks: runs that differ only in which of them are trained, or how songs are decided,
        share them.
        """
        return replace(
            self, folds=replace(self.folds, tested=None, inner=Folds.inner), song=SongDecision()
        ).run_id

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


RECORDED_AS = {
    "external_tests": "also_heard",
    "stochastic_depth": "bypass",
}  # fields that had another name when records began


def recorded(settings) -> dict:
    """The fields of a settings object, and of those within it, as plain values under the names that records
    have.
    """
    found = {RECORDED_AS.get(f.name, f.name): getattr(settings, f.name) for f in fields(settings)}
    return {name: recorded(value) if is_dataclass(value) else value for name, value in found.items()}


def plain(settings: dict) -> dict:
    return json.loads(json.dumps(settings))


def name_of(changes: dict) -> str:
    """Same settings, same name. Only settings that differ from their defaults count, so that a new field
    changes no name.
    """
    return hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()[:10]


def differences(settings) -> dict:
    """The fields of a settings object that differ from the defaults of its class."""
    found = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        if value != f.default:
            another = is_dataclass(value) and type(value) is not type(f.default)
            found[RECORDED_AS.get(f.name, f.name)] = (
                ({"kind": value.kind} if another else {}) | differences(value)
                if is_dataclass(value)
                else value
            )
    return found


WANTED = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}


def changed(settings, changes: dict, part_of: str = ""):
    """A copy of frozen settings with some fields replaced; a dotted name reaches into a part, as in
    ``{"folds.n": 5}``.

    Raises
    ------
    AskedError : no such setting, or one that cannot have this value
    """
    known, renamed = (
        {f.name: f.type for f in fields(settings)},
        {old: new for new, old in RECORDED_AS.items()},
    )
    own, parts = {}, {}
    for name, value in changes.items():
        first, dot, rest = name.partition(".")
        if (now := renamed.get(first)) in known:
            raise AskedError(f"the setting {part_of + first} is now called {part_of + now}.")
        if first not in known or (dot and not is_dataclass(getattr(settings, first))):
            raise AskedError(
                f"no setting {part_of + name!r}; there are {', '.join(part_of + one for one in known)}."
            )
        if dot:
            parts.setdefault(first, {})[rest] = value
        else:
            own[first] = fitting(value, part_of + name, getattr(settings, first), known[first])
    for first, of_it in parts.items():
        own[first] = changed(own.get(first, getattr(settings, first)), of_it, f"{part_of}{first}.")
    try:
        return replace(settings, **own)
    except ValueError as error:
        raise AskedError(
            f"{', '.join(f'{part_of}{name}={value}' for name, value in changes.items())}: {error}."
        ) from None


def fitting(value, name: str, before, kind: type):
    """A value as a field of this type has it, a list as a tuple; refused where it is of another type."""
    value = tuple(value) if isinstance(value, list) else value  # as the command line has them
    if is_dataclass(before):
        good, what = (
            is_dataclass(value),
            f"one of its own settings, {', '.join(f'{name}.{f.name}' for f in fields(before))}",
        )
    else:
        good, what = fits(value, kind), wanted(kind)
    if not good:
        raise AskedError(f"{name}={value!r}: wanted is {what}.")
    return value


def fits(value, kind: type) -> bool:
    """Whether a plain value is of a field's type; a whole number is a number too, true and false are none."""
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(fits(one, get_args(kind)[0]) for one in value)
    if get_args(kind):  # int | None
        return any(fits(value, one) for one in get_args(kind))
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return kind is object or type(value) is kind


def wanted(kind: type) -> str:
    """What a field's type asks for, in words.

    >>> wanted(int | None), wanted(tuple[str, ...])
    ('a whole number or null', 'a list, each text')
    """
    if get_origin(kind) is tuple:
        return f"a list, each {wanted(get_args(kind)[0])}"
    return WANTED.get(kind) or " or ".join(map(wanted, get_args(kind)))
