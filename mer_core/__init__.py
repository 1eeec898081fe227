"""mer_core: the models and methods behind a paper companion for music emotion recognition.

The way of the data, one function call per arrow::

    audio -> Tracks -> Frames -> Segments -> method -> segment probabilities -> song decision -> metrics

Import the module you need, for instance ``from mer_core import datasets, experiments, figures``.
"""

__version__ = "0.1.0"


class UserError(ValueError):
    """Something that the user can mend; the message names the file or track, the reason and the remedy."""


class AskedError(UserError):
    """Something that makes no sense, whatever the music: a setting, a device; the message says what would."""
