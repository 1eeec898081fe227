import librosa
import numpy as np
import pytest
import torch
from conftest import RATE, tone

from mer_core.features import POWER_FLOOR, LogMel, log_mel


def levels(samples, settings=LogMel()):
    return log_mel(torch.from_numpy(samples)[None], settings)[0].numpy()


@pytest.mark.parametrize("settings", [LogMel(), LogMel(n_mels=64, window_samples=2048, low_hz=50, high_hz=8000)])
def test_equals_librosa(settings, rng):
    samples = (tone(440, 2.3) + 0.1 * rng.standard_normal(round(2.3 * RATE))).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=settings.window_samples, hop_length=512, n_mels=settings.n_mels,
        fmin=settings.low_hz, fmax=settings.high_hz, pad_mode="constant",
    )  # fmt: skip
    expected = librosa.power_to_db(power, ref=1.0, amin=POWER_FLOOR, top_db=None)
    np.testing.assert_allclose(levels(samples, settings), expected, atol=1e-3)


def test_a_tone_peaks_in_its_band():
    bands = librosa.mel_frequencies(n_mels=130, fmin=0, fmax=RATE / 2)[1:-1]
    loudest = levels(tone(1000, 1.0)).mean(axis=1).argmax()
    assert abs(bands[loudest] - 1000) < 30


def test_twice_the_amplitude_is_six_decibels_more():
    quiet, loud = levels(tone(440, 1.0, 0.2)), levels(tone(440, 1.0, 0.4))
    audible = quiet > -60
    np.testing.assert_allclose((loud - quiet)[audible], 20 * np.log10(2), atol=1e-3)


def test_silence_is_the_floor_and_finite():
    assert np.all(levels(np.zeros(RATE, np.float32)) == -100.0)


def test_a_batch_gives_what_its_clips_give_alone(rng):
    clips = rng.standard_normal((3, RATE)).astype(np.float32)
    together = log_mel(torch.from_numpy(clips), LogMel()).numpy()
    for i, clip in enumerate(clips):
        np.testing.assert_allclose(together[i], levels(clip), atol=1e-4)


@pytest.mark.parametrize("n_samples", [1, 511, 512, 10_000, RATE + 7])
def test_number_of_frames_is_known_beforehand(n_samples):
    for settings in (LogMel(), LogMel(pool_frames=2), LogMel(pool_frames=10)):
        assert levels(np.ones(n_samples, np.float32), settings).shape == (128, settings.n_frames(n_samples))


def test_pooling_averages_power(rng):
    samples = rng.standard_normal(RATE).astype(np.float32)
    power = 10 ** (levels(samples) / 10)
    pooled = 10 ** (levels(samples, LogMel(pool_frames=2)) / 10)
    np.testing.assert_allclose(pooled[:, 0], power[:, :2].mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(pooled[:, -1], power[:, 42:].mean(axis=1), rtol=1e-4)


def test_bands_above_half_the_sample_rate_are_refused():
    with pytest.raises(ValueError, match="half the sample rate"):
        LogMel(sample_rate=16000, high_hz=11025)
