"""Which tracks are trained on and which are tested: folds by song or by artist, made once and kept as files.

Splitting comes before anything else: segments follow their song, so no song is ever on both sides; with
``by="artist"`` no artist is either. ``by="act"`` does more: names that are spelled in several ways, and clips
of one recording, are on one side too. It has files of its own, so that the folds of older records stay.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mer_core import paths
from mer_core.datasets.tracks import PARTS, DataError, Tracks, has_tags, shown
from mer_core.files import atomic_write

SPLIT_ANEW = "Delete it to split anew."
BY = ("song", "artist", "act")


@dataclass(frozen=True)
class Folds:
    """How a data set is divided; the paper says "ten fold" and no more."""

    n: int = 10
    # what stays together: "song" (as papers do), "artist" (as new music would be), or "act" (new records:
    # the artist whatever the spelling, and the artists of one recording)
    by: str = "song"
    # folds inside the training songs, for out-of-fold song features and for validation; 0: none
    inner: int = 2
    seed: int = 0
    tested: int | None = None  # how many of the n folds are run, first ones first; None: all
    # tagged data sets: as they come, in one part each for training, validation and test; False: in n folds as
    # labelled ones are, of which the one after the tested fold validates
    parts: bool = True
    training_songs: int = 0  # at most so many labelled ones in each fold, evenly over the classes; 0: all

    def __post_init__(self):
        if self.by not in BY:
            raise ValueError(f"folds are by {', '.join(BY)}, got {self.by!r}")
        if self.n < 2 or self.inner < 0 or self.inner == 1:
            got = f"n={self.n}, inner={self.inner}"
            raise ValueError(f"at least two folds are needed (or no inner ones: 0), got {got}")
        if self.training_songs < 0:
            raise ValueError(f"training_songs must not be negative, got {self.training_songs}")
        if self.tested is not None and not 1 <= self.tested <= self.n:
            raise ValueError(f"between 1 and all {self.n} folds can be tested, got {self.tested}")


def assign(targets: np.ndarray, groups: np.ndarray, n: int, by: str, seed: int) -> np.ndarray:
    """(n_tracks,) fold numbers 0..n-1 with near-equal class shares; groups whole, unless ``by="song"``.

    Raises
    ------
    DataError : more folds than songs (or artists) of the rarest class
    """
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second to import

    units = np.arange(len(targets)) if by == "song" else groups
    scarce, rarest = min((len(set(units[targets == k])), k) for k in np.unique(targets))
    if scarce < n:
        fewer = ", or use fewer folds (--set folds.n=... folds.inner=... on the command line)"
        raise DataError(
            f"{n} folds by {by} need at least {n} {by}s of every class, but {rarest} has {scarce} (among "
            f"the {len(targets)} songs to divide). Add {by}s of it{fewer if scarce > 1 else ''}."
        )
    fold = np.empty(len(targets), dtype=int)
    splitter = StratifiedGroupKFold(n, shuffle=True, random_state=seed)  # a song is a group of one
    for k, (_, test) in enumerate(splitter.split(targets, targets, units)):
        fold[test] = k
    return fold


def parts(name: str, table: pd.DataFrame, tags: tuple[str, ...], folder: Path | None = None) -> np.ndarray:
    """Train, validation or test for each tagged track, artists whole, from the data set's split file.

    At first use the file is written: of many random divisions of the artists the one in which the least
    represented tag comes nearest to its share.

    Raises
    ------
    DataError : the file lacks tracks
    """
    path = (folder or paths.SPLITS) / f"{name}-by-artist.csv"
    return _stored(path, name, table["track_id"], "part", lambda: divided(table, tags))


def _stored(path: Path, name: str, ids: pd.Series, column: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    if not path.exists():
        with atomic_write(path) as fresh:
            made = pd.DataFrame({"track_id": ids, column: make()})
            made.to_csv(fresh, index=False, errors="surrogateescape")  # names that are no UTF-8
    literally = {"dtype": str, "keep_default_na": False, "encoding_errors": "surrogateescape"}
    try:
        stored = pd.read_csv(path, **literally).set_index("track_id")[column]
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: is damaged ({error}). {SPLIT_ANEW}") from None
    fits = stored.isin(PARTS) if column == "part" else stored.str.fullmatch(r"\d{1,3}")
    if not fits.all() or not stored.index.is_unique:
        wrong = [*stored[~fits].index, *stored.index[stored.index.duplicated()]]
        raise DataError(f"{path}: has no {column}, or two, for {shown(wrong)}. {SPLIT_ANEW}")
    stored = stored if column == "part" else stored.astype(int)
    if missing := sorted(set(ids) - set(stored.index)):
        raise DataError(f"{path}: lacks tracks of {name}: {shown(missing)}. {SPLIT_ANEW}")
    return ids.map(stored).to_numpy()


PART_SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
DIVISIONS = 20_000  # tried once


def divided(
    table: pd.DataFrame, tags: tuple[str, ...], seed: int = 0, share_of: dict = PART_SHARES
) -> np.ndarray:
    """A part for each row: of many divisions of the artists the one whose worst tag is best represented."""
    artists, own = np.unique(table["group"].to_numpy(dtype=str), return_inverse=True)
    has = has_tags(table["tags"], tags).astype(float)
    by_artist = np.zeros((len(artists), len(tags)))
    np.add.at(by_artist, own, has)
    rng, best, least_bad = np.random.default_rng(seed), None, -np.inf
    shares = np.array(list(share_of.values()))
    for _ in range(DIVISIONS):
        part = rng.choice(len(shares), size=len(artists), p=shares)
        counts = np.array([by_artist[part == k].sum(axis=0) for k in range(len(shares))])
        worst = (counts / by_artist.sum(axis=0) / shares[:, None]).min()
        if worst > least_bad:
            best, least_bad = part, worst
    return np.array(list(share_of))[best][own]


def kept_together(tracks: Tracks, by: str) -> np.ndarray:
    """(n_tracks,) names of what a division by artist or by act keeps whole."""
    return tracks.acts if by == "act" else tracks.groups


def file_name(name: str, folds: Folds) -> str:
    """Of the file that says which fold a data set's tracks are in."""
    return f"{name}-{folds.n}-folds-by-{folds.by}-seed{folds.seed}.csv"


def outer(tracks: Tracks, folds: Folds, folder: Path | None = None) -> np.ndarray:
    """(n_tracks,) fold of each track: read from the data set's split file, which is written at first use.

    Folds of labelled tracks have near-equal class shares, those of tagged ones are `divided`, by artist.

    The files of registered data sets are tracked; those of your own music lie in the cache, named by its
    annotations.

    Raises
    ------
    DataError : the file lacks tracks, or has an artist (or act) on both sides
    """
    default = paths.CACHE / "splits" / tracks.digest() if tracks.own else paths.SPLITS
    path = (folder or default) / file_name(tracks.name, folds)
    groups = kept_together(tracks, folds.by)

    def assigned() -> np.ndarray:
        if tracks.tagged:
            equal = dict.fromkeys(range(folds.n), 1 / folds.n)
            return divided(tracks.table.assign(group=groups), tracks.classes, folds.seed, equal)
        return assign(tracks.table["label"].to_numpy(), groups, folds.n, folds.by, folds.seed)

    fold = _stored(path, tracks.name, tracks.table["track_id"], "fold", assigned)
    folds_of = pd.Series(fold).groupby(groups).nunique()
    torn = folds_of.index[folds_of > 1]
    if folds.by != "song" and len(torn):
        names = shown(sorted(torn))
        raise DataError(f"{path}: has {folds.by}s on both sides: {names}. Delete the file to split anew.")
    return fold


def songs_of(tracks: Tracks, folds: Folds, fold: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training, test and validation songs of a fold, as rows of the tracks; labelled ones have no third.

    Tagged tracks bring their parts, or are divided into folds, of which the next one is for validation. With
    `folds.training_songs` so many labelled ones are drawn, equally many of each class (or one more).

    Raises
    ------
    DataError : training songs of tagged tracks are to be drawn, which have no classes
    """
    if folds.training_songs and tracks.tagged:
        raise DataError("training_songs draws songs evenly over classes, which tagged songs do not have.")
    if tracks.tagged and folds.parts:
        return tuple(np.flatnonzero(tracks.table["part"] == part) for part in ("train", "test", "validation"))
    of_track = outer(tracks, folds)
    tested = of_track == fold
    validating = (of_track == (fold + 1) % folds.n) & tracks.tagged
    training = np.flatnonzero(~(tested | validating))
    if folds.training_songs:
        training = drawn(training, tracks.targets, folds.training_songs, folds.seed)
    return training, np.flatnonzero(tested), np.flatnonzero(validating)


def drawn(songs: np.ndarray, targets: np.ndarray, n: int, seed: int) -> np.ndarray:
    """(at most n,) of these songs, classes in turn; a larger n takes the same ones and more.

    >>> drawn(np.arange(6), np.array([0, 0, 0, 0, 1, 1]), 4, seed=0).tolist()
    [2, 3, 4, 5]
    """
    shuffled = np.random.default_rng(seed).permutation(songs)
    rank = pd.Series(targets[shuffled]).groupby(targets[shuffled]).cumcount().to_numpy()
    return np.sort(shuffled[np.argsort(rank, kind="stable")[:n]])


def inner(tracks: Tracks, training: np.ndarray, folds: Folds) -> np.ndarray:
    """(len(training),) inner fold of each training track (positions), divided by the same rule."""
    labels, groups = tracks.table["label"].to_numpy()[training], kept_together(tracks, folds.by)[training]
    return assign(labels, groups, folds.inner, folds.by, folds.seed)
