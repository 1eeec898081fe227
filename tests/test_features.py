import librosa
import numpy as np
import pytest
import torch
from conftest import RATE, tone

from mer_core.audio.features import POWER_FLOOR, LogMel, MelAndHPCP, frames_of, log_mel
from mer_core.audio.hpcp import HPCP, hpcp, magnitudes, profile_of, spectral_peaks


def levels(samples, settings=LogMel()):
    return log_mel(torch.from_numpy(samples)[None], settings)[0].numpy()


@pytest.mark.parametrize(
    "settings", [LogMel(), LogMel(n_mels=64, window_samples=2048, low_hz=50, high_hz=8000)]
)
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


HIGH_RATE = 44100


def classes(samples, settings=HPCP()):
    return hpcp(torch.from_numpy(np.asarray(samples, dtype=np.float32))[None], settings)[0].numpy()


def of_peaks(frequencies, settings):
    """The profile of one frame with peaks of magnitude 1 at these frequencies."""
    hz = torch.tensor(frequencies, dtype=torch.float32)
    found = profile_of(torch.zeros(len(hz), dtype=torch.long), hz, torch.ones(len(hz)), 1, settings)[0]
    return (found / found.max().clamp_min(1e-12)).numpy()


def sines(*frequencies, seconds=0.5):
    time = np.arange(round(seconds * HIGH_RATE)) / HIGH_RATE
    return sum(0.2 * np.sin(2 * np.pi * f * time) for f in frequencies).astype(np.float32)


def test_golden_values_of_the_public_description():
    one_band = HPCP(low_hz=50, high_hz=500, split_hz=None, harmonics=3)
    expected = np.zeros(12)
    expected[[10, 5, 3]] = 1, 0.24761, 0.13405
    np.testing.assert_allclose(of_peaks([100, 200, 300, 400], one_band), expected, atol=1e-5)
    for octave in (110, 440, 3520):
        np.testing.assert_allclose(
            of_peaks([octave * 2 ** (k / 12) for k in range(12)], HPCP()), np.ones(12), atol=1e-5
        )
    np.testing.assert_allclose(of_peaks([440], HPCP()), np.eye(12)[0], atol=1e-6)
    np.testing.assert_allclose(of_peaks([440 * 2 ** (9 / 12)], HPCP()), np.eye(12)[9], atol=1e-6)


def test_a_chord_is_the_same_in_every_octave_and_turns_with_its_key():
    chord = np.array([440, 440 * 2 ** (4 / 12), 440 * 2 ** (7 / 12)])
    one_band = HPCP(split_hz=None)  # two bands weigh the chord's octaves differently
    low, high, turned = (
        classes(sines(*f), one_band)[:, 3:8].mean(axis=1) for f in (chord, 2 * chord, chord * 2 ** (2 / 12))
    )
    assert set(np.flatnonzero(low > 0.5)) == {0, 4, 7}
    np.testing.assert_allclose(low, high, atol=0.1)
    np.testing.assert_allclose(np.roll(low, 2), turned, atol=0.1)


def test_loudness_does_not_count_and_silence_stays_silent():
    samples = sines(330, 660, 1000)
    np.testing.assert_allclose(classes(samples), classes(0.1 * samples), atol=0.02)
    assert not classes(np.zeros(HIGH_RATE)).any()
    assert classes(np.zeros(1)).shape == (12, 2)


def test_every_clip_of_a_batch_is_as_on_its_own(rng):
    clips = rng.standard_normal((3, 20_000)).astype(np.float32)
    together = hpcp(torch.from_numpy(clips), HPCP())
    assert together.shape == (3, 12, HPCP().n_frames(20_000)) and float(together.amax(dim=1).min()) == 1
    for own, clip in zip(together, clips, strict=True):
        np.testing.assert_allclose(own, classes(clip), atol=1e-5)


def test_peaks_below_the_band_do_not_count_and_the_lowest_hundred_do():
    band = HPCP(low_hz=120, split_hz=None)
    for hz, found in ((105.0, False), (150.0, True)):
        frame, frequency, _ = spectral_peaks(magnitudes(torch.from_numpy(sines(hz))[None], band)[0], band)
        assert bool(((frequency - hz).abs() < 10)[frame == 5].any()) == found
    spectrum = torch.zeros(1, 400)
    spectrum[0, 12:400:3] = torch.linspace(1, 2, 130)[: len(range(12, 400, 3))]  # the higher, the louder
    _, frequency, _ = spectral_peaks(spectrum, HPCP())
    assert len(frequency) == 100 and frequency.max() < (12 + 3 * 100) * HPCP().bin_hz


def test_a_plateau_is_one_peak_at_its_middle():
    spectrum = torch.zeros(1, 60)
    spectrum[0, 20:25] = torch.tensor([1.0, 3.0, 3.0, 3.0, 1.0])
    _, frequency, value = spectral_peaks(spectrum, HPCP())
    assert frequency.tolist() == pytest.approx([22 * HPCP().bin_hz]) and value.tolist() == [3.0]


def test_impossible_profiles_are_refused():
    for wrong in ({"size": 16}, {"low_hz": 400.0}, {"high_hz": 30000.0}):
        with pytest.raises(ValueError):
            HPCP(**wrong)


def test_one_frame_holds_the_steps_of_both_that_share_its_time(rng):
    both = MelAndHPCP(LogMel(pool_frames=10), HPCP(sample_rate=22050, window_samples=2048, hop_samples=1024))
    assert (both.mel_steps, both.hpcp_steps, both.n_values) == (1, 5, 128 + 5 * 12)
    as_printed = MelAndHPCP(LogMel(sample_rate=44100, pool_frames=10), HPCP())
    assert (as_printed.mel_steps, as_printed.hpcp_steps) == (2, 5)  # 116 ms against 46 ms
    samples = torch.from_numpy(rng.standard_normal((2, 50_000)).astype(np.float32))
    found, levels, profile = frames_of(samples, both), log_mel(samples, both.mel), hpcp(samples, both.hpcp)
    n = both.n_frames(50_000)
    assert found.shape == (2, n, both.n_values)
    np.testing.assert_array_equal(found[0, 3, :128], levels[0, :, 3])
    np.testing.assert_array_equal(found[1, 3, 128:].view(5, 12), profile[1, :, 15:20].T)
    with pytest.raises(ValueError, match="one sample rate"):
        MelAndHPCP(LogMel(), HPCP())


def test_equals_essentia_where_it_is_installed(rng):
    spectral = pytest.importorskip("essentia.pytools.spectral")
    tonal = sines(220, 277.18, 329.63, 440, 1318.5, seconds=5)
    dense = (0.1 * rng.standard_normal(5 * HIGH_RATE)).astype(np.float32)
    for samples in (tonal, dense, np.clip(5 * tonal, -1, 1), dense[:1500]):
        ours, theirs = classes(samples).T, np.asarray(spectral.hpcpgram(samples, sampleRate=HIGH_RATE))
        cosine = (ours * theirs).sum(axis=1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
        assert ours.shape == theirs.shape and cosine.mean() >= 0.999
