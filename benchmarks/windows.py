"""Random windows of songs: gathered from the frame store against read from a .npy file for each song.

    python -m benchmarks.windows

Songs of half a minute at SSSL's front end (128 bands, 3 s), batches of 64 in random order, ready as float32.
Both sides read from memory: the frame store holds its frames there, the files lie in the disk cache.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.side_by_side import alone, in_turn, row
from mer_core import datasets, frames
from mer_core.audio.features import LogMel
from mer_core.segments import Segments, make_segments

ROUNDS, BATCHES, BATCH, WINDOW_S = 9, 10, 64, 3.0
OURS = "the frame store: one index into all songs' frames"
WHOLE_FILES, MAPPED_FILES = "a DataLoader over np.load", "a DataLoader over np.load with mmap_mode"


class FromFiles(Dataset):
    """Windows one by one, each from the file of its song."""

    def __init__(self, paths: list[Path], windows: frames.Windows, offsets: np.ndarray, mode: str | None):
        self.paths, self.mode, self.track, self.n = paths, mode, windows.track, windows.n_frames
        self.first = windows.first - offsets[windows.track]

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, j: int) -> torch.Tensor:
        levels = np.load(self.paths[self.track[j]], mmap_mode=self.mode)
        return torch.from_numpy(levels[self.first[j] : self.first[j] + self.n].astype(np.float32)).T[None]


def by_loader(dataset: FromFiles) -> None:
    batches = iter(DataLoader(dataset, BATCH, shuffle=True))
    for _ in range(BATCHES):
        next(batches)


def from_store(data: Segments) -> None:
    for batch in torch.randperm(len(data))[: BATCHES * BATCH].split(BATCH):
        data.spectrograms(batch).float().contiguous()


def rows(rounds: int = ROUNDS) -> list[dict]:
    store = frames.compute(datasets.load("synthetic:song_s=30"), LogMel())
    windows = frames.windows(store, WINDOW_S)
    data = make_segments(store, windows, torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{i}.npy") for i in range(len(store.tracks))]
        for i, path in enumerate(paths):
            np.save(path, store.values[store.offsets[i] : store.offsets[i + 1]])
        whole, mapped = (FromFiles(paths, windows, store.offsets, mode) for mode in (None, "r"))
        first = torch.arange(BATCH)
        assert torch.equal(data.spectrograms(first).float(), torch.stack([whole[j] for j in first.tolist()]))
        sides = {
            WHOLE_FILES: lambda: by_loader(whole),
            MAPPED_FILES: lambda: by_loader(mapped),
            OURS: lambda: from_store(data),
        }
        spent = in_turn(sides, rounds)
    unit = f"{BATCHES} batches of {BATCH} windows"
    asked = {"random windows, whole files read": WHOLE_FILES, "random windows, files mapped": MAPPED_FILES}
    return [row(question, spent, OURS, theirs, unit) for question, theirs in asked.items()]


if __name__ == "__main__":
    alone(rows, __doc__)
