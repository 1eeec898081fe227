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


def fold_path(run: Run, tracks: Tracks, fold: int) -> Path:
    return paths.CACHE / "folds" / f"{run.run_id}-{tracks.digest()}" / f"fold-{fold}.npz"


def seed_of(run: Run, fold: int, part: int) -> int:
    """A seed of its own for every network of a run, whatever the order in which they are trained."""
    return int(np.random.SeedSequence([run.seed, fold, part]).generate_state(1)[0])


def fit(run: Run, data: Segments, seed: int, on_epoch: Callable[[dict], None]) -> Learner:
    """Train one network on these segments by the run's method."""
    learner = Learner(run.network, run.training, data, seed, on_epoch)
    METHODS[run.method_name].train(learner, data, run.method)
    return learner


def train_fold(run: Run, fold: int, on_epoch: Callable[[dict], None] = lambda row: None) -> Path:
    """Train on all folds but one, predict that one; out-of-fold predictions of the training songs come from inner folds.

    Everything the song level needs is written to the cache at the end, in one step; a finished fold is not repeated.
    """
    frames, everything = load_segments(run, best_device())
    path = fold_path(run, frames.tracks, fold)
    if path.exists():
        return path
    began = time.perf_counter()
    of_track = splits.outer(frames.tracks, run.folds)
    training, test = np.flatnonzero(of_track != fold), np.flatnonzero(of_track == fold)

    data = everything.of_tracks(training)
    learner = fit(run, data, seed_of(run, fold, 0), on_epoch)
    held_out, in_sample = everything.of_tracks(test), learner.predict(data)
    out_of_fold = torch.empty_like(in_sample)
    inner = splits.inner(frames.tracks, training, run.folds)
    for k in range(run.folds.inner):
        part = fit(run, everything.of_tracks(training[inner != k]), seed_of(run, fold, 1 + k), on_epoch)
        unseen = np.isin(data.track, training[inner == k])
        out_of_fold[torch.from_numpy(unseen)] = part.predict(everything.of_tracks(training[inner == k]))

    arrays = {
        "test_track": held_out.track, "test_second": held_out.second, "test": learner.predict(held_out),
        "training_track": data.track, "in_sample": in_sample, "out_of_fold": out_of_fold,
    }  # fmt: skip
    arrays = {k: v.cpu().numpy().astype(np.float16) if isinstance(v, torch.Tensor) else v for k, v in arrays.items()}
    cost = {"seconds": time.perf_counter() - began, "threads": torch.get_num_threads(), "device": device_name()}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path.with_suffix(".new.npz"), log=json.dumps(learner.log), cost=json.dumps(cost), **arrays)
    path.with_suffix(".new.npz").replace(path)
    return path


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
        with np.load(fold_path(run, tracks, k)) as stored:
            fold = dict(stored)
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
        log.append(json.loads(str(fold["log"])))
        costs.append(json.loads(str(fold["cost"])))
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
        "environment": results.environment(costs[0]["device"], costs[0]["threads"]),
        "cost": {"seconds": sum(cost["seconds"] for cost in costs), "seconds_per_fold": [c["seconds"] for c in costs]},
        "metrics": rows + validation,
        "log": log,
    }  # fmt: skip
    return results.save(record, arrays)


def _numbers(groups: np.ndarray) -> np.ndarray:
    """Groups as numbers: enough to resample artists, without shipping anybody's metadata."""
    return np.unique(groups.astype(str), return_inverse=True)[1]


def execute(run: Run, experiment: str, preset: str, label: str, executor: Executor | None = None) -> dict:
    """The record of a run: loaded if it exists, else made; a killed run goes on at its first unfinished fold.

    `executor`: any ``concurrent.futures.Executor`` (process pool, dask cluster) to train folds side by side; by default they
    are trained here, one after the other.
    """
    path = results.path_of(preset, experiment, label, run.run_id)
    if path.exists() and not results.is_stale(results.load(path)):
        return results.load(path)
    frames = load_frames(run)  # before any worker starts: they share the store
    splits.outer(frames.tracks, run.folds)
    folds = tested_folds(run)
    with tqdm(total=len(folds) * run.training.epochs * (1 + run.folds.inner), desc=label, unit="epoch") as bar:
        if executor is None:
            for k in folds:
                train_fold(run, k, on_epoch=lambda row: bar.update())
        else:
            for future in as_completed([executor.submit(train_fold, run, k) for k in folds]):
                future.result()
                bar.update(bar.total // len(folds))
    return results.load(summarise(run, experiment, preset, label))
