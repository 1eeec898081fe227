"""Handcrafted features of one song, after music theory, by librosa.

Which kinds there are was decided on the training songs of the first fold of 4Q, by validation inside them.
"""

from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
from scipy.signal import welch

from mer_companion.song_features import harmony
from mer_core.audio import decoding

RATE, WINDOW, HOP = 22050, 2048, 512  # Hz, samples, samples
MODULATION_FRAMES = 344  # eight seconds
MODULATION_HZ = (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 21.5)  # edges: from phrases over beats to tremolo
BEAT_LAGS_S = np.linspace(0.1, 2.0, 20)


def features(path: Path) -> np.ndarray:
    """Timbre, loudness, movement, harmony and rhythm of one song, (n_features,).

    What changes along time counts five times: its mean, deviation, 10th and 90th percentile, and mean change
    from frame to frame.

    Raises
    ------
    AudioError : the file cannot be used
    """
    samples = decoding.read(path, RATE)
    spectrum = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP))
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=spectrum**2, sr=RATE))
    onsets = librosa.onset.onset_strength(S=mel, sr=RATE)
    level = librosa.amplitude_to_db(librosa.feature.rms(S=spectrum))
    courses = np.vstack([*timbre(samples, spectrum, mel), level, onsets[None]])
    low, high = np.quantile(courses, (0.1, 0.9), axis=1)
    change = np.abs(np.diff(courses, axis=1)).mean(axis=1)
    timbral = [courses.mean(1), courses.std(1), low, high, change, covariance(mel), modulation(mel)]
    return np.concatenate([*timbral, harmony.features(samples, RATE), rhythm(onsets)])


def timbre(samples: np.ndarray, spectrum: np.ndarray, mel: np.ndarray) -> list[np.ndarray]:
    """20 MFCCs, contrast in seven bands and seven measures of the spectrum, over frames."""
    edges = (librosa.feature.spectral_rolloff(S=spectrum, sr=RATE, roll_percent=p) for p in (0.25, 0.5, 0.85))
    return [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.spectral_contrast(S=spectrum, sr=RATE),
        librosa.feature.spectral_centroid(S=spectrum, sr=RATE),
        librosa.feature.spectral_bandwidth(S=spectrum, sr=RATE),
        *edges,
        librosa.feature.spectral_flatness(S=spectrum),
        librosa.feature.zero_crossing_rate(samples, frame_length=WINDOW, hop_length=HOP),
    ]


def covariance(mel: np.ndarray) -> np.ndarray:
    """How 16 MFCCs and their changes go together: the logarithm of their covariance matrix, flat: (528,).

    As a matrix logarithm, distances between songs do not depend on the units of the single coefficients
    (log-Euclidean metric).
    """
    mfcc = librosa.feature.mfcc(S=mel, n_mfcc=16)
    both = np.vstack([mfcc, 2 * librosa.feature.delta(mfcc)])
    values, vectors = np.linalg.eigh(np.cov(both) + 0.1 * np.eye(len(both)))
    logarithm = (vectors * np.log(values)) @ vectors.T
    rows, columns = np.triu_indices(len(both))
    return logarithm[rows, columns] * np.where(rows == columns, 1.0, 2**0.5)


def modulation(mel: np.ndarray) -> np.ndarray:
    """Log power of the modulation of loudness between 0.25 and 21.5 Hz, in each of 16 bands, flat."""
    bands = mel.reshape(16, -1, mel.shape[1]).mean(axis=1)
    levels, n = np.maximum(bands, bands.max() - 70), min(MODULATION_FRAMES, bands.shape[1])
    _, power = welch(levels, RATE / HOP, nperseg=n, axis=1)
    frequencies = np.linspace(0, RATE / HOP / 2, power.shape[1])
    own = [power[:, (frequencies >= low) & (frequencies < high)] for low, high in pairwise(MODULATION_HZ)]
    logs = [np.log(one.mean(axis=1) + 1e-2) if one.size else np.zeros(len(bands)) for one in own]
    return np.concatenate(logs)


def rhythm(onsets: np.ndarray) -> np.ndarray:
    """Log tempo, and the autocorrelation of onsets up to two seconds, which tells a regular beat: (21,)."""
    tempo = librosa.feature.tempo(onset_envelope=onsets, sr=RATE, hop_length=HOP)[0]
    centred = onsets - onsets.mean()
    power = max(float(centred @ centred), 1e-9)
    lags = np.round(BEAT_LAGS_S * RATE / HOP).astype(int)
    correlations = [centred[lag:] @ centred[: len(centred) - lag] / power for lag in lags]
    return np.array([np.log(max(tempo, 1.0)), *correlations])
