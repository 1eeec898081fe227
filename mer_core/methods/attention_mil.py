"""Attention-based multiple-instance learning (Ilse et al., ICML 2018): a song is a bag of windows.

Only the bag has a label; which windows tell it is learned. With h_k the trunk's features of window k, gated
attention weighs them, and the network's head classifies their mean:

    z = sum_k a_k h_k,    a = softmax over the song of  w^T (tanh(V h_k) * sigmoid(U h_k))

As there is one loss for each song, no window has to bear a label that is not its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from mer_core.methods import inherit
from mer_core.methods.two_stage import encoded, in_songs
from mer_core.segments import Segments
from mer_core.training import Learner


@dataclass(frozen=True)
class Settings:
    """The authors' width."""

    kind: ClassVar[str] = "attention_mil"

    width: int = 128  # rows of V and U

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width is at least 1, got {self.width}")


class GatedAttention(nn.Module):
    """How much each window counts in its song, before the softmax: (n, n_features) -> (n, 1)."""

    def __init__(self, n_features: int, width: int):
        super().__init__()
        self.content = nn.Sequential(nn.Linear(n_features, width), nn.Tanh())  # V
        self.gate = nn.Sequential(nn.Linear(n_features, width), nn.Sigmoid())  # U
        self.score = nn.Linear(width, 1, bias=False)  # w

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.score(self.content(features) * self.gate(features))


def train(learner: Learner, segments: Segments, settings: Settings):
    """Each song is the bag of its windows in this epoch; to predict, of all its windows."""
    n_features = encoded(learner, segments, torch.arange(2, device=segments.device)).shape[1]
    attention = learner.also_train(GatedAttention(n_features, settings.width))
    for epoch in learner.epochs():
        for songs in batches_of_songs(learner, segments, segments.in_epoch(epoch, learner.training.stride)):
            features = learner.trunk(segments.spectrograms(torch.cat(songs))).float()
            logits = learner.head(pooled(features.split([len(song) for song in songs]), attention))
            learner.step(learner.loss(logits, labels_of(segments, songs)))

    @torch.no_grad()
    def predict(others: Segments) -> torch.Tensor:
        songs = in_songs(encoded(learner, others), others.track)
        learner.model.eval()
        found = learner.probabilities(learner.head(pooled(songs, attention)))
        return torch.cat([one.expand(len(song), -1) for one, song in zip(found, songs, strict=True)])

    return predict


def batches_of_songs(
    learner: Learner, segments: Segments, index: torch.Tensor
) -> Iterator[list[torch.Tensor]]:
    """Shuffled batches of songs, each the indices of its windows; about as many windows as in other batches.

    A last batch of one song is left out where that is its one window: batch norm cannot use it.
    """
    songs = in_songs(index, segments.track[index.cpu().numpy()])
    n_songs = max(1, round(learner.training.batch_size * len(songs) / len(index)))
    for chosen in torch.randperm(len(songs), generator=learner.generator).split(n_songs):
        if sum(len(songs[i]) for i in chosen) > 1:
            yield [songs[i] for i in chosen]


def pooled(songs: list[torch.Tensor], attention: GatedAttention) -> torch.Tensor:
    """z, (n_songs, n_features), of the (n_windows, n_features) features of each song."""
    return torch.stack([(attention(song).softmax(dim=0) * song).sum(dim=0) for song in songs])


def labels_of(segments: Segments, songs: list[torch.Tensor]) -> torch.Tensor:
    """(n_songs, n_classes) mean of the windows' labels: the song's own, unless windows were mislabelled."""
    return torch.stack([inherit.soft_targets(segments, song, 0.0).mean(dim=0) for song in songs])
