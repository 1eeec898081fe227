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
