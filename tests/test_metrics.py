import numpy as np
import pytest
from sklearn import metrics as sk

from mer_core.evaluation import metrics


@pytest.fixture(params=[2, 4])
def answers(request, rng):
    truth = rng.integers(0, request.param, 200)
    return truth, np.where(rng.random(200) < 0.6, truth, rng.integers(0, request.param, 200)), request.param


def test_agrees_with_scikit_learn(answers):
    truth, predicted, n = answers
    found = metrics.scores(truth, predicted, n)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(truth, predicted, average="macro"))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, predicted))
    assert found["matthews"] == pytest.approx(sk.matthews_corrcoef(truth, predicted))
    if n == 2:
        assert found["positive_f1"] == pytest.approx(sk.f1_score(truth, predicted))


def test_roc_auc_agrees_with_scikit_learn_ties_included(rng):
    positive, score = rng.random(300) < 0.3, rng.integers(0, 10, 300)
    assert metrics.roc_auc(positive, score) == pytest.approx(sk.roc_auc_score(positive, score))
    assert metrics.roc_auc(np.ones(3, bool), np.arange(3)) is None


def test_a_constant_answer_earns_nothing_but_accuracy():
    truth = np.repeat([0, 1], [30, 70])
    constant = metrics.scores(truth, np.ones(100, int), 2)
    assert constant["accuracy"] == 0.7 and constant["balanced_accuracy"] == 0.5 and constant["matthews"] == 0
    assert constant["positive_f1"] == pytest.approx(2 * 70 / 170)  # why F1 of the positive class flatters


def test_f1_by_hand():
    counts = metrics.confusion(np.repeat([0, 1], [4, 6]), [0, 0, 0, 1, 0, 0, 1, 1, 1, 1], 2)
    assert counts.tolist() == [[3, 1], [2, 4]]  # class 1: precision 4/5, recall 4/6
    assert metrics.positive_f1(counts) == pytest.approx(2 * (4 / 5) * (4 / 6) / (4 / 5 + 4 / 6))

    np.testing.assert_allclose(metrics.recall_per_class(counts), [3 / 4, 4 / 6])
    np.testing.assert_allclose(metrics.precision_per_class(counts), [3 / 5, 4 / 5])
    assert metrics.recall_per_class(np.array([[0, 0], [1, 2]])).tolist() == [0, 2 / 3]  # no song of class 0


@pytest.mark.parametrize("name", metrics.BINARY)
def test_many_tables_at_once_are_each_alone(rng, name):
    tables, metric = rng.integers(1, 9, size=(3, 5, 2, 2)), metrics.BINARY[name]
    alone = [[metric(table) for table in row] for row in tables]
    assert type(alone[0][0]) is float
    np.testing.assert_allclose(metric(tables), alone)


def test_calibration_by_hand():
    assert metrics.reliability_bin(np.array([0, 0.05, 0.1, 0.95, 1])).tolist() == [0, 0, 1, 9, 9]
    positive, probability = [1, 0, 0], [0.9, 0.95, 0.2]
    assert metrics.reliability(positive, probability) == [(0.2, 0, 1), (pytest.approx(0.925), 0.5, 2)]
    assert metrics.calibration_error(positive, probability) == pytest.approx((0.2 + 2 * 0.425) / 3)


@pytest.mark.parametrize(
    "truth, predicted, said",
    [
        ([0, 1], [0], "equally long lists, got shapes"),
        ([], [], "equally long"),
        ([[0]], [[0]], "equally long"),
        ([0, 4], [0, 1], r"truth holds classes outside 0\.\.3"),
        ([0, 1], [0, -1], "predicted holds classes"),
    ],
)
def test_bad_input_is_refused(truth, predicted, said):
    with pytest.raises(ValueError, match=said):
        metrics.confusion(np.array(truth, int), np.array(predicted, int), 4)
    with pytest.raises(ValueError, match="for two classes, got 3"):
        metrics.positive_f1(np.eye(3))
