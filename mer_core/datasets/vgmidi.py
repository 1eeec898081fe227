"""VGMIDI: 200 piano arrangements of game music in MIDI, rated while they play (Ferreira and Whitehead 2019).

About 30 listeners a piece moved a point in the plane of valence and arousal. Their tool (its code is public:
lucasnfe/adl-music-annotation) divides the piece's duration into as many equal parts as it has measures, and
keeps one pair of ratings for each: part i lasts from ``i duration / measures`` to ``(i + 1) duration /
measures`` seconds, whatever the tempo does. The tempo map of the distributed MIDI would mislead: every file
claims 120 beats a minute and 4/4.

The distributed phrases are whole pieces but for three, which are cut where the sign of the ratings changes.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import paths
from mer_core.datasets import tables
from mer_core.datasets.pmemo import read_tables
from mer_core.datasets.rendered import midi_files, rendered_tracks, seconds_of
from mer_core.datasets.tracks import DataError, Tracks, match_audio, shown
from mer_core.emotion import QUADRANTS, Scale, quadrants

SCALE = Scale(-1.0, 1.0)
LABELS = "vgmidi_labelled.csv"  # a row per phrase
MIDI = "labelled/phrases"  # a folder, or phrases.zip
RATINGS = tuple(f"labelled/annotations/vgmidi_raw_{i}.json" for i in (1, 2))
NO_SERIES = "Other"  # games that belong to none
# phrases add up to the piece that was rated within this share of its duration, or their ratings are not used:
# what is missing, and where, nobody says
TOLERANCE = 0.05
LONGEST_S, MOST_PARTS = 3600.0, 10_000  # of a piece

HOW_TO_GET_IT = (
    "Clone github.com/lucasnfe/vgmidi and copy vgmidi_labelled.csv, labelled/phrases (a folder, or packed as "
    "phrases.zip) and labelled/annotations to {folder}. If they lie elsewhere, point the environment "
    "variable MER_DATA at the folder that contains 'vgmidi'."
)


def annotations(root: Path | None = None) -> pd.DataFrame:
    """The labelled phrases, one row each; needs no MIDI.

    The labels are the makers' own: the signs of valence and arousal, which they took from a cluster of the
    listeners' curves. The signs of the mean of all curves agree in 95 and 96 % of the whole pieces.

    Returns
    -------
    table : columns track_id (the MIDI file's name), label, group (the game's series; where there is none the
        game), piece, phrase (int, its place in the piece)

    Raises
    ------
    DataError : the file is missing (with where to get it), lacks columns, or lists a phrase twice
    """
    path = (root or paths.data_root() / "vgmidi") / LABELS
    sign, name = tables.one_of(("1", "-1")), tables.text()
    columns = {"series": name, "game": name, "midi": name, "valence": sign, "arousal": sign}
    (table,) = read_tables(
        "vgmidi", "vgmidi", root, {LABELS: columns}, HOW_TO_GET_IT, remedy="Fetch it again."
    )
    track_id = table["midi"].map(lambda midi: Path(midi).stem)
    if len(twice := track_id[track_id.duplicated()]):
        raise DataError(f"{path}: lists phrases twice: {shown(twice)}. Keep one row of each.")
    parts = track_id.str.extract(r"(?P<piece>.+)_(?P<phrase>\d+)")
    if len(bad := table.index[parts["phrase"].isna()]):
        raise DataError(f"{path}: no PIECE_NUMBER.mid in row {shown(bad)}. Fetch it again.")
    signs = table[["valence", "arousal"]].astype(int)
    label = quadrants(signs["valence"], signs["arousal"], SCALE.midpoint)
    group = table["series"].where(table["series"] != NO_SERIES, table["game"])
    table = pd.DataFrame({"track_id": track_id, "label": label, "group": group}).join(parts)
    return table.astype({"phrase": int}).reset_index(drop=True)


def ratings(root: Path | None = None) -> pd.DataFrame:
    """What every listener said, part by part, of the phrases whose place in the rated piece is known.

    Pairs of exactly 0 are what the tool holds before the first rating and, in one curve of six, at the end,
    which it cuts off: they are left out.

    Returns
    -------
    table : columns track_id, listener, start_s, end_s (seconds of the phrase), valence, arousal (-1 to 1)

    Raises
    ------
    DataError : files missing (with where to get them) or damaged
    """
    phrases, root = annotations(root), root or paths.data_root() / "vgmidi"
    files = midi_files(root / MIDI)
    phrases = match_audio("vgmidi", phrases, files, kind="MIDI").sort_values(["piece", "phrase"])
    phrases["seconds"] = phrases["path"].map(seconds_of)
    of_piece = dict(list(phrases.groupby("piece")))
    rated = [_of_piece(of_piece[name], *piece) for name, piece in _pieces(root).items() if name in of_piece]
    return pd.concat(rated, ignore_index=True)


def dynamic(root: Path | None = None) -> pd.DataFrame:
    """Ratings over time, one row per part of a piece; raises as `ratings`.

    Returns
    -------
    table : columns track_id, second (where the part begins), valence, arousal (means over listeners, -1 to
        1), and their standard deviations valence_sd, arousal_sd
    """
    return over_time(ratings(root))


def over_time(rated: pd.DataFrame) -> pd.DataFrame:
    """The table of `dynamic` from that of `ratings`."""
    by_part = rated.groupby(["track_id", "start_s"])[["valence", "arousal"]]
    frames = by_part.mean().join(by_part.std().add_suffix("_sd")).reset_index()
    return frames.rename(columns={"start_s": "second"})


def shares_of_listeners(rated: pd.DataFrame) -> pd.DataFrame:
    """Share of a phrase's listeners whose mean rating lies in each quadrant, from the table of `ratings`.

    Returns
    -------
    table : a row per track_id, a column per quadrant; rows add up to 1
    """
    mean = rated.groupby(["track_id", "listener"])[["valence", "arousal"]].mean()
    said = quadrants(mean["valence"], mean["arousal"], SCALE.midpoint)
    counts = pd.crosstab(mean.index.get_level_values("track_id"), said)
    return counts.reindex(columns=list(QUADRANTS), fill_value=0).pipe(lambda n: n.div(n.sum(axis=1), axis=0))


def read(root: Path | None = None, *, skip_unreadable: bool = False, rated: bool = False) -> Tracks:
    """Tracks of VGMIDI's phrases, rendered from MIDI; the group is the series of games.

    `rated` keeps those phrases alone whose place in the rated piece is known, with the quadrant of the
    listeners' mean in each second as ``second_labels``, and with `shares_of_listeners`.

    Raises
    ------
    DataError : files missing (with where to get them), labels or MIDI alone, no fluidsynth, damaged MIDI
    """
    own, root = root, root or paths.data_root() / "vgmidi"
    table, files = annotations(own), midi_files(root / MIDI)
    if not files:
        advice = HOW_TO_GET_IT.format(folder=root)
        raise DataError(f"vgmidi: no MIDI file in {MIDI} or {MIDI}.zip below {root}. {advice}")
    table = match_audio("vgmidi", table, files, kind="MIDI")
    tracks = rendered_tracks("vgmidi", QUADRANTS, table, files, skip_unreadable=skip_unreadable)
    if not rated:
        return tracks
    said = ratings(own)
    frames = {track: own for track, own in over_time(said).groupby("track_id")}
    kept = tracks.table[tracks.table["track_id"].isin(frames)]
    shares = shares_of_listeners(said).loc[kept["track_id"]].to_numpy()
    kept = kept.assign(shares=[*map(tuple, shares.tolist())])
    truth = {
        row.track_id: second_labels(frames[row.track_id], math.ceil(row.duration_s))
        for row in kept.itertuples()
    }
    return replace(tracks, table=kept, second_labels=truth)


def second_labels(frames: pd.DataFrame, n_seconds: int) -> tuple[str, ...]:
    """The quadrant of the mean rating in the middle of each second; a second without one has its neighbour's.

    >>> frames = pd.DataFrame({"second": [0.0, 2.0], "valence": [0.5, -0.5], "arousal": [0.5, 0.5]})
    >>> second_labels(frames, 4)
    ('Q1', 'Q1', 'Q2', 'Q2')
    """
    label = quadrants(frames["valence"], frames["arousal"], SCALE.midpoint)
    part = np.searchsorted(frames["second"], np.arange(n_seconds) + 0.5, side="right") - 1
    return tuple(label[np.maximum(part, 0)].tolist())


def _pieces(root: Path) -> dict[str, tuple[dict, dict[str, dict]]]:
    """Of each rated piece by its name: what is known of it, and the listeners' curves."""
    pieces: dict[str, tuple[dict, dict[str, dict]]] = {}
    for file in RATINGS:
        path = _existing(root, file)
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            by_id = {key: (piece, {}) for key, piece in content["pieces"].items()}
            for key, curve in content["annotations"].items():
                if (own := key.rpartition("_")[0]) in by_id:  # four pieces were withdrawn, their curves not
                    by_id[own][1][f"{path.stem}:{key}"] = {
                        name: curve[name] for name in ("valence", "arousal")
                    }
            for piece, curves in by_id.values():
                refuse_impossible(piece, curves)
                pieces[Path(piece["midi"]).stem] = piece, curves
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = f"is damaged ({type(error).__name__}: {error})"
            raise DataError(f"{path}: {reason}. Fetch it again.") from None
    return pieces


def refuse_impossible(piece: dict, curves: dict[str, dict]) -> None:
    """Raise ValueError for a piece without length, and for ratings that are no numbers from -1 to 1."""
    seconds, n = piece["duration"], piece["measures"]
    if not 0 < float(seconds) <= LONGEST_S:
        raise ValueError(f"{piece['midi']!r:.60} lasts {seconds!r:.20} s")
    if int(n) != float(n) or not 1 <= int(n) <= MOST_PARTS:
        raise ValueError(f"{piece['midi']!r:.60} has {n!r:.20} measures")
    for name, curve in curves.items():
        for dimension, values in curve.items():
            rated = np.array(values[: int(n)], dtype=float)
            if len(rated) < int(n) or not ((rated >= SCALE.low) & (rated <= SCALE.high)).all():
                raise ValueError(f"the {dimension} of {name} is not {n} numbers from -1 to 1")


def _of_piece(phrases: pd.DataFrame, piece: dict, curves: dict[str, dict]) -> pd.DataFrame:
    """Rows of `ratings` for the phrases of one piece, none where they do not add up to it."""
    seconds, n = float(piece["duration"]), int(piece["measures"])
    ends = phrases["seconds"].cumsum().to_numpy()
    if abs(ends[-1] / seconds - 1) > TOLERANCE:
        return pd.DataFrame()
    # a listener who lets the music end has a pair for the moment after
    valence, arousal = (
        np.array([own[name][:n] for own in curves.values()]) for name in ("valence", "arousal")
    )
    start = np.arange(n) * seconds / n
    phrase = np.minimum(np.searchsorted(ends, start + seconds / n / 2), len(ends) - 1)
    offset = np.concatenate([[0], ends[:-1]])[phrase]
    table = pd.DataFrame(
        {
            "track_id": np.tile(phrases["track_id"].to_numpy()[phrase], len(curves)),
            "listener": np.repeat(list(curves), n),
            "start_s": np.tile(start - offset, len(curves)),
            "end_s": np.tile(start - offset + seconds / n, len(curves)),
            "valence": valence.ravel(),
            "arousal": arousal.ravel(),
        }
    )
    return table[(table["valence"] != 0) | (table["arousal"] != 0)]


def _existing(root: Path, name: str) -> Path:
    if not (root / name).is_file():
        raise DataError(f"vgmidi: {name} not found in {root}. {HOW_TO_GET_IT.format(folder=root)}")
    return root / name
