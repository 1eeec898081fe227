"""What a label means: Russell's quadrants of the valence-arousal plane.

Valence says how pleasant the expressed emotion is, arousal how activated. Following Russell (1980) and the 4Q
data set (Panda et al. 2018) the quadrants run counter-clockwise from the pleasant and activated one:

=====  ========  ========  ==================
name   valence   arousal   in words
=====  ========  ========  ==================
Q1     high      high      happy, excited
Q2     low       high      angry, tense
Q3     low       low       sad, depressed
Q4     high      low       calm, content
=====  ========  ========  ==================
"""

from dataclasses import dataclass

import numpy as np

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
QUADRANT_WORDS = {"Q1": "happy", "Q2": "tense", "Q3": "sad", "Q4": "calm"}
HIGH_VALENCE = np.array([True, False, False, True])  # per quadrant, in the order of QUADRANTS
HIGH_AROUSAL = np.array([True, True, False, False])
HIGH = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL}


def in_words(label: str) -> str:
    """Q1 becomes "Q1 happy"; labels of your own stay as they are."""
    return f"{label} {QUADRANT_WORDS[label]}" if label in QUADRANT_WORDS else label


def high_probability(quadrant_probability: np.ndarray, dimension: str) -> np.ndarray:
    """Probability that valence (or arousal) is high, from the probabilities of the quadrants.

        P(high valence) = P(Q1) + P(Q4),   P(high arousal) = P(Q1) + P(Q2)

    Parameters
    ----------
    quadrant_probability : (..., 4) float array in the order of QUADRANTS
    dimension : "valence" or "arousal"

    Returns
    -------
    (...,) float array in [0, 1]

    >>> high_probability(np.array([0.5, 0.1, 0.1, 0.3]), "valence")
    np.float64(0.8)
    """
    return quadrant_probability[..., HIGH[dimension]].sum(axis=-1)


@dataclass(frozen=True)
class Scale:
    """A rating scale: its ends, and the midpoint that divides low from high."""

    low: float
    high: float

    @property
    def midpoint(self) -> float:
        """Neither high nor low."""
        return (self.low + self.high) / 2

    def centred(self, ratings):
        """Distance from the midpoint in parts of the whole scale, so that scales can be compared.

            centred = (rating - midpoint) / (high - low),   from -0.5 to 0.5

        >>> float(Scale(1, 9).centred(7.0)), float(Scale(-1, 1).centred(0.5))
        (0.25, 0.25)
        """
        return (ratings - self.midpoint) / (self.high - self.low)


def quadrants(valence, arousal, midpoint, ties: str = "high") -> np.ndarray:
    """Russell quadrant of every pair of ratings: the one place that decides what counts as high.

    A rating on the midpoint itself is a tie. With ``ties="high"`` it counts as high (rating >= midpoint),
    with ``"low"`` as low (only rating > midpoint is high). The choice moves labels: averages of ten
    whole-number answers often hit the midpoint exactly. Ours is "high" because it gives the quadrant counts
    that the makers of PMEmo publish; the SSSL paper states no rule.

    Parameters
    ----------
    valence, arousal : (n,) ratings on one scale
    midpoint : the middle of that scale; or two numbers, where valence and where arousal are divided
    ties : "high" or "low"

    Returns
    -------
    (n,) array of "Q1" to "Q4"

    Raises
    ------
    ValueError : a missing rating (NaN), another word for `ties`

    >>> quadrants([0.9, 0.1, 0.1, 0.5], [0.9, 0.9, 0.1, 0.1], midpoint=0.5).tolist()
    ['Q1', 'Q2', 'Q3', 'Q4']
    """
    if ties not in ("high", "low"):
        raise ValueError(f"ties is 'high' or 'low', got {ties!r}")
    ratings = np.array([valence, arousal], dtype=float)
    if missing := int(np.isnan(ratings).any(axis=0).sum()):
        lacking = f"{missing} of {ratings.shape[1]} songs or frames lack a rating (NaN)"
        raise ValueError(f"{lacking}; leave them out first")
    divided_at = np.reshape(midpoint, (-1, 1))
    high_valence, high_arousal = ratings >= divided_at if ties == "high" else ratings > divided_at
    return np.where(high_arousal, np.where(high_valence, "Q1", "Q2"), np.where(high_valence, "Q4", "Q3"))
