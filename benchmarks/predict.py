"""`mer predict` end to end, decoding included: seconds of music per second of one core, and memory against the song's length.

    python benchmarks/predict.py [FOLDER]

Without a folder of sound files, twelve mp3s of half a minute are made: noise that swells, which costs a decoder as much as music.
One thread does everything; processor time is counted, so that other work on the machine matters little.
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

from mer_core import audio, trained
from mer_core.listing import Listing
from mer_core.predict import answers, frames_of_file, predict

ROUNDS = 5
RATE = 44100
MINUTES = (1, 10, 60)


def made(folder: Path) -> None:
    """Twelve mp3s of half a minute, in stereo."""
    rng = np.random.default_rng(0)
    swell = np.sin(np.linspace(0, 40, 30 * RATE))[:, None]
    for i in range(12):
        soundfile.write(folder / f"{i}.mp3", 0.3 * swell * rng.standard_normal((30 * RATE, 2)).clip(-1, 1), RATE)


def core_seconds(call, things: list) -> float:
    """Median over rounds of the processor time for all things."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for thing in things:
            call(thing)
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def decode(path: Path) -> None:
    with audio.opened(path) as sound:
        for _ in sound.at(trained.shipped().features.sample_rate):
            pass


def peak_mb(minutes: int) -> float:
    """Peak memory of a process that predicts a stereo file of so many minutes."""
    noise = np.random.default_rng(0).integers(-3000, 3000, (60 * RATE, 2), dtype=np.int16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.wav")
        with soundfile.SoundFile(path, "w", RATE, 2) as file:
            for _ in range(minutes):
                file.write(noise)
        words = [sys.executable, __file__, "--only", path]
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    model = trained.shipped()
    if wanted.only:
        predict(wanted.only)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2))
        return
    with tempfile.TemporaryDirectory() as folder:
        if not wanted.folder:
            made(Path(folder))
        files = Listing([str(wanted.folder or folder)]).files
        heard = [frames_of_file(path, model) for path in files]  # also warms everything up
        seconds = sum(duration_s for _, _, duration_s in heard)
        whole = core_seconds(predict, files)
        parts = {
            "decoding and resampling": core_seconds(decode, files),
            "the same and mel bands": core_seconds(lambda path: frames_of_file(path, model), files),
            "three networks": core_seconds(lambda one: answers(model, one[0], one[2]), heard),
        }
    print(f"{len(files)} files, {seconds:.0f} s of music: {seconds / whole:.0f} times real time on one core, end to end")
    for name, spent in parts.items():
        print(f"  {name}: {1000 * spent / len(files):.0f} ms a file")
    for minutes in MINUTES:
        print(f"  {minutes} minutes of stereo: at most {peak_mb(minutes):.0f} MB of memory")


if __name__ == "__main__":
    main()
