"""Sound files made by code, as readers have them: mp3, stereo, 44.1 kHz."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from mer_app.inputs import Listing

RATE, SECONDS = 44100, 30


@contextmanager
def files(folder: Path | None, n: int = 12) -> Iterator[list[Path]]:
    """The sound files of a folder; without one, `n` mp3s of noise that decode as slowly as music does."""
    if folder:
        yield Listing([str(folder)]).files
        return
    rng = np.random.default_rng(0)
    swell = np.sin(np.linspace(0, 40, SECONDS * RATE))[:, None]
    with tempfile.TemporaryDirectory() as made:
        for i in range(n):
            samples = 0.3 * swell * rng.standard_normal((SECONDS * RATE, 2)).clip(-1, 1)
            soundfile.write(Path(made, f"{i:02d}.mp3"), samples, RATE)
        yield Listing([made]).files
