"""SSSL as a reader of the paper would write it in plain PyTorch, in the style of DivideMix's script.

Li, Socher and Hoi, "DivideMix" (ICLR 2020), github.com/LiJunnan1992/DivideMix: every epoch a pass over a
DataLoader for the losses, scikit-learn's mixture, then one DataLoader for the labelled windows and one for
the others, whose labels are guessed batch by batch. Added is what SSSL adds: two passes over the windows
whose label was erased, which should agree (R-Drop). One network, as in SSSL, where DivideMix has two.
"""

from itertools import cycle

import numpy as np
import torch
from sklearn.mixture import GaussianMixture
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from mer_companion.runs.settings import Run
from mer_core.evaluation import song_decision
from mer_core.methods import self_learning
from mer_core.segments import Segments
from mer_core.training import EVALUATION_BATCH, warmup_then_cosine


class OneByOne(Dataset):
    """Some windows, one by one: a slice of the frames in memory, standardised, in float32, and its label."""

    def __init__(self, data: Segments, chosen: np.ndarray, statistics: tuple[torch.Tensor, torch.Tensor]):
        self.values, self.n_frames, self.chosen = data.values, data.n_frames, chosen
        self.first, self.label, (self.mean, self.deviation) = (
            data.first.tolist(),
            data.label.tolist(),
            statistics,
        )

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        j = self.chosen[i]
        levels = self.values[self.first[j] : self.first[j] + self.n_frames].float().T
        return ((levels - self.mean) / self.deviation)[None], self.label[j]


def loss(net, inputs, targets, noisy, settings: self_learning.Settings) -> torch.Tensor:
    """Mixup over the batch, then two passes over the windows whose label was erased (SSSL, Eqs. 6 to 9)."""
    weight = float(torch.distributions.Beta(settings.mixup_alpha, settings.mixup_alpha).sample())
    weight, other = max(weight, 1 - weight), torch.randperm(len(inputs))
    logits = net(weight * inputs + (1 - weight) * inputs[other])
    mixed = weight * targets + (1 - weight) * targets[other]
    total = -(mixed * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
    if noisy.any():
        first, second = (F.log_softmax(net(inputs[noisy]), dim=1) for _ in range(2))
        apart = F.kl_div(first, second, log_target=True, reduction="sum")
        apart = apart + F.kl_div(second, first, log_target=True, reduction="sum")
        total = total + settings.consistency_weight * apart / (2 * len(inputs))
    return total


def seems_clean(net, everything: OneByOne, settings: self_learning.Settings) -> np.ndarray:
    """(n,) bool: which labels the mixture over all losses calls clean, at least one and not all."""
    net.eval()
    with torch.no_grad():
        batches = DataLoader(everything, EVALUATION_BATCH)
        losses = torch.cat([F.cross_entropy(net(x), label, reduction="none") for x, label in batches])
    net.train()
    scaled = ((losses - losses.min()) / (losses.max() - losses.min())).numpy()[:, None]
    mixture = GaussianMixture(n_components=2, max_iter=10, tol=1e-2, reg_covar=5e-4).fit(scaled)
    clean = mixture.predict_proba(scaled)[:, mixture.means_.argmin()] >= settings.clean_threshold
    clean[losses.argmin()], clean[losses.argmax()] = True, False  # both loaders need a window
    return clean


def train(run: Run, data: Segments, test: Segments, seed: int) -> np.ndarray:
    """Train as the run says; gives the mean probabilities of the test songs, (n_songs, n_classes).

    An epoch hears every one of its windows once: the two loaders share a batch as they share the windows.
    """
    torch.manual_seed(seed)
    settings, size, statistics = run.method, run.training.batch_size, data.level_statistics()
    of_epoch = [data.in_epoch(epoch, run.training.stride).numpy() for epoch in range(run.training.epochs)]
    n_steps = sum(-(-len(chosen) // size) for chosen in of_epoch)
    net = run.network.build(data.n_classes).train()
    decay = run.training.weight_decay
    optimizer = torch.optim.AdamW(net.parameters(), run.training.learning_rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_then_cosine(step / n_steps))

    def step(total: torch.Tensor) -> None:
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        schedule.step()

    for epoch, chosen in enumerate(of_epoch):
        everything = OneByOne(data, chosen, statistics)
        if epoch < settings.warmup_epochs:
            for x, label in DataLoader(everything, size, shuffle=True):
                step(F.cross_entropy(net(x), label))
            continue
        clean = seems_clean(net, everything, settings)
        labelled, unlabelled = (
            DataLoader(OneByOne(data, own, statistics), -(-len(own) * size // len(chosen)), shuffle=True)
            for own in (chosen[clean], chosen[~clean])
        )
        for (x, label), (u, _) in zip(labelled, cycle(unlabelled), strict=False):
            with torch.no_grad():
                guessed = net(u).softmax(dim=1) ** (1 / settings.temperature)
                guessed = guessed / guessed.sum(dim=1, keepdim=True)
            targets = torch.cat([F.one_hot(label, data.n_classes).float(), guessed])
            step(loss(net, torch.cat([x, u]), targets, torch.arange(len(targets)) >= len(x), settings))
    net.eval()
    with torch.no_grad():
        loader = DataLoader(OneByOne(test, np.arange(len(test)), statistics), EVALUATION_BATCH)
        said = torch.cat([net(x).softmax(dim=1) for x, _ in loader])
    return song_decision.mean_probability(said.numpy(), test.track)
