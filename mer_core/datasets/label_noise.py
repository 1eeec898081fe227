"""Put known noise into labels, so that what a method does about wrong labels can be measured.

Rates are shares of labels *replaced by another class*: at rate 0.2 one label in five is wrong.
"""

from dataclasses import dataclass

import numpy as np

from mer_core import UserError

NONE, SYMMETRIC, AROUSAL_PRESERVING = "none", "symmetric", "arousal_preserving"
WINDOW, SONG = "window", "song"
OTHER_VALENCE = np.array([1, 0, 3, 2])  # the quadrant of the same arousal: Q1 and Q2, Q3 and Q4 change places


@dataclass(frozen=True)
class LabelNoise:
    """Which labels are replaced, and by what."""

    # "symmetric": by any other class; "arousal_preserving": a quadrant by that of the other valence
    kind: str = NONE
    rate: float = 0.0  # share of labels replaced
    # "window": each on its own, as if emotion changed inside the song; "song": all windows of a song alike
    unit: str = WINDOW

    def __post_init__(self):
        if self.kind not in (NONE, SYMMETRIC, AROUSAL_PRESERVING) or self.unit not in (WINDOW, SONG):
            raise ValueError(f"unknown kind {self.kind!r} or unit {self.unit!r} of label noise")
        if not 0 <= self.rate <= 1 or (self.kind == NONE) != (self.rate == 0):
            got = f"got {self.rate} for {self.kind!r}"
            raise ValueError(f"the rate is a share in [0, 1], and 0 only for the kind {NONE!r}; {got}")


def corrupted(
    labels: np.ndarray, track: np.ndarray, n_classes: int, noise: LabelNoise, seed: int
) -> np.ndarray:
    """Labels with noise put in: ``round(rate * units)`` units, drawn without replacement, get another class.

    Parameters
    ----------
    labels, track : (n_windows,) int arrays, the class of each window and whose it is

    Returns
    -------
    (n_windows,) int array

    Raises
    ------
    UserError : arousal-preserving noise on anything but four quadrants

    >>> corrupted(np.array([0, 1, 2, 3]), np.arange(4), 4, LabelNoise("arousal_preserving", 1.0), seed=0)
    array([1, 0, 3, 2])
    """
    if noise.kind == AROUSAL_PRESERVING and n_classes != len(OTHER_VALENCE):
        raise UserError(f"arousal-preserving noise is for four quadrants, not for {n_classes} classes")
    rng = np.random.default_rng(seed)
    unit = np.unique(track, return_inverse=True)[1] if noise.unit == SONG else np.arange(len(labels))
    n_units = unit.max() + 1
    wrong = np.zeros(n_units, dtype=bool)
    wrong[rng.choice(n_units, size=round(noise.rate * n_units), replace=False)] = True
    steps = rng.integers(1, n_classes, size=n_units)  # 1 .. K-1 classes further on: never the same one
    other = OTHER_VALENCE[labels] if noise.kind == AROUSAL_PRESERVING else (labels + steps[unit]) % n_classes
    return np.where(wrong[unit], other, labels)
