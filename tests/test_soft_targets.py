"""Shares of listeners as labels: hard labels as a special case, folds, measures, ceilings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from test_training import CPU, SMALL, learner_for

from mer_companion.runs import tag_baselines, tag_scoring
from mer_companion.runs.settings import SHARES, GroupMean, Run
from mer_core import frames, trained_model
from mer_core.audio import features
from mer_core.audio.features import LogMel, WindowFeatures
from mer_core.audio.hpcp import hpcp
from mer_core.datasets import splits, synthetic
from mer_core.datasets.splits import Folds
from mer_core.datasets.tracks import DataError
from mer_core.evaluation import reliability, share_metrics, tag_metrics
from mer_core.methods import co_teaching, elr, inherit, self_learning, soft_labels
from mer_core.segments import make_segments
from mer_core.semi_supervised import divergences
from mer_core.trained_model import ModelError
from mer_core.window_features import of_clip, shortest


@pytest.fixture(scope="module")
def store(corpus):
    return frames.compute(corpus, LogMel(n_mels=16, pool_frames=8), progress=False)


def segments_of(store, shares):
    """Windows of the same songs, with these shares of listeners for labels."""
    table = store.tracks.table.assign(shares=[*map(tuple, shares.tolist())])
    own = replace(store, tracks=replace(store.tracks, table=table))
    return make_segments(own, frames.windows(own, 2.0), CPU, shares=True)


@pytest.fixture(scope="module")
def hard(store):
    return make_segments(store, frames.windows(store, 2.0), CPU)


@pytest.fixture(scope="module")
def one_hot(store):
    """All listeners agree."""
    return segments_of(store, np.eye(4)[store.tracks.targets])


@pytest.fixture(scope="module")
def divided(store):
    """Of ten listeners seven choose the song's quadrant and three the next one."""
    own = store.tracks.targets
    return segments_of(store, 0.7 * np.eye(4)[own] + 0.3 * np.eye(4)[(own + 1) % 4])


def test_hard_labels_are_the_special_case_to_the_last_digit(hard, one_hot):
    index, logits = (
        torch.arange(len(hard)),
        torch.randn(len(hard), 4, generator=torch.Generator().manual_seed(0)),
    )
    assert one_hot.exclusive and not one_hot.tagged and one_hot.soft and not hard.soft
    assert torch.equal(one_hot.targets(index), hard.targets(index))
    assert torch.equal(one_hot.strata(index), hard.label)
    p = logits.softmax(dim=1)
    assert torch.equal(divergences(hard.targets(index), p), -p.gather(1, hard.label[:, None])[:, 0].log())
    found = []
    for data in (hard, one_hot):
        learner = learner_for(data, SMALL)
        next(learner.epochs())
        found.append(self_learning.separate(learner, data, index, p, p, self_learning.Settings()))
    for name, values in vars(found[0]).items():
        assert torch.equal(values, getattr(found[1], name)), name


@pytest.mark.parametrize("method", [inherit, co_teaching, self_learning, soft_labels])
def test_methods_learn_the_same_from_one_hot_shares(hard, one_hot, method):
    settings = method.Settings(**({"warmup_epochs": 1} if hasattr(method.Settings, "warmup_epochs") else {}))
    one, other = (
        method.train(learner_for(d, replace(SMALL, epochs=2)), d, settings)(d) for d in (hard, one_hot)
    )
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)


def test_a_network_learns_how_listeners_are_divided(divided):
    settings = replace(SMALL, epochs=25, learning_rate=5e-3)
    predicted = inherit.train(learner_for(divided, settings), divided, inherit.Settings())(divided)
    own = divided.label.argmax(dim=1)
    assert predicted.gather(1, own[:, None]).mean().item() == pytest.approx(0.7, abs=0.07)


def test_divided_listeners_are_not_a_wrong_label(store):
    """Half of the songs have divided listeners; a quarter of the predictions are far from the label."""
    own, n = store.tracks.targets, len(store.tracks)
    shares = np.where((np.arange(n) % 2 == 0)[:, None], np.eye(4)[own], np.eye(4)[own] / 2 + 1 / 8)
    data = segments_of(store, shares)
    index = torch.arange(len(data))
    known = data.targets(index) * 0.97 + 0.03 / 4
    wrong = torch.from_numpy(data.track % 8 >= 6)
    predicted = torch.where(wrong[:, None], known.roll(1, dims=1), known)
    learner = learner_for(data, SMALL)
    next(learner.epochs())
    settings = self_learning.Settings(least_clean_share=0.0)
    found = self_learning.separate(learner, data, index, predicted, predicted, settings)
    decided = torch.from_numpy(data.track % 2 == 0)
    assert torch.equal(found.noisy[decided], wrong[decided])
    assert not found.noisy[~decided & ~wrong].any()  # by cross-entropy they would be the noisy ones
    crossed = -(data.targets(index) * predicted.log()).sum(dim=1)
    assert crossed[~decided & ~wrong].min() > 10 * crossed[decided & ~wrong].max()


def test_sssl_learns_from_shares_of_tags():
    tracks = synthetic.read_moods(synthetic.Corpus(n_songs=16, n_artists=8, song_s=8), listeners=20)
    store = frames.compute(tracks, LogMel(n_mels=16, pool_frames=8), progress=False)
    data = make_segments(store, frames.windows(store, 2.0), CPU, shares=True)
    assert data.tagged and data.soft and torch.equal(data.label[0], torch.tensor(tracks.shares[0]).float())
    learner = learner_for(data, replace(SMALL, epochs=20, learning_rate=5e-3))
    predicted = self_learning.train(learner, data, self_learning.Settings(warmup_epochs=10, temperature=1.0))(
        data
    )
    assert (
        learner.log[-1]["n_clean"] + learner.log[-1]["n_noisy"] > 0
        and len(learner.log[-1]["clean_share"]) == 1
    )
    _, area = tag_metrics.ranking(tracks.targets[data.track], predicted.numpy())
    assert area.mean() > 0.8


def test_spearman_and_cross_entropy_agree_with_scipy_ties_and_resamples_included(rng):
    shares, weights = rng.integers(0, 6, size=(60, 3)) / 5, rng.multinomial(60, np.full(60, 1 / 60), size=4)
    predicted = (0.5 * shares + 0.5 * rng.random((60, 3))).round(1)
    rank, entropy = (
        f(shares, predicted, weights) for f in (share_metrics.spearman, share_metrics.cross_entropy)
    )
    for w, r, e in zip(weights, rank, entropy, strict=True):
        rows = np.repeat(np.arange(60), w)
        y, f = shares[rows], predicted[rows].clip(share_metrics.SMALLEST, 1 - share_metrics.SMALLEST)
        np.testing.assert_allclose(r, [stats.spearmanr(*pair)[0] for pair in zip(y.T, f.T, strict=True)])
        expected = stats.entropy([y, 1 - y]) + stats.entropy([y, 1 - y], [f, 1 - f])  # H(y) + KL(y || f)
        np.testing.assert_allclose(e, expected.mean(axis=0))
    np.testing.assert_allclose(share_metrics.spearman(shares, shares), 1)
    assert np.isnan(share_metrics.spearman(shares, np.full((60, 3), 0.5))).all()


def test_a_perfect_prediction_reaches_the_ceiling_and_passes_split_half_reliability(rng):
    n_songs, n = 3000, 10
    truth = rng.normal(size=n_songs)
    answers = truth[:, None] + 2 * rng.normal(size=(n_songs, n))
    half = reliability.split_half(
        pd.DataFrame({"felt": answers.ravel()}), pd.Series(np.repeat(np.arange(n_songs), n)), n_splits=3
    )["felt"]
    reached = np.corrcoef(truth, answers.mean(axis=1))[0, 1]
    assert reached == pytest.approx(reliability.ceiling(half), abs=0.02) and reached > half + 0.2


@pytest.fixture
def moods():
    corpus = synthetic.Corpus(n_songs=40, n_artists=20, song_s=4)
    tracks = synthetic.read_moods(corpus, listeners=10)
    return replace(tracks, name="moods_in_folds", table=tracks.table.assign(genre=["a", "b"] * 20))


def test_folds_of_tagged_songs_test_every_song_once_and_keep_artists_whole(moods):
    folds, tested = Folds(n=4, by="artist", inner=0, parts=False), []
    for k in range(4):
        parts = splits.songs_of(moods, folds, k)
        groups = [set(moods.groups[part]) for part in parts]
        assert sorted(np.concatenate(parts)) == list(range(40)) and sum(map(len, groups)) == 20
        np.testing.assert_array_equal(parts[2], splits.songs_of(moods, folds, (k + 1) % 4)[1])
        tested.append(parts[1])
    assert sorted(np.concatenate(tested)) == list(range(40))
    own = splits.songs_of(moods, replace(folds, parts=True), 0)
    assert [set(moods.table["part"].iloc[part]) for part in own] == [{"train"}, {"test"}, {"validation"}]


def test_the_genre_baseline_is_the_mean_of_training_songs_of_the_genre(moods):
    run = GroupMean(folds=Folds(n=4, by="artist", inner=0, parts=False))
    first = tag_baselines.group_means(run, moods)[0]
    training, tested, _ = splits.songs_of(moods, run.folds, 0)
    song = tested[3]
    same = [i for i in training if moods.table["genre"][i] == moods.table["genre"][song]]
    np.testing.assert_allclose(first["test"][3], moods.shares[same].mean(axis=0))
    assert first["test_track"][3] == song and set(first["test_fold"]) == {0}


def test_thresholds_are_each_folds_own():
    truth = np.array([[1], [0], [1], [0]], bool)
    scores = {
        "test": np.array([[0.9], [0.2], [0.2], [0.1]]),
        "validation": np.array([[0.2], [0.9], [0.1], [0.2]]),
    }
    tracks = {"test_track": np.arange(4), "validation_track": np.array([2, 0, 3, 1])}
    by_fold = {"test_fold": np.array([0, 0, 1, 1]), "validation_fold": np.array([1, 0, 0, 1])}
    # fold 0 validates on songs 0 (0.9) and 3 (0.1): strictly above 0.9; fold 1 on 2 and 1: above 0.2
    found = tag_scoring.thresholded(truth, scores | tracks | by_fold, "validation")
    assert found[:, 0].tolist() == [False, False, False, False]
    scores["validation"][1] = 0.5
    assert tag_scoring.thresholded(truth, scores | tracks | by_fold, "validation")[:, 0].tolist()[0]
    together = tag_scoring.thresholded(truth, scores | tracks, "validation")[
        :, 0
    ]  # the best of all four: 0.2
    assert together.tolist() == [True, False, False, False]


def test_settings_of_shares_change_no_older_name_and_refuse_what_needs_one_label():
    run = Run(method=inherit.Settings())
    assert replace(run, targets="labels").run_id == run.run_id != replace(run, targets=SHARES).run_id
    with pytest.raises(ValueError, match="elr takes one label"):
        Run(targets=SHARES, method=elr.Settings())
    with pytest.raises(ValueError, match="targets is labels or shares"):
        Run(targets="both")


def test_harmony_stands_beside_other_window_features(rng):
    plain, both = WindowFeatures((), statistics=True), WindowFeatures((), statistics=True, harmony=True)
    alone = WindowFeatures((), harmony=True)
    assert both.stores == [plain, alone] and both.n_values == plain.n_values + 24
    assert both.columns == list(range(both.n_values)) and WindowFeatures().stores == [WindowFeatures()]
    clip = torch.from_numpy(rng.normal(size=2 * shortest(both)).astype(np.float32) / 10)
    first = torch.tensor([0, 125])  # mel frames of 16 ms: the second window begins after 2 s
    values = of_clip(clip, first, both)
    torch.testing.assert_close(values[:, :192], of_clip(clip, first, plain))
    profile = hpcp(clip[None], features.WindowFeatures.hpcp)[0]  # frames of 64 ms
    own = [torch.cat([part.mean(dim=1), part.std(dim=1)]) for part in (profile[:, :46], profile[:, 31:77])]
    torch.testing.assert_close(values[:, 192:], torch.stack(own))


def test_only_tracks_with_listeners_have_shares(store):
    with pytest.raises(DataError, match="no shares of listeners"):
        make_segments(store, frames.windows(store, 2.0), CPU, shares=True)


def test_no_model_is_made_of_harmony():
    with pytest.raises(ModelError, match="harmony are for experiments.*Leave harmony out"):
        trained_model.assembled([], 1.0, True, features=WindowFeatures((), harmony=True))
