"""Harmonic pitch class profiles of a noisy minute: ours against Essentia's, one core each.

    python benchmarks/hpcp.py

Essentia (AGPL) is no dependency of this project; without it only our side is shown. pip install essentia
"""

import statistics
import time

import numpy as np
import torch

from mer_core.features import HPCP, hpcp

ROUNDS = 9
SECONDS = 60


def seconds(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    torch.set_num_threads(1)
    settings = HPCP()
    samples = (0.1 * np.random.default_rng(0).standard_normal(SECONDS * settings.sample_rate)).astype(np.float32)
    batch = torch.from_numpy(samples)[None]
    hpcp(batch, settings)  # once, to warm up
    try:
        from essentia.pytools.spectral import hpcpgram
    except ImportError:
        ours = statistics.median(seconds(lambda: hpcp(batch, settings)) for _ in range(ROUNDS))
        print(f"ours: {SECONDS / ours:.0f} times real time on one core; Essentia is not installed")
        return
    hpcpgram(samples, sampleRate=settings.sample_rate)
    pairs = [
        (seconds(lambda: hpcp(batch, settings)), seconds(lambda: hpcpgram(samples, sampleRate=settings.sample_rate)))
        for _ in range(ROUNDS)
    ]
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    print(f"Essentia's time / ours, one core, {ROUNDS} rounds: median {statistics.median(ratios):.2f} "
          f"({ratios[0]:.2f} to {ratios[-1]:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
