"""Clips described by frozen networks: the frames of `features.WindowFeatures` and `features.FrontEndMaps`."""

import math
from functools import lru_cache

import torch

from mer_core.audio.features import POWER_FLOOR, FrontEndMaps, WindowFeatures, log_mel
from mer_core.audio.hpcp import hpcp
from mer_core.models import musicnn, musicnn_weights
from mer_core.models.musicnn import MusiCNN

WINDOWS_AT_ONCE = 64  # of a long clip, so that memory does not grow with its length


@lru_cache(maxsize=4)
def pretrained(name: str) -> MusiCNN:
    """A network with its released weights, which are not to be changed; raises WeightsError without them."""
    return musicnn_weights.load(name).requires_grad_(False)


def of_clip(samples: torch.Tensor, first: torch.Tensor, settings: WindowFeatures) -> torch.Tensor:
    """Numbers of a clip's windows: (n_samples,) at 16 kHz, first mel frames (n,) -> (n, settings.n_values).

    A clip shorter than a window begins again.

    Raises
    ------
    WeightsError : the pretrained weights are not here; the message says how to get them
    """
    gain = gain_db(float(samples.double().square().mean()), settings)
    if len(samples) < (n := shortest(settings)):
        samples = samples.repeat(-(-n // len(samples)))[:n]
    found = []
    if settings.pretrained or settings.statistics:
        levels = log_mel(samples[None], musicnn.FEATURES)[0]
        networks = [pretrained(name) for name in settings.pretrained]
        found.append(of_levels(levels, first, settings, networks, gain))
    if settings.harmony:
        found.append(harmony(samples, first, settings))
    return torch.cat(found, dim=1)


@torch.inference_mode()
def front_end_maps(samples: torch.Tensor, settings: FrontEndMaps) -> torch.Tensor:
    """Maps of MusiCNN's front end, a row for each mel frame: (n_samples,) at 16 kHz -> (T, 561).

    Raises
    ------
    WeightsError : the pretrained weights are not here; the message says how to get them
    """
    levels = log_mel(samples[None], musicnn.FEATURES)[0]
    return pretrained(settings.pretrained).front_end_of_clip(levels)[0].T


def shortest(settings: WindowFeatures) -> int:
    """Samples of a window: a clip that is shorter begins again."""
    return round(settings.seconds * settings.sample_rate)


def gain_db(mean_square: float, settings: WindowFeatures) -> float:
    """What brings a clip of this mean square to the loudness of the settings; 0 where they name none.

        gain = loudness - 10 log10( max(1e-10, mean square) )

    A recording's level then changes no answer, and no sound gets louder by more than the floor allows.
    """
    if settings.loudness_db is None:
        return 0.0
    return settings.loudness_db - 10 * math.log10(max(mean_square, POWER_FLOOR))


@torch.inference_mode()
def of_levels(
    levels: torch.Tensor,
    first: torch.Tensor,
    settings: WindowFeatures,
    networks: list[MusiCNN],
    gain_db: float = 0.0,
) -> torch.Tensor:
    """The same from mel levels in dB of at least a window, (96, n_mel_frames), with these networks.

    Parameters
    ----------
    gain_db : how much louder the clip is made
    """
    n, found = mel_frames(settings), []
    for part in first.split(WINDOWS_AT_ONCE):
        start = max(0, int(part[0]) - musicnn.REACH)
        near = levels[:, start : int(part[-1]) + n + musicnn.REACH].float() + gain_db
        of_part = [network.features(near, part - start, n) for network in networks]
        found.append(
            torch.cat([*of_part, *([statistics(near, part - start, n)] * settings.statistics)], dim=1)
        )
    return torch.cat(found)


def mel_frames(settings: WindowFeatures) -> int:
    """Mel frames of a window."""
    return int(settings.seconds * musicnn.FEATURES.frames_per_second)


def harmony(samples: torch.Tensor, first: torch.Tensor, settings: WindowFeatures) -> torch.Tensor:
    """Mean and deviation of each pitch class over windows: (n_samples,), first mel frames (n,) -> (n, 24)."""
    n = int(settings.seconds * settings.sample_rate / settings.hpcp.hop_samples)
    start = first * musicnn.FEATURES.hop_samples // settings.hpcp.hop_samples
    return statistics_of(hpcp(samples[None], settings.hpcp)[0].unfold(1, n, 1)[:, start])


def statistics(levels: torch.Tensor, first: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Mean and deviation of each band over windows: (96, T) dB, first frames (n,) -> (n, 192)."""
    return statistics_of(levels.unfold(1, n_frames, 1)[:, first])


def statistics_of(windows: torch.Tensor) -> torch.Tensor:
    """(96, n, n_frames) dB -> (n, 192): mean and deviation of each band."""
    return torch.cat([windows.mean(dim=2), windows.std(dim=2)]).T
