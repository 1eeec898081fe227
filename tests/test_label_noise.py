import numpy as np
import pandas as pd
import pytest

from mer_core.datasets import vgmidi
from mer_core.datasets.label_noise import LISTENERS_CHOOSE, LabelNoise, corrupted
from mer_core.emotion import quadrants

LABELS = np.repeat([0, 1, 2, 3], 100)
TRACK = np.arange(400) // 10


@pytest.mark.parametrize("kind", ["symmetric", "arousal_preserving", "pair", "listeners"])
@pytest.mark.parametrize("unit", ["window", "song"])
def test_exactly_the_asked_share_is_wrong(kind, unit):
    found = corrupted(LABELS, TRACK, 4, LabelNoise(kind, 0.3, unit), seed=1)
    assert np.mean(found != LABELS) == pytest.approx(0.3)
    if unit == "song":  # a song is wrong as a whole, with one wrong label
        assert all(len(set(found[t == TRACK])) == 1 for t in range(40))


def test_arousal_preserving_noise_keeps_arousal_and_turns_valence():
    high_arousal, high_valence = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1])
    found = corrupted(LABELS, TRACK, 4, LabelNoise("arousal_preserving", 0.5), seed=0)
    changed = found != LABELS
    assert (high_arousal[found] == high_arousal[LABELS]).all()
    assert (high_valence[found] != high_valence[LABELS])[changed].all()


def test_symmetric_noise_reaches_every_other_class_alike():
    found = corrupted(np.zeros(3000, int), np.arange(3000), 4, LabelNoise("symmetric", 1.0), seed=0)
    np.testing.assert_allclose(np.bincount(found, minlength=4) / 3000, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.03)


def test_pair_noise_turns_every_class_into_the_next():
    found = corrupted(LABELS, TRACK, 4, LabelNoise("pair", 1.0), seed=0)
    np.testing.assert_array_equal(found, (LABELS + 1) % 4)


@pytest.mark.parametrize("unit", ["window", "song"])
def test_listeners_noise_has_the_shares_of_its_table(unit):
    labels = np.repeat([0, 1, 2, 3], 5000)
    found = corrupted(labels, np.arange(20_000), 4, LabelNoise("listeners", 1.0, unit), seed=0)
    shares = np.array([np.bincount(found[labels == k], minlength=4) for k in range(4)]) / 5000
    np.testing.assert_allclose(shares, LISTENERS_CHOOSE, atol=0.02)


@pytest.mark.real_data
def test_the_listeners_of_the_table_are_those_of_vgmidi():
    rated = vgmidi.ratings().groupby(["track_id", "listener"])[["valence", "arousal"]].mean()
    said = quadrants(rated["valence"], rated["arousal"], midpoint=0.0)
    label = vgmidi.annotations().set_index("track_id")["label"]
    labelled = rated.index.get_level_values("track_id").map(label)
    counts = pd.crosstab(np.asarray(labelled), said).to_numpy()
    wrong = counts * (1 - np.eye(4))
    assert counts.sum() == 5978 and wrong.sum() == 2697
    np.testing.assert_allclose(wrong / wrong.sum(axis=1, keepdims=True), LISTENERS_CHOOSE, atol=0.01)


def test_same_seed_same_noise():
    noise = LabelNoise("symmetric", 0.2)
    one, same, other = (corrupted(LABELS, TRACK, 4, noise, seed) for seed in (0, 0, 1))
    assert (one == same).all() and (one != other).any()


def test_noise_that_means_nothing_is_refused():
    for bad in ({"kind": "pink"}, {"kind": "symmetric"}, {"rate": 0.1}, {"kind": "symmetric", "rate": 1.5}):
        with pytest.raises(ValueError):
            LabelNoise(**bad)
    for kind in ("arousal_preserving", "listeners"):
        with pytest.raises(ValueError, match="four quadrants"):
            corrupted(np.array([0, 1, 2]), np.arange(3), 3, LabelNoise(kind, 0.5), 0)
