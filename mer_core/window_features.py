"""Windows of a clip described by frozen networks: the frames of `features.WindowFeatures`."""

from functools import lru_cache

import torch

from mer_core.audio.features import WindowFeatures, log_mel
from mer_core.models import musicnn, musicnn_weights
from mer_core.models.musicnn import MusiCNN

WINDOWS_AT_ONCE = 64  # of a long clip, so that memory does not grow with its length


@lru_cache(maxsize=4)
def pretrained(name: str) -> MusiCNN:
    """A network with its released weights, which are not to be changed; raises WeightsError without them."""
    return musicnn_weights.load(name).requires_grad_(False)


def of_clip(samples: torch.Tensor, first: torch.Tensor, settings: WindowFeatures) -> torch.Tensor:
    """Numbers of a clip's windows: (n_samples,) at 16 kHz, first mel frames (n,) -> (n, settings.n_values).

    Raises
    ------
    WeightsError : the pretrained weights are not here; the message says how to get them
    """
    levels = log_mel(samples[None], musicnn.FEATURES)[0]
    return of_levels(levels, first, settings, [pretrained(name) for name in settings.pretrained])


@torch.inference_mode()
def of_levels(
    levels: torch.Tensor, first: torch.Tensor, settings: WindowFeatures, networks: list[MusiCNN]
) -> torch.Tensor:
    """The same from mel levels in dB, (96, n_mel_frames), with these networks.

    A clip that is too short begins again.
    """
    n = int(settings.seconds * musicnn.FEATURES.frames_per_second)
    levels = levels.repeat(1, -(-n // levels.shape[1])) if levels.shape[1] < n else levels
    found = []
    for part in first.split(WINDOWS_AT_ONCE):
        start = max(0, int(part[0]) - musicnn.REACH)
        near = levels[:, start : int(part[-1]) + n + musicnn.REACH]
        of_part = [network.features(near, part - start, n) for network in networks]
        found.append(
            torch.cat([*of_part, *([statistics(near, part - start, n)] * settings.statistics)], dim=1)
        )
    return torch.cat(found)


def statistics(levels: torch.Tensor, first: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Mean and deviation of each band over windows: (96, T) dB, first frames (n,) -> (n, 192)."""
    windows = levels.unfold(1, n_frames, 1)[:, first]  # (96, n, n_frames)
    return torch.cat([windows.mean(dim=2), windows.std(dim=2)]).T
