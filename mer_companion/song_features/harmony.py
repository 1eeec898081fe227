"""What notes, chords and keys a song is made of, in numbers that are the same whichever key it is in.

Everywhere: a chroma is a (12, n) array, how strongly each pitch class (C, C sharp, ... B) sounds in each of n
frames.
"""

import librosa
import numpy as np
from scipy.ndimage import uniform_filter1d

LOWEST_HZ, N_NOTES, HOP = 55.0, 78, 2048  # from A1, six and a half octaves of semitones; samples
REGISTERS = {"bass": slice(0, 24), "middle": slice(12, 60), "all": slice(0, N_NOTES)}  # of notes
SCALES = (1, 11, 43)  # frames that are averaged: a tenth of a second, one second, four
MODES = {  # how well each step of the scale fits a key: listeners' ratings (Krumhansl and Kessler 1982)
    "major": np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]),
    "minor": np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]),
}
CHORDS = {  # semitones above the root
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "diminished": (0, 3, 6),
    "augmented": (0, 4, 8),
    "dominant seventh": (0, 4, 7, 10),
    "major seventh": (0, 4, 7, 11),
    "minor seventh": (0, 3, 7, 10),
    "suspended": (0, 5, 7),
    "fifth": (0, 7),
    "one note": (0,),
}
WAVES = np.exp(
    -2j * np.pi * np.outer(np.arange(12), np.arange(1, 7)) / 12
)  # Fourier transform of pitch classes


def features(samples: np.ndarray, rate: int) -> np.ndarray:
    """Harmony of one song in three registers and at three time scales, and its intervals: (n_features,)."""
    levels = notes(samples, rate)
    found = []
    for register in REGISTERS.values():
        chroma = folded(levels, register)
        found += [along(chroma, frames) for frames in SCALES] + [as_a_whole(chroma)]
    return np.concatenate([*found, stacked(levels)])


def notes(samples: np.ndarray, rate: int) -> np.ndarray:
    """Log strength of each semitone above its surroundings of an octave: (N_NOTES, n_frames)."""
    # filters twice as long as usual: else a semitone sounds in its neighbours too
    semitones = {"fmin": LOWEST_HZ, "n_bins": N_NOTES, "filter_scale": 2}
    spectrum = np.abs(librosa.cqt(samples, sr=rate, hop_length=HOP, **semitones))
    peaks = np.maximum(spectrum - uniform_filter1d(spectrum, 13, axis=0), 0)
    return np.log1p(peaks / max(spectrum.mean(), 1e-9))


def folded(levels: np.ndarray, register: slice) -> np.ndarray:
    """Notes of a register as a chroma; notes an octave apart are one pitch class, A first."""
    pitch_class = np.arange(register.start, register.stop) % 12
    return np.eye(12)[:, pitch_class] @ levels[register]


def along(chroma: np.ndarray, frames: int) -> np.ndarray:
    """How harmony moves when so many frames are averaged: chords, keys, their changes and clarity."""
    moments = uniform_filter1d(chroma, frames, axis=1)[:, :: max(1, frames // 2)].T  # (n, 12)
    share = moments / np.maximum(moments.sum(axis=1, keepdims=True), 1e-9)
    waves = share @ WAVES
    motion = np.linalg.norm(np.diff(waves, axis=0), axis=1)
    fit = np.einsum("krp,tp->tkr", TEMPLATES, unit(moments))  # of each kind of chord on each root
    kinds = fit.max(axis=2)
    keys = fit_of_keys(moments)  # (n, 2, 12)
    modes = keys.max(axis=2)
    of_mode = [(modes[:, 0] - modes[:, 1]).mean(), (modes[:, 0] > modes[:, 1]).mean()]
    best = np.bincount(kinds[:, :8].argmax(axis=1), minlength=8) / len(kinds)
    major = kinds[:, :1] - kinds[:, 1:2]
    courses = [np.abs(waves), entropy(share)[:, None], motion[:, None], kinds]
    chords = [*map(spread, courses), best, spread(major), [np.mean(major > 0)]]
    return np.concatenate([*chords, modes.mean(axis=0), of_mode, changes(keys), changes(fit[:, :2])])


def as_a_whole(chroma: np.ndarray) -> np.ndarray:
    """The song's pitch classes relative to its likeliest key, its intervals, and how clear its mode is."""
    mean = chroma.mean(axis=1)
    share = mean / max(mean.sum(), 1e-9)
    each = chroma / np.maximum(chroma.sum(axis=0), 1e-9)
    keys = fit_of_keys(mean[None])[0]
    modes = keys.max(axis=1)
    intervals = [share @ np.roll(share, step) for step in range(1, 7)]
    at_once = [(each * np.roll(each, step, axis=0)).sum(axis=0).mean() for step in range(1, 7)]
    turned = np.roll(share, -keys.max(axis=0).argmax())
    return np.concatenate(
        [np.abs(share @ WAVES), [entropy(share)], modes, [modes[0] - modes[1]], turned, intervals, at_once]
    )


def stacked(levels: np.ndarray) -> np.ndarray:
    """Intervals up to two octaves, height and width of the sound, and levels of thirteen half-octaves."""
    power = max(float((levels**2).mean()), 1e-9)
    intervals = [(levels[:-step] * levels[step:]).mean() / power for step in range(1, 25)]
    share, height = levels / np.maximum(levels.sum(axis=0), 1e-9), np.arange(N_NOTES)
    centre = height @ share
    width = np.sqrt(np.maximum(height**2 @ share - centre**2, 0))
    halves = np.log(levels.reshape(13, 6, -1).sum(axis=1) + 1e-3)
    shape = spread(np.stack([centre, width, entropy(share.T)], axis=1))
    return np.concatenate([intervals, shape, spread(np.abs(np.diff(centre))[:, None]), spread(halves.T)])


def fit_of_keys(moments: np.ndarray) -> np.ndarray:
    """Correlation of (n, 12) pitch classes with both modes on all tonics: (n, 2, 12); silence fits no key."""
    deviation = np.maximum(moments.std(axis=1, keepdims=True), 1e-9)
    return np.einsum("mkp,tp->tmk", KEYS, (moments - moments.mean(axis=1, keepdims=True)) / deviation) / 12


def changes(fit: np.ndarray) -> np.ndarray:
    """How often the best of (n, kinds, 12) changes from moment to moment, and how many are ever best."""
    best = fit.reshape(len(fit), -1).argmax(axis=1)
    return np.array([np.mean(np.diff(best) != 0) if len(best) > 1 else 0.0, len(np.unique(best))])


def spread(course: np.ndarray) -> np.ndarray:
    """Mean and deviation of (n, k) along n: (2 k,); zeros where n is 0, as for changes of a single moment."""
    if not len(course):
        return np.zeros(2 * course.shape[1])
    return np.concatenate([course.mean(axis=0), course.std(axis=0)])


def entropy(share: np.ndarray) -> np.ndarray:
    """Of shares along the last axis, in nats: 0 for one note alone."""
    return -(share * np.log(share + 1e-9)).sum(axis=-1)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def on_every_root(template: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(template, root) for root in range(12)])


STEPS = [np.isin(np.arange(12), steps).astype(float) for steps in CHORDS.values()]
TEMPLATES = np.stack([on_every_root(unit(steps)) for steps in STEPS])
KEYS = np.stack([on_every_root((profile - profile.mean()) / profile.std()) for profile in MODES.values()])
