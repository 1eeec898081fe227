"""Records: one small JSON per run, readable without our code, and its predictions beside it.

No torch here: whoever reads a record needs no GPU and no training code.
"""

import hashlib
import json
import os
import platform
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import UserError, metrics, paths, significance

SCHEMA = 1
REQUIRED = {"schema", "experiment", "preset", "label", "run_id", "created", "config", "data", "code", "environment", "cost",
            "metrics", "log"}  # fmt: skip
VERSIONED = ("torch", "librosa", "scikit-learn", "numpy", "soundfile", "soxr")


class RecordError(UserError):
    """A record that is missing, incomplete or of other settings; the message names the file and the remedy."""


def folder(preset: str) -> Path:
    """Where records of a preset lie; those of ``smoke`` are not tracked."""
    return paths.RESULTS / preset


def path_of(preset: str, experiment: str, label: str, run_id: str) -> Path:
    return folder(preset) / f"{experiment}-{label}-{run_id}.json"


def code_state() -> dict:
    """Commit of the code, and whether it was modified since."""

    def git(*words: str) -> str:
        answer = subprocess.run(["git", *words], cwd=paths.ROOT, capture_output=True, text=True, check=False)
        return answer.stdout.strip()

    return {
        "commit": git("rev-parse", "--short=10", "HEAD") or None,
        "modified": bool(git("status", "--porcelain", "mer_core")),
        "digest": code_digest(),
    }


def code_digest() -> str:
    """Fingerprint of the package's sources: what a smoke record is valid for."""
    sources = sorted((paths.ROOT / "mer_core").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def is_stale(record: dict) -> bool:
    """Smoke records cost seconds: they are made again whenever the code has changed. Others stay, and say what made them."""
    return record["preset"] == "smoke" and record["code"]["digest"] != code_digest()


def environment(device: str, threads: int) -> dict:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "device": device,
        "threads": threads,
        **{name: version(name) for name in VERSIONED},
    }


def save(record: dict, predictions: dict[str, np.ndarray]) -> Path:
    """Write a record and, beside it, its predictions as compressed .npz; each appears whole or not at all."""
    record = {"schema": SCHEMA, "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **record}
    if missing := REQUIRED - set(record):
        raise RecordError(f"a record needs {sorted(missing)}")
    path = path_of(record["preset"], record["experiment"], record["label"], record["run_id"])
    path.parent.mkdir(parents=True, exist_ok=True)
    beside, fresh = path.with_suffix(".npz"), path.with_suffix(".new.npz")
    np.savez_compressed(fresh, **predictions)
    fresh.replace(beside)
    text = json.dumps(record, indent=1, allow_nan=False)
    path.with_suffix(".new").write_text(text + "\n", encoding="utf-8")
    path.with_suffix(".new").replace(path)
    return path


def load(path: Path) -> dict:
    """A record as written, checked for its keys.

    Raises
    ------
    RecordError : no such file, not JSON, or keys missing
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(f"{path}: no such record. Make it with the command on its experiment's page.") from None
    except json.JSONDecodeError as error:
        raise RecordError(f"{path}: is not JSON ({error}). Delete it and run the experiment again.") from None
    if missing := REQUIRED - set(record):
        raise RecordError(f"{path}: lacks {sorted(missing)}. Delete it and run the experiment again.")
    return record


def predictions(record: dict) -> dict[str, np.ndarray]:
    """The arrays beside a record."""
    path = path_of(record["preset"], record["experiment"], record["label"], record["run_id"]).with_suffix(".npz")
    with np.load(path) as arrays:
        return dict(arrays)


def find(experiment: str, preset: str) -> list[dict]:
    """All records of an experiment at a preset, by label."""
    return [load(path) for path in sorted(folder(preset).glob(f"{experiment}-*.json"))]


def table(records: list[dict]) -> pd.DataFrame:
    """Metrics of records in long form: a row per record and metric."""
    rows = [{"label": r["label"], "seed": r["config"]["seed"], "run_id": r["run_id"], **m} for r in records for m in r["metrics"]]
    return pd.DataFrame(rows)


def value(records: list[dict], label: str, **which) -> dict:
    """The one metric row of the one record that fits, for instance ``value(records, "inherit", name="accuracy", ...)``.

    Raises
    ------
    RecordError : none or several fit
    """
    rows = table([r for r in records if r["label"] == label])
    for key, wanted in which.items():
        rows = rows[rows[key] == wanted] if len(rows) else rows
    if len(rows) != 1:
        raise RecordError(f"{len(rows)} metrics fit {label!r} with {which}; expected one")
    return rows.iloc[0].to_dict()


def first_seed(records: list[dict]) -> list[dict]:
    """The records of the smallest seed of each label."""
    by_label: dict[str, dict] = {}
    for record in sorted(records, key=lambda r: r["config"]["seed"]):
        by_label.setdefault(record["label"], record)
    return list(by_label.values())


def pooled(records: list[dict], metric: str, decision: str, target: str = "emotion") -> pd.DataFrame:
    """One metric of every record over all tested songs: ``label``, ``value``, ``low``, ``high``, ``n``."""
    rows = table(records)
    wanted = {"name": metric, "decision": decision, "target": target, "part": "test", "fold": "all"}
    for column, content in wanted.items():
        rows = rows[rows[column] == content]
    return rows[["label", "seed", "value", "low", "high", "n"]].reset_index(drop=True)


def counts(record: dict, decision: str) -> np.ndarray:
    """(n_classes, n_classes) confusion counts of a record's decision over its tested songs."""
    stored = predictions(record)
    n_classes = len(record["data"]["classes"])
    return metrics.confusion(stored["truth"][stored["track"]], stored[f"decision_{decision}"], n_classes)


def accuracy_difference(record: dict, other: dict, decision: str) -> tuple[float, float, float]:
    """Accuracy of one record less another's on the same songs, and its 95 % interval over artists.

    Raises
    ------
    RecordError : the records tested different songs
    """
    a, b = predictions(record), predictions(other)
    if not np.array_equal(a["track_id"][a["track"]], b["track_id"][b["track"]]):
        raise RecordError(f"{record['run_id']} and {other['run_id']} tested different songs; they cannot be paired")
    truth, groups, n_classes = a["truth"][a["track"]], a["group"][a["track"]], len(record["data"]["classes"])
    called = [r[f"decision_{decision}"] for r in (a, b)]
    low, high = significance.difference_interval(metrics.accuracy, truth, *called, n_classes, groups)
    return float(np.mean(called[0] == truth) - np.mean(called[1] == truth)), low, high


def timeline(record: dict, track_id: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n_windows, n_classes) and start seconds (n_windows,) of one tested song's windows.

    Raises
    ------
    RecordError : the song was not tested in this record
    """
    stored = predictions(record)
    own = stored["track_id"][stored["test_track"]] == track_id
    if not own.any():
        raise RecordError(f"{track_id!r} was not tested in record {record['run_id']}")
    return stored["test"][own].astype(float), stored["test_second"][own]


def published() -> pd.DataFrame:
    """What the papers' tables print, in their units (per cent): paper, table, dataset, system, setting, metric, value."""
    return pd.read_csv(paths.DATA / "published.csv")


def printed(dataset: str, system: str, metric: str, paper: str = "sssl", table: int = 3) -> float:
    """One printed figure as a share in [0, 1]."""
    rows = published().query("dataset == @dataset and system == @system and metric == @metric and paper == @paper")
    return float(rows[rows["table"] == table]["value"].iloc[0]) / 100


def tested_tracks(record: dict) -> list[str]:
    """Ids of the songs that a record tested, in order."""
    stored = predictions(record)
    return sorted(stored["track_id"][stored["track"]].tolist())


def decision_table(records: list[dict], metric: str = "accuracy", target: str = "emotion") -> pd.DataFrame:
    """One metric with its interval for every way to decide (rows) and every record (columns), ready to read."""
    rows = table(records)
    rows = rows[(rows["name"] == metric) & (rows["target"] == target) & (rows["part"] == "test") & (rows["fold"] == "all")]
    text = [f"{r.value:.3f} [{r.low:.3f}, {r.high:.3f}]" for r in rows.itertuples()]
    return rows.assign(text=text).pivot(index="decision", columns="label", values="text").rename_axis(None, axis=1)


def beside_printed(records: list[dict], decision: str = "svm") -> pd.DataFrame:
    """Our accuracy and F1 beside those that SSSL prints for 4Q, as shares; F1 is the macro average, positive class for two."""
    rows = []
    for target, name in (("emotion", "four_class"), ("valence", "valence"), ("arousal", "arousal")):
        for metric, printed_as in (("accuracy", "accuracy"), ("macro_f1" if target == "emotion" else "positive_f1", "f1")):
            row = {"target": target, "metric": metric, "SSSL as printed": printed("4Q", "Proposed", f"{name}_{printed_as}")}
            for r in pooled(records, metric, decision, target).itertuples():
                row[r.label] = f"{r.value:.3f} [{r.low:.3f}, {r.high:.3f}]"
            rows.append(row)
    return pd.DataFrame(rows).set_index(["target", "metric"])
