"""How sure a figure is: intervals that resample whole artists, because songs of one artist are not independent.

NumPy only. Percentile bootstrap, 95 %: groups are drawn with replacement, all their songs come along.
"""

from collections.abc import Callable

import numpy as np

DRAWS = 2000
LEVEL = 0.95


def artist_weights(groups: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """(draws, n_songs) int array: how often each song is in each resample of the artists."""
    names, member = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return times[:, member]


def interval(values: np.ndarray) -> tuple[float, float]:
    """Central 95 % of bootstrap values."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def resampled(
    metric: Callable[[np.ndarray], float], truth: np.ndarray, predicted: np.ndarray, n_classes: int, weights: np.ndarray
) -> np.ndarray:
    """(draws,) values of a metric of the confusion counts over the resamples."""
    cell = np.asarray(truth) * n_classes + np.asarray(predicted)
    one_hot = np.eye(n_classes**2, dtype=int)[cell]  # (n_songs, cells): the counts of all resamples are one matrix product
    return np.array([metric(counts.reshape(n_classes, n_classes)) for counts in weights @ one_hot])


def difference_interval(metric, truth, predicted_a, predicted_b, n_classes: int, groups) -> tuple[float, float]:
    """95 % interval of metric(a) - metric(b) on the same songs: paired, so that what both find hard cancels."""
    weights = artist_weights(groups)
    a, b = (resampled(metric, truth, predicted, n_classes, weights) for predicted in (predicted_a, predicted_b))
    return interval(a - b)
