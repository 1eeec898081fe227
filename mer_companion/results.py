"""Records: one small JSON per run, readable without our code, and its predictions beside it.

No torch here: whoever reads a record needs no GPU and no training code.
"""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from mer_companion import folders, provenance
from mer_core import UserError, datasets, paths
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import song_decision
from mer_core.files import atomic_write

SCHEMA = 1
OF_DIFFERENCES = ("against", "p", "p_holm", "t", "p_t")  # columns of a comparison that only differences fill
REQUIRED = {
    *("schema", "experiment", "preset", "label", "run_id", "created", "config", "data"),
    *("code", "environment", "cost", "metrics", "confusion", "log"),
}
# of `training.precision`: today, and before a record's environment had it
PRECISION_DEFAULT, PRECISION_ONCE = "auto", "bf16"


class RecordError(UserError):
    """A record that is missing, incomplete or of other settings; the message names file and remedy."""


def folder(preset: str, own: bool = False) -> Path:
    """Where records of a preset lie; those of ``smoke``, and of your own music, are not tracked.

    Untracked ones lie in the cache where the folder of records cannot be written.
    """
    within = Path("own", preset) if own else Path(preset)
    untracked = own or preset == "smoke"
    moved = untracked and not paths.is_writable(folders.RESULTS / within)
    return (paths.CACHE / "results" if moved else folders.RESULTS) / within


def path_of(record: dict) -> Path:
    name = f"{record['experiment']}-{record['label']}-{record['run_id']}.json"
    return folder(record["preset"], record["data"]["own"]) / name


def existing(run, experiment: str, preset: str, label: str) -> dict | None:
    """The record of a run, if it has been made and is not stale (`is_stale`).

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
        load(path)
        for own in (False, True)
        for path in sorted(folder(preset, own).glob(f"*-{run.run_id}.json"))
    ]
    records = (existing(run, record["experiment"], preset, record["label"]) for record in found)
    return next((record for record in records if record), None)


def same_settings(recorded: dict, config: dict) -> bool:
    """Whether every recorded setting has its value still; settings newer than the record do not count."""
    return all(
        same_settings(value, config[name]) if isinstance(value, dict) else config.get(name) == value
        for name, value in recorded.items()
    )


def spoken_cost(records: list[dict]) -> str:
    """Mean minutes of a core, or of a GPU, that these records of one run took."""
    minutes = np.mean([record["cost"]["core_minutes"] for record in records])
    return f"{minutes:.1f}{' (GPU)' if any(map(provenance.on_gpu, records)) else ''}"


def is_stale(record: dict) -> bool:
    """Whether a record is to be made again: at smoke or of your own music, when the code has changed since.

    One of your own music also when a label, an artist or a file has changed.
    """
    own = record["data"]["own"]
    if record["preset"] != "smoke" and not own:
        return False
    return record["code"]["digest"] != provenance.code_digest() or (own and not of_same_music(record))


def of_same_music(record: dict) -> bool:
    """Whether the music that a record was made from is as it was then."""
    config = record["config"]
    now = datasets.load(config["dataset"], skip_unreadable=config.get("skip_unreadable", False))
    return now.digest() == record["data"]["digest"]


def tracks_of(record: dict) -> Tracks:
    """The songs that a record was made from, with their annotations, which no record holds.

    Raises
    ------
    DataError : the data set is not at hand
    RecordError : its annotations have changed since
    """
    data = record["data"]
    return unchanged_tracks(record["config"]["dataset"], bool(data["n_skipped"]), data["digest"])


@lru_cache(maxsize=8)
def unchanged_tracks(dataset: str, skip_unreadable: bool, digest: str) -> Tracks:
    tracks = datasets.load(dataset, skip_unreadable=skip_unreadable)
    if tracks.digest() != digest:
        raise RecordError(f"{dataset}: the annotations have changed since a record was made from them.")
    return tracks


def is_tagged(record: dict) -> bool:
    """Whether songs have several tags, not one label each: then their shares stand in the record."""
    return "prevalence" in record["data"]


def save(record: dict, predictions: dict[str, np.ndarray]) -> dict:
    """Write a record and, beside it, its predictions (.npz), atomically; gives the record as `load` would."""
    record = {"schema": SCHEMA, "created": provenance.timestamp(), **record}
    if missing := REQUIRED - set(record):
        raise RecordError(f"a record needs {sorted(missing)}")
    path = path_of(record)
    with atomic_write(path.with_suffix(".npz")) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, **predictions)
    return write_json(path, record)


def write_json(path: Path, content):
    """Write plain values to a file, atomically, and return them as reading the file would."""
    try:
        text = json.dumps(content, indent=1, allow_nan=False)
    except ValueError as error:
        raise RecordError(
            f"{path}: not written: a number is NaN or infinite ({error}). Run it again."
        ) from None
    with atomic_write(path) as fresh:
        fresh.write_text(text + "\n", encoding="utf-8")
    return json.loads(text)


def comparison_path(experiment: str, preset: str, own: bool = False) -> Path:
    return folder(preset, own) / "comparisons" / f"{experiment}.json"


def comparison(experiment: str, preset: str, own: bool = False) -> pd.DataFrame:
    """Scores of an experiment's labels averaged over seeds, and differences from references (``against``).

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
    """A record, or model card, as made today: its environment says in which precision networks were computed.

    Until that was noted, every device computed in what ``training.precision`` said, by default bf16; now the
    default is ``auto``. `settings` is the key under which the settings stand.
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
    """The decision by which a record is compared: its song-level classifier's, or the mean of its windows."""
    whole = song_decision.OF_WHOLE_SONGS
    return whole if whole in record["confusion"] else song_decision.MAIN_DECISION


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
