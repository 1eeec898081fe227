"""4Q: 900 clips of about 30 s, 225 per Russell quadrant (Panda, Malheiro and Paiva, IEEE TAFFC 2018)."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from mer_core import paths
from mer_core.datasets import splits, tables
from mer_core.datasets.pmemo import artist_groups, read_tables, refuse_without_partner
from mer_core.datasets.tracks import DataError, Tracks, audio_files, match_audio, measured
from mer_core.emotion import QUADRANTS

ANNOTATIONS = "panda_dataset_taffc_annotations.csv"  # columns Song, Quadrant
METADATA = "panda_dataset_taffc_metadata.csv"  # Song, Artist, Title, MoodsStrSplit, ...; written in Latin-1
LEAST_CLIPS_OF_A_MOOD = 40
# of clips with moods: the two of 10 s are too short for long windows, and long and short test the same songs
SHORTEST_S = 25.0

SAME_ACT = (  # under names that differ by more than spelling
    ("Alvin & the Chipmunks", "The Chipmunks"),
    ("Bob Marley", "Bob Marley & the Wailers"),
    ("Charlie Poole", "Charlie Poole & the North Carolina Ramblers"),
    ("Eddie Heywood", "Eddie Heywood and His Orchestra"),
    ("Sizzla", "Sizzla Kalonji"),
    ("The Sir Douglas Quintet", "The Sir Douglas Quintet + 2"),
    ("Xavier Cugat", "Xavier Cugat & His Orchestra"),
)
# clips that overlap: the second begins 14.3 s before or 0.5 s after the first, log spectra correlate by 0.8
SAME_RECORDING = (("MT0002161109", "MT0033415296"), ("MT0000523076", "MT0000941301"))

HOW_TO_GET_IT = (
    "Download the '4Q audio emotion dataset' (Panda et al., TAFFC 2018) of MIR @ CISUC, University of "
    "Coimbra (mir.dei.uc.pt, Resources), and unpack it so that {folder} holds the folders Q1 to Q4 and "
    "both CSV files. If it lies elsewhere, point the environment variable MER_DATA at the folder that "
    "contains '4q'."
)


def read(root: Path | None = None, *, skip_unreadable: bool = False) -> Tracks:
    """Tracks of 4Q as distributed: folders Q1 to Q4 of sound files, annotations and metadata as Latin-1 CSV.

    The group is the artist, so that no artist need be on both sides of a split. The act joins several names
    of one artist (SAME_ACT) and the artists to whom one recording is ascribed (SAME_RECORDING).

    Raises
    ------
    DataError : files missing (with where to get them), labels or audio alone, unreadable audio
    """
    annotations, songs = _tables(root)
    root = root or paths.data_root() / "4q"
    group = artists(annotations, songs)
    table = pd.DataFrame({"track_id": annotations["song"], "label": annotations["quadrant"], "group": group})
    table = match_audio("4q", table.assign(act=acts(table)), audio_files(root))
    in_folder = table["path"].map(lambda path: path.parent.name)
    if (wrong := table[in_folder != table["label"]]).size:
        raise DataError(
            f"4q: {len(wrong)} clips lie in another quadrant's folder than their annotation says: "
            f"{', '.join(wrong['track_id'].head())}. Unpack the data set again."
        )
    known = {"same_recording": SAME_RECORDING}
    return measured("4q", QUADRANTS, table, skip_unreadable=skip_unreadable, **known)


def read_moods(
    root: Path | None = None,
    *,
    skip_unreadable: bool = False,
    untagged: bool = False,
    half: bool = False,
    other_half: bool = False,
) -> Tracks:
    """The same clips with AllMusic's mood words for their songs, the 54 that at least 40 clips have.

    Artists are divided among training, validation and test. Clips that have none of these words are left out:
    nobody has said that no mood fits them; and so are those shorter than SHORTEST_S. `untagged` gives the
    clips without words alone, as music without labels, but for those by artists of validation and test;
    `half` leaves out every second artist of the training part, and `other_half` gives these alone.

    Raises
    ------
    DataError : as `read`
    """
    annotations, songs = _tables(root, "moodsstrsplit")
    root = root or paths.data_root() / "4q"
    words = annotations["song"].map(songs["moodsstrsplit"]).fillna("").str.split(";")
    words = words.map(lambda own: tuple(sorted({word.strip() for word in own} - {""})))
    frequent = words.explode().value_counts()
    names = tuple(sorted(frequent.index[frequent >= LEAST_CLIPS_OF_A_MOOD]))
    tags = words.map(lambda own: tuple(word for word in own if word in names))
    group = artists(annotations, songs)
    table = pd.DataFrame({"track_id": annotations["song"], "tags": tags, "group": group})
    table = match_audio("4q_moods", table, audio_files(root))
    has = table["tags"].map(bool)
    without, table = table[~has], table[has].reset_index(drop=True)
    table["part"] = splits.parts("4q_moods", table, names)
    if untagged:
        held_out = set(table.loc[table["part"] != "train", "group"])
        table = without[~without["group"].isin(held_out)].assign(part="train").reset_index(drop=True)
    elif half or other_half:
        training = table["part"] == "train"
        second = table["group"].isin(sorted(set(table.loc[training, "group"]))[1::2]) & training
        table = table[second if other_half else ~second].reset_index(drop=True)
    tracks = measured("4q_moods", names, table, skip_unreadable=skip_unreadable)
    return replace(tracks, table=tracks.table[tracks.table["duration_s"] >= SHORTEST_S])


def artists(annotations: pd.DataFrame, songs: pd.DataFrame) -> pd.Series:
    """The artist of each clip; without a known one the clip is a group of its own."""
    return annotations["song"].map(songs["artist"]).fillna(annotations["song"]).str.strip()


def acts(table: pd.DataFrame) -> pd.Series:
    """What folds by act keep together, for a table with ``track_id`` and ``group`` (the artist).

    >>> acts(pd.DataFrame({"track_id": list("123"), "group": ["Sizzla", "Sizzla Kalonji", "Q"]})).tolist()
    ['sizzla', 'sizzla', 'q']
    """
    act = artist_groups(table["group"], table["track_id"])
    alike = [table["group"].isin(names) for names in SAME_ACT]
    for rows in (*alike, *(table["track_id"].isin(ids) for ids in SAME_RECORDING)):
        joined = set(act[rows])
        act = act.where(~act.isin(joined), min(joined, default=""))
    return act


def _tables(root: Path | None, *further: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Annotations, and metadata by song; raises DataError where files are missing or damaged."""
    place = root or paths.data_root() / "4q"
    if missing := [name for name in (*QUADRANTS, ANNOTATIONS, METADATA) if not (place / name).exists()]:
        advice = HOW_TO_GET_IT.format(folder=place)
        raise DataError(f"4q: {', '.join(missing)} not found in {place}. {advice}")
    song, free = tables.text(r"MT\d+", like="MT0000004637"), tables.text(missing=True)
    files = {
        ANNOTATIONS: {"song": song, "quadrant": tables.one_of(QUADRANTS)},
        METADATA: {"song": song, "artist": free, **dict.fromkeys(further, free)},
    }
    how = {"unique": ["song"], "encoding": "latin-1", "remedy": "Unpack the data set again."}
    annotations, songs = read_tables("4q", "4q", root, files, HOW_TO_GET_IT, **how)
    refuse_without_partner(root, ANNOTATIONS, annotations, METADATA, songs, ["song"])
    return annotations, songs.set_index("song")
