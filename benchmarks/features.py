"""Log-mel spectrograms of a folder of sound files: the frame store against a loop of librosa.

    python -m benchmarks.features [FOLDER]

Without a folder, mp3s made by code. Both sides read the files from the same warm disk cache.
"""

import statistics
import tempfile
from pathlib import Path

import librosa
import pandas as pd

from benchmarks import sounds
from benchmarks.side_by_side import alone, in_turn, row
from mer_core import frames
from mer_core.audio import decoding
from mer_core.audio.features import POWER_FLOOR, LogMel
from mer_core.datasets.tracks import measured

ROUNDS = 5
SETTINGS = LogMel()
OURS, THEIRS, READING = (
    "the frame store, on all cores",
    "librosa.load and melspectrogram, file by file",
    "reading alone",
)


def by_librosa(paths: list[Path]) -> None:
    for path in paths:
        samples, rate = librosa.load(path, sr=SETTINGS.sample_rate)
        power = librosa.feature.melspectrogram(
            y=samples,
            sr=rate,
            n_fft=SETTINGS.window_samples,
            hop_length=SETTINGS.hop_samples,
            n_mels=SETTINGS.n_mels,
        )
        librosa.power_to_db(power, amin=POWER_FLOOR, top_db=None)


def by_reading_alone(paths: list[Path]) -> None:
    """What neither side can do without: decoding and resampling, on one core."""
    for path in paths:
        decoding.read(path, SETTINGS.sample_rate)


def by_frame_store(tracks) -> None:
    with tempfile.TemporaryDirectory() as cache:
        frames.compute(tracks, SETTINGS, cache=Path(cache), progress=False)


def rows(rounds: int = ROUNDS, folder: Path | None = None) -> list[dict]:
    with sounds.files(folder) as paths:
        names = [path.stem for path in paths]
        table = pd.DataFrame({"track_id": names, "path": paths, "label": "any", "group": "any"})
        tracks = measured("files", ("any",), table, skip_unreadable=False)
        sides = {
            THEIRS: lambda: by_librosa(paths),
            OURS: lambda: by_frame_store(tracks),
            READING: lambda: by_reading_alone(paths),
        }
        spent = in_turn(sides, rounds)
    share = statistics.median(spent[READING]) / statistics.median(spent[THEIRS])
    unit = f"{len(paths)} files, {tracks.table['duration_s'].sum():.0f} s of sound"
    note = f"decoding and resampling alone, on one core, are {share:.0%} of the loop"
    return [row("log-mel spectrograms of a folder", spent, OURS, THEIRS, unit, note)]


if __name__ == "__main__":
    alone(rows, __doc__, folder=True)
