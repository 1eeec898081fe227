"""PMEmo: 794 pop choruses, 767 with valence and arousal, whole and over time (Zhang et al., ICMR 2018)."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.datasets import tables
from mer_core.datasets.tracks import DataError, Tracks, audio_files, measured, shown
from mer_core.emotion import QUADRANTS, Scale, quadrants

SCALE = Scale(0.0, 1.0)  # of the ratings of whole choruses and of those over time
SPLITS = MIDPOINT, MEDIAN = ("midpoint", "median")  # where low and high are divided
METADATA = "metadata.csv"
STATIC = "annotations/static_annotations.csv"
DYNAMIC = "annotations/dynamic_annotations.csv"
DYNAMIC_SD = "annotations/dynamic_annotations_std.csv"
AUDIO = ("chorus",)
LONGEST_S = 3600.0
NAMES = {  # of columns there, in small letters, and here
    "musicid": "track_id",
    "frametime": "second",
    "duration": "duration_s",
    "valence(mean)": "valence",
    "arousal(mean)": "arousal",
    "valence(std)": "valence_sd",
    "arousal(std)": "arousal_sd",
}

HOW_TO_GET_IT = (
    "Download PMEmo (Zhang et al., ICMR 2018; github.com/HuiZhangDB/PMEmo links to it, 1.3 GB) and unpack "
    "it so that {folder} holds metadata.csv and the folders annotations and chorus. If it lies elsewhere, "
    "point the environment variable MER_DATA at the folder that contains 'pmemo'."
)


def annotations(root: Path | None = None) -> pd.DataFrame:
    """The rated choruses, one row each; needs no audio.

    Returns
    -------
    table : columns track_id (str), group, artist, title, album, valence, arousal (0 to 1),
        duration_s (seconds, as the metadata say)

    Raises
    ------
    DataError : files missing, with where to get them, or damaged
    """
    free, seconds = tables.text(missing=True), tables.number(0.1, LONGEST_S)
    described = {
        "musicid": tables.song_number(),
        "title": free,
        "artist": free,
        "album": free,
        "duration": seconds,
    }
    files = {STATIC: _rated("mean"), METADATA: described}
    static, songs = _tables(root, files, ("musicid",))
    refuse_without_partner(root, STATIC, static, METADATA, songs, ["musicid"])
    songs = static.merge(songs, on="musicid", how="left", validate="1:1")
    songs = songs.assign(group=artist_groups(songs["artist"], songs["musicid"])).rename(columns=NAMES)
    return songs[["track_id", "group", "artist", "title", "album", "valence", "arousal", "duration_s"]]


def dynamic(root: Path | None = None) -> pd.DataFrame:
    """Ratings over time: one row per half second, from 15.5 s on (the makers removed the first 15 s).

    Returns
    -------
    table : columns track_id (str), second, valence, arousal (means over listeners, 0 to 1), and their
        standard deviations valence_sd, arousal_sd

    Raises
    ------
    DataError : files missing, with where to get them, or damaged
    """
    moment = {"frametime": tables.number(0, LONGEST_S)}
    files = {DYNAMIC: moment | _rated("mean", missing=True), DYNAMIC_SD: moment | _rated("std", missing=True)}
    key = ["musicid", "frametime"]
    means, spreads = _tables(root, files, key)
    refuse_without_partner(root, DYNAMIC, means, DYNAMIC_SD, spreads, key)
    frames = means.merge(spreads, on=key, how="left", validate="1:1").rename(columns=NAMES)
    frames = frames[["track_id", "second", "valence", "arousal", "valence_sd", "arousal_sd"]]
    return frames.dropna(subset=["valence", "arousal"], ignore_index=True)


def read(
    root: Path | None = None,
    *,
    skip_unreadable: bool = False,
    audible_only: bool = False,
    split: str = MIDPOINT,
) -> Tracks:
    """Tracks of PMEmo: the label is the quadrant of the rating of the whole chorus, the group the artist.

    Choruses without a rating (27 of 794) are no part of the table. `audible_only` leaves out rated choruses
    without audio. `split` says where high begins (`divided_at`).

    Raises
    ------
    DataError : files missing (with where to get them), ratings without audio, unreadable audio
    """
    source = SCALE, root or paths.data_root() / "pmemo", AUDIO, HOW_TO_GET_IT
    songs = annotations(root)
    tracks = rated_tracks(
        "pmemo", songs, *source, audible_only=audible_only, midpoint=divided_at(songs, split)
    )
    name = "pmemo" if split == MIDPOINT else f"pmemo_{split}"  # with other labels, other folds
    return measured(name, QUADRANTS, tracks, skip_unreadable=skip_unreadable)


def divided_at(songs: pd.DataFrame, split: str = MIDPOINT) -> tuple[float, float]:
    """Where valence and arousal are divided into low and high: at the scale's midpoint, or at their medians.

    At the ``median`` of all rated choruses about half of them are high, as in 4Q. The SSSL paper does not say
    where it divides the scale; its figures for PMEmo fit the median better (the page of the audit).

    Raises
    ------
    DataError : another word for `split`
    """
    if split not in SPLITS:
        raise DataError(f"pmemo: split is {' or '.join(SPLITS)}, got {split!r}.")
    if split == MIDPOINT:
        return SCALE.midpoint, SCALE.midpoint
    return float(songs["valence"].median()), float(songs["arousal"].median())


def _rated(what: str, *, missing: bool = False) -> dict:
    """What PMEmo's tables of ratings may hold: a song, and two numbers on the scale."""
    rating = tables.number(SCALE.low, SCALE.high, missing=missing)
    return {"musicid": tables.song_number(), f"valence({what})": rating, f"arousal({what})": rating}


def _tables(root: Path | None, files: dict[str, dict], unique: Sequence[str]) -> list[pd.DataFrame]:
    return read_tables("pmemo", "pmemo", root, files, HOW_TO_GET_IT, unique)


# shared with DEAM: any data set of songs rated on scales


def read_tables(
    name: str,
    folder: str,
    root: Path | None,
    files: dict[str, dict],
    how_to_get_it: str,
    unique: Sequence[str] = (),
    **how,
) -> list[pd.DataFrame]:
    """CSV files of a data set, each checked against its schema (`tables.read`).

    Parameters
    ----------
    name : the data set, whose registry card may know how many rows a file has
    folder : below the data root; read where there is no `root`
    root : a folder of one's own; it may hold a part of the data set, so that rows are not counted
    files : the schema of each file

    Raises
    ------
    DataError : a file is missing, with where to get it, or damaged
    """
    place = root or paths.data_root() / folder
    if missing := [file for file in files if not (place / file).is_file()]:
        advice = how_to_get_it.format(folder=place)
        raise DataError(f"{name}: {', '.join(missing)} not found in {place}. {advice}")
    rows = {file: None if root else tables.rows_of_complete(name, file) for file in files}
    return [
        tables.read(place / file, schema, unique=unique, rows=rows[file], **how)
        for file, schema in files.items()
    ]


def refuse_without_partner(
    root: Path | None, file: str, table: pd.DataFrame, other: str, partners: pd.DataFrame, key: list[str]
) -> None:
    """Rows of one table that another should know as well; raises DataError where it does not."""
    known = pd.MultiIndex.from_frame(partners[key])
    alone = table.index[~pd.MultiIndex.from_frame(table[key]).isin(known)]
    if len(alone):
        place = "" if root is None else f"{root}/"
        remedy = "Fetch both files again, as distributed."
        raise DataError(f"{place}{file}: what is in row {shown(alone)} is not in {other}. {remedy}")


def artist_groups(artists: pd.Series, track_ids: pd.Series) -> pd.Series:
    """What stays together in a split: the artist by letters and digits alone, else the song.

    So "Lady GaGa" and "Lady Gaga", "Blink 182" and "Blink-182" are one artist each.

    >>> artist_groups(pd.Series(["Blink-182", "blink 182", None]), pd.Series(["7", "8", "9"])).tolist()
    ['blink182', 'blink182', 'song 9']
    """
    names = artists.astype("string").str.casefold().str.replace(r"[\W_]+", "", regex=True).fillna("")
    return names.where(names != "", "song " + track_ids.astype("string")).astype(object)


def rated_tracks(
    name: str,
    songs: pd.DataFrame,
    scale: Scale,
    root: Path,
    folders: tuple[str, ...],
    how_to_get_it: str,
    *,
    audible_only: bool,
    midpoint: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Rated songs with their quadrant as ``label`` and their audio's ``path``, in the first existing folder.

    Audio without a rating is ignored. The scale's midpoint divides low from high, unless others are given.

    Raises
    ------
    DataError : ratings without audio; with `audible_only` only when no rated song has any
    """
    folder = next((root / f for f in folders if (root / f).is_dir()), root / folders[0])
    files = audio_files(folder)
    audible = songs["track_id"].isin(files)
    silent = songs.loc[~audible, "track_id"]
    if len(silent) == len(songs) or (len(silent) and not audible_only):
        others = f" To go on with the {audible.sum()} others, ask for it: audible_only."
        raise DataError(
            f"{name}: {len(silent)} of {len(songs)} rated tracks have no audio: {shown(silent)}. It should "
            f"lie in {' or '.join(folders)} below {root}, as ID.mp3. "
            f"{how_to_get_it.format(folder=root)}{others if audible.any() else ''}"
        )
    label = quadrants(songs["valence"], songs["arousal"], midpoint or scale.midpoint)
    return songs.assign(label=label, path=songs["track_id"].map(files))[audible]
