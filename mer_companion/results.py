"""Records: one small JSON per run, readable without our code, and its tables and predictions beside it.

The JSON says what was run, on what, by which code, at what cost, and the headline. Tables (`TABLES`) and
predictions lie packed in the folder ``arrays``, named by a digest of what they hold: the same predictions,
in however many records, lie there once. The JSON names these digests and ends with one of its own, so that
a record that was changed by hand is refused when read. Records of the first schema, all in one JSON with an
.npz beside it, are read on; ``mer records compact`` brings them into this form.

No torch here: whoever reads a record needs no GPU and no training code.
"""

import gzip
import hashlib
import json
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from mer_companion import array_store, folders, provenance
from mer_companion.packing import as_array, pack, pack_rows, pack_text, unpack, unpack_rows, unpack_text
from mer_core import UserError, datasets, paths
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import song_decision
from mer_core.files import atomic_write

SCHEMA = 2
TRACKED = ("cpu", "paper")  # presets whose records the project keeps
TABLES = ("metrics", "confusion", "log")  # of a record, packed
INLINE = 8192  # bytes below which whole numbers (decisions, folds) are packed with the tables
OF_DIFFERENCES = ("against", "p", "p_holm", "t", "p_t")  # columns of a comparison that only differences fill
REQUIRED = {
    *("schema", "experiment", "preset", "label", "run_id", "created", "config", "data"),
    *("code", "environment", "cost", *TABLES),
}
PACKED = {*REQUIRED, "headline", "arrays", "tables", "digest"} - {*TABLES}  # from the second schema on
HEADLINES = {("emotion", name) for name in song_decision.MAIN_DECISIONS} | {("all tags", "scores")}
# of `training.precision`: today, and before a record's environment had it
PRECISION_DEFAULT, PRECISION_ONCE = "auto", "bf16"


class RecordError(UserError):
    """A record that is missing, incomplete or of other settings; the message names file and remedy."""


class Record(dict):
    """A record as read. Its tables (`TABLES`) are read when first asked for, ``record["metrics"]``."""

    def __init__(self, content: dict, path: Path):
        super().__init__(content)
        self.path = path
        self.tables = {}

    def __missing__(self, name: str):
        if name not in TABLES or "tables" not in self:
            raise KeyError(name)
        if name not in self.tables:
            self.tables[name] = unpacked_table(name, self.packed)
        return self.tables[name]

    def __or__(self, changes: dict) -> dict:
        """A changed copy, a plain dictionary with its tables."""
        return {**self, **{name: self[name] for name in TABLES}, **changes}

    @cached_property
    def packed(self) -> dict[str, np.ndarray]:
        return stored(self, self["tables"])


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


def save(record: dict, predictions: dict[str, np.ndarray]) -> Record:
    """Write a record and its predictions, the JSON last; gives the record as `load` would."""
    saved = write({"schema": SCHEMA, "created": provenance.timestamp(), **record}, predictions)
    saved.path.with_suffix(".npz").unlink(missing_ok=True)  # of the first schema
    return saved


def write(record: dict, predictions: dict[str, np.ndarray]) -> Record:
    """The same with the date that the record has."""
    if missing := REQUIRED - set(record):
        raise RecordError(f"a record needs {sorted(missing)}")
    path = path_of(record)
    record = plain(path, record)
    inline = {n: a for n, a in predictions.items() if a.dtype.kind in "iu" and a.nbytes < INLINE}
    store = path.parent / array_store.FOLDER
    head = {name: value for name, value in record.items() if name not in TABLES} | {
        "schema": SCHEMA,
        "headline": headline(record),
        "arrays": {
            name: None if name in inline else array_store.put(store, {"": array})
            for name, array in predictions.items()
        },
        "tables": array_store.put(store, packed_tables(record, inline)),
    }
    text = as_json(head | {"digest": ""})
    with atomic_write(path) as fresh:
        fresh.write_text(as_json(head | {"digest": digest_of(text)}), encoding="utf-8")
    return load(path)


def packed_tables(record: dict, inline: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Metrics, confusion counts and log of a record (`unpacked_table` gives them back), and small arrays."""
    flat = [row for fold in record["log"] for row in fold]
    return {
        "metrics": as_array(pack_rows(record["metrics"])),
        "confusion": pack_text(record["confusion"]),
        "log": as_array(pack_rows(flat)),
        "epochs": np.array([len(fold) for fold in record["log"]], dtype=int),
        "arrays": as_array(pack(inline)),
    }


def unpacked_table(name: str, packed: dict[str, np.ndarray]) -> list | dict:
    if name == "confusion":
        return unpack_text(packed[name])
    rows = unpack_rows(packed[name].tobytes())
    if name == "metrics":
        return rows
    ends = np.cumsum(packed["epochs"]).tolist()
    return [rows[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def headline(record: dict) -> dict[str, list[float]]:
    """[value, low, high] of a record's pooled scores by its main decision, for whoever opens the JSON."""
    return {
        row["name"]: [row["value"], row["low"], row["high"]]
        for row in record["metrics"]
        if (row["part"], row["fold"]) == ("test", "all")
        and (row["target"], row["decision"]) in HEADLINES
        and "method" not in row  # a map's cells have no headline
    }


def digest_of(text: str, digest: str = "") -> str:
    """Fingerprint of a record: of its JSON without this digest, and so of all that the JSON names."""
    return hashlib.sha256(text.replace(digest, "").encode()).hexdigest()


def write_json(path: Path, content):
    """Write plain values to a file, atomically, and return them as reading the file would."""
    content = plain(path, content)
    with atomic_write(path) as fresh:
        fresh.write_text(as_json(content), encoding="utf-8")
    return content


def as_json(content) -> str:
    return json.dumps(content, indent=1) + "\n"


def plain(path: Path, content):
    """Values as reading them from JSON would give them; `path` is where they are going to lie."""
    try:
        return json.loads(json.dumps(content, allow_nan=False))
    except ValueError as error:
        raise RecordError(
            f"{path}: not written: a number is NaN or infinite ({error}). Run it again."
        ) from None


def comparison_path(experiment: str, preset: str, own: bool = False) -> Path:
    """Where the comparison of an experiment's records lies, or will."""
    path = folder(preset, own) / "comparisons" / f"{experiment}.gz"
    once = path.with_suffix(".json")  # in the first schema
    return once if once.exists() and not path.exists() else path


def write_comparison(path: Path, rows: list[dict]) -> None:
    """Write the rows of a comparison, atomically, in place of one of the first schema."""
    path = path.with_suffix(".gz")
    with atomic_write(path) as fresh:
        fresh.write_bytes(gzip.compress(pack_rows(plain(path, rows)), mtime=0))
    path.with_suffix(".json").unlink(missing_ok=True)


def rows_of_comparison(path: Path) -> list[dict]:
    """The rows of a comparison as they were written.

    Raises
    ------
    RecordError : there is none, or it cannot be read
    """
    try:
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8"))
        return unpack_rows(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        experiment, preset = path.stem, path.parents[1].name
        raise RecordError(
            f"{path}: no such comparison. Make it: mer run {experiment} --preset {preset}"
        ) from None
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise RecordError(
            f"{path}: cannot be read ({error}). Delete it and run the experiment again."
        ) from None


def comparison(experiment: str, preset: str, own: bool = False) -> pd.DataFrame:
    """Scores of an experiment's labels averaged over seeds, and differences from references (``against``).

    Raises
    ------
    RecordError : none has been made
    """
    table = pd.DataFrame(rows_of_comparison(comparison_path(experiment, preset, own)))
    lacking = [column for column in OF_DIFFERENCES if column not in table]  # where nothing was compared
    return table.reindex(columns=[*table.columns, *lacking])


def file_of(record: dict) -> Path:
    """Where a record was read from, or will lie."""
    return record.path if isinstance(record, Record) else path_of(record)


def stored(record: dict, digest: str) -> dict[str, np.ndarray]:
    """What the store beside a record has under a digest.

    Raises
    ------
    RecordError : it is missing or damaged
    """
    path = file_of(record)
    try:
        return array_store.get(path.parent / array_store.FOLDER, digest)
    except array_store.StoreError as error:
        raise RecordError(
            f"{path}: {error}. Restore that file, or delete the record and run the experiment again."
        ) from None


def load(path: Path) -> Record:
    """A record as written, checked for its keys and its digest.

    Raises
    ------
    RecordError : no such file, not JSON, keys missing, or changed since it was made
    """
    remedy = "Delete it and run the experiment again."
    try:
        text = path.read_text(encoding="utf-8")
        record = json.loads(text)
    except FileNotFoundError:
        raise RecordError(
            f"{path}: no such record. Make it with the command on its experiment's page."
        ) from None
    except json.JSONDecodeError as error:
        raise RecordError(f"{path}: is not JSON ({error}). {remedy}") from None
    packed = not isinstance(record, dict) or record.get("schema") != 1
    if missing := (PACKED if packed else REQUIRED) - set(record):
        raise RecordError(f"{path}: lacks {sorted(missing)}. {remedy}")
    if packed and record["digest"] != digest_of(text, str(record["digest"])):
        raise RecordError(f"{path}: was changed after it was made. Restore it. Or: {remedy}")
    return Record(with_precision(record, "config"), path)


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
    """The arrays of a record.

    Raises
    ------
    RecordError : some are missing, or damaged
    """
    if "arrays" not in record:  # of the first schema
        with np.load(file_of(record).with_suffix(".npz")) as arrays:
            return dict(arrays)
    packed = record.packed if isinstance(record, Record) else stored(record, record["tables"])
    inline = unpack(packed["arrays"].tobytes())
    return {
        name: stored(record, digest)[""] if digest else inline[name]
        for name, digest in record["arrays"].items()
    }


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
