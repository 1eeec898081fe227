"""Metrics of predicted shares of listeners, vectorised over resamples. NumPy only.

Everywhere: ``shares``, ``predicted`` (n, n_tags) in [0, 1]; ``weights`` (n_draws, n), how often each track is
in each resample. Results are (n_draws, n_tags), or (n_tags,) without weights.
"""

import numpy as np

from mer_core.evaluation.metrics import share

SMALLEST = 1e-4  # a prediction nearer to 0 or 1 counts as this: stored ones are rounded


def cross_entropy(shares: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean binary cross-entropy of every tag, in nats: least, the mean entropy of the shares, at f = y.

    -(1/n) sum_i y_i log f_i + (1 - y_i) log(1 - f_i)
    """
    y, f = np.asarray(shares, float), np.clip(predicted, SMALLEST, 1 - SMALLEST).astype(float)
    each = -(y * np.log(f) + (1 - y) * np.log1p(-f))
    if weights is None:
        return each.mean(axis=0)
    return weights @ each / weights.sum(axis=1, keepdims=True)


def spearman(shares: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Rank correlation of every tag, ties sharing their mean rank; NaN where all are tied."""
    drawn = np.ones((1, len(shares))) if weights is None else np.asarray(weights, float)
    found = np.empty((len(drawn), np.shape(shares)[1]))
    for tag in range(found.shape[1]):
        found[:, tag] = correlation(
            *(ranks(np.asarray(values)[:, tag], drawn) for values in (shares, predicted)), drawn
        )
    return found[0] if weights is None else found


def ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n_draws, n) mean rank of each track among all that were drawn; values (n,)."""
    _, level = np.unique(values, return_inverse=True)
    at = np.zeros((len(values), level.max() + 1))
    at[np.arange(len(values)), level] = 1
    met = weights @ at  # tracks drawn at each level
    return (np.cumsum(met, axis=1) - (met - 1) / 2)[:, level]


def correlation(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n_draws,) Pearson correlation of weighted rows of (n_draws, n)."""
    total = weights.sum(axis=1, keepdims=True)
    x, y = (v - (weights * v).sum(axis=1, keepdims=True) / total for v in (one, other))
    spread = np.sqrt((weights * x * x).sum(axis=1) * (weights * y * y).sum(axis=1))
    return np.where(spread > 0, share((weights * x * y).sum(axis=1), spread), np.nan)
