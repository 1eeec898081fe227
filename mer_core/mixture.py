"""Probability that a label is clean, from its loss (SSSL, section 2.1.2; Arazo et al. 2019; Li et al. 2020).

Networks fit plausible labels before implausible ones. Early in training the losses of clean labels gather
low, those of noisy labels high; two Gaussians describe them:

    p(l) = lambda_1 N(l; mu_1, s_1^2) + lambda_2 N(l; mu_2, s_2^2)                                     (Eq. 3)

The posterior of the component with the smaller mean is the probability that a label is clean.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

# EM settings: the paper gives none. Variance floor of DivideMix (Li et al. 2020); more steps and a finer stop
# than its 10 and 1e-2, because one dimension costs nothing.
MAX_STEPS, TOLERANCE, VARIANCE_FLOOR = 100, 1e-3, 5e-4
SMALLEST_SPREAD = 1e-8  # losses closer together than this are constant
FEWEST_LOSSES = 10  # below this, two Gaussians describe nothing


@dataclass(frozen=True)
class LossMixture:
    """A fitted mixture over min-max scaled losses; component 0 is the clean one (smaller mean)."""

    clean_probability: np.ndarray  # (n,) in [0, 1]; 0 for losses that are not finite
    scaled_loss: np.ndarray  # (n,) in [0, 1]; 1 for losses that are not finite
    means: tuple[float, float] | None  # None where no mixture could be fitted
    deviations: tuple[float, float] | None
    weights: tuple[float, float] | None
    bic_gain: float | None  # BIC of one Gaussian minus BIC of two: positive where two describe losses better
    note: str  # what a guard did; empty where nothing was needed


def min_max(losses: np.ndarray) -> np.ndarray:
    """Scale to [0, 1], so that the mixture does not depend on training progress; constant losses become 0."""
    spread = losses.max() - losses.min()
    return (losses - losses.min()) / spread if spread > SMALLEST_SPREAD else np.zeros_like(losses)


def fit(losses: np.ndarray, seed: int = 0) -> LossMixture:
    """Probability that each label is clean, from its loss.

    Between the two means the posterior falls with the loss. Outside them a wide component can overtake a
    narrow one (a tiny loss would seem noisy), so losses beyond a mean are judged as if they lay on it.

    Guards: losses that are not finite count as noisy and are kept out of the fit; with fewer than
    FEWEST_LOSSES finite losses, or constant ones, every label counts as clean. The note says so.

    Parameters
    ----------
    losses : (n,) float array, one cross-entropy per training window
    """
    finite = np.isfinite(losses)
    notes = [] if finite.all() else [f"{np.sum(~finite)} losses not finite: called noisy"]
    probability, scaled = np.zeros(len(losses)), np.ones(len(losses))
    if finite.any():
        scaled[finite] = min_max(losses[finite].astype(float))
    points = scaled[finite][:, None]
    if len(points) < FEWEST_LOSSES or np.ptp(points) == 0:
        probability[finite] = 1.0
        notes.append("losses constant or too few: every label kept")
        return LossMixture(probability, scaled, None, None, None, None, "; ".join(notes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture that still moves a little will do
        em = {"max_iter": MAX_STEPS, "tol": TOLERANCE, "reg_covar": VARIANCE_FLOOR, "random_state": seed}
        one, two = (GaussianMixture(n, **em).fit(points) for n in (1, 2))
    clean, noisy = np.argsort(two.means_[:, 0])
    means = two.means_[[clean, noisy], 0]
    probability[finite] = two.predict_proba(points.clip(*means))[:, clean]
    return LossMixture(
        probability,
        scaled,
        means=tuple(means.tolist()),
        deviations=tuple(np.sqrt(two.covariances_[[clean, noisy], 0, 0]).tolist()),
        weights=tuple(two.weights_[[clean, noisy]].tolist()),
        bic_gain=float(one.bic(points) - two.bic(points)),
        note="; ".join(notes),
    )


def fit_per_class(losses: np.ndarray, labels: np.ndarray, seed: int = 0) -> LossMixture:
    """Probability that each label is clean, among the labels of its class only.

    One mixture over all classes finds a whole class noisy when it is merely harder to recognise; here every
    emotion is judged by its own losses. There is no single pair of Gaussians to report; the BIC gain is the
    sum over classes.
    """
    probability, scaled = np.zeros(len(losses)), np.ones(len(losses))
    gains, notes = [], []
    for label in np.unique(labels):
        own = labels == label
        fitted = fit(losses[own], seed)
        probability[own], scaled[own] = fitted.clean_probability, fitted.scaled_loss
        gains.append(fitted.bic_gain or 0.0)
        notes += [f"class {label}: {fitted.note}"] if fitted.note else []
    return LossMixture(probability, scaled, None, None, None, float(sum(gains)), "; ".join(notes))


def partition(
    mixture: LossMixture, labels: np.ndarray, threshold: float, least_clean_share: float
) -> tuple[np.ndarray, str]:
    """Which labels to trust: those whose clean probability reaches tau, and of every class at least a share.

    A class without any clean label would vanish from the labelled set and then from the predictions; its
    `least_clean_share` of smallest losses is kept instead.

    Returns
    -------
    (n,) bool array, and a note of what the guard did (empty where nothing was needed)
    """
    clean = mixture.clean_probability >= threshold
    notes = [mixture.note] if mixture.note else []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        least = int(np.ceil(least_clean_share * len(of_class)))
        if clean[of_class].sum() < least:
            clean[of_class[np.argsort(mixture.scaled_loss[of_class], kind="stable")[:least]]] = True
            notes.append(f"class {label}: too few clean labels, kept the {least} of smallest loss")
    if clean.all():
        notes.append("every label called clean: an epoch of plain mixup")
    return clean, "; ".join(notes)
