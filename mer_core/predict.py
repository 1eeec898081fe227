"""The emotion that a trained model predicts for a sound file.

>>> from mer_core.predict import predict
>>> print(predict("song.mp3"))  # doctest: +SKIP
song.mp3: Q1 happy (0.71), valence 0.78, arousal 0.87, uncertainty 0.58

Quadrants are Russell's (`mer_core.emotion`). Valence and arousal are the probabilities, in [0, 1], that they
are high: 0.5 is undecided, and 0.9 means probably pleasant, not very pleasant.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mer_core import UserError, trained_model, window_features
from mer_core.audio import completeness, decoding
from mer_core.audio.features import LogMel, WindowFeatures, log_mel_of_blocks
from mer_core.device import cores
from mer_core.emotion import high_probability, in_words
from mer_core.evaluation import uncertainty
from mer_core.evaluation.uncertainty import Uncertainty
from mer_core.finite import finite
from mer_core.frames import HOP_S, as_stored, mel_frames_of_windows, window_starts
from mer_core.trained_model import ModelError, TrainedModel

SHORTEST_S = 0.5  # of a sound that is predicted at all
SILENCE, LOUDEST = 1e-4, 10.0  # largest magnitude: -80 dB, and 20 dB above full scale
BATCH = 64  # windows per forward pass: as many as stay in a core's cache


@dataclass(frozen=True)
class Emotion:
    """What a model predicts for one sound file.

    ``probabilities``: of every label, the mean over windows and networks. ``valence``, ``arousal``:
    probability that they are high, or None where the labels are not quadrants. ``uncertainty``: in [0, 1],
    and why (`mer_core.evaluation.uncertainty`). ``timeline``: a row for each window, one every second:
    ``start_s``, ``end_s``, the probability of each label, ``valence``, ``arousal``, and the ``uncertainty``
    there. ``notes``: sentences on what to keep in mind about this file.
    """

    path: Path
    duration_s: float
    probabilities: dict[str, float]
    valence: float | None
    arousal: float | None
    uncertainty: Uncertainty
    timeline: pd.DataFrame
    notes: tuple[str, ...]
    tagged: bool

    @property
    def predicted(self) -> tuple[str, ...]:
        """The likeliest label; of tags all that are likelier than not, or else the likeliest one."""
        ranked = sorted(self.probabilities, key=self.probabilities.get, reverse=True)
        likely = [name for name in ranked if self.probabilities[name] > 0.5]
        return tuple(likely or ranked[:1]) if self.tagged else tuple(ranked[:1])

    def __str__(self) -> str:
        named = ", ".join(f"{in_words(name)} ({self.probabilities[name]:.2f})" for name in self.predicted)
        plane = "" if self.valence is None else f", valence {self.valence:.2f}, arousal {self.arousal:.2f}"
        return f"{self.path}: {named}{plane}, uncertainty {self.uncertainty.total:.2f}"


def predict(path: str | os.PathLike, model: TrainedModel | str | os.PathLike | None = None) -> Emotion:
    """The emotion that a sound file expresses: of the whole, and second by second.

    Parameters
    ----------
    path : a sound file (wav, flac, mp3, ogg, opus, aiff; m4a and others where ffmpeg is installed)
    model : one at hand, or the path of a file that ``mer train`` has written; by default the one that ships

    Raises
    ------
    AudioError : the file cannot be decoded, or is shorter than SHORTEST_S
    ModelError : no such model
    """
    path, model = Path(path), model_of(model)
    values, sound, duration_s = frames_of_file(path, model)
    if duration_s < SHORTEST_S:
        raise decoding.AudioError(
            f"{path}: lasts {duration_s:.2f} s; the shortest possible input is {SHORTEST_S} s: choose a "
            "longer piece."
        )
    each = window_probabilities(model, values, duration_s).astype(float)
    start = np.arange(each.shape[1]) * HOP_S
    timeline = pd.DataFrame({"start_s": start, "end_s": np.minimum(start + model.window_s, duration_s)})
    timeline[list(model.classes)] = each.mean(axis=0)
    plane = {"valence": None, "arousal": None}
    if model.quadrants:
        for dimension in plane:
            timeline[dimension] = high_probability(each.mean(axis=0), dimension)
            plane[dimension] = float(timeline[dimension].mean())
    tagged = model.ensemble.tagged
    timeline["uncertainty"] = uncertainty.entropy(each.mean(axis=0), tagged)
    probabilities = dict(zip(model.classes, each.mean(axis=(0, 1)).tolist(), strict=True))
    whole, notes = uncertainty.of_song(each, tagged), tuple(notes_on(sound, duration_s, model))
    rest = {"uncertainty": whole, "timeline": timeline, "notes": notes, "tagged": tagged}
    return Emotion(path, duration_s, probabilities, **plane, **rest)


def model_of(model: TrainedModel | str | os.PathLike | None) -> TrainedModel:
    if model is None:
        return trained_model.shipped()
    return model if isinstance(model, TrainedModel) else trained_model.named(os.fspath(model))


def frames_of_file(path: Path, model: TrainedModel) -> tuple[torch.Tensor, decoding.Sound, float]:
    """Frames (n_frames, n_values) as networks are trained on them, what was decoded, its length in s."""
    values, mean_square, sound = spectrogram_of_file(path, model)
    if isinstance(model.features, WindowFeatures):
        values = encoded(values, mean_square, sound.given, model)
    return values, sound, sound.given / model.features.sample_rate


def spectrogram_of_file(path: Path, model: TrainedModel) -> tuple[torch.Tensor, float, decoding.Sound]:
    """Levels (n_frames, n_mels) in dB of a file, the mean square of its samples, and what was decoded.

    The sound is decoded block by block: an hour of it needs some megabytes, and 43 MB (twice that for a
    moment) where a pretrained network is to hear it.
    """
    shortest = 0 if isinstance(model.features, LogMel) else window_features.shortest(model.features)
    energies = []

    def metered(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            energies.append(float(np.square(block, dtype=np.float64).sum()))
            yield block

    with decoding.opened(path) as sound:
        samples = repeated(metered(sound.at(model.features.sample_rate)), shortest)
        levels = log_mel_of_blocks(samples, model.spectrogram)
        blocks = [as_stored(block, path) for block in levels]
    return torch.from_numpy(np.concatenate(blocks)), sum(energies) / max(sound.given, 1), sound


def repeated(blocks: Iterator[np.ndarray], shortest: int) -> Iterator[np.ndarray]:
    """Blocks of a sound that begins again until it has so many samples, where it has fewer."""
    first, n = [], 0
    for block in blocks:
        if n < shortest:
            first.append(block)
        n += len(block)
        yield block
    if n < shortest:
        yield np.resize(np.concatenate(first), shortest)[n:]


def encoded(levels: torch.Tensor, mean_square: float, n_samples: int, model: TrainedModel) -> torch.Tensor:
    """(n_windows, n_values) numbers of a sound's windows by the model's own encoder, as they are stored."""
    settings, networks = model.features, list(model.encoder.values())
    device = next(model.encoder.parameters(), levels).device
    levels, gain = levels.T.to(device), window_features.gain_db(mean_square, settings)
    first = mel_frames_of_windows(n_samples, settings).to(device)
    found = (
        window_features.of_levels(levels, part, settings, networks, gain)[:, settings.columns].cpu().half()
        for part in first.split(BATCH)
    )
    return torch.cat(list(found))


@torch.inference_mode()
def window_probabilities(model: TrainedModel, values: torch.Tensor, duration_s: float) -> np.ndarray:
    """Every network's probabilities for every window of a song, (n_networks, n_windows, n_classes).

    The frames of a song that is shorter than a window are repeated.

    Raises
    ------
    ModelError : some are not finite
    """
    device = next(model.ensemble.parameters()).device
    starts = torch.from_numpy(window_starts(duration_s, model.window_s, model.features.frames_per_second))
    within = torch.arange(model.n_frames)
    found = []
    for part in starts.split(BATCH):
        levels = values[(part[:, None] + within) % len(values)].to(device).transpose(1, 2).unsqueeze(1)
        found.append(model.ensemble.each(levels).cpu().numpy())
    return finite(np.concatenate(found, axis=1), "the model's probabilities", "Train it again.", ModelError)


def notes_on(sound: decoding.Sound, duration_s: float, model: TrainedModel) -> Iterator[str]:
    """What to keep in mind about a file that was predicted all the same."""
    if lack := completeness.incomplete(sound):
        yield lack
    if duration_s < model.window_s:
        yield (
            f"lasts {duration_s:.2f} s, shorter than the networks' input of {model.window_s:g} s: "
            "it was repeated, and the prediction is less reliable."
        )
    if sound.native_rate / 2 < 0.9 * model.spectrogram.high_hz:
        yield (
            f"has {sound.native_rate} samples a second, so nothing above {sound.native_rate / 2:g} Hz, "
            "unlike the training data. Use a better copy if there is one."
        )
    if sound.peak > LOUDEST:
        yield (
            f"reaches {sound.peak:.0f} where full scale is 1: its samples seem to be whole numbers stored as "
            "floats, and its level is far too high. Divide them by full scale, or export it in 16 bits."
        )
    if sound.peak < SILENCE:
        mixed = " once its channels are mixed" if sound.channels > 1 else ""
        yield f"is silent{mixed}: the prediction is meaningless."


def predict_all(
    files: Iterable[Path], model: TrainedModel, workers: int | None = None
) -> Iterator[tuple[Path, Emotion | UserError]]:
    """Every file with its prediction, or with the reason why it has none; in order, only a few in memory.

    Parameters
    ----------
    workers : threads, each with one core for decoding, features and networks; by default one a core
    """
    workers = workers or cores()

    def prediction(path: Path) -> Emotion | UserError:
        try:
            return predict(path, model)
        except UserError as error:
            return error
        except Exception as error:  # one file must not end the others
            reason = f"could not be predicted ({type(error).__name__}: {error})"
            return UserError(f"{path}: {reason}. This is a fault of mer: please report it with this line.")

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(workers)
    try:
        waiting = deque()
        for path in files:
            waiting.append((path, pool.submit(prediction, path)))
            if len(waiting) >= 4 * workers:
                path, future = waiting.popleft()
                yield path, future.result()
        for path, future in waiting:
            yield path, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(threads)
