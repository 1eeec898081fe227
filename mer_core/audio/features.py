"""Log-mel spectrograms in decibels, alone or with pitch class profiles (`hpcp`).

All functions take a batch of clips as a torch tensor and run where that tensor lies, CPU or GPU. The
spectrograms are those of ``librosa.feature.melspectrogram`` and ``librosa.power_to_db(ref=1.0,
top_db=None)``; the tests hold them to 1e-3 dB.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, chain
from pathlib import Path
from typing import ClassVar

import librosa
import numpy as np
import torch

from mer_core import UserError
from mer_core.audio.hpcp import HPCP, hpcp

POWER_FLOOR = 1e-10  # quieter than any recording; keeps the logarithm of silence finite
SILENCE_DB = 10 * math.log10(POWER_FLOOR)  # -100 dB


@dataclass(frozen=True)
class LogMel:
    """Settings of a log-mel spectrogram; the defaults are SSSL's (section 3.1) at librosa's sample rate."""

    kind: ClassVar[str] = "features.LogMel"

    sample_rate: int = 22050  # Hz
    window_samples: int = 1024  # Hann window, also the length of the Fourier transform
    hop_samples: int = 512
    n_mels: int = 128
    low_hz: float = 0.0
    high_hz: float = 11025.0  # at most half the sample rate
    pool_frames: int = 1  # consecutive frames whose power is averaged into one

    def __post_init__(self):
        if min(self.sample_rate, self.window_samples, self.hop_samples, self.n_mels, self.pool_frames) < 1:
            raise ValueError("sample_rate, window_samples, hop_samples, n_mels, pool_frames are at least 1")
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise ValueError(
                f"mel bands must lie within 0 Hz and half the sample rate ({self.sample_rate / 2:g} Hz), "
                f"got {self.low_hz:g} to {self.high_hz:g} Hz"
            )

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / (self.hop_samples * self.pool_frames)

    @property
    def n_values(self) -> int:
        """How many numbers describe a frame."""
        return self.n_mels

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip: centred windows every hop, in groups of `pool_frames`, the last maybe less."""
        return -(-(1 + n_samples // self.hop_samples) // self.pool_frames)


@lru_cache(maxsize=8)
def mel_filters(settings: LogMel, device: torch.device) -> torch.Tensor:
    """Triangular filters of equal area on the Slaney mel scale, (n_mels, 1 + window_samples // 2)."""
    n_fft, limits = settings.window_samples, {"fmin": settings.low_hz, "fmax": settings.high_hz}
    filters = librosa.filters.mel(sr=settings.sample_rate, n_fft=n_fft, n_mels=settings.n_mels, **limits)
    return torch.as_tensor(filters, device=device)


def log_mel(samples: torch.Tensor, settings: LogMel, centred: bool = True) -> torch.Tensor:
    """Level of each mel band over time: pitch region upwards, time to the right, loudness as the value.

        L[m, t] = 10 log10( max(1e-10, sum_f filter[m, f] |STFT(samples)[f, t]|^2) )

    With ``pool_frames`` > 1 the mel power is averaged over that many frames before the logarithm.

    Parameters
    ----------
    samples : (n_clips, n_samples) float32 tensor; shorter clips padded with zeros at the end
    centred : whether the first window lies around the first sample, with silence before it, or begins there

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
        center=centred,
        pad_mode="constant",  # silence before and after, as librosa pads
        return_complex=True,
    )
    power = spectrum.real.square().add_(spectrum.imag.square())  # (n_clips, n_bins, n_frames)
    mel_power = mel_filters(settings, samples.device) @ power
    if settings.pool_frames > 1:
        mel_power = torch.nn.functional.avg_pool1d(mel_power, settings.pool_frames, ceil_mode=True)
    return mel_power.clamp_min_(POWER_FLOOR).log10_().mul_(10.0)


def log_mel_of_blocks(
    blocks: Iterable[np.ndarray], settings: LogMel, frames_at_once: int = 128
) -> Iterator[torch.Tensor]:
    """The same levels as `log_mel`'s, of a sound that arrives block by block, with little memory.

    Parameters
    ----------
    blocks : (n,) float32 arrays, the samples one after the other
    frames_at_once : frames (after pooling) that are computed together

    Yields
    ------
    (n_frames, n_mels) float32 tensors, together ``settings.n_frames(n_samples)`` frames
    """
    silence = np.zeros(settings.window_samples // 2, np.float32)
    step = frames_at_once * settings.pool_frames * settings.hop_samples
    needed = step - settings.hop_samples + settings.window_samples
    held = silence
    for block in chain(blocks, [silence]):
        held = np.concatenate([held, block])
        while len(held) >= needed:
            yield log_mel(torch.from_numpy(held[None, :needed]), settings, centred=False)[0].T
            held = held[step:]
    if len(held) >= settings.window_samples:
        yield log_mel(torch.from_numpy(held[None]), settings, centred=False)[0].T


@dataclass(frozen=True)
class MelAndHPCP:
    """Both in one store: a frame holds as many steps of each as fit in the shortest time that both divide.

    A frame's values are its mel steps, one after the other (n_mels each, dB), then its HPCP steps (12 each, 0
    to 1).
    """

    kind: ClassVar[str] = "features.MelAndHPCP"

    mel: LogMel = LogMel(sample_rate=44100, pool_frames=10)  # as Mirable has both
    hpcp: HPCP = HPCP()  # noqa: RUF009  # frozen

    def __post_init__(self):
        if self.mel.sample_rate != self.hpcp.sample_rate:
            rates = f"{self.mel.sample_rate} and {self.hpcp.sample_rate} Hz"
            raise ValueError(f"both have one sample rate, got {rates}")

    @property
    def sample_rate(self) -> int:
        return self.mel.sample_rate

    @property
    def period_samples(self) -> int:
        return math.lcm(self.mel.hop_samples * self.mel.pool_frames, self.hpcp.hop_samples)

    @property
    def mel_steps(self) -> int:
        return self.period_samples // (self.mel.hop_samples * self.mel.pool_frames)

    @property
    def hpcp_steps(self) -> int:
        return self.period_samples // self.hpcp.hop_samples

    @property
    def n_values(self) -> int:
        return self.mel_steps * self.mel.n_mels + self.hpcp_steps * self.hpcp.size

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / self.period_samples

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip, the last one filled up with silence."""
        return -(-self.mel.n_frames(n_samples) // self.mel_steps)


@dataclass(frozen=True)
class StoredMel:
    """Log-mel spectrograms that a data set ships as files; the defaults are MTG-Jamendo's.

    Each file is a NumPy array (n_mels, n_frames), MTG-Jamendo's in steps of half a decibel.
    """

    kind: ClassVar[str] = "features.StoredMel"

    sample_rate: int = 12000  # Hz, of the audio that they were made from
    hop_samples: int = 256
    n_mels: int = 96

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / self.hop_samples

    @property
    def n_values(self) -> int:
        return self.n_mels


MUSICNN_MEL = LogMel(sample_rate=16000, window_samples=512, hop_samples=256, n_mels=96, high_hz=8000.0)
# numbers of a window from each layer of MusiCNN, in the order of `MusiCNN.features`: the last hidden layer,
# tags (logits), and mean and maximum over time of all maps
MUSICNN_LAYERS = {"penultimate": 200, "tags": 50, "mean": 753, "maximum": 753}


@dataclass(frozen=True)
class WindowFeatures:
    """A frame is a window of the clip, described by numbers from frozen networks (`window_features`).

    Of each pretrained MusiCNN its layers, one network after the other; then, with ``statistics``, mean and
    deviation of each of its mel bands; then, with ``harmony``, mean and deviation of each pitch class (HPCP).
    """

    kind: ClassVar[str] = "features.WindowFeatures"
    sample_rate: ClassVar[int] = MUSICNN_MEL.sample_rate
    n_statistics: ClassVar[int] = 2 * MUSICNN_MEL.n_mels
    hpcp: ClassVar[HPCP] = HPCP(MUSICNN_MEL.sample_rate, window_samples=2048, hop_samples=1024)

    pretrained: tuple[str, ...] = ("MSD_musicnn",)  # or "MTT_musicnn", or both
    layers: tuple[str, ...] = tuple(MUSICNN_LAYERS)
    statistics: bool = False
    seconds: float = 3.0  # that a frame describes; what the networks were trained on
    hop_s: float = 1.0  # a frame begins every so many seconds
    # root mean square in dB re full scale to which each clip is brought as a whole; None: as it is
    loudness_db: float | None = None
    harmony: bool | None = None  # None, not False: stores made before there was harmony keep their names

    def __post_init__(self):
        if not (self.pretrained or self.statistics or self.harmony):
            raise ValueError("features are of pretrained networks, statistics or harmony; here are none")
        if not set(self.layers) <= set(MUSICNN_LAYERS) or not self.layers:
            raise ValueError(f"layers are some of {', '.join(MUSICNN_LAYERS)}, got {', '.join(self.layers)}")
        if self.seconds < 3 or self.hop_s <= 0:
            raise ValueError(f"seconds is at least 3, hop_s above 0, got {self.seconds:g} and {self.hop_s:g}")

    @property
    def frames_per_second(self) -> float:
        return 1 / self.hop_s

    @property
    def n_values(self) -> int:
        of_each = sum(MUSICNN_LAYERS[name] for name in self.layers)
        return len(self.pretrained) * of_each + sum(self.extras)

    @property
    def extras(self) -> list[int]:
        """How many numbers are statistics, and how many harmony."""
        return [self.n_statistics * self.statistics, 2 * self.hpcp.size * bool(self.harmony)]

    @property
    def stores(self) -> list["WindowFeatures"]:
        """What is computed and stored apart: all layers of every network, the statistics, harmony."""
        alone = replace(self, layers=tuple(MUSICNN_LAYERS), pretrained=("",), statistics=False, harmony=None)
        found = [replace(alone, pretrained=(name,)) for name in self.pretrained]
        found += [replace(alone, pretrained=(), statistics=True)] if self.statistics else []
        return found + ([replace(alone, pretrained=(), harmony=True)] if self.harmony else [])

    @property
    def columns(self) -> list[int]:
        """Which of the stores' values, side by side, these are."""
        sizes, size = MUSICNN_LAYERS.values(), sum(MUSICNN_LAYERS.values())
        firsts = dict(zip(MUSICNN_LAYERS, accumulate(sizes, initial=0), strict=False))
        own = [firsts[name] + i for name in self.layers for i in range(MUSICNN_LAYERS[name])]
        found = [n * size + column for n in range(len(self.pretrained)) for column in own]
        return found + [len(self.pretrained) * size + i for i in range(sum(self.extras))]


@dataclass(frozen=True)
class FrontEndMaps:
    """A frame is a time step of MusiCNN's frozen front end: its maps, on which the layers behind it learn.

    The convolutions over frequency take most of MusiCNN's time; stored once, they cost fine-tuning nothing.
    """

    kind: ClassVar[str] = "features.FrontEndMaps"
    sample_rate: ClassVar[int] = MUSICNN_MEL.sample_rate
    frames_per_second: ClassVar[float] = MUSICNN_MEL.frames_per_second
    n_values: ClassVar[int] = 561  # `musicnn.FRONT_CHANNELS`

    pretrained: str = "MSD_musicnn"  # or "MTT_musicnn"


Features = LogMel | MelAndHPCP | StoredMel | WindowFeatures | FrontEndMaps


def frames_within(window_s: float, features: Features) -> int:
    """How many frames a window of some seconds covers.

    >>> frames_within(3.0, WindowFeatures()), frames_within(10.0, WindowFeatures())
    (1, 8)
    """
    if isinstance(features, WindowFeatures):
        return 1 + math.floor((window_s - features.seconds) / features.hop_s + 1e-9)
    return round(window_s * features.frames_per_second)


def band_of_row(features: Features) -> list[int]:
    """Which mel band each of a frame's values belongs to; -1: none, it is HPCP."""
    if not isinstance(features, MelAndHPCP):
        return [*range(features.n_mels)]
    n_hpcp = features.hpcp_steps * features.hpcp.size
    return [*range(features.mel.n_mels)] * features.mel_steps + [-1] * n_hpcp


class StoredMelError(UserError):
    """A file that holds no spectrogram of the requested kind; the message names it and the reason."""


def stored_mel(path: Path, settings: StoredMel) -> np.ndarray:
    """Frames of a stored spectrogram, (n_frames, n_mels).

    Raises
    ------
    StoredMelError : no NumPy array, another number of bands, or values that are not finite
    """
    try:
        levels = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        remedy = "Download it again, or compute features from audio."
        raise StoredMelError(f"{path}: no stored spectrogram ({error}). {remedy}") from None
    if levels.ndim != 2 or len(levels) != settings.n_mels or not np.isfinite(levels).all():
        raise StoredMelError(
            f"{path}: expected {settings.n_mels} bands of finite levels, (bands, frames), got an array of "
            f"shape {levels.shape}. Download it again, or set features.n_mels."
        )
    return levels.T


def frames_of(samples: torch.Tensor, settings: LogMel | MelAndHPCP) -> torch.Tensor:
    """Frames of clips as they are stored: (n_clips, settings.n_frames(n_samples), settings.n_values)."""
    if isinstance(settings, LogMel):
        return log_mel(samples, settings).transpose(1, 2)
    n = settings.n_frames(samples.shape[1])
    levels = _in_steps(log_mel(samples, settings.mel), n, settings.mel_steps, SILENCE_DB)
    profile = _in_steps(hpcp(samples, settings.hpcp), n, settings.hpcp_steps, 0.0)
    return torch.cat([levels, profile], dim=2)


def _in_steps(values: torch.Tensor, n_frames: int, steps: int, silence: float) -> torch.Tensor:
    """(n_clips, n_values, n) as (n_clips, n_frames, steps * n_values), cut or filled up with silence."""
    wanted = n_frames * steps
    missing = (0, max(0, wanted - values.shape[2]))
    filled = torch.nn.functional.pad(values[:, :, :wanted], missing, value=silence)
    return filled.transpose(1, 2).reshape(len(values), n_frames, -1)
