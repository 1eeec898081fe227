"""One run: its settings, which are its identity, and the way from them to a record, fold by fold."""

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor, as_completed
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from mer_core import datasets, metrics, paths, results, significance, songs, splits
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, high_probability
from mer_core.features import LogMel
from mer_core.frames import Frames, compute, windows
from mer_core.methods import METHODS, self_learning
from mer_core.models import Network
from mer_core.songs import SongDecision
from mer_core.splits import Folds
from mer_core.tracks import Tracks
from mer_core.training import Learner, Segments, Training, best_device, segments


@dataclass(frozen=True)
class Run:
    """Everything that distinguishes one run from another; the defaults are SSSL as printed, where it is printed."""

    dataset: str = "4q"  # a registered name, or the path of your own music
    features: LogMel = LogMel()
    window_s: float = 3.0  # segment duration in seconds; a window starts every second
    method: object = self_learning.Settings()  # the Settings of one of mer_core.methods
    network: Network = Network()
    training: Training = Training()
    folds: Folds = Folds()
    song: SongDecision = SongDecision()
    skip_unreadable: bool = False  # leave out files that cannot be decoded; the record counts them
    seed: int = 0

    @property
    def method_name(self) -> str:
        return type(self.method).__module__.rpartition(".")[2]

    def config(self) -> dict:
        """All settings as plain values."""
        return asdict(self) | {"method": {"name": self.method_name, **asdict(self.method)}}

    @property
    def run_id(self) -> str:
        """Same settings, same name. Only settings that differ from their defaults count, so that a new field changes no name."""
        changed = json.dumps(_differences(self) | {"method": [self.method_name, _differences(self.method)]}, sort_keys=True)
        return hashlib.sha256(changed.encode()).hexdigest()[:10]


def _differences(settings) -> dict:
    """The fields of a settings object that differ from the defaults of its class."""
    found = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        if value != f.default:
            found[f.name] = _differences(value) if is_dataclass(value) else value
    return found


@lru_cache(maxsize=2)
def load_frames(run: Run) -> Frames:
    """Tracks and frames of a run, computed on first use; kept for the next fold."""
    tracks = datasets.load(run.dataset, skip_unreadable=run.skip_unreadable)
    return compute(tracks, run.features, skip_unreadable=run.skip_unreadable)


def load_segments(run: Run, device: torch.device) -> tuple[Frames, Segments]:
    frames = load_frames(run)
    return frames, segments(frames, windows(frames, run.window_s), device)


def tested_folds(run: Run) -> range:
    return range(run.folds.tested or run.folds.n)


def parts(run: Run) -> range:
    """The networks of a fold: one on all its training songs, and one for each inner fold."""
    return range(1 + run.folds.inner)


def part_path(run: Run, tracks: Tracks, fold: int, part: int) -> Path:
    return paths.CACHE / "folds" / f"{run.run_id}-{tracks.digest()}" / f"fold-{fold}-part-{part}.npz"


def seed_of(run: Run, fold: int, part: int) -> int:
    """A seed of its own for every network of a run, whatever the order in which they are trained."""
    return int(np.random.SeedSequence([run.seed, fold, part]).generate_state(1)[0])


def fit(run: Run, data: Segments, seed: int, on_epoch: Callable[[dict], None]) -> Learner:
    """Train one network on these segments by the run's method."""
    learner = Learner(run.network, run.training, data, seed, on_epoch)
    METHODS[run.method_name].train(learner, data, run.method)
    return learner


def train_part(run: Run, fold: int, part: int, on_epoch: Callable[[dict], None] = lambda row: None) -> Path:
    """Train one network of a fold and store its predictions in the cache, in one step; a finished one is not repeated.

    Part 0 learns from all training songs and answers for the test songs, and for its own training songs (in sample). Part k
    leaves out inner fold k - 1 of the training songs and answers for that (out of fold).
    """
    frames, everything = load_segments(run, best_device())
    path = part_path(run, frames.tracks, fold, part)
    if path.exists():
        return path
    began = time.perf_counter()
    of_track = splits.outer(frames.tracks, run.folds)
    training, unheard = np.flatnonzero(of_track != fold), np.flatnonzero(of_track == fold)
    if part:
        inner = splits.inner(frames.tracks, training, run.folds)
        training, unheard = training[inner != part - 1], training[inner == part - 1]
    data, held_out = everything.of_tracks(training), everything.of_tracks(unheard)
    learner = fit(run, data, seed_of(run, fold, part), on_epoch)
    arrays = {"track": held_out.track, "second": held_out.second, "probability": half(learner.predict(held_out))}
    if not part:
        arrays |= {"training_track": data.track, "in_sample": half(learner.predict(data))}
    cost = {"seconds": time.perf_counter() - began, "threads": torch.get_num_threads(), "device": device_name()}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".new.npz"), log=json.dumps(learner.log), cost=json.dumps(cost), **arrays)
    path.with_suffix(".new.npz").replace(path)
    return path


def half(probabilities: torch.Tensor) -> np.ndarray:
    return probabilities.cpu().numpy().astype(np.float16)


def read_fold(run: Run, tracks: Tracks, fold: int) -> dict:
    """The finished parts of a fold as one: ``test``, ``in_sample`` and ``out_of_fold`` probabilities with their tracks."""
    first, *inner = [dict(np.load(part_path(run, tracks, fold, part))) for part in parts(run)]
    out_of_fold = np.empty_like(first["in_sample"])
    for part in inner:
        out_of_fold[np.isin(first["training_track"], part["track"])] = part["probability"]
    return {
        "test_track": first["track"], "test_second": first["second"], "test": first["probability"],
        "training_track": first["training_track"], "in_sample": first["in_sample"], "out_of_fold": out_of_fold,
        "log": json.loads(str(first["log"])), "costs": [json.loads(str(part["cost"])) for part in (first, *inner)],
    }  # fmt: skip


def device_name() -> str:
    device = best_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


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


def metric_rows(truth, decided, mean_probability, groups, fold, n_classes: int, quadrants: bool) -> list[dict]:
    """Metrics in long form: pooled over the test folds with intervals, and per fold; for quadrants also valence and arousal."""
    rows = []

    def add(target: str, decision: str, n: int, truth: np.ndarray, called: np.ndarray) -> None:
        weights = significance.artist_weights(groups)
        for name, metric in (metrics.BINARY if n == 2 else metrics.MULTICLASS).items():
            low, high = significance.interval(significance.resampled(metric, truth, called, n, weights))
            pooled = {"name": name, "target": target, "decision": decision, "part": "test"}
            rows.append({**pooled, "fold": "all", "value": metric(metrics.confusion(truth, called, n)),
                         "low": low, "high": high, "n": len(truth)})  # fmt: skip
            for k in np.unique(fold):
                own = fold == k
                counts = metrics.confusion(truth[own], called[own], n)
                rows.append({**pooled, "fold": int(k), "value": metric(counts), "n": int(own.sum())})

    for decision, called in decided.items():
        add("emotion", decision, n_classes, truth, called)
        if quadrants:
            for dimension, high in (("valence", HIGH_VALENCE), ("arousal", HIGH_AROUSAL)):
                binary = high[called]
                if decision == "mean_probability":  # one network with four outputs answers by adding probabilities
                    binary = high_probability(mean_probability, dimension) > 0.5
                add(dimension, decision, 2, high[truth].astype(int), binary.astype(int))
    return rows


def summarise(run: Run, experiment: str, preset: str, label: str) -> Path:
    """Turn a run's finished folds into a record and its predictions."""
    frames = load_frames(run)
    tracks, n_classes = frames.tracks, len(frames.tracks.classes)
    collected: dict[str, list[np.ndarray]] = {}
    validation, log, costs = [], [], []
    for k in tested_folds(run):
        fold = read_fold(run, tracks, k)
        own = np.unique(fold["test_track"])
        decided = decide(fold, tracks.targets, run.song)
        part = {
            "track": own,
            "fold": np.full(len(own), k),
            "mean": songs.mean_probability(fold["test"], fold["test_track"]),
        }
        for name, values in (part | {f"decision_{name}": called for name, called in decided.items()}).items():
            collected.setdefault(name, []).append(values)
        for name in ("test_track", "test_second", "test"):
            collected.setdefault(name, []).append(fold[name])
        seen = tracks.targets[np.unique(fold["training_track"])]
        called = songs.mean_probability(fold["out_of_fold"], fold["training_track"]).argmax(axis=1)
        validation += [
            {"name": name, "target": "emotion", "decision": "mean_probability", "part": "validation", "fold": k,
             "value": value, "n": len(seen)}
            for name, value in metrics.scores(seen, called, n_classes).items()
        ]  # fmt: skip
        log.append(fold["log"])
        costs.append(fold["costs"])
    arrays = {name: np.concatenate(parts) for name, parts in collected.items()}
    track = arrays["track"]
    decided = {n.removeprefix("decision_"): v for n, v in arrays.items() if n.startswith("decision_")}
    rows = metric_rows(
        tracks.targets[track], decided, arrays["mean"], tracks.groups[track], arrays["fold"], n_classes,
        tracks.classes == QUADRANTS,
    )  # fmt: skip
    arrays |= {
        "track_id": tracks.table["track_id"].to_numpy(dtype=str),
        "truth": tracks.targets,
        "group": _numbers(tracks.groups),
    }
    record = {
        "experiment": experiment, "preset": preset, "label": label, "run_id": run.run_id, "config": run.config(),
        "data": {
            "name": tracks.name, "digest": tracks.digest(), "classes": tracks.classes, "n_tracks": len(tracks),
            "n_groups": len(set(tracks.groups)), "n_windows": len(windows(frames, run.window_s)), "n_tested": len(track),
            "n_skipped": len(tracks.skipped), "skipped": tracks.skipped,
        },
        "code": results.code_state(),
        "environment": results.environment(costs[0][0]["device"], costs[0][0]["threads"]),
        "cost": {
            "seconds": sum(cost["seconds"] for fold in costs for cost in fold),  # of training and predicting, added up
            "seconds_per_fold": [sum(cost["seconds"] for cost in fold) for fold in costs],
        },
        "metrics": rows + validation,
        "log": log,
    }  # fmt: skip
    return results.save(record, arrays)


def _numbers(groups: np.ndarray) -> np.ndarray:
    """Groups as numbers: enough to resample artists, without shipping anybody's metadata."""
    return np.unique(groups.astype(str), return_inverse=True)[1]


def execute(run: Run, experiment: str, preset: str, label: str, executor: Executor | None = None) -> dict:
    """The record of a run: loaded if it exists, else made; a killed run goes on at its first unfinished network.

    `executor`: any ``concurrent.futures.Executor`` (process pool, dask cluster) to train networks side by side; by default
    they are trained here, one after the other.
    """
    path = results.path_of(preset, experiment, label, run.run_id)
    if path.exists() and not results.is_stale(results.load(path)):
        return results.load(path)
    tracks = load_frames(run).tracks  # before any worker starts: they share the store
    splits.outer(tracks, run.folds)
    jobs = [(fold, part) for part in parts(run) for fold in tested_folds(run)]  # the large networks first
    with tqdm(total=len(jobs) * run.training.epochs, desc=label, unit="epoch") as bar:
        if executor is None:
            for fold, part in jobs:
                train_part(run, fold, part, on_epoch=lambda row: bar.update())
        else:
            for future in as_completed([executor.submit(train_part, run, fold, part) for fold, part in jobs]):
                future.result()
                bar.update(run.training.epochs)
    return results.load(summarise(run, experiment, preset, label))
