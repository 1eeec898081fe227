"""Emotify: 400 excerpts of a minute, and which emotions listeners felt (Aljanaki, Wiering and Veltkamp 2016).

Each song has 11 to 59 listeners, who were asked to name at most three of nine emotions of the Geneva
Emotional Music Scale (GEMS; Zentner, Grandjean and Scherer, Emotion 2008). They say what they *felt*; the
listeners of most data sets say what music expresses. The share of listeners is a soft label with a
known uncertainty.

Track ids count through the genres in the order of GENRES, and files within their genre. Lists found elsewhere
take the genres alphabetically and give the songs of three genres the answers to others.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from mer_core import paths
from mer_core.datasets import splits, tables
from mer_core.datasets.pmemo import artist_groups, read_tables
from mer_core.datasets.tracks import DataError, Tracks, audio_files, match_audio, measured, shown
from mer_core.emotion import QUADRANTS
from mer_core.evaluation import reliability

ANSWERS = "data.csv"  # a row per listener and song
ARTISTS = "track_metadata.csv"  # where the audio has lost its tags: columns track_id and artist
AUDIO = "emotifymusic"  # a folder per genre of files 1 to 100
GENRES = ("classical", "rock", "electronic", "pop")
SONGS_PER_GENRE = 100
EMOTIONS = (
    "amazement",
    "solemnity",
    "tenderness",
    "nostalgia",
    "calmness",
    "power",
    "joyful_activation",
    "tension",
    "sadness",
)
# GEMS divides emotions into sublimity, vitality and unease. Vitality is pleasant and active (Q1); unease
# falls into tension (Q2) and sadness (Q3); of sublimity, calmness and tenderness are pleasant and quiet (Q4),
# while amazement, solemnity and nostalgia lie in no one quadrant and are left out.
EMOTIONS_OF = {
    "Q1": ("joyful_activation", "power"),
    "Q2": ("tension",),
    "Q3": ("sadness",),
    "Q4": ("calmness", "tenderness"),
}

HOW_TO_GET_IT = (
    "Download Emotify (Aljanaki, Wiering and Veltkamp 2016; "
    "www2.projects.science.uu.nl/memotion/emotifydata) and unpack it so that {folder} holds data.csv and the "
    "folder emotifymusic, and in it the folders classical, rock, electronic and pop. If it lies elsewhere, "
    "point the environment variable MER_DATA at the folder that contains 'emotify'."
)


def answers(root: Path | None = None) -> pd.DataFrame:
    """What listeners felt, a row per listener and song; needs no audio.

    Returns
    -------
    table : columns track_id (str), genre, and one per emotion (0 or 1)

    Raises
    ------
    DataError : the file is missing (with where to get it), lacks columns, or numbers genres otherwise
    """
    path = (root or paths.data_root() / "emotify") / ANSWERS
    answer = tables.one_of(("0", "1"))
    columns = {"track id": tables.song_number(), "genre": tables.text(), **dict.fromkeys(EMOTIONS, answer)}
    (table,) = read_tables("emotify", "emotify", root, {ANSWERS: columns}, HOW_TO_GET_IT)
    table = table.rename(columns={"track id": "track_id"})
    wrong = [genre_of(track) != genre for track, genre in zip(table["track_id"], table["genre"], strict=True)]
    if len(bad := table.index[wrong]):
        raise DataError(
            f"{path}: track id and genre disagree in row {shown(bad)}; ids count {', '.join(GENRES)}, "
            f"{SONGS_PER_GENRE} songs each, in this order. Use {ANSWERS} as distributed."
        )
    return table.astype(dict.fromkeys(EMOTIONS, int)).reset_index(drop=True)


def genre_of(track_id: str) -> str | None:
    """The genre whose ids a track id is among.

    >>> genre_of("101"), genre_of("400"), genre_of("401")
    ('rock', 'pop', None)
    """
    number = int(track_id) - 1 if track_id.isdecimal() else -1
    return GENRES[number // SONGS_PER_GENRE] if 0 <= number < len(GENRES) * SONGS_PER_GENRE else None


def shares_of_listeners(root: Path | None = None) -> pd.DataFrame:
    """Share of a song's listeners who felt each emotion; several may add up to more than 1.

    Returns
    -------
    table : a row per track_id (str), a column per emotion, 0 to 1, and ``listeners``, their number

    Raises
    ------
    DataError : as `answers`
    """
    by_song = answers(root).groupby("track_id", sort=False)
    return by_song[list(EMOTIONS)].mean().assign(listeners=by_song.size())


def split_half_reliability(root: Path | None = None) -> pd.Series:
    """How well half of each song's listeners predict the other half, by emotion (`reliability.split_half`).

    `reliability.ceiling` makes of it what a perfect prediction of the shares would reach.
    """
    table = answers(root)
    return reliability.split_half(table[list(EMOTIONS)], table["track_id"])


def read(root: Path | None = None, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of Emotify with the nine emotions as tags, and with the shares of listeners.

    A song has the tag of an emotion that a larger share of its listeners felt than of the median song's. A
    fixed cut would not do: half of the listeners felt amazement in 3 songs, joy in 83. So each emotion has as
    many songs as it lacks, but for songs at the median itself. Artists are divided among the parts.

    Raises
    ------
    DataError : files missing (with where to get them), answers or audio alone, duplicate ids, unreadable
        audio
    """
    table = _songs(root)
    shares = np.array(table["shares"].tolist())
    felt = shares > np.median(shares, axis=0)
    table["tags"] = [tuple(np.array(EMOTIONS)[own].tolist()) for own in felt]
    table["part"] = splits.parts("emotify", table, EMOTIONS)
    return measured("emotify", EMOTIONS, table, skip_unreadable=skip_unreadable)


def read_quadrants(root: Path | None = None, *, skip_unreadable: bool = False) -> Tracks:
    """The same songs with the Russell quadrant of the emotions that most listeners felt (EMOTIONS_OF).

        strength(Q) = mean over the emotions of Q of the share of listeners

    The label is the strongest quadrant; songs in which two are equally strong are left out. ``shares`` are
    the strengths, made to add up to 1. The emotions are felt ones, while labels of other data sets are
    expressed ones: a model for one need not fit the other.

    Raises
    ------
    DataError : as `read`
    """
    table = _songs(root)
    shares = pd.DataFrame(table["shares"].tolist(), table.index, EMOTIONS)
    strength = pd.DataFrame({q: shares[list(own)].mean(axis=1) for q, own in EMOTIONS_OF.items()})
    share = strength.div(strength.sum(axis=1), axis=0)
    table = table.assign(label=strength.idxmax(axis=1), shares=[*map(tuple, share.to_numpy().tolist())])
    decided = strength.eq(strength.max(axis=1), axis=0).sum(axis=1) == 1
    return measured("emotify_quadrants", QUADRANTS, table[decided], skip_unreadable=skip_unreadable)


def _songs(root: Path | None) -> pd.DataFrame:
    """Track id, path, group, genre, shares and number of listeners of every song."""
    listened = shares_of_listeners(root)
    given, root = root, root or paths.data_root() / "emotify"
    table = pd.DataFrame({"track_id": listened.index, "listeners": listened["listeners"].to_numpy()})
    table["shares"] = [tuple(row) for row in listened[list(EMOTIONS)].to_numpy().tolist()]
    table["genre"] = table["track_id"].map(genre_of)
    files = {}
    for i, genre in enumerate(GENRES):
        for stem, path in audio_files(root / AUDIO / genre).items():
            within = int(stem) if stem.isdecimal() else 0
            own = 1 <= within <= SONGS_PER_GENRE
            files[str(i * SONGS_PER_GENRE + within) if own else f"{genre}/{stem}"] = path
    if not files:
        raise DataError(f"emotify: no audio in {root / AUDIO}. {HOW_TO_GET_IT.format(folder=root)}")
    table = match_audio("emotify", table, files)
    artists = artists_of(given) if (root / ARTISTS).is_file() else None
    return table.assign(group=artist_groups(_artists(table, artists), table["track_id"]))


def artists_of(root: Path | None) -> pd.DataFrame:
    """The columns track_id and artist of ARTISTS.

    Raises
    ------
    DataError : the file is damaged, or lists a song twice
    """
    columns = {"track_id": tables.song_number(), "artist": tables.text(missing=True)}
    remedy = "Mend it, or remove the file where the audio has tags."
    how = {"unique": ["track_id"], "remedy": remedy}
    return read_tables("emotify", "emotify", root, {ARTISTS: columns}, HOW_TO_GET_IT, **how)[0]


def _artists(table: pd.DataFrame, known: pd.DataFrame | None) -> pd.Series:
    """The artist of each song, by ARTISTS where there is one, else by the tags of the audio."""
    if known is None:
        return table["path"].map(_tagged_artist)
    if len(alone := table.loc[~table["track_id"].isin(known["track_id"]), "track_id"]):
        raise DataError(f"emotify: {ARTISTS} lacks songs: {shown(alone)}. Add them, or remove the file.")
    return table["track_id"].map(known.set_index("track_id")["artist"])


def _tagged_artist(path: Path) -> str | None:
    try:
        with soundfile.SoundFile(path) as file:
            return file.copy_metadata().get("artist")
    except soundfile.LibsndfileError:  # `measured` says why
        return None
