"""Several predictions for the same songs made into one: averaged, or chosen between.

Averaged: the mean of their probabilities, every member counting alike. Chosen: each fold takes the member
that did best on the fold's training songs, predicted by networks that were not trained on them. No test song
has a part in either.
"""

import numpy as np

from mer_companion import results
from mer_companion.runs.scoring import by_track, probabilities
from mer_companion.runs.settings import Fusion
from mer_core.datasets.splits import Folds
from mer_core.evaluation import song_decision


def joined(fusion: Fusion, members: dict[str, list[dict]]) -> tuple[dict[str, np.ndarray], list[list[dict]]]:
    """Predictions for the test songs, and what was chosen in each fold.

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
    fold, log = found[first]["fold"], []
    if odd := [name for name in others if not np.array_equal(found[name]["fold"], fold)]:
        raise results.RecordError(
            f"{', '.join(odd)} did not test the songs of {first} in the same folds; they cannot be joined."
        )
    mean = np.mean([own["mean"] for own in found.values()], axis=0)
    for k in np.unique(fold) if fusion.chosen_for else ():
        reached = {
            name: float(np.mean([validation_accuracy(r, k, fusion.chosen_for) for r in records]))
            for name, records in members.items()
        }
        best = max(reached, key=reached.get)
        mean[fold == k] = found[best]["mean"][fold == k]
        log.append([{"epoch": 0, "chosen": best, "validation_accuracy": reached[best]}])
    decisions = {results.main_decision(record) for records in members.values() for record in records}
    by_windows = decisions == {song_decision.MAIN_DECISION}
    decision = song_decision.MAIN_DECISION if by_windows else song_decision.OF_WHOLE_SONGS
    return found[first] | {"mean": mean, f"decision_{decision}": mean.argmax(axis=1)}, log


def of_seeds(fusion: Fusion, members: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The records of the members with the seeds that the fusion names, or all of them."""
    if not fusion.member_seeds:
        return members
    seeds = set(fusion.member_seeds)
    return {name: [r for r in own if r["config"]["seed"] in seeds] for name, own in members.items()}


def tested(records: list[dict], folds: Folds) -> dict[str, np.ndarray]:
    """Songs of the tested folds, sorted by track, with the mean of the records' probabilities."""
    arrays = {name: by_track(records[0], name) for name in ("track", "fold", "decision_most_frequent")}
    arrays["mean"] = np.mean([probabilities(record) for record in records], axis=0)
    own = arrays["fold"] < (folds.tested or folds.n)
    return {name: array[own] for name, array in arrays.items()}


def validation_accuracy(record: dict, fold: int, target: str) -> float:
    """Accuracy on the training songs of a fold, predicted by networks that were not trained on them."""
    which = {"part": "validation", "fold": int(fold), "name": "accuracy", "target": target}
    return results.value(record, **which, decision=results.main_decision(record))["value"]
