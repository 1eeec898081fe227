"""The training loop that all methods share.

A method is a function ``train(learner, segments, settings)`` of a few lines: for each epoch, for each batch,
a loss. What those lines need is here: mixed precision, optimiser, schedule, training log. It returns a
predictor for other windows: a function from segments to (n, n_classes) probabilities, mostly
``learner.predict``.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from mer_core import UserError, models
from mer_core.device import AUTO, BF16, PRECISIONS, is_asynchronous, memory_format_on, precision_on
from mer_core.evaluation import song_decision, tag_metrics
from mer_core.files import atomic_write
from mer_core.segments import Segments

EVALUATION_BATCH = 512  # windows per forward pass without gradients
NOTHING_TO_DO = torch.zeros(1, 1), torch.ones(1, 1)  # mean and deviation that change no level
WARMUP_SHARE = 0.25  # of all steps, in which the learning rate rises


@dataclass(frozen=True)
class Training:
    """How a network is trained; SSSL prints none of these, Mirable and SELAB some (`experiments.presets`)."""

    epochs: int = 30  # an epoch sees one window in `stride`
    batch_size: int = 64  # windows
    learning_rate: float = 1e-4  # peak of `warmup_then_cosine`; what VGG16 without batch norm bears with Adam
    weight_decay: float = 1e-4  # decoupled (AdamW)
    # train on every n-th window, starting one later each epoch; 1: all; 0: one of each song, anywhere
    stride: int = 1
    # of convolutions and dense layers: bf16 where the device has it (`device`), else float32; or either
    precision: str = AUTO
    # epochs without a better validation ROC-AUC, then stop and keep the best; 0: to the end, keep the last
    patience: int = 0
    # epochs without a better one, then a tenth of the learning rate (SELAB: 5); 0: `warmup_then_cosine`
    plateau: int = 0

    def __post_init__(self):
        if min(self.epochs, self.batch_size) < 1:
            raise ValueError(f"epochs and batch_size are at least 1, got {self.epochs} and {self.batch_size}")
        if min(self.learning_rate, self.weight_decay, self.stride, self.patience, self.plateau) < 0:
            raise ValueError("learning_rate, weight_decay, stride, patience and plateau must not be negative")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, got {self.precision!r}")


class Normalised(nn.Module):
    """A network behind a fixed standardisation of the mel bands, so that a saved network takes decibels.

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


def takes_decibels(network: nn.Module) -> bool:
    """Whether a network takes levels as they are, as pretrained ones do."""
    return getattr(network, "takes_decibels", False)


def warmup_then_cosine(progress: float) -> float:
    """Share of the peak learning rate: linear from 5 % to 1, then half a cosine down to 0."""
    if progress < WARMUP_SHARE:
        return 0.05 + 0.95 * progress / WARMUP_SHARE
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - WARMUP_SHARE) / (1 - WARMUP_SHARE))))


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
                "training.patience and training.plateau watch validation songs, and here are none: folds "
                "have training and test songs only, and a model that is to be used learns from all songs. "
                "Set both to 0."
            )
        torch.manual_seed(seed)
        self.network, self.training, self.seed, self.tagged = network, training, seed, data.tagged
        self.validation = validation
        self.first_stage, self.first_stage_s, self._began = first_stage, 0.0, time.perf_counter()
        self.device = data.device
        self.precision = precision_on(self.device, training.precision)
        self.generator = torch.Generator().manual_seed(seed)  # on the CPU: the same draws on every device
        built = network.build(data.n_classes, data.features)
        net = Normalised(built, *(NOTHING_TO_DO if takes_decibels(built) else data.level_statistics()))
        self.model = net.to(self.device, memory_format=memory_format_on(self.device))
        rates = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
        self.fused = is_asynchronous(self.device)  # one kernel for all weights, which can leave out a step
        self.optimizer = torch.optim.AdamW(self.model.parameters(), **rates, fused=self.fused or None)
        sizes = [len(data.in_epoch(epoch, training.stride)) for epoch in range(training.epochs)]
        self._steps = sum(-(-size // training.batch_size) for size in sizes)
        self.schedule = self._scheduled()
        self.log: list[dict] = []
        self._peers: list[Learner] = []
        self._on_epoch = on_epoch
        self._losses: list[torch.Tensor] = []

    def _scheduled(self) -> LRScheduler:
        if self.training.plateau:
            return ReduceLROnPlateau(self.optimizer, mode="max", patience=self.training.plateau - 1)
        return LambdaLR(self.optimizer, lambda step: warmup_then_cosine(step / max(self._steps, 1)))

    def peer(self, data: Segments, network: object = None) -> "Learner":
        """A second network for the same segments, from other random numbers; both write one log."""
        network = network or self.network
        other = Learner(network, self.training, data, self.seed + 1, self._on_epoch, self.validation)
        other.log = self.log
        self._peers.append(other)
        return other

    def save_first_stage(self) -> None:
        """Store the network as it is now, for runs that differ only in what follows."""
        if self.first_stage is None:
            return
        seconds = time.perf_counter() - self._began
        weights = {name: value.cpu().contiguous() for name, value in self.model.state_dict().items()}
        said = {"log": json.dumps(self.log), "seconds": json.dumps(seconds)}
        with atomic_write(self.first_stage) as fresh:
            save_file(weights, fresh, said)

    def load_first_stage(self) -> bool:
        """Take over network, log and cost of a first stage from another run; False if there is none."""
        if self.first_stage is None or not self.first_stage.exists():
            return False
        with safe_open(self.first_stage, framework="pt", device=str(self.device)) as file:
            said = file.metadata()
            self.model.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        self.log.extend(json.loads(said["log"]))
        self.first_stage_s = json.loads(said["seconds"])
        return True

    def also_train(self, module: nn.Module) -> nn.Module:
        """Let the optimiser train another module too; to be called before the first step."""
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
            losses, *of_peers = [one.losses_since() for one in (self, *self._peers)]
            row["loss"] = mean_of_finite(losses, epoch)
            if left_out := sum(int((~own.isfinite()).sum()) for own in (losses, *of_peers)):
                row["steps_not_finite"] = left_out
            if self.training.patience or self.training.plateau:
                row["validation_roc_auc"] = score = self.validated()
                if self.training.plateau:
                    row["learning_rate"] = self.optimizer.param_groups[0]["lr"]
                    for one in (self, *self._peers):  # those that learn beside it
                        one.schedule.step(score)
                if self.training.patience and (best is None or score > best[0]):
                    best = score, epoch, deepcopy(self.model.state_dict())
            self._on_epoch(row)
            if best is not None and epoch - best[1] >= self.training.patience:
                break
        if best is not None:
            self.model.load_state_dict(best[2])

    def losses_since(self) -> torch.Tensor:
        """(n_steps,) losses of the steps since this was last asked."""
        losses = torch.stack(self._losses).cpu() if self._losses else torch.empty(0)
        self._losses.clear()
        return losses

    def validated(self) -> float:
        """Mean ROC-AUC of tags on the validation songs, each predicted from every `stride`-th window.

        Where labels are shares of listeners, of those above the median song's.
        """
        index = self.validation.in_epoch(0, self.training.stride or 1)
        predicted = self.predict(self.validation, index).cpu().numpy()
        track = self.validation.track[index.cpu().numpy()]
        probabilities = song_decision.mean_probability(predicted, track)
        first = np.unique(self.validation.track, return_index=True)[1]
        label = self.validation.label.cpu().numpy()[first]
        above = np.median(label, axis=0) if self.validation.soft else 0
        _, area = tag_metrics.ranking(label > above, probabilities)
        return float(np.nanmean(area))

    def loss(self, logits: torch.Tensor, labels: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
        """Mean cross-entropy against one label or distribution each, or binary against every tag or share."""
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
        """One step of optimiser and schedule; a loss that is not finite changes no weight and is counted.

        On a GPU the optimiser itself looks at the loss, as behind a GradScaler: nothing here waits for it.
        """
        self._losses.append(loss.detach())
        finite = torch.isfinite(loss.detach())
        if self.fused:
            self.optimizer.found_inf = (~finite).float()
        if self.fused or finite:
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
        if not self.training.plateau:
            self.schedule.step()

    def note(self, **row) -> None:
        """Add figures to the current epoch's row of the log."""
        self.log[-1].update(row)

    @torch.no_grad()
    def predict(self, data: Segments, index: torch.Tensor | None = None) -> torch.Tensor:
        """(n, n_classes) probabilities of windows, by default of all, without dropout; on the device."""
        if index is None:
            index = torch.arange(len(data), device=self.device)
        was_training = self.model.training
        self.model.eval()
        logits = torch.cat([self.logits(data.spectrograms(part)) for part in index.split(EVALUATION_BATCH)])
        self.model.train(was_training)
        return self.probabilities(logits)

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Of exclusive classes, or of every tag by itself."""
        return logits.sigmoid() if self.tagged else logits.softmax(dim=1)


def mean_of_finite(losses: torch.Tensor, epoch: int) -> float | None:
    """The mean loss of an epoch's steps, or None of no steps; raises UserError where no loss is finite."""
    good = losses[losses.isfinite()]
    if len(losses) and not len(good):
        raise UserError(
            f"training: all {len(losses)} losses of epoch {epoch} are NaN or infinite. Lower "
            "training.learning_rate, or take another seed."
        )
    return float(good.mean()) if len(good) else None


def supervised_epoch(
    learner: Learner, segments: Segments, index: torch.Tensor, label_smoothing: float = 0.0
) -> None:
    """One epoch of cross-entropy against the songs' labels."""
    for batch in learner.batches(index):
        logits = learner.logits(segments.spectrograms(batch))
        learner.step(learner.loss(logits, segments.label[batch], label_smoothing))


def epochs_after_warmup(
    segments: Segments, warmup_epochs: int, *learners: Learner
) -> Iterator[tuple[int, torch.Tensor]]:
    """Plain training of all learners in the first epochs; then the number and windows of every other."""
    first = learners[0]
    for epoch in first.epochs():
        index = segments.in_epoch(epoch, first.training.stride)
        if epoch >= warmup_epochs:
            yield epoch, index
            continue
        for one in learners:
            supervised_epoch(one, segments, index)


def minimised(
    learner: Learner, segments: Segments, loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> Callable[[Segments], torch.Tensor]:
    """All epochs of another loss of (logits, the songs' labels); the network then predicts."""
    for epoch in learner.epochs():
        for batch in learner.batches(segments.in_epoch(epoch, learner.training.stride)):
            learner.step(loss(learner.logits(segments.spectrograms(batch)), segments.label[batch]))
    return learner.predict


class LearnerEnsemble:
    """The mean of several networks' probabilities."""

    def __init__(self, *learners: Learner):
        self.learners = learners

    def __call__(self, data: Segments) -> torch.Tensor:
        return sum(one.predict(data) for one in self.learners) / len(self.learners)


def modules_of(predictor: Callable[[Segments], torch.Tensor]) -> list[nn.Module]:
    """The networks, from levels in dB to logits, whose mean probability a method's predictor gives.

    Raises
    ------
    UserError : the predictor is more than that, as in two-stage training, which takes a song as a whole
    """
    ensemble = isinstance(predictor, LearnerEnsemble)
    learners = predictor.learners if ensemble else [getattr(predictor, "__self__", None)]
    if not all(isinstance(one, Learner) for one in learners):
        reason = "this method decides for whole songs and leaves no network for windows"
        raise UserError(f"{reason}: choose another, say inherit.")
    return [one.model for one in learners]
