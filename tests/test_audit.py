import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from mer_companion.analysis import audit, tables
from mer_core import datasets
from mer_core.datasets import pmemo
from mer_core.evaluation import metrics

SUPPORT = (41, 126)  # low, high
PUBLISHED = tables.published()
PAIRS = audit.printed_pairs(PUBLISHED)


def labels(support, right_low, right_high):
    """Truth and prediction with these counts of right answers."""
    truth = np.repeat([0, 1], support)
    wrong = np.concatenate([np.arange(support[0]) >= right_low, np.arange(support[1]) >= right_high])
    return truth, np.where(wrong, 1 - truth, truth)


def test_constant_answer_by_hand():
    high = audit.constant_answer(np.array([30, 70]), 1)
    assert high["accuracy"] == pytest.approx(70)
    assert high["positive"] == pytest.approx(100 * 2 * 0.7 / 1.7)  # 2 p / (1 + p)
    assert high["macro"] == pytest.approx(high["positive"] / 2)
    assert high["weighted"] == pytest.approx(0.7 * high["positive"])


def test_quadrants_fall_into_high_and_low():
    counts = audit.class_counts(
        {f"tracks labelled Q{k}": n for k, n in enumerate((505, 73, 132, 57), start=1)}
    )
    assert counts["valence"].tolist() == [205, 562] and counts["arousal"].tolist() == [189, 578]


@pytest.mark.parametrize("quadrants", [(505, 73, 132, 57), (491, 76, 138, 62)], ids=["high", "low"])
def test_printed_valence_f1_of_pmemo_lie_below_always_high_wherever_ties_go(quadrants):
    counts = audit.class_counts({f"tracks labelled Q{k}": n for k, n in enumerate(quadrants, start=1)})
    below = audit.below_trivial(audit.beside_trivial(PAIRS, {"PMEmo": counts}))
    assert below.loc[("PMEmo", "valence"), ["printed", "positive", "macro"]].tolist() == [9, 9, 0]


@pytest.mark.parametrize("right", [(0, 0), (0, 126), (30, 100), (41, 126)])
def test_confusions_score_as_in_scikit_learn(right):
    truth, predicted = labels(SUPPORT, *right)
    table = audit.every_confusion(SUPPORT)
    assert len(table) == 42 * 127
    accuracy = 100 * metrics.accuracy(metrics.confusion(truth, predicted, 2))
    scores = {"positive": "binary", "macro": "macro", "weighted": "weighted"}
    for definition, average in scores.items():
        f1 = 100 * f1_score(truth, predicted, average=average, zero_division=0)
        assert audit.distance(table, accuracy, f1, definition) < 1e-9


def test_distance_is_small_for_a_real_pair_only():
    table = audit.every_confusion(SUPPORT)
    truth, predicted = labels(SUPPORT, 25, 110)
    accuracy, f1 = 100 * np.mean(truth == predicted), 100 * f1_score(truth, predicted)
    assert audit.distance(table, round(accuracy, 2), round(f1, 2), "positive") <= audit.ROUNDING
    assert audit.distance(table, accuracy, f1 - 10, "positive") > 2


def test_fold_spread_is_a_lower_bound_for_real_folds(rng):
    support = (40, 120)  # ten folds of 4 and 12
    right = np.stack([rng.integers(1, 5, 10), rng.integers(7, 13, 10)], axis=1)
    folds = [labels((4, 12), *own) for own in right]
    accuracies = [100 * np.mean(truth == predicted) for truth, predicted in folds]
    f1 = [100 * f1_score(truth, predicted, average="macro") for truth, predicted in folds]
    furthest = np.abs(np.array(accuracies) - np.mean(accuracies)).max()
    assert audit.fold_spread(support, np.mean(accuracies), np.mean(f1), "macro") <= np.ceil(furthest)


def test_macro_f1_of_balanced_folds_never_exceeds_accuracy():
    assert audit.fold_spread((450, 450), 75.0, 76.0, "macro") == np.inf
    assert audit.fold_spread((450, 450), 75.0, 76.0, "positive") < 3


def test_accuracies_of_folds_count_whole_songs():
    possible = audit.is_possible(np.array([33.33, 66.67, 66.60]), audit.mean_accuracies([3]))
    assert possible.tolist() == [True, True, False]
    assert audit.mean_accuracies([2, 4]).tolist() == [0, 12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100]
    assert audit.fold_sizes(767) == [77] * 7 + [76] * 3
    assert audit.fold_sizes(225, 225, 225, 225) == [92] * 5 + [88] * 5


def test_segments_by_hand():
    assert audit.segment_counts([30, 30.9, 31, 2], 3).tolist() == [28, 28, 29, 0]


def test_table_1_with_and_without_clip_lengths():
    table = audit.segment_table(PUBLISHED, {"EiM": np.full(1000, 45.0), "PMEmo": None})
    assert table.loc[("EiM", 3), "whole clips"] == 43_000 and table.loc[("EiM", 3), "first 30 s"] == 28_000
    assert table.loc["PMEmo", "whole clips"].isna().all()


def test_minus_of_eq_4_reverses_the_order_of_classes():
    p = np.array([0.2, 0.4, 0.1, 0.3])
    usual, minus = (audit.sharpen_as_printed(p, 0.5, reading) for reading in ("1/T", "−1/T"))
    np.testing.assert_allclose(usual, p**2 / (p**2).sum())
    assert np.argsort(minus).tolist() == np.argsort(usual)[::-1].tolist()
    for reading in audit.READINGS:
        assert audit.sharpen_as_printed(p, 0.5, reading).sum() == pytest.approx(1)


def test_selection_gains_only_among_systems_that_differ():
    assert audit.best_of(1, 100, 0.8, 0.0, draws=20)["gain"] == 0
    alike, apart = (audit.best_of(5, 767, 0.8, rho, draws=100) for rho in (1.0, 0.0))
    assert alike["gain"] == 0 and alike["agreement"] == 100
    assert apart["gain"] == pytest.approx(
        1.163 * 100 * np.sqrt(0.8 * 0.2 / 767), rel=0.15
    )  # largest of five normal deviates
    assert apart["agreement"] == pytest.approx(100 * (0.8**2 + 0.2**2), abs=1)


def test_table_3_repeats_table_2_but_for_the_valence_of_4q():
    rows = audit.across_tables(PAIRS).xs("Proposed", level="system")
    assert rows["digits that differ"].to_dict() == {
        ("4Q", "arousal"): 0,
        ("4Q", "valence"): 2,
        ("PMEmo", "arousal"): 0,
        ("PMEmo", "valence"): 0,
    }
    assert audit.differing_digits(9.5, 10.5) == 2


def test_quoted_systems_state_their_input():
    quoted = set(PAIRS["system"][~PAIRS["system"].str.startswith("Proposed")])
    assert quoted == set(audit.QUOTED.index)


def test_pairs_printed_for_pmemo_fit_one_reading():
    pairs = PAIRS.query("dataset == 'PMEmo' and system != 'SVM [23]'")
    table = audit.possible_together(audit.reachable_shares(pairs, 767, np.array([0.5, 0.52, 0.74])), pairs)
    assert isinstance(table, pd.DataFrame)
    for target in ("valence", "arousal"):
        own = table.loc[(target, "positive")]
        assert own["possible"] == own["printed"] and "0.52" in own["at"]


@pytest.mark.real_data
def test_counted_lengths_give_the_real_segments():
    real = {"4Q": datasets.load("4q").table["duration_s"], "PMEmo": pmemo.annotations()["duration_s"]}
    for dataset, durations in real.items():
        counted = audit.clip_lengths(dataset)
        for cut in (counted, np.minimum(counted, 30), np.minimum(np.ceil(counted), 30)):
            assert len(cut) == len(durations)
        for w in range(1, 6):
            assert audit.segment_counts(counted, w).sum() == audit.segment_counts(durations, w).sum()
            begun = audit.segment_counts(np.ceil(counted), w).sum()
            assert begun == audit.segment_counts(np.ceil(durations), w).sum()
