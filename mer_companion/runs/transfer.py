"""Trained on one collection or several joined, tested on each: what a source knows about other music.

The network of a source and a fold k learns from the source's songs outside fold k, and predicts the songs in
fold k of every collection. So each song is predicted once per training by every source, never by a network
that learned from it, and home and elsewhere differ in nothing but the source.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mer_companion import provenance
from mer_companion.runs import cross_validation
from mer_companion.runs.scoring import HIGH, truth_of
from mer_companion.runs.settings import Run, Transfer
from mer_core import datasets, paths
from mer_core.datasets import splits
from mer_core.datasets.tracks import Tracks
from mer_core.emotion import high_probability
from mer_core.evaluation import calibration, metrics, significance, song_decision
from mer_core.executors import arrived
from mer_core.files import atomic_write
from mer_core.frames import Frames
from mer_core.methods import METHODS
from mer_core.progress import progress_bar
from mer_core.segments import Segments, concatenate
from mer_core.training import Learner

CPU = torch.device("cpu")
OTHERS = "others"  # as a tested collection: all pooled ones but the source, joined
MOST_FREQUENT = "most_frequent"  # as a source: a collection's own most frequent class, which needs no music
IN_ALL_ROWS = {"decision": song_decision.MAIN_DECISION, "part": "test", "fold": "all"}
SCORES = {"accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}


def networks(study: Transfer) -> Iterator[tuple[str, int, int]]:
    """(source, training, fold) of every network: complete trainings of all sources first."""
    for training in range(study.trainings):
        for source in study.sources:
            for fold in range(study.base.folds.n):
                yield source, training, fold


def run_of(study: Transfer, source: str, training: int) -> Run:
    """The settings of a source's networks of one training."""
    learned = "+".join(study.sources[source])
    seed = study.seed + training
    return replace(study.base, dataset=learned, external_tests=study.collections, seed=seed)


def loaded(study: Transfer) -> dict[str, tuple[Frames, Segments]]:
    """Frames and windows of each collection."""
    runs = {name: replace(study.base, dataset=name) for name in study.collections}
    return {name: cross_validation.load_segments(run, CPU) for name, run in runs.items()}


def path_of(study: Transfer, source: str, training: int, fold: int) -> Path:
    """Where a network's predictions are stored, named by all that they depend on."""
    run = run_of(study, source, training)
    every = [cross_validation.load_frames(replace(study.base, dataset=name)) for name in study.collections]
    sounds = " ".join(f"{frames.tracks.digest()} {frames.name}" for frames in every)
    made_from = f"{sounds} {provenance.code_digest(provenance.OF_TRAINING)}"
    name = f"{run.training_id}-{hashlib.sha256(made_from.encode()).hexdigest()[:10]}"
    return paths.CACHE / "networks" / name / f"transfer-fold-{fold}.npz"


def start(study: Transfer, executor: Executor) -> dict[Path, Future]:
    """Hand the networks that are missing to an executor: by where their predictions will be stored."""
    missing = {path_of(study, *network): network for network in networks(study)}
    return {
        path: executor.submit(train_one, study, *network)
        for path, network in missing.items()
        if not path.exists()
    }


def train_one(study: Transfer, source: str, training: int, fold: int) -> Path:
    """Train one network and store its probabilities of the songs in its fold of every collection."""
    path = path_of(study, source, training, fold)
    if path.exists():
        return path
    began, run, music = time.perf_counter(), run_of(study, source, training), loaded(study)
    fold_of = {name: splits.outer(frames.tracks, run.folds) for name, (frames, _) in music.items()}
    learned = [
        music[name][1].of_tracks(np.flatnonzero(fold_of[name] != fold)) for name in study.sources[source]
    ]
    data = replace(concatenate(learned), label=torch.cat([own.label for own in learned]))
    learner = Learner(run.network, run.training, data, cross_validation.seed_of(run, fold, 0))
    answer, arrays = METHODS[run.method_name].train(learner, data, run.method), {}
    for i, name in enumerate(study.collections):
        tested = music[name][1].of_tracks(np.flatnonzero(fold_of[name] == fold))
        mean = song_decision.mean_probability(answer(tested).numpy(), tested.track)
        arrays |= {f"tested_{i}": mean.astype(np.float16), f"tested_{i}_track": np.unique(tested.track)}
    made = {
        "seconds": time.perf_counter() - began,
        "environment": cross_validation.environment(learner),
        "code": provenance.code_state(),
    }
    with atomic_write(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, training=json.dumps(made), **arrays)
    return path


def collected(study: Transfer, started: dict[Path, Future]) -> tuple[Tracks, np.ndarray, list[dict]]:
    """Predictions of all networks, trained here where they are not `started` elsewhere.

    Returns
    -------
    all collections' tracks as one; (n_sources, n_trainings, n_songs, n_classes) float16 probabilities of
    their songs; how each network was made
    """
    tracks, sources = datasets.load(study.dataset), list(study.sources)
    rows = rows_of_collections(tracks, study.collections)
    shape = len(sources), study.trainings, len(tracks), len(tracks.classes)
    predicted, made, every = np.full(shape, np.nan, dtype=np.float16), [], list(networks(study))
    for source, training, fold in progress_bar(every, desc="transfer", unit="network"):
        path = path_of(study, source, training, fold)
        if path in started:
            arrived(started[path], path)
        with np.load(train_one(study, source, training, fold)) as stored:
            for i, own in enumerate(rows):
                predicted[sources.index(source), training, own[stored[f"tested_{i}_track"]]] = stored[
                    f"tested_{i}"
                ]
            made.append(json.loads(str(stored["training"])))
    return tracks, predicted, made


def rows_of_collections(tracks: Tracks, collections: tuple[str, ...]) -> list[np.ndarray]:
    """The rows of joined tracks that each collection's own tracks became, in their order."""
    return [np.flatnonzero(tracks.table["collection"] == name) for name in collections]


def rows_of(config: dict, predicted: np.ndarray, tracks: Tracks) -> list[dict]:
    """The metrics of every source on every collection, from what is recorded of the study.

    Sources that join several collections are also compared with the tested collection's own networks, on the
    same songs (``macro_f1_gain``, ``accuracy_gain``).
    """
    collections, pooled = config["dataset"].split("+"), config["pooled"]
    sources = list(Transfer(dataset=config["dataset"], pooled=tuple(pooled)).sources)
    own_rows = dict(zip(collections, rows_of_collections(tracks, tuple(collections)), strict=True))
    rows = []
    for name, own in own_rows.items():
        rows += of_most_frequent(name, own, tracks)
        home = predicted[sources.index(name)][:, own]
        for source, probabilities in zip(sources, predicted, strict=True):
            found = scored(probabilities[:, own], own, tracks)
            if source not in collections and name in pooled:
                found += gains(probabilities[:, own], home, own, tracks)
            rows += [{"source": source, "dataset": name} | row for row in found]
    for source in collections:
        others = [own for name, own in own_rows.items() if name in pooled and name != source]
        if len(others) > 1:
            joined = np.sort(np.concatenate(others))
            found = scored(predicted[sources.index(source)][:, joined], joined, tracks)
            rows += [{"source": source, "dataset": OTHERS} | row for row in found]
    return rows


def decided(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Classes by target from probabilities (..., n_classes) of quadrants."""
    high = {target: high_probability(probabilities.astype(float), target) > 0.5 for target in HIGH}
    return {"emotion": probabilities.argmax(axis=-1)} | {
        name: is_high.astype(int) for name, is_high in high.items()
    }


def scored(probabilities: np.ndarray, own: np.ndarray, tracks: Tracks) -> list[dict]:
    """Scores and calibration error of some songs, means over trainings, with intervals over groups.

    Parameters
    ----------
    probabilities : (n_trainings, n_songs, 4); own : (n_songs,) which tracks these are
    """
    truth, groups, rows = tracks.targets[own], tracks.groups[own], []
    for target, classes in decided(probabilities).items():
        n = 2 if target in HIGH else len(tracks.classes)
        for name, metric in SCORES.items():
            found = significance.seed_averaged(truth_of(target, truth), classes, groups, metric, n)
            rows.append(IN_ALL_ROWS | {"target": target, "name": name, "n": len(own)} | found._asdict())
    p = probabilities.astype(float)
    correct, song = p.argmax(axis=2) == truth, np.tile(np.arange(len(own)), len(p))
    found = calibration.calibration_error(p.max(axis=2).ravel(), correct.ravel(), song, groups)
    of_probabilities = {"target": "emotion", "name": "calibration_error", "n": len(own)}
    return [*rows, IN_ALL_ROWS | of_probabilities | found._asdict()]


def gains(several: np.ndarray, home: np.ndarray, own: np.ndarray, tracks: Tracks) -> list[dict]:
    """What networks of several collections are better by than those of the tested one alone."""
    a, b, rows = decided(several)["emotion"], decided(home)["emotion"], []
    for name, metric in SCORES.items():
        found = significance.seed_averaged_difference(
            tracks.targets[own], a, b, tracks.groups[own], metric, len(tracks.classes)
        )
        rows.append(
            IN_ALL_ROWS | {"target": "emotion", "name": f"{name}_gain", "n": len(own)} | found._asdict()
        )
    return rows


def of_most_frequent(name: str, own: np.ndarray, tracks: Tracks) -> list[dict]:
    """What a collection's most frequent class scores there, always predicted."""
    truth, rows = tracks.targets[own], []
    for target in ("emotion", *HIGH):
        right, n = truth_of(target, truth), 2 if target in HIGH else len(tracks.classes)
        constant = np.full((1, len(own)), np.bincount(right).argmax())
        for score, metric in SCORES.items():
            found = significance.seed_averaged(right, constant, tracks.groups[own], metric, n)
            row = {"source": MOST_FREQUENT, "dataset": name, "target": target, "name": score, "n": len(own)}
            rows.append(IN_ALL_ROWS | row | found._asdict())
    return rows
