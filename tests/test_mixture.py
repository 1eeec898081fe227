from dataclasses import replace

import numpy as np
import pytest

from mer_core import mixture


@pytest.fixture
def two_groups(rng):
    return np.concatenate([rng.normal(0.2, 0.08, 400), rng.normal(1.5, 0.3, 100)])


def test_small_losses_are_clean(two_groups):
    p = mixture.fit(two_groups).clean_probability
    assert p[:400].mean() > 0.95 and p[400:].mean() < 0.05


def test_the_fit_recovers_what_was_mixed(two_groups):
    fitted = mixture.fit(two_groups)
    spread = two_groups.max() - two_groups.min()
    assert fitted.weights[0] == pytest.approx(0.8, abs=0.03)
    assert (fitted.means[1] - fitted.means[0]) * spread == pytest.approx(1.3, abs=0.1)
    assert fitted.bic_gain > 0


def test_only_relative_loss_matters_not_its_unit(two_groups):
    p = mixture.fit(two_groups).clean_probability
    np.testing.assert_allclose(mixture.fit(1000 * two_groups + 3).clean_probability, p, atol=1e-6)


def test_a_smaller_loss_is_never_less_clean(rng):
    # a narrow clean component inside a wide noisy one: the plain posterior calls the smallest losses noisy
    losses = np.concatenate([rng.normal(1.0, 0.03, 500), rng.normal(1.4, 0.6, 500)])
    p = mixture.fit(losses).clean_probability[np.argsort(losses)]
    assert np.all(np.diff(p) <= 1e-12)


def test_one_group_is_better_described_by_one_gaussian(rng):
    assert mixture.fit(rng.normal(size=500)).bic_gain < 0


@pytest.mark.parametrize("losses", [np.full(50, 0.7), np.zeros(3), np.full(1, 2.0)])
def test_constant_or_few_losses_keep_every_label_and_say_so(losses):
    fitted = mixture.fit(losses)
    assert np.all(fitted.clean_probability == 1) and "constant or too few" in fitted.note


def test_losses_that_are_not_finite_are_noisy_and_do_not_disturb_the_others(two_groups):
    broken = np.concatenate([two_groups, [np.nan, np.inf]])
    fitted = mixture.fit(broken)
    np.testing.assert_allclose(fitted.clean_probability[:-2], mixture.fit(two_groups).clean_probability)
    assert np.all(fitted.clean_probability[-2:] == 0) and "2 losses not finite" in fitted.note


def test_all_losses_not_finite_does_not_crash():
    fitted = mixture.fit(np.full(20, np.nan))
    clean, note = mixture.partition(fitted, np.zeros(20, int), 0.5, 0.1)
    assert clean.sum() == 2 and "not finite" in note


def test_a_wholly_noisy_class_keeps_its_smallest_losses(rng):
    losses = np.concatenate([rng.normal(0.1, 0.02, 100), rng.normal(2.0, 0.1, 100)])
    labels = np.repeat([0, 1], 100)
    clean, note = mixture.partition(mixture.fit(losses), labels, threshold=0.5, least_clean_share=0.1)
    kept = np.flatnonzero(clean[100:]) + 100
    assert len(kept) == 10 and losses[kept].max() <= np.sort(losses[100:])[9]
    assert clean[:100].all() and "class 1" in note


def test_threshold_zero_trusts_everybody_and_says_so(two_groups):
    clean, note = mixture.partition(mixture.fit(two_groups), np.zeros(500, int), 0.0, 0.1)
    assert clean.all() and "every label" in note


def test_scaled_losses_run_from_0_to_1(rng):
    losses = rng.uniform(3, 7, 50)
    np.testing.assert_allclose(mixture.fit(losses).scaled_loss, (losses - losses.min()) / np.ptp(losses))


def test_ten_losses_are_enough_and_nine_are_not():
    losses = np.array([0.0, 0.1, 0.2, 0.1, 0.0, 2.0, 2.1, 2.2, 2.0, 2.1])
    assert mixture.fit(losses).means is not None and mixture.fit(losses[:9]).means is None


def test_each_class_is_judged_by_its_own_losses(rng):
    labels = np.arange(90) % 3
    losses = rng.uniform(0, 1, 90) + 5 * labels
    per_class = mixture.fit_per_class(losses, labels)
    for label in range(3):
        own, alone = labels == label, mixture.fit(losses[labels == label])
        np.testing.assert_array_equal(per_class.clean_probability[own], alone.clean_probability)
        np.testing.assert_array_equal(per_class.scaled_loss[own], alone.scaled_loss)


def test_a_probability_at_the_threshold_is_trusted(two_groups):
    fitted = replace(mixture.fit(two_groups), clean_probability=np.full(len(two_groups), 0.5))
    labels = np.zeros(len(two_groups), int)
    assert mixture.partition(fitted, labels, 0.5, 0.1)[0].all()
    assert mixture.partition(fitted, labels, 0.6, 0.1)[0].sum() == np.ceil(0.1 * len(labels))


def test_losses_closer_than_rounding_are_constant():
    np.testing.assert_array_equal(mixture.min_max(np.array([0.0, 1e-8])), [0, 0])
    np.testing.assert_array_equal(mixture.min_max(np.array([0.0, 0.25, 0.5])), [0, 0.5, 1])


def test_a_class_of_constant_losses_adds_nothing_to_the_gain(rng, two_groups):
    labels = np.repeat([0, 1], [500, 50])
    per_class = mixture.fit_per_class(np.concatenate([two_groups, np.full(50, 0.7)]), labels)
    assert per_class.bic_gain == mixture.fit(two_groups).bic_gain


def test_a_class_with_just_enough_clean_labels_is_left_as_it_is(two_groups):
    clean_probability = np.zeros(500)
    clean_probability[3] = 1
    fitted = replace(mixture.fit(two_groups), clean_probability=clean_probability)
    clean, note = mixture.partition(fitted, np.zeros(500, int), 0.5, 1 / 500)
    assert np.flatnonzero(clean).tolist() == [3] and note == ""
