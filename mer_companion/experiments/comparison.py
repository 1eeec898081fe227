"""How the records of labelled songs compare: scores averaged over seeds, and paired differences, as rows."""

from collections.abc import Callable

import numpy as np

from mer_companion import results
from mer_companion.runs import scoring
from mer_companion.runs.scoring import measured, truth_of
from mer_core.evaluation import significance
from mer_core.evaluation.song_decision import MAIN_DECISIONS

References = dict[str, tuple[str, ...]]  # the labels that each label is compared with


def compare(references: References, records: list[dict]) -> list[dict]:
    """Each label's scores, averaged over its seeds, and how they differ from its references'."""
    return over_seeds(references, records, averages, differences)


def over_seeds(
    references: References,
    records: list[dict],
    averages: Callable[[str, list[int], list], list[dict]],
    differences: Callable[[str, str, list[int], list, list], list[dict]],
    prepared: Callable[[dict], object] = lambda record: record,
) -> list[dict]:
    """The rows of every label over its seeds, then those against each reference over the seeds of both.

    Parameters
    ----------
    prepared : what `averages` and `differences` are given for each record
    """
    of: dict[str, dict[int, object]] = {}
    for record in records:
        of.setdefault(record["label"], {})[record["config"]["seed"]] = prepared(record)
    rows, pairs = [], []
    for label, own in of.items():
        rows += averages(label, sorted(own), [own[seed] for seed in sorted(own)])
        for against in references.get(label, ()):
            theirs = of.get(against, {})
            if seeds := sorted(set(own) & set(theirs)):
                both = [own[seed] for seed in seeds], [theirs[seed] for seed in seeds]
                pairs += differences(label, against, seeds, *both)
    return rows + with_holm(pairs)


def with_holm(pairs: list[dict]) -> list[dict]:
    """Rows of differences with ``p_holm``: p-values corrected over all those of one metric and decision."""
    families: dict[tuple, list[dict]] = {}
    for row in pairs:
        families.setdefault((row["target"], row["decision"], row["name"]), []).append(row)
    for family in families.values():
        for row, adjusted in zip(family, significance.holm([row["p"] for row in family]), strict=True):
            row["p_holm"] = float(adjusted)
    return pairs


def averages(label: str, seeds: list[int], records: list[dict]) -> list[dict]:
    """A label's own scores, averaged over its seeds, with an interval over seeds and artists."""
    truth, groups, predicted = together(records)
    rows = []
    for (target, decision), classes in predicted.items():
        row = {"label": label, "target": target, "decision": decision, "seeds": seeds, "n": len(truth)}
        for name, metric, n in measured(target, records[0]):
            found = significance.seed_averaged(truth_of(target, truth), classes, groups, metric, n)
            rows.append(row | {"name": name} | found._asdict())
    return rows


def differences(
    label: str, against: str, seeds: list[int], own: list[dict], theirs: list[dict]
) -> list[dict]:
    """How much better a label's records are than its reference's, seed by seed on the same songs."""
    truth, groups, predicted = together(own)
    other_truth, _, other = together(theirs)
    if not np.array_equal(truth, other_truth):
        raise results.RecordError(
            f"{label} and {against} did not test the same songs; they cannot be compared."
        )
    rows = []
    for (target, decision), classes in predicted.items():
        same = counterparts(decision)
        other_classes = next((other[target, name] for name in same if (target, name) in other), None)
        if other_classes is None:
            continue
        row = {"label": label, "against": against, "target": target, "decision": decision, "seeds": seeds}
        for name, metric, n in measured(target, own[0]):
            right = truth_of(target, truth)
            found = significance.seed_averaged_difference(right, classes, other_classes, groups, metric, n)
            tested = by_t_test(own, theirs, target, decision, name)
            rows.append(row | {"name": name, "n": len(truth)} | found._asdict() | tested)
    return rows


def counterparts(decision: str) -> tuple[str, ...]:
    """The decisions of a reference that one is compared with: the same, or else another main decision."""
    return (decision, *(MAIN_DECISIONS if decision in MAIN_DECISIONS else ()))


def by_t_test(own: list[dict], theirs: list[dict], target: str, decision: str, name: str) -> dict:
    """The corrected resampled t-test over folds and seeds, where both have as many, two or more."""
    which, decisions = {"part": "test", "target": target, "name": name}, counterparts(decision)
    mine, others = (
        [
            metric["value"]
            for record in records
            for metric in record["metrics"]
            if metric["fold"] != "all" and metric["decision"] in decisions and which.items() <= metric.items()
        ]
        for records in (own, theirs)
    )
    if len(mine) < 2 or len(mine) != len(others):
        return {"t": None, "p_t": None}
    n, folds = own[0]["data"]["n_tracks"], own[0]["config"]["folds"]["n"]
    t, p = significance.corrected_t_test(np.subtract(mine, others), n_train=n - n // folds, n_test=n // folds)
    return {"t": t if np.isfinite(t) else None, "p_t": p}


def together(records: list[dict]) -> tuple[np.ndarray, np.ndarray, dict[tuple[str, str], np.ndarray]]:
    """Truth and artists of the test songs, and what each record predicted.

    Classes (n_seeds, n_songs) by target and decision.
    """
    track, tracks = np.sort(results.predictions(records[0])["track"]), results.tracks_of(records[0])
    predicted = [predicted_by(record) for record in records]
    by_name = {key: np.array([own[key] for own in predicted]) for key in predicted[0]}
    return tracks.targets[track], tracks.groups[track], by_name


def predicted_by(record: dict) -> dict[tuple[str, str], np.ndarray]:
    """The classes that a record predicted, by target and decision, songs sorted by track."""
    stored = results.predictions(record)
    order = np.argsort(stored["track"], kind="stable")
    decided = {name: classes[order] for name, classes in scoring.decisions_of(stored).items()}
    targets = scoring.targets_of(record["data"]["classes"], scoring.own_target(record))
    found = scoring.predictions_of(decided, scoring.probabilities(record), targets)
    return {(target, decision): classes for target, _, decision, classes in found}
