import numpy as np
import pytest
from sklearn.svm import SVC

from mer_core.evaluation import song_decision

# two songs, three windows each, two emotions
P = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.2, 0.8], [0.7, 0.3]])
TRACK = np.array([7, 7, 7, 9, 9, 9])


def test_statistics_by_hand():
    first = song_decision.statistics(P, TRACK, 0.5)[0].reshape(7, 2)
    expected = [[0.9, 0.7], [0.3, 0.1], [0.45, 0.25], [0.6, 0.4], [0.75, 0.55], [0.6, 0.4], [2 / 3, 1 / 3]]
    np.testing.assert_allclose(first, expected)
    above = song_decision.statistics(np.array([[0.5, 0.5], [0.4, 0.6]]), np.zeros(2), 0.5)[0].reshape(7, 2)
    assert above[-1].tolist() == [0, 0.5]  # at the threshold is not above it


def test_order_of_windows_matters_only_to_runs(rng):
    shuffled = rng.permutation(6)
    np.testing.assert_allclose(
        song_decision.statistics(P[shuffled], TRACK[shuffled], 0.5), song_decision.statistics(P, TRACK, 0.5)
    )
    np.testing.assert_array_equal(
        song_decision.majority_vote(P[shuffled], TRACK[shuffled]), song_decision.majority_vote(P, TRACK)
    )


def test_decisions_by_hand():
    assert song_decision.majority_vote(P, TRACK).tolist() == [0, 1]
    assert song_decision.maximum_run_length(P, TRACK).tolist() == [0, 1]
    np.testing.assert_allclose(song_decision.mean_probability(P, TRACK), [[0.6, 0.4], [1.1 / 3, 1.9 / 3]])


def test_run_length_can_overrule_the_majority():
    calls = [0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0]  # six each; the longest run is of 1
    p = np.eye(2)[calls] * 0.6 + 0.2
    assert song_decision.maximum_run_length(p, np.zeros(12)).tolist() == [1]


def test_the_longest_run_wins_however_likely_another_class_is():
    runs, between = [[1, 0, 0]] * 2, [[0, 1, 0], [0, 0.49, 0.51]] * 100
    assert song_decision.maximum_run_length(np.array(runs + between), np.zeros(202)).tolist() == [0]


@pytest.mark.parametrize("decide", [song_decision.majority_vote, song_decision.maximum_run_length])
def test_a_tie_goes_to_the_larger_mean_probability(decide):
    p = np.array([[0.9, 0.1], [0.45, 0.55]])
    assert decide(p, np.zeros(2)).tolist() == [0]


def test_svm_learns_what_the_statistics_say(rng):
    track = np.repeat(np.arange(40), 5)
    truth = np.arange(40) % 2
    p = np.clip(0.3 + 0.4 * truth[track] + 0.1 * rng.standard_normal(200), 0.01, 0.99)
    features = song_decision.statistics(np.stack([1 - p, p], axis=1), track, 0.5)
    fitted = song_decision.svm(features[:30], truth[:30], song_decision.SongDecision())
    assert (fitted.predict(features[30:]) == truth[30:]).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_largest_score_of_the_svm_is_its_decision(rng, n_classes):
    truth = np.arange(60) % n_classes
    features = rng.normal(size=(60, 4)) + truth[:, None]
    fitted = song_decision.svm(features, truth, song_decision.SongDecision())
    scores = song_decision.scores(fitted, features)
    assert scores.shape == (60, n_classes) and len(set(scores.argmax(axis=1))) == n_classes
    np.testing.assert_array_equal(scores.argmax(axis=1), fitted.predict(features))


def test_settings_are_scikit_learns_and_have_bounds():
    assert song_decision.SongDecision() == song_decision.SongDecision(0.5, SVC().C)
    for share, c in ((0, 1e-3), (1, 100)):
        song_decision.SongDecision(share, c)
    for share, c in ((-0.1, 1), (1.1, 1), (0.5, 0), (0.5, -1)):
        with pytest.raises(ValueError, match="svm_c above 0, got"):
            song_decision.SongDecision(share, c)
