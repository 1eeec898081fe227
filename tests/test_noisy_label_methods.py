"""Losses and targets of methods for noisy labels, by hand (that each learns: test_training)."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from test_training import CPU, SMALL, learner_for
from torch import nn
from torch.nn import functional as F

from mer_core import UserError, frames, training
from mer_core.audio.features import LogMel
from mer_core.methods import (
    attention_mil,
    dividemix,
    forward_correction,
    generalised_cross_entropy,
    mean_teacher,
    mixmatch,
    self_learning,
    symmetric_cross_entropy,
)
from mer_core.segments import make_segments

METHODS_HERE = (
    *(generalised_cross_entropy, symmetric_cross_entropy, forward_correction, mean_teacher),
    *(mixmatch, dividemix, attention_mil),
)
PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]])
LABELS = torch.tensor([0, 1])
LOGITS = PROBABILITIES.log()
CROSS_ENTROPY = -np.log([0.7, 0.05]).mean()


@pytest.fixture(scope="module")
def data(corpus):
    store = frames.compute(corpus, LogMel(n_mels=32, pool_frames=4), progress=False)
    return make_segments(store, frames.windows(store, 2.0), CPU)


@pytest.mark.parametrize(
    ("q", "expected"),
    [(1e-6, CROSS_ENTROPY), (1.0, (0.3 + 0.95) / 2), (0.7, ((1 - 0.7**0.7) + (1 - 0.05**0.7)) / 1.4)],
)
def test_generalised_cross_entropy_lies_between_cross_entropy_and_absolute_error(q, expected):
    found = generalised_cross_entropy.loss(LOGITS, LABELS, generalised_cross_entropy.Settings(q=q))
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_symmetric_cross_entropy_adds_the_reverse():
    def loss(alpha, beta):
        settings = symmetric_cross_entropy.Settings(alpha=alpha, beta=beta)
        return symmetric_cross_entropy.loss(LOGITS, LABELS, settings).item()

    assert loss(0.5, 0.0) == pytest.approx(0.5 * CROSS_ENTROPY)
    log_label = torch.where(F.one_hot(LABELS, 3) == 1, 0.0, -4.0)
    reverse = -(PROBABILITIES * log_label).sum(dim=1).mean().item()
    assert loss(0.0, 1.0) == pytest.approx(reverse)
    assert loss(0.1, 2.0) == pytest.approx(0.1 * CROSS_ENTROPY + 2 * reverse)


def test_forward_correction_without_noise_is_cross_entropy():
    assert forward_correction.loss(LOGITS, LABELS, torch.eye(3)).item() == pytest.approx(CROSS_ENTROPY)
    transition = torch.tensor([[0.8, 0.2], [0.4, 0.6]])
    found = forward_correction.loss(torch.tensor([[0.9, 0.1]]).log(), torch.tensor([1]), transition)
    assert found.item() == pytest.approx(-np.log(0.9 * 0.2 + 0.1 * 0.6))


def test_the_transition_is_read_off_certain_windows_though_outliers_are_surer():
    """A network that has learned the noisy posteriors f T, and a few windows where it is wrongly certain."""
    transition = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.3, 0.6]])
    generator = torch.Generator().manual_seed(0)
    doubtful = torch.rand(240, 3, generator=generator).softmax(dim=1)
    certain, outliers = torch.eye(3).repeat(20, 1), torch.eye(3).repeat(2, 1)
    predicted = torch.cat([torch.cat([certain, doubtful]) @ transition, outliers])
    torch.testing.assert_close(forward_correction.estimated_transition(predicted, 0.97), transition)
    torch.testing.assert_close(forward_correction.estimated_transition(predicted, 1.0), torch.eye(3))


def test_a_teacher_follows_by_its_decay_and_at_first_is_the_plain_mean():
    teacher, student = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    teacher.weight.data.fill_(1.0), student.weight.data.fill_(3.0)
    mean_teacher.follow(teacher, student, decay=0.9)
    assert teacher.weight.item() == pytest.approx(1.2) and student.weight.item() == 3
    teacher.weight.data.fill_(1.0)
    for step, weight in enumerate((2.0, 6.0, 7.0), start=1):
        student.weight.data.fill_(weight)
        mean_teacher.follow(teacher, student, min(1 - 1 / (step + 1), 0.99))
    assert teacher.weight.item() == pytest.approx((1 + 2 + 6 + 7) / 4)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_the_teacher_predicts_and_only_the_student_learns(data, decay):
    learner = learner_for(data, replace(SMALL, epochs=1))
    answer = mean_teacher.train(learner, data, mean_teacher.Settings(decay=decay))
    assert training.modules_of(answer) == [learner.model]
    student = learner.optimizer.param_groups[0]["params"]
    same = [torch.allclose(a, b) for a, b in zip(learner.model.parameters(), student, strict=True)]
    assert all(same) if decay == 0 else not any(same)
    assert all(a is not b for a, b in zip(learner.model.parameters(), student, strict=True))


@pytest.fixture
def still(data):
    """A network without dropout, so that its passes can be repeated, and some of its windows."""
    learner = learner_for(data)
    learner.model.eval()
    return learner, data.spectrograms(torch.arange(12)).float(), data.label[:12]


def test_mixmatch_of_clean_labels_without_mixup_is_cross_entropy(still):
    learner, levels, labels = still
    settings, targets = mixmatch.Settings(mixup_alpha=0.0), F.one_hot(labels, 4).float()
    nobody = torch.zeros(12, dtype=torch.bool)
    found, logits = mixmatch.loss(learner, levels, targets, nobody, settings, 75.0)
    torch.testing.assert_close(logits, learner.logits(levels))
    torch.testing.assert_close(found, F.cross_entropy(logits, labels))
    squared = (logits.softmax(dim=1) - targets).square()
    everybody, _ = mixmatch.loss(learner, levels, targets, ~nobody, settings, 75.0)
    torch.testing.assert_close(everybody, 75 * squared.mean())
    some = nobody.clone()
    some[:3] = True
    both, _ = mixmatch.loss(learner, levels, targets, some, settings, 2.0)
    torch.testing.assert_close(both, F.cross_entropy(logits[3:], labels[3:]) + 2 * squared[:3].mean())


def test_the_weight_of_guesses_rises_after_the_warm_up():
    settings = mixmatch.Settings(warmup_epochs=2, ramp_epochs=4, unlabelled_weight=8.0)
    assert [settings.unlabelled_weight_at(epoch) for epoch in (2, 3, 5, 9)] == [2.0, 4.0, 8.0, 8.0]


def test_dividemix_refines_labels_by_one_network_and_guesses_by_both(data, still):
    learner, levels, labels = still
    peer = learner.peer(data)
    batch, noisy = torch.arange(12), torch.arange(12) >= 8
    known, own, other = (
        F.one_hot(labels, 4).float(),
        learner.predict(data, batch),
        peer.predict(data, batch),
    )
    trust = torch.linspace(0, 1, 12)
    soft = self_learning.SoftLabels(batch, known, noisy, trust)
    settings = dividemix.Settings(temperature=1.0)
    found = dividemix.refined(learner, peer, data, levels, soft, batch, settings)
    weight = trust[:8, None]
    torch.testing.assert_close(found[:8], weight * known[:8] + (1 - weight) * own[:8])
    torch.testing.assert_close(found[8:], (own[8:] + other[8:]) / 2)


def test_the_prior_asks_for_all_classes():
    same = dividemix.divergence_from_uniform(10 * torch.eye(4))
    assert same.item() == pytest.approx(0, abs=1e-6)
    one = dividemix.divergence_from_uniform(torch.tensor([[0.9, 0.1], [0.7, 0.3]]).log())
    assert one.item() == pytest.approx(0.5 * np.log(0.5 / 0.8) + 0.5 * np.log(0.5 / 0.2))


def test_attention_is_a_mean_over_windows_in_any_order():
    torch.manual_seed(0)
    attention = attention_mil.GatedAttention(6, width=8)
    song, same = torch.randn(9, 6), torch.ones(5, 6)
    together = attention_mil.pooled([song, same, song[:1]], attention)
    torch.testing.assert_close(together[1:], torch.stack([same[0], song[0]]))  # weights sum to 1
    torch.testing.assert_close(attention_mil.pooled([song.flip(0)], attention), together[:1])
    scores = torch.tanh(song @ attention.content[0].weight.T + attention.content[0].bias)
    scores = scores * torch.sigmoid(song @ attention.gate[0].weight.T + attention.gate[0].bias)
    weights = (scores @ attention.score.weight[0]).softmax(dim=0)
    torch.testing.assert_close(together[0], weights @ song)


def test_windows_of_a_song_share_its_answer_whatever_songs_stand_beside_it(data):
    learner = learner_for(data)
    answer = attention_mil.train(learner, data, attention_mil.Settings(width=16))
    alone, everything = answer(data.of_tracks(np.array([3]))), answer(data)
    assert len(everything) == len(data) and torch.equal(alone, alone[:1].expand_as(alone))
    own = torch.as_tensor(data.track == 3)
    torch.testing.assert_close(everything[own], alone, atol=1e-4, rtol=0)
    with pytest.raises(UserError, match="whole songs"):
        training.modules_of(answer)


def test_bags_are_songs_and_their_label_is_the_mean_of_their_windows(data):
    learner = learner_for(data)
    seen = []
    for songs in attention_mil.batches_of_songs(learner, data, data.in_epoch(0, 2)):
        seen += songs
        assert all(len(set(data.track[song])) == 1 for song in songs)
    assert torch.equal(torch.cat(seen).sort().values, data.in_epoch(0, 2))
    mislabelled = replace(data, label=data.label.clone())
    song = torch.arange(4)  # of the first track
    mislabelled.label[0] = (data.label[0] + 1) % 4
    target = attention_mil.labels_of(mislabelled, [song])[0]
    assert target[data.label[0]] == 0.75 and target[mislabelled.label[0]] == 0.25


class Linear(nn.Module):
    """The least that a network is: a trunk without weights, and a head without dropout or batch norm."""

    def __init__(self, n_classes, n_values):
        super().__init__()
        self.trunk, self.head = nn.Flatten(), nn.Linear(n_values, n_classes)


@dataclass(frozen=True)
class LinearSettings:
    n_values: int

    def build(self, n_classes, features):
        return Linear(n_classes, self.n_values)


@pytest.mark.parametrize("method", METHODS_HERE)
def test_any_network_with_a_trunk_and_a_head_will_do(data, method):
    network = LinearSettings(data.spectrograms(torch.arange(1)).numel())
    learner = training.Learner(network, replace(SMALL, epochs=12), data, seed=0)
    found = method.train(learner, data, method.Settings())(data)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(len(data)))
    assert (found.argmax(dim=1) == data.label).float().mean() > 0.5


@pytest.mark.parametrize(
    ("method", "bad"),
    [
        (generalised_cross_entropy, {"q": 0.0}),
        (symmetric_cross_entropy, {"alpha": 0.0, "beta": 0.0}),
        (forward_correction, {"warmup_epochs": 0}),
        (forward_correction, {"quantile": 1.5}),
        (mean_teacher, {"decay": 1.0}),
        (mixmatch, {"passes": 0}),
        (mixmatch, {"clean_threshold": 2.0}),
        (dividemix, {"prior_weight": -1.0}),
        (attention_mil, {"width": 0}),
    ],
)
def test_settings_out_of_range_are_refused(method, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        method.Settings(**bad)
