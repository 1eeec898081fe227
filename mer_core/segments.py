"""Windows of frames with labels, on the device: what methods are trained on."""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch.nn import functional as F

from mer_core.audio.features import Features
from mer_core.datasets.label_noise import LabelNoise, corrupted
from mer_core.device import room_for_frames, send
from mer_core.finite import finite
from mer_core.frames import Frames, Windows


@dataclass(frozen=True)
class Segments:
    """The windows of some tracks, ready to be trained on; their frames lie on the device once (`placed`).

    ``values``: (n_all_frames, n_mels) float16. ``first``, ``label``: (n,) tensors on the device.
    ``track``, ``second``: (n,) arrays, whose window it is and where it starts. Tags: ``label`` is (n,
    n_classes), 1.0 where the song has the tag, or the share of listeners who named it. Soft labels that
    exclude each other (``exclusive``) are (n, n_classes) shares that add up to 1. ``n_own``: (n,) tensor,
    after how many frames a clip that is too short begins again (`frames.Windows`). ``features`` says what a
    frame's values are. ``truly_clean``: (n,) bool array, whether the label is the true one of this window, or
    None where that is unknown.
    """

    values: torch.Tensor
    first: torch.Tensor
    label: torch.Tensor
    track: np.ndarray
    second: np.ndarray
    n_frames: int
    n_own: torch.Tensor
    n_classes: int
    features: Features
    truly_clean: np.ndarray | None = None
    unlabelled: "Segments | None" = None  # windows of other music, whose labels mean nothing
    crop_seed: int = 0  # of the random crops that `in_epoch` draws
    exclusive: bool = False  # labels are distributions over classes, not tags

    def __len__(self) -> int:
        return len(self.track)

    @property
    def device(self) -> torch.device:
        return self.first.device

    @property
    def tagged(self) -> bool:
        """Whether a window has any number of tags instead of one label."""
        return self.label.ndim == 2 and not self.exclusive

    @property
    def soft(self) -> bool:
        """Whether labels are shares of listeners, between yes and no."""
        return self.exclusive or (self.tagged and bool(((self.label > 0) & (self.label < 1)).any()))

    def targets(self, index: torch.Tensor) -> torch.Tensor:
        """(len(index), n_classes) what windows are to be predicted as: one-hot, tags, or shares."""
        labels = self.label[index]
        return F.one_hot(labels, self.n_classes).float() if labels.ndim == 1 else labels

    def strata(self, index: torch.Tensor) -> torch.Tensor:
        """(len(index),) int: the class, of a distribution the likeliest; all alike where songs have tags."""
        labels = self.label[index]
        if self.tagged:
            return torch.zeros(len(labels), dtype=torch.long, device=labels.device)
        return labels.argmax(dim=1) if self.exclusive else labels

    def of_tracks(self, tracks: np.ndarray) -> "Segments":
        """The windows of these tracks only; the frames are shared."""
        return self.kept(np.flatnonzero(np.isin(self.track, tracks)))

    def kept(self, keep: np.ndarray) -> "Segments":
        """These windows only, by their indices."""
        on_device = torch.as_tensor(keep, device=self.device)
        return replace(
            self,
            **{name: getattr(self, name)[on_device] for name in ("first", "n_own", "label")},
            **{name: getattr(self, name)[keep] for name in ("track", "second")},
            truly_clean=None if self.truly_clean is None else self.truly_clean[keep],
        )

    def mislabelled(self, noise: LabelNoise, seed: int, shares: np.ndarray | None = None) -> "Segments":
        """The same windows with noise put into their labels; which labels are right is then known.

        `shares` of listeners by track and class, where the noise draws from them (`label_noise.corrupted`).
        """
        before = self.label.cpu().numpy()
        after = corrupted(before, self.track, self.n_classes, noise, seed, shares)
        clean = after == before if self.truly_clean is None else (after == before) & self.truly_clean
        return replace(self, label=torch.as_tensor(after, device=self.device), truly_clean=clean)

    def in_epoch(self, epoch: int, stride: int) -> torch.Tensor:
        """Indices of an epoch's windows: those at every `stride`-th second, starting one later each epoch.

        With a stride of 0 one window of each track, drawn anew for every epoch and seed: a random crop.
        """
        if stride == 0:
            anywhere = np.random.default_rng([self.crop_seed, epoch]).permutation(len(self))
            chosen = anywhere[np.unique(self.track[anywhere], return_index=True)[1]]
        else:
            chosen = np.flatnonzero(self.second.astype(int) % stride == epoch % stride)
        return torch.as_tensor(chosen, device=self.device)

    def grouped(self, of_class: np.ndarray) -> "Segments":
        """The same windows with fewer classes: class k becomes ``of_class[k]``."""
        renamed = torch.as_tensor(of_class, dtype=self.label.dtype, device=self.device)
        return replace(self, label=renamed[self.label], n_classes=len(np.unique(of_class)))

    def with_crops_of(self, seed: int) -> "Segments":
        """The same windows, whose random crops, and those of the unlabelled ones, this seed draws."""
        others = None if self.unlabelled is None else self.unlabelled.with_crops_of(seed)
        return replace(self, unlabelled=others, crop_seed=seed)

    def evenly(self, n: int) -> "Segments":
        """At most `n` windows of each track, spread evenly from beginning to end; one is the first."""
        order = np.argsort(self.track, kind="stable")
        of_tracks = np.split(order, np.flatnonzero(np.diff(self.track[order])) + 1)
        keep = [own[np.unique(np.linspace(0, len(own) - 1, n).round().astype(int))] for own in of_tracks]
        return self.kept(np.concatenate(keep))

    def spectrograms(self, index: torch.Tensor) -> torch.Tensor:
        """(len(index), 1, n_mels, n_frames) log-mel windows in dB, gathered from the frame store.

        Where the frames do not fit on the device they are read from the memory map, and sent.
        """
        place = self.values.device
        if self.repeats:
            found = self.values[self.rows(index).to(place)].transpose(1, 2).unsqueeze(1)
        else:
            views = self.values.unfold(0, self.n_frames, 1)  # (all frames - n_frames + 1, n_mels, n_frames)
            found = views[self.first[index].to(place)].unsqueeze(1)
        return found if place == self.device else send(found, self.device)

    @cached_property
    def repeats(self) -> bool:
        """Whether any clip is so short that it begins again within a window."""
        return bool((self.n_own < self.n_frames).any())

    def rows(self, index: torch.Tensor) -> torch.Tensor:
        """(len(index), n_frames) rows of the frame store that these windows cover."""
        place = torch.arange(self.n_frames, device=self.device) % self.n_own[index].view(-1, 1)
        return self.first[index].view(-1, 1) + place

    def covered(self) -> torch.Tensor:
        """(n,) rows of the frame store that lie in any of the windows, each once, where the frames lie."""
        place = self.values.device
        first, n_own = self.first.to(place), self.n_own.to(place)
        inside = torch.zeros(len(self.values), dtype=torch.bool, device=place)
        for step in range(int(n_own.max())):  # windows overlap: all their rows would be many times the frames
            inside[first + torch.minimum(n_own - 1, torch.full_like(n_own, step))] = True
        return inside.nonzero().squeeze(1)

    def level_statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each mel band over the windows' frames, two (n_mels, 1) tensors."""
        rows = self.covered()
        n, total, squares = len(rows), 0.0, 0.0
        for block in rows.split(65_536):  # the frames of a corpus in float64 would not fit
            levels = self.values[block].double()
            total, squares = total + levels.sum(dim=0), squares + levels.square_().sum(dim=0)
        mean = total / n
        deviation = (squares / n - mean.square()).clamp_min(1e-6).sqrt()
        finite(mean.cpu(), "levels in the cache of frames", "Delete its folder: they are computed again.")
        return mean.float().view(-1, 1), deviation.float().view(-1, 1)


def placed(values: np.ndarray, device: torch.device) -> torch.Tensor:
    """Frames on the device where they fit; else, and on the CPU, the memory map itself, without a copy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # nothing writes to frames
        mapped = torch.from_numpy(np.asarray(values))
    return mapped.to(device) if values.nbytes <= room_for_frames(device) else mapped


def make_segments(frames: Frames, windows: Windows, device: torch.device, shares: bool = False) -> Segments:
    """Put the frames on the device and give every window the label of its song, or its `shares` of listeners.

    Where the labels per second are known, a window is truly clean when its song's label holds for most of its
    seconds.
    """
    tracks = frames.tracks
    of_songs = tracks.shares if shares else tracks.targets
    label = torch.as_tensor(of_songs[windows.track], device=device)
    return Segments(
        values=placed(frames.values, device),
        first=torch.as_tensor(windows.first, device=device),
        label=label.float() if label.ndim == 2 else label,
        exclusive=shares and not tracks.tagged,
        track=windows.track,
        second=windows.second,
        n_frames=windows.n_frames,
        n_own=torch.as_tensor(windows.n_own, device=device),
        n_classes=len(tracks.classes),
        features=frames.settings,
        truly_clean=_truly_clean(frames, windows) if tracks.second_labels else None,
    )


def concatenate(parts: list[Segments]) -> Segments:
    """Windows of several data sets as one, without labels; tracks are numbered through."""
    rows = np.cumsum([0, *(len(part.values) for part in parts)])
    tracks = np.cumsum([0, *(part.track.max() + 1 for part in parts)])
    label = parts[0].label
    return replace(
        parts[0],
        values=torch.cat([part.values for part in parts]),
        first=torch.cat([part.first + int(row) for part, row in zip(parts, rows, strict=False)]),
        n_own=torch.cat([part.n_own for part in parts]),
        label=label.new_zeros((sum(map(len, parts)), *label.shape[1:])),
        track=np.concatenate([part.track + track for part, track in zip(parts, tracks, strict=False)]),
        second=np.concatenate([part.second for part in parts]),
        truly_clean=None,
    )


def _truly_clean(frames: Frames, windows: Windows) -> np.ndarray:
    window_s = max(1, round(windows.window_s))
    places = zip(windows.track.tolist(), windows.second.tolist(), strict=True)
    return np.array([frames.tracks.holds(track, second, window_s) for track, second in places], dtype=bool)
