"""From a table of songs to a trained model in one call."""

from collections.abc import Callable

import torch

from mer_core import UserError, trained_model
from mer_core.audio.features import LogMel, WindowFeatures
from mer_core.datasets.tracks import Tracks
from mer_core.device import best_device
from mer_core.frames import compute, file_hash, windows
from mer_core.methods import METHODS, OF_WHOLE_SONGS
from mer_core.models import Network, heads
from mer_core.segments import make_segments
from mer_core.training import Learner, Training, modules_of


def train(
    tracks: Tracks,
    method,
    network: Network | heads.Settings,
    features: LogMel | WindowFeatures,
    training: Training,
    *,
    window_s: float = 3.0,
    seed: int = 0,
    device: torch.device | None = None,
    on_epoch: Callable[[dict], None] = lambda row: None,
) -> trained_model.TrainedModel:
    """Train on all songs; their frames are computed once and kept in the cache.

    Nothing is held out and probabilities are not calibrated: `mer_companion` and ``mer evaluate`` do both.

    Parameters
    ----------
    method : the Settings of one of `mer_core.methods`
    device : by default the GPU where there is one
    on_epoch : receives each epoch's row of the training log

    Raises
    ------
    UserError : a file that cannot be decoded, a method of whole songs, or settings that need validation songs
    """
    if method.kind in OF_WHOLE_SONGS:
        raise UserError(f"{method.kind} leaves no network for windows: choose another method, say inherit.")
    frames = compute(tracks, features)
    segments = make_segments(frames, windows(frames, window_s, repeat_short=True), device or best_device())
    segments = segments.with_crops_of(seed)
    learner = Learner(network, training, segments, seed, on_epoch)
    members = modules_of(METHODS[method.kind].train(learner, segments, method))
    data = {"name": tracks.name, "digest": tracks.digest(), "n_tracks": len(tracks)}
    data["sounds"] = [file_hash(path)[:10] for path in tracks.table["path"]]
    card = {"data": data, "method": method.kind, "out_of_fold": None, "licence": "that of its music"}
    settings = {"network": network, "features": features, "window_s": window_s, "classes": tracks.classes}
    return trained_model.assembled(members, 1.0, tracks.tagged, len(members), card=card, **settings)
