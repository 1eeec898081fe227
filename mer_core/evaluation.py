"""From the answers of a run's networks to its record: song decisions, metrics with intervals, comparison with a reference."""

from concurrent.futures import Executor, as_completed
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mer_core import metrics, networks, results, significance, songs, splits
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, high_probability
from mer_core.frames import windows
from mer_core.runs import Run
from mer_core.songs import SongDecision


def decide(fold: dict[str, np.ndarray], targets: np.ndarray, settings: SongDecision) -> dict[str, np.ndarray]:
    """The decisions of one fold for its test songs (sorted by track), by name: (n_songs,) classes each.

    ``svm`` learns from out-of-fold predictions of the training songs; ``svm_in_sample``, as printed, from predictions that the
    network made for its own training songs. ``most_frequent`` ignores the music.
    """
    theta = settings.share_threshold
    trained_on = targets[np.unique(fold["training_track"])]
    test, track = fold["test"], fold["test_track"]
    statistics = songs.statistics(test, track, theta)

    def by_svm(source: str) -> np.ndarray:
        own = songs.statistics(fold[source], fold["training_track"], theta)
        return songs.svm(own, trained_on, settings).predict(statistics)

    return {
        "svm": by_svm("out_of_fold"),
        "svm_in_sample": by_svm("in_sample"),
        "mean_probability": songs.mean_probability(test, track).argmax(axis=1),
        "majority_vote": songs.majority_vote(test, track),
        "maximum_run_length": songs.maximum_run_length(test, track),
        "most_frequent": np.full(len(statistics), np.bincount(trained_on).argmax()),
    }


def answers(decided: dict[str, np.ndarray], mean_probability: np.ndarray, quadrants: bool):
    """(target, number of classes, decision, classes) of every question that the decisions answer; quadrants also tell V and A."""
    n_classes = mean_probability.shape[1]
    for decision, called in decided.items():
        yield "emotion", n_classes, decision, called
        for dimension, high in (("valence", HIGH_VALENCE), ("arousal", HIGH_AROUSAL)) if quadrants else ():
            binary = high[called]
            if decision == "mean_probability":  # one network with four outputs answers by adding probabilities
                binary = high_probability(mean_probability, dimension) > 0.5
            yield dimension, 2, decision, binary.astype(int)


def truth_of(target: str, truth: np.ndarray) -> np.ndarray:
    high = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL}.get(target)
    return truth if high is None else high[truth].astype(int)


def metric_rows(truth, groups, fold, questions) -> list[dict]:
    """Metrics in long form: pooled over the test folds with their 95 % interval over artists, and per fold."""
    weights, rows = significance.artist_weights(groups), []
    for target, n, decision, called in questions:
        right = truth_of(target, truth)
        for name, metric in (metrics.BINARY if n == 2 else metrics.MULTICLASS).items():
            row = {"name": name, "target": target, "decision": decision, "part": "test"}
            low, high = significance.interval(significance.resampled(metric, right, called, n, weights))
            value = metric(metrics.confusion(right, called, n))
            rows.append(row | {"fold": "all", "value": value, "low": low, "high": high, "n": len(truth)})
            for k in np.unique(fold):
                own = fold == k
                rows.append(
                    row | {"fold": int(k), "value": metric(metrics.confusion(right[own], called[own], n)), "n": int(own.sum())}
                )
    return rows


def difference_rows(truth, groups, questions, reference: dict) -> list[dict]:
    """Accuracy less the reference record's on the same songs, paired, with its 95 % interval over artists."""
    theirs = {(target, decision): called for target, _, decision, called in answers_of(reference)}
    rows = []
    for target, n, decision, called in questions:
        right, other = truth_of(target, truth), theirs[target, decision]
        low, high = significance.difference_interval(metrics.accuracy, right, called, other, n, groups)
        value = float(np.mean(called == right) - np.mean(other == right))
        rows.append({"name": "accuracy", "target": target, "decision": decision, "part": "difference", "fold": "all",
                     "against": reference["label"], "value": value, "low": low, "high": high, "n": len(truth)})  # fmt: skip
    return rows


def answers_of(record: dict) -> list:
    """The answers of a stored record."""
    stored = results.predictions(record)
    decided = {name: stored[f"decision_{name}"] for name in songs.DECISION_NAMES}
    mean = songs.mean_probability(stored["test"], stored["test_track"])[np.argsort(np.argsort(stored["track"]))]
    return list(answers(decided, mean, tuple(record["data"]["classes"]) == QUADRANTS))


def validation_rows(fold: int, seen: np.ndarray, called: np.ndarray, n_classes: int) -> list[dict]:
    """Metrics on the training songs of a fold, each answered for by a network that had not heard it: what choices may rest on."""
    found = metrics.scores(seen, called, n_classes)
    row = {"target": "emotion", "decision": "mean_probability", "part": "validation", "fold": fold, "n": len(seen)}
    return [{"name": name, "value": value, **row} for name, value in found.items()]


def summarise(run: Run, experiment: str, preset: str, label: str, reference: dict | None) -> Path:
    """Turn a run's finished networks into a record and its predictions.

    Neither holds the data set's annotations: predictions are ours, the truth stays where it came from.
    """
    frames = networks.load_frames(run)
    tracks, n_classes = frames.tracks, len(frames.tracks.classes)
    collected: dict[str, list[np.ndarray]] = {}
    validation, stories = [], []
    for k in networks.tested_folds(run):
        fold = networks.read_fold(run, frames, k)
        own = np.unique(fold["test_track"])
        decided = {f"decision_{name}": called for name, called in decide(fold, tracks.targets, run.song).items()}
        mean = songs.mean_probability(fold["test"], fold["test_track"])
        for name, values in ({"track": own, "fold": np.full(len(own), k), "mean": mean} | decided).items():
            collected.setdefault(name, []).append(values)
        for name in ("test_track", "test_second", "test"):
            collected.setdefault(name, []).append(fold[name])
        seen = tracks.targets[np.unique(fold["training_track"])]
        called = songs.mean_probability(fold["out_of_fold"], fold["training_track"]).argmax(axis=1)
        validation += validation_rows(k, seen, called, n_classes)
        stories.append(fold["stories"])
    arrays = {name: np.concatenate(values) for name, values in collected.items()}
    track, mean = arrays["track"], arrays.pop("mean")
    decided = {name: arrays[f"decision_{name}"] for name in songs.DECISION_NAMES}
    questions = list(answers(decided, mean, tracks.classes == QUADRANTS))
    truth, groups = tracks.targets[track], tracks.groups[track]
    rows = metric_rows(truth, groups, arrays["fold"], questions) + validation
    if reference:
        rows += difference_rows(truth, groups, questions, reference)
    flat = [story for fold in stories for story in fold]
    record = {
        "experiment": experiment, "preset": preset, "label": label, "run_id": run.run_id, "config": run.config(),
        "data": {
            "name": tracks.name, "digest": tracks.digest(), "frames": frames.name, "classes": tracks.classes,
            "n_tracks": len(tracks), "n_groups": len(set(tracks.groups)), "n_windows": len(windows(frames, run.window_s)),
            "n_tested": len(track), "audio": sorted({path.suffix for path in tracks.table["path"]}),
            "hours": float(frames.duration_s.sum() / 3600), "n_skipped": len(tracks.skipped),
            "skipped": sorted(Path(path).name for path in tracks.skipped), "own": tracks.own,
        },
        "code": flat[0]["code"] | {"same_throughout": len({story["code"]["digest"] for story in flat}) == 1},
        "environment": flat[0]["environment"],
        "cost": {
            "seconds": sum(story["seconds"] for story in flat),  # of all networks, added up
            "core_minutes": sum(results.cores_of(story["environment"]) * story["seconds"] for story in flat) / 60,
            "seconds_per_fold": [sum(story["seconds"] for story in fold) for fold in stories],
        },
        "metrics": rows,
        "confusion": {name: metrics.confusion(truth, called, n_classes).tolist() for name, called in decided.items()},
        "log": [fold[0]["log"] for fold in stories],  # of the network that answers for the test songs
    }  # fmt: skip
    arrays["track_id"] = tracks.table["track_id"].to_numpy(dtype=str)
    return results.save(record, arrays)


def execute(
    run: Run, experiment: str, preset: str, label: str, executor: Executor | None = None, reference: dict | None = None
) -> dict:
    """The record of a run: loaded if it exists, else made; a killed run goes on at its first unfinished network.

    Parameters
    ----------
    executor : any ``concurrent.futures.Executor`` (process pool, dask cluster) that trains networks side by side; by default
        they are trained here, one after the other
    reference : record of a run that tests the same songs, from which the difference is recorded

    Raises
    ------
    RecordError : the record was made with other settings under the same name (a default has changed since)
    """
    if record := results.existing(run, experiment, preset, label):
        return record
    frames = networks.load_frames(run)  # before any worker starts: they share the store
    splits.outer(frames.tracks, run.folds)
    jobs = [(fold, part) for part in networks.parts(run) for fold in networks.tested_folds(run)]  # the large networks first
    with tqdm(total=len(jobs) * run.training.epochs, desc=label, unit="epoch", disable=None) as bar:
        if executor is None:
            for fold, part in jobs:
                networks.train_part(run, fold, part, on_epoch=lambda row: bar.update())
        else:
            for future in as_completed([executor.submit(networks.train_part, run, fold, part) for fold, part in jobs]):
                future.result()
                bar.update(run.training.epochs)
    return results.load(summarise(run, experiment, preset, label, reference))
