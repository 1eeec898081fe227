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

from mer_core import UserError, datasets, paths
from mer_core.evaluation import aggregation
from mer_core.files import atomic_write

SCHEMA = 1
OF_DIFFERENCES = ("against", "p", "p_holm", "t", "p_t")  # columns of a comparison that only differences fill
REQUIRED = {"schema", "experiment", "preset", "label", "run_id", "created", "config", "data", "code", "environment", "cost",
            "metrics", "confusion", "log"}  # fmt: skip
PRECISION_DEFAULT, PRECISION_ONCE = (
    "auto",
    "bf16",
)  # of `training.precision`: today, and before a record's environment had it
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
    """The record of a run, if it was made before and still holds: from the same settings and, at smoke, by
    the same code.

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


def of_run(run, preset: str) -> dict | None:
    """The record of a run under whichever experiment and label it was made, or None."""
    found = [
        path for own in (False, True) for path in sorted(folder(preset, own).glob(f"*-{run.run_id}.json"))
    ]
    records = [existing(run, record["experiment"], preset, record["label"]) for record in map(load, found)]
    return next((record for record in records if record), None)


def same_settings(recorded: dict, config: dict) -> bool:
    """Whether every recorded setting has the value it has now; settings that are newer than the record do not
    count.
    """
    plain = json.loads(json.dumps(config))  # tuples become lists, as in the record
    return all(
        same_settings(value, plain[name]) if isinstance(value, dict) else plain.get(name) == value
        for name, value in recorded.items()
    )


def on_gpu(record: dict) -> bool:
    return record["environment"]["device"] != "cpu"


def spoken_cost(records: list[dict]) -> str:
    """Mean minutes of a core, or of a GPU, that these records of one run took."""
    minutes = np.mean([record["cost"]["core_minutes"] for record in records])
    return f"{minutes:.1f}{' (GPU)' if any(map(on_gpu, records)) else ''}"


def cores_of(environment: dict) -> int:
    """How many cores (or GPUs) a network kept busy."""
    return environment["threads"] if environment["device"] == "cpu" else 1


def code_state() -> dict:
    """Commit of the code, and whether it was modified since; from MER_COMMIT where only the files were
    copied.
    """

    def git(*words: str) -> str:
        answer = subprocess.run(["git", *words], cwd=paths.ROOT, capture_output=True, text=True, check=False)
        return answer.stdout.strip()

    return {
        "commit": git("rev-parse", "--short=10", "HEAD") or os.environ.get("MER_COMMIT"),
        "modified": bool(git("status", "--porcelain", *PACKAGES)),
        "digest": code_digest(),
    }


PACKAGES = ("mer_core", "mer_companion", "mer_app")
# what the predictions of a network depend on; the rest decides, scores, records or draws
OF_TRAINING = (
    "mer_core.audio", "mer_core.datasets", "mer_core.device", "mer_core.evaluation.aggregation",
    "mer_core.evaluation.tag_metrics", "mer_core.frames", "mer_core.methods", "mer_core.mixture", "mer_core.models",
    "mer_core.segments", "mer_core.semi_supervised", "mer_core.training", "mer_companion.runs.cross_validation",
)  # fmt: skip


@cache
def code_digest(modules: tuple[str, ...] = PACKAGES) -> str:
    """Fingerprint of the sources of these modules and packages, by default of all code, as they were when
    first asked for.

    Raises
    ------
    ModuleNotFoundError : there is no such module, so that no list of names outlives a module that it names
    """
    sources = {path for module in modules for path in sources_of(module)}
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()[:16]


def sources_of(module: str) -> list[Path]:
    """The file of a module, or all files of a package."""
    place = paths.ROOT.joinpath(*module.split("."))
    found = list(place.rglob("*.py")) or [path for path in [place.with_suffix(".py")] if path.is_file()]
    if not found:
        raise ModuleNotFoundError(f"no module {module}")
    return found


def is_stale(record: dict) -> bool:
    """Records that cost seconds, and those of your own music, are made again when code changes; others say
    what made them.

    Those of your own music also when a label, an artist or a file has changed since.
    """
    if record["preset"] != "smoke" and not record["data"]["own"]:
        return False
    return record["code"]["digest"] != code_digest() or (record["data"]["own"] and not of_same_music(record))


def of_same_music(record: dict) -> bool:
    """Whether the music that a record was made from is as it was then."""
    config = record["config"]
    now = datasets.load(config["dataset"], skip_unreadable=config.get("skip_unreadable", False))
    return now.digest() == record["data"]["digest"]


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
    with atomic_write(path.with_suffix(".npz")) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, **predictions)
    with atomic_write(path) as fresh:
        fresh.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def save_comparison(experiment: str, preset: str, own: bool, rows: list[dict]) -> Path:
    """Write how an experiment's records compare: one file for all its labels and seeds."""
    path = comparison_path(experiment, preset, own)
    with atomic_write(path) as fresh:
        fresh.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path


def comparison_path(experiment: str, preset: str, own: bool = False) -> Path:
    return folder(preset, own) / "comparisons" / f"{experiment}.json"


def comparison(experiment: str, preset: str, own: bool = False) -> pd.DataFrame:
    """Scores of an experiment's labels averaged over seeds, and their differences from their references
    (``against``).

    Raises
    ------
    RecordError : none has been made
    """
    path = comparison_path(experiment, preset, own)
    if not path.exists():
        raise RecordError(f"{path}: no such comparison. Make it: mer run {experiment} --preset {preset}")
    table = pd.read_json(path, dtype=False)
    lacking = [column for column in OF_DIFFERENCES if column not in table]  # where nothing was compared
    return table.reindex(columns=[*table.columns, *lacking])


def load(path: Path) -> dict:
    """A record as written, checked for its keys.

    Raises
    ------
    RecordError : no such file, not JSON, or keys missing
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(
            f"{path}: no such record. Make it with the command on its experiment's page."
        ) from None
    except json.JSONDecodeError as error:
        raise RecordError(f"{path}: is not JSON ({error}). Delete it and run the experiment again.") from None
    if missing := REQUIRED - set(record):
        raise RecordError(f"{path}: lacks {sorted(missing)}. Delete it and run the experiment again.")
    return with_precision(record, "config")


def with_precision(record: dict, settings: str) -> dict:
    """A record, or model card, as those made today: its environment says in which precision its networks were
    computed.

    Until that was noted, every device computed in what ``training.precision`` said, by default bf16; now the
    default is ``auto``.

    Parameters
    ----------
    settings : the key under which its settings stand
    """
    training = record[settings].get("training")
    if training is None or "precision" in record["environment"]:
        return record
    wanted = PRECISION_DEFAULT if training["precision"] == PRECISION_ONCE else training["precision"]
    return record | {
        settings: record[settings] | {"training": training | {"precision": wanted}},
        "environment": record["environment"] | {"precision": training["precision"]},
    }


def predictions(record: dict) -> dict[str, np.ndarray]:
    """The arrays beside a record."""
    with np.load(path_of(record).with_suffix(".npz")) as arrays:
        return dict(arrays)


def value(record: dict, part: str = "test", fold="all", **which) -> dict:
    """The one metric row of a record that fits: ``value(record, name="accuracy", target="emotion",
    decision="svm")``.

    Raises
    ------
    RecordError : none or several fit
    """
    wanted = {"part": part, "fold": fold, **which}
    rows = [row for row in record["metrics"] if all(row.get(key) == value for key, value in wanted.items())]
    if len(rows) != 1:
        raise RecordError(f"{len(rows)} metrics of record {record['run_id']} fit {wanted}; expected one.")
    return rows[0]


def main_decision(record: dict) -> str:
    """The decision by which a record is compared: that of its song-level classifier, or the mean of its
    windows.
    """
    return (
        aggregation.OF_WHOLE_SONGS
        if aggregation.OF_WHOLE_SONGS in record["confusion"]
        else aggregation.MAIN_DECISION
    )


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


def tested_tracks(record: dict) -> list[str]:
    """Ids of the songs that a record tested, in order."""
    stored = predictions(record)
    return sorted(stored["track_id"][stored["track"]].tolist())
