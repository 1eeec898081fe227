"""Published predictions of MediaEval's tagging task, scored again: with intervals, thresholds from other
artists, and yours among them.

Nothing is trained and no audio is needed. The matrices stay with their authors; `fetch` downloads them.
"""

import hashlib
import urllib.request
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from mer_companion.runs import tag_scoring
from mer_companion.runs.tag_scoring import ON_TEST
from mer_companion.song_features.sources import numbers_from, table_of
from mer_core import datasets, paths
from mer_core.datasets import mtg_jamendo
from mer_core.datasets.tracks import DataError, has_tags, shown
from mer_core.evaluation import tag_metrics
from mer_core.files import atomic_write

CARD = "mediaeval_predictions"
DRAWS = 4000  # so many that p-values survive the correction for all pairs
# of the test artists in two halves, for thresholds that were not found on the songs they are judged by
DIVISIONS = 10
TIMEOUT_S, MOST_BYTES = 60, 100_000_000  # of a download
OTHER_HALF = "thresholds_from_other_half"


def cards() -> dict[str, dict]:
    """The registry's entry for every published system, by name."""
    return datasets.card(CARD)["systems"]


def fetch(name: str) -> Path:
    """Download a published matrix from its authors and check it.

    Raises
    ------
    DataError : no answer, or the file there is no longer the one that was scored
    """
    card, path = cards()[name], published_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(card["address"], timeout=TIMEOUT_S) as answer:
            content = answer.read(MOST_BYTES)  # of more the hash is another one
    except OSError as error:
        advice = f"Try again, or put the file at {path}."
        raise DataError(f"{card['address']}: cannot be fetched ({error}). {advice}") from None
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise DataError(
            f"{card['address']}: is not the file that was scored (another SHA-256). Nothing kept."
        )
    with atomic_write(path) as fresh:
        fresh.write_bytes(content)
    return path


def published_path(name: str) -> Path:
    return paths.data_root() / CARD / cards()[name]["file"]


@lru_cache(maxsize=1)
def test_songs() -> tuple[pd.DataFrame, list[str], np.ndarray]:
    """The task's test tracks, its tags, and which track has which: (n_tracks, n_tags) bool."""
    table, names = mtg_jamendo.annotations("test"), mtg_jamendo.tags()
    return table, names, has_tags(table["tags"], names)


def matrix(system: str) -> np.ndarray:
    """(n_tracks, n_tags) scores of a published system or of a file of yours, in the official order of tracks
    and tags.

    A .csv (first column the track id, then a column per tag) or .npz (``track_id``, ``tags``, ``values``) is
    put in order by its names; a bare .npy must have the order already, which its shape alone can be checked
    for.

    Raises
    ------
    DataError : unknown, missing, changed, or not a score for every track and tag
    """
    if system in cards():
        path = published_path(system)
        if not path.is_file():
            raise DataError(f"{path}: not found. Fetch the published predictions: mer leaderboard --fetch")
        if hashlib.sha256(path.read_bytes()).hexdigest() != cards()[system]["sha256"]:
            raise DataError(
                f"{path}: is not the published file (another SHA-256). Delete and fetch it again."
            )
    elif not (path := Path(system)).is_file():
        raise DataError(f"{system!r} is neither a published system ({', '.join(cards())}) nor a file.")
    table, names, _ = test_songs()
    if path.suffix == ".npy":
        size = f"{len(table)} tracks by {len(names)} tags"
        with numbers_from(path):
            values = np.load(path, mmap_mode="r")  # an absurd shape takes no memory
        if (shape := np.shape(values)) != (len(table), len(names)):
            raise DataError(f"{path}: has the shape {shape}; the test set is {size}.")
        with numbers_from(path):
            values = values.astype(float)
    else:
        found = table_of(path, "tags").rename(columns=lambda tag: tag.removeprefix(mtg_jamendo.PREFIX))
        values = in_order(found, list(table["track_id"]), names, path)
    if n := int((~np.isfinite(values)).sum()):
        raise DataError(f"{path}: holds {n} scores that are missing or infinite.")
    return values


def in_order(found: pd.DataFrame, track_ids: list[str], names: list[str], path: Path) -> np.ndarray:
    """The rows and columns of a matrix in the official order; refused where any is missing or doubled."""
    for what, wanted, has in (("tracks", track_ids, found.index), ("tags", names, found.columns)):
        known = set(has)
        if missing := [name for name in wanted if name not in known]:
            raise DataError(f"{path}: lacks {len(missing)} {what}: {shown(missing)}.")
        if has.has_duplicates:
            raise DataError(f"{path}: has some {what} twice: {shown(sorted(set(has[has.duplicated()])))}.")
    return found.loc[track_ids, names].to_numpy(dtype=float)


def mean_of(systems: tuple[str, ...]) -> np.ndarray:
    """Scores of a submission: those of one system, or the mean of several."""
    return np.mean([matrix(system) for system in systems], axis=0)


@lru_cache(maxsize=64)
def drawn(systems: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and AUC of every tag, as measured and in each resample: (1 + DRAWS, n_tags)."""
    table, _, truth = test_songs()
    return tag_scoring.drawn(truth, mean_of(systems), table["artist"].to_numpy(), DRAWS)


def halved(truth: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    """Tags by thresholds that were found on other artists, who are divided in two halves, several times.

    Each half takes the thresholds of the other: (n_tracks, n_tags) bool, one for each division.
    """
    names, member = np.unique(groups, return_inverse=True)
    rng, divided = np.random.default_rng(0), []
    for _ in range(DIVISIONS):
        half = rng.permutation(len(names))[member] % 2
        decided = np.empty(truth.shape, dtype=bool)
        for own in (half == 0, half == 1):
            thresholds = tag_metrics.best_thresholds(truth[~own], scores[~own])
            decided[own] = tag_metrics.predicted_tags(scores[own], thresholds)
        divided.append(decided)
    return divided


def score(systems: tuple[str, ...]) -> list[dict]:
    """All metrics of a submission in long form, with 95 % intervals over resampled artists."""
    table, names, truth = test_songs()
    groups, scores = table["artist"].to_numpy(), mean_of(systems)
    official = tag_metrics.predicted_tags(scores, tag_metrics.best_thresholds(truth, scores))
    return [
        *tag_scoring.ranking_rows(*drawn(systems), names, len(table)),
        *tag_scoring.decision_rows(ON_TEST, truth, [official], groups, DRAWS),
        *tag_scoring.decision_rows(OTHER_HALF, truth, halved(truth, scores, groups), groups, DRAWS),
    ]


def digest() -> str:
    """Fingerprint of the test songs, their artists and tags."""
    table, _, truth = test_songs()
    rows = table[["track_id", "artist"]].to_csv(index=False).encode() + np.packbits(truth).tobytes()
    return hashlib.sha256(rows).hexdigest()[:16]
