"""Several answers for the same songs joined into one: the mean of their probabilities, every member counting alike.

Nothing is trained and no weight is tuned: whoever joins answers only by their mean cannot fit them to the tested songs.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mer_core import results, songs
from mer_core.runs import Named
from mer_core.splits import Folds


@dataclass(frozen=True)
class Fusion(Named):
    """Everything that distinguishes one joined answer from another."""

    method_name: ClassVar[str] = "fusion"

    dataset: str = "4q"
    members: tuple[str, ...] = ()  # experiment/label; the seeds of a member are averaged first
    folds: Folds = Folds()
    seed: int = 0


def answers(fusion: Fusion, members: dict[str, list[dict]]) -> dict[str, np.ndarray]:
    """Joined predictions for the tested songs: ``track``, ``fold``, ``mean`` (n_songs, n_classes) and the decisions.

    Parameters
    ----------
    members : the records of each member, one per seed

    Raises
    ------
    RecordError : members that did not test the same songs in the same folds
    """
    found = {name: np.mean([probabilities(record) for record in records], axis=0) for name, records in members.items()}
    divisions = {name: by_track(records[0], "fold") for name, records in members.items()}
    first, *others = divisions
    if odd := [name for name in others if not np.array_equal(divisions[name], divisions[first])]:
        raise results.RecordError(f"{', '.join(odd)} did not test the songs of {first} in the same folds; they cannot be joined.")
    mean = np.mean(list(found.values()), axis=0)
    some = next(iter(members.values()))[0]
    return {
        "track": by_track(some, "track"), "fold": divisions[first], "mean": mean,
        f"decision_{songs.OF_WHOLE_SONGS}": mean.argmax(axis=1),
        "decision_most_frequent": by_track(some, "decision_most_frequent"),
    }  # fmt: skip


def by_track(record: dict, name: str) -> np.ndarray:
    """An array of a record's predictions, songs sorted by track."""
    stored = results.predictions(record)
    return stored[name][np.argsort(stored["track"], kind="stable")]


def probabilities(record: dict) -> np.ndarray:
    """(n_songs, n_classes) probabilities of a record's songs, sorted by track."""
    stored = results.predictions(record)
    return songs.mean_probability(stored["test"], stored["test_track"]) if "test" in stored else by_track(record, "mean")
