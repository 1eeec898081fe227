import itertools

import numpy as np
import pytest
from sklearn import metrics as sk

from mer_core.evaluation import tag_metrics


@pytest.fixture
def table(rng):
    """Tracks by tags, with ties, and scores that know something of the truth."""
    truth = rng.random((300, 6)) < np.array([0.02, 0.05, 0.1, 0.3, 0.5, 0.8])
    return truth, (truth * 0.5 + rng.random(truth.shape)).round(1)


def test_ranking_agrees_with_scikit_learn_ties_included(table):
    truth, scores = table
    precision, area = tag_metrics.ranking(truth, scores)
    pairs = list(zip(truth.T, scores.T, strict=True))
    np.testing.assert_allclose(
        precision, [sk.average_precision_score(t, s) for t, s in pairs], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(area, [sk.roc_auc_score(t, s) for t, s in pairs], rtol=0, atol=1e-12)


def test_a_resample_scores_as_the_tracks_written_out(table, rng):
    truth, scores = table
    weights = rng.multinomial(300, np.full(300, 1 / 300), size=4)
    precision, area = tag_metrics.ranking(truth, scores, weights)
    for w, p, a in zip(weights, precision, area, strict=True):
        rows = np.repeat(np.arange(300), w)
        expected = tag_metrics.ranking(truth[rows], scores[rows])
        np.testing.assert_allclose((p, a), expected, atol=1e-9)
    decided = tag_metrics.predicted_tags(scores, 0.7)
    found = tag_metrics.decisions(truth, decided, weights)
    rows = np.repeat(np.arange(300), weights[0])
    for name, values in tag_metrics.decisions(truth[rows], decided[rows]).items():
        np.testing.assert_allclose(found[name][0], values)


@pytest.mark.parametrize("n, positive", [(5, 1), (6, 2), (7, 4)])
def test_chance_is_the_mean_over_all_orders(n, positive):
    truth = np.arange(n) < positive
    orders = list(itertools.permutations(range(n)))
    found = [tag_metrics.ranking(truth[:, None], np.array(order, float)[:, None])[0][0] for order in orders]
    assert tag_metrics.chance_precision(n, positive) == pytest.approx(np.mean(found))


def test_a_tag_that_was_not_drawn_has_no_score():
    truth = np.array([[1, 0], [0, 1], [0, 1]], bool)
    precision, area = tag_metrics.ranking(truth, np.arange(6.0).reshape(3, 2), np.array([[0, 2, 1]]))
    assert np.isnan(precision[0]).all() and np.isnan(area[0]).all()


def test_only_the_order_of_scores_counts(table):
    truth, scores = table
    np.testing.assert_allclose(
        tag_metrics.ranking(truth, scores), tag_metrics.ranking(truth, np.exp(5 * scores))
    )


def test_chance_is_the_share_of_positives(rng):
    truth = rng.random((4000, 3)) < np.array([0.05, 0.2, 0.5])
    precision, area = tag_metrics.ranking(truth, rng.random(truth.shape))
    np.testing.assert_allclose(precision, truth.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(area, 0.5, atol=0.05)


def test_thresholds_are_those_of_the_official_evaluation(table):
    """The curve of scikit-learn, the first threshold of the best F, then strictly above."""
    truth, scores = table
    expected = []
    for t, s in zip(truth.T, scores.T, strict=True):
        precision, recall, thresholds = sk.precision_recall_curve(t, s)
        with np.errstate(invalid="ignore"):
            f = np.nan_to_num(2 * precision * recall / (precision + recall))
        expected.append(thresholds[np.argmax(f)])
    found = tag_metrics.best_thresholds(truth, scores)
    np.testing.assert_array_equal(found, expected)
    decided = tag_metrics.predicted_tags(scores, found)
    scored = tag_metrics.decisions(truth, decided)
    np.testing.assert_allclose(scored["f_score"], sk.f1_score(truth, decided, average=None, zero_division=0))
    np.testing.assert_allclose(scored["tpr"], sk.recall_score(truth, decided, average=None, zero_division=0))
    np.testing.assert_allclose(
        scored["tnr"], sk.recall_score(~truth, ~decided, average=None, zero_division=0)
    )


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="two equal tables"):
        tag_metrics.ranking(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="1 scores are missing"):
        tag_metrics.ranking(np.zeros((2, 1)), np.array([[np.nan], [0.0]]))
