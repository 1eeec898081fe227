"""A training step of vgg_slim: ours against plain float32 behind a DataLoader that reads windows one by one; and R-Drop's price.

    python benchmarks/training_step.py

Same network, same windows (synthetic corpus at the front end of SSSL: 128 bands, 3 s), same optimiser, same batch size.
"""

import statistics
import time
from dataclasses import replace

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from mer_core import datasets, frames, models, training
from mer_core.features import LogMel
from mer_core.methods import self_learning

ROUNDS, STEPS, BATCH, WINDOW_S = 5, 4, 64, 3.0
NETWORK = models.Network("vgg_slim")


class OneByOne(Dataset):
    """Windows as a first implementation reads them: one slice of the frame store per item, converted to float32."""

    def __init__(self, store: frames.Frames, windows: frames.Windows):
        self.store, self.windows, self.targets = store, windows, store.tracks.targets

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, j: int):
        first = int(self.windows.first[j])
        levels = torch.from_numpy(self.store.values[first : first + self.windows.n_frames].astype("float32"))
        return levels.T[None], int(self.targets[self.windows.track[j]])


def plain_steps(store: frames.Frames, windows: frames.Windows):
    net = NETWORK.build(4).train()
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
    loader = DataLoader(OneByOne(store, windows), BATCH, shuffle=True, drop_last=True)

    def run() -> float:
        batches = iter(loader)
        began = time.perf_counter()
        for _ in range(STEPS):
            levels, labels = next(batches)
            loss = F.cross_entropy(net((levels + 50) / 20), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return (time.perf_counter() - began) / STEPS

    return run


def our_steps(data: training.Segments, precision: str, method: self_learning.Settings | None = None):
    learner = training.Learner(NETWORK, training.Training(epochs=1000, batch_size=BATCH, precision=precision), data, seed=0)
    learner.model.train()
    everything = torch.arange(len(data))
    labels = self_learning.SoftLabels(everything, F.one_hot(data.label, 4).float(), torch.ones(len(data), dtype=torch.bool))

    def run() -> float:
        batches = learner.batches(everything)
        began = time.perf_counter()
        for _ in range(STEPS):
            batch = next(batches)
            if method is None:
                loss = F.cross_entropy(learner.logits(data.spectrograms(batch)), data.label[batch])
            else:
                loss = self_learning.loss(learner, data, labels, batch, method, method.consistency_weight)
            learner.step(loss)
        return (time.perf_counter() - began) / STEPS

    return run


def main() -> None:
    store = frames.compute(datasets.load("synthetic"), LogMel())
    windows = frames.windows(store, WINDOW_S)
    data = training.segments(store, windows, torch.device("cpu"))
    as_printed = self_learning.Settings()  # R-Drop hears the noisy windows themselves: a second run of the convolutions
    shared_trunk = replace(as_printed, consistency_input=self_learning.MIXED)  # the cpu preset: only the head runs twice
    sides = {
        "plain float32 behind a DataLoader": plain_steps(store, windows),
        "ours in float32": our_steps(data, "float32"),
        "ours": our_steps(data, "bf16"),
        "SSSL without R-Drop": our_steps(data, "bf16", replace(as_printed, consistency_weight=0.0)),
        "SSSL, R-Drop on a shared trunk": our_steps(data, "bf16", shared_trunk),
        "SSSL, R-Drop as printed": our_steps(data, "bf16", as_printed),
    }
    for run in sides.values():
        run()
    rounds = [{name: run() for name, run in sides.items()} for _ in range(ROUNDS)]
    median = {name: statistics.median(r[name] for r in rounds) for name in sides}
    print(
        f"{torch.get_num_threads()} threads, windows of 128 x {windows.n_frames}, batches of {BATCH}, medians of {ROUNDS} rounds"
    )
    for name, seconds in median.items():
        print(f"  {name:<36} {BATCH / seconds:7.0f} windows/s")

    def ratio(a: str, b: str) -> float:
        return statistics.median(r[a] / r[b] for r in rounds)

    print(f"plain / ours: {ratio('plain float32 behind a DataLoader', 'ours'):.2f}")
    for name in ("SSSL, R-Drop on a shared trunk", "SSSL, R-Drop as printed"):
        print(f"{name}, every window noisy: {ratio(name, 'SSSL without R-Drop') - 1:+.1%} of a step without it")


if __name__ == "__main__":
    main()
