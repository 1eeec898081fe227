"""The two stages of He and Ferguson (IJMIR 2022): a decoder of windows and a BiLSTM over songs."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

FIRST_GRID = (4, 2)  # bands and frames of the smallest picture that the decoder starts from


class MelDecoder(nn.Module):
    """From the trunk's features back to a window: the half of an autoencoder that is thrown away afterwards.

    (batch, n_features) -> (batch, 1, n_mels, n_frames), in the standardised levels that the trunk sees.
    """

    def __init__(self, n_features: int, n_mels: int, n_frames: int):
        super().__init__()
        bands, frames = FIRST_GRID
        layers = [nn.Linear(n_features, 64 * bands * frames), nn.Unflatten(1, (64, bands, frames))]
        for channels, width in ((64, 32), (32, 16), (16, 8)):
            convolution = nn.Conv2d(channels, width, 3, padding=1)
            layers += [nn.Upsample(scale_factor=2), convolution, nn.ReLU(inplace=True)]
        layers += [nn.Upsample((n_mels, n_frames), mode="bilinear"), nn.Conv2d(8, 1, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.layers(features)


class SongBiLSTM(nn.Module):
    """A recurrent layer over a song's windows, in both directions.

    A list of (n_windows, n_features) tensors, one a song -> a list of (n_windows, n_classes) logits; songs
    may differ in length.
    """

    def __init__(self, n_features: int, n_classes: int, width: int = 64, dropout: float = 0.5):
        super().__init__()
        self.lstm = nn.LSTM(n_features, width, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * width, n_classes))

    def forward(self, songs: list[torch.Tensor]) -> list[torch.Tensor]:
        states, _ = self.lstm(pack_sequence(songs, enforce_sorted=False))
        padded, lengths = pad_packed_sequence(states, batch_first=True)
        return [self.head(song[:length]) for song, length in zip(padded, lengths, strict=True)]
