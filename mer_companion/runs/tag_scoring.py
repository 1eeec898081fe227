"""From probabilities of tags to metrics: means over tags with intervals over artists.

Everywhere: ``truth``, ``scores`` (n_songs, n_tags) as in `mer_core.evaluation.tag_metrics`; ``groups``
(n_songs,) artists.
"""

import numpy as np

from mer_companion import results
from mer_core.datasets.tracks import Tracks
from mer_core.evaluation import significance, tag_metrics

MACRO = "all tags"
SCORES = "scores"  # measures of the ranking, which need no threshold
ON_TEST, FROM_VALIDATION = "thresholds_on_test", "thresholds_from_validation"
MEASURES = ("pr_auc", "roc_auc")
DRAWS = 2000


def drawn(
    truth: np.ndarray, scores: np.ndarray, groups: np.ndarray, draws: int = DRAWS
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and AUC of every tag, as measured and in each resample: (1 + draws, n_tags)."""
    return tag_metrics.ranking(truth, scores, with_itself(groups, draws))


def with_itself(groups: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Weights of the songs as they are, then of every resample of their artists: (1 + draws, n_songs)."""
    return np.vstack([np.ones(len(groups)), significance.artist_weights(groups, draws)])


def row(name: str, target: str, decision: str, values: np.ndarray, n: int) -> dict:
    """One measure in long form; the first value is the measured one, the others are resamples."""
    low, high = significance.interval(significance.recentred(values)[1:].clip(0, 1))
    found = {"name": name, "target": target, "decision": decision, "part": "test", "fold": "all"}
    return found | {"value": float(values[0]), "low": low, "high": high, "n": n}


def ranking_rows(precision: np.ndarray, area: np.ndarray, tags, n: int) -> list[dict]:
    """PR-AUC and ROC-AUC, mean over tags, and the average precision of every tag."""
    by_measure, by_tag = zip(MEASURES, (precision, area), strict=True), zip(tags, precision.T, strict=True)
    macro = [row(name, MACRO, SCORES, over_tags(own), n) for name, own in by_measure]
    judged = [(tag, own[np.isfinite(own)]) for tag, own in by_tag if np.isfinite(own[0])]
    return macro + [row("pr_auc", tag, SCORES, own, n) for tag, own in judged]


def over_tags(values: np.ndarray) -> np.ndarray:
    """Mean over the tags that can be judged, (1 + draws,); resamples in which none can be are left out."""
    return np.nanmean(values[np.isfinite(values).any(axis=1)], axis=1)


def decision_rows(
    kind: str, truth: np.ndarray, decided: list[np.ndarray], groups: np.ndarray, draws: int = DRAWS
) -> list[dict]:
    """F score, TPR and TNR, mean over tags and over several ways to have decided."""
    weights = with_itself(groups, draws)
    found = [tag_metrics.decisions(truth, one, weights) for one in decided]
    means = {name: np.mean([one[name] for one in found], axis=0).mean(axis=1) for name in found[0]}
    return [row(name, MACRO, kind, values, len(truth)) for name, values in means.items()]


def metric_rows(tracks: Tracks, arrays: dict[str, np.ndarray]) -> list[dict]:
    """Metrics in long form, of the probabilities ``test`` and ``validation`` of songs ``test_track``, ..."""
    truth, groups = tracks.targets, tracks.groups
    test, validation = (truth[arrays[f"{name}_track"]] for name in ("test", "validation"))
    own = groups[arrays["test_track"]]
    thresholds = {
        ON_TEST: tag_metrics.best_thresholds(test, arrays["test"]),
        FROM_VALIDATION: tag_metrics.best_thresholds(validation, arrays["validation"]),
    }
    rows = ranking_rows(*drawn(test, arrays["test"], own), tracks.classes, len(test))
    for kind, found in thresholds.items():
        rows += decision_rows(kind, test, [tag_metrics.predicted_tags(arrays["test"], found)], own)
    same = {"target": MACRO, "decision": SCORES, "part": "validation", "fold": "all", "n": len(validation)}
    for name, by_tag in zip(MEASURES, tag_metrics.ranking(validation, arrays["validation"]), strict=True):
        rows.append({"name": name, **same, "value": float(np.nanmean(by_tag))})
    return rows


def scores(record: dict) -> list[dict]:
    """The metrics of a record of tags, from its stored predictions; raises as `scoring.scores`."""
    return metric_rows(results.tracks_of(record), results.predictions(record))
