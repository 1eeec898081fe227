"""Effects of several collections: hand values, a published example, and what must not change the answer."""

import numpy as np
import pytest
from scipy import stats

from mer_core.evaluation.meta_analysis import random_effects

# 13 trials of the BCG vaccine: log risk ratios and their variances (Colditz et al. 1994; dat.bcg of metafor)
BCG = np.array([
    (-0.8893, 0.3256), (-1.5854, 0.1946), (-1.3481, 0.4154), (-1.4416, 0.0200), (-0.2175, 0.0512),
    (-0.7861, 0.0069), (-1.6209, 0.2230), (0.0120, 0.0040), (-0.4694, 0.0564), (-1.3713, 0.0730),
    (-0.3394, 0.0124), (0.4459, 0.5325), (-0.0173, 0.0714),
])  # fmt: skip


def test_the_published_example_comes_out_as_metafor_prints_it():
    found = random_effects(BCG[:, 0], np.sqrt(BCG[:, 1]))
    assert found.value == pytest.approx(-0.7145, abs=2e-4) and found.tau**2 == pytest.approx(0.3132, abs=1e-3)
    assert found.q == pytest.approx(152.23, abs=0.5) and found.i2 == pytest.approx(0.9212, abs=1e-3)


def test_equal_errors_give_the_t_interval_of_the_mean():
    """Then REML has a closed form, tau^2 = s^2 - SE^2, and the interval is that of Student's t-test."""
    y, error = np.array([0.3, -0.1, 0.5, 0.05]), 0.1
    found = random_effects(y, np.full(4, error))
    low, high = stats.t.interval(0.95, 3, y.mean(), stats.sem(y))
    assert (found.value, found.low, found.high) == pytest.approx((y.mean(), low, high), abs=1e-6)
    assert found.tau**2 == pytest.approx(y.var(ddof=1) - error**2, abs=1e-6)
    assert found.p == pytest.approx(stats.ttest_1samp(y, 0).pvalue, abs=1e-6)


def test_equal_effects_have_no_spread_and_no_narrower_interval_than_a_common_effect():
    found = random_effects(np.full(4, 0.2), np.array([0.1, 0.2, 0.1, 0.2]))
    common = 1 / np.sqrt(1 / 0.01 + 1 / 0.04 + 1 / 0.01 + 1 / 0.04)
    assert (found.tau, found.i2, found.q) == pytest.approx((0, 0, 0), abs=1e-9) and found.p_q == 1
    assert found.high - 0.2 == pytest.approx(stats.t.ppf(0.975, 3) * common)


def test_the_detectable_effect_is_seen_in_four_of_five_repetitions():
    """A simulation knows nothing of the formula: effects of that size leave 0 out in about 80 % of cases."""
    rng, errors = np.random.default_rng(0), np.full(4, 0.1)
    size = random_effects(np.zeros(4), errors).detectable
    seen = [random_effects(rng.normal(size, errors), errors).low > 0 for _ in range(400)]
    assert 0.6 < np.mean(seen) < 0.95


def test_signs_and_units_pass_through():
    y, errors = BCG[:, 0], np.sqrt(BCG[:, 1])
    one, other = random_effects(y, errors), random_effects(-100 * y, 100 * errors)
    assert (other.value, other.low, other.high) == pytest.approx(
        (-100 * one.value, -100 * one.high, -100 * one.low), rel=1e-4
    )
    assert other.i2 == pytest.approx(one.i2) and other.p == pytest.approx(one.p, rel=1e-3)


@pytest.mark.parametrize("effects, errors", [([0.1], [0.1]), ([0.1, 0.2], [0.1, 0.0]), ([0.1, 0.2], [0.1])])
def test_what_cannot_be_summarised_is_refused(effects, errors):
    with pytest.raises(ValueError, match="two or more effects"):
        random_effects(effects, errors)
