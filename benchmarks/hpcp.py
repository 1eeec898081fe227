"""Harmonic pitch class profiles of a noisy minute: ours against Essentia's, one core each.

    python -m benchmarks.hpcp

Essentia (AGPL) is no dependency; without it there is nothing to compare with: pip install essentia
"""

import numpy as np
import torch

from benchmarks.side_by_side import alone, in_turn, left_out, row
from mer_core.audio.hpcp import HPCP, hpcp

ROUNDS = 9
SECONDS = 60
QUESTION, OURS, THEIRS = "harmonic pitch class profiles", "ours, in PyTorch", "Essentia's hpcpgram"


def rows(rounds: int = ROUNDS) -> list[dict]:
    try:
        from essentia.pytools.spectral import hpcpgram
    except ImportError:
        return [left_out(QUESTION, "not installed (pip install essentia)", OURS, THEIRS)]
    torch.set_num_threads(1)
    settings = HPCP()
    noise = np.random.default_rng(0).standard_normal(SECONDS * settings.sample_rate)
    samples = (0.1 * noise).astype(np.float32)
    batch = torch.from_numpy(samples)[None]
    sides = {
        THEIRS: lambda: hpcpgram(samples, sampleRate=settings.sample_rate),
        OURS: lambda: hpcp(batch, settings),
    }
    return [row(QUESTION, in_turn(sides, rounds), OURS, THEIRS, f"{SECONDS} s of noise", "one core each")]


if __name__ == "__main__":
    alone(rows, __doc__)
