"""Calibration: of the songs predicted with confidence 0.7, seven in ten should be predicted correctly.

One number, a temperature, makes networks less or more confident without changing the likeliest emotion of a
window. It is fitted to predictions for songs that the networks were not trained on. NumPy; SciPy to minimise.

Everywhere: ``windows`` is (n_networks, n_windows, n_classes) probabilities, ``track`` (n_windows,) says whose
window it is, and songs come in the order of ``np.unique(track)``.
"""

import numpy as np
from scipy.optimize import minimize_scalar

from mer_core.evaluation import metrics, significance, song_decision
from mer_core.evaluation.significance import Estimate

BOUNDS = (0.1, 10.0)  # of the temperature


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities as their logits divided by T would have given them.

        p_k^(1/T) / sum_j p_j^(1/T)

    >>> tempered(np.array([0.8, 0.2]), 0.5).round(4)  # 16 to 1
    array([0.9412, 0.0588])
    """
    raised = np.asarray(probabilities, dtype=float) ** (1 / temperature)
    return raised / raised.sum(axis=-1, keepdims=True)


def of_songs(windows: np.ndarray, track: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(n_songs, n_classes) mean probability over windows and networks, as a trained model predicts."""
    return song_decision.mean_probability(tempered(windows, temperature).mean(axis=0), track)


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean negative log-likelihood of the truth in nats: 0 for certain and correct, log K for uniform."""
    return float(negative_log_likelihood_of_each(probabilities, truth).mean())


def negative_log_likelihood_of_each(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return -np.log(probabilities[np.arange(len(truth)), truth].clip(np.finfo(np.float32).tiny))


def fit_temperature(windows: np.ndarray, track: np.ndarray, truth: np.ndarray) -> float:
    """The temperature that minimises the negative log-likelihood of songs' labels.

    Guo et al., "On calibration of modern neural networks" (ICML 2017), but with the likelihood of songs,
    after the mean over windows and networks, instead of windows.

    Parameters
    ----------
    truth : (n_songs,) class of each song
    """

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(of_songs(windows, track, np.exp(log_temperature)), truth)

    return float(np.exp(minimize_scalar(loss, bounds=np.log(BOUNDS), method="bounded").x))


def cross_fitted(windows: np.ndarray, track: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(n_songs, n_classes) calibrated probabilities, each fold's with the temperature of the other folds.

    Of one fold alone, as at smoke, they stay as they are: no other songs tell a temperature.

    Parameters
    ----------
    fold : (n_songs,) fold in which each song was tested
    """
    if len(set(fold.tolist())) == 1:
        return of_songs(windows, track)
    ids, found = np.unique(track), np.empty((len(truth), windows.shape[-1]))
    for k in np.unique(fold):
        tested = np.isin(track, ids[fold == k])
        temperature = fit_temperature(windows[:, ~tested], track[~tested], truth[fold != k])
        found[fold == k] = of_songs(windows[:, tested], track[tested], temperature)
    return found


def estimates(probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> dict[str, Estimate]:
    """Negative log-likelihood and calibration error of the likeliest class, with 95 % intervals over artists.

    Parameters
    ----------
    probabilities : (n_songs, n_classes); truth : (n_songs,) class of each; groups : (n_songs,) its artist
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    return {
        "surprise": mean_of(negative_log_likelihood_of_each(probabilities, truth), groups),
        "calibration_error": calibration_error(confidence, correct, np.arange(len(truth)), groups),
    }


def mean_of(values: np.ndarray, groups: np.ndarray) -> Estimate:
    """Mean of one value a song, with its 95 % interval over artists."""
    weights = significance.artist_weights(groups)
    return Estimate(float(values.mean()), *significance.interval(weights @ values / weights.sum(axis=1)))


def calibration_error(
    confidence: np.ndarray, correct: np.ndarray, song: np.ndarray, groups: np.ndarray
) -> Estimate:
    """`metrics.calibration_error` of predictions for songs, or their windows, with its interval over artists.

    Of a resample it tends to be larger than of the songs themselves, so the bootstrap is recentred.

    Parameters
    ----------
    confidence, correct, song : (n,) probability of a prediction, whether it is correct, and of which song
    groups : (n_songs,)
    """
    gaps = np.zeros((len(groups), metrics.RELIABILITY_BINS))
    np.add.at(gaps, (song, metrics.reliability_bin(confidence)), confidence - correct)
    weights = np.vstack([np.ones(len(groups)), significance.artist_weights(groups)])
    values = np.abs(weights @ gaps).sum(axis=1) / (weights @ np.bincount(song, minlength=len(groups)))
    low, high = significance.interval(significance.recentred(values)[1:])
    return Estimate(float(values[0]), max(low, 0.0), high)


def reliability(
    confidence: np.ndarray, correct: np.ndarray, groups: np.ndarray
) -> list[tuple[float, float, int, float, float]]:
    """Rows of `metrics.reliability` with the 95 % interval of the accuracy over artists."""
    weights, bins, rows = significance.artist_weights(groups), metrics.reliability_bin(confidence), []
    for b, row in zip(np.unique(bins), metrics.reliability(correct, confidence), strict=True):
        inside = (bins == b).astype(float)
        drawn, hits = weights @ inside, weights @ (inside * correct)
        some = drawn > 0  # resamples that have such songs
        rows.append((*row, *significance.interval(hits[some] / drawn[some])))
    return rows
