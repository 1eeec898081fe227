"""Many short trainings on labels with known noise, as one record: which method bears which noise.

A cell of the map is one method under one noise on one front end and network. In every partition of the songs
into folds each fold is tested by a network of its own; the networks of a fold share a seed, which draws the
noise too, so that methods meet the same wrong labels.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mer_companion.runs import cross_validation
from mer_companion.runs.settings import NoiseMap, Run
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import metrics, significance, song_decision
from mer_core.files import atomic_write
from mer_core.frames import Frames
from mer_core.methods import METHODS
from mer_core.progress import progress_bar
from mer_core.segments import Segments
from mer_core.training import Learner

CPU = torch.device("cpu")
# per epoch: training loss; AUC by which the loss tells right from wrong labels; of wrong labels, the share
# predicted as given and the share predicted rightly; right labels among those kept; wrong ones among those
# erased
CURVES = ("loss", "auc", "memorised", "corrected", "purity", "recall")
SCORES = {"accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}


def networks(study: NoiseMap) -> Iterator[tuple[int, int, Run, int]]:
    """(cell, partition, run, fold) of every network: complete partitions first, then cell by cell."""
    for i, partition in enumerate(study.partitions):
        for cell, run in enumerate(study.cells):
            for fold in range(run.folds.n):
                folds = replace(run.folds, seed=partition, inner=0)
                yield cell, i, replace(run, dataset=study.dataset, folds=folds, seed=study.seed + fold), fold


def start(study: NoiseMap, executor: Executor) -> dict[Path, Future]:
    """Hand the networks that are missing to an executor: by where their results will be stored."""
    started = {}
    for _, _, run, fold in networks(study):
        path = path_of(run, cross_validation.load_frames(run), fold)
        if not path.exists():
            started[path] = executor.submit(train_one, run, fold)
    return started


def path_of(run: Run, frames: Frames, fold: int) -> Path:
    """Where a network's results are stored, named by all that they depend on."""
    return cross_validation.part_path(run, frames, fold, 0).with_name(f"known-noise-fold-{fold}.npz")


def train_one(run: Run, fold: int) -> Path:
    """Train one network and store what it predicts for the songs of its fold, and its curves."""
    frames, everything = cross_validation.load_segments(run, CPU)
    path = path_of(run, frames, fold)
    if path.exists():
        return path
    began = time.perf_counter()
    training, tested = cross_validation.divided(run, frames, fold)
    data, test = everything.of_tracks(training), everything.of_tracks(tested)
    true = torch.as_tensor(frames.tracks.targets[data.track])

    def after_epoch(row: dict) -> None:
        row.update(of_wrong_labels(learner, data, true))

    learner = Learner(run.network, run.training, data, cross_validation.seed_of(run, fold, 0), after_epoch)
    predicted = METHODS[run.method_name].train(learner, data, run.method)(test).numpy()
    curves = [[row.get(name) for name in CURVES] for row in map(with_recall, learner.log)]
    made = {
        "seconds": time.perf_counter() - began,
        "environment": cross_validation.environment(learner),
        "code": cross_validation.provenance.code_state(),
    }
    arrays = {
        "track": np.unique(test.track),
        "mean": song_decision.mean_probability(predicted, test.track).astype(np.float32),
        "curves": np.array(curves, dtype=np.float32),
    }
    with atomic_write(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, training=json.dumps(made), **arrays)
    return path


def of_wrong_labels(learner: Learner, data: Segments, true: torch.Tensor) -> dict[str, float]:
    """What a network makes of the wrong labels among those of an epoch's windows."""
    index = data.in_epoch(0, learner.training.stride)
    given, predicted = data.label[index], learner.predict(data, index)
    wrong, chosen = given != true[index], predicted.argmax(dim=1)
    if not wrong.any():
        return {}
    own = predicted.gather(1, given[:, None])[:, 0]
    return {
        "auc": metrics.roc_auc((~wrong).numpy(), own.numpy()),
        "memorised": float((chosen == given)[wrong].float().mean()),
        "corrected": float((chosen == true[index])[wrong].float().mean()),
    }


def with_recall(row: dict) -> dict:
    """An epoch's row of the log with the purity of the kept labels and the recall of the wrong ones."""
    if row.get("truly_clean_in_clean_set") is None or row.get("truly_clean", 1) == 1:
        return row
    purity, n = row["truly_clean_in_clean_set"], row["n_clean"] + row["n_noisy"]
    missed = row["n_clean"] * (1 - purity) / (n * (1 - row["truly_clean"]))
    return row | {"purity": purity, "recall": 1 - missed}


def collected(
    study: NoiseMap, started: dict[Path, Future]
) -> tuple[Frames, dict[str, np.ndarray], list[dict]]:
    """Results of all networks, trained here where they are not `started` elsewhere.

    Returns
    -------
    frames, arrays and how each network was made; arrays: ``predicted`` (n_cells, n_partitions, n_songs) int8
    classes, ``curves`` (n_cells, n_epochs, n_curves), means over a cell's networks, NaN where there is none
    """
    frames = cross_validation.load_frames(replace(study.cells[0], dataset=study.dataset))
    shape = len(study.cells), len(study.partitions), len(frames.tracks)
    predicted, curves, made = np.full(shape, -1, dtype=np.int8), [[] for _ in study.cells], []
    all_networks = list(networks(study))
    for cell, i, run, fold in progress_bar(all_networks, desc="noise map", unit="network"):
        path = path_of(run, cross_validation.load_frames(run), fold)
        if path in started:
            started[path].result()
        with np.load(train_one(run, fold)) as stored:
            predicted[cell, i, stored["track"]] = stored["mean"].argmax(axis=1)
            curves[cell].append(stored["curves"])
            made.append(json.loads(str(stored["training"])))
    return frames, {"predicted": predicted, "curves": means_of(curves)}, made


def means_of(curves: list[list[np.ndarray]]) -> np.ndarray:
    """(n_cells, n_epochs, n_curves): each cell's mean over its networks, shorter ones filled up with NaN."""
    longest = max(len(own[0]) for own in curves)
    filled = np.full((len(curves), longest, len(CURVES)), np.nan, dtype=np.float32)
    for row, own in zip(filled, curves, strict=True):
        row[: len(own[0])] = np.mean(own, axis=0)
    return filled


def rows_of(cells: list[dict], predicted: np.ndarray, tracks: Tracks) -> list[dict]:
    """Each cell's scores over partitions, and how much better they are than plain training's under its noise.

    Parameters
    ----------
    cells : what names each cell; ``method`` tells it from its reference, all else is the same
    predicted : (n_cells, n_partitions, n_songs) classes
    """
    truth, groups, n = tracks.targets, tracks.groups, len(tracks.classes)
    place = {naming(cell): i for i, cell in enumerate(cells)}
    rows = []
    for cell, own in zip(cells, predicted, strict=True):
        shared = cell | {"target": "emotion", "decision": song_decision.MAIN_DECISION, "part": "test"}
        reference = place.get(naming(cell | {"method": REFERENCE}))
        for name, metric in SCORES.items():
            found = significance.seed_averaged(truth, own, groups, metric, n)
            rows.append(shared | {"name": name, "fold": "all", "n": len(truth)} | found._asdict())
            if reference is not None and cell["method"] != REFERENCE:
                theirs = predicted[reference]
                gain = significance.seed_averaged_difference(truth, own, theirs, groups, metric, n)
                rows.append(
                    shared | {"name": f"{name}_gain", "fold": "all", "n": len(truth)} | gain._asdict()
                )
    return rows


REFERENCE = "inherit"


def naming(cell: dict) -> tuple:
    return tuple(cell[name] for name in ("method", "noise", "unit", "rate", "setting"))
