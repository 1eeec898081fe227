"""Training steps at SSSL's cpu preset: ours against plain PyTorch behind a DataLoader, in float32 and bf16.

    python -m benchmarks.training_step

Same network, windows (synthetic corpus), optimiser and batch size on all sides. One label in eight is called
noisy, about as many as in the records of the headline experiment. Plain steps of SSSL are those of
`benchmarks.plain`: mixup, then two passes over the noisy windows for R-Drop.
"""

from dataclasses import replace

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.plain import OneByOne, loss
from benchmarks.side_by_side import alone, in_turn, row
from mer_companion.experiments.presets import SSSL
from mer_core import datasets, frames, training
from mer_core.device import precision_on
from mer_core.methods import self_learning
from mer_core.segments import Segments, make_segments

ROUNDS, STEPS, ONE_NOISY_IN = 5, 4, 8
RUN = SSSL["cpu"]
AS_PRINTED = replace(RUN.method, consistency_input=self_learning.PLAIN)
SUPERVISED, SUPERVISED_HERE = (
    "plain PyTorch in float32, a DataLoader, labels as they are",
    "ours, labels as they are",
)
FLOAT32, BF16 = (
    "plain PyTorch in float32, as the paper's text reads",
    "plain PyTorch under autocast to bf16, as the text reads",
)
PRESET, PRINTED = (
    "ours at the cpu preset: R-Drop on mixtures",
    "ours as printed: R-Drop on the windows themselves",
)


def plain_steps(data: Segments, bf16: bool, doubting: bool):
    """A function that takes STEPS steps, of SSSL or with all labels believed."""
    net = RUN.network.build(data.n_classes).train()
    optimizer = torch.optim.AdamW(net.parameters(), RUN.training.learning_rate)
    everything = OneByOne(data, torch.arange(len(data)).tolist(), data.level_statistics())
    noisy = torch.arange(RUN.training.batch_size) % ONE_NOISY_IN == 0

    def take() -> None:
        batches = iter(DataLoader(everything, RUN.training.batch_size, shuffle=True, drop_last=True))
        for _ in range(STEPS):
            x, label = next(batches)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                if doubting:
                    total = loss(net, x, F.one_hot(label, data.n_classes).float(), noisy, RUN.method)
                else:
                    total = F.cross_entropy(net(x), label)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()

    return take


def our_steps(data: Segments, method: self_learning.Settings | None):
    """The same of our loop; no method: all labels believed."""
    learner = training.Learner(RUN.network, replace(RUN.training, epochs=1000), data, seed=0)
    learner.model.train()
    everything = torch.arange(len(data))
    noisy = everything % ONE_NOISY_IN == 0
    labels = self_learning.SoftLabels(everything, F.one_hot(data.label).float(), noisy, 1.0 - noisy.float())

    def take() -> None:
        batches = learner.batches(everything)
        for _ in range(STEPS):
            batch = next(batches)
            if method is None:
                total = learner.loss(learner.logits(data.spectrograms(batch)), data.label[batch])
            else:
                total = self_learning.loss(learner, data, labels, batch, method, method.consistency_weight)
            learner.step(total)

    return take


def rows(rounds: int = ROUNDS) -> list[dict]:
    store = frames.compute(datasets.load("synthetic"), RUN.features)
    data = make_segments(store, frames.windows(store, RUN.window_s), torch.device("cpu"))
    sides = {
        SUPERVISED: plain_steps(data, bf16=False, doubting=False), SUPERVISED_HERE: our_steps(data, None),
        FLOAT32: plain_steps(data, bf16=False, doubting=True),
        BF16: plain_steps(data, bf16=True, doubting=True),
        PRESET: our_steps(data, RUN.method), PRINTED: our_steps(data, AS_PRINTED),
    }  # fmt: skip
    spent = in_turn(sides, rounds)
    window = f"{RUN.features.n_mels} bands x {data.n_frames} frames"
    unit = f"{STEPS} steps of {RUN.training.batch_size} windows, {window}"
    note = f"ours in {precision_on(data.device, RUN.training.precision)}"
    return [
        row("a training step, all labels trusted", spent, SUPERVISED_HERE, SUPERVISED, unit, note),
        row("a training step of SSSL", spent, PRESET, FLOAT32, unit, note),
        row("the same, the alternative in bf16", spent, PRESET, BF16, unit, note),
        row("a training step of SSSL, as printed on both sides", spent, PRINTED, FLOAT32, unit, note),
    ]


if __name__ == "__main__":
    alone(rows, __doc__)
