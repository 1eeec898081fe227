"""A whole training run of SSSL: ours at the cpu preset against a script in the style of DivideMix's.

    python -m benchmarks.experiment

One fold of 96 songs made by code, spectrograms at hand. All is as the cpu preset has it, but for fewer and
fuller epochs, which so little music needs. Both sides have the same network, optimiser, schedule, windows and
epochs, and answer for the test songs; every round has another seed. `benchmarks.plain` is the other side.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from benchmarks import plain
from benchmarks.side_by_side import alone, in_turn, row
from mer_companion.experiments.presets import SSSL
from mer_companion.runs import cross_validation
from mer_companion.runs.settings import Run
from mer_core.evaluation import song_decision
from mer_core.segments import Segments

ROUNDS = 3
CPU = SSSL["cpu"]
RUN = replace(
    CPU,
    dataset="synthetic:n_songs=96,n_artists=48",
    training=replace(CPU.training, epochs=6, stride=1),
    method=replace(CPU.method, warmup_epochs=3),
    folds=replace(CPU.folds, n=3),
)
OURS = "ours at the cpu preset"
THEIRS = "a plain script in the style of DivideMix's, R-Drop as the paper's text reads"


def ours(run: Run, data: Segments, test: Segments, seed: int) -> np.ndarray:
    answer, _ = cross_validation.fit(run, data, seed, on_epoch=lambda row: None)
    return song_decision.mean_probability(answer(test).numpy(), test.track)


def rows(rounds: int = ROUNDS) -> list[dict]:
    frames, everything = cross_validation.load_segments(RUN, torch.device("cpu"))
    training, tested = cross_validation.divided(RUN, frames, fold=0)
    data, test = everything.of_tracks(training), everything.of_tracks(tested)
    truth, right = frames.tracks.targets[tested], {OURS: [], THEIRS: []}

    def taking(name: str, side) -> Callable[[], None]:
        def run() -> None:
            called = side(RUN, data, test, seed=len(right[name])).argmax(axis=1)
            right[name].append(np.mean(called == truth))

        return run

    spent = in_turn({THEIRS: taking(THEIRS, plain.train), OURS: taking(OURS, ours)}, rounds)
    heard = len(data.in_epoch(0, RUN.training.stride))
    unit = f"{RUN.training.epochs} epochs of {heard} windows"
    note = "accuracy on test songs, mean over seeds: ours {:.0%}, the script {:.0%}"
    note = note.format(np.mean(right[OURS]), np.mean(right[THEIRS]))
    return [row("a training run of SSSL, first epoch to test songs", spent, OURS, THEIRS, unit, note)]


if __name__ == "__main__":
    alone(rows, __doc__)
