"""Training the networks of a run, fold by fold; what they answered is stored, so that a killed run goes on where it stopped."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from mer_core import datasets, paths, results, splits
from mer_core.frames import Frames, compute, windows
from mer_core.methods import METHODS
from mer_core.runs import Run
from mer_core.training import Learner, Segments, best_device, segments


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


def part_path(run: Run, frames: Frames, fold: int, part: int) -> Path:
    """Where a network's answers lie: named by its settings, the annotations, the sound, and the code that trained it."""
    made_from = f"{frames.tracks.digest()} {frames.name} {results.code_digest(results.TRAINING_ROOMS)}"
    name = f"{run.training_id}-{hashlib.sha256(made_from.encode()).hexdigest()[:10]}"
    return paths.CACHE / "networks" / name / f"fold-{fold}-part-{part}.npz"


def seed_of(run: Run, fold: int, part: int) -> int:
    """A seed of its own for every network of a run, whatever the order in which they are trained."""
    return int(np.random.SeedSequence([run.seed, fold, part]).generate_state(1)[0])


def fit(run: Run, data: Segments, seed: int, on_epoch: Callable[[dict], None]) -> Learner:
    """Train one network on these segments by the run's method."""
    learner = Learner(run.network, run.training, data, seed, on_epoch)
    METHODS[run.method_name].train(learner, data, run.method)
    return learner


def train_part(run: Run, fold: int, part: int, on_epoch: Callable[[dict], None] = lambda row: None) -> Path:
    """Train one network of a fold and store its answers in the cache, in one step; a finished one is not repeated.

    Part 0 learns from all training songs and answers for the test songs, and for its own training songs (in sample). Part k
    leaves out inner fold k - 1 of the training songs and answers for that (out of fold).
    """
    frames, everything = load_segments(run, best_device())
    path = part_path(run, frames, fold, part)
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
    story = {
        "log": learner.log,
        "seconds": time.perf_counter() - began,
        "environment": results.environment(device_name(), torch.get_num_threads()),
        "code": results.code_state(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.npz")
    np.savez_compressed(fresh, story=json.dumps(story), **arrays)
    fresh.replace(path)
    return path


def half(probabilities: torch.Tensor) -> np.ndarray:
    return probabilities.cpu().numpy().astype(np.float16)


def read_fold(run: Run, frames: Frames, fold: int) -> dict:
    """The finished parts of a fold as one: ``test``, ``in_sample`` and ``out_of_fold`` probabilities with their tracks."""
    stored = []
    for part in parts(run):
        with np.load(part_path(run, frames, fold, part)) as arrays:
            stored.append(dict(arrays))
    first, *inner = stored
    out_of_fold = np.empty_like(first["in_sample"])
    for part in inner:
        out_of_fold[np.isin(first["training_track"], part["track"])] = part["probability"]
    return {
        "test_track": first["track"], "test_second": first["second"], "test": first["probability"],
        "training_track": first["training_track"], "in_sample": first["in_sample"], "out_of_fold": out_of_fold,
        "stories": [json.loads(str(part["story"])) for part in stored],
    }  # fmt: skip


def device_name() -> str:
    device = best_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
