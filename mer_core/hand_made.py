"""Hand-made features of one song: what music theory would ask of it, by librosa. They were fixed before they were tested."""

from pathlib import Path

import librosa
import numpy as np

from mer_core import audio

RATE, WINDOW, HOP = 22050, 2048, 512  # Hz, samples, samples
MODES = {  # how well each step of the scale fits a key: listeners' ratings (Krumhansl and Kessler 1982)
    "major": np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]),
    "minor": np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]),
}
BEAT_LAGS_S = np.linspace(0.1, 2.0, 20)


def features(path: Path) -> np.ndarray:
    """Timbre, loudness, harmony and rhythm of one song, (n_features,).

    What changes along time counts five times: its mean, deviation, 10th and 90th percentile, and mean change from frame to frame.

    Raises
    ------
    AudioError : the file cannot be used
    """
    samples = audio.read(path, RATE)
    spectrum = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP))
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=spectrum**2, sr=RATE))
    onsets = librosa.onset.onset_strength(S=mel, sr=RATE)
    courses = np.vstack([*timbre(samples, spectrum, mel), librosa.amplitude_to_db(librosa.feature.rms(S=spectrum)), onsets[None]])
    low, high = np.quantile(courses, (0.1, 0.9), axis=1)
    change = np.abs(np.diff(courses, axis=1)).mean(axis=1)
    return np.concatenate([courses.mean(1), courses.std(1), low, high, change, harmony(samples), rhythm(onsets)])


def timbre(samples: np.ndarray, spectrum: np.ndarray, mel: np.ndarray) -> list[np.ndarray]:
    """How bright, how noisy, how coloured: 20 MFCCs, contrast in seven bands and seven measures of the spectrum, over frames."""
    return [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.spectral_contrast(S=spectrum, sr=RATE),
        librosa.feature.spectral_centroid(S=spectrum, sr=RATE),
        librosa.feature.spectral_bandwidth(S=spectrum, sr=RATE),
        *(librosa.feature.spectral_rolloff(S=spectrum, sr=RATE, roll_percent=share) for share in (0.25, 0.5, 0.85)),
        librosa.feature.spectral_flatness(S=spectrum),
        librosa.feature.zero_crossing_rate(samples, frame_length=WINDOW, hop_length=HOP),
    ]


def harmony(samples: np.ndarray) -> np.ndarray:
    """Pitch content turned so that the likeliest key stands first, how well major and minor fit, and the tonnetz: (33,)."""
    chroma = librosa.feature.chroma_stft(y=samples, sr=RATE, n_fft=4 * WINDOW, hop_length=4 * HOP)
    whole, moving = chroma.mean(axis=1), chroma.std(axis=1)
    heard = (whole - whole.mean()) / max(whole.std(), 1e-9)  # silence fits no key
    fits = np.array([[np.roll(profile, key) @ heard / (12 * profile.std()) for key in range(12)] for profile in MODES.values()])
    key = fits.max(axis=0).argmax()
    major, minor = fits.max(axis=1)
    tonnetz = np.abs(librosa.feature.tonnetz(chroma=np.roll(chroma, -key, axis=0))).mean(axis=1)
    return np.concatenate([np.roll(whole, -key), np.roll(moving, -key), [major, minor, major - minor], tonnetz])


def rhythm(onsets: np.ndarray) -> np.ndarray:
    """Tempo, as its logarithm, and how regular the beat is: the onsets' autocorrelation up to two seconds, (21,)."""
    tempo = librosa.feature.tempo(onset_envelope=onsets, sr=RATE, hop_length=HOP)[0]
    centred = onsets - onsets.mean()
    power = max(float(centred @ centred), 1e-9)
    lags = np.round(BEAT_LAGS_S * RATE / HOP).astype(int)
    return np.array([np.log(max(tempo, 1.0)), *(centred[lag:] @ centred[: len(centred) - lag] / power for lag in lags)])
