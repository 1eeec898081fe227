"""Classifiers of whole songs on frozen features: the baselines that every network must be compared with.

Their settings are chosen inside the training songs, by folds that keep apart what the outer folds keep apart.
"""

from functools import partial

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_companion.runs.settings import SVM, SongClassifier
from mer_companion.song_features import sources
from mer_core import datasets
from mer_core.datasets import splits
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import song_decision

SVM_C = (1.0, 2.0, 4.0, 8.0)
SVM_WIDTHS = (0.125, 0.25, 0.5, 1.0)  # of gamma times the number of features; 1: scikit-learn's "scale" rule
LOGISTIC_C = (0.0003, 0.001, 0.003, 0.01, 0.1, 1.0)
CHOICE_FOLDS = 4  # inside the training songs


def fit(
    settings: SongClassifier, values: np.ndarray, targets: np.ndarray, groups: np.ndarray
) -> tuple[ClassifierMixin, dict]:
    """Choose hyperparameters on inner folds of these songs, then train on all; gives both.

    The machine's margins become probabilities by a sigmoid fitted on the same inner folds (Platt scaling).
    """
    of_song = splits.assign(targets, groups, CHOICE_FOLDS, settings.folds.by, settings.folds.seed)
    inner = PredefinedSplit(of_song)
    if settings.classifier == SVM:
        gammas = [width / values.shape[1] for width in SVM_WIDTHS]
        # the whole matrix in one product: as SVC's own kernel, several times as fast on many features
        model, grid = SVC(), {"C": SVM_C, "kernel": [partial(rbf_kernel, gamma=gamma) for gamma in gammas]}
    else:
        model, grid = LogisticRegression(max_iter=2000), {"C": LOGISTIC_C}
    grid = {f"model__{name}": candidates for name, candidates in grid.items()}
    standardised = Pipeline([("standardise", StandardScaler()), ("model", model)])
    search = GridSearchCV(standardised, grid, scoring="f1_macro", cv=inner).fit(values, targets)
    chosen = {name.removeprefix("model__"): value for name, value in search.best_params_.items()}
    if kernel := chosen.pop("kernel", None):
        chosen |= kernel.keywords
    fitted = search.best_estimator_
    if settings.classifier == SVM:
        fitted = CalibratedClassifierCV(fitted, cv=inner, ensemble=False).fit(values, targets)
    return fitted, chosen | {"validation_macro_f1": float(search.best_score_)}


def predictions(settings: SongClassifier, tracks: Tracks) -> tuple[dict[str, np.ndarray], list[list[dict]]]:
    """Predictions for the songs of the tested folds, and what was chosen in each.

    Of several sets of features the one with the best macro F1 on inner folds of the training songs counts.

    Returns
    -------
    arrays ``track``, ``fold``, ``mean`` (n_songs, n_classes; probabilities) and the decisions; log per fold
    """
    collected, log = [], []
    groups, sets = splits.kept_together(tracks, settings.folds.by), feature_sets(settings, tracks)
    for k in range(settings.folds.tested or settings.folds.n):
        training, test, _ = splits.songs_of(tracks, settings.folds, k)
        own = tracks.targets[training]
        tried = {
            name: fit(settings, values[training], own, groups[training]) for name, values in sets.items()
        }
        name = max(tried, key=lambda name: tried[name][1]["validation_macro_f1"])
        fitted, chosen = tried[name]
        mean = fitted.predict_proba(sets[name][test])
        collected.append(
            {
                "track": test,
                "fold": np.full(len(test), k),
                "mean": mean,
                f"decision_{song_decision.OF_WHOLE_SONGS}": fitted.classes_[mean.argmax(axis=1)],
                "decision_most_frequent": np.full(len(test), np.bincount(own).argmax()),
            }
        )
        log.append([{"epoch": 0, **chosen} | ({"source": name} if settings.one_of else {})])
    return {name: np.concatenate([fold[name] for fold in collected]) for name in collected[0]}, log


def feature_sets(settings: SongClassifier, tracks: Tracks) -> dict[str, np.ndarray]:
    """(n_songs, n_features) by name: all sources side by side, or each by itself where one is chosen."""
    loaded = {
        source: sources.load(source, tracks, settings.features, skip_unreadable=settings.skip_unreadable)
        for source in settings.sources
    }
    return loaded if settings.one_of else {" ".join(loaded): np.hstack(list(loaded.values()))}


def tracks_of(settings: SongClassifier) -> Tracks:
    return datasets.load(settings.dataset, skip_unreadable=settings.skip_unreadable)
