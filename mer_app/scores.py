"""How well songs are predicted, with 95 % intervals over artists: what a model card and ``mer evaluate`` say.
NumPy.

Everywhere: ``probabilities`` is (n_songs, n_classes), ``truth`` (n_songs,) classes, or (n_songs, n_tags)
bool, ``groups`` (n_songs,) artists. Results are plain values; a figure with its interval is {"value", "low",
"high"}.
"""

import numpy as np

from mer_companion.runs import tag_scoring
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, high_probability
from mer_core.evaluation import calibration, metrics, significance
from mer_core.evaluation.significance import Estimate

OF_CLASSES = {"accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}
OF_EACH_CLASS = {
    "precision": metrics.precision_per_class,
    "recall": metrics.recall_per_class,
    "f1": metrics.f1_per_class,
}


def of_labels(
    probabilities: np.ndarray,
    truth: np.ndarray,
    groups: np.ndarray,
    classes: tuple[str, ...],
    baseline: np.ndarray,
) -> dict:
    """Scores of songs with one label each, beside those of a baseline, and how well probabilities are
    calibrated.

    Parameters
    ----------
    baseline : (n_songs,) classes that are predicted without the music
    """
    predicted, n = probabilities.argmax(axis=1), len(classes)
    found = {
        "answers": "labels",
        "n": len(truth),
        "confusion": metrics.confusion(truth, predicted, n).tolist(),
        "scores": scored(truth, predicted, groups, n),
        "trivial": scored(truth, baseline, groups, n),
        "by_class": by_class(truth, predicted, groups, classes),
        "calibration": {"after": calibration.estimates(probabilities, truth, groups)},
        "reliability": calibration.reliability(probabilities.max(axis=1), predicted == truth, groups),
    }
    dimensions = {"valence": HIGH_VALENCE, "arousal": HIGH_AROUSAL} if classes == QUADRANTS else {}
    for dimension, high in dimensions.items():
        p = high_probability(probabilities, dimension)
        both, is_high = np.stack([1 - p, p], axis=1), high[truth].astype(int)
        found[dimension] = {
            "scores": scored(is_high, both.argmax(axis=1), groups, 2),
            "trivial": scored(is_high, high[baseline].astype(int), groups, 2),
            "calibration": {"after": calibration.estimates(both, is_high, groups)},
        }
    return plain_values(found)


def of_tags(
    probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray, classes: tuple[str, ...]
) -> dict:
    """PR-AUC and ROC-AUC, their means over tags and the first of every tag that some songs have and others
    lack.
    """
    rows = tag_scoring.ranking_rows(*tag_scoring.drawn(truth, probabilities, groups), classes, len(truth))
    means = [row for row in rows if row["target"] == tag_scoring.MACRO]
    by_tag = {row["target"]: {"pr_auc": estimate(row)} for row in rows if row not in means}
    found = {
        "answers": "tags",
        "n": len(truth),
        "scores": {row["name"]: estimate(row) for row in means},
        "by_class": by_tag,
        "share": dict(zip(classes, truth.mean(axis=0).tolist(), strict=True)),
        "not_judged": [tag for tag in classes if tag not in by_tag],
    }
    return plain_values(found)


def scored(truth: np.ndarray, predicted: np.ndarray, groups: np.ndarray, n: int) -> dict[str, Estimate]:
    """Accuracy and macro F1 of n classes."""
    return {name: interval_of(m, truth, predicted, groups, n) for name, m in OF_CLASSES.items()}


def by_class(
    truth: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: tuple[str, ...]
) -> dict[str, dict[str, Estimate]]:
    """Precision, recall and F1 of every class."""

    def of_class(metric, k: int) -> Estimate:
        return interval_of(lambda counts: metric(counts)[..., k], truth, predicted, groups, len(classes))

    return {
        label: {name: of_class(metric, k) for name, metric in OF_EACH_CLASS.items()}
        for k, label in enumerate(classes)
    }


def interval_of(metric, truth: np.ndarray, predicted: np.ndarray, groups: np.ndarray, n: int) -> Estimate:
    weights = significance.artist_weights(groups)
    low, high = significance.interval(significance.resampled(metric, truth, predicted, n, weights))
    return Estimate(float(metric(metrics.confusion(truth, predicted, n))), low, high)


def estimate(row: dict) -> Estimate:
    return Estimate(row["value"], row["low"], row["high"])


def plain_values(found):
    """Estimates as {"value", "low", "high"}, at every depth; numbers to six digits."""
    if isinstance(found, Estimate):
        return plain_values(found._asdict())
    if isinstance(found, dict):
        return {name: plain_values(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain_values(value) for value in found]
    return round(found, 6) if isinstance(found, float) else found
