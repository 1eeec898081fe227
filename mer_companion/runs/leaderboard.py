"""Published predictions of MediaEval's tagging task, scored again: with intervals, honest thresholds, and
yours among them.

Nothing is trained and no audio is needed. The matrices stay with their authors; `fetch` gets them to your
machine."""

import hashlib
import itertools
import time
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from mer_companion import results
from mer_companion.runs import tag_scoring
from mer_companion.runs.settings import Named
from mer_companion.runs.tag_scoring import MACRO, MEASURES, ON_TEST, SCORES
from mer_core import datasets, paths
from mer_core.datasets import mtg_jamendo
from mer_core.datasets.tracks import DataError, has_tags, shown
from mer_core.evaluation import significance, tag_metrics
from mer_core.files import atomic_write

CARD = "mediaeval_predictions"
DRAWS = 4000  # so many that p-values survive the correction for all pairs
# of the test artists in two halves, for thresholds that were not found on the songs they are judged by
DIVISIONS = 10
OTHER_HALF = "thresholds_from_other_half"


@dataclass(frozen=True)
class Submission(Named):
    """One line of the leaderboard: a published system, a matrix of your own, or the plain mean of several."""

    method_name: ClassVar[str] = "submission"

    dataset: str = "mtg_jamendo"
    systems: tuple[str, ...] = ()  # names of the registry's card, or paths of matrices
    seed: int = 0


def cards() -> dict[str, dict]:
    """What the registry says of every published system, by name."""
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
        with urllib.request.urlopen(card["address"]) as answer:
            content = answer.read()
    except OSError as error:
        raise DataError(
            f"{card['address']}: cannot be fetched ({error}). Try again, or put the file at {path}."
        ) from None
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise DataError(
            f"{card['address']}: is not the file that was scored (another SHA-256). Nothing was kept."
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
    DataError : unknown, missing, changed, or not a score for every track and tag; the message says what to do
    """
    if system in cards():
        path = published_path(system)
        if not path.is_file():
            raise DataError(f"{path}: not found. Fetch the published predictions: mer leaderboard --fetch")
        if hashlib.sha256(path.read_bytes()).hexdigest() != cards()[system]["sha256"]:
            raise DataError(
                f"{path}: is not the published file (another SHA-256). Delete it and fetch it again."
            )
    elif not (path := Path(system)).is_file():
        raise DataError(f"{system!r} is neither a published system ({', '.join(cards())}) nor a file.")
    table, names, _ = test_songs()
    if path.suffix == ".npy":
        values = np.load(path)
        if values.shape != (len(table), len(names)):
            raise DataError(
                f"{path}: has the shape {values.shape}; the test set is {len(table)} tracks by {len(names)} tags."
            )
    else:
        values = in_order(named(path), list(table["track_id"]), names, path)
    if not np.isfinite(values).all():
        raise DataError(
            f"{path}: holds {int((~np.isfinite(values)).sum())} scores that are missing or infinite."
        )
    return values


def named(path: Path) -> pd.DataFrame:
    """A matrix with its names: track ids as index, tags as columns."""
    if path.suffix == ".csv":
        found = pd.read_csv(path, index_col=0)
    else:
        with np.load(path) as stored:
            if lacking := {"track_id", "tags", "values"} - set(stored):
                raise DataError(f"{path}: lacks the arrays {sorted(lacking)}; it holds {sorted(stored)}.")
            found = pd.DataFrame(
                stored["values"], index=stored["track_id"].astype(str), columns=stored["tags"].astype(str)
            )
    return found.rename(columns=lambda tag: tag.removeprefix(mtg_jamendo.PREFIX))


def in_order(found: pd.DataFrame, track_ids: list[str], names: list[str], path: Path) -> np.ndarray:
    """The rows and columns of a named matrix in the official order; raises DataError where any is missing or
    doubled.
    """
    for what, wanted, has in (("tracks", track_ids, found.index), ("tags", names, found.columns)):
        if missing := [name for name in wanted if name not in set(has)]:
            raise DataError(f"{path}: lacks {len(missing)} {what}: {shown(missing)}.")
        if has.has_duplicates:
            raise DataError(f"{path}: has some {what} twice: {shown(sorted(set(has[has.duplicated()])))}.")
    return found.loc[track_ids, names].to_numpy(dtype=float)


def mean_of(systems: tuple[str, ...]) -> np.ndarray:
    """Scores of a submission: of one system, or the mean of several."""
    return np.mean([matrix(system) for system in systems], axis=0)


@lru_cache(maxsize=64)
def drawn(systems: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and AUC of every tag, as measured (first row) and in each resample of artists: (1 +
    DRAWS, n_tags).
    """
    table, _, truth = test_songs()
    return tag_scoring.drawn(truth, mean_of(systems), table["artist"].to_numpy(), DRAWS)


def halved(truth: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    """What is called with thresholds that were found on other artists: these are divided in two halves,
    several times.

    Each half is called with the thresholds of the other: (n_tracks, n_tags) bool, one for each division.
    """
    names, member = np.unique(groups, return_inverse=True)
    rng, divided = np.random.default_rng(0), []
    for _ in range(DIVISIONS):
        half = rng.permutation(len(names))[member] % 2
        decided = np.empty(truth.shape, dtype=bool)
        for k in (0, 1):
            decided[half == k] = tag_metrics.predicted_tags(
                scores[half == k], tag_metrics.best_thresholds(truth[half != k], scores[half != k])
            )
        divided.append(decided)
    return divided


def score(systems: tuple[str, ...]) -> list[dict]:
    """All figures of a submission in long form, with 95 % intervals over resampled artists."""
    table, names, truth = test_songs()
    groups, scores = table["artist"].to_numpy(), mean_of(systems)
    official = tag_metrics.predicted_tags(scores, tag_metrics.best_thresholds(truth, scores))
    return [
        *tag_scoring.ranking_rows(*drawn(systems), names, len(table)),
        *tag_scoring.decision_rows(ON_TEST, truth, [official], groups, DRAWS),
        *tag_scoring.decision_rows(OTHER_HALF, truth, halved(truth, scores, groups), groups, DRAWS),
    ]


def summarise(run: Submission, experiment: str, preset: str, label: str) -> Path:
    """Score a submission and write its record: our figures, not its predictions."""
    began = time.perf_counter()
    rows = score(run.systems)
    table, names, truth = test_songs()
    seconds = time.perf_counter() - began
    record = {
        "experiment": experiment, "preset": preset, "label": label, "run_id": run.run_id, "config": run.config(),
        "data": {"name": run.dataset, "digest": digest(), "classes": names, "n_tracks": len(table), "audio": [],
                 "n_groups": table["artist"].nunique(), "n_tested": len(table), "n_skipped": 0, "skipped": [],
                 "own": not set(run.systems) <= set(cards()), "prevalence": truth.mean(axis=0).tolist()},
        "code": results.code_state(), "environment": results.environment("cpu", 1),
        "cost": {"seconds": seconds, "core_minutes": seconds / 60}, "metrics": rows, "confusion": {}, "log": [],
    }  # fmt: skip
    return results.save(record, {"track": np.arange(len(table))})


def digest() -> str:
    """Fingerprint of the test songs, their artists and tags."""
    table, _, truth = test_songs()
    rows = table[["track_id", "artist"]].to_csv(index=False).encode() + np.packbits(truth).tobytes()
    return hashlib.sha256(rows).hexdigest()[:16]


def compare(records: list[dict]) -> list[dict]:
    """Every submission's scores, and every paired difference between two of them on the same resamples."""
    columns = ("name", "target", "decision", "value", "low", "high", "n")
    rows = [
        {"label": r["label"], "seeds": [0]} | {name: m[name] for name in columns}
        for r in records for m in r["metrics"] if m["target"] == MACRO
    ]  # fmt: skip
    for place, name in enumerate(MEASURES):
        of = {r["label"]: np.nanmean(drawn(tuple(r["config"]["systems"]))[place], axis=1) for r in records}
        pairs = []
        for one, other in itertools.combinations(sorted(of, key=lambda label: -of[label][0]), 2):
            differences = significance.recentred(of[one] - of[other])
            low, high = significance.interval(differences[1:])
            pairs.append({"label": one, "against": other, "name": name, "target": MACRO, "decision": SCORES, "seeds": [0],
                          "n": records[0]["data"]["n_tested"], "value": float(differences[0]), "low": low, "high": high,
                          "p": significance.p_value(differences[1:])})  # fmt: skip
        for row, adjusted in zip(pairs, significance.holm([row["p"] for row in pairs]), strict=True):
            rows.append(row | {"p_holm": float(adjusted)})
    return rows
