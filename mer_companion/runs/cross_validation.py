"""Training the networks of a run, fold by fold.

Their predictions are stored, so that a killed run goes on where it stopped.
"""

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from mer_companion import provenance
from mer_companion.runs.settings import LABELS, SHARES, Run
from mer_core import UserError, datasets, paths
from mer_core.audio.features import Features
from mer_core.datasets import splits
from mer_core.datasets.label_noise import NONE, ONE_LISTENER, LabelNoise
from mer_core.device import best_device, computes_with, device_name
from mer_core.emotion import HIGH, QUADRANTS
from mer_core.evaluation import song_decision
from mer_core.executors import arrived
from mer_core.files import atomic_write
from mer_core.finite import finite
from mer_core.frames import Frames, compute, windows
from mer_core.methods import METHODS
from mer_core.progress import progress_bar
from mer_core.segments import Segments, concatenate, make_segments
from mer_core.training import Learner

Answer = Callable[[Segments], torch.Tensor]  # (n, n_classes) probabilities of segments


def load_frames(run: Run) -> Frames:
    """Tracks and frames of a run, computed on first use and kept for runs on the same frames."""
    return _frames(run.dataset, run.features, run.skip_unreadable, paths.CACHE)


@lru_cache(maxsize=8)  # as many collections as are trained on together, and some
def _frames(dataset: str, features: Features, skip_unreadable: bool, cache: Path) -> Frames:
    tracks = datasets.load(dataset, skip_unreadable=skip_unreadable)
    datasets.refuse_another_copy(dataset, tracks)
    return compute(tracks, features, skip_unreadable=skip_unreadable, cache=cache / "frames")


def load_segments(run: Run, device: torch.device) -> tuple[Frames, Segments]:
    """Frames of a run and its windows, with the run's label noise in them, or with its target for labels.

    Raises
    ------
    UserError : a run with a target, on music whose labels are not quadrants
    """
    frames = load_frames(run)
    of_run = windows(frames, run.window_s, run.repeat_short)
    data = make_segments(frames, of_run, device, shares=run.targets == SHARES)
    data = data.evenly(1) if run.first_window else data
    if run.target:
        if frames.tracks.classes != QUADRANTS:
            remedy = "Leave the target out, or take music with labels Q1 to Q4."
            raise UserError(f"{run.dataset}: has no quadrants that tell {run.target}. {remedy}")
        data = data.grouped(HIGH[run.target])
    if run.noise.kind == NONE:
        return frames, data
    shares = frames.tracks.shares if run.noise.kind == ONE_LISTENER else None
    return frames, data.mislabelled(run.noise, run.seed, shares)


def tested_folds(run: Run) -> range:
    return range(run.folds.tested or run.folds.n)


def parts(run: Run) -> range:
    """The networks of a fold: one on all its training songs, and one for each inner fold."""
    return range(1 + run.folds.inner)


def networks_to_train(run: Run) -> list[tuple[int, int]]:
    """(fold, part) of every network, the large ones first."""
    return [(fold, part) for part in parts(run) for fold in tested_folds(run)]


def count(runs: list) -> int:
    """How many networks these runs train together; shared ones count once, runs without any add nothing."""
    training = [run for run in runs if isinstance(run, Run)]
    return len({(run.training_id, *network) for run in training for network in networks_to_train(run)})


def start(runs: list[Run], executor: Executor) -> dict[Path, Future]:
    """Hand the networks of some runs to an executor, each once: by where their predictions will be stored."""
    started: dict[Path, Future] = {}
    for run in runs:
        frames = load_frames(run)  # before any worker starts: they share the store
        for fold, part in networks_to_train(run):
            if (path := part_path(run, frames, fold, part)) not in started:
                started[path] = executor.submit(train_part, run, fold, part)
    return started


def train(run: Run, label: str, started: dict[Path, Future]) -> Frames:
    """Train all networks of a run here, one by one, but for those `started` elsewhere; gives its frames."""
    frames, networks = load_frames(run), networks_to_train(run)
    with progress_bar(total=len(networks) * run.training.epochs, desc=label, unit="epoch") as bar:
        for fold, part in networks:
            path = part_path(run, frames, fold, part)
            if future := started.get(path):
                arrived(future, path)
                bar.update(run.training.epochs)
            else:
                train_part(run, fold, part, on_epoch=lambda row: bar.update())
    return frames


def part_path(run: Run, frames: Frames, fold: int, part: int) -> Path:
    """Where a network's predictions are stored.

    Named by its settings, the annotations, all sound that it learns from, and the code that trains it.
    """
    sounds = " ".join([frames.name, *(load_frames(on_dataset(run, name)).name for name in run.unlabelled)])
    made_from = f"{frames.tracks.digest()} {sounds} {provenance.code_digest(provenance.OF_TRAINING)}"
    name = f"{run.training_id}-{hashlib.sha256(made_from.encode()).hexdigest()[:10]}"
    file = f"fold-{fold}-inner-{part}-of-{run.folds.inner}.npz" if part else f"fold-{fold}.npz"
    return paths.CACHE / "networks" / name / file


def first_stage_path(run: Run, frames: Frames, fold: int, part: int) -> Path | None:
    """Where the network of a method's first stage lies, shared by runs that differ in later ones; or None."""
    alone = getattr(METHODS[run.method_name], "first_stage", None)
    if alone is None:
        return None
    shared = replace(run, method=alone(run.method), unlabelled=())
    return part_path(shared, frames, fold, part).with_suffix(".safetensors")


def seed_of(run: Run, fold: int, part: int) -> int:
    """A seed of its own for every network of a run, whatever the order in which they are trained."""
    return int(np.random.SeedSequence([run.seed, fold, part]).generate_state(1)[0])


def divided(run: Run, frames: Frames, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """The training and test songs of a fold, as rows of the tracks."""
    return splits.songs_of(frames.tracks, run.folds, fold)[:2]


def fit(
    run: Run,
    data: Segments,
    seed: int,
    on_epoch: Callable[[dict], None],
    test: Segments | None = None,
    validation: Segments | None = None,
    first_stage: Path | None = None,
) -> tuple[Answer, Learner]:
    """Train on these segments by the run's method; gives what predicts others, and the network with its log.

    Parameters
    ----------
    test : segments of other songs, for a learning curve: predicted after every epoch
    validation : those of still others, which say when to stop, where the run asks for patience
    first_stage : where the method's first stage is kept for other runs
    """

    def after_epoch(row: dict) -> None:
        if test is not None:
            row.update(learning_curve(learner, data, test))
        on_epoch(row)

    data = data.with_crops_of(seed)
    learner = Learner(run.network, run.training, data, seed, after_epoch, validation, first_stage)
    return METHODS[run.method_name].train(learner, data, run.method), learner


def learning_curve(learner: Learner, data: Segments, test: Segments) -> dict[str, float]:
    """Accuracy on the windows that a network learns from, on test windows and on test songs."""
    learned = data.in_epoch(0, learner.training.stride)
    probabilities = learner.predict(test)
    predicted = song_decision.mean_probability(probabilities.cpu().numpy(), test.track).argmax(axis=1)
    labels = test.label.cpu().numpy()[np.unique(test.track, return_index=True)[1]]
    right = learner.predict(data, learned).argmax(dim=1) == data.label[learned]
    return {
        "learned_windows": float(right.float().mean()),
        "unheard_windows": float((probabilities.argmax(dim=1) == test.label).float().mean()),
        "unheard_songs": float((predicted == labels).mean()),
    }


def train_part(run: Run, fold: int, part: int, on_epoch: Callable[[dict], None] = lambda row: None) -> Path:
    """Train one network of a fold and store its predictions, atomically; a finished one is not repeated.

    Part 0 learns from all training songs. It predicts the test songs, its own training songs (in sample), and
    the run's external tests. Part k leaves out inner fold k - 1 of the training songs, and predicts that (out
    of fold) and the test songs.
    """
    frames, everything = load_segments(run, best_device())
    path = part_path(run, frames, fold, part)
    if path.exists():
        return path
    began = time.perf_counter()
    training, tested, validating = splits.songs_of(frames.tracks, run.folds, fold)
    test = everything.of_tracks(tested)
    predicted = {"test": test}
    if len(validating):
        predicted["validation"] = everything.of_tracks(validating)
    if n := run.windows_per_song:
        predicted = {name: own.evenly(n) for name, own in predicted.items()}
    if part:
        inner = splits.inner(frames.tracks, training, run.folds)
        predicted["out_of_fold"] = everything.of_tracks(training[inner == part - 1])
        training = training[inner != part - 1]
    data = replace(everything.of_tracks(training), unlabelled=without_labels(run, everything.device))
    watched = test if run.learning_curve and not part else None
    kept = first_stage_path(run, frames, fold, part)
    validation = predicted.get("validation")
    answer, learner = fit(run, data, seed_of(run, fold, part), on_epoch, watched, validation, kept)
    if not part and not frames.tracks.tagged:
        predicted["in_sample"] = data  # what a song-level machine learns from
    for i, name in enumerate(() if part else run.external_tests):
        predicted[f"heard_{i}"] = load_segments(on_dataset(run, name), data.device)[1]
    arrays = {}
    for name, own in predicted.items():
        arrays |= {name: half(answer(own)), f"{name}_track": own.track, f"{name}_second": own.second}
    made = {
        "log": learner.log,
        "seconds": time.perf_counter() - began + learner.first_stage_s,  # as if nothing had been kept
        "environment": environment(learner),
        "code": provenance.code_state(),
    }
    with atomic_write(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, training=json.dumps(made), **arrays)
    return path


def without_labels(run: Run, device: torch.device) -> Segments | None:
    """The windows of all data sets that the run may learn from without their labels, or None."""
    found = [load_segments(on_dataset(run, name), device)[1] for name in run.unlabelled]
    return concatenate(found) if found else None


def half(probabilities: torch.Tensor) -> np.ndarray:
    """As they are stored; raises UserError where some are not finite."""
    stored = probabilities.cpu().numpy().astype(np.float16)
    return finite(stored, "a network's probabilities", "Lower training.learning_rate, or take another seed.")


def on_dataset(run: Run, dataset: str) -> Run:
    """The same run on another data set, whose labels are left as they are."""
    return replace(run, dataset=dataset, noise=LabelNoise(), targets=LABELS, external_tests=(), unlabelled=())


def read_fold(run: Run, frames: Frames, fold: int) -> list[dict]:
    """The finished parts of a fold, the network on all training songs first.

    Each has the probabilities ``test``, with ``test_track`` and ``test_second``; the first also ``in_sample``
    and ``heard_0``, ``heard_1``, ... of external tests, the others ``out_of_fold``; and ``training``: the
    log, seconds, environment and code of its training.
    """
    stored = []
    for part in parts(run):
        with np.load(part_path(run, frames, fold, part)) as arrays:
            stored.append(dict(arrays) | {"training": json.loads(str(arrays["training"]))})
    return stored


def environment(learner: Learner) -> dict:
    """Versions and machine as in all records, and how the network was computed there."""
    here = provenance.environment(device_name(), torch.get_num_threads())
    return here | computes_with(learner.device, learner.training.precision)
