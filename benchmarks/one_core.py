"""`mer predict` on one core: which part takes how long, and how much memory long songs take.

    python -m benchmarks.one_core [FOLDER]

Without a folder of sound files, mp3s made by code. One thread does everything; processor time is counted, so
that other work on the machine matters little.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks import sounds
from benchmarks.side_by_side import in_turn
from mer_core import paths, trained_model
from mer_core.audio import decoding
from mer_core.predict import frames_of_file, predict, spectrogram_of_file, window_probabilities

ROUNDS = 5
MINUTES = (1, 10, 60)


def decode(path: Path) -> None:
    with decoding.opened(path) as sound:
        for _ in sound.at(trained_model.shipped().features.sample_rate):
            pass


def peak_mb(minutes: int) -> float:
    """Peak memory of a process that predicts a stereo file of so many minutes."""
    noise = np.random.default_rng(0).integers(-3000, 3000, (60 * sounds.RATE, 2), dtype=np.int16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        with soundfile.SoundFile(path, "w", sounds.RATE, 2) as file:
            for _ in range(minutes):
                file.write(noise)
        words = [sys.executable, "-m", "benchmarks.one_core", "--only", path]
        return float(subprocess.run(words, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    model = trained_model.shipped()
    if wanted.only:
        predict(wanted.only)
        print(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            / (1024 if sys.platform != "darwin" else 1024**2)
        )
        return
    with sounds.files(wanted.folder) as files:
        heard = [frames_of_file(path, model) for path in files]
        spent = in_turn({
            "end to end": lambda: [predict(path) for path in files],
            "decoding and resampling": lambda: [decode(path) for path in files],
            "the same and mel bands": lambda: [spectrogram_of_file(path, model) for path in files],
            "the same and the encoder": lambda: [frames_of_file(path, model) for path in files],
            "the networks": lambda: [window_probabilities(model, frames, s) for frames, _, s in heard],
        }, ROUNDS, clock=time.process_time)  # fmt: skip
    medians = {name: statistics.median(times) for name, times in spent.items()}
    seconds = sum(duration_s for _, _, duration_s in heard)
    speed = seconds / medians["end to end"]
    print(f"{len(files)} files, {seconds:.0f} s of music: {speed:.0f} times real time on one core")
    for name, core_seconds in medians.items():
        print(f"  {name}: {1000 * core_seconds / len(files):.0f} ms a file")
    for minutes in MINUTES:
        print(f"  {minutes} minutes of stereo: at most {peak_mb(minutes):.0f} MB")


if __name__ == "__main__":
    main()
