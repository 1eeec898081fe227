"""Your own music: a folder of sound files per label, or a CSV file with a row per clip; or any folder, without labels.

Clips have one label each, or, in a CSV file with the column ``tags``, any number of them.
"""

import hashlib
from pathlib import Path

import pandas as pd

from mer_core import paths, splits
from mer_core.audio import AUDIO_SUFFIXES, FFMPEG_SUFFIXES, has_ffmpeg
from mer_core.tracks import PARTS, DataError, Tracks, has_tags, measured, shown

UNLABELLED = "unlabelled"
LAYOUT = (
    "Expected either a folder with one subfolder of sound files per label (happy/a.mp3, sad/b.wav, ...) or a CSV file with the "
    "columns path and label (one) or tags (several, divided by ;), and optionally track_id and group (say, the artist)."
)


def read(path: Path, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of a folder per label or of a CSV file; paths in the CSV are relative to it.

    Without a ``group`` column every clip is a group of its own. The classes are the labels found, sorted. Tagged clips are
    divided into parts, whole groups together, unless a column ``part`` says train, validation or test.

    Raises
    ------
    DataError : neither layout found, fewer than two labels, audio missing or unreadable, duplicate ids
    """
    path = path.resolve()
    table = from_csv(path) if path.is_file() else from_folders(path)
    classes = tuple(sorted(set(table["tags"].explode().dropna() if "tags" in table else table["label"])))
    if len(classes) < 2:
        raise DataError(f"{path}: only the label {classes} was found; telling emotions apart needs two. {LAYOUT}")
    if "tags" in table and "part" not in table:
        identity = table[["track_id", "tags", "group"]].to_csv(index=False).encode()
        kept = paths.CACHE / "splits" / hashlib.sha256(identity).hexdigest()[:16]
        table["part"] = splits.parts(path.stem, table, classes, kept)
    if "tags" in table:
        refuse_untold_parts(path, table, classes)
    return measured(path.stem, classes, table, skip_unreadable=skip_unreadable, own=True)


def refuse_untold_parts(path: Path, table: pd.DataFrame, tags: tuple[str, ...]) -> None:
    """Every part needs songs with and without some tag, or there is nothing to learn, to choose or to measure."""
    for part in PARTS:
        has = has_tags(table.loc[table["part"] == part, "tags"], tags)
        if not len(has) or not (has.any(axis=0) & ~has.all(axis=0)).any():
            raise DataError(f"{path}: the {len(has)} songs of the part {part} tell no tag from another. Add more songs.")


def read_unlabelled(folder: str, *, skip_unreadable: bool = False) -> Tracks:
    """All sound files below a folder, here or in the data root, as music to learn from without labels (``music:folder=...``).

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
    try:
        table = pd.read_csv(path, dtype=str)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path}: cannot be read as a CSV file in UTF-8 ({error}). {LAYOUT}") from None
    tagged = "tags" in table and "label" not in table
    needed = ["path"] if tagged else ["path", "label"]
    if lacking := set(needed) - set(table.columns):
        raise DataError(f"{path}: the column {' and '.join(sorted(lacking))} is missing. {LAYOUT}")
    if (blank := table[table[needed].isna().any(axis=1)]).size:
        raise DataError(f"{path}: no path or no label in row {shown(blank.index + 2)}. Fill it in or delete the row.")
    table["path"] = [(path.parent / name).resolve() for name in table["path"]]
    if absent := [str(p) for p in table["path"] if not p.is_file()]:
        raise DataError(f"{path}: {len(absent)} files named in it do not exist: {shown(absent)}. Paths are relative to the CSV.")
    if "track_id" not in table:
        table["track_id"] = [p.stem for p in table["path"]]
    if "group" not in table:
        table["group"] = table["track_id"]
    if tagged:
        words = table["tags"].fillna("").str.split(";")
        table["tags"] = words.map(lambda own: tuple(sorted({word.strip() for word in own} - {""})))
        if "part" in table and (unknown := sorted(set(table["part"].fillna("none")) - set(PARTS))):
            raise DataError(f"{path}: the column part says {shown(unknown)}; it may say {', '.join(PARTS)}.")
    return table.assign(group=table["group"].fillna(table["track_id"]))


def from_folders(path: Path) -> pd.DataFrame:
    """The first folder below the path is the label."""
    files = sound_files(path)
    if loose := [str(file) for file in files if file.parent == path]:
        raise DataError(f"{path}: sound files outside a label's folder: {shown(loose)}. {LAYOUT}")
    return _table_of(path, files).assign(label=[file.relative_to(path).parts[0] for file in files])


def sound_files(path: Path) -> list[Path]:
    """Sound files below a folder, sorted; raises DataError where there are none, or some of kinds that cannot be decoded."""
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


def _table_of(path: Path, files: list[Path]) -> pd.DataFrame:
    """Ids are paths below the folder without suffix, so that happy/01.mp3 and sad/01.mp3 are two clips."""
    ids = [file.relative_to(path).with_suffix("").as_posix() for file in files]
    return pd.DataFrame({"track_id": ids, "group": ids, "path": files})
