"""Two-stage learning (He and Ferguson, IJMIR 2022): what windows sound like, without labels; then how songs
unfold, with them.

Stage 1 trains the trunk as the encoder of a masked autoencoder: parts of a window are hidden, the whole is to
be redrawn. Stage 2 freezes it and trains a BiLSTM over each song's windows. Labels are only ever asked of
whole songs: no window inherits any."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn import functional as F

from mer_core.models.autoencoder import MelDecoder, SongBiLSTM
from mer_core.segments import Segments
from mer_core.semi_supervised import mask
from mer_core.training import EVALUATION_BATCH, Learner

SONGS_PER_BATCH = 16


@dataclass(frozen=True)
class Settings:
    """The paper's own values are not public in full."""

    kind: ClassVar[str] = "two_stage"

    longest_masked_share: float = 0.5  # of bands, and of frames, hidden from the encoder
    sequence_epochs: int = 30  # of stage 2, which costs little: a song is a sequence of short vectors
    sequence_learning_rate: float = 2e-3

    def __post_init__(self):
        if not 0 <= self.longest_masked_share < 1:
            raise ValueError(f"longest_masked_share is a share in [0, 1), got {self.longest_masked_share}")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Stage 1 for the learner's epochs, then stage 2; the BiLSTM answers for each window in its song's
    context.
    """
    train_autoencoder(learner, segments, settings)
    features = encoded(learner, segments)
    mean, deviation = features.mean(dim=0), features.std(dim=0).clamp_min(1e-6)
    songs = in_songs((features - mean) / deviation, segments.track)
    first = np.unique(segments.track, return_index=True)[1]  # a song's label is that of any of its windows
    listener = SongBiLSTM(features.shape[1], segments.n_classes).to(segments.device)
    train_sequence_model(
        learner, listener, songs, segments.label[torch.as_tensor(first, device=segments.device)], settings
    )

    @torch.no_grad()
    def answer(others: Segments) -> torch.Tensor:
        listener.eval()
        heard = in_songs((encoded(learner, others) - mean) / deviation, others.track)
        return torch.cat(listener(heard)).softmax(dim=1)

    return answer


def train_autoencoder(learner: Learner, segments: Segments, settings: Settings) -> None:
    """Stage 1: mean squared error between the window, standardised, and what the decoder draws from its
    masked version.
    """
    n_mels = segments.values.shape[1]
    n_features = encoded(learner, segments, torch.arange(2, device=segments.device)).shape[1]
    decoder = learner.beside(MelDecoder(n_features, n_mels, segments.n_frames))
    for epoch in learner.epochs():
        for batch in learner.batches(segments.in_epoch(epoch, learner.training.stride)):
            levels = segments.spectrograms(batch).float()
            features = learner.trunk(mask(levels, settings.longest_masked_share, learner.generator))
            with learner.autocast():
                redrawn = decoder(features)
            learner.step(F.mse_loss(redrawn.float(), (levels - learner.model.mean) / learner.model.deviation))


@torch.no_grad()
def encoded(learner: Learner, data: Segments, index: torch.Tensor | None = None) -> torch.Tensor:
    """(n, n_features) float32 features of windows, without dropout or running batch statistics."""
    if index is None:
        index = torch.arange(len(data), device=data.device)
    learner.model.eval()
    found = torch.cat(
        [learner.trunk(data.spectrograms(part)).float() for part in index.split(EVALUATION_BATCH)]
    )
    learner.model.train()
    return found


def in_songs(features: torch.Tensor, track: np.ndarray) -> list[torch.Tensor]:
    """One (n_windows, n_features) sequence per song; segments lie song by song, in time."""
    return list(features.split(np.unique(track, return_counts=True)[1].tolist()))


def train_sequence_model(
    learner: Learner, listener: SongBiLSTM, songs: list, labels: torch.Tensor, settings: Settings
) -> None:
    """Stage 2: cross-entropy of the song's label, asked of the mean of its windows' logits."""
    optimizer = torch.optim.AdamW(listener.parameters(), settings.sequence_learning_rate)
    listener.train()
    for _ in range(settings.sequence_epochs):
        for batch in torch.randperm(len(songs), generator=learner.generator).split(SONGS_PER_BATCH):
            logits = torch.stack([song.mean(dim=0) for song in listener([songs[i] for i in batch])])
            loss = F.cross_entropy(logits, labels[batch.to(labels.device)])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    learner.note(sequence_loss=float(loss.detach()))
