import sys

import numpy as np
import pandas as pd
import pytest
from conftest import RATE, write

from mer_companion.song_features import handcrafted, harmony, kinds, sources
from mer_core import paths
from mer_core.audio import decoding
from mer_core.audio.features import LogMel
from mer_core.datasets.tracks import DataError
from mer_core.models import backbones

SETTINGS = LogMel(n_mels=16, pool_frames=4)


def test_louder_music_moves_only_the_means_and_quantiles_of_its_bands(tmp_path, rng):
    noise = 0.02 * rng.standard_normal(2 * RATE).astype(np.float32)
    quiet, loud = (handcrafted.features(write(tmp_path / f"{gain}.wav", gain * noise)) for gain in (1, 10))
    n = 20 + 7 + 7 + 2  # courses: MFCCs, contrasts, measures of the spectrum, level and onsets
    level = n - 2  # the level in dB stands before the onset strength
    assert loud[level] - quiet[level] == pytest.approx(20, abs=0.1)
    varies = slice(n + 1, n + 20)  # how MFCCs vary does not change
    np.testing.assert_allclose(loud[varies], quiet[varies], atol=0.1)


def test_steady_beats_are_measured_as_their_tempo(tmp_path):
    clicks = np.zeros(8 * RATE, dtype=np.float32)
    clicks[:: RATE // 2] = 0.9  # two a second: 120 a minute
    onsets_features = handcrafted.features(write(tmp_path / "beat.wav", clicks))[-21:]
    assert np.exp(onsets_features[0]) == pytest.approx(120, rel=0.05)
    lag = 1 + np.abs(handcrafted.BEAT_LAGS_S - 0.5).argmin()
    assert onsets_features[lag] > 0.5


def test_kinds_of_handcrafted_features_are_columns_that_together_are_all_of_them(tmp_path, rng):
    noise = 0.02 * rng.standard_normal(2 * RATE).astype(np.float32)
    values = handcrafted.features(write(tmp_path / "a.wav", noise))
    each = np.array([kinds.columns(kind) for kind in kinds.SIZES])
    assert (each.sum(axis=0) == 1).all() and each.shape[1] == len(values)
    np.testing.assert_array_equal(
        values[kinds.columns("harmony")], harmony.features(decoding.read(tmp_path / "a.wav", RATE), RATE)
    )
    assert len(set(kinds.candidates())) == len(kinds.candidates()) == 12
    np.testing.assert_array_equal(kinds.columns("timbre+rhythm"), each[0] | each[-1])
    with pytest.raises(DataError, match="no kinds are rhyme"):
        kinds.columns("timbre+rhyme")


def test_silence_gives_numbers(tmp_path):
    path = write(tmp_path / "silence.wav", np.zeros(2 * RATE, dtype=np.float32))
    assert np.isfinite(handcrafted.features(path)).all()


def test_log_mel_statistics_are_those_of_the_frames(corpus):
    from mer_core.frames import compute

    found = sources.load("log_mel_statistics", corpus, SETTINGS)
    frames = compute(corpus, SETTINGS, progress=False)
    levels = np.asarray(frames.values[: frames.offsets[1]], dtype=float)
    np.testing.assert_allclose(found[0][:16], levels.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(found[0][16:32], levels.std(axis=0), atol=1e-3)
    assert found.shape == (len(corpus), 6 * 16)


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_precomputed_embeddings_come_in_the_order_of_the_tracks(corpus, tmp_path, suffix):
    ids = corpus.table["track_id"].to_numpy(dtype=str)[::-1]
    values = np.arange(len(ids) * 3, dtype=float).reshape(-1, 3)
    path = tmp_path / f"embeddings{suffix}"
    if suffix == ".csv":
        pd.DataFrame(values, index=ids).to_csv(path)
    else:
        np.savez(path, track_id=ids, values=values)
    np.testing.assert_array_equal(sources.load(f"embeddings:{path}", corpus, SETTINGS), values[::-1])


def test_embeddings_that_do_not_fit_are_refused_with_the_reason(corpus, tmp_path):
    path = tmp_path / "few.csv"
    pd.DataFrame(np.ones((2, 2)), index=corpus.table["track_id"][:2]).to_csv(path)
    with pytest.raises(DataError, match="no row for 14 tracks"):
        sources.load(f"embeddings:{path}", corpus, SETTINGS)
    with pytest.raises(DataError, match="no such file"):
        sources.load(f"embeddings:{tmp_path}/none.csv", corpus, SETTINGS)
    with pytest.raises(DataError, match="no config.json"):
        sources.load(f"audio_model:{tmp_path}", corpus, SETTINGS)
    with pytest.raises(DataError, match="no source of song features"):
        sources.load("spectral_magic", corpus, SETTINGS)


def test_local_hugging_face_models_are_run_once_and_kept(corpus, tmp_path, monkeypatch):
    """A tiny wav2vec 2.0 with random weights: the real loading, decoding and pooling, in a second."""
    backbones.declare_missing_operators()  # transformers imports torchvision where it is installed
    import transformers

    width = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    convolutions = {"conv_dim": (8, 8), "conv_kernel": (10, 8), "conv_stride": (160, 8)}
    positions = {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    config = transformers.Wav2Vec2Config(**width, **convolutions, **positions, num_feat_extract_layers=2)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "model")
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=16000).save_pretrained(tmp_path / "model")
    found = sources.load(f"audio_model:{tmp_path / 'model'}", corpus, SETTINGS)
    assert found.shape == (len(corpus), 16) and len(np.unique(found.round(6), axis=0)) == len(corpus)
    monkeypatch.setitem(sys.modules, "transformers", None)  # not needed a second time
    kept = list((paths.CACHE / "embeddings").glob("*.npz"))
    assert len(kept) == 1
