"""Two-stage learning (He and Ferguson, IJMIR 2022): windows without labels, then songs with them.

Stage 1 trains the trunk as the encoder of a masked autoencoder: parts of a window are masked, the whole is
reconstructed. Stage 2 freezes it and trains a BiLSTM over each song's windows. Only whole songs have labels:
no window inherits any.
"""

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

    longest_masked_share: float = 0.5  # of bands, and of frames, masked in the encoder's input
    sequence_epochs: int = 30  # of stage 2, which costs little: a song is a sequence of short vectors
    sequence_learning_rate: float = 2e-3

    def __post_init__(self):
        if not 0 <= self.longest_masked_share < 1:
            raise ValueError(f"longest_masked_share is a share in [0, 1), got {self.longest_masked_share}")


def train(learner: Learner, segments: Segments, settings: Settings):
    """Stage 1 for the learner's epochs, then stage 2, whose BiLSTM predicts for windows in context."""
    train_autoencoder(learner, segments, settings)
    features = encoded(learner, segments)
    mean, deviation = features.mean(dim=0), features.std(dim=0).clamp_min(1e-6)
    songs = in_songs((features - mean) / deviation, segments.track)
    first = np.unique(segments.track, return_index=True)[1]  # a song's label is that of any of its windows
    labels = segments.label[torch.as_tensor(first, device=segments.device)]
    lstm = SongBiLSTM(features.shape[1], segments.n_classes).to(segments.device)
    train_sequence_model(learner, lstm, songs, labels, settings)

    @torch.no_grad()
    def predict(others: Segments) -> torch.Tensor:
        lstm.eval()
        sequences = in_songs((encoded(learner, others) - mean) / deviation, others.track)
        return torch.cat(lstm(sequences)).softmax(dim=1)

    return predict


def train_autoencoder(learner: Learner, segments: Segments, settings: Settings) -> None:
    """Stage 1: mean squared error between a standardised window and its reconstruction from a masked copy."""
    n_mels = segments.values.shape[1]
    n_features = encoded(learner, segments, torch.arange(2, device=segments.device)).shape[1]
    decoder = learner.also_train(MelDecoder(n_features, n_mels, segments.n_frames))
    for epoch in learner.epochs():
        for batch in learner.batches(segments.in_epoch(epoch, learner.training.stride)):
            levels = segments.spectrograms(batch).float()
            features = learner.trunk(mask(levels, settings.longest_masked_share, learner.generator))
            with learner.autocast():
                reconstructed = decoder(features)
            standardised = (levels - learner.model.mean) / learner.model.deviation
            learner.step(F.mse_loss(reconstructed.float(), standardised))


@torch.no_grad()
def encoded(learner: Learner, data: Segments, index: torch.Tensor | None = None) -> torch.Tensor:
    """(n, n_features) float32 features of windows, without dropout or running batch statistics."""
    if index is None:
        index = torch.arange(len(data), device=data.device)
    learner.model.eval()
    batches = index.split(EVALUATION_BATCH)
    found = torch.cat([learner.trunk(data.spectrograms(batch)).float() for batch in batches])
    learner.model.train()
    return found


def in_songs(features: torch.Tensor, track: np.ndarray) -> list[torch.Tensor]:
    """One (n_windows, n_features) sequence per song; segments lie song by song, in time."""
    return list(features.split(np.unique(track, return_counts=True)[1].tolist()))


def train_sequence_model(
    learner: Learner, lstm: SongBiLSTM, songs: list, labels: torch.Tensor, settings: Settings
) -> None:
    """Stage 2: cross-entropy of the song's label with the mean of its windows' logits."""
    optimizer = torch.optim.AdamW(lstm.parameters(), settings.sequence_learning_rate)
    lstm.train()
    for _ in range(settings.sequence_epochs):
        for batch in torch.randperm(len(songs), generator=learner.generator).split(SONGS_PER_BATCH):
            logits = torch.stack([song.mean(dim=0) for song in lstm([songs[i] for i in batch])])
            loss = F.cross_entropy(logits, labels[batch.to(labels.device)])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    learner.note(sequence_loss=float(loss.detach()))
