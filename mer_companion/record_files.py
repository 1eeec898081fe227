"""The tracked records as files: all in one form, each predicted array once, and a manifest of all.

The manifest is the table that ``sha256sum`` writes and checks, in ``data/results``:
``sha256sum --check manifest.sha256``.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mer_companion import array_store, folders, results
from mer_companion.packing import pack, pack_rows, unpack_rows
from mer_companion.results import RecordError
from mer_core.files import atomic_write, locked

PRESETS = (*results.TRACKED, "smoke")


class Compacted(NamedTuple):
    """What `compact` did."""

    rewritten: int  # records and comparisons of the first schema
    removed: int  # arrays that no record names any more
    bytes_before: int  # of all files in the folder of results
    bytes_after: int


def compact() -> Compacted:
    """Bring every tracked record and comparison into today's form, without changing a number, and list all.

    Repeated, it does nothing. What is rewritten is read again and compared before the old files go.

    Raises
    ------
    RecordError : a record cannot be read, or would not be the same
    """
    with locked(folders.RESULTS):
        before, rewritten, removed = size(), 0, 0
        for folder in map(results.folder, results.TRACKED):
            rewritten += sum(map(rewrite_record, sorted(folder.glob("*.json"))))
            rewritten += sum(map(rewrite_comparison, sorted(folder.glob("comparisons/*.json"))))
        for folder in (results.folder(preset, own) for preset in PRESETS for own in (False, True)):
            removed += len(remove_unnamed(folder))
        write_manifest()
        return Compacted(rewritten, removed, before, size())


def size() -> int:
    """Bytes of the tracked results."""
    return sum(
        path.stat().st_size
        for preset in results.TRACKED
        for path in results.folder(preset).rglob("*")
        if path.is_file()
    )


def rewrite_record(path: Path) -> bool:
    """Bring a record of the first schema into today's form; whether there was anything to do."""
    text = path.read_text(encoding="utf-8")
    if "arrays" in (old := json.loads(text)):
        return False
    with np.load(path.with_suffix(".npz")) as stored:
        arrays = dict(stored)
    if results.path_of(old).name != path.name:
        raise RecordError(f"{path}: its name is not that of its run. Delete it and run the experiment again.")
    new = results.write(old, arrays)
    if contents(new) != contents(old) or not same_arrays(results.predictions(new), arrays):
        with atomic_write(path) as fresh:
            fresh.write_text(text, encoding="utf-8")
        raise RecordError(f"{path}: would not be the same in today's form; left as it was.")
    path.with_suffix(".npz").unlink()
    return True


def contents(record: dict) -> str:
    """What a record says in whatever form, as text in which other numbers are spelt otherwise."""
    said = results.with_precision(record | {}, "config")
    return json.dumps({name: said[name] for name in results.REQUIRED - {"schema"}}, sort_keys=True)


def same_arrays(some: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> bool:
    return pack(some) == pack(others)


def rewrite_comparison(path: Path) -> bool:
    """Bring a comparison of the first schema into today's form, in place of it."""
    rows = results.rows_of_comparison(path)
    if json.dumps(unpack_rows(pack_rows(rows))) != json.dumps(rows):
        raise RecordError(f"{path}: would not be the same in today's form; left as it was.")
    results.write_comparison(path, rows)
    return True


def remove_unnamed(folder: Path) -> list[Path]:
    """Delete the arrays beside records that none of them names."""
    heads = [results.load(path) for path in folder.glob("*.json")]
    named = {digest for head in heads if "arrays" in head for digest in digests_of(head)}
    return array_store.remove_others(folder / array_store.FOLDER, named)


def digests_of(record: dict) -> set[str]:
    """The digests of the arrays that a record names."""
    return {record["tables"], *record["arrays"].values()} - {None}


def manifest_path() -> Path:
    return folders.RESULTS / "manifest.sha256"


def listed() -> list[Path]:
    """The files of the manifest: records, comparisons and reruns; arrays have their digests in records."""
    folders_of = (results.folder(preset) for preset in results.TRACKED)
    patterns = ("*.json", "comparisons/*", "reruns/*.json")
    return sorted(path for folder in folders_of for pattern in patterns for path in folder.glob(pattern))


def manifest() -> str:
    """A line for each file: its SHA-256 and its path below the folder of results."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folders.RESULTS).as_posix()}\n"
        for path in listed()
    )


def write_manifest() -> None:
    with atomic_write(manifest_path()) as fresh:
        fresh.write_text(manifest(), encoding="utf-8")


class Imported(NamedTuple):
    """What `bring_in` found, as lines: records that are new, here already, in conflict, or not to use."""

    new: list[str]
    same: list[str]
    other: list[str]
    refused: list[str]
    to_compare: list[str]  # the commands that compare the experiments that got records


def bring_in(folder: Path) -> Imported:
    """Take the records that were made elsewhere, from any folder that holds some, in whatever form.

    A record is taken whole or not at all: its digest and its arrays' are checked before. Where ours of
    the same run says something else, ours stays. Comparisons of experiments that got records go, because they
    no longer cover all.

    Raises
    ------
    RecordError : there are no records in the folder
    """
    found = Imported([], [], [], [], [])
    for path in sorted(folder.rglob("*.json")):
        if is_record(path):
            take(path, found)
    if not any(found):
        raise RecordError(f"{folder}: holds no records. Name a folder such as data/results of another copy.")
    with locked(folders.RESULTS):
        write_manifest()
    return found


def is_record(path: Path) -> bool:
    """Whether a JSON claims to be a record; comparisons, reruns and reports do not."""
    return path.parent.name not in ("comparisons", "reruns") and b'"run_id"' in path.read_bytes()


def take(path: Path, found: Imported) -> None:
    """Take one record, and note what became of it."""
    try:
        record = results.load(path)
        arrays = results.predictions(record)
        place = results.folder(record["preset"], record["data"]["own"]) / path.name
        if record["preset"] not in PRESETS or results.path_of(record) != place:
            raise RecordError(f"{path}: its name or preset is not that of its run.")
    except (RecordError, OSError, ValueError, KeyError, TypeError) as error:
        return found.refused.append(f"{path.name}: {error}")
    if (here := results.path_of(record)).exists():
        ours = results.load(here)
        if contents(ours) == contents(record) and same_arrays(results.predictions(ours), arrays):
            return found.same.append(path.name)
        alike = same_arrays(results.predictions(ours), arrays)
        what = "the same predictions, another cost or origin" if alike else "other predictions"
        return found.other.append(f"{path.name}: {what}; ours stays. Delete {here} to take the other one.")
    results.write(record | {}, arrays)
    found.new.append(path.name)
    experiment, preset = record["experiment"], record["preset"]
    compared = results.comparison_path(experiment, preset, record["data"]["own"])
    compared.unlink(missing_ok=True)
    if (command := f"mer run {experiment} --preset {preset}") not in found.to_compare:
        found.to_compare.append(command)
