"""Several answers for the same songs made into one: joined, or chosen between.

Joined: the mean of their probabilities, every member counting alike. Chosen: each fold takes the member that
answered best for the fold's training songs, none of which its networks had heard. No tested song has a part
in either."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mer_companion import results
from mer_companion.runs.settings import Named
from mer_core.datasets.splits import Folds
from mer_core.evaluation import aggregation


@dataclass(frozen=True)
class Fusion(Named):
    """Everything that distinguishes one joined or chosen answer from another."""

    method_name: ClassVar[str] = "fusion"

    dataset: str = "4q"
    members: tuple[str, ...] = ()  # experiment/label; the seeds of a member are averaged first
    member_seeds: tuple[int, ...] = ()  # which of them; none named: all
    chosen_for: str = (
        ""  # "emotion", "valence" or "arousal": each fold takes the best member for it; "": all are joined
    )
    folds: Folds = Folds()
    seed: int = 0


def answers(fusion: Fusion, members: dict[str, list[dict]]) -> tuple[dict[str, np.ndarray], list[list[dict]]]:
    """Predictions for the tested songs, and what was chosen in each fold.

    Parameters
    ----------
    members : the records of each member, one per seed (`of_seeds`)

    Returns
    -------
    arrays ``track``, ``fold``, ``mean`` (n_songs, n_classes; probabilities) and the decisions; log per fold

    Raises
    ------
    RecordError : members that did not test the same songs in the same folds
    """
    found = {name: tested(records, fusion.folds) for name, records in members.items()}
    first, *others = found
    if odd := [name for name in others if not np.array_equal(found[name]["fold"], found[first]["fold"])]:
        raise results.RecordError(
            f"{', '.join(odd)} did not test the songs of {first} in the same folds; they cannot be joined."
        )
    fold, log = found[first]["fold"], []
    mean = np.mean([own["mean"] for own in found.values()], axis=0)
    for k in np.unique(fold) if fusion.chosen_for else ():
        reached = {
            name: float(np.mean([validation(r, k, fusion.chosen_for) for r in records]))
            for name, records in members.items()
        }
        best = max(reached, key=reached.get)
        mean[fold == k] = found[best]["mean"][fold == k]
        log.append([{"epoch": 0, "chosen": best, "validation_accuracy": reached[best]}])
    of_windows = {results.main_decision(record) for records in members.values() for record in records} == {
        aggregation.MAIN_DECISION
    }
    decision = aggregation.MAIN_DECISION if of_windows else aggregation.OF_WHOLE_SONGS
    arrays = {"mean": mean, f"decision_{decision}": mean.argmax(axis=1)}
    return found[first] | arrays, log


def of_seeds(fusion: Fusion, members: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The records of the members with the seeds that the fusion names, or all of them."""
    seeds = set(fusion.member_seeds)
    return {
        name: [r for r in records if not seeds or r["config"]["seed"] in seeds]
        for name, records in members.items()
    }


def tested(records: list[dict], folds: Folds) -> dict[str, np.ndarray]:
    """Songs of the tested folds, sorted by track, with the mean of the records' probabilities."""
    mean, some = np.mean([probabilities(record) for record in records], axis=0), records[0]
    arrays = {name: by_track(some, name) for name in ("track", "fold", "decision_most_frequent")} | {
        "mean": mean
    }
    wanted = arrays["fold"] < (folds.tested or folds.n)
    return {name: array[wanted] for name, array in arrays.items()}


def validation(record: dict, fold: int, target: str) -> float:
    """Accuracy on the training songs of a fold, each heard by a network that had not learned from it."""
    asked = {"part": "validation", "fold": int(fold), "name": "accuracy", "target": target}
    return results.value(record, **asked, decision=results.main_decision(record))["value"]


def by_track(record: dict, name: str) -> np.ndarray:
    """An array of a record's predictions, songs sorted by track."""
    stored = results.predictions(record)
    return stored[name][np.argsort(stored["track"], kind="stable")]


def probabilities(record: dict) -> np.ndarray:
    """(n_songs, n_classes) probabilities of a record's songs, sorted by track."""
    stored = results.predictions(record)
    return (
        aggregation.mean_probability(stored["test"], stored["test_track"])
        if "test" in stored
        else by_track(record, "mean")
    )
