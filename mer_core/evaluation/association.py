"""Does one thing rank with another? Rank correlation, also given a third, and AUC, over resampled groups.

Each function gives (1 + draws,) values: on the rows themselves, then on bootstrap resamples of whole groups
(artists, series of games), as `significance.averaged` takes them, a row for each training.
"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from mer_core.evaluation.significance import DRAWS, artist_weights

SMALLEST = 1e-9  # ranks in parts of all rows that vary less never vary


def rank_correlation(
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    given: pd.DataFrame | None = None,
    within: np.ndarray | None = None,
    draws: int = DRAWS,
) -> np.ndarray:
    """Spearman's rank correlation, also partial (given other columns) or within clusters.

        r = - P_xy / sqrt(P_xx P_yy),   P: inverse of the covariance of (controls, ranks of x, ranks of y)

    which is the correlation of what linear regressions on the controls leave of the two ranks. Ranks are
    those of all rows, resampled or not. 0 where one of the two never varies, or is known from the controls.

    Parameters
    ----------
    x, y : (n,) numbers
    groups : (n,) what is resampled
    given : columns to be controlled for: categories become indicators, numbers stay
    within : (n,) clusters, each in one group, whose mean ranks are subtracted
    """
    ranks = np.column_stack([rankdata(x), rankdata(y)]) / len(x)
    if within is not None:
        ranks = ranks - pd.DataFrame(ranks).groupby(np.asarray(within)).transform("mean").to_numpy()
    controls = np.empty((len(x), 0)) if given is None else indicators(given)
    if (residuals(ranks, controls).std(axis=0) < SMALLEST).any():
        return np.zeros(1 + draws)
    table = np.column_stack([np.ones(len(x)), controls, ranks])
    of_group = np.unique(groups, return_inverse=True)[1]
    moments = np.zeros((of_group.max() + 1, table.shape[1], table.shape[1]))
    for g in range(len(moments)):
        own = table[of_group == g]
        moments[g] = own.T @ own
    summed = np.einsum("dg,gij->dij", group_weights(of_group, draws), moments)
    known, both = summed[:, :-2, :-2], summed[:, -2:, -2:]
    mixed = summed[:, :-2, -2:]
    rest = both - mixed.transpose(0, 2, 1) @ np.linalg.pinv(known, rcond=1e-10, hermitian=True) @ mixed
    spread = np.sqrt((rest[:, 0, 0] * rest[:, 1, 1]).clip(min=SMALLEST**2))
    return (rest[:, 0, 1] / spread).round(12)


def auc(positive: np.ndarray, score: np.ndarray, groups: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """How often a positive row scores higher than a negative one; ties count half. Chance is a half.

        AUC = sum_gh w_g w_h C_gh / (sum_g w_g n+_g  sum_h w_h n-_h)

    C_gh: over positives of group g and negatives of group h, how many are in order; w: how often a resample
    has the group.

    Parameters
    ----------
    positive : (n,) bool
    score, groups : (n,)

    Raises
    ------
    ValueError : positives or negatives alone
    """
    if positive.all() or not positive.any():
        raise ValueError("AUC compares positives with negatives: here is only one of the two")
    of_group = np.unique(groups, return_inverse=True)[1]
    n_groups = of_group.max() + 1
    ordered = np.zeros((n_groups, n_groups))
    for h in range(n_groups):
        negatives = np.sort(score[~positive & (of_group == h)])
        below = np.searchsorted(negatives, score[positive], side="left")
        up_to = np.searchsorted(negatives, score[positive], side="right")
        ordered[:, h] = np.bincount(of_group[positive], (below + up_to) / 2, n_groups)
    n_positive, n_negative = (np.bincount(of_group[own], minlength=n_groups) for own in (positive, ~positive))
    weights = group_weights(of_group, draws)
    pairs = (weights @ n_positive) * (weights @ n_negative)
    some = pairs > 0  # a resample may lack one of the two
    found = np.einsum("dg,gh,dh->d", weights, ordered, weights)
    return np.where(some, found / np.where(some, pairs, 1), 0.5)


def group_weights(of_group: np.ndarray, draws: int) -> np.ndarray:
    """(1 + draws, n_groups): ones, then how often each group is in each resample."""
    names = np.arange(of_group.max() + 1)
    digits = len(str(names[-1]))  # names are sorted as text
    drawn = artist_weights(np.array([f"{name:0{digits}d}" for name in names]), draws)
    return np.vstack([np.ones(len(names)), drawn])


def indicators(given: pd.DataFrame) -> np.ndarray:
    """(n, n_columns) controls: numbers as they are, of categories all indicators but the first."""
    return pd.get_dummies(given, drop_first=True).to_numpy(dtype=float)


def residuals(values: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """What a linear regression with a constant leaves of each column."""
    table = np.column_stack([np.ones(len(values)), controls])
    return values - table @ np.linalg.lstsq(table, values, rcond=None)[0]
