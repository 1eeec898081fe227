"""Metrics of predictions against truth, in NumPy.

``truth`` and ``predicted`` are (n,) int arrays of class indices 0..K-1. With C[i, j] the number of tracks of
class i that were predicted j: support n_i = sum_j C[i, j], precision_i = C[i, i] / sum_j C[j, i], recall_i =
C[i, i] / n_i, each 0 where its denominator is 0 (scikit-learn's ``zero_division=0``).

Metrics of counts take one table, (K, K), and give a float; or many, (..., K, K), and give an array (...), as
bootstraps need it: thousands of resamples at once, which scikit-learn's functions of labels cannot do.
"""

import numpy as np


def confusion(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes, n_classes) counts C: rows are the true classes, columns the predicted ones.

    Raises
    ------
    ValueError : lengths differ, nothing to score, or a class outside 0..n_classes-1
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape or truth.ndim != 1 or not truth.size:
        shapes = f"{truth.shape} and {predicted.shape}"
        raise ValueError(f"truth and predicted must be equally long lists, got shapes {shapes}")
    for name, values in (("truth", truth), ("predicted", predicted)):
        if values.min() < 0 or values.max() >= n_classes:
            raise ValueError(f"{name} holds classes outside 0..{n_classes - 1}")
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Part by whole; 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


def _hits(counts: np.ndarray) -> np.ndarray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _plain(values: np.ndarray):
    return values if np.ndim(values) else float(values)


def f1_per_class(counts: np.ndarray) -> np.ndarray:
    """2 C[i, i] / (n_i + sum_j C[j, i]): the harmonic mean of precision and recall of each class."""
    return share(2 * _hits(counts), counts.sum(axis=-1) + counts.sum(axis=-2))


def recall_per_class(counts: np.ndarray) -> np.ndarray:
    """C[i, i] / n_i: of the tracks of each class, the share that is predicted so."""
    return share(_hits(counts), counts.sum(axis=-1))


def precision_per_class(counts: np.ndarray) -> np.ndarray:
    """C[i, i] / sum_j C[j, i]: of the tracks predicted to be of a class, the share that is."""
    return share(_hits(counts), counts.sum(axis=-2))


def accuracy(counts: np.ndarray) -> float:
    """Share of tracks predicted correctly: sum_i C[i, i] / n."""
    return _plain(_hits(counts).sum(axis=-1) / counts.sum(axis=(-2, -1)))


def macro_f1(counts: np.ndarray) -> float:
    """Mean over classes of the F1 of each: every emotion counts alike, however rare."""
    return _plain(f1_per_class(counts).mean(axis=-1))


def positive_f1(counts: np.ndarray) -> float:
    """F1 of class 1 of two: what "F1" often means for high against low; constant "high" can score well."""
    if counts.shape[-2:] != (2, 2):
        raise ValueError(f"positive_f1 is for two classes, got {counts.shape[-1]}")
    return _plain(f1_per_class(counts)[..., 1])


def balanced_accuracy(counts: np.ndarray) -> float:
    """Mean recall over the classes that occur: 1/K for any constant prediction."""
    support = counts.sum(axis=-1)
    return _plain(share(_hits(counts), support).sum(axis=-1) / (support > 0).sum(axis=-1))


def matthews(counts: np.ndarray) -> float:
    """Matthews correlation of truth and prediction for K classes (Gorodkin 2004): 1 perfect, 0 no relation.

        (c n - sum_k t_k p_k) / sqrt( (n^2 - sum_k p_k^2) (n^2 - sum_k t_k^2) )

    with c correct predictions, t_k true and p_k predicted counts; 0 where a side is constant.
    """
    n, correct = counts.sum(axis=(-2, -1)).astype(float), _hits(counts).sum(axis=-1)
    true, predicted = counts.sum(axis=-1).astype(float), counts.sum(axis=-2).astype(float)
    scale = np.sqrt((n**2 - (predicted**2).sum(axis=-1)) * (n**2 - (true**2).sum(axis=-1)))
    return _plain(share(correct * n - (true * predicted).sum(axis=-1), scale))


MULTICLASS = {metric.__name__: metric for metric in (accuracy, macro_f1, balanced_accuracy, matthews)}
BINARY = MULTICLASS | {"positive_f1": positive_f1}


def scores(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> dict[str, float]:
    """All metrics that fit the number of classes."""
    counts = confusion(truth, predicted, n_classes)
    return {name: metric(counts) for name, metric in (BINARY if n_classes == 2 else MULTICLASS).items()}


def roc_auc(positive: np.ndarray, score: np.ndarray) -> float | None:
    """Probability that a positive scores above a negative, ties counting half; None where one side is empty.

    (sum of the positives' mid-ranks - n_1 (n_1 + 1) / 2) / (n_0 n_1)
    """
    positive, score = np.asarray(positive, dtype=bool), np.asarray(score)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return None
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    mid_rank = np.cumsum(count) - (count - 1) / 2
    beaten = mid_rank[place][positive].sum() - n_positive * (n_positive + 1) / 2
    return float(beaten / (n_positive * n_negative))


def average_precision(positive: np.ndarray, score: np.ndarray) -> float | None:
    """Mean precision down the ranking, one step per positive; chance is about the share of positives.

    sum_n (recall_n - recall_{n-1}) precision_n over the distinct scores, as in scikit-learn; None where
    nothing is positive.
    """
    positive, score = np.asarray(positive, dtype=bool), np.asarray(score)
    if not positive.any():
        return None
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)  # tied scores are met together
    found = np.cumsum(positive[order])[last]
    return float((np.diff(found, prepend=0) / found[-1]) @ (found / (last + 1)))


RELIABILITY_BINS = 10


def reliability_bin(probability: np.ndarray) -> np.ndarray:
    """(n,) which of ten equal bins of [0, 1] a probability falls in."""
    return np.minimum((probability * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)


def reliability(positive: np.ndarray, probability: np.ndarray) -> list[tuple[float, float, int]]:
    """Confidence and accuracy: (mean probability, share of positives, n) of each filled bin of ten."""
    positive, probability = np.asarray(positive, dtype=bool), np.asarray(probability, dtype=float)
    bins = reliability_bin(probability)
    return [
        (float(probability[bins == b].mean()), float(positive[bins == b].mean()), int((bins == b).sum()))
        for b in np.unique(bins)
    ]


def calibration_error(positive: np.ndarray, probability: np.ndarray) -> float:
    """Expected calibration error: mean gap of confidence and accuracy in bins, weighted by size."""
    rows = reliability(positive, probability)
    return sum(n * abs(confidence - accuracy) for confidence, accuracy, n in rows) / len(positive)
