"""A folder of songs predicted: `mer predict` against a short script, and against another package.

    python -m benchmarks.predict [FOLDER]

Without a folder, mp3s made by code. All sides may use all cores, each in its own way; models are loaded.

The script is what one writes with librosa, torch and the same networks; its answers must be ours to 0.01. The
package is vibenet (GPL-3, ONNX): it hears other attributes, valence and energy among them, of a song as a
whole. It is no dependency: pip install vibenet
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import torch

from benchmarks import sounds
from benchmarks.side_by_side import alone, in_turn, left_out, row
from mer_core import trained_model, window_features
from mer_core.audio.features import POWER_FLOOR
from mer_core.frames import HOP_S
from mer_core.predict import predict_all

ROUNDS, LARGEST_DIFFERENCE = 5, 0.01
OURS, SCRIPT = "mer predict, all files", "librosa and torch, file by file, with the same networks"
OTHER = "the package vibenet: seven attributes of a song as a whole"


@torch.inference_mode()
def by_script(path: Path, model: trained_model.TrainedModel) -> np.ndarray:
    """(n_classes,) mean probabilities of a song: decoded, cut into windows, asked, averaged."""
    f = model.spectrogram
    samples, _ = librosa.load(path, sr=f.sample_rate)
    power = librosa.feature.melspectrogram(
        y=samples, sr=f.sample_rate, n_fft=f.window_samples, hop_length=f.hop_samples, n_mels=f.n_mels
    )
    pooled = torch.nn.functional.avg_pool1d(torch.from_numpy(power), f.pool_frames, ceil_mode=True)
    levels = pooled.clamp_min(POWER_FLOOR).log10() * 10
    seconds = range(0, int(len(samples) / f.sample_rate - model.window_s) + 1, HOP_S)
    first = [round(second * f.frames_per_second) for second in seconds]
    if not model.encoder:
        windows = torch.stack([levels[:, at : at + model.n_frames] for at in first]).unsqueeze(1)
        return model.ensemble(windows).mean(dim=0).numpy()
    levels += window_features.gain_db(float(np.square(samples, dtype=float).mean()), model.features)
    found = torch.cat([one.features(levels, torch.tensor(first)) for one in model.encoder.values()], dim=1)
    return model.ensemble(found[:, None, model.features.columns, None]).mean(dim=0).numpy()


def by_vibenet(files: list[Path], model) -> None:
    """As its own command does it."""
    from vibenet.core import load_audio

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda path: model.predict([load_audio(path, 16000)], 16000), files))


def vibenet_model():
    try:
        from vibenet import load_model
    except ImportError:
        return None
    return load_model()


def rows(rounds: int = ROUNDS, folder: Path | None = None) -> list[dict]:
    model, other = trained_model.shipped(), vibenet_model()
    with sounds.files(folder) as files:
        heard = [emotion for _, emotion in predict_all(files, model)]
        for emotion in heard:
            found = by_script(emotion.path, model)
            np.testing.assert_allclose(list(emotion.probabilities.values()), found, atol=LARGEST_DIFFERENCE)
        sides = {
            SCRIPT: lambda: [by_script(path, model) for path in files],
            OURS: lambda: list(predict_all(files, model)),
        }
        spent = in_turn(sides | ({OTHER: lambda: by_vibenet(files, other)} if other else {}), rounds)
    seconds = sum(emotion.duration_s for emotion in heard)
    unit = f"{len(files)} files, {seconds:.0f} s of sound"
    note = f"{len(model.ensemble.members)} networks, every second of a song"
    songs, package = "songs predicted, the same networks", "songs predicted, another package"
    if not other:
        return [
            row(songs, spent, OURS, SCRIPT, unit, note),
            left_out(package, "not installed (pip install vibenet)", OURS, OTHER),
        ]
    return [
        row(songs, spent, OURS, SCRIPT, unit, note),
        row(package, spent, OURS, OTHER, unit, "the two predict different attributes"),
    ]


if __name__ == "__main__":
    alone(rows, __doc__, folder=True)
