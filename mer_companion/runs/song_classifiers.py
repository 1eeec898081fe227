"""Classifiers of whole songs on frozen features: the baselines that every network must be held against.

Their settings are chosen inside the training songs, by folds that keep apart what the outer folds keep apart.
"""

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_companion import results
from mer_companion.runs.settings import Named
from mer_companion.song_features import sources as song_features
from mer_core import datasets
from mer_core.audio.features import LogMel
from mer_core.datasets import splits
from mer_core.datasets.splits import Folds
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import aggregation

SVM, LOGISTIC = "svm", "logistic"
SVM_C = (1.0, 2.0, 4.0, 8.0)
SVM_WIDTHS = (0.125, 0.25, 0.5, 1.0)  # of gamma times the number of features; 1: scikit-learn's "scale" rule
LOGISTIC_C = (0.0003, 0.001, 0.003, 0.01, 0.1, 1.0)
CHOICE_FOLDS = 4  # inside the training songs


@dataclass(frozen=True)
class SongClassifier(Named):
    """Everything that distinguishes one song-level baseline from another."""

    method_name: ClassVar[str] = "probes"

    dataset: str = "4q"
    sources: tuple[str, ...] = (song_features.LOG_MEL,)  # of mer_companion.song_features.sources, joined
    classifier: str = (
        SVM  # radial support vector machine; or "logistic" regression, which bears many features
    )
    features: LogMel = LogMel()  # heard by log_mel_statistics
    folds: Folds = Folds()
    skip_unreadable: bool = False
    seed: int = 0

    def __post_init__(self):
        if self.classifier not in (SVM, LOGISTIC):
            raise ValueError(f"classifier is {SVM} or {LOGISTIC}, got {self.classifier!r}")


def fit(
    probe: SongClassifier, values: np.ndarray, targets: np.ndarray, groups: np.ndarray
) -> tuple[ClassifierMixin, dict]:
    """Choose the settings on inner folds of these songs, then train on all of them; gives the classifier and
    what was chosen.

    The machine's margins become probabilities by a sigmoid fitted on the same inner folds (Platt scaling).
    """
    inner = PredefinedSplit(splits.assign(targets, groups, CHOICE_FOLDS, probe.folds.by, probe.folds.seed))
    if probe.classifier == SVM:
        model, grid = SVC(), {"C": SVM_C, "gamma": [width / values.shape[1] for width in SVM_WIDTHS]}
    else:
        model, grid = LogisticRegression(max_iter=2000), {"C": LOGISTIC_C}
    grid = {f"model__{name}": candidates for name, candidates in grid.items()}
    search = GridSearchCV(
        Pipeline([("standardise", StandardScaler()), ("model", model)]), grid, scoring="f1_macro", cv=inner
    )
    search.fit(values, targets)
    chosen = {name.removeprefix("model__"): float(value) for name, value in search.best_params_.items()}
    fitted = search.best_estimator_
    if probe.classifier == SVM:
        fitted = CalibratedClassifierCV(fitted, cv=inner, ensemble=False).fit(values, targets)
    return fitted, chosen | {"validation_macro_f1": float(search.best_score_)}


def answers(probe: SongClassifier, tracks: Tracks) -> tuple[dict[str, np.ndarray], dict]:
    """Predictions for the tested folds' songs, and the story of their making.

    Returns
    -------
    arrays ``track``, ``fold``, ``mean`` (n_songs, n_classes; probabilities) and the decisions; log per fold,
    seconds"""
    began = time.perf_counter()
    values = np.hstack([
        song_features.load(source, tracks, probe.features, skip_unreadable=probe.skip_unreadable) for source in probe.sources
    ])  # fmt: skip
    of_track = splits.outer(tracks, probe.folds)
    collected: dict[str, list[np.ndarray]] = {}
    log = []
    for k in range(probe.folds.tested or probe.folds.n):
        training, test = np.flatnonzero(of_track != k), np.flatnonzero(of_track == k)
        fitted, chosen = fit(probe, values[training], tracks.targets[training], tracks.groups[training])
        found = fitted.predict_proba(values[test])
        arrays = {
            "track": test, "fold": np.full(len(test), k), "mean": found,
            f"decision_{aggregation.OF_WHOLE_SONGS}": fitted.classes_[found.argmax(axis=1)],
            "decision_most_frequent": np.full(len(test), np.bincount(tracks.targets[training]).argmax()),
        }  # fmt: skip
        for name, array in arrays.items():
            collected.setdefault(name, []).append(array)
        log.append([{"epoch": 0, **chosen}])
    story = {
        "log": log, "seconds": time.perf_counter() - began, "environment": results.environment("cpu", 1),
        "code": results.code_state(),
    }  # fmt: skip
    return {name: np.concatenate(parts) for name, parts in collected.items()}, story


def tracks_of(probe: SongClassifier) -> Tracks:
    return datasets.load(probe.dataset, skip_unreadable=probe.skip_unreadable)
