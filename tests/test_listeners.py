"""Listeners against the mixture, where the answer is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mer_companion import experiments, results
from mer_companion.analysis import listeners as shown
from mer_companion.experiments import kinds
from mer_companion.experiments import listeners as designed
from mer_companion.runs import cross_validation, listeners, noise_map
from mer_core.datasets.label_noise import SONG, LabelNoise, corrupted
from mer_core.evaluation import association, disagreement, metrics

RNG = np.random.default_rng(0)
GROUPS = np.repeat([f"series{i}" for i in range(12)], 50)


def curves(share_elsewhere: list[float], n_listeners: int = 10) -> pd.DataFrame:
    """Parts of 1 s, in each of which a share of the listeners puts a happy song (Q1) into Q3."""
    rows = [
        (f"listener{i}", part, part + 1, *((-0.5, -0.5) if i < share * n_listeners else (0.5, 0.5)))
        for part, share in enumerate(share_elsewhere)
        for i in range(n_listeners)
    ]
    return pd.DataFrame(rows, columns=["listener", "start_s", "end_s", "valence", "arousal"])


def test_disagreement_of_windows_is_the_share_of_listeners_elsewhere():
    rated = curves([0.0, 0.3, 1.0])
    found = disagreement.of_windows(rated, "Q1", np.arange(3), window_s=1.0)
    np.testing.assert_allclose(found, [0, 0.3, 1])
    np.testing.assert_allclose(disagreement.of_windows(rated, "Q3", np.arange(3), 1.0), 1 - found)


def test_a_listener_counts_where_most_of_his_rated_time_lies():
    one = pd.DataFrame({"listener": ["a"] * 2, "start_s": [0, 1], "end_s": [1, 3], "valence": [0.4, -0.4]})
    found = disagreement.of_windows(one.assign(arousal=0.5), "Q1", np.array([0]), 3.0)
    assert found.tolist() == [1.0]  # (0.4 - 2 * 0.4) / 3 is below 0
    silent = disagreement.of_windows(one.assign(arousal=0.5), "Q1", np.array([9]), 3.0)
    assert np.isnan(silent).all()  # nobody has rated there


@pytest.mark.parametrize("n", [2, 5, 40])
def test_pairwise_disagreement_does_not_depend_on_how_many_are_asked(n):
    """Its expectation is 1 - sum p^2, while 1 - sum of squared shares is (n - 1) / n of that."""
    p = np.array([0.5, 0.3, 0.2, 0.0])
    answers = np.eye(4)[np.random.default_rng(1).choice(4, p=p, size=4000 * n)]
    found = disagreement.pairwise(answers, np.repeat(np.arange(4000), n))
    assert found.mean() == pytest.approx(1 - (p**2).sum(), abs=0.015)


@pytest.mark.parametrize("expected", [1.0, 0.5])
def test_known_disagreement_is_found_with_an_auc_of_one_and_random_scores_with_a_half(expected):
    departs = RNG.random(600) < 0.4
    score = departs + 0.5 * RNG.random(600) if expected == 1 else RNG.random(600)
    found = association.auc(departs, score, GROUPS)
    assert found[0] == pytest.approx(expected, abs=0.06 if expected == 0.5 else 1e-12)
    if expected == 1:
        assert (found == 1).all()
    else:
        assert np.quantile(found, 0.025) < 0.5 < np.quantile(found, 0.975)


def test_auc_and_its_resamples_are_those_of_another_implementation():
    departs, score = RNG.random(600) < 0.3, np.round(RNG.random(600), 1)  # with ties
    found = association.auc(departs, score, GROUPS, draws=3)
    weights = association.group_weights(np.unique(GROUPS, return_inverse=True)[1], 3)
    for value, weight in zip(found, weights, strict=True):
        rows = np.repeat(np.arange(600), weight[np.unique(GROUPS, return_inverse=True)[1]].astype(int))
        assert value == pytest.approx(metrics.roc_auc(departs[rows], score[rows]))


def test_rank_correlation_is_spearmans():
    x = RNG.normal(size=600)
    y = np.exp(x + RNG.normal(size=600))
    found = association.rank_correlation(x, y, GROUPS)
    assert found[0] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert np.quantile(found, 0.025) < found[0] < np.quantile(found, 0.975)


def test_what_the_class_explains_is_gone_once_it_is_given():
    label = RNG.choice(["Q1", "Q2", "Q3"], size=600)
    effect = pd.Series(label).map({"Q1": 0.0, "Q2": 3.0, "Q3": 6.0}).to_numpy()
    x, y = effect + RNG.normal(size=600), effect + RNG.normal(size=600)
    given = pd.DataFrame({"label": label})
    assert association.rank_correlation(x, y, GROUPS)[0] > 0.8
    partial = association.rank_correlation(x, y, GROUPS, given)
    by_hand = association.residuals(
        np.column_stack([stats.rankdata(x), stats.rankdata(y)]), association.indicators(given)
    )
    assert partial[0] == pytest.approx(np.corrcoef(by_hand.T)[0, 1])
    assert abs(partial[0]) < 0.12


def test_within_pieces_only_what_varies_inside_them_counts():
    piece = np.repeat(np.arange(60), 10)
    level = np.repeat(RNG.normal(size=60), 10)
    x, y = level + 0.1 * RNG.normal(size=600), level + 0.1 * RNG.normal(size=600)
    assert association.rank_correlation(x, y, GROUPS)[0] > 0.9
    assert abs(association.rank_correlation(x, y, GROUPS, within=piece)[0]) < 0.12
    assert (association.rank_correlation(level, y, GROUPS, within=piece) == 0).all()


def test_one_listeners_answers_are_wrong_as_often_as_listeners_disagree():
    shares = np.array([[0.7, 0.2, 0.1, 0.0], [0.0, 0.25, 0.25, 0.5], [0.0, 0.0, 1.0, 0.0]])
    track = np.repeat(np.arange(3), 5000)
    labels = np.array([0, 3, 2])[track]
    found = corrupted(labels, track, 4, LabelNoise("one_listener", 1.0), 0, shares)
    for i in range(3):
        drawn = np.bincount(found[track == i], minlength=4) / 5000
        np.testing.assert_allclose(drawn, shares[i], atol=0.02)
    of_songs = corrupted(labels, track, 4, LabelNoise("one_listener", 1.0, SONG), 0, shares)
    assert all(len(set(of_songs[track == i])) == 1 for i in range(3))


def test_asking_one_listener_of_half_of_the_songs_leaves_the_others_alone():
    labels, shares = np.zeros(1000, int), np.tile([0.0, 1.0, 0.0, 0.0], (1000, 1))
    found = corrupted(labels, np.arange(1000), 4, LabelNoise("one_listener", 0.5), 0, shares)
    assert (found == 1).sum() == 500


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Synthetic songs, whose labels are wrong in seconds that are known, in place of listeners."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_companion.folders.RESULTS", tmp_path_factory.mktemp("results"))
        (made,) = experiments.execute("listeners_vgmidi", "smoke")
        yield made, results.predictions(made)


def test_the_record_is_scored_again_from_what_lies_beside_it(record):
    made, _ = record
    assert kinds.of_record(made).scores(made) == made["metrics"]


def test_every_window_is_judged_by_networks_that_learned_from_it_and_by_one_that_did_not(record):
    _, arrays = record
    run = designed.SMOKE_STUDY.cells[0]
    _, windows = cross_validation.load_segments(run, noise_map.CPU)
    np.testing.assert_array_equal(arrays["window_track"], windows.track)
    np.testing.assert_array_equal(arrays["window_second"], windows.second)
    assert arrays["window_clean"].shape == (2, 1, len(windows))
    assert all(np.isfinite(arrays[f"window_{name}"]).all() for name in listeners.KEPT)
    # what was learned fits better than what was not
    assert arrays["window_loss"].mean() < arrays["window_test_loss"].mean()


def test_the_mixture_finds_departures_from_the_label_that_everybody_notices(record):
    made, arrays = record
    row = {"part": "listeners", "target": "disagreement", "noise": "none", "method": "self_learning"}
    auc = results.value(made, **row, decision="windows", name="doubt_in_training_auc")
    assert auc["low"] > 0.8
    bins = [
        results.value(made, **row, decision="windows", name=f"disagreement_bin_{k}")["value"] for k in (1, 5)
    ]
    assert bins[0] > 0.4 and bins[1] < 0.1
    truth = listeners.truth_of(results.tracks_of(made), arrays)
    tracks = results.tracks_of(made)
    known = dict(
        ((level, name), drawn[0])
        for level, name, drawn in listeners.associations(truth.windows, truth, tracks, arrays)
    )
    assert known["windows", "auc"] == 1 and known["within_pieces", "correlation"] == pytest.approx(1)
    nothing = listeners.associations(np.zeros(len(truth.windows)), truth, tracks, arrays)
    assert {(name, drawn[0]) for _, name, drawn in nothing} == {
        ("auc", 0.5), ("correlation", 0.0), ("against_label_correlation", 0.0)}  # fmt: skip


def test_costs_are_differences_of_the_cells(record):
    made, _ = record
    rows = pd.DataFrame(made["metrics"])
    f1 = rows[rows["name"] == "macro_f1"].set_index(["method", "noise"])["value"]
    for row in rows[rows["name"] == "macro_f1_cost"].itertuples():
        assert row.value == pytest.approx(f1[row.method, "symmetric"] - f1[row.method, "none"])


def test_verdicts_follow_the_corrected_p_and_the_predicted_side():
    assert [shown.verdict(0.2, 0.01), shown.verdict(-0.2, 0.01), shown.verdict(0.2, 0.3)] == [
        "supported", "contradicted", "inconclusive"]  # fmt: skip
    assert shown.verdict(0.2, np.nan) == ""


@pytest.mark.real_data
def test_the_real_rates_of_noise_are_those_of_the_collections():
    from mer_core import datasets

    tracks = datasets.load("emotify_quadrants")
    wrong = 1 - tracks.shares[np.arange(len(tracks)), tracks.targets].mean()
    assert wrong == pytest.approx(designed.WRONG_ANSWERS["emotify_quadrants"], abs=0.005)
