"""A model whose networks hear sound through a pretrained one, which its file holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import RATE, tone, write

from mer_app.train import effect_of_level
from mer_core import frames, predict, trained_model, window_features
from mer_core.audio.features import WindowFeatures
from mer_core.datasets.tracks import measured
from mer_core.emotion import QUADRANTS
from mer_core.models import heads, musicnn_weights
from mer_core.models.musicnn_weights import WeightsError

FEATURES = WindowFeatures(layers=("tags", "mean"), statistics=True, loudness_db=-13.0)


@pytest.fixture(scope="module")
def model():
    """Two heads that were never trained, and whose answers all the same differ from sound to sound."""
    torch.manual_seed(0)
    network = heads.Settings(hidden=(8,))
    members = [trained_model.bare(network, FEATURES, 4) for _ in range(2)]
    settings = {"network": network, "features": FEATURES, "window_s": 3.0, "classes": QUADRANTS}
    card = {"data": {"digest": "", "sounds": []}, "out_of_fold": None}
    return trained_model.assembled(members, 0.85, False, card=card, **settings)


@pytest.fixture
def tracks(tmp_path, rng):
    paths = []
    for i, seconds in enumerate((5.0, 1.2)):
        samples = tone(220 + 300 * i, seconds) + 0.05 * rng.standard_normal(round(seconds * RATE))
        paths.append(write(tmp_path / f"{i}.wav", samples.astype(np.float32)))
    rows = {"track_id": ["a", "b"], "path": paths, "label": "any", "group": ["a", "b"]}
    return measured("two", ("any",), pd.DataFrame(rows), skip_unreadable=False)


def test_what_is_saved_answers_as_what_was_at_hand_and_needs_no_package(model, tracks, tmp_path, monkeypatch):
    path = trained_model.save(model, tmp_path / "m.safetensors")
    expected = predict.predict(tracks.table["path"][0], model).timeline
    monkeypatch.setattr(musicnn_weights, "released", lambda *a: pytest.fail("weights of elsewhere"))
    again = trained_model.load(path)
    assert again.digest == model.digest and again.facts() == model.facts()
    pd.testing.assert_frame_equal(predict.predict(tracks.table["path"][0], again).timeline, expected)


def test_features_of_a_file_are_those_of_training(model, tracks, tmp_path):
    store = frames.compute(tracks, FEATURES, cache=tmp_path / "cache", progress=False)
    for i, path in enumerate(tracks.table["path"]):
        own = np.array(store.values[store.offsets[i] : store.offsets[i + 1]], dtype=float)
        found = predict.frames_of_file(path, model)[0].numpy().astype(float)
        assert found.shape == own.shape == ((3, 1)[i], FEATURES.n_values)
        np.testing.assert_allclose(found, own, atol=0.1, rtol=5e-3)  # half precision


def test_a_song_shorter_than_a_window_begins_again(model, tmp_path):
    short = write(tmp_path / "short.wav", tone(300, 1.2))
    again = write(tmp_path / "again.wav", np.resize(tone(300, 1.2), 3 * RATE))
    (own,), (twice,) = (predict.frames_of_file(path, model)[0].float() for path in (short, again))
    differences = (own - twice).abs()[: -FEATURES.n_statistics]  # of silent bands levels mean little
    assert differences.mean() < 0.02  # the seam, which resampling blurs
    assert "it was repeated" in predict.predict(short, model).notes[0]


@pytest.mark.parametrize("gain_db", [-30, -12, 6])
def test_the_level_of_a_recording_changes_no_answer(model, tracks, tmp_path, gain_db):
    samples = predict.decoding.read(tracks.table["path"][0], RATE)
    other = write(tmp_path / "other.wav", samples * 10 ** (gain_db / 20) * 0.4)
    path = write(tmp_path / "same.wav", samples * 0.4)
    found = [list(predict.predict(one, model).probabilities.values()) for one in (path, other)]
    np.testing.assert_allclose(*found, atol=0.01)
    raw = replace(FEATURES, loudness_db=None)
    assert window_features.gain_db(0.5, raw) == 0 and window_features.gain_db(1.0, FEATURES) == -13


def test_a_quieter_recording_is_what_the_effect_of_level_compares_with(model, tracks, tmp_path):
    store = frames.compute(tracks, FEATURES, cache=tmp_path / "cache", progress=False)
    assert effect_of_level(model, store) == {"quieter_by_db": 10.0, "n": 2, "changed": 0.0}


def test_a_file_of_the_format_before_is_read(tmp_path):
    from conftest import untrained

    model = untrained()
    path = trained_model.save(model, tmp_path / "new.safetensors")
    facts, values = trained_model._read(path)
    before = facts | {"format": facts["format"].replace("version 3", "version 2")}
    old = trained_model.keep(values, tmp_path / "old.safetensors", before)
    assert trained_model.load(old).digest == model.digest


def test_a_model_that_ships_has_the_weights_for_training_others(model, monkeypatch, tmp_path):
    released = musicnn_weights.load("MSD_musicnn").state_dict()

    def missing():
        raise WeightsError("not here")

    monkeypatch.setattr(musicnn_weights, "installed", missing)
    shipped = trained_model.save(model, tmp_path / "shipped.safetensors")
    monkeypatch.setattr(musicnn_weights.paths, "SHIPPED_MODEL", shipped)
    found = musicnn_weights.load("MSD_musicnn", tmp_path).state_dict()
    for name, value in released.items():
        torch.testing.assert_close(found[name], value, atol=1e-4, rtol=1e-3)  # half precision
    with pytest.raises(WeightsError, match="not here"):
        musicnn_weights.load("MTT_musicnn", tmp_path)
