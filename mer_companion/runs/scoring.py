"""From the probabilities of a run's networks to song decisions, and from decisions to metrics with intervals.

Everywhere: ``decided``, ``predicted`` (n_songs,) classes; ``truth`` (n_songs,) the annotated ones; ``groups``
(n_songs,) artists; ``mean`` (n_songs, n_classes) probabilities, averaged over the windows of a song.
"""

from collections.abc import Iterator

import numpy as np

from mer_companion import results
from mer_core import datasets
from mer_core.datasets.tracks import Tracks
from mer_core.emotion import HIGH, QUADRANTS, high_probability
from mer_core.evaluation import metrics, significance, song_decision
from mer_core.evaluation.song_decision import MAIN_DECISION, SongDecision


def decide(parts: list[dict], targets: np.ndarray, settings: SongDecision) -> dict[str, np.ndarray]:
    """The decisions of one fold for its test songs, sorted by track: (n_songs,) classes by name.

    ``svm_in_sample``, as printed, learns from the network's predictions for its own training songs. ``svm``
    learns from the inner networks' predictions for songs that they were not trained on, and is given those
    networks' predictions for the test songs: both come from networks trained on as much music.
    ``mean_probability_inner`` is the mean of these networks without the machine. Both are missing where there
    are no inner networks. ``most_frequent`` ignores the music.
    """
    first, *inner = parts
    theta = settings.share_threshold
    trained_on = targets[np.unique(first["in_sample_track"])]
    own = song_decision.statistics(first["in_sample"], first["in_sample_track"], theta)
    statistics = song_decision.statistics(first["test"], first["test_track"], theta)
    decided = {
        "svm_in_sample": song_decision.svm(own, trained_on, settings).predict(statistics),
        **decide_by_windows(first["test"], first["test_track"]),
        "most_frequent": np.full(len(statistics), np.bincount(trained_on).argmax()),
    }
    if inner:
        means = [song_decision.mean_probability(part["test"], part["test_track"]) for part in inner]
        decided["mean_probability_inner"] = np.mean(means, axis=0).argmax(axis=1)
        decided["svm"] = decide_out_of_fold(inner, targets, settings)
    return decided


def decide_by_windows(test: np.ndarray, track: np.ndarray) -> dict[str, np.ndarray]:
    """The decisions that need nothing but the windows' probabilities: (n_songs,) classes by name."""
    return {
        MAIN_DECISION: song_decision.mean_probability(test, track).argmax(axis=1),
        "majority_vote": song_decision.majority_vote(test, track),
        "maximum_run_length": song_decision.maximum_run_length(test, track),
    }


def decide_out_of_fold(inner: list[dict], targets: np.ndarray, settings: SongDecision) -> np.ndarray:
    """Classes by a machine that learned from the inner networks' predictions out of fold."""

    def statistics(part: dict, name: str) -> np.ndarray:
        return song_decision.statistics(part[name], part[f"{name}_track"], settings.share_threshold)

    learned = np.concatenate([statistics(part, "out_of_fold") for part in inner])
    tracks = np.concatenate([np.unique(part["out_of_fold_track"]) for part in inner])
    fitted = song_decision.svm(learned, targets[tracks], settings)
    scores = [song_decision.scores(fitted, statistics(part, "test")) for part in inner]
    return fitted.classes_[np.mean(scores, axis=0).argmax(axis=1)]


def targets_of(classes, own: str = "") -> tuple[str, ...]:
    """What is predicted: a run's own target (`settings.Run`), or the label and, of quadrants, V and A too."""
    return (own,) if own else ("emotion", *(HIGH if tuple(classes) == QUADRANTS else ()))


def own_target(record: dict) -> str:
    return record["config"].get("target", "")


def predictions_of(
    decided: dict[str, np.ndarray], mean: np.ndarray, targets: tuple[str, ...]
) -> Iterator[tuple[str, int, str, np.ndarray]]:
    """(target, number of classes, decision, classes) of all that is decided.

    A network with four outputs tells V and A by adding up probabilities, one with two by its own.
    """
    first, *by_addition = targets
    for decision, predicted in decided.items():
        yield first, mean.shape[1], decision, predicted
        for dimension in by_addition:
            is_high = HIGH[dimension][predicted]
            if decision == MAIN_DECISION:
                is_high = high_probability(mean, dimension) > 0.5
            yield dimension, 2, decision, is_high.astype(int)


def truth_of(target: str, truth: np.ndarray) -> np.ndarray:
    return HIGH[target][truth].astype(int) if target in HIGH else truth


def metric_rows(truth, groups, fold, predictions, part: str = "test") -> list[dict]:
    """Metrics in long form: pooled over test folds with their 95 % interval over artists, and per fold."""
    weights, rows = significance.artist_weights(groups), []
    for target, n, decision, predicted in predictions:
        right = truth_of(target, truth)
        for name, metric in (metrics.BINARY if n == 2 else metrics.MULTICLASS).items():
            row = {"name": name, "target": target, "decision": decision, "part": part}
            low, high = significance.interval(significance.resampled(metric, right, predicted, n, weights))
            value = metric(metrics.confusion(right, predicted, n))
            rows.append(row | {"fold": "all", "value": value, "low": low, "high": high, "n": len(truth)})
            for k in np.unique(fold):
                own = fold == k
                value = metric(metrics.confusion(right[own], predicted[own], n))
                rows.append(row | {"fold": int(k), "value": value, "n": int(own.sum())})
    return rows


def validation_rows(fold: int, inner: list[dict], tracks: Tracks, own: str = "") -> list[dict]:
    """Metrics on a fold's training songs, predicted by inner networks that were not trained on them.

    Choices may rest on these.
    """
    track = np.concatenate([np.unique(part["out_of_fold_track"]) for part in inner])
    mean = np.concatenate(
        [song_decision.mean_probability(part["out_of_fold"], part["out_of_fold_track"]) for part in inner]
    )
    decided, rows = {MAIN_DECISION: mean.argmax(axis=1)}, []
    for target, n, decision, predicted in predictions_of(decided, mean, targets_of(tracks.classes, own)):
        found = metrics.scores(truth_of(target, tracks.targets[track]), predicted, n)
        row = {"target": target, "decision": decision, "part": "validation", "fold": fold, "n": len(track)}
        rows += [{"name": name, "value": value, **row} for name, value in found.items()]
    return rows


def external_rows(name: str, mean: np.ndarray, tracks: Tracks, own: str = "") -> list[dict]:
    """Metrics of mean probabilities on the songs of another data set."""
    decided, folds = {MAIN_DECISION: mean.argmax(axis=1)}, np.zeros(len(tracks), dtype=int)
    found = predictions_of(decided, mean, targets_of(tracks.classes, own))
    rows = metric_rows(tracks.targets, tracks.groups, folds, found, "elsewhere")
    return [row | {"dataset": name} for row in rows if row["fold"] == "all"]


def pooled_rows(arrays: dict[str, np.ndarray], mean: np.ndarray, tracks: Tracks, own: str = "") -> list[dict]:
    """Metrics of all decisions over the test songs, in the order of ``arrays["track"]``."""
    found = list(predictions_of(decisions_of(arrays), mean, targets_of(tracks.classes, own)))
    track = arrays["track"]
    return metric_rows(tracks.targets[track], tracks.groups[track], arrays["fold"], found)


def decisions_of(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    stored = {name: f"decision_{name}" for name in song_decision.DECISION_NAMES}
    return {name: arrays[key] for name, key in stored.items() if key in arrays}


def confusions(arrays: dict[str, np.ndarray], tracks: Tracks, own: str = "") -> dict[str, list]:
    truth, decided = truth_of(own, tracks.targets[arrays["track"]]), decisions_of(arrays)
    n = 2 if own else len(tracks.classes)
    return {name: metrics.confusion(truth, predicted, n).tolist() for name, predicted in decided.items()}


def measured(target: str, record: dict):
    """(name, metric, number of classes) of the metrics that comparisons report."""
    n = 2 if target in HIGH else len(record["data"]["classes"])
    yield "accuracy", metrics.accuracy, n
    yield "macro_f1", metrics.macro_f1, n
    if n == 2:
        yield "positive_f1", metrics.positive_f1, n


def by_track(record: dict, name: str) -> np.ndarray:
    """An array of a record's predictions, songs sorted by track."""
    stored = results.predictions(record)
    return stored[name][np.argsort(stored["track"], kind="stable")]


def probabilities(record: dict) -> np.ndarray:
    """(n_songs, n_classes) probabilities of a record's songs, sorted by track."""
    stored = results.predictions(record)
    if "test" not in stored:  # classifiers of whole songs, and what is made of others' predictions
        return by_track(record, "mean")
    return song_decision.mean_probability(stored["test"], stored["test_track"])


def scores(record: dict) -> list[dict]:
    """The metrics of a record whose predictions are stored, from these.

    Raises
    ------
    DataError : its data set is not at hand
    RecordError : the annotations have changed since
    """
    tracks, stored, own = results.tracks_of(record), results.predictions(record), own_target(record)
    in_order = np.argsort(np.argsort(stored["track"]))  # of `track`
    rows = pooled_rows(stored, probabilities(record)[in_order], tracks, own)
    if predicts_elsewhere_alone(record):
        for i, name in enumerate(record["config"].get("also_heard", ())):
            mean = song_decision.mean_probability(stored[f"heard_{i}"], stored[f"heard_{i}_track"])
            rows += external_rows(name, mean, datasets.load(name), own)
    return rows


def is_stored(row: dict, record: dict) -> bool:
    """Whether the predictions that a metric rests on lie beside the record.

    Those of inner networks do not, nor those of other folds' networks for other data sets.
    """
    return row["part"] != "validation" and (row["part"] != "elsewhere" or predicts_elsewhere_alone(record))


def predicts_elsewhere_alone(record: dict) -> bool:
    """Whether the first fold's network, whose predictions are stored, is the only one."""
    return len(record["log"]) == 1
