"""mer_core: the models and methods behind a paper companion for music emotion recognition.

The pipeline, one function call per arrow::

    audio -> Tracks -> Frames -> Segments -> method -> segment probabilities -> song decision -> metrics

`train` takes it in one call. Names are imported on first use: ``import mer_core`` loads no PyTorch.
"""

from collections.abc import Iterable
from importlib import import_module

from mer_core import paths as paths  # first: it says where libraries keep what they compile

__version__ = "0.1.0"
EXPORTS = {
    "Learner": "training.Learner",
    "LogMel": "audio.features.LogMel",
    "Network": "models.Network",
    "Tracks": "datasets.tracks.Tracks",
    "TrainedModel": "trained_model.TrainedModel",
    "Training": "training.Training",
    "load_dataset": "datasets.load",
    "load_model": "trained_model.load",
    "save_model": "trained_model.save",
    "tracks_from_table": "datasets.folder.from_table",
    "train": "pipeline.train",
}


def __getattr__(name: str):
    if name not in EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = EXPORTS[name].rpartition(".")
    return getattr(import_module(f"{__name__}.{module}"), attribute)


class UserError(ValueError):
    """Something that the user can mend; the message names the file or track, the reason and the remedy."""


class RequestError(UserError):
    """A request that makes no sense whatever the music: a setting, a device; the message says what would."""


def shown(names: Iterable, at_most: int = 5) -> str:
    """A list for an error message: the first few names, then how many more."""
    names = list(names)
    rest = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(map(str, names[:at_most])) + rest
