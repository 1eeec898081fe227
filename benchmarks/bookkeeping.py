"""Which share of an SSSL epoch is not the network: the mixture, its notes, and gathering windows from the
frames.

    python -m benchmarks.bookkeeping

The synthetic corpus, enlarged to the number of windows of one fold of 4Q at the cpu preset.
"""

import statistics
import time

import torch

from mer_companion.experiments.presets import SSSL
from mer_core import frames, mixture
from mer_core.datasets import synthetic
from mer_core.methods import self_learning
from mer_core.segments import make_segments
from mer_core.training import Learner

EPOCHS = 4
CORPUS = synthetic.Corpus(
    n_songs=240, n_artists=120, song_s=30
)  # a third of the songs, all of which every epoch hears


class Stopwatch:
    """Adds up the seconds spent inside the functions that it wraps."""

    def __init__(self):
        self.seconds = 0.0

    def timing(self, call):
        def timed(*arguments, **named):
            began = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def main() -> None:
    run = SSSL["cpu"]
    store = frames.compute(synthetic.read(CORPUS), run.features)
    data = make_segments(store, frames.windows(store, run.window_s), torch.device("cpu"))
    mixing, noting, gathering = Stopwatch(), Stopwatch(), Stopwatch()
    mixture.fit, mixture.partition = mixing.timing(mixture.fit), mixing.timing(mixture.partition)
    self_learning.figures_of = noting.timing(self_learning.figures_of)
    type(data).spectrograms = gathering.timing(type(data).spectrograms)

    shares = []
    learner = Learner(run.network, run.training, data, seed=0)
    index, settings = torch.arange(len(data)), run.method
    learner.log.append({})
    for _ in range(EPOCHS):
        for watch in (mixing, noting, gathering):
            watch.seconds = 0.0
        began = time.perf_counter()
        learner.model.train()
        predictions = learner.predict(data, index)
        labels = self_learning.separate(learner, data, index, predictions, predictions, settings)
        self_learning.semi_supervised_epoch(learner, data, labels, settings, settings.consistency_weight)
        whole = time.perf_counter() - began
        shares.append([watch.seconds / whole for watch in (mixing, noting, gathering)])
    names = ("mixture", "figures for the log", "gathering windows")
    medians = [statistics.median(column) for column in zip(*shares, strict=True)]
    print(f"{len(data)} windows an epoch, {EPOCHS} epochs, shares of an epoch's time (median)")
    for name, share in zip(names, medians, strict=True):
        print(f"  {name:<22} {share:6.2%}")
    print(f"together {sum(medians):.2%}")


if __name__ == "__main__":
    main()
