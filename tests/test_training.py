from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mer_companion.runs import cross_validation
from mer_core import UserError, frames, models
from mer_core.audio.features import LogMel
from mer_core.emotion import HIGH
from mer_core.methods import METHODS, inherit, self_learning
from mer_core.segments import make_segments
from mer_core.semi_supervised import symmetric_kl
from mer_core.training import Learner, Training, supervised_epoch

SMALL = Training(epochs=3, batch_size=16, learning_rate=2e-3, precision="float32")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def store(corpus):
    return frames.compute(corpus, LogMel(n_mels=32, pool_frames=4), progress=False)


@pytest.fixture(scope="module")
def data(store):
    return make_segments(store, frames.windows(store, 2.0), CPU)


def learner_for(data, settings=SMALL, seed=0):
    return Learner(models.Network("vgg_slim"), settings, data, seed)


def test_the_learning_rate_falls_to_a_tenth_after_epochs_without_a_better_score(data, monkeypatch):
    watching = replace(SMALL, epochs=8, plateau=2)
    with pytest.raises(UserError, match="watch validation songs"):
        learner_for(data, watching)
    learner = Learner(models.Network("vgg_slim"), watching, data, 0, validation=data)
    other = learner.peer(data)
    scores = iter([0.5, 0.6, 0.55, 0.6, 0.7, 0.1, 0.1, 0.1])
    monkeypatch.setattr(learner, "validated", lambda: next(scores))
    rates = [[each.optimizer.param_groups[0]["lr"] for each in (learner, other)] for _ in learner.epochs()]
    peak = watching.learning_rate
    assert [row[0] / peak for row in rates] == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01])
    assert all(own == peers for own, peers in rates)


def test_spectrograms_are_the_frames_of_the_store(data, store):
    picked = torch.tensor([0, 5, len(data) - 1])
    batch = data.spectrograms(picked)
    assert batch.shape == (3, 1, 32, data.n_frames)
    for row, j in zip(batch, picked, strict=True):
        first = int(data.first[j])
        np.testing.assert_array_equal(row[0].numpy(), store.values[first : first + data.n_frames].T)


def test_a_clip_that_is_too_short_begins_again(store):
    windows = frames.windows(store, 12.0, repeat_short=True)  # of songs of 8 s
    repeated = make_segments(store, windows, CPU)
    assert len(repeated) == len(store.tracks) and repeated.repeats
    own = np.array(store.values[store.offsets[1] : store.offsets[2]])
    levels = repeated.spectrograms(torch.tensor([1]))[0, 0].numpy().T
    np.testing.assert_array_equal(levels, np.concatenate([own, own])[: windows.n_frames])
    mean, _ = repeated.level_statistics()
    np.testing.assert_allclose(mean[:, 0], np.array(store.values, float).mean(axis=0), rtol=1e-4)


def test_windows_inherit_their_songs_label(data, corpus):
    np.testing.assert_array_equal(data.label.numpy(), corpus.targets[data.track])


def test_a_window_is_truly_clean_when_most_of_its_seconds_are(data, corpus):
    for j in range(len(data)):
        row = corpus.table.iloc[data.track[j]]
        seconds = corpus.second_labels[row["track_id"]][int(data.second[j]) : int(data.second[j]) + 2]
        assert data.truly_clean[j] == (sum(s == row["label"] for s in seconds) > 1)
    assert 0.5 < data.truly_clean.mean() < 1


def test_strided_epochs_together_see_every_window_once(data):
    seen = torch.cat([data.in_epoch(e, 3) for e in range(3)])
    assert torch.equal(seen.sort().values, torch.arange(len(data)))


def test_a_random_crop_is_one_window_of_each_song_and_another_in_the_next_epoch(data):
    first, second = data.in_epoch(0, 0), data.in_epoch(1, 0)
    assert sorted(data.track[first]) == sorted(set(data.track)) == sorted(data.track[second])
    assert not torch.equal(first, second) and torch.equal(first, data.in_epoch(0, 0))
    other = data.with_crops_of(1)
    assert not torch.equal(first, other.in_epoch(0, 0)) and torch.equal(
        data.in_epoch(0, 3), other.in_epoch(0, 3)
    )


def test_grouped_windows_have_the_classes_of_a_dimension(data, corpus):
    valence = data.grouped(HIGH["valence"])
    named = corpus.table["label"].to_numpy()[data.track]
    assert valence.n_classes == 2
    np.testing.assert_array_equal(valence.label.numpy() == 1, np.isin(named, ["Q1", "Q4"]))


def test_windows_asked_about_are_spread_from_beginning_to_end(data):
    few = data.evenly(3)
    for track in set(data.track):
        own, all_of_it = few.second[few.track == track], data.second[data.track == track]
        assert own.tolist() == [0, round((len(all_of_it) - 1) / 2), len(all_of_it) - 1]
    assert len(data.evenly(1000)) == len(data)


def test_a_part_keeps_only_its_tracks_and_shares_the_frames(data):
    part = data.of_tracks(np.array([1, 3]))
    assert set(part.track) == {1, 3} and part.values.data_ptr() == data.values.data_ptr()


def test_standardised_levels_have_mean_zero_and_deviation_one(data):
    mean, deviation = data.level_statistics()
    rows = torch.unique(data.first.view(-1, 1) + torch.arange(data.n_frames))
    levels = data.values[rows].float()
    torch.testing.assert_close(levels.mean(dim=0), mean[:, 0], atol=1e-2, rtol=0)
    torch.testing.assert_close(levels.std(dim=0, correction=0), deviation[:, 0], atol=1e-2, rtol=0)


def test_same_seed_same_network_other_seed_another(data):
    def predictions(seed):
        learner = learner_for(data, seed=seed)
        inherit.train(learner, data, inherit.Settings())
        return learner.predict(data)

    assert torch.equal(predictions(1), predictions(1))
    assert not torch.equal(predictions(1), predictions(2))


@pytest.mark.parametrize("method", METHODS)
def test_training_learns_to_tell_songs_apart(data, method):
    learner = learner_for(data, replace(SMALL, epochs=24))
    alone = {"iterations": 0} if method == "noisy_student" else {}  # there is no music without labels here
    answer = METHODS[method].train(learner, data, METHODS[method].Settings(**alone))
    found = answer(data).argmax(dim=1)
    assert (
        found == data.label
    ).float().mean() > 0.4  # chance: 0.25; a quarter of the windows are not what they are labelled
    assert learner.log[-1]["loss"] is not None and len(learner.log) == 24


def test_plain_mixup_remains_when_every_label_is_trusted(data):
    settings = self_learning.Settings(warmup_epochs=0, clean_threshold=0.0, consistency_weight=5.0)
    learner = learner_for(data)
    self_learning.train(learner, data, settings)
    assert all(row["n_noisy"] == 0 and "every label called clean" in row["note"] for row in learner.log)


def test_the_noisy_set_gets_sharpened_predictions_and_the_clean_set_its_labels(data):
    learner = learner_for(data)
    supervised_epoch(learner, data, data.in_epoch(0, 1))
    learner.log.append({})
    index = torch.arange(len(data))
    predictions = learner.predict(data)
    labels = self_learning.separate(
        learner, data, index, predictions, predictions, self_learning.Settings(temperature=0.5)
    )
    targets, noisy = labels.targets, labels.noisy
    assert torch.equal(targets[~noisy].argmax(dim=1), data.label[~noisy])
    assert set(targets[~noisy].unique().tolist()) == {0.0, 1.0}
    squares = predictions[noisy] ** 2
    torch.testing.assert_close(targets[noisy], squares / squares.sum(dim=1, keepdim=True))
    assert 0 < noisy.sum() < len(data)


def test_the_log_tells_what_the_mixture_did_and_how_well(data):
    learner = learner_for(data)
    self_learning.train(learner, data, self_learning.Settings(warmup_epochs=1))
    plain, *separated = learner.log
    assert "n_clean" not in plain and len(separated) == 2
    for row in separated:
        assert row["n_clean"] + row["n_noisy"] == len(data) == sum(row["histogram"])
        assert len(row["clean_share"]) == 4 and row["means"][0] <= row["means"][1]
        assert 0 <= row["auc"] <= 1 and row["truly_clean"] == pytest.approx(data.truly_clean.mean())


@pytest.mark.parametrize("consistency_input", [self_learning.MIXED, self_learning.PLAIN])
def test_consistency_draws_the_two_passes_together(data, consistency_input):
    def disagreement(weight):
        settings = self_learning.Settings(
            warmup_epochs=1, clean_threshold=1.0, least_clean_share=0.3, consistency_weight=weight,
            consistency_input=consistency_input,
        )  # fmt: skip
        learner = learner_for(data, replace(SMALL, epochs=6))
        self_learning.train(learner, data, settings)
        learner.model.train()
        torch.manual_seed(0)
        features = learner.trunk(data.spectrograms(torch.arange(64)))
        return symmetric_kl(learner.head(features), learner.head(features)).mean().item()

    assert disagreement(50.0) < 0.7 * disagreement(0.0)


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_convolutions_are_computed_in_the_precision_that_the_device_has(data, monkeypatch, native, dtype):
    monkeypatch.setattr("mer_core.device.has_native_bf16", lambda _: native)
    learner = learner_for(data, Training(epochs=1))
    assert learner.trunk(data.spectrograms(torch.arange(2))).dtype == dtype


@pytest.mark.parametrize("waits_for_the_loss", [True, False])
def test_a_loss_that_is_not_finite_changes_nothing_and_is_counted(data, monkeypatch, waits_for_the_loss):
    monkeypatch.setattr("mer_core.training.is_asynchronous", lambda _: not waits_for_the_loss)
    learner = learner_for(data, replace(SMALL, epochs=1))
    peer = learner.peer(data)

    def step(one, factor):
        one.step(factor * learner.loss(one.logits(data.spectrograms(torch.arange(4))), data.label[:4]))
        return [p.detach().clone() for p in one.model.parameters()]

    for _ in learner.epochs():
        good = step(learner, 1.0)
        assert all(map(torch.equal, good, step(learner, torch.nan)))
        step(peer, torch.inf)
        assert not all(map(torch.equal, good, step(learner, 1.0)))
    (row,) = learner.log
    assert row["steps_not_finite"] == 2 and np.isfinite(row["loss"])


def test_an_epoch_without_a_finite_loss_ends_the_training(data):
    learner = learner_for(data, replace(SMALL, epochs=1))
    with pytest.raises(UserError, match=r"all 3 losses of epoch 0 .* Lower training\.learning_rate"):
        for _ in learner.epochs():
            for _ in range(3):
                learner.step(torch.tensor(torch.nan, requires_grad=True))


def test_probabilities_that_are_not_finite_are_never_stored():
    with pytest.raises(UserError, match=r"probabilities are not finite \(1 of 2"):
        cross_validation.half(torch.tensor([0.5, torch.nan]))


def test_the_step_that_nobody_waits_for_is_the_same_step(data, monkeypatch):
    def trained(asynchronous):
        for module in ("training", "methods.self_learning"):
            monkeypatch.setattr(f"mer_core.{module}.is_asynchronous", lambda _: asynchronous)
        shared = self_learning.Settings(consistency_input=self_learning.MIXED)  # one pass
        settings = replace(shared, warmup_epochs=1, clean_threshold=0.0)  # no window is noisy
        slow = replace(SMALL, epochs=2, learning_rate=1e-4)
        learner = Learner(models.Network("vgg_slim", dropout=0.0), slow, data, 0)
        self_learning.train(learner, data, settings)
        return learner

    waiting, other = trained(False), trained(True)
    assert other.fused and not waiting.fused
    assert other.log[-1]["loss"] == pytest.approx(waiting.log[-1]["loss"], rel=1e-3)
    torch.testing.assert_close(other.predict(data), waiting.predict(data), atol=2e-3, rtol=0)


class Waits(TorchDispatchMode):
    """Names the operations whose result the program must wait for on a GPU."""

    FOR = ("local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "unique")

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        name = str(function).split(".")[1]
        self.found += (
            [name] if name.lstrip("_").startswith(tuple(one.lstrip("_") for one in self.FOR)) else []
        )
        return function(*arguments, **(named or {}))


@pytest.mark.parametrize("consistency_input", [self_learning.MIXED, self_learning.PLAIN])
def test_within_a_step_the_program_never_waits_for_a_gpu(data, monkeypatch, consistency_input):
    for module in ("training", "methods.self_learning"):
        monkeypatch.setattr(f"mer_core.{module}.is_asynchronous", lambda _: True)
    settings = self_learning.Settings(consistency_input=consistency_input)
    learner, index = learner_for(data, replace(SMALL, epochs=1)), torch.arange(8)
    noisy = index % 2 == 0
    targets = torch.nn.functional.one_hot(data.label[:8], data.n_classes).float()
    labels = self_learning.SoftLabels(index, targets, noisy, (~noisy).float())
    assert not data.repeats  # is asked once
    with Waits() as waits:
        for batch in index.split(4):
            learner.step(learner.loss(learner.logits(data.spectrograms(batch)), data.label[batch]))
            learner.step(self_learning.loss(learner, data, labels, batch, settings, 1.0))
        assert not waits.found
        torch.ones(1).item()
    assert waits.found == ["_local_scalar_dense"]


def test_settings_out_of_range_are_refused():
    for bad in (
        {"clean_threshold": 1.5},
        {"temperature": -0.1},
        {"mixup_alpha": -1.0},
        {"consistency_input": "both"},
    ):
        with pytest.raises(ValueError):
            self_learning.Settings(**bad)
    with pytest.raises(ValueError, match="auto, bf16, float32"):
        Training(precision="fp8")
