"""From samples to log-mel spectrograms: what a listener's ear would roughly resolve, in decibels.

All functions take a batch of clips as a torch tensor and run where that tensor lies, CPU or GPU. The definitions are those
of ``librosa.feature.melspectrogram`` and ``librosa.power_to_db(ref=1.0, top_db=None)``; the tests hold them to 1e-3 dB.
"""

from dataclasses import dataclass
from functools import lru_cache

import librosa
import torch

POWER_FLOOR = 1e-10  # -100 dB: quieter than any recording; keeps the logarithm of silence finite


@dataclass(frozen=True)
class LogMel:
    """Settings of a log-mel spectrogram; the defaults are SSSL's (section 3.1) at librosa's default sample rate."""

    sample_rate: int = 22050  # Hz
    window_samples: int = 1024  # Hann window, also the length of the Fourier transform
    hop_samples: int = 512
    n_mels: int = 128
    low_hz: float = 0.0
    high_hz: float = 11025.0  # at most half the sample rate
    pool_frames: int = 1  # consecutive frames whose power is averaged into one

    def __post_init__(self):
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise ValueError(
                f"mel bands must lie within 0 Hz and half the sample rate ({self.sample_rate / 2:g} Hz), "
                f"got {self.low_hz:g} to {self.high_hz:g} Hz"
            )

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / (self.hop_samples * self.pool_frames)

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip: centred windows every hop, then groups of `pool_frames`, the last one perhaps smaller."""
        return -(-(1 + n_samples // self.hop_samples) // self.pool_frames)


@lru_cache(maxsize=8)
def mel_filters(settings: LogMel, device: torch.device) -> torch.Tensor:
    """Triangular filters of equal area on the Slaney mel scale, (n_mels, 1 + window_samples // 2)."""
    filters = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.window_samples,
        n_mels=settings.n_mels,
        fmin=settings.low_hz,
        fmax=settings.high_hz,
    )
    return torch.as_tensor(filters, device=device)


def log_mel(samples: torch.Tensor, settings: LogMel) -> torch.Tensor:
    """Level of each mel band over time: pitch region upwards, time to the right, loudness as the value.

        L[m, t] = 10 log10( max(1e-10, sum_f filter[m, f] |STFT(samples)[f, t]|^2) )

    With ``pool_frames`` > 1 the mel power is averaged over that many frames before the logarithm.

    Parameters
    ----------
    samples : (n_clips, n_samples) float32 tensor; shorter clips padded with zeros at the end

    Returns
    -------
    (n_clips, n_mels, settings.n_frames(n_samples)) float32 tensor, dB relative to a full-scale power of 1
    """
    window = torch.hann_window(settings.window_samples, device=samples.device)
    spectrum = torch.stft(
        samples,
        settings.window_samples,
        settings.hop_samples,
        window=window,
        center=True,
        pad_mode="constant",  # silence before and after, as librosa pads
        return_complex=True,
    )
    power = spectrum.real.square().add_(spectrum.imag.square())  # (n_clips, n_bins, n_frames)
    mel_power = mel_filters(settings, samples.device) @ power
    if settings.pool_frames > 1:
        mel_power = torch.nn.functional.avg_pool1d(mel_power, settings.pool_frames, ceil_mode=True)
    return mel_power.clamp_min_(POWER_FLOOR).log10_().mul_(10.0)
