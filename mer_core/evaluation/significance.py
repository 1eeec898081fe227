"""Intervals and tests that resample whole artists, because songs of one artist are not independent.

Percentile bootstrap, 95 %: groups are drawn with replacement with all their songs. Where a method was trained
several times, its training runs are drawn too. An estimate of which only the interval is known is taken for
normal, with the standard error that the interval's width implies. NumPy, and SciPy's distributions.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from mer_core.evaluation import metrics

DRAWS = 2000
LEVEL = 0.95
POWER = 0.8
CELLS_AT_ONCE = 4_000_000  # of confusion counts of resamples: 32 MB


class Estimate(NamedTuple):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A difference with the ends of its 95 % interval and its two-sided p-value."""

    value: float
    low: float
    high: float
    p: float


def artist_weights(groups: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """(draws, n_songs) array of whole numbers: how often each song is in each resample of the artists."""
    return _drawn(tuple(map(str, groups)), draws, seed)


@lru_cache(maxsize=8)  # a table of comparisons asks for the same draws hundreds of times
def _drawn(groups: tuple[str, ...], draws: int, seed: int) -> np.ndarray:
    names, member = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = times[:, member].astype(float)
    weights.flags.writeable = False
    return weights


def seed_shares(n_seeds: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """(draws, n_seeds) float array, rows sum to 1: the share of each training run in each resample.

    One run fewer than there are is drawn with replacement: the mean over n runs then varies by s^2 / n, s^2
    being their unbiased variance; drawing all n gives (n - 1) / n of it, too little where runs are few (Rao
    and Wu, JASA 1988). A single run is always drawn.
    """
    rng = np.random.default_rng((seed, 1))  # another stream than the artists'
    drawn = max(n_seeds - 1, 1)
    return rng.multinomial(drawn, np.full(n_seeds, 1 / n_seeds), size=draws) / drawn


def interval(values: np.ndarray) -> tuple[float, float]:
    """Central 95 % of bootstrap values."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def resampled(
    metric: Callable[[np.ndarray], float],
    truth: np.ndarray,
    predicted: np.ndarray,
    n_classes: int,
    weights: np.ndarray,
) -> np.ndarray:
    """(draws,) values of a metric of the confusion counts over the resamples."""
    cell, n = np.asarray(truth) * n_classes + np.asarray(predicted), len(truth)
    # (cells, n_songs), of which each column has one 1: the counts of resamples are a matrix product
    is_in = sparse.csr_array((np.ones(n), (cell, np.arange(n))), shape=(n_classes**2, n))
    at_once = max(1, CELLS_AT_ONCE // n_classes**2)
    blocks = (weights[start : start + at_once] for start in range(0, len(weights), at_once))
    counts = ((is_in @ block.T).T.reshape(-1, n_classes, n_classes) for block in blocks)
    return np.concatenate([metric(own) for own in counts])


def seed_averaged(
    truth,
    predicted,
    groups,
    metric: Callable[[np.ndarray], float] = metrics.accuracy,
    n_classes: int | None = None,
    draws: int = DRAWS,
) -> Estimate:
    """Mean of a metric over training runs, with an interval for other training runs on other artists.

    Artists and seeds are drawn as in `seed_averaged_difference`; metrics are shares, so the ends are cut off
    at 0 and 1.

    Parameters
    ----------
    truth, groups : (n_songs,) classes as ints, and artists
    predicted : (n_seeds, n_songs) int array, the classes that each training run predicted
    metric : of the confusion counts
    n_classes : by default as many as occur
    """
    n_classes = n_classes or _n_classes(truth, predicted)
    value, *ends, _ = averaged(_by_seed(metric, truth, predicted, n_classes, groups, draws))
    return Estimate(value, *(min(max(end, 0.0), 1.0) for end in ends))


def seed_averaged_difference(
    truth,
    predicted_a,
    predicted_b,
    groups,
    metric: Callable[[np.ndarray], float] = metrics.accuracy,
    n_classes: int | None = None,
    draws: int = DRAWS,
) -> Difference:
    """How much better a is than b, averaged over training runs, with an interval for other runs and artists.

        d = mean over seeds s of metric(a_s) - metric(b_s)

    Each draw takes artists with replacement, the same for all runs, and to their mean over seeds adds the
    difference of a draw of the seeds, with replacement and the same for a and b, from all seeds:

        d* = mean over s of d_s(drawn artists) + mean over drawn s of d_s - d

    so that the interval covers both which music was tested and which run one happened to get. Equal seeds may
    share their folds and first weights or not: pairs of runs are what is drawn. With one seed the interval
    covers artists only.

    Simulated without a difference (300 songs, 3 or 5 seeds), the interval misses 0 in 1 to 7 % of cases,
    wherever the variance lies; with two seeds in up to 10 %. One over artists alone misses it in up to 18 %,
    once runs differ as wholes. Drawing seeds and artists in one product (the pigeonhole bootstrap of Owen,
    Annals of Applied Statistics 2007) counts what is due to neither three times and is up to 1.7 times too
    wide.

    Two-sided p = 2 min(share of draws <= 0, share of draws >= 0), no more than 1 and no less than 1 / draws.

    Parameters
    ----------
    truth, groups : (n_songs,) classes as ints, and artists
    predicted_a, predicted_b : (n_seeds, n_songs) int arrays, the classes that each training run predicted
    metric : of the confusion counts
    n_classes : by default as many as occur

    >>> truth, groups = [0, 1, 0, 1], ["a", "b", "c", "d"]
    >>> seed_averaged_difference(truth, [truth] * 2, [truth] * 2, groups)
    Difference(value=0.0, low=0.0, high=0.0, p=1.0)
    """
    both = predicted_a, predicted_b
    if np.shape(predicted_a) != np.shape(predicted_b):
        raise ValueError(f"a and b need the same seeds and songs, got {[np.shape(one) for one in both]}")
    n_classes = n_classes or _n_classes(truth, *both)
    a, b = (_by_seed(metric, truth, predicted, n_classes, groups, draws) for predicted in both)
    return Difference(*averaged(a - b))


def _n_classes(*classes) -> int:
    return 1 + max(int(np.max(some)) for some in classes)


def _by_seed(metric, truth, predicted, n_classes: int, groups, draws: int) -> np.ndarray:
    """(n_seeds, 1 + draws) values of a metric: on the songs themselves, then on resamples of artists."""
    n, shape = len(truth), np.shape(predicted)
    if len(shape) != 2 or not shape[0] or {len(groups), shape[1]} != {n}:
        wanted = f"{n} songs' artists and (n_seeds, {n}) predictions"
        raise ValueError(f"need {wanted}, got {len(groups)} and shape {shape}")
    weights = np.vstack([np.ones(n, dtype=int), artist_weights(groups, draws)])
    return np.array([resampled(metric, truth, run, n_classes, weights) for run in predicted])


def averaged(values: np.ndarray) -> tuple[float, float, float, float]:
    """Mean over seeds, the ends of its interval over artists and seeds, and the p-value of its being 0.

    Parameters
    ----------
    values : (n_seeds, 1 + draws), on the songs themselves, then on the resamples of their artists
    """
    own, resamples = values[:, 0], values[:, 1:]
    from_seeds = seed_shares(*resamples.shape) @ (own - own.mean())
    # rounded, so that a tie stays a tie, whatever the order of summation
    means = (resamples.mean(axis=0) + from_seeds).round(12)
    return float(own.mean()), *interval(means), p_value(means)


def recentred(values: np.ndarray) -> np.ndarray:
    """Measured value and resamples, (1 + draws,), with the resamples' mean shifted to the measured value.

    For average precision: a resample repeats songs, and a repeated song raises it. Only the resamples' spread
    is of use.
    """
    return np.concatenate([values[:1], values[1:] - values[1:].mean() + values[0]])


def p_value(draws: np.ndarray) -> float:
    """Two-sided bootstrap p-value: 2 min(share of draws <= 0, share >= 0), within [1 / draws, 1]."""
    tail = min(np.mean(draws <= 0), np.mean(draws >= 0))
    return float(np.clip(2 * tail, 1 / len(draws), 1))


def standard_error(low: float, high: float) -> float:
    """The standard error that a 95 % interval implies: (high - low) / (2 z), z = 1.96.

    Raises
    ------
    ValueError : the ends are not in order
    """
    if not np.all(np.greater_equal(high, low)):
        raise ValueError(f"an interval's ends must be in order, got {low} and {high}")
    return (high - low) / (2 * ndtri((1 + LEVEL) / 2))


def detectable_effect(low: float, high: float, power: float = POWER) -> float:
    """The smallest effect that a design with an interval of this width sees with the given power.

        d = (z_0.975 + z_power) SE,   2.80 SE for a power of 0.8

    If the effect were d, the 95 % interval would leave out 0 in that share of repetitions. Bloom, "Minimum
    detectable effects" (Evaluation Review 1995). It follows from the width alone: the estimate plays no part.

    Raises
    ------
    ValueError : the ends are not in order

    >>> round(float(detectable_effect(-0.0196, 0.0196)), 3)
    0.028
    """
    return detectable_at(standard_error(low, high), power)


def detectable_at(error: float, power: float = POWER) -> float:
    """The same from the standard error itself."""
    return (ndtri((1 + LEVEL) / 2) + ndtri(power)) * error


def p_from_interval(value: float, low: float, high: float) -> float:
    """Two-sided p-value of no effect, by the normal distribution: 2 Phi(-|d| / SE).

    Finer than a bootstrap's, which is at least 1 / draws and so bears no correction for hundreds of tests.

    Raises
    ------
    ValueError : the ends are not in order

    >>> round(float(p_from_interval(0.0196, 0.0, 0.0392)), 3)
    0.05
    """
    return 2 * ndtr(-np.abs(value) / standard_error(low, high))


def p_at_most(bound: float, value: float, low: float, high: float) -> float:
    """One-sided p-value of the hypothesis that the effect is no more than a bound: 1 - Phi((d - bound) / SE).

    Raises
    ------
    ValueError : the ends are not in order, or coincide
    """
    return float(ndtr(_standardised(bound - value, low, high)))


def _standardised(distance: float, low: float, high: float) -> float:
    if low == high:
        raise ValueError(f"an interval without width, at {low}, tests nothing")
    return distance / standard_error(low, high)


def equivalence(margin: float, value: float, low: float, high: float) -> float:
    """p-value of the two one-sided tests that an effect lies between -margin and margin.

        p = max(Phi((d - margin) / SE), 1 - Phi((d + margin) / SE)) = Phi((abs(d) - margin) / SE)

    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach" (Journal of
    Pharmacokinetics and Biopharmaceutics 1987). A large p-value of a difference does not say that there is
    none; a small one here does, up to the margin. Below 0.025 it says that the 95 % interval, if symmetric,
    lies within the margin.

    Raises
    ------
    ValueError : a margin that is not positive; ends that are not in order, or coincide

    >>> round(equivalence(0.03, 0.01, -0.0096, 0.0296), 4)  # two standard errors inside
    0.0228
    """
    if margin <= 0:
        raise ValueError(f"equivalence needs a positive margin, got {margin}")
    return float(ndtr(_standardised(abs(value) - margin, low, high)))


def corrected_t_test(differences: np.ndarray, n_train: int, n_test: int) -> tuple[float, float]:
    """Corrected resampled t-test of differences over folds and seeds, whose training songs overlap.

        t = mean(d) / sqrt((1 / J + n_test / n_train) var(d)),   J - 1 degrees of freedom, var with J - 1

    Nadeau and Bengio, "Inference for the generalization error" (Machine Learning 2003). The plain t-test has
    1 / J alone, as if J trainings on much the same songs were independent; Bouckaert and Frank (PAKDD 2004)
    use the correction for repeated cross-validation, as here.

    Parameters
    ----------
    differences : J differences of a score, in any shape: one per fold and seed
    n_train, n_test : songs of one training set and of one test set

    Returns
    -------
    (t, two-sided p). Without any variance there is nothing to divide by: (0, 1) if all differences are 0,
    else (+-inf, 0)

    Raises
    ------
    ValueError : fewer than two differences, one that is not finite, or an empty training set

    >>> t, p = corrected_t_test([1, 2, 3], n_train=2, n_test=1)
    >>> round(t, 4), round(p, 4)  # 2 / sqrt(5 / 6); with two degrees of freedom p = 1 - t / sqrt(2 + t^2)
    (2.1909, 0.1598)
    """
    d = np.asarray(differences, dtype=float).ravel()
    if d.size < 2 or not np.isfinite(d).all():
        raise ValueError(f"need two or more finite differences, got {d.tolist()}")
    if n_train <= 0 or n_test < 0:
        raise ValueError(f"sizes of the training and test sets must be positive, got {n_train} and {n_test}")
    if np.ptp(d) == 0:
        return (0.0, 1.0) if d[0] == 0 else (float(np.copysign(np.inf, d[0])), 0.0)
    t = d.mean() / np.sqrt((1 / d.size + n_test / n_train) * d.var(ddof=1))
    return float(t), float(2 * stdtr(d.size - 1, -abs(t)))


def corrected_interval(values: np.ndarray, n_train: int, n_test: int) -> Estimate:
    """Mean over folds and seeds with the interval of the corrected resampled t-test (`corrected_t_test`).

        mean(v) +- t_0.975 sqrt((1 / J + n_test / n_train) var(v)),   J - 1 degrees of freedom

    >>> [round(end, 2) for end in corrected_interval([1, 2, 3], n_train=2, n_test=1)]
    [2.0, -1.93, 5.93]
    """
    v = np.asarray(values, dtype=float).ravel()
    half = stdtrit(v.size - 1, (1 + LEVEL) / 2) * np.sqrt((1 / v.size + n_test / n_train) * v.var(ddof=1))
    return Estimate(float(v.mean()), float(v.mean() - half), float(v.mean() + half))


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values adjusted for several tests at once: below 0.05 here is below 0.05 for the whole family.

        adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j))    with p_(1) <= ... <= p_(m)

    Holm, "A simple sequentially rejective multiple test procedure" (Scandinavian Journal of Statistics 1979).

    Parameters
    ----------
    p_values : (m,) floats in [0, 1]

    Returns
    -------
    (m,) float array, in the order given

    Raises
    ------
    ValueError : not a list of numbers in [0, 1]

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values must be a list of numbers in [0, 1], got {p.tolist()}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(np.minimum(1, np.arange(len(p), 0, -1) * p[order]))
    return adjusted
