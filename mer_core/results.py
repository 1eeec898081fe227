"""Records: one small JSON per run, readable without our code, and its predictions beside it.

No torch here: whoever reads a record needs no GPU and no training code.
"""

import hashlib
import json
import os
import platform
import subprocess
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import UserError, paths, songs

SCHEMA = 1
REQUIRED = {"schema", "experiment", "preset", "label", "run_id", "created", "config", "data", "code", "environment", "cost",
            "metrics", "confusion", "log"}  # fmt: skip
VERSIONED = ("torch", "librosa", "scikit-learn", "numpy", "soundfile", "soxr")


class RecordError(UserError):
    """A record that is missing, incomplete or of other settings; the message names the file and the remedy."""


def folder(preset: str, own: bool = False) -> Path:
    """Where records of a preset lie; those of ``smoke``, and of your own music, are not tracked."""
    return paths.RESULTS / "own" / preset if own else paths.RESULTS / preset


def path_of(record: dict) -> Path:
    name = f"{record['experiment']}-{record['label']}-{record['run_id']}.json"
    return folder(record["preset"], record["data"]["own"]) / name


def existing(run, experiment: str, preset: str, label: str) -> dict | None:
    """The record of a run, if it was made before and still holds: from the same settings and, at smoke, by the same code.

    Raises
    ------
    RecordError : a record of this name has other settings: a default has changed since it was made
    """
    for own in (False, True):
        path = folder(preset, own) / f"{experiment}-{label}-{run.run_id}.json"
        if not path.exists():
            continue
        record = load(path)
        if not same_settings(record["config"], run.config()):
            raise RecordError(f"{path}: was made before a default changed. Delete it to run anew.")
        return None if is_stale(record) else record
    return None


def same_settings(recorded: dict, config: dict) -> bool:
    """Whether every recorded setting has the value it has now; settings that are newer than the record do not count."""
    plain = json.loads(json.dumps(config))  # tuples become lists, as in the record
    return all(
        same_settings(value, plain[name]) if isinstance(value, dict) else plain.get(name) == value
        for name, value in recorded.items()
    )


def cores_of(environment: dict) -> int:
    """How many cores (or GPUs) a network kept busy."""
    return environment["threads"] if environment["device"] == "cpu" else 1


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


# what the predictions of a network depend on; the rest decides, scores, records or draws
TRAINING_ROOMS = (
    "audio", "features", "frames", "label_noise", "mixture", "networks", "semi_supervised", "splits", "tracks", "training",
    "datasets", "methods", "models",
)  # fmt: skip


@cache
def code_digest(rooms: tuple[str, ...] = ("",)) -> str:
    """Fingerprint of the package's sources, or of some of its modules and folders, as they were when first asked for."""
    package = paths.ROOT / "mer_core"
    sources = {path for room in rooms for path in [package / f"{room}.py", *(package / room).rglob("*.py")] if path.is_file()}
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]


def is_stale(record: dict) -> bool:
    """Records that cost seconds, and those of your own music, are made again when code changes; others say what made them."""
    return (record["preset"] == "smoke" or record["data"]["own"]) and record["code"]["digest"] != code_digest()


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
    path = path_of(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.npz")
    np.savez_compressed(fresh, **predictions)
    fresh.replace(path.with_suffix(".npz"))
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    fresh.replace(path)
    return path


def save_comparison(experiment: str, preset: str, own: bool, rows: list[dict]) -> Path:
    """Write how an experiment's records compare: one file for all its labels and seeds."""
    path = comparison_path(experiment, preset, own)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return fresh.replace(path)


def comparison_path(experiment: str, preset: str, own: bool = False) -> Path:
    return folder(preset, own) / "comparisons" / f"{experiment}.json"


def comparison(experiment: str, preset: str, own: bool = False) -> pd.DataFrame:
    """Scores of an experiment's labels averaged over seeds, and their differences from their references (``against``).

    Raises
    ------
    RecordError : none has been made
    """
    path = comparison_path(experiment, preset, own)
    if not path.exists():
        raise RecordError(f"{path}: no such comparison. Make it: mer run {experiment} --preset {preset}")
    return pd.read_json(path, dtype=False)


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
    with np.load(path_of(record).with_suffix(".npz")) as arrays:
        return dict(arrays)


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


def pooled(
    records: list[dict], metric: str = "accuracy", decision: str = songs.MAIN_DECISION, target: str = "emotion"
) -> pd.DataFrame:
    """One metric of every record over all tested songs: ``label``, ``value``, ``low``, ``high``, ``n``."""
    rows = table(records)
    wanted = {"name": metric, "decision": decision, "target": target, "part": "test", "fold": "all"}
    for column, content in wanted.items():
        rows = rows[rows[column] == content]
    return rows[["label", "seed", "value", "low", "high", "n"]].reset_index(drop=True)


def difference(record: dict, decision: str) -> dict:
    """The recorded difference in accuracy from the reference run: ``value``, ``low``, ``high``, ``against``."""
    return value([record], record["label"], name="accuracy", target="emotion", decision=decision, part="difference")


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
    shown = rows.assign(text=text).pivot(index="decision", columns="label", values="text")
    return shown.loc[list(songs.DECISION_NAMES)].rename(index=songs.DECISION_NAMES).rename_axis(None, axis=1)


def beside_printed(records: list[dict], decision: str = songs.MAIN_DECISION) -> pd.DataFrame:
    """Our accuracy and F1 beside those that SSSL prints for 4Q, as shares; F1 is the macro average, positive class for two."""
    rows = []
    for target, name in (("emotion", "four_class"), ("valence", "valence"), ("arousal", "arousal")):
        for metric, printed_as in (("accuracy", "accuracy"), ("macro_f1" if target == "emotion" else "positive_f1", "f1")):
            row = {"target": target, "metric": metric, "SSSL as printed": printed("4Q", "Proposed", f"{name}_{printed_as}")}
            for r in pooled(records, metric, decision, target).itertuples():
                row[r.label] = f"{r.value:.3f} [{r.low:.3f}, {r.high:.3f}]"
            rows.append(row)
    return pd.DataFrame(rows).set_index(["target", "metric"])


def against(records: list[dict], decision: str = songs.MAIN_DECISION) -> pd.DataFrame:
    """Accuracy of each record, its difference from its reference song by song, its validation accuracy and its cost."""
    rows = []
    for record in records:
        own = pooled([record], "accuracy", decision).iloc[0]
        compared = any(m["part"] == "difference" for m in record["metrics"])
        d = difference(record, decision) if compared else None  # the reference itself has none
        rows.append(
            {
                "run": record["label"],
                "accuracy": f"{own['value']:.3f} [{own['low']:.3f}, {own['high']:.3f}]",
                "difference": f"{d['value']:+.3f} [{d['low']:+.3f}, {d['high']:+.3f}] from {d['against']}" if d else "",
                "validation": f"{validation_accuracy(record):.3f}",
                "core-minutes": f"{record['cost']['core_minutes']:.1f}",
            }
        )
    return pd.DataFrame(rows).set_index("run")


def validation_accuracy(record: dict) -> float:
    """Mean over folds of the accuracy on training songs, each heard by a network that had not learned from it."""
    rows = table([record])
    rows = rows[(rows["part"] == "validation") & (rows["name"] == "accuracy")]
    return float(rows["value"].mean())
