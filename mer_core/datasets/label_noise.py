"""Put known noise into labels, so that what a method does about wrong labels can be measured.

Rates are shares of labels *replaced by another class*: at rate 0.2 one label in five is wrong. Of
"one_listener" the rate is the share of labels that are one listener's answer, wrong or right.
"""

from dataclasses import dataclass

import numpy as np

from mer_core import UserError

NONE, SYMMETRIC, AROUSAL_PRESERVING = "none", "symmetric", "arousal_preserving"
PAIR, LISTENERS, ONE_LISTENER = "pair", "listeners", "one_listener"
KINDS = (NONE, SYMMETRIC, AROUSAL_PRESERVING, PAIR, LISTENERS, ONE_LISTENER)
OF_QUADRANTS = (AROUSAL_PRESERVING, LISTENERS)
WINDOW, SONG = "window", "song"
OTHER_VALENCE = np.array([1, 0, 3, 2])  # the quadrant of the same arousal: Q1 and Q2, Q3 and Q4 change places
# In which quadrant (column) listeners of VGMIDI place a phrase of each quadrant (row) if not in that of its
# label: 2,697 of 5,978 answers, each the signs of a listener's means over the phrase.
LISTENERS_CHOOSE = np.array([
    [0.00, 0.34, 0.13, 0.53],
    [0.43, 0.00, 0.29, 0.28],
    [0.20, 0.37, 0.00, 0.43],
    [0.48, 0.10, 0.42, 0.00],
])  # fmt: skip


@dataclass(frozen=True)
class LabelNoise:
    """Which labels are replaced, and by what."""

    # "symmetric": by any other class; "arousal_preserving": a quadrant by that of the other valence; "pair":
    # every class by the next one; "listeners": a quadrant as listeners confuse it (`LISTENERS_CHOOSE`);
    # "one_listener": by the answer of one of the song's own listeners, drawn anew for every unit
    kind: str = NONE
    rate: float = 0.0  # share of labels replaced
    # "window": each on its own, as if emotion changed inside the song; "song": all windows of a song alike
    unit: str = WINDOW

    def __post_init__(self):
        if self.kind not in KINDS or self.unit not in (WINDOW, SONG):
            raise ValueError(f"unknown kind {self.kind!r} or unit {self.unit!r} of label noise")
        if not 0 <= self.rate <= 1 or (self.kind == NONE) != (self.rate == 0):
            got = f"got {self.rate} for {self.kind!r}"
            raise ValueError(f"the rate is a share in [0, 1], and 0 only for the kind {NONE!r}; {got}")


def corrupted(
    labels: np.ndarray,
    track: np.ndarray,
    n_classes: int,
    noise: LabelNoise,
    seed: int,
    shares: np.ndarray | None = None,
) -> np.ndarray:
    """Labels with noise put in: ``round(rate * units)`` units, drawn without replacement, get another class.

    Parameters
    ----------
    labels, track : (n_windows,) int arrays, the class of each window and whose it is
    shares : (n_tracks, n_classes) share of each track's listeners who chose each class, for "one_listener"

    Returns
    -------
    (n_windows,) int array

    Raises
    ------
    UserError : noise for quadrants on anything else

    >>> corrupted(np.array([0, 1, 2, 3]), np.arange(4), 4, LabelNoise("arousal_preserving", 1.0), seed=0)
    array([1, 0, 3, 2])
    """
    if noise.kind in OF_QUADRANTS and n_classes != len(OTHER_VALENCE):
        raise UserError(f"{noise.kind} noise is for four quadrants, not for {n_classes} classes")
    rng = np.random.default_rng(seed)
    unit = np.unique(track, return_inverse=True)[1] if noise.unit == SONG else np.arange(len(labels))
    n_units = unit.max() + 1
    wrong = np.zeros(n_units, dtype=bool)
    wrong[rng.choice(n_units, size=round(noise.rate * n_units), replace=False)] = True
    steps = rng.integers(1, n_classes, size=n_units)  # 1 .. K-1 classes further on: never the same one
    if noise.kind == AROUSAL_PRESERVING:
        other = OTHER_VALENCE[labels]
    elif noise.kind in (LISTENERS, ONE_LISTENER):
        chances = LISTENERS_CHOOSE[labels] if noise.kind == LISTENERS else shares[track]
        other = drawn(chances, rng.random(n_units)[unit])
    else:
        other = (labels + (1 if noise.kind == PAIR else steps[unit])) % n_classes
    return np.where(wrong[unit], other, labels)


def drawn(chances: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """(n,) classes, each drawn by its row of (n, n_classes) chances and a number in [0, 1)."""
    below = chances.cumsum(axis=1)[:, :-1]  # the last class has what remains
    return (uniform[:, None] >= below).sum(axis=1)
