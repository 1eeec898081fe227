"""How uncertain a prediction is, and why: single windows, the networks, or a song that changes. NumPy.

The entropy H of a song's mean probability is the sum of three parts, none of them negative:

    H(mean p)  =  mean H(p_nw)                                  doubt: undecided networks
                + mean_w [ H(mean_n p_nw) - mean_n H(p_nw) ]    disagreement: each sure of its own
                + H(mean p) - mean_w H(mean_n p_nw)             change: windows that sound different

for networks n and windows w; the first is often called aleatoric, the second epistemic (Depeweg et al., ICML
2018). All are divided by the largest possible entropy: the sum is between 0 (certain) and 1 (uniform).
"""

from typing import NamedTuple

import numpy as np


class Uncertainty(NamedTuple):
    """``total`` in [0, 1] and its three parts."""

    total: float
    doubt: float
    disagreement: float
    change: float


def entropy(probabilities: np.ndarray, tagged: bool = False) -> np.ndarray:
    """Entropy over the last axis as a share of the largest possible: 0 certain, 1 uniform; of tags the mean.

    >>> float(entropy(np.array([0.25, 0.25, 0.25, 0.25]))), float(entropy(np.array([1.0, 0.0])))
    (1.0, 0.0)
    """
    p = np.asarray(probabilities, dtype=float)
    if tagged:
        return entropy(np.stack([p, 1 - p], axis=-1)).mean(axis=-1)
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1) / np.log(p.shape[-1]) + 0.0


def of_song(each: np.ndarray, tagged: bool = False) -> Uncertainty:
    """The uncertainty of a song's mean probability, and its parts.

    Parameters
    ----------
    each : (n_networks, n_windows, n_classes) probabilities
    """
    total = float(entropy(each.mean(axis=(0, 1)), tagged))
    of_windows = float(entropy(each.mean(axis=0), tagged).mean())
    doubt = float(entropy(each, tagged).mean())
    return Uncertainty(total, doubt, max(of_windows - doubt, 0.0), max(total - of_windows, 0.0))
