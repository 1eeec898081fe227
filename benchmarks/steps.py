"""Endless training steps of the project's own loop on random frames: what `benchmarks.gpu` measures."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from mer_core.audio.features import LogMel
from mer_core.device import AUTO, best_device, is_asynchronous
from mer_core.methods import self_learning
from mer_core.models import Network, backbones, crnn, musicnn
from mer_core.segments import Segments
from mer_core.training import Learner, Training

N_CLASSES, N_WINDOWS, ONE_NOISY_IN, SSSL = 4, 4096, 8, self_learning.Settings()
METHODS = "inherit", "self_learning"
WARM_UP, MEASURED_S = 5, 0.7  # steps before, and seconds of, each measurement


@dataclass(frozen=True)
class Built:
    """A network that has no settings in `mer_core.models`."""

    build: Callable[[int, LogMel], nn.Module]


class Head(nn.Module):
    """Dense layers on features of a frozen network, one frame of them a window."""

    def __init__(self, n_classes: int, features: LogMel):
        super().__init__()
        width = musicnn.PENULTIMATE
        hidden = nn.Linear(features.n_values, width), nn.ReLU(), nn.Dropout(0.5)
        self.trunk, self.head = nn.Flatten(), nn.Sequential(*hidden, nn.Linear(width, n_classes))


@dataclass(frozen=True)
class Case:
    """A network on windows of bands x frames, and how it is trained."""

    name: str
    network: object
    bands: int
    frames: int
    batch: int = 64
    method: str = METHODS[0]
    precision: str = AUTO  # bf16 where the device has it
    compiled: str = ""  # mode of torch.compile; "reduce-overhead": CUDA graphs


VGG, SLIM = Case("VGG16", Network("vgg16"), 64, 32), Case("slim VGG", Network("vgg_slim"), 64, 32)
TUNED = Built(lambda n_classes, _: musicnn.MusiCNN(n_classes))
CASES = (
    VGG, replace(VGG, bands=128, frames=129), SLIM,
    Case("head on MusiCNN's features", Built(Head), musicnn.N_FEATURES, 1),
    Case("MusiCNN, all of it", TUNED, musicnn.FEATURES.n_mels, musicnn.WINDOW_FRAMES),
    Case("CRNN", crnn.Settings(), 128, 400, 32), Case("EfficientNet-B0", backbones.Settings(), 96, 960, 32),
)  # fmt: skip


def steps(case: Case, device: torch.device) -> Iterator[torch.Tensor]:
    """Endless training steps, on every device on the same windows in the same order; gives their losses."""
    noise = torch.Generator().manual_seed(0)
    levels = 10 * torch.randn(N_WINDOWS + case.frames, case.bands, generator=noise) - 30
    at, track = torch.arange(N_WINDOWS, device=device), np.arange(N_WINDOWS)
    shape = {"n_frames": case.frames, "n_own": torch.full_like(at, case.frames), "n_classes": N_CLASSES}
    shape["features"] = LogMel(n_mels=case.bands)
    data = Segments(levels.half().to(device), at, at % N_CLASSES, track, np.zeros(N_WINDOWS), **shape)
    training = Training(epochs=100, batch_size=case.batch, precision=case.precision)
    learner = Learner(case.network, training, data, seed=0)
    net = learner.model.train().network
    if case.compiled:
        net.trunk, net.head = (torch.compile(part, mode=case.compiled) for part in (net.trunk, net.head))
    noisy = at % ONE_NOISY_IN == 0
    soft = self_learning.SoftLabels(at, F.one_hot(data.label).float(), noisy, (~noisy).float())
    while True:
        for batch in learner.batches(at):
            if case.method == METHODS[0]:
                loss = learner.loss(learner.logits(data.spectrograms(batch)), data.label[batch])
            else:
                loss = self_learning.loss(learner, data, soft, batch, SSSL, SSSL.consistency_weight)
            learner.step(loss)
            yield loss.detach()


def done(device: torch.device) -> float:
    """The time when the device has done all that it was given."""
    if is_asynchronous(device):
        torch.cuda.synchronize(device)
    return time.time()


def per_second(work: Iterator, device: torch.device, start: float = 0, seconds: float = MEASURED_S) -> float:
    """Steps a second after some that do not count, or from `start` on (a `time.time`)."""
    list(islice(work, WARM_UP))
    while (began := done(device)) < start:
        next(work)
    n = 0
    while n == 0 or time.time() - began < seconds:
        next(work)
        n += 1
    return n / (done(device) - began)


def measured(case: Case, start: float = 0, seconds: float = MEASURED_S) -> tuple[float, float]:
    """Windows a second, and FLOPs of each."""
    device = best_device()
    work = steps(case, device)
    rate = case.batch * per_second(work, device, start, seconds)
    with FlopCounterMode(display=False) as counter:
        next(steps(replace(case, compiled=""), device) if case.compiled else work)
    return rate, counter.get_total_flops() / case.batch
