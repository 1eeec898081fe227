"""What a label means: Russell's quadrants of the valence-arousal plane.

Valence says how pleasant the expressed emotion is, arousal how activated. Following Russell (1980) and the 4Q data set
(Panda et al. 2018) the quadrants run counter-clockwise from the pleasant and activated one:

=====  ========  ========  ==================
name   valence   arousal   heard as
=====  ========  ========  ==================
Q1     high      high      happy, excited
Q2     low       high      angry, tense
Q3     low       low       sad, depressed
Q4     high      low       calm, content
=====  ========  ========  ==================
"""

import numpy as np

QUADRANTS = ("Q1", "Q2", "Q3", "Q4")
QUADRANT_WORDS = {"Q1": "happy", "Q2": "tense", "Q3": "sad", "Q4": "calm"}
HIGH_VALENCE = np.array([True, False, False, True])  # per quadrant, in the order of QUADRANTS
HIGH_AROUSAL = np.array([True, True, False, False])


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
    high = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL}[dimension]
    return quadrant_probability[..., high].sum(axis=-1)
