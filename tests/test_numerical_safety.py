"""Properties of the equations over drawn inputs, against implementations of others or plain sums."""

import math
import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics as sk

from mer_core import UserError, finite, frames, mixture, semi_supervised
from mer_core.datasets import splits
from mer_core.evaluation import metrics, significance, song_decision

few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
extreme = st.floats(-1e6, 1e6, allow_subnormal=True)
some_loss = st.floats(0, 1e4) | st.sampled_from([math.nan, math.inf, 0.0, 1.0])
losses = st.lists(some_loss, min_size=0, max_size=60)
artists = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=20, max_size=80)


@st.composite
def answers(draw):
    """Truth and prediction of some classes."""
    k, n = draw(st.integers(2, 6)), draw(st.integers(1, 80))
    classes = st.lists(st.integers(0, k - 1), min_size=n, max_size=n)
    return k, np.array(draw(classes)), np.array(draw(classes))


@st.composite
def logits(draw, n_classes=4):
    n = draw(st.integers(1, 6))
    values = draw(st.lists(extreme, min_size=n * n_classes, max_size=n * n_classes))
    return torch.tensor(values, dtype=torch.float32).reshape(n, n_classes)


@st.composite
def songs(draw):
    """Probabilities of windows, and whose they are."""
    n = draw(st.integers(1, 40))
    track = np.array(draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return rng.dirichlet(np.full(4, draw(st.sampled_from([0.01, 1.0, 100.0]))), n), track


@few
@given(answers())
def test_metrics_are_those_of_scikit_learn(drawn):
    k, truth, predicted = drawn
    found = metrics.scores(truth, predicted, k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on classes that do not occur
        labels = list(range(k))
        assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
        f1 = sk.f1_score(truth, predicted, labels=labels, average="macro", zero_division=0)
        assert found["macro_f1"] == pytest.approx(f1)
        assert found["matthews"] == pytest.approx(sk.matthews_corrcoef(truth, predicted), abs=1e-9)
        recalls = [(predicted[truth == c] == c).mean() for c in set(truth.tolist())]
        assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))


@few
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60))
def test_rankings_are_those_of_pairs_and_of_scikit_learn(rows):
    positive, score = np.array([p for p, _ in rows]), np.array([s for _, s in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
    area = metrics.roc_auc(positive, score)
    assert area is None if not pairs else area == pytest.approx(np.mean(pairs))
    precision = metrics.average_precision(positive, score)
    if positive.any():
        assert precision == pytest.approx(sk.average_precision_score(positive, score))
    assert 0 <= metrics.calibration_error(positive, score) <= 1


@few
@given(songs())
def test_decisions_on_songs_are_plain_counts(drawn):
    p, track = drawn
    mean, votes = song_decision.mean_probability(p, track), song_decision.majority_vote(p, track)
    runs = song_decision.maximum_run_length(p, track)
    for i, song in enumerate(sorted(set(track.tolist()))):
        own = [row for row, of in zip(p.tolist(), track.tolist(), strict=True) if of == song]
        expected = [math.fsum(column) / len(own) for column in zip(*own, strict=True)]
        np.testing.assert_allclose(mean[i], expected, atol=1e-12)
        said = [row.index(max(row)) for row in own]
        counts = Counter(said)
        assert counts[votes[i]] == max(counts.values())
        assert expected[votes[i]] == max(expected[c] for c in counts if counts[c] == counts[votes[i]])
        longest, current = Counter(), 0
        for j, label in enumerate(said):
            current = current + 1 if j and said[j - 1] == label else 1
            longest[label] = max(longest[label], current)
        assert longest[runs[i]] == max(longest.values())
    described = song_decision.statistics(p, track, 0.5)
    assert described.shape == (len(mean), 28) and (described >= 0).all() and (described <= 1).all()


@few
@given(losses)
def test_any_losses_give_probabilities_and_equal_ones_equal_ones(values):
    values = np.array(values, dtype=float)
    fitted = mixture.fit(values)
    p = fitted.clean_probability
    assert p.shape == values.shape and ((p >= 0) & (p <= 1)).all() and (p[~np.isfinite(values)] == 0).all()
    kept = np.isfinite(values)
    order = np.argsort(values[kept], kind="stable")
    assert (np.diff(p[kept][order]) <= 1e-9).all()
    if fitted.means is not None:
        assert fitted.means[0] <= fitted.means[1]
        assert sum(fitted.weights) == pytest.approx(1) and min(fitted.deviations) > 0


def test_the_posterior_is_bayes_rule(rng):
    values = np.concatenate([rng.normal(0.3, 0.1, 400), rng.normal(2.0, 0.4, 200)])
    fitted = mixture.fit(values)
    inside = fitted.scaled_loss.clip(*fitted.means)
    parts = zip(fitted.weights, fitted.means, fitted.deviations, strict=True)
    clean, noisy = (weight * norm.pdf(inside, mean, sd) for weight, mean, sd in parts)
    np.testing.assert_allclose(fitted.clean_probability, clean / (clean + noisy), atol=1e-6)


@few
@given(losses, st.floats(0, 1), st.floats(0.01, 1), st.integers(1, 4))
def test_every_class_keeps_some_label(values, threshold, least, n_classes):
    values = np.array(values, dtype=float)
    labels = np.arange(len(values)) % n_classes
    for fitted in (mixture.fit(values), mixture.fit_per_class(values, labels)):
        clean, _ = mixture.partition(fitted, labels, threshold, least)
        for label in set(labels.tolist()):
            assert clean[labels == label].sum() >= math.ceil(least * (labels == label).sum())
        assert clean[fitted.clean_probability >= threshold].all()


@few
@given(logits(), st.sampled_from([0, 0.01, 0.5, 1, 100]), st.booleans())
def test_sharpening_is_a_power_made_to_add_up(raw, temperature, tagged):
    p = raw.sigmoid() if tagged else raw.softmax(1)
    sharp = semi_supervised.sharpen(p, temperature, tagged)
    assert sharp.isfinite().all() and (sharp >= 0).all() and (sharp <= 1 + 1e-6).all()
    if tagged:
        return
    torch.testing.assert_close(sharp.sum(1), torch.ones(len(p)), atol=1e-5, rtol=0)
    if temperature and temperature >= 0.5:  # plain powers do not underflow
        powers = [[max(x, 1e-12) ** (1 / temperature) for x in row] for row in p.double().tolist()]
        expected = [[x / math.fsum(row) for x in row] for row in powers]
        torch.testing.assert_close(sharp.double(), torch.tensor(expected).double(), atol=1e-4, rtol=0)


@few
@given(logits(), logits(), st.booleans())
def test_losses_of_extreme_logits_are_finite_and_not_negative(first, second, tagged):
    n = min(len(first), len(second))
    first, second = first[:n], second[:n]
    y = second.sigmoid() if tagged else second.softmax(1)
    f = first.sigmoid() if tagged else first.softmax(1)
    for loss in (
        semi_supervised.soft_cross_entropy(first, y, tagged),
        semi_supervised.divergences(y, f, tagged),
        semi_supervised.symmetric_kl(first, second, tagged),
    ):
        assert loss.isfinite().all() and (loss >= -1e-4).all()
    assert semi_supervised.symmetric_kl(first, first, tagged).abs().max() == 0
    if not tagged:
        ours = semi_supervised.soft_cross_entropy(first, y)
        torch.testing.assert_close(ours, torch.nn.functional.cross_entropy(first, y))


@few
@given(st.integers(1, 50), st.sampled_from([0.0, 1e-6, 0.2, 1.0, 75.0]), st.integers(0, 1000))
def test_mixtures_lie_between_their_partners(n, alpha, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = semi_supervised.mixup_weights(n, alpha, generator)
    assert weights.isfinite().all() and (weights >= 0.5).all() and (weights <= 1).all()
    a, b = torch.rand(2, n, 3, generator=generator)
    expected = [[w * x + (1 - w) * y for x, y in zip(*rows, strict=True)]
                for w, *rows in zip(weights.tolist(), a.tolist(), b.tolist(), strict=True)]  # fmt: skip
    torch.testing.assert_close(semi_supervised.mixup(a, b, weights), torch.tensor(expected))


@few
@given(st.floats(0.1, 400), st.floats(0.5, 60), st.floats(1, 100))
def test_windows_begin_every_second_and_end_within_the_clip(duration, window, rate):
    starts = frames.window_starts(duration, window, rate)
    n = 1
    while n * frames.HOP_S + window <= duration + 1e-9:
        n += 1
    assert starts.tolist() == [round(i * frames.HOP_S * rate) for i in range(n)]
    assert duration < window or starts[-1] / rate + window <= duration + 1 / rate


@few
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12)), min_size=20, max_size=80), st.integers(0, 99)
)
def test_folds_keep_artists_whole_and_every_song_in_one(rows, seed):
    labels, groups = np.array([f"Q{k}" for k, _ in rows]), np.array([f"artist {g}" for _, g in rows])
    try:
        fold = splits.assign(labels, groups, 3, "artist", seed)
    except UserError as error:
        assert min(len(set(groups[labels == k])) for k in set(labels.tolist())) < 3 and "3 folds" in str(
            error
        )
        return
    assert set(fold.tolist()) <= {0, 1, 2}
    assert all(len(set(fold[groups == group].tolist())) == 1 for group in set(groups.tolist()))


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_the_step_down_of_its_definition(p):
    found = significance.holm(np.array(p))
    order, worst, expected = sorted(range(len(p)), key=p.__getitem__), 0.0, [0.0] * len(p)
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p) - rank) * p[i]))
        expected[i] = worst
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_with_its_number(bad):
    with pytest.raises(UserError, match=r"levels are not finite \(1 of 3 NaN or infinite\)\. Remedy"):
        finite.finite(np.array([0.0, bad, 1.0]), "levels", "Remedy.")
