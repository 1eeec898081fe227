"""DEAM: 1,802 songs rated for valence and arousal (Aljanaki, Yang and Soleymani, PLoS ONE 2017), and EiM.

EiM is the Emotion in Music corpus, also called emoMusic or 1000 songs (Soleymani et al., CrowdMM 2013): the
744 songs of DEAM with ids up to 1000.

DEAM's table of whole-song ratings has the columns of these 744 songs in the wrong order: what it calls
valence is the arousal that EiM itself publishes, and the other way round. EiM gives song 2 a mean arousal of
3.1 and a mean valence of 3.0, DEAM a valence of 3.1 and an arousal of 3. The ratings over time, equal in both
corpora, show who is right: with DEAM's names the whole-song valence of these songs follows the arousal over
time (r = 0.96) far closer than the valence over time (r = 0.58), for the other 1,058 songs it is the reverse
(0.56 against 0.91). `annotations` corrects the columns.
"""

from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.datasets import tables
from mer_core.datasets.pmemo import artist_groups, rated_tracks, read_tables, refuse_without_partner
from mer_core.datasets.tracks import DataError, Tracks, measured, shown
from mer_core.emotion import QUADRANTS, Scale

STATIC_SCALE = Scale(1.0, 9.0)
DYNAMIC_SCALE = Scale(-1.0, 1.0)
LAST_EIM_SONG = 1000

_AVERAGES = "annotations/annotations averaged per song"
STATIC = tuple(
    f"{_AVERAGES}/song_level/static_annotations_averaged_songs_{ids}.csv" for ids in ("1_2000", "2000_2058")
)
DYNAMIC = tuple(
    f"{_AVERAGES}/dynamic (per second annotations)/{dimension}.csv" for dimension in ("valence", "arousal")
)
# artists and titles of EiM only; in EiM's own package it is called songs_info.csv
SONGS = "songs_info_emomusic.csv"
AUDIO = ("MEMD_audio", "audio")
AUDIO_EIM = ("clips_45seconds", *AUDIO)

HOW_TO_GET_IT = (
    "Download DEAM (cvml.unige.ch/databases/DEAM: annotations and MEMD_audio) and unpack it so that "
    "{folder} holds the folders annotations and MEMD_audio. Put songs_info.csv of Emotion in Music "
    "(cvml.unige.ch/databases/emoMusic) beside them as songs_info_emomusic.csv. If it lies elsewhere, "
    "point the environment variable MER_DATA at the folder that contains 'deam'."
)


def annotations(root: Path | None = None, *, as_distributed: bool = False) -> pd.DataFrame:
    """The rated songs, one row each; needs no audio.

    Parameters
    ----------
    root : folder of DEAM
    as_distributed : leave valence and arousal of EiM's songs exchanged, to measure what this error does

    Returns
    -------
    table : columns track_id (str), group, artist, title, genre (all three of EiM's songs only), valence,
        arousal (1 to 9), eim (bool, whether the song is one of EiM's 744)

    Raises
    ------
    DataError : files missing, with where to get them, or damaged
    """
    rating, free = tables.number(STATIC_SCALE.low, STATIC_SCALE.high), tables.text(missing=True)
    rated = {"song_id": song_id(), "valence_mean": rating, "arousal_mean": rating}
    described = {"song_id": song_id(), "artist": free, "song title": free, "genre": free}
    *static, info = _tables(root, dict.fromkeys(STATIC, rated) | {SONGS: described})
    songs = pd.concat(static, ignore_index=True)
    if len(twice := songs.loc[songs["song_id"].duplicated(), "song_id"]):
        both = " and ".join(STATIC)
        raise DataError(f"deam: songs that are in {both}: {shown(twice)}. {tables.FETCH_AGAIN}")
    eim = songs["song_id"] <= LAST_EIM_SONG
    refuse_without_partner(root, STATIC[0], songs[eim], SONGS, info, ["song_id"])
    songs = songs.merge(info, on="song_id", how="left", validate="1:1")
    exchanged = eim & (not as_distributed)
    valence, arousal = songs["valence_mean"], songs["arousal_mean"]
    track_id = songs["song_id"].astype(str)
    table = pd.DataFrame({"track_id": track_id, "group": artist_groups(songs["artist"], track_id)})
    table[["artist", "title", "genre"]] = songs[["artist", "song title", "genre"]]
    ratings = {"valence": valence.mask(exchanged, arousal), "arousal": arousal.mask(exchanged, valence)}
    return table.assign(**ratings, eim=eim)


def dynamic(root: Path | None = None) -> pd.DataFrame:
    """Ratings over time: one row per half second, from 15 s on (the makers removed the first 15 s).

    Returns
    -------
    table : columns track_id (str), second, valence, arousal (means over listeners, -1 to 1)

    Raises
    ------
    DataError : files missing, with where to get them, or damaged
    """
    songs = _tables(root, {file: {"song_id": song_id()} for file in DYNAMIC})
    if not songs[0]["song_id"].isin(songs[1]["song_id"]).all() or len(songs[0]) != len(songs[1]):
        raise DataError(f"deam: {' and '.join(DYNAMIC)} hold other songs. {tables.FETCH_AGAIN}")
    place = root or paths.data_root() / "deam"
    valence, arousal = (_long(place / file) for file in DYNAMIC)
    frames = pd.concat({"valence": valence, "arousal": arousal}, axis=1).dropna().sort_index().reset_index()
    return frames.rename(columns={"song_id": "track_id"}).astype({"track_id": str})


def read(root: Path | None = None, *, skip_unreadable: bool = False, audible_only: bool = False) -> Tracks:
    """Tracks of DEAM: the label is the quadrant of the rating of the whole song.

    The group is the artist for EiM's songs; for the others no artist is known, each is a group of its own.
    `audible_only` leaves out rated songs without audio.

    Raises
    ------
    DataError : files missing (with where to get them), ratings without audio, unreadable audio
    """
    source = STATIC_SCALE, root or paths.data_root() / "deam", AUDIO, HOW_TO_GET_IT
    tracks = rated_tracks("deam", annotations(root), *source, audible_only=audible_only)
    return measured("deam", QUADRANTS, tracks, skip_unreadable=skip_unreadable)


def read_eim(
    root: Path | None = None, *, skip_unreadable: bool = False, audible_only: bool = False
) -> Tracks:
    """Tracks of EiM, the 744 songs of DEAM with a known artist; otherwise as `read`."""
    source = STATIC_SCALE, root or paths.data_root() / "deam", AUDIO_EIM, HOW_TO_GET_IT
    songs = annotations(root).query("eim")
    tracks = rated_tracks("eim", songs, *source, audible_only=audible_only)
    return measured("eim", QUADRANTS, tracks, skip_unreadable=skip_unreadable)


def song_id():
    """A column of ids, as whole numbers."""
    return tables.number(1, 1e6, whole=True)


def _tables(root: Path | None, files: dict[str, dict]) -> list[pd.DataFrame]:
    return read_tables("deam", "deam", root, files, HOW_TO_GET_IT, ["song_id"])


def _long(path: Path) -> pd.Series:
    """One column per half second (``sample_15500ms``) turned into rows, indexed by song_id and second."""
    wide = tables.cells(path)
    frames = wide.melt("song_id", var_name="moment", value_name="rating", ignore_index=False)
    frames = frames[frames["rating"] != ""]
    frames["second"] = frames["moment"].str.extract(r"^sample_(\d{1,7})ms$", expand=False).fillna("")
    schema = {
        "song_id": song_id(),
        "second": tables.number(0, 1e7),
        "rating": tables.number(DYNAMIC_SCALE.low, DYNAMIC_SCALE.high),
    }
    frames = tables.checked(path, frames, schema, unique=["song_id", "second"])
    return frames.assign(second=frames["second"] / 1000).set_index(["song_id", "second"])["rating"]
