"""Making the record of a run, one function for each kind: of networks, of song classifiers, of ratings, ...

Each takes a run's settings and a `Request`, saves the record with its predictions, and returns it. Neither
holds the data set's annotations: predictions are ours, the truth stays where it came from.
"""

import hashlib
import time
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mer_companion import provenance, results
from mer_companion.runs import (
    cross_validation,
    ensembles,
    leaderboard,
    listener_ratings,
    noise_map,
    scoring,
    song_classifiers,
    tag_baselines,
    tag_ensembles,
    tag_scoring,
    transfer,
)
from mer_companion.runs.settings import (
    Fusion,
    GroupMean,
    NoiseMap,
    Ratings,
    Run,
    SongClassifier,
    Submission,
    TagEnsemble,
    Transfer,
)
from mer_core import datasets
from mer_core.datasets.tracks import Tracks
from mer_core.emotion import QUADRANTS
from mer_core.evaluation import song_decision
from mer_core.frames import Frames, windows


class Request(NamedTuple):
    """Which record is to be made, and what was made for it before."""

    experiment: str
    preset: str
    label: str
    started: dict[Path, Future]  # networks trained elsewhere (`cross_validation.start`)
    members: dict[str, list[dict]]  # records whose predictions are to be joined, by experiment/label


def train_and_record(run: Run, request: Request) -> dict:
    """Train the networks of a run where that has not been done, and make its record."""
    frames = cross_validation.train(run, request.label, request.started)
    return (record_of_tags if frames.tracks.tagged else record_of_networks)(run, request, frames)


def record_of_networks(run: Run, request: Request, frames: Frames) -> dict:
    """The record of finished networks for songs with one label each."""
    tracks = frames.tracks
    arrays, validation, made = predictions_of_folds(run, frames)
    mean = arrays.pop("mean")
    external, external_rows = predictions_elsewhere(run, frames)
    rows = scoring.pooled_rows(arrays, mean, tracks, run.target) + validation + external_rows
    record = heading(run, request, tracks, len(mean)) | cost_of_training(made)
    record["data"] |= {
        "frames": frames.name,
        "n_windows": len(windows(frames, run.window_s, run.repeat_short)),
        "hours": float(frames.duration_s.sum() / 3600),
    }
    record |= {"metrics": rows, "confusion": scoring.confusions(arrays, tracks, run.target)}
    record["log"] = [fold[0]["log"] for fold in made]  # of the networks on all training songs
    return save(record, arrays | external, tracks)


def predictions_of_folds(run: Run, frames: Frames) -> tuple[dict, list[dict], list[list[dict]]]:
    """Arrays of predictions and decisions, validation metrics, and how each network was trained, by fold."""
    tracks, folds, validation, made = frames.tracks, [], [], []
    labels = scoring.truth_of(run.target, tracks.targets)
    for k in cross_validation.tested_folds(run):
        first, *inner = parts = cross_validation.read_fold(run, frames, k)
        own = np.unique(first["test_track"])
        mean = song_decision.mean_probability(first["test"], first["test_track"])
        arrays = {"track": own, "fold": np.full(len(own), k), "mean": mean}
        decided = scoring.decide(parts, labels, run.song)
        arrays |= {f"decision_{name}": predicted for name, predicted in decided.items()}
        folds.append(arrays | {name: first[name] for name in ("test_track", "test_second", "test")})
        validation += scoring.validation_rows(k, inner, tracks, run.target) if inner else []
        made.append([part["training"] for part in parts])
    return concatenated(folds), validation, made


def concatenated(folds: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([fold[name] for fold in folds]) for name in folds[0]}


def predictions_elsewhere(run: Run, frames: Frames) -> tuple[dict[str, np.ndarray], list[dict]]:
    """The first fold's predictions for external tests, and metrics of the mean of all folds' networks."""
    arrays, rows = {}, []
    firsts = [cross_validation.read_fold(run, frames, k)[0] for k in cross_validation.tested_folds(run)]
    for i, name in enumerate(run.external_tests):
        other, key = cross_validation.load_frames(cross_validation.on_dataset(run, name)).tracks, f"heard_{i}"
        arrays |= {array: firsts[0][array] for array in (key, f"{key}_track", f"{key}_second")}
        arrays[f"{key}_track_id"] = other.table["track_id"].to_numpy(dtype=str)
        means = [song_decision.mean_probability(first[key], first[f"{key}_track"]) for first in firsts]
        rows += scoring.external_rows(name, np.mean(means, axis=0), other, run.target)
    return arrays, rows


def record_of_tags(run: Run, request: Request, frames: Frames) -> dict:
    """The record of the finished networks of a run on tagged songs, one for each fold."""
    tested = cross_validation.tested_folds(run)
    parts = [part for k in tested for part in cross_validation.read_fold(run, frames, k)]
    folds = []
    for k, part in zip(tested, parts, strict=True):
        folds.append({})
        for name in ("test", "validation"):
            track = part[f"{name}_track"]
            mean = song_decision.mean_probability(part[name], track)
            folds[-1] |= tag_baselines.of_fold(name, mean, np.unique(track), None if run.folds.parts else k)
    arrays, made = concatenated(folds), [part["training"] for part in parts]
    record = heading(run, request, frames.tracks, len(arrays["test"])) | cost_of_training([[m] for m in made])
    return save_tags(record | {"log": [own["log"] for own in made]}, frames.tracks, arrays)


def record_of_group_mean(run: GroupMean, request: Request) -> dict:
    """The record of a baseline for tags that does not look at the audio."""
    began, tracks = time.perf_counter(), datasets.load(run.dataset)
    arrays = concatenated(tag_baselines.group_means(run, tracks))
    record = heading(run, request, tracks, len(arrays["test"])) | cost_since(began)
    return save_tags(record | {"log": []}, tracks, arrays)


def record_of_tag_ensemble(run: TagEnsemble, request: Request) -> dict:
    """The record of a weighted mean of two members' predictions of tags, of the same seed."""
    records, tracks = [record for (record,) in request.members.values()], datasets.load(run.dataset)
    arrays, log = tag_ensembles.joined(run, records)
    record = heading(run, request, tracks, len(arrays["test"])) | cost_of_members(records)
    return save_tags(record | {"log": [log]}, tracks, arrays)


def record_of_ensemble(run: Fusion, request: Request) -> dict:
    """The record of joined predictions of songs' labels, from its members' records."""
    members, tracks = ensembles.of_seeds(run, request.members), datasets.load(run.dataset)
    arrays, log = ensembles.joined(run, members)
    record = heading(run, request, tracks, len(arrays["track"]))
    record |= cost_of_members([record for own in members.values() for record in own])
    return save_labels(record | {"log": log}, tracks, arrays)


def record_of_song_classifier(run: SongClassifier, request: Request) -> dict:
    """Train a song-level baseline, which takes seconds, and make its record."""
    began, tracks = time.perf_counter(), song_classifiers.tracks_of(run)
    arrays, log = song_classifiers.predictions(run, tracks)
    record = heading(run, request, tracks, len(arrays["track"])) | cost_since(began) | {"log": log}
    return save_labels(record, tracks, arrays)


def record_of_noise_map(study: NoiseMap, request: Request) -> dict:
    """The record of a map of label noise: classes and curves of every cell, and its gain."""
    frames, arrays, made = noise_map.collected(study, request.started)
    tracks = frames.tracks
    record = heading(study, request, tracks, len(tracks)) | cost_of_training([[one] for one in made])
    del record["cost"]["seconds_per_fold"]
    rows = noise_map.rows_of(study.config(), arrays, tracks)
    record |= {"metrics": rows, "confusion": {}, "log": []}
    return save(record, arrays | {"track": np.arange(len(tracks))}, tracks)


def record_of_transfer(study: Transfer, request: Request) -> dict:
    """The record of networks tested across collections: their probabilities of every song."""
    tracks, predicted, made = transfer.collected(study, request.started)
    record = heading(study, request, tracks, len(tracks)) | cost_of_training([[one] for one in made])
    del record["cost"]["seconds_per_fold"]
    kinds_of_audio = {name: datasets.load(name).kinds_of_audio for name in study.collections}
    record["data"]["audio"] = sorted({kind for own in kinds_of_audio.values() for kind in own})
    rows = transfer.rows_of(study.config(), predicted, tracks)
    record |= {"metrics": rows, "confusion": {}, "log": []}
    return save(record, {"probabilities": predicted, "track": np.arange(len(tracks))}, tracks)


def record_of_ratings(run: Ratings, request: Request) -> dict:
    """The record of how much segment-label noise listeners' ratings show: the shares, not the ratings."""
    began = time.perf_counter()
    clips, table = listener_ratings.measure(run)
    rated = clips[["track_id", "group", "valence", "arousal"]].to_csv(index=False).encode()
    digest = hashlib.sha256(rated).hexdigest()[:16]
    record = heading_without_audio(run, request, digest, QUADRANTS, clips["group"]) | cost_since(began)
    record |= {"metrics": listener_ratings.rows_of(table), "confusion": {}, "log": []}
    return results.save(record, {"track": np.arange(len(clips))})


def record_of_submission(run: Submission, request: Request) -> dict:
    """Score a submission to the leaderboard; the record of our figures, not of its predictions."""
    began = time.perf_counter()
    rows, (table, names, truth) = leaderboard.score(run.systems), leaderboard.test_songs()
    record = heading_without_audio(run, request, leaderboard.digest(), names, table["artist"])
    own = not set(run.systems) <= set(leaderboard.cards())
    record |= cost_since(began)
    record["data"] |= {"own": own, "prevalence": truth.mean(axis=0).tolist()}
    record |= {"metrics": rows, "confusion": {}, "log": []}
    return results.save(record, {"track": np.arange(len(table))})


def heading(run, request: Request, tracks: Tracks, n_tested: int) -> dict:
    """What every record begins with: which run this is, and of which data."""
    unlabelled = [datasets.load(name) for name in getattr(run, "unlabelled", ())]
    return identity(run, request) | {
        "data": {
            "name": tracks.name,
            "digest": tracks.digest(),
            "classes": tracks.classes,
            "n_tracks": len(tracks),
            "n_groups": len(set(tracks.groups)),
            "n_tested": n_tested,
            "audio": tracks.kinds_of_audio,
            "n_skipped": len(tracks.skipped),
            "skipped": sorted(Path(path).name for path in tracks.skipped),
            "own": any(data.own for data in (tracks, *unlabelled)),
        }
    }


def heading_without_audio(run, request: Request, digest: str, classes, artists) -> dict:
    """The same where annotations or predictions are read, and no audio."""
    data = {"name": run.dataset, "digest": digest, "classes": classes, "n_tracks": len(artists)}
    data |= {"n_groups": artists.nunique(), "n_tested": len(artists), "audio": []}
    data |= {"n_skipped": 0, "skipped": [], "own": False}
    return identity(run, request) | {"data": data}


def identity(run, request: Request) -> dict:
    names = {"experiment": request.experiment, "preset": request.preset, "label": request.label}
    return names | {"run_id": run.run_id, "config": run.config()}


def cost_since(began: float) -> dict:
    """Code, environment and cost of what one thread of this process did since a `time.perf_counter()`."""
    seconds = time.perf_counter() - began
    return {
        "code": provenance.code_state(),
        "environment": provenance.environment("cpu", 1),
        "cost": {"seconds": seconds, "core_minutes": seconds / 60},
    }


def cost_of_training(made: list[list[dict]]) -> dict:
    """Code, environment and cost of networks, by fold."""
    flat = [network for fold in made for network in fold]
    commits = sorted({network["code"]["commit"] or "" for network in flat})
    return {
        "code": provenance.code_state() | {"trained_at": commits},
        "environment": flat[0]["environment"],
        "cost": {
            "seconds": sum(network["seconds"] for network in flat),
            "core_minutes": sum(provenance.cores_of(n["environment"]) * n["seconds"] for n in flat) / 60,
            "seconds_per_fold": [sum(network["seconds"] for network in fold) for fold in made],
        },
    }


def cost_of_members(records: list[dict]) -> dict:
    """Code, environment and cost of what is made of others' predictions: the cost is theirs."""
    spent = sum(record["cost"]["core_minutes"] for record in records)
    return {
        "code": provenance.code_state(),
        "environment": records[0]["environment"],
        "cost": {"seconds": 60 * spent, "core_minutes": spent},
    }


def save_labels(record: dict, tracks: Tracks, arrays: dict[str, np.ndarray]) -> dict:
    """Score predictions of songs' labels, and save them with the record."""
    record["metrics"] = scoring.pooled_rows(arrays, arrays["mean"], tracks)
    return save(record | {"confusion": scoring.confusions(arrays, tracks)}, arrays, tracks)


def save_tags(record: dict, tracks: Tracks, arrays: dict[str, np.ndarray]) -> dict:
    """Score mean probabilities of test and validation songs, and save them with the record."""
    test = tracks.targets[arrays["test_track"]]
    record["data"]["prevalence"] = test.mean(axis=0).tolist()
    arrays |= {name: arrays[name].astype(np.float32) for name in ("test", "validation")}  # as they are stored
    record |= {"metrics": tag_scoring.metric_rows(tracks, arrays), "confusion": {}}
    return save(record, arrays | {"track": arrays["test_track"]}, tracks)


def save(record: dict, arrays: dict[str, np.ndarray], tracks: Tracks) -> dict:
    return results.save(record, arrays | {"track_id": tracks.table["track_id"].to_numpy(dtype=str)})
