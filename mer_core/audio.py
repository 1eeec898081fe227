"""From a sound file to one channel of samples."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from mer_core import UserError

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff")


class AudioError(UserError):
    """A sound file that cannot be used; the message names the file, the reason and the remedy."""


def read(path: Path, sample_rate: int) -> np.ndarray:
    """Decode a file, average its channels and resample it.

    The same samples as ``librosa.load(path, sr=sample_rate)``: soundfile decodes, soxr (high quality) resamples.

    Parameters
    ----------
    path : a file that libsndfile reads (wav, flac, mp3, ogg, opus, aiff)
    sample_rate : wanted rate in Hz

    Returns
    -------
    (n_samples,) float32 array, usually within [-1, 1]

    Raises
    ------
    AudioError : no sound in the file, no decoder for it, or samples that are not numbers
    """
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes). Fetch it again or remove it.")
    try:
        samples, native_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: cannot be decoded ({error.error_string.strip()}) Convert it to wav or flac, or fetch it again."
        ) from None
    if len(samples) == 0:
        raise AudioError(f"{path}: holds no samples. Fetch it again or remove it.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path}: holds samples that are not numbers (NaN or infinite). Export it again.")
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return soxr.resample(mono, native_rate, sample_rate) if native_rate != sample_rate else mono


def duration_s(path: Path) -> float:
    """Length in seconds as the file's header tells it, without decoding.

    Raises
    ------
    AudioError : the file is empty or not a sound file
    """
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes). Fetch it again or remove it.")
    try:
        return float(soundfile.info(path).duration)
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{path}: is not a sound file that can be read ({error.error_string.strip()}) "
            "Convert it to wav or flac, or fetch it again."
        ) from None
