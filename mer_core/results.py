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

from mer_core import paths

SCHEMA = 1
REQUIRED = {"schema", "experiment", "preset", "label", "run_id", "created", "config", "data", "code", "environment", "cost",
            "metrics", "log"}  # fmt: skip
VERSIONED = ("torch", "librosa", "scikit-learn", "numpy", "soundfile", "soxr")


class RecordError(ValueError):
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
