"""MTG-Jamendo, mood/theme: 17,982 whole tracks with any of 56 tags (Bogdanov et al., ICML workshop 2019)."""

from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.datasets import tables
from mer_core.datasets.tracks import PARTS, DataError, Tracks, measured, shown

PREFIX = "mood/theme---"
TAG_ORDER = "moodtheme_split.txt"
FIELDS = ("track_id", "artist", "album", "path", "duration_s")
HEADER = ["TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS"]
LONGEST_S = 100_000.0

HOW_TO_GET_IT = (
    "Clone github.com/MTG/mtg-jamendo-dataset and copy data/splits/split-0/autotagging_moodtheme-*.tsv and "
    "data/tags/moodtheme_split.txt to {folder} (other splits to split-1 to split-4 below it). If they lie "
    "elsewhere, point the environment variable MER_DATA at the folder that contains 'mtg_jamendo'."
)


def tags(root: Path | None = None) -> list[str]:
    """The 56 tags in the official order, which is that of the columns of all published predictions."""
    names = pd.DataFrame({"tag": _lines(root, TAG_ORDER)})
    names.index += 1
    path = (root or paths.data_root() / "mtg_jamendo") / TAG_ORDER
    rows = None if root else tables.rows_of_complete("mtg_jamendo", TAG_ORDER)
    columns = {"tag": tables.text(PREFIX + r"[a-z0-9]+", like=f"{PREFIX}calm")}
    names = tables.checked(path, names, columns, unique=["tag"], rows=rows)["tag"]
    return names.str.removeprefix(PREFIX).tolist()


def _lines(root: Path | None, file: str) -> list[str]:
    place = root or paths.data_root() / "mtg_jamendo"
    if not (path := place / file).is_file():
        advice = HOW_TO_GET_IT.format(folder=place)
        raise DataError(f"mtg_jamendo: {path.name} not found in {path.parent}. {advice}")
    return tables.content(path).rstrip().splitlines()


def annotations(part: str, split: int = 0, root: Path | None = None) -> pd.DataFrame:
    """The tracks of one part of a split in the order of its file, one row each; needs no audio.

    Parameters
    ----------
    part : "train", "validation" or "test"; no artist is in two of them
    split : 0 to 4; the MediaEval task uses 0

    Returns
    -------
    table : columns track_id, artist, album, path (of the audio, as distributed), duration_s, tags (a tuple)

    Raises
    ------
    DataError : no such part, files missing (with where to get them), or unknown tags
    """
    if part not in PARTS:
        raise DataError(f"mtg_jamendo: there is no part {part!r}; there are {', '.join(PARTS)}.")
    file = (
        f"autotagging_moodtheme-{part}.tsv"
        if split == 0
        else f"split-{split}/autotagging_moodtheme-{part}.tsv"
    )
    path = (root or paths.data_root() / "mtg_jamendo") / file
    head, *rows = [line.split("\t") for line in _lines(root, file)] or [[]]
    if head != HEADER:
        raise DataError(
            f"{path}: its first line is not {' '.join(HEADER)} between tabs. {tables.FETCH_AGAIN}"
        )
    n = len(FIELDS)  # each row ends in as many fields as tags
    table = pd.DataFrame([[*row[:n], *[""] * (n - len(row))] for row in rows], columns=list(FIELDS))
    table["tags"] = [tuple(tag.removeprefix(PREFIX) for tag in row[n:]) for row in rows]
    table["first_tag"] = [row[n] if len(row) > n else "" for row in rows]
    table.index += 2
    said = tables.checked(
        path, table, columns_of_tracks(), unique=["track_id"], rows=None if root else known_rows(file)
    )
    table = said[list(FIELDS)].assign(tags=table["tags"]).reset_index(drop=True)
    if unknown := {tag for names in table["tags"] for tag in names} - set(tags(root)):
        lacking = f"holds tags that {TAG_ORDER} lacks: {shown(sorted(unknown))}"
        raise DataError(f"{path}: {lacking}. Fetch both from one version.")
    return table


def columns_of_tracks() -> dict:
    """What the fields of a track may hold; paths lead nowhere else."""
    return {
        "track_id": tables.text(r'[^"\s]+', like="track_0000948"),
        "artist": tables.text(),
        "album": tables.text(missing=True),
        "path": tables.text(r"\d\d/\d+\.mp3", like="48/948.mp3"),
        "duration_s": tables.number(0.1, LONGEST_S),
        "first_tag": tables.text(PREFIX + ".+", like=f"{PREFIX}calm"),
    }


def known_rows(file: str) -> int | None:
    """The tracks of a file in a complete copy."""
    return tables.rows_of_complete("mtg_jamendo", file)


def read(
    root: Path | None = None, *, skip_unreadable: bool = False, split: int = 0, mels: bool = False
) -> Tracks:
    """All three parts of a split, with audio from ``audio`` or, with `mels`, spectrograms from ``melspecs``.

    Both as distributed: ``NN/ID.mp3``, ``NN/ID.npy`` (to be read with `mer_core.audio.features.StoredMel`).

    Raises
    ------
    DataError : files missing (with where to get them), tracks without audio, unreadable audio
    """
    own, root = root, root or paths.data_root() / "mtg_jamendo"
    kind, suffix = ("melspecs", ".npy") if mels else ("audio", ".mp3")
    table = pd.concat([annotations(part, split, own).assign(part=part) for part in PARTS], ignore_index=True)
    table["path"] = [(root / kind / name).with_suffix(suffix) for name in table["path"]]
    if absent := [str(path) for path in table["path"] if not path.is_file()]:
        raise DataError(
            f"mtg_jamendo: {len(absent)} of {len(table)} tracks have no {kind}: {shown(absent, 2)}. "
            "Download them with the data set's own script (scripts/download/download.py --dataset "
            f"autotagging_moodtheme --type {kind}) into {kind}/."
        )
    table = table.assign(group=table["artist"])[["track_id", "path", "group", "tags", "part", "duration_s"]]
    if mels:
        return Tracks("mtg_jamendo", tuple(tags(root)), table)
    return measured("mtg_jamendo", tuple(tags(root)), table, skip_unreadable=skip_unreadable)
