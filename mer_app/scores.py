"""How well songs are called, with 95 % intervals over artists: what a model card and ``mer evaluate`` say.
NumPy.

Everywhere: ``probabilities`` is (n_songs, n_classes), ``truth`` (n_songs,) classes, or (n_songs, n_tags)
bool, ``groups`` (n_songs,) artists. Answers are plain values; a figure with its interval is {"value", "low",
"high"}."""

import numpy as np

from mer_companion.runs import tag_scoring
from mer_core.emotion import HIGH_AROUSAL, HIGH_VALENCE, QUADRANTS, high_probability
from mer_core.evaluation import calibration, metrics, significance
from mer_core.evaluation.significance import Estimate


def of_labels(
    probabilities: np.ndarray,
    truth: np.ndarray,
    groups: np.ndarray,
    classes: tuple[str, ...],
    blind: np.ndarray,
) -> dict:
    """Scores of songs with one label each, beside those of an answer that ignores the music, and what
    promises are worth.

    Parameters
    ----------
    blind : (n_songs,) classes that are answered without listening
    """
    called, n = probabilities.argmax(axis=1), len(classes)
    promised, right = probabilities.max(axis=1), called == truth
    found = {
        "answers": "labels", "n": len(truth), "confusion": metrics.confusion(truth, called, n).tolist(),
        "scores": scored(truth, called, groups, n), "trivial": scored(truth, blind, groups, n),
        "by_class": by_class(truth, called, groups, classes),
        "calibration": {"after": calibration.estimates(probabilities, truth, groups)},
        "reliability": calibration.reliability(promised, right, groups),
    }  # fmt: skip
    for dimension, high in (
        (("valence", HIGH_VALENCE), ("arousal", HIGH_AROUSAL)) if classes == QUADRANTS else ()
    ):
        p = high_probability(probabilities, dimension)
        both, is_high = np.stack([1 - p, p], axis=1), high[truth].astype(int)
        found[dimension] = {
            "scores": scored(is_high, both.argmax(axis=1), groups, 2),
            "trivial": scored(is_high, high[blind].astype(int), groups, 2),
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
    by_tag = {row["target"]: {"pr_auc": estimate(row)} for row in rows if row["target"] != tag_scoring.MACRO}
    return plain_values({
        "answers": "tags", "n": len(truth),
        "scores": {row["name"]: estimate(row) for row in rows if row["target"] == tag_scoring.MACRO},
        "by_class": by_tag, "share": dict(zip(classes, truth.mean(axis=0).tolist(), strict=True)),
        "not_judged": [tag for tag in classes if tag not in by_tag],
    })  # fmt: skip


def scored(truth: np.ndarray, called: np.ndarray, groups: np.ndarray, n_classes: int) -> dict[str, Estimate]:
    """Accuracy and macro F1."""
    return {
        name: interval_of(metric, truth, called, groups, n_classes)
        for name, metric in (("accuracy", metrics.accuracy), ("macro_f1", metrics.macro_f1))
    }


def by_class(
    truth: np.ndarray, called: np.ndarray, groups: np.ndarray, classes: tuple[str, ...]
) -> dict[str, dict]:
    """Precision, recall and F1 of every class."""
    measures = {
        "precision": metrics.precision_per_class,
        "recall": metrics.recall_per_class,
        "f1": metrics.f1_per_class,
    }
    return {
        label: {
            name: interval_of(
                lambda counts, m=measure, k=k: m(counts)[..., k], truth, called, groups, len(classes)
            )
            for name, measure in measures.items()
        }
        for k, label in enumerate(classes)
    }


def interval_of(
    metric, truth: np.ndarray, called: np.ndarray, groups: np.ndarray, n_classes: int
) -> Estimate:
    low, high = significance.interval(
        significance.resampled(metric, truth, called, n_classes, significance.artist_weights(groups))
    )
    return Estimate(float(metric(metrics.confusion(truth, called, n_classes))), low, high)


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
