import numpy as np
import pytest

from mer_core import metrics, significance


def accuracy_interval(truth, called, groups):
    weights = significance.artist_weights(groups)
    return significance.interval(significance.resampled(metrics.accuracy, truth, called, 2, weights))


def test_interval_of_independent_songs_is_the_binomial_one(rng):
    truth = np.zeros(400, int)
    called = (rng.random(400) < 0.25).astype(int)
    low, high = accuracy_interval(truth, called, np.arange(400))
    p = 1 - called.mean()
    half = 1.96 * np.sqrt(p * (1 - p) / 400)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1) and (low + high) / 2 == pytest.approx(p, abs=0.005)


def test_songs_that_hang_together_widen_the_interval(rng):
    by_artist = np.repeat(rng.random(40) < 0.3, 10).astype(int)  # an artist is right or wrong as a whole

    def width(groups):
        low, high = accuracy_interval(np.zeros(400, int), by_artist, groups)
        return high - low

    assert width(np.repeat(np.arange(40), 10)) > 2.5 * width(np.arange(400))


def test_pairing_cancels_what_both_find_hard(rng):
    hard = rng.random(400) < 0.3
    a = hard.astype(int)
    b = np.where(rng.random(400) < 0.02, 1, a)  # the same errors and a few more
    groups = np.arange(400)
    low, high = significance.difference_interval(metrics.accuracy, np.zeros(400, int), a, b, 2, groups)
    alone = accuracy_interval(np.zeros(400, int), a, groups)
    assert high - low < 0.4 * (alone[1] - alone[0]) and 0 <= low <= (b - a).mean() <= high
    assert significance.difference_interval(metrics.accuracy, np.zeros(400, int), a, a, 2, groups) == (0.0, 0.0)


def test_resampling_a_matrix_product_equals_counting():
    truth, called, groups = np.array([0, 1, 2, 1]), np.array([0, 2, 2, 1]), np.array(["a", "a", "b", "c"])
    weights = significance.artist_weights(groups, draws=5)
    by_product = significance.resampled(metrics.accuracy, truth, called, 3, weights)
    by_count = [np.repeat(truth == called, w).mean() for w in weights]
    np.testing.assert_allclose(by_product, by_count)
    assert np.array_equal(weights[:, 0], weights[:, 1])  # songs of one artist come together
