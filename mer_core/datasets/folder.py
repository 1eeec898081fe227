"""Your own music: a folder of sound files per label, a table with a row per clip, or any folder unlabelled.

Clips have one label each, or, in a table with the column ``tags``, any number of them.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.audio.decoding import AUDIO_SUFFIXES, FFMPEG_SUFFIXES, SUFFIXES, has_ffmpeg
from mer_core.audio.sound_files import SoundFiles, below
from mer_core.datasets import splits
from mer_core.datasets.tables import cells
from mer_core.datasets.tracks import PARTS, DataError, Tracks, has_tags, measured, shown
from mer_core.emotion import QUADRANT_WORDS

UNLABELLED = "unlabelled"
LAYOUT = (
    "Expected either a folder with one subfolder of sound files per label (happy/a.mp3, sad/b.wav, ...) or "
    "a CSV file with the columns path and label (one) or tags (several, divided by ;), and optionally "
    "track_id and group (say, the artist)."
)


AS_TABLE = f"Save a table as CSV in UTF-8. {LAYOUT}"


def read(path: Path, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of a folder per label or of a CSV file with paths relative to it; otherwise as `from_table`.

    Raises
    ------
    DataError : neither layout found, fewer than two labels, audio missing or unreadable, duplicate ids
    """
    path = path.resolve()
    if path.suffix.lower() in SUFFIXES and path.is_file():
        raise DataError(f"{path}: is one sound, while labelled music is wanted. {LAYOUT}")
    if path.is_file():
        return from_table(from_csv(path), str(path), skip_unreadable=skip_unreadable)
    found = sound_files(path)
    tracks = from_table(by_folder(path, found.files), str(path), skip_unreadable=skip_unreadable)
    return replace(tracks, notes=found.notes)


def from_table(table: pd.DataFrame, source: str = "songs", *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of a table with a row per clip.

    The classes are the labels found, sorted; happy, tense, sad and calm, where there are no others, are
    Russell's quadrants Q1 to Q4. Tagged clips are divided into parts, whole groups together, unless a column
    ``part`` says train, validation or test.

    Parameters
    ----------
    table : columns ``path`` and ``label`` (str) or ``tags`` (tuple of str); optionally ``track_id``, else
        made of the path, and ``group`` (whose clips stay together, say the artist), else each clip its own
    source : names the table in messages

    Raises
    ------
    DataError : fewer than two labels, audio missing or unreadable, duplicate ids
    """
    table = table.assign(path=[Path(path).absolute() for path in table["path"]])
    if "track_id" not in table:
        table["track_id"] = ids_below(os.path.commonpath([p.parent for p in table["path"]]), table["path"])
    group = table["group"].fillna("") if "group" in table else pd.Series("", table.index)
    table["group"] = group.where(group != "", table["track_id"])
    name, tagged = Path(source).stem, "tags" in table
    words = table["tags"].explode().dropna() if tagged else table["label"]
    named = words if tagged else as_quadrants(words)
    classes = tuple(sorted(set(named)))
    if len(classes) < 2:
        found = f"only one label was found ({shown(sorted(set(words)))})" if classes else "no label was found"
        raise DataError(f"{source}: {found}; telling emotions apart needs two. {LAYOUT}")
    if not tagged:
        table["label"] = named
    elif "part" not in table:
        identity = table[["track_id", "tags", "group"]].to_csv(index=False).encode(errors="surrogateescape")
        kept = paths.CACHE / "splits" / hashlib.sha256(identity).hexdigest()[:16]
        table["part"] = splits.parts(name, table, classes, kept)
    if tagged:
        refuse_untold_parts(source, table, classes)
    return measured(name, classes, table, skip_unreadable=skip_unreadable, own=True)


def as_quadrants(labels: pd.Series) -> pd.Series:
    """Q1 to Q4 where all labels are words for the quadrants (happy, Sad, ...); else the labels themselves."""
    names = labels.str.lower().map({word: name for name, word in QUADRANT_WORDS.items()})
    return labels if names.isna().any() else names


def refuse_untold_parts(source: str, table: pd.DataFrame, tags: tuple[str, ...]) -> None:
    """Every part needs songs with and without some tag, or there is nothing to learn or to measure."""
    for part in PARTS:
        has = has_tags(table.loc[table["part"] == part, "tags"], tags)
        if not len(has) or not (has.any(axis=0) & ~has.all(axis=0)).any():
            which = f"the {len(has)} songs of the part {part}"
            raise DataError(f"{source}: {which} tell no tag from another. Add more songs.")


def read_unlabelled(folder: str, *, skip_unreadable: bool = False) -> Tracks:
    """All sound files below a folder, here or in the data root, as unlabelled music (``music:folder=...``).

    Raises
    ------
    DataError : no such folder, no sound files in it, unreadable audio
    """
    places = [Path(folder).expanduser().resolve(), paths.data_root() / folder]
    path = next((place for place in places if place.is_dir()), None)
    if path is None:
        raise DataError(f"neither {places[0]} nor {places[1]} is a folder. Write music:folder=path/to/music.")
    found = sound_files(path)
    table = _table_of(path, found.files).assign(label=UNLABELLED)
    asked = {"skip_unreadable": skip_unreadable, "notes": found.notes}
    return measured(path.name, (UNLABELLED,), table, **asked, own=True)


def from_csv(path: Path) -> pd.DataFrame:
    table = cells(path, AS_TABLE)
    if {"label", "tags"} <= set(table.columns):
        raise DataError(f"{path}: has the columns label and tags. Choose one and delete the other.")
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
        names = " or no ".join(needed)
        raise DataError(f"{path}: no {names} in row {shown(blank)}. Fill it in or delete the row.")
    table["path"] = [(path.parent / name).resolve() for name in table["path"]]
    if absent := [str(p) for p in table["path"] if not p.is_file()]:
        missing = f"{len(absent)} files named in it do not exist: {shown(absent)}"
        raise DataError(f"{path}: {missing}. Paths are relative to the CSV.")
    refuse_listed_twice(path, table, kind)
    if kind == "tags":
        words = table["tags"].str.split(";")
        table["tags"] = words.map(lambda own: tuple(sorted({word.strip() for word in own} - {""})))
        if "part" in table and (unknown := sorted(set(table["part"].replace("", "none")) - set(PARTS))):
            raise DataError(f"{path}: the column part says {shown(unknown)}; it may say {', '.join(PARTS)}.")
    return table


def refuse_listed_twice(path: Path, table: pd.DataFrame, kind: str) -> None:
    """A file is one clip: listed again it would be in training and in test."""
    if table["path"].is_unique:
        return
    file = table.loc[table["path"].duplicated(), "path"].iloc[0]
    rows = table[table["path"] == file]
    said = sorted(set(rows[kind]))
    labels = f", with the {kind} {' and '.join(said)}" if len(said) > 1 else ""
    raise DataError(f"{path}: {file} is listed in rows {shown(rows.index)}{labels}. Keep one of them.")


def by_folder(path: Path, files: list[Path]) -> pd.DataFrame:
    """The first folder below the path is the label."""
    if loose := [str(file) for file in files if file.parent == path]:
        raise DataError(f"{path}: sound files outside a label's folder: {shown(loose)}. {LAYOUT}")
    return _table_of(path, files).assign(label=[file.relative_to(path).parts[0] for file in files])


def sound_files(path: Path) -> SoundFiles:
    """Those below a folder; raises DataError where there are none, undecodable ones, or closed folders."""
    found = below(path)
    if found.unreadable:
        raise DataError(shown(found.unreadable.values(), 3))
    undecodable = [str(file) for file in found.files if file.suffix.lower() in FFMPEG_SUFFIXES]
    if undecodable and not has_ffmpeg():
        raise DataError(
            f"{len(undecodable)} files are of kinds that only ffmpeg decodes: {shown(undecodable)}. "
            "Install ffmpeg, or convert them to wav or flac."
        )
    if not found.files:
        raise DataError(f"{path}: no sound files ({', '.join(AUDIO_SUFFIXES)}) in it. {LAYOUT}")
    return found


def ids_below(folder: str | Path, files: Iterable[Path]) -> list[str]:
    """Paths below a folder without suffix, so that happy/01.mp3 and sad/01.mp3 are two clips."""
    return [file.relative_to(folder).with_suffix("").as_posix() for file in files]


def _table_of(path: Path, files: list[Path]) -> pd.DataFrame:
    ids = ids_below(path, files)
    return pd.DataFrame({"track_id": ids, "group": ids, "path": files})
