"""Many short trainings on labels with known noise, as one record: which method bears which noise.

A cell of the map is one method under one noise on one front end and network. In every partition of the songs
into folds each fold is tested by a network of its own, once or in several trainings; a fold's seeds are the
same for all methods and draw the noise, too, so that methods meet the same wrong labels.
"""

import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mer_companion.runs import cross_validation, listeners, scoring
from mer_companion.runs.settings import NoiseMap, Run
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import metrics, significance, song_decision
from mer_core.evaluation.song_decision import MAIN_DECISION
from mer_core.executors import arrived
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
NAMED_BY = ("method", "noise", "unit", "rate", "setting")  # what tells cells apart
IN_ALL_ROWS = {"target": "emotion", "part": "test", "fold": "all"}
SVM = "svm_in_sample"
SCORES = {"accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}


def networks(study: NoiseMap) -> Iterator[tuple[int, int, Run, int]]:
    """(cell, repetition, run, fold) of every network: complete partitions first, then cell by cell."""
    for repetition in range(n_repetitions(study)):
        partition, training = divmod(repetition, study.trainings)
        for cell, run in enumerate(study.cells):
            for fold in range(run.folds.n) if partition in study.partitions[cell] else ():
                folds = replace(run.folds, seed=partition, inner=0)
                seed = study.seed + training * run.folds.n + fold
                yield cell, repetition, replace(run, dataset=study.dataset, folds=folds, seed=seed), fold


def n_repetitions(study: NoiseMap) -> int:
    """How often all songs are tested: in every partition by every training."""
    return study.trainings * (1 + max(max(own) for own in study.partitions))


def start(study: NoiseMap, executor: Executor) -> dict[Path, Future]:
    """Hand the networks that are missing to an executor: by where their results will be stored."""
    started = {}
    for cell, _, run, fold in networks(study):
        kept = study.svm, cell in listeners.watched_cells(study.config())
        path = path_of(run, cross_validation.load_frames(run), fold, *kept)
        if not path.exists():
            started[path] = executor.submit(train_one, run, fold, *kept)
    return started


def path_of(run: Run, frames: Frames, fold: int, svm: bool = False, windows: bool = False) -> Path:
    """Where a network's results are stored, named by all that they depend on."""
    name = f"known-noise-{'svm-' if svm else ''}{'windows-' if windows else ''}fold-{fold}.npz"
    return cross_validation.part_path(run, frames, fold, 0).with_name(name)


def train_one(run: Run, fold: int, svm: bool = False, windows: bool = False) -> Path:
    """Train one network and store what it predicts for the songs of its fold, and its curves.

    With `windows` also how it judged every window's label, in training and out of fold.
    """
    frames, everything = cross_validation.load_segments(run, CPU)
    path = path_of(run, frames, fold, svm, windows)
    if path.exists():
        return path
    began = time.perf_counter()
    training, tested = cross_validation.divided(run, frames, fold)
    data, test = everything.of_tracks(training), everything.of_tracks(tested)
    true = torch.as_tensor(frames.tracks.targets[data.track])
    watched = listeners.Watched(run.method) if windows else None

    def after_epoch(row: dict) -> None:
        row.update(of_wrong_labels(learner, data, true))
        if watched:
            watched.after_epoch(row["epoch"], learner, data)

    learner = Learner(run.network, run.training, data, cross_validation.seed_of(run, fold, 0), after_epoch)
    answer = METHODS[run.method_name].train(learner, data, run.method)
    predicted = answer(test).numpy()
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
    if watched:
        arrays |= watched.arrays() | listeners.out_of_fold(predicted, test)
    if svm:
        part = {"in_sample": answer(data).numpy(), "in_sample_track": data.track}
        part |= {"test": predicted, "test_track": test.track}
        arrays[SVM] = scoring.decide([part], frames.tracks.targets, run.song)[SVM]
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
    frames, arrays and how each network was made; arrays: of every decision (n_cells, n_repetitions, n_songs)
    int8 classes, -1 where a cell lacks a partition; ``curves`` (n_cells, n_epochs, n_curves), means over a
    cell's networks, NaN where there is none; with `study.windows` those of `listeners.Windows`, and
    ``detection`` (n_cells, n_networks), each network's last AUC
    """
    frames = cross_validation.load_frames(replace(study.cells[0], dataset=study.dataset))
    shape = len(study.cells), n_repetitions(study), len(frames.tracks)
    arrays = {name: np.full(shape, -1, dtype=np.int8) for name in decisions_of(study)}
    curves, made, all_networks = [[] for _ in study.cells], [], list(networks(study))
    windows = listeners.Windows(study, frames) if study.windows else None
    for cell, repetition, run, fold in progress_bar(all_networks, desc="noise map", unit="network"):
        kept = study.svm, windows is not None and cell in windows.cells
        path = path_of(run, cross_validation.load_frames(run), fold, *kept)
        if path in started:
            arrived(started[path], path)
        with np.load(train_one(run, fold, *kept)) as stored:
            decided = {MAIN_DECISION: stored["mean"].argmax(axis=1)}
            decided |= {SVM: stored[SVM]} if study.svm else {}
            for name, classes in decided.items():
                arrays[name][cell, repetition, stored["track"]] = classes
            if windows and cell in windows.cells:
                windows.add(cell, repetition, stored)
            curves[cell].append(stored["curves"])
            made.append(json.loads(str(stored["training"])))
    if windows:
        last = np.array([[network[-1, CURVES.index("auc")] for network in own] for own in curves])
        arrays |= windows.arrays() | {"detection": last.astype(np.float32)}
    return frames, arrays | {"curves": means_of(curves)}, made


def decisions_of(study: NoiseMap) -> list[str]:
    return [MAIN_DECISION, SVM] if study.svm else [MAIN_DECISION]


def means_of(curves: list[list[np.ndarray]]) -> np.ndarray:
    """(n_cells, n_epochs, n_curves): each cell's mean over its networks, shorter ones filled up with NaN."""
    longest = max(len(own[0]) for own in curves)
    filled = np.full((len(curves), longest, len(CURVES)), np.nan, dtype=np.float32)
    for row, own in zip(filled, curves, strict=True):
        row[: len(own[0])] = np.mean(own, axis=0)
    return filled


def rows_of(config: dict, arrays: dict[str, np.ndarray], tracks: Tracks) -> list[dict]:
    """The metrics of all decisions of a map, from its settings and its arrays (`collected`)."""
    names = [name for name in (MAIN_DECISION, SVM) if name in arrays]
    rows = [row for name in names for row in rows_of_decision(config, arrays[name], tracks, name)]
    return rows + (listeners.rows_of(config, arrays, tracks) if config.get("windows") else [])


def rows_of_decision(config: dict, predicted: np.ndarray, tracks: Tracks, decision: str) -> list[dict]:
    """Each cell's scores over repetitions, and its gain on the references under the same noise.

    A cell differs from its reference in ``method`` alone. ``macro_f1_gain`` is the difference from the first
    reference, ``macro_f1_gain_on_self_learning`` from another of this name.
    """
    cells, trainings = config["cells"], config["trainings"]
    first, *others = config.get("references", NoiseMap.references)
    references = {first: "gain"} | {name: f"gain_on_{name}" for name in others}

    def repetitions(partitions: Iterable[int]) -> list[int]:
        return [partition * trainings + i for partition in sorted(partitions) for i in range(trainings)]

    truth, groups, n = tracks.targets, tracks.groups, len(tracks.classes)
    place = {naming(cell): i for i, cell in enumerate(cells)}
    rows = []
    for cell, own in zip(cells, predicted, strict=True):
        shared = (
            {name: cell[name] for name in NAMED_BY} | IN_ALL_ROWS | {"decision": decision, "n": len(truth)}
        )
        for name, metric in SCORES.items():
            found = significance.seed_averaged(truth, own[repetitions(cell["partitions"])], groups, metric, n)
            rows.append(shared | {"name": name} | found._asdict())
            for method, gained in references.items():
                if method == cell["method"]:
                    continue
                reference = place[naming(cell | {"method": method})]
                both = repetitions({*cell["partitions"]} & {*cells[reference]["partitions"]})
                pair = own[both], predicted[reference, both]
                gain = significance.seed_averaged_difference(truth, *pair, groups, metric, n)
                rows.append(shared | {"name": f"{name}_{gained}"} | gain._asdict())
    return rows


def naming(cell: dict) -> tuple:
    return tuple(cell[name] for name in NAMED_BY)
