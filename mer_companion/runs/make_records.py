"""From the answers of a run's networks to its record: song decisions, metrics with intervals, comparison with
a reference.
"""

import hashlib
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from mer_companion import results
from mer_companion.runs import (
    cross_validation,
    ensembles,
    leaderboard,
    listener_ratings,
    song_classifiers,
    tag_ensembles,
    tag_scoring,
)
from mer_companion.runs.ensembles import Fusion
from mer_companion.runs.leaderboard import Submission
from mer_companion.runs.listener_ratings import Ratings
from mer_companion.runs.settings import Run
from mer_companion.runs.song_classifiers import SongClassifier
from mer_companion.runs.tag_ensembles import TagEnsemble
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, high_probability
from mer_core.evaluation import aggregation, metrics, significance
from mer_core.evaluation.aggregation import SongDecision
from mer_core.frames import windows
from mer_core.progress import progress_bar


def decide(parts: list[dict], targets: np.ndarray, settings: SongDecision) -> dict[str, np.ndarray]:
    """The decisions of one fold for its test songs (sorted by track), by name: (n_songs,) classes each.

    ``svm_in_sample``, as printed, learns from predictions that the network made for its own training songs.
    ``svm`` learns from the inner networks' predictions of songs they had not heard, and asks the same
    networks about the test songs: both sides come from networks that heard as much music.
    ``mean_probability_inner`` is what those networks say without the machine. Both are missing where there
    are no inner networks. ``most_frequent`` ignores the music."""
    first, *inner = parts
    theta = settings.share_threshold
    test, track = first["test"], first["test_track"]
    trained_on = np.unique(first["in_sample_track"])
    statistics = aggregation.statistics(test, track, theta)
    own = aggregation.statistics(first["in_sample"], first["in_sample_track"], theta)
    decided = {
        "svm_in_sample": aggregation.svm(own, targets[trained_on], settings).predict(statistics),
        **decide_by_windows(test, track),
        "most_frequent": np.full(len(statistics), np.bincount(targets[trained_on]).argmax()),
    }
    if inner:
        mean = np.mean(
            [aggregation.mean_probability(part["test"], part["test_track"]) for part in inner], axis=0
        )
        decided |= {
            "mean_probability_inner": mean.argmax(axis=1),
            "svm": decide_out_of_fold(inner, targets, settings),
        }
    return decided


def decide_by_windows(test: np.ndarray, track: np.ndarray) -> dict[str, np.ndarray]:
    """The decisions that need nothing but the windows' probabilities, by name: (n_songs,) classes each."""
    return {
        aggregation.MAIN_DECISION: aggregation.mean_probability(test, track).argmax(axis=1),
        "majority_vote": aggregation.majority_vote(test, track),
        "maximum_run_length": aggregation.maximum_run_length(test, track),
    }


def decide_out_of_fold(inner: list[dict], targets: np.ndarray, settings: SongDecision) -> np.ndarray:
    theta = settings.share_threshold
    unheard = [
        aggregation.statistics(part["out_of_fold"], part["out_of_fold_track"], theta) for part in inner
    ]
    tracks = [np.unique(part["out_of_fold_track"]) for part in inner]
    fitted = aggregation.svm(np.concatenate(unheard), targets[np.concatenate(tracks)], settings)
    asked = [
        aggregation.scores(fitted, aggregation.statistics(part["test"], part["test_track"], theta))
        for part in inner
    ]
    return fitted.classes_[np.mean(asked, axis=0).argmax(axis=1)]


def answers(decided: dict[str, np.ndarray], mean_probability: np.ndarray, quadrants: bool):
    """(target, number of classes, decision, classes) of every question that the decisions answer; quadrants
    also tell V and A.
    """
    n_classes = mean_probability.shape[1]
    for decision, called in decided.items():
        yield "emotion", n_classes, decision, called
        for dimension, high in (("valence", HIGH_VALENCE), ("arousal", HIGH_AROUSAL)) if quadrants else ():
            binary = high[called]
            if (
                decision == "mean_probability"
            ):  # one network with four outputs answers by adding probabilities
                binary = high_probability(mean_probability, dimension) > 0.5
            yield dimension, 2, decision, binary.astype(int)


def truth_of(target: str, truth: np.ndarray) -> np.ndarray:
    high = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL}.get(target)
    return truth if high is None else high[truth].astype(int)


def metric_rows(truth, groups, fold, questions, part: str = "test") -> list[dict]:
    """Metrics in long form: pooled over the test folds with their 95 % interval over artists, and per fold."""
    weights, rows = significance.artist_weights(groups), []
    for target, n, decision, called in questions:
        right = truth_of(target, truth)
        for name, metric in (metrics.BINARY if n == 2 else metrics.MULTICLASS).items():
            row = {"name": name, "target": target, "decision": decision, "part": part}
            low, high = significance.interval(significance.resampled(metric, right, called, n, weights))
            value = metric(metrics.confusion(right, called, n))
            rows.append(row | {"fold": "all", "value": value, "low": low, "high": high, "n": len(truth)})
            for k in np.unique(fold):
                own = fold == k
                rows.append(
                    row
                    | {
                        "fold": int(k),
                        "value": metric(metrics.confusion(right[own], called[own], n)),
                        "n": int(own.sum()),
                    }
                )
    return rows


def validation_rows(fold: int, inner: list[dict], targets: np.ndarray, quadrants: bool) -> list[dict]:
    """Metrics on the training songs of a fold, each answered for by a network that had not heard it: what
    choices may rest on.
    """
    track = np.concatenate([np.unique(part["out_of_fold_track"]) for part in inner])
    mean = np.concatenate(
        [aggregation.mean_probability(part["out_of_fold"], part["out_of_fold_track"]) for part in inner]
    )
    rows = []
    for target, n, decision, called in answers({"mean_probability": mean.argmax(axis=1)}, mean, quadrants):
        found = metrics.scores(truth_of(target, targets[track]), called, n)
        row = {"target": target, "decision": decision, "part": "validation", "fold": fold, "n": len(track)}
        rows += [{"name": name, "value": value, **row} for name, value in found.items()]
    return rows


def collect(run: Run, frames) -> tuple[dict[str, np.ndarray], list[dict], list[list[dict]]]:
    """A run's finished networks as arrays of predictions and decisions, validation metrics, and the networks'
    stories by fold.
    """
    tracks = frames.tracks
    collected: dict[str, list[np.ndarray]] = {}
    validation, stories = [], []
    for k in cross_validation.tested_folds(run):
        parts = cross_validation.read_fold(run, frames, k)
        first, *inner = parts
        own = np.unique(first["test_track"])
        arrays = {
            "track": own,
            "fold": np.full(len(own), k),
            "mean": aggregation.mean_probability(first["test"], first["test_track"]),
        }
        arrays |= {
            f"decision_{name}": called for name, called in decide(parts, tracks.targets, run.song).items()
        }
        arrays |= {name: first[name] for name in ("test_track", "test_second", "test")}
        for name, values in arrays.items():
            collected.setdefault(name, []).append(values)
        if inner:
            validation += validation_rows(k, inner, tracks.targets, tracks.classes == QUADRANTS)
        stories.append([part["story"] for part in parts])
    return {name: np.concatenate(values) for name, values in collected.items()}, validation, stories


def heard_elsewhere(run: Run, frames) -> tuple[dict[str, np.ndarray], list[dict]]:
    """What the networks answered for other data sets, (of the first fold) and how well, averaged over the
    folds' networks.
    """
    arrays, rows = {}, []
    firsts = [cross_validation.read_fold(run, frames, k)[0] for k in cross_validation.tested_folds(run)]
    for i, name in enumerate(run.external_tests):
        other = cross_validation.load_frames(cross_validation.heard(run, name)).tracks
        key = f"heard_{i}"
        arrays |= {
            key: firsts[0][key],
            f"{key}_track": firsts[0][f"{key}_track"],
            f"{key}_second": firsts[0][f"{key}_second"],
        }
        arrays[f"{key}_track_id"] = other.table["track_id"].to_numpy(dtype=str)
        mean = np.mean(
            [aggregation.mean_probability(first[key], first[f"{key}_track"]) for first in firsts], axis=0
        )
        rows += elsewhere_rows(name, mean, other)
    return arrays, rows


def elsewhere_rows(name: str, mean: np.ndarray, other) -> list[dict]:
    """Metrics on another data set's songs, of their mean probabilities (n_songs, n_classes)."""
    everywhere = np.zeros(len(other), dtype=int)
    questions = answers({"mean_probability": mean.argmax(axis=1)}, mean, other.classes == QUADRANTS)
    rows = metric_rows(other.targets, other.groups, everywhere, questions, "elsewhere")
    return [row | {"dataset": name} for row in rows if row["fold"] == "all"]


def summarise(run: Run, experiment: str, preset: str, label: str) -> Path:
    """Turn a run's finished networks into a record and its predictions.

    Neither holds the data set's annotations: predictions are ours, the truth stays where it came from.
    """
    frames = cross_validation.load_frames(run)
    tracks = frames.tracks
    arrays, validation, stories = collect(run, frames)
    mean = arrays.pop("mean")
    elsewhere, rows_elsewhere = heard_elsewhere(run, frames)
    rows = pooled_rows(arrays, mean, tracks) + validation + rows_elsewhere
    flat = [story for fold in stories for story in fold]
    record = heading(run, experiment, preset, label, tracks, len(mean)) | {
        "code": results.code_state()
        | {"trained_at": sorted({story["code"]["commit"] or "" for story in flat})},
        "environment": flat[0]["environment"],
        "cost": {
            "seconds": sum(story["seconds"] for story in flat),  # of all networks, added up
            "core_minutes": sum(results.cores_of(story["environment"]) * story["seconds"] for story in flat)
            / 60,
            "seconds_per_fold": [sum(story["seconds"] for story in fold) for fold in stories],
        },
        "metrics": rows,
        "confusion": confusions(arrays, tracks),
        "log": [fold[0]["log"] for fold in stories],  # of the network that hears all training songs
    }
    n_windows = len(windows(frames, run.window_s, run.repeat_short))
    record["data"] |= {
        "frames": frames.name,
        "n_windows": n_windows,
        "hours": float(frames.duration_s.sum() / 3600),
    }
    return results.save(
        record, arrays | elsewhere | {"track_id": tracks.table["track_id"].to_numpy(dtype=str)}
    )


def record_of_song_classifier(probe: SongClassifier, experiment: str, preset: str, label: str) -> Path:
    """Train a song-level baseline, which takes seconds, and write its record."""
    tracks = song_classifiers.tracks_of(probe)
    arrays, story = song_classifiers.answers(probe, tracks)
    record = heading(probe, experiment, preset, label, tracks, len(arrays["track"])) | {
        "code": story["code"], "environment": story["environment"],
        "cost": {"seconds": story["seconds"], "core_minutes": story["seconds"] / 60},
        "metrics": pooled_rows(arrays, arrays["mean"], tracks), "confusion": confusions(arrays, tracks), "log": story["log"],
    }  # fmt: skip
    return results.save(record, arrays | {"track_id": tracks.table["track_id"].to_numpy(dtype=str)})


def record_of_ratings(measured: Ratings, experiment: str, preset: str, label: str) -> Path:
    """Measure how much segment-label noise listeners' ratings show, and write the shares, not the ratings, as
    a record.
    """
    began = time.perf_counter()
    clips, table = listener_ratings.measure(measured)
    seconds = time.perf_counter() - began
    digest = hashlib.sha256(
        clips[["track_id", "group", "valence", "arousal"]].to_csv(index=False).encode()
    ).hexdigest()[:16]
    record = {
        "experiment": experiment, "preset": preset, "label": label, "run_id": measured.run_id, "config": measured.config(),
        "data": {"name": measured.dataset, "digest": digest, "classes": QUADRANTS, "n_tracks": len(clips), "audio": [],
                 "n_groups": clips["group"].nunique(), "n_tested": len(clips), "n_skipped": 0, "skipped": [], "own": False},
        "code": results.code_state(), "environment": results.environment("cpu", 1),
        "cost": {"seconds": seconds, "core_minutes": seconds / 60}, "metrics": ratings_rows(table), "confusion": {}, "log": [],
    }  # fmt: skip
    return results.save(record, {"track": np.arange(len(clips))})


def ratings_rows(table) -> list[dict]:
    """Shares measured on listeners' ratings (`ratings.measure`) in the long form of metrics."""
    return [
        {"name": row.measure, "target": "emotion" if row.target == "quadrant" else row.target, "decision": "listeners",
         "part": "ratings", "fold": "all", "value": row.value, "low": row.low, "high": row.high, "n": int(row.n_clips)}
        for row in table.itertuples()
    ]  # fmt: skip


def fuse(joined: Fusion, experiment: str, preset: str, label: str, members: dict[str, list[dict]]) -> dict:
    """The record of a joined answer, from its members' records."""
    if record := results.existing(joined, experiment, preset, label):
        return record
    tracks = cross_validation.datasets.load(joined.dataset)
    members = ensembles.of_seeds(joined, members)
    arrays, log = ensembles.answers(joined, members)
    spent = sum(record["cost"]["core_minutes"] for records in members.values() for record in records)
    some = next(iter(members.values()))[0]
    record = heading(joined, experiment, preset, label, tracks, len(arrays["track"])) | {
        "code": results.code_state(), "environment": some["environment"],
        "cost": {"seconds": 60 * spent, "core_minutes": spent},  # of its members
        "metrics": pooled_rows(arrays, arrays["mean"], tracks), "confusion": confusions(arrays, tracks), "log": log,
    }  # fmt: skip
    return results.load(
        results.save(record, arrays | {"track_id": tracks.table["track_id"].to_numpy(dtype=str)})
    )


def ensemble(joined: TagEnsemble, experiment: str, preset: str, label: str, members: list[dict]) -> dict:
    """The record of a weighted mean of two answers for tags, from its members' records."""
    if record := results.existing(joined, experiment, preset, label):
        return record
    tracks = cross_validation.datasets.load(joined.dataset)
    return results.load(
        tag_ensembles.summarise(joined, heading(joined, experiment, preset, label, tracks, 0), members)
    )


def pooled_rows(arrays: dict[str, np.ndarray], mean: np.ndarray, tracks) -> list[dict]:
    """Metrics of all decisions over the tested songs."""
    questions = list(answers(decisions_of(arrays), mean, tracks.classes == QUADRANTS))
    track = arrays["track"]
    return metric_rows(tracks.targets[track], tracks.groups[track], arrays["fold"], questions)


def decisions_of(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: arrays[f"decision_{name}"]
        for name in aggregation.DECISION_NAMES
        if f"decision_{name}" in arrays
    }


def confusions(arrays: dict[str, np.ndarray], tracks) -> dict[str, list]:
    truth, n = tracks.targets[arrays["track"]], len(tracks.classes)
    return {
        name: metrics.confusion(truth, called, n).tolist() for name, called in decisions_of(arrays).items()
    }


def heading(run, experiment: str, preset: str, label: str, tracks, n_tested: int) -> dict:
    """What every record says first: which run this is, and of which data."""
    return {
        "experiment": experiment, "preset": preset, "label": label, "run_id": run.run_id, "config": run.config(),
        "data": {
            "name": tracks.name, "digest": tracks.digest(), "classes": tracks.classes, "n_tracks": len(tracks),
            "n_groups": len(set(tracks.groups)), "n_tested": n_tested,
            "audio": sorted({path.suffix for path in tracks.table["path"]}), "n_skipped": len(tracks.skipped),
            "skipped": sorted(Path(path).name for path in tracks.skipped),
            "own": tracks.own or any(cross_validation.datasets.load(name).own for name in getattr(run, "unlabelled", ())),
        },
    }  # fmt: skip


def execute(
    run: Run | SongClassifier | Ratings | Submission,
    experiment: str,
    preset: str,
    label: str,
    started: dict[Path, Future] | None = None,
) -> dict:
    """The record of a run: loaded if it exists, else made, network by network.

    Parameters
    ----------
    started : networks that are trained elsewhere (`networks.start`); all others are trained here, one after
    the other

    Raises
    ------
    RecordError : the record was made with other settings under the same name (a default has changed since)
    """
    if record := results.existing(run, experiment, preset, label):
        return record
    if isinstance(run, SongClassifier):
        return results.load(record_of_song_classifier(run, experiment, preset, label))
    if isinstance(run, Ratings):
        return results.load(record_of_ratings(run, experiment, preset, label))
    if isinstance(run, Submission):
        return results.load(leaderboard.summarise(run, experiment, preset, label))
    frames = cross_validation.load_frames(run)
    jobs = cross_validation.networks_to_train(run)
    with progress_bar(total=len(jobs) * run.training.epochs, desc=label, unit="epoch") as bar:
        for fold, part in jobs:
            if future := (started or {}).get(cross_validation.part_path(run, frames, fold, part)):
                future.result()
                bar.update(run.training.epochs)
            else:
                cross_validation.train_part(run, fold, part, on_epoch=lambda row: bar.update())
    if frames.tracks.tagged:
        return results.load(
            tag_scoring.summarise(run, heading(run, experiment, preset, label, frames.tracks, 0))
        )
    return results.load(summarise(run, experiment, preset, label))


def compare(references_of: dict[str, tuple[str, ...]], records: list[dict]) -> list[dict]:
    """How each label's records, over all their seeds, differ from those of its reference on the same songs.

    Also each label's own mean over seeds. The p-values of one metric and decision are corrected for asking of
    every label.

    Parameters
    ----------
    references_of : the labels that each label is compared with
    """
    by_label: dict[str, dict[int, dict]] = {}
    for record in records:
        by_label.setdefault(record["label"], {})[record["config"]["seed"]] = record
    rows = []
    for label, own in by_label.items():
        rows += averages(label, own)
        for against in references_of.get(label, ()):
            theirs = by_label.get(against, {})
            if seeds := sorted(set(own) & set(theirs)):
                rows += differences(label, against, [own[s] for s in seeds], [theirs[s] for s in seeds])
    families: dict[tuple, list[dict]] = {}
    for row in rows:
        if "p" in row:
            families.setdefault((row["target"], row["decision"], row["name"]), []).append(row)
    for family in families.values():
        for row, adjusted in zip(family, significance.holm([row["p"] for row in family]), strict=True):
            row["p_holm"] = float(adjusted)
    return rows


def called_by(record: dict) -> dict[tuple[str, str], np.ndarray]:
    """The classes that a stored record called, by target and decision, in the order of its tracks; and its
    songs.
    """
    stored = results.predictions(record)
    order = np.argsort(stored["track"], kind="stable")
    mean = ensembles.probabilities(record)
    decided = {name: called[order] for name, called in decisions_of(stored).items()}
    found = answers(decided, mean, tuple(record["data"]["classes"]) == QUADRANTS)
    return {(target, decision): called for target, _, decision, called in found}


def averages(label: str, by_seed: dict[int, dict]) -> list[dict]:
    """A label's own scores, averaged over its seeds, with an interval over seeds and artists."""
    seeds = sorted(by_seed)
    truth, groups, called = together([by_seed[s] for s in seeds])
    rows = []
    for (target, decision), classes in called.items():
        for name, metric, n in measured(target, by_seed[seeds[0]]):
            found = significance.seed_averaged(truth_of(target, truth), classes, groups, metric, n)
            rows.append({"label": label, "target": target, "decision": decision, "name": name, "seeds": seeds,
                         "n": len(truth)} | found._asdict())  # fmt: skip
    return rows


def differences(label: str, against: str, own: list[dict], theirs: list[dict]) -> list[dict]:
    """How much better a label's records are than its reference's, seed by seed on the same songs."""
    truth, groups, called = together(own)
    other_truth, _, other = together(theirs)
    if not np.array_equal(truth, other_truth):
        raise results.RecordError(
            f"{label} and {against} did not test the same songs; they cannot be compared."
        )
    rows = []
    for (target, decision), classes in called.items():
        if (theirs_too := counterpart(decision, target, other)) is None:
            continue
        for name, metric, n in measured(target, own[0]):
            right = truth_of(target, truth)
            found = significance.seed_averaged_difference(right, classes, theirs_too, groups, metric, n)
            row = {"label": label, "against": against, "target": target, "decision": decision, "name": name,
                   "seeds": [r["config"]["seed"] for r in own], "n": len(truth)}  # fmt: skip
            rows.append(row | found._asdict() | by_t_test(own, theirs, target, decision, name))
    return rows


def counterpart(decision: str, target: str, other: dict) -> np.ndarray | None:
    """What the reference decided in the same way; one main decision is held against the other."""
    same = [decision, *(aggregation.MAIN_DECISIONS if decision in aggregation.MAIN_DECISIONS else ())]
    return next((other[target, name] for name in same if (target, name) in other), None)


def by_t_test(own: list[dict], theirs: list[dict], target: str, decision: str, name: str) -> dict:
    """The corrected resampled t-test over folds and seeds, where there are two or more."""
    same = {decision} | (set(aggregation.MAIN_DECISIONS) if decision in aggregation.MAIN_DECISIONS else set())
    mine, others = (
        [m["value"] for r in records for m in r["metrics"] if m["decision"] in same and m["fold"] != "all"
         and (m["part"], m["target"], m["name"]) == ("test", target, name)]
        for records in (own, theirs)
    )  # fmt: skip
    if len(mine) < 2:
        return {"t": None, "p_t": None}
    n, folds = own[0]["data"]["n_tracks"], own[0]["config"]["folds"]["n"]
    t, p = significance.corrected_t_test(np.subtract(mine, others), n_train=n - n // folds, n_test=n // folds)
    return {"t": t if np.isfinite(t) else None, "p_t": p}


def together(records: list[dict]) -> tuple[np.ndarray, np.ndarray, dict[tuple[str, str], np.ndarray]]:
    """Truth and artists of the tested songs, and what each record called them: (n_seeds, n_songs) by target
    and decision.
    """
    track = np.sort(results.predictions(records[0])["track"])
    tracks = cross_validation.datasets.load(
        records[0]["config"]["dataset"], skip_unreadable=bool(records[0]["data"]["n_skipped"])
    )
    if tracks.digest() != records[0]["data"]["digest"]:
        raise results.RecordError(
            f"{records[0]['label']}: the annotations have changed since its record was made."
        )
    called = [called_by(record) for record in records]
    return (
        tracks.targets[track],
        tracks.groups[track],
        {key: np.array([c[key] for c in called]) for key in called[0]},
    )


def measured(target: str, record: dict):
    """(name, metric, number of classes) of the metrics that comparisons report."""
    n = 2 if target in ("valence", "arousal") else len(record["data"]["classes"])
    yield "accuracy", metrics.accuracy, n
    yield "macro_f1", metrics.macro_f1, n
    if n == 2:
        yield "positive_f1", metrics.positive_f1, n
