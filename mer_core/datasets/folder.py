"""Your own music: a folder of sound files per label, or a CSV file with a row per clip; or any folder,
without labels.

Clips have one label each, or, in a CSV file with the column ``tags``, any number of them.
"""

import csv
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.audio.decoding import AUDIO_SUFFIXES, FFMPEG_SUFFIXES, has_ffmpeg
from mer_core.datasets import splits
from mer_core.datasets.tracks import PARTS, DataError, Tracks, has_tags, measured, shown
from mer_core.emotion import QUADRANT_WORDS

UNLABELLED = "unlabelled"
LAYOUT = (
    "Expected either a folder with one subfolder of sound files per label (happy/a.mp3, sad/b.wav, ...) or a CSV file with the "
    "columns path and label (one) or tags (several, divided by ;), and optionally track_id and group (say, the artist)."
)


def read(path: Path, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of a folder per label or of a CSV file; paths in the CSV are relative to it.

    Without a ``group`` column every clip is a group of its own. The classes are the labels found, sorted;
    happy, tense, sad and calm, where there are no others, are Russell's quadrants Q1 to Q4. Tagged clips are
    divided into parts, whole groups together, unless a column ``part`` says train, validation or test.

    Raises
    ------
    DataError : neither layout found, fewer than two labels, audio missing or unreadable, duplicate ids
    """
    path = path.resolve()
    table = from_csv(path) if path.is_file() else from_folders(path)
    tagged = "tags" in table
    said = table["tags"].explode().dropna() if tagged else table["label"]
    named = said if tagged else as_quadrants(said)
    classes = tuple(sorted(set(named)))
    if len(classes) < 2:
        found = f"only one label was found ({shown(sorted(set(said)))})" if classes else "no label was found"
        raise DataError(f"{path}: {found}; telling emotions apart needs two. {LAYOUT}")
    if not tagged:
        table["label"] = named
    elif "part" not in table:
        identity = table[["track_id", "tags", "group"]].to_csv(index=False).encode()
        kept = paths.CACHE / "splits" / hashlib.sha256(identity).hexdigest()[:16]
        table["part"] = splits.parts(path.stem, table, classes, kept)
    if tagged:
        refuse_untold_parts(path, table, classes)
    return measured(path.stem, classes, table, skip_unreadable=skip_unreadable, own=True)


def as_quadrants(labels: pd.Series) -> pd.Series:
    """The quadrants' names (Q1, Q3, ...) where all labels are words for them (happy, Sad, ...); else the
    labels as they are.
    """
    names = labels.str.lower().map({word: name for name, word in QUADRANT_WORDS.items()})
    return labels if names.isna().any() else names


def refuse_untold_parts(path: Path, table: pd.DataFrame, tags: tuple[str, ...]) -> None:
    """Every part needs songs with and without some tag, or there is nothing to learn, to choose or to
    measure.
    """
    for part in PARTS:
        has = has_tags(table.loc[table["part"] == part, "tags"], tags)
        if not len(has) or not (has.any(axis=0) & ~has.all(axis=0)).any():
            raise DataError(
                f"{path}: the {len(has)} songs of the part {part} tell no tag from another. Add more songs."
            )


def read_unlabelled(folder: str, *, skip_unreadable: bool = False) -> Tracks:
    """All sound files below a folder, here or in the data root, as music to learn from without labels
    (``music:folder=...``).

    Raises
    ------
    DataError : no such folder, no sound files in it, unreadable audio
    """
    places = [Path(folder).expanduser().resolve(), paths.data_root() / folder]
    path = next((place for place in places if place.is_dir()), None)
    if path is None:
        raise DataError(f"neither {places[0]} nor {places[1]} is a folder. Write music:folder=path/to/music.")
    table = _table_of(path, sound_files(path)).assign(label=UNLABELLED)
    return measured(path.name, (UNLABELLED,), table, skip_unreadable=skip_unreadable, own=True)


def from_csv(path: Path) -> pd.DataFrame:
    table = cells(path)
    if {"label", "tags"} <= set(table.columns):
        raise DataError(
            f"{path}: has both a column label and a column tags. Choose one and delete the other."
        )
    kind = "tags" if "tags" in table else "label"
    if lacking := [name for name in ("path", kind) if name not in table]:
        found = ", ".join(table.columns) or "none"
        raise DataError(
            f"{path}: no column {' and no column '.join(lacking)}; the columns found are: {found}. {LAYOUT}"
        )
    if table.empty:
        raise DataError(f"{path}: has no rows. {LAYOUT}")
    needed = [name for name in ("path", "label", "track_id") if name in table]
    if len(blank := table.index[(table[needed] == "").any(axis=1)]):
        raise DataError(
            f"{path}: no {' or no '.join(needed)} in row {shown(blank)}. Fill it in or delete the row."
        )
    table["path"] = [(path.parent / name).resolve() for name in table["path"]]
    if absent := [str(p) for p in table["path"] if not p.is_file()]:
        raise DataError(
            f"{path}: {len(absent)} files named in it do not exist: {shown(absent)}. Paths are relative to the CSV."
        )
    refuse_listed_twice(path, table, kind)
    if "track_id" not in table:
        table["track_id"] = ids_below(os.path.commonpath([p.parent for p in table["path"]]), table["path"])
    if kind == "tags":
        words = table["tags"].str.split(";")
        table["tags"] = words.map(lambda own: tuple(sorted({word.strip() for word in own} - {""})))
        if "part" in table and (unknown := sorted(set(table["part"].replace("", "none")) - set(PARTS))):
            raise DataError(f"{path}: the column part says {shown(unknown)}; it may say {', '.join(PARTS)}.")
    if "group" not in table:
        table["group"] = ""
    return table.assign(group=table["group"].where(table["group"] != "", table["track_id"]))


def cells(path: Path) -> pd.DataFrame:
    """A CSV file as text, divided by commas, semicolons or tabs: columns in small letters, rows numbered by
    their lines.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            divider = max(",;\t", key=file.readline().count)
            file.seek(0)
            reader = csv.reader(file, delimiter=divider, skipinitialspace=True, strict=True)
            rows = dict(
                [
                    (reader.line_num, [cell.strip() for cell in row])
                    for row in reader
                    if any(map(str.strip, row))
                ]
            )
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is no text in UTF-8 ({error}). Save a table as CSV in UTF-8. {LAYOUT}"
        ) from None
    except csv.Error as error:
        raise DataError(
            f"{path}: line {reader.line_num} cannot be read ({error}): is a quotation mark not closed?"
        ) from None
    names = [name.lower() for name in rows.pop(min(rows))] if rows else []
    if wide := [line for line, row in rows.items() if any(row[len(names) :])]:
        raise DataError(
            f"{path}: more cells than columns in row {shown(wide)}. Put what holds a {divider!r} in quotation marks."
        )
    table = pd.DataFrame(
        [dict(zip(names, row, strict=False)) for row in rows.values()], list(rows), list(dict.fromkeys(names))
    )
    return table.fillna("")


def refuse_listed_twice(path: Path, table: pd.DataFrame, kind: str) -> None:
    """A file is one clip: listed again it would be heard in training and in test."""
    if table["path"].is_unique:
        return
    file = table.loc[table["path"].duplicated(), "path"].iloc[0]
    rows = table[table["path"] == file]
    said = sorted(set(rows[kind]))
    labels = f", with the {kind} {' and '.join(said)}" if len(said) > 1 else ""
    raise DataError(f"{path}: {file} is listed in rows {shown(rows.index)}{labels}. Keep one of them.")


def from_folders(path: Path) -> pd.DataFrame:
    """The first folder below the path is the label."""
    files = sound_files(path)
    if loose := [str(file) for file in files if file.parent == path]:
        raise DataError(f"{path}: sound files outside a label's folder: {shown(loose)}. {LAYOUT}")
    return _table_of(path, files).assign(label=[file.relative_to(path).parts[0] for file in files])


def sound_files(path: Path) -> list[Path]:
    """Sound files below a folder, sorted; raises DataError where there are none, or some of kinds that cannot
    be decoded.
    """
    every = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    unheard = [str(file) for file in every if file.suffix.lower() in FFMPEG_SUFFIXES]
    if unheard and not has_ffmpeg():
        raise DataError(
            f"{len(unheard)} files are of kinds that only ffmpeg decodes: {shown(unheard)}. Install ffmpeg, or convert them "
            "to wav or flac."
        )
    files = [file for file in every if file.suffix.lower() in (*AUDIO_SUFFIXES, *FFMPEG_SUFFIXES)]
    if not files:
        raise DataError(f"{path}: no sound files ({', '.join(AUDIO_SUFFIXES)}) in it. {LAYOUT}")
    return files


def ids_below(folder: str | Path, files: Iterable[Path]) -> list[str]:
    """Paths below a folder without suffix, so that happy/01.mp3 and sad/01.mp3 are two clips."""
    return [file.relative_to(folder).with_suffix("").as_posix() for file in files]


def _table_of(path: Path, files: list[Path]) -> pd.DataFrame:
    ids = ids_below(path, files)
    return pd.DataFrame({"track_id": ids, "group": ids, "path": files})
