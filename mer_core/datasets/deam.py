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
from mer_core.datasets.pmemo import artist_groups, rated_tracks, read_tables
from mer_core.datasets.tracks import Tracks, measured
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
    DataError : files missing, with where to get them
    """
    *static, info = _tables(root, *STATIC, SONGS)
    songs = pd.concat(static, ignore_index=True).merge(_tidy(info), on="song_id", how="left", validate="1:1")
    eim = songs["song_id"] <= LAST_EIM_SONG
    exchanged = eim & (not as_distributed)
    valence, arousal = songs["valence_mean"], songs["arousal_mean"]
    track_id = songs["song_id"].astype(str)
    table = pd.DataFrame({"track_id": track_id, "group": artist_groups(songs["Artist"], track_id)})
    table[["artist", "title", "genre"]] = songs[["Artist", "Song title", "Genre"]]
    ratings = {"valence": valence.mask(exchanged, arousal), "arousal": arousal.mask(exchanged, valence)}
    return table.assign(**ratings, eim=eim)


def dynamic(root: Path | None = None) -> pd.DataFrame:
    """Ratings over time: one row per half second, from 15 s on (the makers removed the first 15 s).

    Returns
    -------
    table : columns track_id (str), second, valence, arousal (means over listeners, -1 to 1)

    Raises
    ------
    DataError : files missing, with where to get them
    """
    valence, arousal = (_long(wide) for wide in _tables(root, *DYNAMIC))
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
    root = root or paths.data_root() / "deam"
    source = STATIC_SCALE, root, AUDIO, HOW_TO_GET_IT
    tracks = rated_tracks("deam", annotations(root), *source, audible_only=audible_only)
    return measured("deam", QUADRANTS, tracks, skip_unreadable=skip_unreadable)


def read_eim(
    root: Path | None = None, *, skip_unreadable: bool = False, audible_only: bool = False
) -> Tracks:
    """Tracks of EiM, the 744 songs of DEAM with a known artist; otherwise as `read`."""
    root = root or paths.data_root() / "deam"
    songs, source = annotations(root).query("eim"), (STATIC_SCALE, root, AUDIO_EIM, HOW_TO_GET_IT)
    tracks = rated_tracks("eim", songs, *source, audible_only=audible_only)
    return measured("eim", QUADRANTS, tracks, skip_unreadable=skip_unreadable)


def _tables(root: Path | None, *names: str) -> list[pd.DataFrame]:
    return read_tables("deam", root or paths.data_root() / "deam", names, HOW_TO_GET_IT)


def _tidy(info: pd.DataFrame) -> pd.DataFrame:
    """Artist, title and genre without the tabs around them; an empty field is a missing one."""
    columns = info[["Artist", "Song title", "Genre"]]
    words = columns.apply(lambda column: column.str.strip().mask(lambda text: text == ""))
    return words.assign(song_id=info["song_id"])


def _long(wide: pd.DataFrame) -> pd.Series:
    """One column per half second (``sample_15500ms``) turned into rows, indexed by song_id and second."""
    frames = wide.melt("song_id", var_name="second", value_name="rating")
    frames["second"] = frames["second"].str.extract(r"(\d+)ms", expand=False).astype(float) / 1000
    return frames.set_index(["song_id", "second"])["rating"]
