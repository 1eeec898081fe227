"""What each way to trust labels promises, beyond that it learns (test_training)."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import SMALL, learner_for

from mer_core import UserError, datasets, frames, mixture, training
from mer_core.audio import features
from mer_core.audio.features import LogMel
from mer_core.audio.hpcp import HPCP
from mer_core.evaluation import tag_metrics
from mer_core.methods import (
    co_divide,
    co_teaching,
    elr,
    fixmatch,
    inherit,
    noisy_student,
    self_learning,
    soft_labels,
    two_stage,
)
from mer_core.models import crnn
from mer_core.segments import concatenate, make_segments
from mer_core.semi_supervised import mask


@pytest.fixture(scope="module")
def data(corpus):
    store = frames.compute(corpus, LogMel(n_mels=32, pool_frames=4), progress=False)
    return make_segments(store, frames.windows(store, 2.0), torch.device("cpu"))


def predictions(data, method, settings, **changes):
    learner = learner_for(data, replace(SMALL, **changes))
    return method.train(learner, data, settings)(data), learner.log


def test_without_their_own_term_elr_and_co_teaching_are_plain_training(data):
    plain, _ = predictions(data, inherit, inherit.Settings())
    torch.testing.assert_close(predictions(data, elr, elr.Settings(weight=0.0))[0], plain)
    torch.testing.assert_close(
        predictions(data, soft_labels, soft_labels.Settings(warmup_epochs=1, label_weight=1.0))[0],
        plain,
        atol=0.02,
        rtol=0,
    )


def test_elr_stays_with_its_early_predictions(data):
    """Its term rewards agreement with one's own past, so that predictions grow sure sooner than by the labels
    alone.
    """
    held, _ = predictions(data, elr, elr.Settings(weight=8.0), epochs=8)
    plain, _ = predictions(data, inherit, inherit.Settings(), epochs=8)
    assert held.amax(dim=1).mean() > plain.amax(dim=1).mean() + 0.05


def test_each_co_teaching_network_learns_from_what_its_peer_finds_easiest(data, monkeypatch):
    learner = learner_for(data)
    learner.log.append({})
    pair = (learner, learner.peer(data))
    for one in pair:
        one.model.eval()  # no dropout: the losses can be computed again
    batch = torch.arange(16)
    losses = [
        torch.nn.functional.cross_entropy(
            one.logits(data.spectrograms(batch)), data.label[batch], reduction="none"
        )
        for one in pair
    ]
    taught = []
    for one in pair:
        monkeypatch.setattr(one, "step", taught.append)
    chosen = co_teaching.exchange(
        pair, data.spectrograms(batch), data.label[batch], co_teaching.Settings(), forget=0.25
    )
    easiest = [loss.argsort()[:12] for loss in losses]
    torch.testing.assert_close(taught[0], losses[0][easiest[1]].mean())
    torch.testing.assert_close(taught[1], losses[1][easiest[0]].mean())
    assert set(chosen.tolist()) == set(easiest[1].tolist())


def test_a_pair_differs_in_its_random_numbers_and_answers_together(data):
    settings = co_divide.Settings(warmup_epochs=1)
    learner = learner_for(data)
    together = co_divide.train(learner, data, settings)(data)
    alone = learner.predict(data)
    torch.testing.assert_close(together.sum(dim=1), torch.ones(len(data)))
    assert not torch.allclose(together, alone, atol=0.02)


def test_a_peer_judges_and_both_refine(data, monkeypatch):
    """Each network's split comes from the other's losses; erased labels become the mean of both."""
    seen, original = [], self_learning.separate
    monkeypatch.setattr(co_divide, "separate", lambda *a: seen.append(a[3:5]) or original(*a))
    predictions(data, co_divide, co_divide.Settings(warmup_epochs=2))
    (judge_1, mean_1), (judge_2, mean_2) = seen
    torch.testing.assert_close(mean_1, (judge_1 + judge_2) / 2)
    assert torch.equal(mean_1, mean_2) and not torch.equal(judge_1, judge_2)


def test_pseudo_labels_count_only_where_the_prediction_is_sure(data):
    _, strict = predictions(data, fixmatch, fixmatch.Settings(warmup_epochs=1, confidence=1.0))
    _, loose = predictions(data, fixmatch, fixmatch.Settings(warmup_epochs=1, confidence=0.0))
    assert [row["n_pseudo_labelled"] for row in strict[1:]] == [0, 0]
    assert loose[1]["n_pseudo_labelled"] == loose[1]["n_noisy"] > 0


def test_a_mask_hides_no_more_than_asked_and_leaves_the_rest_alone():
    levels = torch.randn(200, 1, 20, 30)
    masked = mask(levels, 0.3, torch.Generator().manual_seed(0))
    hidden = masked != levels
    bands, frames_hidden = hidden.all(dim=3).sum(dim=(1, 2)), hidden.all(dim=2).sum(dim=(1, 2))
    assert bands.max() <= 7 and frames_hidden.max() <= 10 and hidden.any()
    means = levels.mean(dim=(2, 3), keepdim=True).expand_as(levels)
    torch.testing.assert_close(masked[hidden], means[hidden])
    assert torch.equal(mask(levels, 0.0, torch.Generator()), levels)


def test_two_stages_answer_for_a_song_whatever_songs_stand_beside_it(data):
    answer, _ = predictions_of_two_stages(data)
    alone = data.of_tracks(np.array([3]))
    torch.testing.assert_close(
        answer(alone), answer(data)[torch.as_tensor(data.track == 3)], atol=1e-4, rtol=0
    )


def predictions_of_two_stages(data):
    learner = learner_for(data)
    return two_stage.train(learner, data, two_stage.Settings(sequence_epochs=5)), learner.log


def test_the_autoencoder_learns_to_redraw(data):
    _, log = predictions(data, two_stage, two_stage.Settings(sequence_epochs=1), epochs=10)
    assert log[-1]["loss"] < 0.85 * log[0]["loss"]


def test_no_label_survives_without_separation(data):
    _, log = predictions(data, self_learning, self_learning.Settings(warmup_epochs=1, separation="none"))
    assert all(row["n_clean"] == 0 for row in log[1:])


def test_a_class_is_judged_by_its_own_losses(rng):
    """Making one emotion harder to hear changes nothing for the others; one mixture for all would call it
    noisy.
    """
    labels = np.repeat([0, 1], 300)
    losses = np.abs(np.concatenate([rng.normal(0.2, 0.05, 250), rng.normal(0.9, 0.05, 50)] * 2))
    harder = losses + np.where(labels == 1, 2.0, 0.0)
    before, after = mixture.fit_per_class(losses, labels), mixture.fit_per_class(harder, labels)
    np.testing.assert_allclose(before.clean_probability, after.clean_probability, atol=1e-6)
    assert (
        mixture.fit(harder).clean_probability[labels == 1].mean()
        < 0.1
        < after.clean_probability[labels == 1].mean()
    )


def test_agreement_is_asked_for_little_by_little():
    settings = self_learning.Settings(warmup_epochs=2, ramp_epochs=4, consistency_weight=2.0)
    assert [settings.consistency_at(e) for e in (2, 3, 5, 9)] == [0.5, 1.0, 2.0, 2.0]
    assert self_learning.Settings(warmup_epochs=2).consistency_at(2) == 1.0


def test_only_sure_answers_become_pseudo_labels_tag_by_tag():
    answers = torch.tensor([[0.5, 0.05, 1e-8], [0.1, 0.2, 0.9]])
    targets, counts = noisy_student.pseudo_labels(answers, 0.1, 1e-6, noisy_student.Settings())
    assert counts.tolist() == [[True, False, True], [False, True, True]]  # strictly above, strictly below
    assert targets[counts].tolist() == [1.0, 0.0, 1.0, 1.0]
    logits = torch.zeros(2, 3)
    assert noisy_student.masked_loss(logits, targets, counts).item() == pytest.approx(np.log(2))
    logits[0, 1] = 50.0  # an entry that does not count
    assert noisy_student.masked_loss(logits, targets, counts).item() == pytest.approx(np.log(2))
    assert noisy_student.masked_loss(logits, targets, torch.zeros_like(counts)).item() == 0
    as_released = noisy_student.pseudo_labels(answers, 0.1, 1e-6, noisy_student.Settings(sure="none"))
    assert torch.equal(as_released[0], answers) and as_released[1].all()


@pytest.fixture(scope="module")
def moods():
    """Windows of tagged songs, and of others whose tags are not looked at."""
    found = []
    for name in (
        "synthetic_moods:n_songs=24,n_artists=12,song_s=6",
        "synthetic:n_songs=12,n_artists=6,song_s=6,seed=5",
    ):
        tracks = datasets.load(name)
        store = frames.compute(tracks, LogMel(n_mels=16, pool_frames=8), progress=False)
        found.append(make_segments(store, frames.windows(store, 3.0), torch.device("cpu")))
    tagged, other = found
    nothing = torch.zeros(len(other), tagged.n_classes)
    return tagged, replace(tagged, unlabelled=concatenate([replace(other, label=nothing)]))


def test_a_student_learns_from_music_without_labels_under_more_noise(moods):
    alone, both = moods
    setup = training.Training(epochs=6, batch_size=16, learning_rate=5e-3)
    learner = training.Learner(crnn.Settings(width=4, branch=16, head_dropout=0.0), setup, both, seed=0)
    settings = noisy_student.Settings(positive=0.5, negative=0.3, iterations=2)
    answer = noisy_student.train(learner, both, settings)
    assert [row["stage"] for row in learner.log] == [0] * 6 + [1] * 6 + [2] * 6
    assert 0 < learner.log[-1]["sure_positive_share"] < learner.log[-1]["sure_share"] <= 1
    precision, _ = tag_metrics.ranking(both.label.numpy() > 0, answer(both).numpy())
    assert precision.mean() > both.label.mean() + 0.1  # chance is the share of positives
    teacher = training.Learner(crnn.Settings(width=4, branch=16), setup, alone, seed=0)
    with pytest.raises(UserError, match="needs music without labels"):
        noisy_student.train(teacher, alone, settings)


def test_masks_hide_bands_and_time_of_mel_and_leave_chords_as_they_are(corpus):
    both = features.MelAndHPCP(
        LogMel(n_mels=16, pool_frames=2),
        HPCP(sample_rate=22050, window_samples=2048, hop_samples=512),
    )
    store = frames.compute(corpus, both, progress=False)
    data = make_segments(store, frames.windows(store, 6.0), torch.device("cpu"))
    learner = training.Learner(crnn.Settings(width=4, branch=16), training.Training(epochs=1), data, seed=0)
    index = torch.arange(len(data))
    shown = noisy_student.augmented(learner, data, index, (90, 90), noise=0.0)
    hidden = shown != data.spectrograms(index).float()
    mean = learner.model.mean.expand_as(shown)
    assert torch.equal(shown[hidden], mean[hidden])  # zero behind the standardisation
    mel, chords = (part.any(dim=1) for part in crnn.inputs_of_branches(hidden, both))
    band_gone, step_gone = mel.float().mean(dim=2) > 0.95, chords.float().mean(dim=1) > 0.5
    assert band_gone.any(dim=1).float().mean() > 0.5 and step_gone.any(dim=1).float().mean() > 0.5
    assert chords.float().mean(dim=2).max() < 1  # no pitch class is hidden all along
    longest = 90 * noisy_student.STEP_S * both.frames_per_second * both.hpcp_steps
    assert step_gone.sum(dim=1).max() <= longest + both.hpcp_steps


def test_students_share_a_teacher_that_is_kept_and_learn_the_same(moods, tmp_path):
    _, both = moods
    setup, settings = (
        training.Training(epochs=2, batch_size=16, learning_rate=5e-3),
        noisy_student.Settings(positive=0.5, negative=0.3),
    )
    network, kept = crnn.Settings(width=4, branch=16), tmp_path / "teacher.pt"
    answers, logs = [], []
    for _ in range(2):
        learner = training.Learner(network, setup, both, seed=0, first_stage=kept)
        answers.append(noisy_student.train(learner, both, settings)(both))
        logs.append(learner.log)
    assert kept.exists() and learner.first_stage_s > 0
    assert torch.equal(*answers) and logs[0] == logs[1]


def test_thresholds_may_come_from_the_answers_for_known_songs(moods):
    alone, _ = moods
    learner = training.Learner(crnn.Settings(width=4, branch=16), training.Training(epochs=1), alone, seed=0)
    positive, negative = noisy_student.thresholds(
        learner, alone, noisy_student.Settings(sure="percentile", percentile=0.1)
    )
    answers, truth = learner.predict(alone).numpy(), alone.label.numpy() > 0
    assert (answers[truth] > positive).mean() == pytest.approx(0.1, abs=0.02)
    assert (answers[~truth] < negative).mean() == pytest.approx(0.1, abs=0.02)


def test_every_tag_is_drawn_equally_often_and_only_from_windows_that_have_it(rng):
    has = torch.from_numpy(rng.random((200, 4)) < np.array([0.05, 0.2, 0.5, 0.0]))
    rows, tags = inherit.one_tag_each(has, torch.Generator().manual_seed(0))
    assert has[rows, tags].all() and tags.bincount().tolist() == [
        67,
        67,
        67,
    ]  # the tag that nobody has is not asked for


def test_augmented_targets_are_blends_of_the_windows_own(moods):
    alone, _ = moods
    learner = training.Learner(
        crnn.Settings(width=4, branch=16), training.Training(epochs=1, batch_size=16), alone, seed=0
    )
    index = torch.arange(len(alone))
    ((levels, targets), *_) = inherit.augmented_batches(
        learner, alone, index, inherit.Settings(mixup_alpha=1.0)
    )
    assert (
        levels.shape[0] == targets.shape[0] == 16
        and ((targets >= 0) & (targets <= 1)).all()
        and (targets % 1 > 0).any()
    )
    ((_, single), *_) = inherit.augmented_batches(learner, alone, index, inherit.Settings(single_tags=True))
    assert set(single.sum(dim=1).tolist()) == {1.0}
    smooth = inherit.soft_targets(alone, index, 0.2)
    torch.testing.assert_close(smooth, 0.8 * alone.label + 0.1)


def test_the_focal_loss_forgets_what_is_easy_and_weighs_positives(moods):
    """By hand: alpha (1 - p)^gamma times the cross-entropy of the right answer's probability p."""
    alone, _ = moods
    learner = training.Learner(crnn.Settings(width=4, branch=16), training.Training(epochs=1), alone, seed=0)
    logits, targets = torch.tensor([[0.0, 3.0]]), torch.tensor([[1.0, 1.0]])
    p = torch.sigmoid(logits)
    expected = (0.75 * (1 - p) ** 2 * -torch.log(p)).mean()
    found = inherit.window_losses(learner, logits, targets, inherit.Settings(focal=True))
    torch.testing.assert_close(found, expected[None])
    negative = inherit.window_losses(learner, -logits, 0 * targets, inherit.Settings(focal=True))
    torch.testing.assert_close(negative, expected[None] / 3)


def test_networks_of_two_kinds_teach_each_other_tags(moods):
    alone, _ = moods
    settings = co_teaching.Settings(
        forget_rate=0.05,
        ramp_epochs=0,
        mixup_alpha=1.0,
        longest_masked_share=0.2,
        peer=crnn.Settings(width=6, branch=16),
    )
    setup = training.Training(epochs=6, batch_size=16, learning_rate=5e-3)
    learner = training.Learner(crnn.Settings(width=4, branch=16, head_dropout=0.0), setup, alone, seed=0)
    answer = co_teaching.train(learner, alone, settings)
    torch.testing.assert_close(answer(alone), learner.predict(alone))  # the peer only teaches
    precision, _ = tag_metrics.ranking(alone.label.numpy() > 0, answer(alone).numpy())
    assert precision.mean() > alone.label.mean() + 0.1
