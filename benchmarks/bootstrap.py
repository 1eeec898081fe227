"""Bootstrap over artists of accuracy and macro F1: all resamples at once against scikit-learn's loop.

    python -m benchmarks.bootstrap

The two must agree to 1e-9. A test set of the size of 4Q: 900 songs of four classes, by 450 artists.
"""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from benchmarks.side_by_side import alone, in_turn, row
from mer_core.evaluation import metrics, significance

SONGS, ARTISTS, CLASSES, ROUNDS = 900, 450, 4, 5
OURS = "one matrix product over confusion counts"
THEIRS = "scikit-learn's accuracy_score and f1_score, in a loop over resamples"


def by_scikit_learn(truth: np.ndarray, called: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(2, n_draws) accuracy and macro F1 of each draw, its songs written out as often as they were drawn."""
    found = []
    for times in weights.astype(int):
        drawn = np.repeat(np.arange(len(truth)), times)
        f1 = f1_score(truth[drawn], called[drawn], labels=range(CLASSES), average="macro", zero_division=0)
        found.append((accuracy_score(truth[drawn], called[drawn]), f1))
    return np.array(found).T


def by_counts(truth: np.ndarray, called: np.ndarray, weights: np.ndarray) -> np.ndarray:
    both = (metrics.accuracy, metrics.macro_f1)
    return np.array([significance.resampled(metric, truth, called, CLASSES, weights) for metric in both])


def rows(rounds: int = ROUNDS) -> list[dict]:
    rng = np.random.default_rng(0)
    truth = rng.integers(CLASSES, size=SONGS)
    called = np.where(rng.random(SONGS) < 0.6, truth, rng.integers(CLASSES, size=SONGS))
    weights = significance.artist_weights(rng.integers(ARTISTS, size=SONGS))  # drawn once, for both sides
    arguments = truth, called, weights
    np.testing.assert_allclose(by_counts(*arguments), by_scikit_learn(*arguments), atol=1e-9)
    sides = {THEIRS: lambda: by_scikit_learn(*arguments), OURS: lambda: by_counts(*arguments)}
    unit = f"{len(weights)} resamples of {SONGS} songs"
    return [
        row(
            "accuracy and macro F1, artists resampled",
            in_turn(sides, rounds),
            OURS,
            THEIRS,
            unit,
            "equal to 1e-9",
        )
    ]


if __name__ == "__main__":
    alone(rows, __doc__)
