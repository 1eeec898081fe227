"""One effect measured on several collections of music: its mean over them, and how far they disagree."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import chdtrc, stdtr, stdtrit

from mer_core.evaluation.significance import LEVEL, POWER


class Summary(NamedTuple):
    """A mean effect with the ends of its 95 % interval, and the spread of the effects around it."""

    value: float
    low: float
    high: float
    p: float  # two-sided, of a mean effect of 0
    tau: float  # standard deviation of the true effects between collections
    i2: float  # share of the effects' variation that their standard errors do not explain
    q: float  # Cochran's Q
    p_q: float  # of equal true effects
    detectable: float  # the smallest mean effect seen with a power of 80 %


def random_effects(effects: np.ndarray, standard_errors: np.ndarray) -> Summary:
    """Random-effects mean with between-collection variance by REML and the interval of Hartung and Knapp.

        y_i = mu + u_i + e_i,   u_i ~ N(0, tau^2),   e_i ~ N(0, s_i^2),   w_i = 1 / (s_i^2 + tau^2)
        mu = sum w_i y_i / sum w_i
        SE^2 = max(1, sum w_i (y_i - mu)^2 / (k - 1)) / sum w_i,   interval mu +- t_{0.975, k - 1} SE
        Q = sum (y_i - mu_0)^2 / s_i^2,   I^2 = max(0, (Q - k + 1) / Q)       (mu_0: mu at tau = 0)

    tau^2 maximises the restricted likelihood. The factor of SE^2 is that of Hartung and Knapp (Statistics in
    Medicine 2001), never below 1, so that few effects which happen to agree do not make the interval narrower
    than a common effect's (Roever, Knapp and Friede, BMC Medical Research Methodology 2015). I^2: Higgins and
    Thompson (Statistics in Medicine 2002). Viechtbauer's metafor (R) computes the same; `tests` hold its
    example.

    Parameters
    ----------
    effects, standard_errors : (k,) an effect y_i and its standard error s_i in each collection, k >= 2

    Raises
    ------
    ValueError : fewer than two effects, or standard errors that are not positive
    """
    y, s2 = np.asarray(effects, dtype=float), np.square(standard_errors, dtype=float)
    if y.ndim != 1 or len(y) < 2 or y.shape != s2.shape or not (s2 > 0).all():
        raise ValueError(
            f"need two or more effects with positive standard errors, got {y.tolist()} and "
            f"{np.asarray(standard_errors).tolist()}"
        )
    k, tau2 = len(y), restricted_maximum(y, s2)
    mean, weights = weighted_mean(y, s2 + tau2)
    spread = weights @ (y - mean) ** 2 / (k - 1)
    error = float(np.sqrt(max(1.0, spread) / weights.sum()))
    reach = error * float(stdtrit(k - 1, (1 + LEVEL) / 2))
    common, precision = weighted_mean(y, s2)
    q = float(precision @ (y - common) ** 2)
    return Summary(
        value=mean,
        low=mean - reach,
        high=mean + reach,
        p=float(2 * stdtr(k - 1, -abs(mean) / error)),
        tau=float(np.sqrt(tau2)),
        i2=max(0.0, (q - k + 1) / q) if q else 0.0,
        q=q,
        p_q=float(chdtrc(k - 1, q)),
        detectable=reach + error * float(stdtrit(k - 1, POWER)),
    )


def weighted_mean(y: np.ndarray, variance: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of effects by the inverse of their variances, and these weights."""
    weights = 1 / variance
    return float(weights @ y / weights.sum()), weights


def restricted_maximum(y: np.ndarray, s2: np.ndarray) -> float:
    """The tau^2 >= 0 that maximises the restricted likelihood of effects y with variances s2 + tau^2."""

    def loss(tau2: float) -> float:
        mean, weights = weighted_mean(y, s2 + tau2)
        return float(weights @ (y - mean) ** 2 - np.log(weights).sum() + np.log(weights.sum()))

    most = float(np.ptp(y) ** 2) + 1e-12  # more than the variance of the effects themselves
    found = minimize_scalar(loss, bounds=(0, most), method="bounded", options={"xatol": most * 1e-10}).x
    return 0.0 if loss(0) <= loss(found) else float(found)
