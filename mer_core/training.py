"""The loop that all methods share.

A method is a function ``train(learner, segments, settings)`` made of a few lines: for each epoch, for each
batch, a loss. What those lines need lies here: spectrograms gathered from frames on the device, mixed
precision, optimiser, schedule, log. It returns what answers for other windows: a function from segments to
(n, n_classes) probabilities, mostly ``learner.predict``."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from mer_core import UserError, models
from mer_core.audio.features import Features
from mer_core.datasets.label_noise import LabelNoise, corrupted
from mer_core.device import AUTO, BF16, PRECISIONS, memory_format_on, precision_on
from mer_core.evaluation import aggregation, tag_metrics
from mer_core.files import atomic_write
from mer_core.frames import Frames, Windows

EVALUATION_BATCH = 512  # windows per forward pass without gradients
RISING_SHARE = 0.25  # of all steps, in which the learning rate rises


@dataclass(frozen=True)
class Training:
    """How a network is trained; SSSL prints none of these, Mirable and SELAB some (`experiments.presets`)."""

    epochs: int = 30  # an epoch sees one window in `stride`
    batch_size: int = 64  # windows
    learning_rate: float = 1e-4  # peak of `warmup_then_cosine`; what VGG16 without batch norm bears with Adam
    weight_decay: float = 1e-4  # decoupled (AdamW)
    stride: int = (
        1  # train on every n-th window, starting one later each epoch; 1: all; 0: one of each song, anywhere
    )
    # of convolutions and dense layers: bf16 where the device has it (`device`), else float32; or either
    precision: str = AUTO
    # epochs without a better validation ROC-AUC, then stop and keep the best; 0: to the end, keep the last
    patience: int = 0
    # epochs without a better one, then a tenth of the learning rate (SELAB: 5); 0: `warmup_then_cosine`
    # instead
    plateau: int = 0

    def __post_init__(self):
        if min(self.epochs, self.batch_size) < 1:
            raise ValueError(f"epochs and batch_size are at least 1, got {self.epochs} and {self.batch_size}")
        if min(self.learning_rate, self.weight_decay, self.stride, self.patience, self.plateau) < 0:
            raise ValueError("learning_rate, weight_decay, stride, patience and plateau must not be negative")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, got {self.precision!r}")


@dataclass(frozen=True)
class Segments:
    """The windows of some tracks, ready to be trained on; their frames lie on the device once.

    ``values``: (n_all_frames, n_mels) float16 on the device. ``first``, ``label``: (n,) tensors there.
    ``track``, ``second``: (n,) arrays, whose window it is and where it starts. Tags: ``label`` is (n,
    n_classes), 1.0 where the song has the tag. ``n_own``: (n,) tensor, after how many frames a clip that is
    too short begins again (`frames.Windows`). ``features`` says what a frame's values are. ``truly_clean``:
    (n,) bool array, whether the label is the true one of this window, or None where nobody knows."""

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

    def __len__(self) -> int:
        return len(self.track)

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def tagged(self) -> bool:
        """Whether a window has any number of tags instead of one label."""
        return self.label.ndim == 2

    def of_tracks(self, tracks: np.ndarray) -> "Segments":
        """The windows of these tracks only; the frames are shared."""
        return self.kept(np.flatnonzero(np.isin(self.track, tracks)))

    def kept(self, keep: np.ndarray) -> "Segments":
        """These windows only, by their indices."""
        on_device = torch.as_tensor(keep, device=self.device)
        return replace(
            self, first=self.first[on_device], n_own=self.n_own[on_device], label=self.label[on_device],
            track=self.track[keep], second=self.second[keep],
            truly_clean=None if self.truly_clean is None else self.truly_clean[keep],
        )  # fmt: skip

    def mislabelled(self, noise: LabelNoise, seed: int) -> "Segments":
        """The same windows with noise put into their labels; which labels are right is then known."""
        before = self.label.cpu().numpy()
        after = corrupted(before, self.track, self.n_classes, noise, seed)
        clean = after == before if self.truly_clean is None else (after == before) & self.truly_clean
        return replace(self, label=torch.as_tensor(after, device=self.device), truly_clean=clean)

    def in_epoch(self, epoch: int, stride: int) -> torch.Tensor:
        """Indices of the windows that this epoch trains on: every `stride`-th second of each track, shifting
        with the epoch.

        With a stride of 0 one window of each track, drawn anew for every epoch: a random crop.
        """
        if stride == 0:
            anywhere = np.random.default_rng(epoch).permutation(len(self))
            chosen = anywhere[np.unique(self.track[anywhere], return_index=True)[1]]
            return torch.as_tensor(chosen, device=self.device)
        chosen = np.flatnonzero(self.second.astype(int) % stride == epoch % stride)
        return torch.as_tensor(chosen, device=self.device)

    def evenly(self, n: int) -> "Segments":
        """Only `n` windows of each track, spread evenly from its beginning to its end; all of a track that
        has no more.
        """
        places = [np.flatnonzero(self.track == track) for track in np.unique(self.track)]
        keep = np.concatenate(
            [own[np.unique(np.linspace(0, len(own) - 1, n).round().astype(int))] for own in places]
        )
        return self.kept(keep)

    def spectrograms(self, index: torch.Tensor) -> torch.Tensor:
        """(len(index), 1, n_mels, n_frames) log-mel windows in dB: rows of the frame store, copied only now."""
        if self.repeats:
            return self.values[self.rows(index)].transpose(1, 2).unsqueeze(1)
        views = self.values.unfold(
            0, self.n_frames, 1
        )  # (n_all_frames - n_frames + 1, n_mels, n_frames), no copy
        return views[self.first[index]].unsqueeze(1)

    @cached_property
    def repeats(self) -> bool:
        """Whether any clip is so short that it begins again within a window."""
        return bool((self.n_own < self.n_frames).any())

    def rows(self, index: torch.Tensor) -> torch.Tensor:
        """(len(index), n_frames) rows of the frame store that these windows cover."""
        place = torch.arange(self.n_frames, device=self.device) % self.n_own[index].view(-1, 1)
        return self.first[index].view(-1, 1) + place

    def level_statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of each mel band over these windows' frames, two (n_mels, 1) tensors."""
        rows = torch.unique(self.rows(torch.arange(len(self), device=self.device)))
        n, total, squares = len(rows), 0.0, 0.0
        for block in rows.split(65_536):  # the frames of a corpus in float64 would not fit
            levels = self.values[block].double()
            total, squares = total + levels.sum(dim=0), squares + levels.square().sum(dim=0)
        mean = total / n
        deviation = (squares / n - mean.square()).clamp_min(1e-6).sqrt()
        return mean.float().view(-1, 1), deviation.float().view(-1, 1)


def segments(frames: Frames, windows: Windows, device: torch.device) -> Segments:
    """Put the frames on the device and give every window the label of its song.

    Where the labels per second are known, a window is truly clean when its song's label holds for most of its
    seconds."""
    tracks = frames.tracks
    return Segments(
        values=torch.from_numpy(np.array(frames.values)).to(device),
        first=torch.as_tensor(windows.first, device=device),
        label=torch.as_tensor(
            tracks.targets[windows.track], device=device, dtype=torch.float32 if tracks.tagged else None
        ),
        track=windows.track,
        second=windows.second,
        n_frames=windows.n_frames,
        n_own=torch.as_tensor(windows.n_own, device=device),
        n_classes=len(tracks.classes),
        features=frames.settings,
        truly_clean=_truly_clean(frames, windows) if tracks.second_labels else None,
    )


def joined(parts: list[Segments]) -> Segments:
    """Windows of several data sets as one, without their labels; the tracks of each are numbered behind those
    before.
    """
    rows = np.cumsum([0, *(len(part.values) for part in parts)])
    tracks = np.cumsum([0, *(part.track.max() + 1 for part in parts)])
    return replace(
        parts[0],
        values=torch.cat([part.values for part in parts]),
        first=torch.cat([part.first + int(row) for part, row in zip(parts, rows, strict=False)]),
        n_own=torch.cat([part.n_own for part in parts]),
        label=torch.zeros(
            (sum(map(len, parts)), *parts[0].label.shape[1:]),
            device=parts[0].device,
            dtype=parts[0].label.dtype,
        ),
        track=np.concatenate([part.track + track for part, track in zip(parts, tracks, strict=False)]),
        second=np.concatenate([part.second for part in parts]),
        truly_clean=None,
    )


def _truly_clean(frames: Frames, windows: Windows) -> np.ndarray:
    window_s = max(1, round(windows.n_frames / frames.settings.frames_per_second))
    places = zip(windows.track.tolist(), windows.second.tolist(), strict=True)
    return np.array([frames.tracks.holds(track, second, window_s) for track, second in places], dtype=bool)


class Normalised(nn.Module):
    """A network behind a fixed standardisation of the mel bands, so that a saved network takes plain
    decibels.

    (batch, 1, n_mels, n_frames) levels in dB -> (batch, n_classes) logits.
    """

    def __init__(self, network: nn.Module, mean: torch.Tensor, deviation: torch.Tensor):
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def trunk(self, levels: torch.Tensor) -> torch.Tensor:
        x = (levels.float() - self.mean) / self.deviation
        return self.network.trunk(x.contiguous(memory_format=memory_format_on(x.device)))

    def head(self, features: torch.Tensor) -> torch.Tensor:
        return self.network.head(features).float()

    def forward(self, levels: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(levels))


def warmup_then_cosine(progress: float) -> float:
    """Share of the peak learning rate at a share of the training: linear from 5 % to 1, then half a cosine
    down to 0.
    """
    if progress < RISING_SHARE:
        return 0.05 + 0.95 * progress / RISING_SHARE
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - RISING_SHARE) / (1 - RISING_SHARE))))


class Learner:
    """One network in training: its device, precision, optimiser, schedule, random numbers and log."""

    def __init__(
        self,
        network: models.Network,
        training: Training,
        data: Segments,
        seed: int,
        on_epoch: Callable[[dict], None] = lambda row: None,
        validation: Segments | None = None,
        first_stage: Path | None = None,
    ):
        if validation is None and (training.patience or training.plateau):
            raise UserError(
                "training.patience and training.plateau watch validation songs, and here are none: folds have training and test "
                "songs only, and a model that is to be used learns from all songs. Set both to 0."
            )
        torch.manual_seed(seed)
        self.network, self.training, self.seed, self.tagged = network, training, seed, data.tagged
        self.validation = validation
        self.first_stage, self.recalled_s, self._began = first_stage, 0.0, time.perf_counter()
        self.device = data.device
        self.precision = precision_on(self.device, training.precision)
        self.generator = torch.Generator().manual_seed(seed)  # on the CPU: the same draws on every device
        net = Normalised(network.build(data.n_classes, data.features), *data.level_statistics())
        self.model = net.to(self.device, memory_format=memory_format_on(self.device))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), training.learning_rate, weight_decay=training.weight_decay
        )
        self._steps = sum(
            -(-len(data.in_epoch(e, training.stride)) // training.batch_size) for e in range(training.epochs)
        )
        self.schedule = self._scheduled()
        self.log: list[dict] = []
        self._peers: list[Learner] = []
        self._on_epoch = on_epoch
        self._losses: list[torch.Tensor] = []

    def _scheduled(self) -> torch.optim.lr_scheduler.LRScheduler:
        if self.training.plateau:
            return torch.optim.lr_scheduler.ReduceLROnPlateau(
                self.optimizer, mode="max", patience=self.training.plateau - 1
            )
        return torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: warmup_then_cosine(step / max(self._steps, 1))
        )

    def peer(self, data: Segments, network: object = None) -> "Learner":
        """A second network for the same segments, from other random numbers; both write one log."""
        other = Learner(
            network or self.network, self.training, data, self.seed + 1, self._on_epoch, self.validation
        )
        other.log = self.log
        self._peers.append(other)
        return other

    def keep_first_stage(self) -> None:
        """Store the network as it is now, so that runs which differ only in what follows need not train it
        again.
        """
        if self.first_stage is None:
            return
        seconds = time.perf_counter() - self._began
        with atomic_write(self.first_stage) as fresh:
            torch.save({"weights": self.model.state_dict(), "log": self.log, "seconds": seconds}, fresh)

    def recall_first_stage(self) -> bool:
        """Take over the network, the log and the cost of a first stage that another run has trained; False if
        none has.
        """
        if self.first_stage is None or not self.first_stage.exists():
            return False
        kept = torch.load(self.first_stage, map_location=self.device, weights_only=True)
        self.model.load_state_dict(kept["weights"])
        self.log.extend(kept["log"])
        self.recalled_s = kept["seconds"]
        return True

    def beside(self, module: nn.Module) -> nn.Module:
        """Let the optimiser train another module together with the network; to be called before the first
        step.
        """
        module.to(self.device)
        self.optimizer.add_param_group({"params": module.parameters()})
        self.schedule = self._scheduled()
        return module

    def epochs(self) -> Iterator[int]:
        """Epoch numbers from 0; after each, a row of the log with the mean training loss."""
        best: tuple[float, int, dict] | None = None
        for epoch in range(self.training.epochs):
            self.model.train()
            row = {"epoch": epoch}
            self.log.append(row)
            yield epoch
            row["loss"] = float(torch.stack(self._losses).mean()) if self._losses else None
            self._losses.clear()
            if self.training.patience or self.training.plateau:
                row["validation_roc_auc"] = score = self.validated()
                if self.training.plateau:
                    row["learning_rate"] = self.optimizer.param_groups[0]["lr"]
                    for one in (self, *self._peers):  # those that learn beside it
                        one.schedule.step(score)
                if self.training.patience and (best is None or score > best[0]):
                    best = (
                        score,
                        epoch,
                        {name: value.clone() for name, value in self.model.state_dict().items()},
                    )
            self._on_epoch(row)
            if best is not None and epoch - best[1] >= self.training.patience:
                break
        if best is not None:
            self.model.load_state_dict(best[2])

    def validated(self) -> float:
        """ROC-AUC, mean over tags, of songs that nothing is learned from, by the mean over every `stride`-th
        window.
        """
        index = self.validation.in_epoch(0, self.training.stride or 1)
        heard = self.validation.track[index.cpu().numpy()]
        probabilities = aggregation.mean_probability(
            self.predict(self.validation, index).cpu().numpy(), heard
        )
        first = np.unique(self.validation.track, return_index=True)[1]
        _, area = tag_metrics.ranking(self.validation.label.cpu().numpy()[first] > 0, probabilities)
        return float(np.nanmean(area))

    def loss(self, logits: torch.Tensor, labels: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
        """Cross-entropy against one label each, or binary cross-entropy against every tag; mean over the
        batch.
        """
        if self.tagged:
            return F.binary_cross_entropy_with_logits(logits, labels)
        return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)

    def batches(self, index: torch.Tensor) -> Iterator[torch.Tensor]:
        """Shuffled batches of window indices; a last batch of one is left out, batch norm cannot use it."""
        order = torch.randperm(len(index), generator=self.generator).to(self.device)
        for batch in index[order].split(self.training.batch_size):
            if len(batch) > 1:
                yield batch

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == BF16)

    def trunk(self, levels: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return self.model.trunk(levels)

    def head(self, features: torch.Tensor) -> torch.Tensor:
        with self.autocast():
            return self.model.head(features)

    def logits(self, levels: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(levels))

    def step(self, loss: torch.Tensor) -> None:
        """One step of the optimiser and of its schedule; a loss that is not finite changes nothing and is
        counted in the log.
        """
        if torch.isfinite(loss):
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            self._losses.append(loss.detach())
        else:
            self.log[-1]["steps_not_finite"] = self.log[-1].get("steps_not_finite", 0) + 1
        if not self.training.plateau:
            self.schedule.step()

    def note(self, **row) -> None:
        """Add figures to the current epoch's row of the log."""
        self.log[-1].update(row)

    @torch.no_grad()
    def predict(self, data: Segments, index: torch.Tensor | None = None) -> torch.Tensor:
        """(n, n_classes) probabilities of windows, without dropout, on the device; all windows if no index is
        given.
        """
        if index is None:
            index = torch.arange(len(data), device=self.device)
        was_training = self.model.training
        self.model.eval()
        logits = torch.cat([self.logits(data.spectrograms(part)) for part in index.split(EVALUATION_BATCH)])
        self.model.train(was_training)
        return logits.sigmoid() if self.tagged else logits.softmax(dim=1)


class LearnerEnsemble:
    """What several networks answer: the mean of their probabilities."""

    def __init__(self, *learners: Learner):
        self.learners = learners

    def __call__(self, data: Segments) -> torch.Tensor:
        return sum(one.predict(data) for one in self.learners) / len(self.learners)


def modules_of(answer: Callable[[Segments], torch.Tensor]) -> list[nn.Module]:
    """The networks behind a method's answer, each from levels in dB to logits; their mean probability is that
    answer.

    Raises
    ------
    UserError : the answer is more than that, as in two-stage training, which listens to a song as a whole
    """
    learners = answer.learners if isinstance(answer, LearnerEnsemble) else [getattr(answer, "__self__", None)]
    if not all(isinstance(one, Learner) for one in learners):
        raise UserError(
            "this method decides for whole songs and leaves no network for windows: choose another, say inherit."
        )
    return [one.model for one in learners]
