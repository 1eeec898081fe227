"""Do probabilities keep what they promise? Of the songs called with probability 0.7, seven in ten should be
called rightly.

One number, a temperature, makes networks more careful or more decided without changing which emotion leads in
a window. It is found on answers for songs that the networks had not heard. NumPy; SciPy to minimise.

Everywhere: ``windows`` is (n_networks, n_windows, n_classes) probabilities, ``track`` (n_windows,) says whose
window it is, and songs come in the order of ``np.unique(track)``."""

import numpy as np
from scipy.optimize import minimize_scalar

from mer_core.evaluation import aggregation, metrics, significance
from mer_core.evaluation.significance import Estimate

BOUNDS = (0.1, 10.0)  # of the temperature that is looked for


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities as their logits divided by T would have given them.

        p_k^(1/T) / sum_j p_j^(1/T)

    >>> tempered(np.array([0.8, 0.2]), 0.5).round(4)  # 16 to 1
    array([0.9412, 0.0588])
    """
    raised = np.asarray(probabilities, dtype=float) ** (1 / temperature)
    return raised / raised.sum(axis=-1, keepdims=True)


def of_songs(windows: np.ndarray, track: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(n_songs, n_classes) mean probability of each song over its windows and over the networks, as a trained
    model answers.
    """
    return aggregation.mean_probability(tempered(windows, temperature).mean(axis=0), track)


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean negative log likelihood of the truth, in nats: 0 for sure and right, log K for knowing nothing."""
    return float(negative_log_likelihood_of_each(probabilities, truth).mean())


def negative_log_likelihood_of_each(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return -np.log(probabilities[np.arange(len(truth)), truth].clip(np.finfo(np.float32).tiny))


def fit_temperature(windows: np.ndarray, track: np.ndarray, truth: np.ndarray) -> float:
    """The temperature at which songs' probabilities make their labels least surprising.

    Guo et al., "On calibration of modern neural networks" (ICML 2017), with their likelihood taken where we
    need it: of songs, after the mean over windows and networks, not of windows.

    Parameters
    ----------
    truth : (n_songs,) class of each song
    """
    low, high = np.log(BOUNDS)
    found = minimize_scalar(
        lambda logarithm: negative_log_likelihood(of_songs(windows, track, np.exp(logarithm)), truth),
        bounds=(low, high),
        method="bounded",
    )
    return float(np.exp(found.x))


def cross_fitted(windows: np.ndarray, track: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Calibrated probabilities of songs, each with the temperature that the other folds' songs ask for:
    (n_songs, n_classes).

    Parameters
    ----------
    fold : (n_songs,) fold in which each song was tested
    """
    ids, answers = np.unique(track), np.empty((len(truth), windows.shape[-1]))
    for k in np.unique(fold):
        asked = np.isin(track, ids[fold == k])
        temperature = fit_temperature(windows[:, ~asked], track[~asked], truth[fold != k])
        answers[fold == k] = of_songs(windows[:, asked], track[asked], temperature)
    return answers


def estimates(probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> dict[str, Estimate]:
    """Surprise and calibration error of songs' leading class, with 95 % intervals over artists.

    Parameters
    ----------
    probabilities : (n_songs, n_classes); truth : (n_songs,) class of each; groups : (n_songs,) its artist
    """
    promised, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    return {
        "surprise": mean_of(negative_log_likelihood_of_each(probabilities, truth), groups),
        "calibration_error": calibration_error(promised, right, np.arange(len(truth)), groups),
    }


def mean_of(values: np.ndarray, groups: np.ndarray) -> Estimate:
    """Mean of one value a song, with its 95 % interval over artists."""
    weights = significance.artist_weights(groups)
    return Estimate(float(values.mean()), *significance.interval(weights @ values / weights.sum(axis=1)))


def calibration_error(
    promised: np.ndarray, right: np.ndarray, song: np.ndarray, groups: np.ndarray
) -> Estimate:
    """`metrics.calibration_error` of answers about songs, or about their windows, with its 95 % interval over
    artists.

    Of a resample it tends to be larger than of the songs themselves, so the resamples are laid around the
    measured one.

    Parameters
    ----------
    promised, right, song : (n_answers,) probability, whether the answer is right, and which song it is about;
    groups : (n_songs,)"""
    gaps = np.zeros((len(groups), metrics.RELIABILITY_BINS))
    np.add.at(gaps, (song, metrics.reliability_bin(promised)), promised - right)
    weights = np.vstack([np.ones(len(groups)), significance.artist_weights(groups)])
    values = np.abs(weights @ gaps).sum(axis=1) / (weights @ np.bincount(song, minlength=len(groups)))
    low, high = significance.interval(significance.recentred(values)[1:])
    return Estimate(float(values[0]), max(low, 0.0), high)


def reliability(
    promised: np.ndarray, right: np.ndarray, groups: np.ndarray
) -> list[tuple[float, float, int, float, float]]:
    """Rows of `metrics.reliability` with the 95 % interval over artists of the share that is kept."""
    weights, bins, rows = significance.artist_weights(groups), metrics.reliability_bin(promised), []
    for b, row in zip(np.unique(bins), metrics.reliability(right, promised), strict=True):
        inside = (bins == b).astype(float)
        drawn = weights @ inside
        kept = (weights @ (inside * right))[drawn > 0] / drawn[
            drawn > 0
        ]  # of the resamples that have such songs
        rows.append((*row, *significance.interval(kept)))
    return rows
