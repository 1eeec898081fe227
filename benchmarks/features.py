"""Log-mel of a folder of clips: the frame store against a loop of librosa over the same files.

    python benchmarks/features.py [FOLDER] [--clips N]

Without a folder the synthetic corpus is used (flac). Both sides read the files from the same warm disk cache.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import librosa
import pandas as pd

from mer_core import audio, datasets, frames
from mer_core.features import POWER_FLOOR, LogMel
from mer_core.tracks import Tracks, audio_files, measured

ROUNDS = 5
SETTINGS = LogMel()


def by_librosa(tracks: Tracks) -> None:
    for path in tracks.table["path"]:
        samples, rate = librosa.load(path, sr=SETTINGS.sample_rate)
        power = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=SETTINGS.window_samples, hop_length=SETTINGS.hop_samples, n_mels=SETTINGS.n_mels
        )
        librosa.power_to_db(power, amin=POWER_FLOOR, top_db=None)


def by_reading_alone(tracks: Tracks) -> None:
    """What the loop of librosa cannot do without, and neither can we: decoding and resampling, on one core."""
    for path in tracks.table["path"]:
        audio.read(path, SETTINGS.sample_rate)


def by_frame_store(tracks: Tracks) -> None:
    with tempfile.TemporaryDirectory() as cache:
        frames.compute(tracks, SETTINGS, cache=Path(cache), progress=False)


def seconds(call, tracks: Tracks) -> float:
    began = time.perf_counter()
    call(tracks)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--clips", type=int, default=24)
    wanted = parser.parse_args()
    if wanted.folder:
        paths = list(audio_files(wanted.folder).values())[: wanted.clips]
        table = pd.DataFrame({"track_id": [p.stem for p in paths], "path": paths, "label": "any", "group": "any"})
        tracks = measured(wanted.folder.name, ("any",), table, skip_unreadable=False)
    else:
        tracks = datasets.load("synthetic")
    calls = (by_librosa, by_frame_store, by_reading_alone)
    for call in calls:
        call(tracks)  # warm: disk cache, filters, first imports
    rounds = [[seconds(call, tracks) for call in calls] for _ in range(ROUNDS)]
    ratio = statistics.median(loop / store for loop, store, _ in rounds)
    ours = statistics.median(store for _, store, _ in rounds)
    reading = statistics.median(alone / loop for loop, _, alone in rounds)
    print(f"{len(tracks)} clips, {tracks.table['duration_s'].sum():.0f} s of audio, suffix {tracks.table['path'][0].suffix}")
    print(
        f"frame store {ours:.2f} s; librosa loop / frame store: {ratio:.2f} (median of {ROUNDS} rounds, {os.cpu_count()} cores)"
    )
    print(f"decoding and resampling alone are {reading:.0%} of the librosa loop, on one core")


if __name__ == "__main__":
    main()
