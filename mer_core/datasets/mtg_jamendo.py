"""MTG-Jamendo, mood/theme: 17,982 whole tracks with any of 56 tags (Bogdanov et al., ICML workshop 2019)."""

from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.datasets.tracks import PARTS, DataError, Tracks, measured, shown

PREFIX = "mood/theme---"
TAG_ORDER = "moodtheme_split.txt"
FIELDS = ("track_id", "artist", "album", "path", "duration_s")

HOW_TO_GET_IT = (
    "Clone github.com/MTG/mtg-jamendo-dataset and copy data/splits/split-0/autotagging_moodtheme-*.tsv and "
    "data/tags/moodtheme_split.txt to {folder} (other splits to split-1 to split-4 below it). If they lie "
    "elsewhere, point the environment variable MER_DATA at the folder that contains 'mtg_jamendo'."
)


def tags(root: Path | None = None) -> list[str]:
    """The 56 tags in the official order, which is that of the columns of all published predictions."""
    root = root or paths.data_root() / "mtg_jamendo"
    return [line.removeprefix(PREFIX) for line in _lines(root, root / TAG_ORDER)]


def _lines(root: Path, path: Path) -> list[str]:
    if not path.is_file():
        advice = HOW_TO_GET_IT.format(folder=root)
        raise DataError(f"mtg_jamendo: {path.name} not found in {path.parent}. {advice}")
    return path.read_text(encoding="utf-8").splitlines()


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
    root = root or paths.data_root() / "mtg_jamendo"
    path = (root if split == 0 else root / f"split-{split}") / f"autotagging_moodtheme-{part}.tsv"
    rows = [line.split("\t") for line in _lines(root, path)[1:]]  # ending in as many fields as tags
    table = pd.DataFrame([row[: len(FIELDS)] for row in rows], columns=list(FIELDS))
    table = table.astype({"duration_s": float})
    table["tags"] = [tuple(tag.removeprefix(PREFIX) for tag in row[len(FIELDS) :]) for row in rows]
    if unknown := {tag for names in table["tags"] for tag in names} - set(tags(root)):
        lacking = f"holds tags that {TAG_ORDER} lacks: {shown(sorted(unknown))}"
        raise DataError(f"{path}: {lacking}. Fetch both from one version.")
    return table


def read(
    root: Path | None = None, *, skip_unreadable: bool = False, split: int = 0, mels: bool = False
) -> Tracks:
    """All three parts of a split, with audio from ``audio`` or, with `mels`, spectrograms from ``melspecs``.

    Both as distributed: ``NN/ID.mp3``, ``NN/ID.npy`` (to be read with `mer_core.audio.features.StoredMel`).

    Raises
    ------
    DataError : files missing (with where to get them), tracks without audio, unreadable audio
    """
    root = root or paths.data_root() / "mtg_jamendo"
    kind, suffix = ("melspecs", ".npy") if mels else ("audio", ".mp3")
    table = pd.concat([annotations(part, split, root).assign(part=part) for part in PARTS], ignore_index=True)
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
