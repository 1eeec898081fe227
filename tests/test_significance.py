import numpy as np
import pytest
from scipy import stats

from mer_core.evaluation import metrics, significance

SONGS = 300


def accuracy_interval(truth, predicted, groups):
    weights = significance.artist_weights(groups)
    return significance.interval(significance.resampled(metrics.accuracy, truth, predicted, 2, weights))


def test_interval_of_independent_songs_is_the_binomial_one(rng):
    truth = np.zeros(400, int)
    predicted = (rng.random(400) < 0.25).astype(int)
    low, high = accuracy_interval(truth, predicted, np.arange(400))
    p = 1 - predicted.mean()
    half = 1.96 * np.sqrt(p * (1 - p) / 400)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1) and (low + high) / 2 == pytest.approx(
        p, abs=0.005
    )


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
    low, high = significance.seed_averaged_difference(np.zeros(400, int), [a], [b], groups, n_classes=2)[1:3]
    alone = accuracy_interval(np.zeros(400, int), a, groups)
    assert high - low < 0.4 * (alone[1] - alone[0]) and 0 <= low <= (b - a).mean() <= high
    assert significance.seed_averaged_difference(np.zeros(400, int), [a], [a], groups, n_classes=2)[1:3] == (
        0.0,
        0.0,
    )


def test_resampling_a_matrix_product_equals_counting(monkeypatch):
    truth, predicted, groups = np.array([0, 1, 2, 1]), np.array([0, 2, 2, 1]), np.array(["a", "a", "b", "c"])
    weights = significance.artist_weights(groups, draws=5)
    by_product = significance.resampled(metrics.accuracy, truth, predicted, 3, weights)
    by_count = [np.repeat(truth == predicted, w.astype(int)).mean() for w in weights]
    np.testing.assert_allclose(by_product, by_count)
    monkeypatch.setattr(significance, "CELLS_AT_ONCE", 2 * 3**2)  # two resamples at once
    np.testing.assert_array_equal(
        significance.resampled(metrics.accuracy, truth, predicted, 3, weights), by_product
    )
    assert np.array_equal(weights[:, 0], weights[:, 1])  # songs of one artist come together


@pytest.fixture
def truth(rng):
    return rng.integers(0, 2, SONGS)


def runs(truth, rng, accuracy, n_seeds):
    """Calls of training runs whose errors are their own."""
    return np.where(rng.random((n_seeds, len(truth))) < accuracy, truth, 1 - truth)


def test_a_method_against_itself_differs_by_nothing(truth, rng):
    own = runs(truth, rng, 0.7, 3)
    assert significance.seed_averaged_difference(truth, own, own, np.arange(SONGS)) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("metric", [metrics.accuracy, metrics.macro_f1])
def test_equal_seeds_add_nothing_to_the_artists(truth, rng, metric):
    a, b = runs(truth, rng, 0.8, 1), runs(truth, rng, 0.7, 1)
    groups = np.arange(SONGS) // 3
    one = significance.seed_averaged_difference(truth, a, b, groups, metric)
    five = significance.seed_averaged_difference(
        truth, a.repeat(5, axis=0), b.repeat(5, axis=0), groups, metric
    )
    np.testing.assert_allclose(five, one)
    np.testing.assert_allclose(
        five[1:3], significance.seed_averaged_difference(truth, a[:1], b[:1], groups, metric, 2)[1:3]
    )


def test_the_figure_is_the_mean_over_seeds_of_the_metric(truth, rng):
    a, b, groups = runs(truth, rng, 0.8, 3), runs(truth, rng, 0.7, 3), np.arange(SONGS)
    of_a, of_b = (
        [metrics.macro_f1(metrics.confusion(truth, run, 2)) for run in predicted] for predicted in (a, b)
    )
    alone = significance.seed_averaged(truth, a, groups, metrics.macro_f1)
    assert alone.value == pytest.approx(np.mean(of_a)) and alone.low < alone.value < alone.high
    found = significance.seed_averaged_difference(truth, a, b, groups, metrics.macro_f1)
    assert found.value == pytest.approx(np.mean(of_a) - np.mean(of_b)) and found.p <= 0.01 and found.low > 0


def test_seeds_that_disagree_widen_the_interval(truth, rng):
    groups, b = np.arange(SONGS), runs(truth, rng, 0.7, 1).repeat(4, axis=0)
    hard = rng.random(SONGS)  # the same songs are hard for every run
    alike = np.where(hard < 0.75, truth, 1 - truth)[None].repeat(4, axis=0)
    unlike = np.where(hard < np.array([[0.6], [0.7], [0.8], [0.9]]), truth, 1 - truth)
    narrow, wide = (significance.seed_averaged_difference(truth, a, b, groups) for a in (alike, unlike))
    assert wide.value == pytest.approx(narrow.value, abs=0.02)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_more_songs_and_more_seeds_narrow_the_interval(rng):
    def width(n_songs, n_seeds):
        truth = rng.integers(0, 2, n_songs)
        low, high = significance.seed_averaged(truth, runs(truth, rng, 0.7, n_seeds), np.arange(n_songs))[1:]
        return high - low

    assert width(1200, 2) < 0.7 * width(300, 2) and width(300, 12) < 0.7 * width(300, 2)


def test_a_mean_of_few_seeds_varies_as_it_should():
    values = np.array([0.6, 0.7, 0.8])
    means = significance.seed_shares(3, draws=20000) @ values
    assert means.var() == pytest.approx(values.var(ddof=1) / 3, rel=0.05) and means.mean() == pytest.approx(
        0.7, abs=1e-3
    )
    assert (significance.seed_shares(1, draws=4) == 1).all()


def null_p_values(rng, n_seeds, agreeing, times=150):
    """p-values where a and b are equally good: 60 songs, each run's errors shared by all runs of its method
    or its own.
    """
    for _ in range(times):
        truth = rng.integers(0, 2, 60)
        a, b = (runs(truth, rng, 0.7, 1 if agreeing else n_seeds) for _ in "ab")
        a, b = (predicted.repeat(n_seeds // len(predicted), axis=0) for predicted in (a, b))
        yield significance.seed_averaged_difference(truth, a, b, np.arange(60), draws=200).p


def test_without_a_difference_p_is_about_uniform_and_never_too_small(rng):
    p = np.array(list(null_p_values(rng, n_seeds=2, agreeing=True)))
    for level in (0.1, 0.3, 0.5, 0.7):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.1)  # 150 shares of 0.5 vary by 0.04
    cautious = np.array(list(null_p_values(rng, n_seeds=3, agreeing=False)))
    assert np.mean(cautious <= 0.1) <= 0.1


def test_bootstrap_p_counts_both_tails_and_has_a_floor():
    assert significance.p_value(np.array([-1, 1, 1, 1])) == 0.5
    assert significance.p_value(np.ones(200)) == 1 / 200
    assert significance.p_value(np.zeros(200)) == 1


def test_shapes_that_do_not_fit_are_refused():
    groups = ["a", "b"]
    with pytest.raises(ValueError, match="same seeds"):
        significance.seed_averaged_difference([0, 1], [[0, 1]], [[0, 1], [0, 1]], groups)
    for predicted, own in (
        ([0, 1], groups),
        ([[0, 1, 1]], groups),
        ([[0, 1]], ["a"]),
        (np.empty((0, 2), int), groups),
    ):
        with pytest.raises(ValueError, match="predictions"):
            significance.seed_averaged([0, 1], predicted, own, n_classes=2)


def test_corrected_t_by_hand():
    t, p = significance.corrected_t_test(
        [1, 2, 3], n_train=2, n_test=1
    )  # mean 2, variance 1, 1/3 + 1/2 = 5/6
    assert t == pytest.approx(2 / np.sqrt(5 / 6)) and p == pytest.approx(1 - t / np.sqrt(2 + t**2))


def test_without_a_test_set_the_correction_is_the_ordinary_t_test(rng):
    a, b = rng.normal(size=(2, 25))
    ordinary = stats.ttest_rel(a, b)
    np.testing.assert_allclose(
        significance.corrected_t_test(a - b, 100, 0), (ordinary.statistic, ordinary.pvalue)
    )


def test_shared_training_songs_make_a_difference_less_sure(rng):
    differences = rng.normal(0.5, 1, size=(5, 5))  # folds by seeds
    p = [significance.corrected_t_test(differences, 100, n_test)[1] for n_test in (0, 25, 100)]
    assert p == sorted(p) and p[0] < p[2]
    t, _ = significance.corrected_t_test(differences, 100, 25)
    opposite = significance.corrected_t_test(-differences, 100, 25)
    np.testing.assert_allclose(opposite, (-t, p[1]))


def test_differences_without_variance():
    assert significance.corrected_t_test([0.0, 0.0], 4, 1) == (0.0, 1.0)
    assert significance.corrected_t_test([0.1, 0.1, 0.1], 4, 1) == (np.inf, 0.0)
    assert significance.corrected_t_test([-0.1, -0.1], 4, 1) == (-np.inf, 0.0)


@pytest.mark.parametrize(
    ("differences", "n_train"), [([], 4), ([0.1], 4), ([0.1, np.nan], 4), ([0.1, 0.2], 0)]
)
def test_t_test_of_too_little_is_refused(differences, n_train):
    with pytest.raises(ValueError, match="need two|must be positive"):
        significance.corrected_t_test(differences, n_train, 1)


def test_the_corrected_interval_ends_where_its_test_says_one_in_twenty(rng):
    values = rng.normal(3, 0.5, 10)
    mean, low, high = significance.corrected_interval(values, 80, 20)
    assert mean == pytest.approx(values.mean()) == pytest.approx((low + high) / 2)
    for end in (low, high):
        assert significance.corrected_t_test(values - end, 80, 20)[1] == pytest.approx(0.05)


def test_holm_by_a_worked_example():
    # in order 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, none below the one before
    np.testing.assert_allclose(significance.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_holm_is_capped_keeps_its_order_and_lies_between_none_and_bonferroni(rng):
    p = rng.random(20) ** 2
    adjusted = significance.holm(p)
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, 20 * p)).all() and adjusted.max() <= 1
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert significance.holm([]).size == 0 and significance.holm([0.2]).tolist() == [0.2]
    assert significance.holm([1.0, 0.0]).tolist() == [1, 0]


@pytest.mark.parametrize("p_values", [[1.2], [-0.1], [np.nan], [[0.1, 0.2]]])
def test_holm_refuses_what_is_no_p_value(p_values):
    with pytest.raises(ValueError, match="numbers in"):
        significance.holm(p_values)


def test_resamples_are_laid_around_what_was_measured(rng):
    values = np.concatenate(
        [[0.3], 0.35 + rng.normal(0, 0.02, 500)]
    )  # as average precision is in resamples with repetition
    laid = significance.recentred(values)
    assert (
        laid[0] == 0.3
        and laid[1:].mean() == pytest.approx(0.3)
        and laid[1:].std() == pytest.approx(values[1:].std())
    )


INTERVAL = -0.0196, 0.0196  # a standard error of 0.01


def test_detectable_effect_by_hand():  # (1.960 + 0.842) standard errors
    assert significance.detectable_effect(*INTERVAL) == pytest.approx(0.028016, abs=1e-6)
    half_the_time = significance.detectable_effect(*INTERVAL, power=0.5)
    assert half_the_time == pytest.approx(0.0196, abs=1e-6)  # as often beyond the interval's end as not


def test_the_detectable_effect_is_seen_in_four_of_five_repetitions(rng):
    effect = significance.detectable_effect(*INTERVAL)
    estimates = rng.normal(effect, 0.01, 20_000)
    assert np.mean(estimates - 0.0196 > 0) == pytest.approx(0.8, abs=0.015)


def test_equivalence_is_the_worse_of_two_one_sided_tests():
    for value, margin in ((0.004, 0.03), (-0.012, 0.02), (0.05, 0.03)):
        ends = value - 0.0196, value + 0.0196
        below = stats.norm.cdf((value - margin) / 0.01)
        above = stats.norm.sf((value + margin) / 0.01)
        found = significance.equivalence(margin, value, *ends)
        assert found == pytest.approx(max(below, above), abs=1e-5)
        within = -margin < ends[0] and ends[1] < margin
        assert (found < 0.025) == within  # the 95 % interval lies within the margin


def test_equivalence_of_an_effect_at_the_margin_is_found_in_one_of_forty(rng):
    estimates = rng.normal(0.05, 0.01, 4000)
    found = [significance.equivalence(0.05, d, d - 0.0196, d + 0.0196) < 0.025 for d in estimates]
    assert np.mean(found) == pytest.approx(0.025, abs=0.01)


def test_one_sided_p_by_hand():
    assert significance.p_at_most(0.0, 0.0196, 0.0, 0.0392) == pytest.approx(0.025, abs=1e-5)
    assert significance.p_at_most(0.0196, 0.0196, 0.0, 0.0392) == pytest.approx(0.5)


def test_ends_out_of_order_no_width_and_no_margin_are_refused():
    with pytest.raises(ValueError, match="in order"):
        significance.detectable_effect(0.2, 0.1)
    with pytest.raises(ValueError, match="without width"):
        significance.p_at_most(0.0, 0.1, 0.1, 0.1)
    with pytest.raises(ValueError, match="positive margin"):
        significance.equivalence(0.0, 0.1, *INTERVAL)
