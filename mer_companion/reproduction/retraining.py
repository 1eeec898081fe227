"""A recorded fold trained again: do the same settings on the same sound give the same predictions?"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mer_companion import experiments, provenance, results
from mer_companion.analysis import names
from mer_companion.experiments import kinds
from mer_companion.runs import cross_validation, scoring
from mer_companion.runs.settings import Run
from mer_core.device import best_device, device_name
from mer_core.evaluation import metrics, song_decision


def recorded(preset: str) -> Iterator[tuple[str, str, Run, dict]]:
    """(experiment, label, run, record) of recorded runs whose networks can be trained again: labels only."""
    for name, experiment in experiments.EXPERIMENTS.items():
        for label, run in experiments.jobs(name, preset) if preset in experiment.presets else ():
            if isinstance(run, Run) and not run.unlabelled:
                record = results.existing(run, name, preset, label)
                if record and kinds.of_record(record).predicts == "labels":
                    yield name, label, run, record


def one_of_each_method(preset: str) -> list[tuple[str, str]]:
    """(experiment, label) of the first recorded run of every method that trains networks."""
    found: dict[str, tuple[str, str]] = {}
    for name, label, run, _ in recorded(preset):
        found.setdefault(run.method_name, (name, label))
    return list(found.values())


def rerun(experiment: str, label: str, preset: str, fold: int) -> dict:
    """Train the network of one fold of a recorded run again, whatever is cached, and compare its predictions
    (`save` keeps what this gives).

    Raises
    ------
    RecordError : there is no such record, or it did not test this fold
    """
    run = next((run for name, run in experiments.jobs(experiment, preset) if name == label), None)
    record = results.existing(run, experiment, preset, label) if isinstance(run, Run) else None
    if record is None or fold not in cross_validation.tested_folds(run):
        raise results.RecordError(
            f"no record of {experiment}/{label} at the preset {preset} that tested fold {fold}."
        )
    began = time.perf_counter()
    frames, everything = cross_validation.load_segments(run, best_device())
    training, test = cross_validation.divided(run, frames, fold)
    taught, tested = everything.of_tracks(training), everything.of_tracks(test)
    seed = cross_validation.seed_of(run, fold, 0)
    predict, _ = cross_validation.fit(run, taught, seed, lambda row: None)
    stored = results.predictions(record)
    own = np.isin(stored["test_track"], test)
    before = song_decision.mean_probability(stored["test"][own], stored["test_track"][own])
    after = song_decision.mean_probability(cross_validation.half(predict(tested)), tested.track)
    truth, n = scoring.truth_of(run.target, frames.tracks.targets[np.unique(test)]), before.shape[1]
    classes = before.argmax(axis=1), after.argmax(axis=1)
    recorded, now = (metrics.accuracy(metrics.confusion(truth, predicted, n)) for predicted in classes)
    return {
        "experiment": experiment,
        "label": label,
        "method": run.method_name,
        "fold": fold,
        "songs": len(truth),
        "recorded": recorded,
        "now": now,
        "songs_called_otherwise": int((classes[0] != classes[1]).sum()),
        "largest_change_of_a_probability": float(np.abs(before - after).max()),
        "seconds": time.perf_counter() - began,
        "run_id": run.run_id,
        "trained_at": record["code"].get("trained_at"),
        "code": provenance.code_state(),
        "environment": provenance.environment(device_name(), 1),
    }


def folder(preset: str) -> Path:
    return results.folder(preset, own=False) / "reruns"


def save(row: dict, preset: str) -> Path:
    """Keep what a rerun found, in place of an earlier rerun of the same fold."""
    path = folder(preset) / f"{row['experiment']}-{row['label']}-fold-{row['fold']}.json"
    results.write_json(path, row)
    return path


def table(preset: str) -> pd.DataFrame:
    """All reruns, a row each, ready to read."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder(preset).glob("*.json"))]
    return pd.DataFrame(
        {
            "method": names.label(row["method"]),
            "run": f"{names.experiment(row['experiment'])}: {names.label(row['label'])}",
            "fold": row["fold"],
            "songs": row["songs"],
            "accuracy recorded": f"{row['recorded']:.4f}",
            "trained again": f"{row['now']:.4f}",
            "songs predicted otherwise": row["songs_called_otherwise"],
            "largest change of a song's probability": f"{row['largest_change_of_a_probability']:.4f}",
        }
        for row in found
    )
