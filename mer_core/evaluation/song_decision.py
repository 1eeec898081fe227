"""From segments to songs (SSSL, section 2.2): many predictions along a song, one decision for it.

Everywhere: ``probabilities`` is (n_segments, n_classes), ``track`` (n_segments,) says whose segment it is,
and the results are in the order of ``np.unique(track)``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # scikit-learn takes a second to import, and prediction needs none of it
    from sklearn.pipeline import Pipeline

MAIN_DECISION = "mean_probability"  # trains nothing more: methods are compared, not second stages
OF_WHOLE_SONGS = "whole_song"  # by a classifier of whole songs instead of windows
MAIN_DECISIONS = (MAIN_DECISION, OF_WHOLE_SONGS)
DECISION_NAMES = {
    OF_WHOLE_SONGS: "Classifier of whole songs",
    MAIN_DECISION: "Mean probability",
    "mean_probability_inner": "Mean probability, inner networks",
    "svm": "SVM on 7K statistics, out of fold (inner networks)",
    "svm_in_sample": "SVM on 7K statistics, in sample (as printed)",
    "majority_vote": "Majority vote",
    "maximum_run_length": "Maximum run length",
    "most_frequent": "Most frequent class (no music)",
}


@dataclass(frozen=True)
class SongDecision:
    """Settings of the song-level decision; the paper gives none."""

    share_threshold: float = 0.5  # theta of f7: the share of segments above it; 0.5 means "likelier than not"
    svm_c: float = 1.0  # scikit-learn's default; the radial kernel's width is its "scale" rule

    def __post_init__(self):
        if not 0 <= self.share_threshold <= 1 or self.svm_c <= 0:
            got = f"{self.share_threshold} and {self.svm_c}"
            raise ValueError(f"share_threshold is a share, svm_c above 0, got {got}")


def _per_song(track: np.ndarray):
    """Segment indices of each song, songs in sorted order, segments in their own order."""
    order = np.argsort(track, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(track[order])) + 1)


def statistics(probabilities: np.ndarray, track: np.ndarray, share_threshold: float) -> np.ndarray:
    """The 7 K statistics of a song's segment probabilities (Eq. 10).

        f1 max, f2 min, f3-f5 quartiles, f6 mean, f7 share of segments with P(E_k) > theta

    Returns
    -------
    (n_songs, 7 * n_classes) float array: f1 of all classes, then f2 of all classes, and so on
    """
    rows = []
    for own in _per_song(track):
        p = probabilities[own].astype(float)
        quartiles, share = np.quantile(p, (0.25, 0.5, 0.75), axis=0), (p > share_threshold).mean(0)
        rows.append(np.concatenate([p.max(0), p.min(0), *quartiles, p.mean(0), share]))
    return np.array(rows)


def svm(statistics_of_songs: np.ndarray, targets: np.ndarray, settings: SongDecision) -> "Pipeline":
    """Fit the song-level support vector machine: standardised statistics, radial kernel."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    return make_pipeline(StandardScaler(), SVC(C=settings.svm_c)).fit(statistics_of_songs, targets)


def scores(fitted: "Pipeline", statistics_of_songs: np.ndarray) -> np.ndarray:
    """(n_songs, n_classes) decision values of the fitted machine; the largest entry decides."""
    found = fitted.decision_function(statistics_of_songs)
    return found if found.ndim == 2 else np.stack([-found, found], axis=1)


def mean_probability(probabilities: np.ndarray, track: np.ndarray) -> np.ndarray:
    """(n_songs, n_classes) mean of the segments' probabilities; its largest entry decides."""
    return np.array([probabilities[own].astype(float).mean(axis=0) for own in _per_song(track)])


def _most(counts: np.ndarray, probabilities: np.ndarray, track: np.ndarray) -> np.ndarray:
    """Class of the largest count per song; of equal counts that of the larger mean probability."""
    return (counts + mean_probability(probabilities, track) * 0.5).argmax(axis=1)


def majority_vote(probabilities: np.ndarray, track: np.ndarray) -> np.ndarray:
    """(n_songs,) class that most segments vote for (Sarkar et al. 2020); a tie goes to the larger mean
    probability.
    """
    n_classes = probabilities.shape[1]
    votes = [np.bincount(probabilities[own].argmax(axis=1), minlength=n_classes) for own in _per_song(track)]
    return _most(np.array(votes), probabilities, track)


def maximum_run_length(probabilities: np.ndarray, track: np.ndarray) -> np.ndarray:
    """(n_songs,) class that holds longest without interruption (Sarkar et al. 2020); ties as in
    `majority_vote`.
    """
    n_classes = probabilities.shape[1]
    longest = []
    for own in _per_song(track):
        predicted = probabilities[own].argmax(axis=1)
        runs = np.split(predicted, np.flatnonzero(np.diff(predicted)) + 1)
        best = np.zeros(n_classes)
        for run in runs:
            best[run[0]] = max(best[run[0]], len(run))
        longest.append(best)
    return _most(np.array(longest), probabilities, track)
